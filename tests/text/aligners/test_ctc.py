"""CTC alignment: against all paths there are, planted letters and a small random checkpoint."""

import itertools
import json

import numpy as np
import pytest

from voxplain.audio import read
from voxplain.errors import TextError, WeightsMissing
from voxplain.text.aligners.ctc import best_path, place
from voxplain.text.alignment import align
from voxplain.types import Audio

VOCABULARY = {"<pad>": 0, "|": 1, "A": 2, "B": 3, "O": 4}


def log_probabilities(frames, letters=5, seed=0):
    logits = np.random.default_rng(seed).normal(size=(frames, letters))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def collapsed(path):
    return [letter for letter, _ in itertools.groupby(path) if letter != 0]


@pytest.mark.parametrize("letters", [[2], [2, 3], [2, 2], [2, 3, 2]])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_other_path_is_better(letters, seed):
    emissions = log_probabilities(6, seed=seed)
    paths = [p for p in itertools.product(range(5), repeat=6) if collapsed(p) == letters]
    best = max(paths, key=lambda path: sum(emissions[n, one] for n, one in enumerate(path)))
    found = best_path(emissions, letters, blank=0)
    assert tuple(np.append(letters, 0)[found]) == best


def test_two_equal_letters_need_a_blank_between_them():
    assert best_path(log_probabilities(2), [2, 2], blank=0) is None
    assert best_path(log_probabilities(3), [2, 2], blank=0).tolist() == [0, -1, 1]


def planted(written, chance=0.9):
    """Emissions that say each of these letters with that chance."""
    emissions = np.full((len(written), 5), (1 - chance) / 4)
    emissions[range(len(written)), [VOCABULARY.get(one, 0) for one in written]] = chance
    return np.log(emissions).astype(np.float32)


def placed(words, emissions):
    return place(words, emissions, vocabulary=VOCABULARY, blank=0, shift=0.02, source="x.wav")


def test_words_are_found_where_their_letters_were_planted():
    first, second = placed(["Ab,", "boo"], planted("..A.B..|.B..O.OO.."))
    assert first[:2] == pytest.approx((2 * 0.02, 5 * 0.02))
    assert second[:2] == pytest.approx((9 * 0.02, 16 * 0.02))
    assert (first.confidence, second.confidence) == pytest.approx((0.9, 0.9))


def test_letters_that_are_not_heard_have_little_confidence():
    (found,) = placed(["oo"], planted("..A.B.."))
    assert found.confidence == pytest.approx(0.025)


def test_a_word_without_a_known_letter_is_not_found():
    first, strange, last = placed(["a", "你好", "b"], planted(".A..|..B."))
    assert strange is None
    assert first.end < last.start
    assert placed(["你好"], planted(".A.")) == [None]


def test_more_letters_than_frames():
    with pytest.raises(TextError, match=r"the 2 words have more letters than x\.wav can hold in 0"):
        placed(["abab", "baba"], planted("A.B"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small random wav2vec2, as ``save_pretrained`` leaves it."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("wav2vec2")
    letters = {"<pad>": 0, "<unk>": 1, "|": 2, **{c: n for n, c in enumerate("ABCDEILMOTWY", 3)}}
    (place / "vocab.json").write_text(json.dumps(letters))
    config = transformers.Wav2Vec2Config(
        vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, conv_dim=(8,) * 7, num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2, pad_token_id=0,
    )  # fmt: skip
    transformers.Wav2Vec2ForCTC(config).save_pretrained(place)
    transformers.Wav2Vec2CTCTokenizer(str(place / "vocab.json")).save_pretrained(place)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(place)
    return place


def test_any_checkpoint_aligns_a_recording(folder, clips):
    audio = read.read(clips[0])
    found = align(audio, "Maybe, 你好 it be cold", language="fi", aligner=folder)
    assert [word.text for word in found.words] == ["Maybe,", "你好", "it", "be", "cold"]
    times = [time for word in found.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= audio.duration
    assert (found.source, found.language) == (str(folder), "fi")
    assert found.warnings[0].startswith("1 of 5 words could not be spelled out")


def test_a_long_recording_is_heard_in_stretches_without_a_gap(folder, clips):
    waveform = np.tile(read.read(clips[0]).waveform, 30)[: 70 * 16_000]
    found = align(Audio(waveform, 16_000, "long"), "ab " * 900, aligner=folder)
    ends = [word.end for word in found.words]
    assert ends == sorted(ends)
    assert 65 < ends[-1] <= 70


@pytest.mark.parametrize("config", [None, {"model_type": "llama"}])
def test_a_folder_without_a_checkpoint(clips, tmp_path, config):
    pytest.importorskip("transformers")
    if config:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        WeightsMissing, match=r"(?s)no CTC checkpoint in .*; give a folder with saf"
    ):
        align(read.read(clips[0]), "maybe", aligner=tmp_path)
