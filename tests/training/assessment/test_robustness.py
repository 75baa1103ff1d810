"""Worse conditions: what is done to the sound, and what counts when nothing is said any more."""

import numpy as np
import pytest

from voxplain.errors import UnknownName
from voxplain.training.assessment.judging import Judged
from voxplain.training.assessment.robustness import CLEAN, CONDITIONS, curves, wanted

LABELS = ("angry", "happy", "neutral", "sad")


def test_kinds_are_named_one_by_one_or_together():
    assert wanted("codec, gain,codec") == ("codec", "gain")
    assert wanted("noise") == ("white noise", "pink noise", "babble")
    assert wanted("all") == tuple(CONDITIONS)


def test_an_unknown_kind():
    with pytest.raises(UnknownName, match=r"unknown condition 'nois'.* mean 'noise'"):
        wanted("babble,nois")


@pytest.fixture
def tone():
    time = np.arange(16_000) / 16_000
    return (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def worsened(kind, level, waveform):
    condition = CONDITIONS[kind][level]
    return condition(waveform, np.random.default_rng(0), lambda: [waveform[::-1]])


@pytest.mark.parametrize(
    ("kind", "level"), [(kind, level) for kind, levels in CONDITIONS.items() for level in levels]
)
def test_every_level_gives_sound_that_can_be_judged(kind, level, tone):
    found = worsened(kind, level, tone)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert len(found) == pytest.approx(len(tone), abs=0.05 * 16_000)
    assert not np.array_equal(found, tone)


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.2])
def test_a_tail_decays_by_60_db_in_its_reverberation_time(seconds):
    click = np.zeros(32_000, np.float32)
    click[0] = 1
    found = worsened("reverberation", f"{seconds:g} s", click)
    energy = np.cumsum(np.square(found[::-1], dtype=float))[::-1]  # Schroeder 1965
    decay = 10 * np.log10(energy / energy[1] + 1e-12)
    start, end = (np.flatnonzero(decay < level)[0] for level in (-5, -25))
    assert 3 * (end - start) / 16_000 == pytest.approx(seconds, rel=0.15)
    direct = np.square(found[0]) / np.sum(np.square(found[1:], dtype=float))
    assert 10 * np.log10(direct) == pytest.approx(0, abs=0.5)


def test_reverberation_is_as_loud_as_before(tone):
    for level in CONDITIONS["reverberation"]:
        found = worsened("reverberation", level, tone)
        assert np.sqrt(np.mean(found**2)) == pytest.approx(np.sqrt(np.mean(tone**2)), rel=0.01)


@pytest.mark.parametrize(("level", "db"), [("-10 dBFS", -10), ("-70 dBFS", -70)])
def test_a_gain_is_a_level(level, db, tone):
    found = worsened("gain", level, tone)
    assert 20 * np.log10(np.sqrt(np.mean(np.square(found, dtype=float)))) == pytest.approx(db)


class Deaf:
    """Judges everything rightly, but hears nothing in white noise from 5 dB on."""

    def __init__(self, judgement, alone=False):
        self.judgement = judgement
        self.alone = alone
        self.asked = []

    def company(self, utterances):
        return [() if self.alone else (utterances[0],)] * len(utterances)

    def judge(self, utterances, *, condition, name, company, jobs, progress):
        self.asked.append((name, len(utterances), len(company)))
        deaf = name in ("white noise 5 dB", "white noise 0 dB")
        rows = [[0.7 if label == one.emotion else 0.1 for label in LABELS] for one in utterances]
        told = tuple(self.judgement(None if deaf else row) for row in rows)
        return Judged(tuple(utterances), told, LABELS)


@pytest.fixture
def clean(judged):
    rows = [(f"p{n % 4}", label, (0.4, 0.2, 0.2, 0.2)) for n, label in enumerate(LABELS * 3)]
    return judged(*rows, ("p1", "fear", (0.4, 0.2, 0.2, 0.2)))


def test_a_level_too_hard_counts_as_missed(clean, judgement):
    judge = Deaf(judgement)
    found = curves(judge, ["white noise"], clean, labels=LABELS, sample=8)["white noise"]
    assert list(found) == [CLEAN, "20 dB", "15 dB", "10 dB", "5 dB", "0 dB"]
    assert {n for _, n, _ in judge.asked} == {8}
    assert judge.asked[0] == ("white noise 20 dB", 8, 8)
    assert found[CLEAN]["judged"].n == 8  # no fear among them
    assert found["10 dB"]["UAR"].value == 1
    assert "UAR" not in found["5 dB"]
    assert found["5 dB"]["UAR, silence missed"].value == 0
    assert found["5 dB"]["judged"].value == 0


def test_what_was_judged_already_is_the_control(clean, judgement):
    """Of the clean clips, all taken for angry, one of four labels is found."""
    found = curves(Deaf(judgement), ["gain"], clean, labels=LABELS, sample=100)["gain"]
    assert found[CLEAN]["UAR"].value == 1 / 4
    assert found["-10 dBFS"]["UAR"].value == 1


def test_the_sample_is_drawn_by_its_seed(clean, judgement):
    drawn = []
    for seed in (0, 0, 1):
        judge = Deaf(judgement)
        seen = []
        judge.company = lambda utterances: [(one,) for one in utterances]
        judge.judge = lambda utterances, seen=seen, **_: (
            seen.append([one.path.name for one in utterances]) or clean
        )
        curves(judge, ["gain"], clean, labels=LABELS, sample=5, seed=seed)
        drawn.append(seen[0])
    assert drawn[0] == drawn[1] != drawn[2]


def test_babble_needs_others(clean, judgement):
    alone = Deaf(judgement, alone=True)
    assert curves(alone, ["babble"], clean, labels=LABELS, sample=4) == {"babble": {}}
    assert curves(alone, [], clean, labels=LABELS, sample=4) == {}
