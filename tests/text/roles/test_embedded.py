"""The segmenter's arithmetic against plain enumeration, and what a folder must hold."""

import itertools
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from voxplain.errors import ArtifactError, ChecksumMismatch, WeightsMissing
from voxplain.text.roles.embedded import Lexicon, Scores, Segmenter, shipped

MODEL = Path(str(files("voxplain") / "assets/models/roles"))


def enumerated(scores):
    """Every sequence of roles with its score, one by one."""
    for sequence in itertools.product((0, 1), repeat=len(scores.expressive)):
        total = sum(e for e, role in zip(scores.expressive, sequence, strict=True) if role)
        for turn, (one, other) in zip(scores.turns[1:], itertools.pairwise(sequence), strict=True):
            total += turn[0] if other > one else turn[1] if other < one else 0
        yield np.array(sequence), total


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_sequence_and_the_chances_are_those_of_all_sequences(n, seed):
    draw = np.random.default_rng(seed)
    turns = draw.normal(-1, 2, (n, 2))
    turns[0] = 0
    scores = Scores(draw.normal(0, 2, n), turns)
    sequences, totals = zip(*enumerated(scores), strict=True)
    assert scores.best().tolist() == sequences[int(np.argmax(totals))].tolist()
    for temperature in (1.0, 1.7):
        weight = np.exp(np.array(totals) / temperature)
        truth = weight @ np.array(sequences) / weight.sum()
        np.testing.assert_allclose(scores.chances(temperature=temperature), truth, rtol=1e-9)


def test_a_word_is_known_by_its_cues_its_pieces_and_its_shape():
    lexicon = Lexicon(
        cues={"joy": frozenset({"glad"}), "fear": frozenset({"scared"})},
        frequent={"glad": 1},
        pieces={"gl": 0, "##ad": 1, "##a": 2},
        vectors=np.array([[1, 0], [0, 4], [9, 9]], np.float32),
    )
    marks, rows = lexicon.look_up(["Glad!", "ox"])
    assert rows.tolist() == [1, 0]
    vector, cues, rest = np.split(marks, [2, 4], axis=1)
    assert vector.tolist() == [[0.5, 2], [0, 0]]  # gl + ##ad, the longest; none of ox
    assert cues.tolist() == [[1, 0], [0, 0]]
    assert (rest[0] != rest[1]).sum() == 4  # known, "!", nothing after it, a capital


def test_a_network_alone_is_one_of_those_that_are_asked_together():
    said = ["he", "shut", "the", "door", "and", "i", "froze"]
    whole = shipped().scores(said).expressive
    alone = [shipped().alone(k).scores(said).expressive for k in range(5)]
    np.testing.assert_allclose(np.mean(alone, axis=0), whole, rtol=1e-4, atol=1e-5)
    assert np.ptp(alone, axis=0).min() > 0


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(MODEL, tmp_path / "roles"))


def test_a_missing_file_is_named_with_the_remedy(folder):
    (folder / "weights.npz").unlink()
    with pytest.raises(WeightsMissing, match=r"weights\.npz can't be read; reinstall"):
        Segmenter.read(folder)


def test_other_weights_than_the_cards_are_refused(folder):
    (folder / "pieces.txt").write_text("a\n")
    with pytest.raises(ChecksumMismatch, match=r"its card says [0-9a-f]{12}"):
        Segmenter.read(folder)


@pytest.mark.parametrize(("lost", "message"), [("cues", "lacks 'cues'"), (None, "is no card")])
def test_a_card_that_is_none_is_refused(folder, lost, message):
    card = json.loads((folder / "segmenter.json").read_text(encoding="utf-8"))
    card.pop(lost, None)
    text = json.dumps(card) if lost else "{"
    (folder / "segmenter.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        Segmenter.read(folder)
