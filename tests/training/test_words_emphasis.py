"""What the model of emphasis learns from, by hand, and that it learns it."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest

from voxplain.errors import ConfigError, CorpusNotFound
from voxplain.text.emphasis import CUES
from voxplain.training.words.emphasis import (
    EmphasisRecipe,
    expectations,
    fit,
    train,
    wavelet_prominence,
)
from voxplain.types import Track, Word

LABELS = "<file>\tone.txt\nA\t0\t0\t0.1\t0.5\nhealthy\t2\t2\t2.1\t1.2\n.\tNA\tNA\tNA\tNA\n"
RECIPE = EmphasisRecipe(
    corpora=("cremad",),
    left_out=(),
    every=1,
    sentences=("TIE That is exactly what happened.", "MTI Maybe tomorrow it will be cold."),
    language="en",
    strength=0.1,
)


@pytest.fixture
def helsinki(tmp_path):
    folder = tmp_path / "helsinki"
    folder.mkdir()
    (folder / "dev.txt").write_text(LABELS)
    (folder / "test.txt").write_text("a\t0\t0\t0.0\t0.1\na\t1\t0\t0.9\t0.1\n\nA\t0\t0\t0.0\t0.1\n")
    return folder


def sentence(hz, level_db, seconds):
    """Words of steady F0 and level, back to back."""
    frames = np.round(np.array(seconds) * 100).astype(int)
    f0, level = (np.repeat(np.array(values, float), frames) for values in (hz, level_db))
    times = (np.arange(len(f0)) + 0.5) / 100
    values = {"f0_hz": f0, "intensity_db": level, "loudness": 10 ** (level / 30)}
    values["alpha_ratio_db"] = np.full(len(f0), -10.0)
    tracks = {name: Track(times, row, "", np.isfinite(f0)) for name, row in values.items()}
    ends = np.cumsum(frames) / 100
    starts = [0.0, *ends[:-1].tolist()]
    return [Word("word", s, e, 1.0) for s, e in zip(starts, ends.tolist(), strict=True)], tracks


PLAIN = {"hz": [100] * 5, "level_db": [-20] * 5, "seconds": [0.2] * 5}


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize(("what", "stressed"), [("hz", 150), ("level_db", -10), ("seconds", 0.4)])
def test_the_wavelet_finds_what_is_higher_louder_or_longer(what, stressed, place):
    values = [stressed if n == place else plain for n, plain in enumerate(PLAIN[what])]
    z = wavelet_prominence(*sentence(**{**PLAIN, what: values}))
    assert np.argmax(z) == place
    assert z.mean() == pytest.approx(0)
    assert z.std() == pytest.approx(1)


def test_the_wavelet_finds_nothing_in_monotony_and_bridges_what_is_unvoiced():
    assert wavelet_prominence(*sentence(**PLAIN)) == pytest.approx([0] * 5, abs=1e-6)
    z = wavelet_prominence(*sentence(**{**PLAIN, "hz": [100, math.nan, 100, 150, 100]}))
    assert np.argmax(z) == 3
    assert np.isfinite(z).all()
    silent = wavelet_prominence(*sentence(**{**PLAIN, "hz": [math.nan] * 5}))
    assert silent == pytest.approx([0] * 5, abs=1e-6)


def test_what_is_expected_of_a_word(helsinki):
    """Four times "a", stressed once; "healthy", said once, is all that is rare."""
    found = expectations(helsinki)
    assert found[""] == 1
    assert found["a"] == pytest.approx((1 + 5 * 1) / (4 + 5))
    assert found["healthy"] == 1
    assert set(found) == {"", "a", "healthy"}


def test_labels_that_are_not_there_are_an_error(helsinki):
    (helsinki / "test.txt").unlink()
    with pytest.raises(CorpusNotFound, match=r"test\.txt does not exist; .*dev\.txt and test\.txt"):
        expectations(helsinki)


def test_it_learns_which_cue_tells_and_no_cue_counts_against_emphasis():
    """The text expects stress where the voice is raised; there it is softer; length is chance."""
    random, heard = np.random.default_rng(0), []
    for _ in range(60):
        stressed = random.permutation(5) < 2
        words, tracks = sentence(
            np.where(stressed, 140, 100), np.where(stressed, -21, -20), random.uniform(0.2, 0.3, 5)
        )
        texts = np.where(stressed, "Mountain,", "the")
        words = [Word(t, w.start, w.end, 1.0) for t, w in zip(texts.tolist(), words, strict=True)]
        heard.append((tuple(words), tracks))
    weights, intercept = fit(heard, {"mountain": 0.95, "the": 0.05, "": 0.5}, strength=0.1)
    named = dict(zip(CUES, weights, strict=False))
    assert len(weights) == 2 * len(CUES)
    assert min(weights) == 0
    assert named["f0"] == max(weights) > 2 * named["duration"]
    assert named["intensity"] == 0
    assert abs(intercept) < 1


@pytest.fixture
def roots(tmp_path, clips, helsinki):
    """Four clips of two sentences, and labels."""
    corpus = tmp_path / "cremad"
    corpus.mkdir()
    for clip in clips[:4]:
        shutil.copy(clip, corpus / f"{clip.stem.removeprefix('cremad_').upper()}_XX.opus")
    return {"cremad": corpus, "helsinki": helsinki}


def test_a_recipe_becomes_weights(tmp_path, roots):
    train(RECIPE, roots=roots, out=tmp_path / "out", cache=tmp_path / "cache", jobs=1)
    stored = json.loads((tmp_path / "out/weights.json").read_text())
    assert set(stored["cues"]) == set(stored["above_neighbours"]) == set(CUES)
    assert stored["recordings"] == 4
    assert stored["words"] == 5 + 5 + 6 + 6
    half = dataclasses.replace(RECIPE, every=2)
    train(half, roots=roots, out=tmp_path / "half", cache=tmp_path / "cache", jobs=1)
    assert json.loads((tmp_path / "half/weights.json").read_text())["recordings"] == 2


def test_a_recipe_without_the_right_sentences_is_an_error(tmp_path, roots):
    recipe = dataclasses.replace(RECIPE, sentences=("DFA Don't forget a jacket.",))
    with pytest.raises(ConfigError, match=r"none of the 0 recordings with a text.*'sentences'"):
        train(recipe, roots=roots, out=tmp_path, cache=tmp_path / "cache", jobs=1)


def test_labels_without_a_root_are_an_error(tmp_path):
    with pytest.raises(ConfigError, match="give --root helsinki=FOLDER"):
        train(RECIPE, roots={}, out=tmp_path, cache=tmp_path, jobs=1)
