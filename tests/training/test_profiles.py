"""Profiles by hand, and literature beside data."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain.cli import main
from voxplain.training.norms import _functionals
from voxplain.training.profiles import comparison, moved

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "src/voxplain/assets/references"
NAN = float("nan")


def profiled(rows, *, draws=200):
    """Of (speaker, emotion, value) rows."""
    speakers, emotions, values = zip(*rows, strict=True)
    return moved(
        np.array(values, float), np.array(speakers), np.array(emotions), draws=draws, seed=0
    )


def test_every_speaker_counts_the_same_against_their_own_neutral_mean():
    """Ann rises from 2 to 5, Bob from 10 to 11, though Ann says more."""
    rows = [("ann", "neutral", 1), ("ann", "neutral", 3), ("bob", "neutral", 10)]
    rows += [("ann", "sad", 4), ("ann", "sad", 5), ("ann", "sad", 6), ("bob", "sad", 11)]
    found = profiled(rows)
    assert found["sad"].z == pytest.approx((3 + 1) / 2)
    assert (found["sad"].low, found["sad"].high) == (1, 3)
    assert (found["sad"].utterances, found["sad"].speakers) == (4, 2)
    assert (found["neutral"].z, found["neutral"].low, found["neutral"].high) == (0, 0, 0)


def test_what_is_not_reliable_is_left_out_and_so_is_who_has_no_neutral_speech():
    rows = [("ann", "neutral", 1), ("bob", "neutral", 2), ("eve", "neutral", NAN)]
    rows += [("ann", "sad", 3), ("ann", "sad", NAN), ("bob", "sad", 6), ("eve", "sad", 99)]
    rows += [("ann", "angry", 5), ("bob", "angry", NAN)]
    found = profiled(rows)
    assert found["sad"].z == pytest.approx((2 + 4) / 2)
    assert (found["sad"].utterances, found["sad"].speakers) == (2, 2)
    assert "angry" not in found, "one speaker has no interval"


def test_the_interval_is_that_of_a_mean_over_speakers():
    """1.645 standard errors to each side, however much each speaker says."""
    rises = np.random.default_rng(1).normal(1.0, 0.5, 60)
    once = [(f"s{n}", "sad", rise) for n, rise in enumerate(rises)]
    neutral = [(f"s{n}", "neutral", 0) for n in range(60)]
    half = 1.645 * rises.std() / np.sqrt(60)
    for said in (once, once * 5):
        found = profiled(neutral + said, draws=4000)["sad"]
        assert found.low == pytest.approx(rises.mean() - half, abs=0.1 * half)
        assert found.high == pytest.approx(rises.mean() + half, abs=0.1 * half)


@pytest.fixture
def corpus(tmp_path, clips):
    """Two speakers with the same four clips."""
    emotions = {"tie_ang": "ANG", "mti_hap": "HAP", "tie_neu": "NEU", "mti_sad": "SAD"}
    (tmp_path / "cremad").mkdir()
    for speaker in (1001, 1002):
        for clip in clips[:4]:
            name = f"{speaker}_TIE_{emotions[clip.stem.removeprefix('cremad_1089_')]}_XX.opus"
            shutil.copy(clip, tmp_path / "cremad" / name)
    return tmp_path / "cremad"


def test_profiles_are_made_of_what_is_measured(corpus, tmp_path):
    recipe, out = tmp_path / "profiles.yaml", tmp_path / "out"
    recipe.write_text(
        "kind: profiles\nmaterial: four clips\ncorpora: [cremad]\nleft_out: []\n"
        "levelled: [cremad]\ngain_dependent: [intensity_mean_db]\ndraws: 10\nseed: 0\n"
    )
    data = ["--root", f"cremad={corpus}", "--cache", str(tmp_path / "cache"), "--jobs", "1"]
    assert main(["train", str(recipe), "--out", str(out), *data]) == 0
    made = json.loads((out / "profiles.json").read_text(encoding="utf-8"))
    assert made["profiles"]["pooled"] == made["profiles"]["cremad"]
    angry = made["profiles"]["pooled"]["angry"]
    values = {
        name: _functionals(str(corpus / f"1001_TIE_{name}_XX.opus"))["f0_mean_st"]
        for name in ("ANG", "HAP", "NEU", "SAD")
    }
    z = (values["ANG"] - values["NEU"]) / np.std([*values.values()], ddof=1)
    assert angry["utterances"] == 2
    assert angry["descriptors"]["f0_mean_st"] == {
        "z": pytest.approx(z, abs=1e-4),
        "low": pytest.approx(z, abs=1e-4),
        "high": pytest.approx(z, abs=1e-4),
        "utterances": 2,
        "speakers": 2,
    }
    assert "intensity_mean_db" not in angry["descriptors"], "levelled"
    assert "intensity_range_db" in angry["descriptors"]
    assert "snr_db" not in angry["descriptors"], "of the recording, not of the voice"


def test_emodb_is_levelled_as_the_recipe_says():
    folder = ROOT.parent / "shared/data/speech/emodb"
    if not folder.exists():
        pytest.skip(f"{folder} is not here")
    for path in sorted(folder.glob("*.flac"))[::25]:
        assert np.abs(soundfile.read(path)[0]).max() > 0.99


@pytest.fixture
def made(tmp_path):
    """Profiles of two emotions, in one corpus."""

    def one(z, low, high, utterances=10):
        return {"z": z, "low": low, "high": high, "utterances": utterances, "speakers": 5}

    def emotion(**descriptors):
        return {"utterances": 10, "descriptors": descriptors}

    corpus = {
        "angry": emotion(
            f0_mean_st=one(1.5, 1.0, 2.0),  # ++ certain
            f1_mean_hz=one(-0.5, -0.9, -0.1, 8),  # + certain
            jitter_mean_percent=one(0.1, -0.2, 0.4),  # + uncertain, of little agreement
        ),
        "fear": emotion(
            f0_range_st=one(1.0, 0.5, 1.5),  # no direction
            f0_sd_st=one(-0.3, -0.5, -0.1),  # as in neutral speech
            f0_mean_st=one(-1.0, -1.5, -0.5),  # ++ certain
        ),
        "neutral": emotion(
            **dict.fromkeys(("f0_mean_st", "f0_range_st", "f0_sd_st"), one(0, 0, 0)),
            f1_mean_hz=one(0, 0, 0, 3),
            jitter_mean_percent=one(0, 0, 0),
        ),
    }
    found = {"material": "made up", "profiles": {"pooled": corpus, "voices": corpus}}
    (tmp_path / "profiles.json").write_text(json.dumps(found), encoding="utf-8")
    return [" ".join(line.split()) for line in comparison(tmp_path).splitlines()]


def test_each_cell_agrees_disagrees_or_is_unclear(made):
    assert "pitch ++ +1.50 [+1.00, +2.00] 100% agrees" in made
    assert "pitch ++ -1.00 [-1.50, -0.50] 100% disagrees" in made
    assert "unevenness of periods (jitter) (+) +0.10 [-0.20, +0.40] 100% unclear" in made


def test_where_no_direction_is_expected_there_is_no_verdict(made):
    assert "pitch range (+/-) +1.00 [+0.50, +1.50] 100%" in made
    assert "pitch variability (o) -0.30 [-0.50, -0.10] 100%" in made


def test_what_was_heard_of_neutral_speech_counts_too(made):
    assert "first formant + -0.50 [-0.90, -0.10] 30% disagrees" in made


def test_signs_are_weighted_by_the_agreement_of_the_literature(made):
    """1 and 0.25 of 1, 1, 1 and 0.25; p: 1 of 3 is 1, none of 1 is 1."""
    assert f"all 4 1 1 2 2 {1.25 / 3.25:.2f} 1" in made
    assert f"all that is certain 3 1 0 2 1 {1 / 3:.2f} 1" in made
    assert "all that is uncertain 1 0 1 0 1 1.00 1" in made
    assert f"all in voices 4 1 1 2 2 {1.25 / 3.25:.2f} 1" in made
    assert "fear 1 0 0 1 0 0.00 1" in made


def test_the_control_is_what_other_emotions_expect(made):
    """Anger's pitch as in fear, F1 falls as in fear; fear's three as in anger: ++, + and ++."""
    weights, agree = [1, 0.5, 1, 1, 1], [1, 1, 1, 0, 0]
    assert made[-1] == f"control: what others expect 5 {np.average(agree, weights=weights):.2f}"


def test_profiles_that_are_not_there_are_asked_for(tmp_path, capsys):
    recipe = str(ROOT / "recipes/profiles/people.yaml")
    assert main(["evaluate", recipe, "--model", str(tmp_path)]) == 4
    error = " ".join(capsys.readouterr().err.split())
    assert (
        f"{tmp_path / 'profiles.json'} can't be read: No such file or directory; make it" in error
    )
    assert "voxplain train recipes/profiles/people.yaml --root CORPUS=DIR --out" in error


def test_the_page_shows_what_the_command_prints(capsys):
    recipe = str(ROOT / "recipes/profiles/people.yaml")
    assert main(["evaluate", recipe, "--model", str(SHIPPED)]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert printed in (ROOT / "docs/references.md").read_text(encoding="utf-8")
