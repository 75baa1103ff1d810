"""The planted-truth corpus: what is planted comes out, and what a model can reach is known."""

import csv
import importlib.util
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain.errors import ConfigError
from voxplain.training.corpora import table
from voxplain.training.metrics.ccc import concordance

SCRIPT = Path(__file__).parents[1] / "recipes/msf/planted.py"
DIMENSIONS = ("valence", "arousal", "dominance")


@pytest.fixture(scope="module")
def planted():
    spec = importlib.util.spec_from_file_location("planted", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ratings(planted):
    """Word -> valence, arousal, dominance; drawn, for the published ones stay where they are."""
    words = sorted(itertools.chain(*planted.RATED.values()))
    drawn = np.random.default_rng(0).uniform(1, 9, (len(words), 3)).round(2)
    return dict(zip(words, drawn, strict=True))


@pytest.fixture(scope="module")
def warriner(ratings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("warriner")
    rows = [f"{word},{v},{a},{d}" for word, (v, a, d) in ratings.items()]
    header = "Word,V.Mean.Sum,A.Mean.Sum,D.Mean.Sum"
    (folder / "Ratings_Warriner_et_al.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def command(warriner, out, *more):
    return [sys.executable, str(SCRIPT), "--warriner", str(warriner), "--out", str(out), *more]


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def corpus(warriner, tmp_path_factory):
    """48 clips, one of each voice."""
    if not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is not installed")
    out = tmp_path_factory.mktemp("planted")
    ran = subprocess.run(
        command(warriner, out, "--clips", "48"), check=True, capture_output=True, text=True
    )
    assert ran.stdout.startswith("48 clips of 48 voices; CCC within reach\n")
    return out


def test_the_table_is_read_as_any_other(corpus):
    found = table.read(corpus / "table.csv")
    assert len({one.speaker for one in found}) == 48
    assert {one.sex for one in found} == {"female", "male"}
    for one in found:
        assert set(one.dimensions) == set(DIMENSIONS)
        (place,) = one.emphasis
        assert place in (1, 2, 4)
        assert len(one.text.split()) == 5


def test_a_recording_has_the_level_and_the_tilt_that_were_planted(corpus):
    for clip in rows(corpus / "truth.csv")[::9]:
        waveform, rate = soundfile.read(corpus / clip["file"])
        assert (rate, waveform.ndim) == (16_000, 1)
        voice = waveform[3200:-3200]
        assert 10 * np.log10(np.mean(voice**2)) == pytest.approx(float(clip["level"]), abs=0.1)
        power = np.abs(np.fft.rfft(voice)) ** 2
        hertz = np.fft.rfftfreq(len(voice), 1 / rate)
        low, high = power[(hertz >= 50) & (hertz < 1000)], power[(hertz >= 1000) & (hertz < 5000)]
        tilt = 10 * np.log10(high.sum() / low.sum())
        assert tilt == pytest.approx(float(clip["tilt"]), abs=0.5)  # some of it is hiss


def test_the_truth_is_the_weights_over_the_factors_and_the_noise_is_of_the_size_it_says(
    corpus, ratings
):
    truth, rated = rows(corpus / "truth.csv"), rows(corpus / "table.csv")
    valences = np.array(
        [[ratings[clip["words"].strip(".").split()[at]][0] for at in (1, 2, 4)] for clip in truth]
    )
    said = np.array(
        [ratings[clip["words"].strip(".").split()[int(clip["emphasis"])]][0] for clip in truth]
    )
    value = {
        name: np.array([float(clip[name]) for clip in truth])
        for name in truth[0]
        if name[0:2] == "z_" or name in DIMENSIONS
    }
    assert value["valence"] == pytest.approx(0.5 + 0.14 * (said - valences.mean()) / valences.std())
    voice = sum(
        weight * value[f"z_{name}"]
        for name, weight in {"level": 0.85, "tilt": 0.3, "rate": 0.2, "pitch": 0.2}.items()
    )
    assert value["arousal"] == pytest.approx(0.5 + 0.14 * voice / np.sqrt(0.8925))
    noise = [
        float(a[n]) - float(b[n]) for a, b in zip(rated, truth, strict=True) for n in DIMENSIONS
    ]
    assert np.std(noise) == pytest.approx(0.3 * 0.14, rel=0.2)  # 144 of them: 6 % either way


def test_the_null_corpus_has_the_targets_of_other_clips(corpus):
    own, null = rows(corpus / "table.csv"), rows(corpus / "null.csv")
    targets, others = ([tuple(row[n] for n in DIMENSIONS) for row in some] for some in (own, null))
    assert targets != others
    assert sorted(targets) == sorted(others)
    for one, other in zip(own, null, strict=True):
        assert {k: v for k, v in one.items() if k not in DIMENSIONS} == {
            k: v for k, v in other.items() if k not in DIMENSIONS
        }


def test_the_same_seed_makes_the_same_corpus_whatever_the_processes(corpus, warriner, tmp_path):
    subprocess.run(command(warriner, tmp_path, "--clips", "48", "--jobs", "1"), check=True)
    names = sorted(path.relative_to(corpus) for path in corpus.rglob("*") if path.is_file())
    assert len(names) == 48 + 4
    for name in names:
        assert (tmp_path / name).read_bytes() == (corpus / name).read_bytes(), name


def test_the_card_tells_what_the_loss_of_the_emphasis_costs(corpus):
    reach = json.loads((corpus / "card.json").read_text())["reach"]
    whole, without = reach["everything"], reach["all but the emphasis"]
    assert whole["valence"]["ccc"] - without["valence"]["ccc"] > 0.1
    assert whole["arousal"] == without["arousal"]
    assert whole["dominance"] == without["dominance"]
    assert reach["text alone"]["arousal"]["ccc"] == 0
    assert reach["voice alone"]["valence"]["ccc"] == 0


def test_without_the_emphasis_the_mean_of_the_words_is_to_be_expected(planted, ratings):
    """By counting: each of the three words is the emphasised one as often as the others."""
    sentences = list(planted.drawn(200, random.Random(1)))
    clips = [{**one, "emphasis": at} for one in sentences for at in (1, 2, 4)]
    found = planted.factors(clips, np.arange(len(clips)), ratings)
    counted = found["emphasised"].reshape(-1, 3).mean(1)
    assert found["any word"].reshape(-1, 3)[:, 0] == pytest.approx(counted)


def test_nothing_that_knows_as_much_comes_nearer_than_the_reach(planted):
    generator = np.random.default_rng(0)
    factors = ("emphasised", "words", "pitch", "rate", "level", "tilt")
    known = {name: generator.standard_normal(2000) for name in factors}
    expected = planted.expected(known)
    targets = expected + generator.normal(0, 0.1, expected.shape)
    reach = planted.reach(known, targets)
    for name, guess, target in zip(DIMENSIONS, expected.T, targets.T, strict=True):
        stretched = [
            concordance(target, target.mean() + stretch * (guess - guess.mean()))
            for stretch in np.linspace(0.5, 3, 501)
        ]
        assert reach[name]["ccc"] == pytest.approx(max(stretched), abs=1e-4)
        r = reach[name]["ccc"]
        assert reach[name]["ccc_of_mean"] == pytest.approx(2 * r**2 / (1 + r**2), abs=0.02)


def test_the_tilt_of_two_tones_is_set(planted):
    seconds = np.arange(16_000) / 16_000
    tones = [np.sin(2 * np.pi * hertz * seconds) for hertz in (250, 2000)]
    tilted = planted.tilted(0.5 * tones[0] + 0.3 * tones[1], -20.0)
    low, high = (np.dot(tilted, tone) for tone in tones)
    assert 20 * np.log10(high / low) == pytest.approx(-20, abs=0.05)


def test_one_word_is_marked(planted):
    clip = {"words": ["The", "calm", "hero", "saw", "war"], "emphasis": 4}
    first, marked = planted.marked(clip).split("</prosody> ")
    assert first == "<prosody volume='soft'>The calm hero saw"
    assert marked.endswith(">war.</prosody>")


@pytest.fixture
def instead_of_espeak(tmp_path, monkeypatch):
    def put(script):
        (tmp_path / "espeak-ng").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "espeak-ng").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return put


def test_a_missing_synthesiser_is_told_with_its_remedy(
    planted, warriner, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    code = planted.main(["--warriner", str(warriner), "--out", str(tmp_path / "out")])
    assert code == 2
    assert "espeak-ng is not installed; get it, for example by apt-get" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_voice_that_can_not_speak_is_told(planted, instead_of_espeak):
    instead_of_espeak("echo no such voice >&2; exit 1")
    with pytest.raises(
        ConfigError, match=r"espeak-ng -v en\+x failed: no such voice; has it these"
    ):
        planted.espeak("-v", "en+x")


def test_a_word_without_ratings_and_too_few_clips_are_told(
    planted, warriner, instead_of_espeak, tmp_path, capsys
):
    instead_of_espeak("echo 1.51")
    path = tmp_path / "Ratings_Warriner_et_al.csv"
    known = (warriner / path.name).read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in known if not line.startswith("gravel,")))
    place = ["--warriner", str(tmp_path), "--out", str(tmp_path / "out")]
    assert planted.main(place) == 4
    assert f"{tmp_path} has no ratings of 'gravel'; give all of" in capsys.readouterr().err
    assert planted.main([*place, "--clips", "23"]) == 2
    assert "--clips 23: each of the 48 voices needs one at least" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
