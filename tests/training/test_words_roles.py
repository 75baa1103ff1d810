"""Training the segmenter: what is read, what is learned from, and what is written."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
import torch

from voxplain.errors import ConfigError
from voxplain.text.roles.clauses import words
from voxplain.text.roles.embedded import Segmenter
from voxplain.training.words.agreement import kinds
from voxplain.training.words.role_accounts import accounts, worn
from voxplain.training.words.roles import (
    SegmenterRecipe,
    example,
    fit,
    lexicon,
    negative_log_likelihood,
    train,
)

RECIPE = SegmenterRecipe(
    design="design.csv",
    train=("train.jsonl",),
    test=("test.jsonl",),
    cues="cues.yaml",
    width=4,
    hidden=16,
    tellers=2,
    networks=2,
    epochs=25,
    batch=4,
    learning_rate=0.02,
    weight_decay=0.0001,
    dropout=0.1,
    worn=0.3,
    hidden_words=0.05,
    hidden_vectors=0.3,
    noise=0.1,
    sentences=0.3,
    seed=0,
)
TOLD = ("The dog runs home. ", "A man shuts the door, slowly. ", "Then she drives away — alone! ")
OWN = ("I cried so much. ", "I was scared, honestly. ", "My heart sank. ")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A random BERT that knows the letters and a few words."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, *("##" + letter for letter in letters), "dog", "door", "cried", "heart"]
    vocabulary = ["[PAD]", "[CLS]", "[SEP]", *pieces, "1", "é"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=8,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    """Twelve accounts of four narrators in two registers, and another two of a third."""
    rows, lines = ["id,narrator,register"], []
    for n in range(14):
        register = ("plain", "terse")[n % 2] if n < 12 else "letter"
        rows.append(f"a{n},n{n % 4},{register}")
        parts = [["descriptive", TOLD[n % 3] + TOLD[(n + 1) % 3]], ["expressive", OWN[n % 3]]]
        parts += [["descriptive", TOLD[(n + 2) % 3]], ["expressive", OWN[(n + 1) % 3]]]
        lines.append(json.dumps({"id": f"a{n}", "parts": parts[:: 1 if n % 4 < 2 else -1]}))
    (tmp_path / "design.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "train.jsonl").write_text("\n".join(lines[:12]) + "\n")
    (tmp_path / "test.jsonl").write_text("\n".join(lines[12:]) + "\n")
    (tmp_path / "cues.yaml").write_text("first person: i my\nsadness: cried sank\n")
    return tmp_path


def test_an_account_is_its_parts_one_after_the_other(folder):
    first, *rest = accounts(folder, ["train.jsonl"], design="design.csv")
    assert len(rest) == 11
    assert first.text == TOLD[0] + TOLD[1] + OWN[0] + TOLD[2] + OWN[1]
    assert "".join(first.text[one.start : one.end] for one in first.roles) == first.text
    assert [one.kind for one in first.roles] == ["descriptive", "expressive"] * 2
    assert (first.narrator, first.register) == ("n0", "plain")


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        '{"id": "a0"}',
        '{"id": "nobody", "parts": [["descriptive", "He left."]]}',
        '{"id": "a0", "parts": [["narrative", "He left."]]}',
        '{"id": "a0", "parts": ["He left."]}',
    ],
)
def test_what_is_no_account_is_named_by_its_line(folder, line):
    place = folder / "train.jsonl"
    place.write_text(place.read_text() + line + "\n")
    with pytest.raises(ConfigError, match=r"train\.jsonl, line 13 is no account: .* and its id in"):
        accounts(folder, ["train.jsonl"], design="design.csv")


def test_a_file_that_is_not_there_is_named(folder, encoder):
    with pytest.raises(ConfigError, match=r"more\.jsonl can't be read"):
        accounts(folder, ["more.jsonl"], design="design.csv")
    (folder / "cues.yaml").unlink()
    with pytest.raises(ConfigError, match=r"cues\.yaml holds no lists of words"):
        train(RECIPE, folder=folder, encoder=encoder, out=folder / "model")


def test_a_folder_without_an_encoder_is_refused(folder):
    with pytest.raises(ConfigError, match="is no encoder of words"):
        train(RECIPE, folder=folder, encoder=folder, out=folder / "model")


def test_a_worn_account_keeps_its_words_and_its_roles(folder):
    for one in accounts(folder, ["train.jsonl"], design="design.csv"):
        bare = worn(one)
        assert not set(bare.text) & set(".,!—")
        assert bare.text == bare.text.lower()
        said = "".join(letter for letter in one.text if letter.isalpha()).lower()
        assert "".join(letter for letter in bare.text if letter.isalpha()) == said
        dash = [start for start, end in words(one.text) if one.text[start:end] == "—"]
        whole = zip(words(one.text), kinds(one.text, one.roles), strict=True)
        kept = [kind for (start, _), kind in whole if start not in dash]
        assert kinds(bare.text, bare.roles) == kept
        half = worn(one, share=0.5).text
        lost = [a for a, b in zip(one.text, half, strict=True) if a != b]
        assert lost
        assert set(lost) <= set(".,!—")


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_likelihood_is_that_of_one_sequence_among_all(n):
    torch.manual_seed(n)
    scores = torch.randn(3, 8, 3)
    truth = (torch.rand(3, 8) > 0.5).float()
    present = torch.zeros(3, 8)
    present[:, :n] = 1
    found = negative_log_likelihood(scores, truth * present, present)
    for row in range(3):
        totals = {}
        for sequence in itertools.product((0, 1), repeat=n):
            total = sum(float(scores[row, i, 0]) for i in range(n) if sequence[i])
            for i in range(1, n):
                rise = sequence[i] - sequence[i - 1]
                total += float(scores[row, i, 1 if rise > 0 else 2]) if rise else 0.0
            totals[sequence] = total
        every = math.log(sum(map(math.exp, totals.values())))
        mine = totals[tuple(int(value) for value in truth[row, :n])]
        assert float(found[row]) == pytest.approx(every - mine, abs=1e-4)


def test_the_same_bytes_come_twice_and_tell_the_roles_of_other_accounts(folder, encoder):
    for out in ("one", "two"):
        train(RECIPE, folder=folder, encoder=encoder, out=folder / out)
    names = ["pieces.txt", "segmenter.json", "weights.npz"]
    assert sorted(path.name for path in (folder / "one").iterdir()) == names
    for name in names:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()
    card = json.loads((folder / "one/segmenter.json").read_text())
    assert sorted(card["folds"]) == [["plain"], ["terse"]]
    assert card["frequent"] == sorted(card["frequent"])
    assert {"the", "dog", "cried"} <= set(card["frequent"])
    assert "é" not in (folder / "one/pieces.txt").read_text().split()
    segmenter = Segmenter.read(folder / "one")
    for one in accounts(folder, ["test.jsonl"], design="design.csv"):
        found = [(role.kind, role.start, role.end) for role in segmenter.segment(one.text)]
        assert found == [(role.kind, role.start, role.end) for role in one.roles]


def test_numpy_computes_what_torch_learned(folder, encoder):
    told = accounts(folder, ["train.jsonl"], design="design.csv")
    known, _ = lexicon(told, RECIPE, folder=folder, encoder=encoder)
    forms = [[example(one, known, written=one.text)] * 3 for one in told]
    short = dataclasses.replace(RECIPE, epochs=1)
    network = fit(forms, short, frequent=len(known.frequent), seed=0)
    arrays = {name: array[None] for name, array in network.arrays().items()}
    text = told[0].text
    found = Segmenter(known, arrays).scores([text[start:end] for start, end in words(text)])
    one = forms[0][0]
    with torch.inference_mode():
        heard = network(one.marks[None], one.rows[None], one.present[None])[0].numpy()
    np.testing.assert_allclose(found.expressive, heard[:, 0], atol=1e-5)
    np.testing.assert_allclose(found.turns[1:], heard[1:, 1:3], atol=1e-5)
    assert found.turns[0].tolist() == [0, 0]


def test_where_a_sentence_begins_is_known_though_nothing_says_so_any_more(folder, encoder):
    told = accounts(folder, ["train.jsonl"], design="design.csv")
    known, _ = lexicon(told, RECIPE, folder=folder, encoder=encoder)
    bare = worn(told[0])
    begins = example(bare, known, written=told[0].text).begins
    said = [bare.text[start:end] for start, end in words(bare.text)]
    first = [word for word, begin in zip(said, begins.tolist(), strict=True) if begin]
    assert first == ["a", "i", "then", "alone", "i"]
