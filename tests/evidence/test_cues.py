"""Cues of a region, on a voice whose pitch and brightness are known."""

import dataclasses
import math

import numpy as np
import pytest

from voxplain import descriptors
from voxplain.descriptors._levels import Norm, Reference
from voxplain.evidence import cues
from voxplain.types import Audio, Moment, Quantity, Segment, Track

RATE = 16_000
BAD, GOOD = "contradicts", "supports"
HIGHER = 12 * math.log2(180 / 120)  # semitones


@pytest.fixture(scope="module")
def tracks():
    """3 s of a voice at 120 Hz, at 180 Hz (7 st higher) from 1.0 to 1.6 s."""
    times = np.arange(3 * RATE) / RATE
    f0_hz = np.where((times >= 1.0) & (times < 1.6), 180.0, 120.0)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    waveform = sum(np.sin(k * phase) / k for k in range(1, 20)) * 0.1
    waveform += np.random.default_rng(0).normal(0, 1e-4, len(times))
    found = descriptors.tracks(Audio(waveform.astype(np.float32), RATE, "test"))
    grid = np.arange(0.016, 3, 0.032)
    ones = np.ones(len(grid))
    return {**found, "speech_activity": Track(grid, ones, "", ones > 0)}


@pytest.fixture
def reference():
    return Reference("ten people", {"f0_mean_st": Norm(30.0, 3.0, 4.0)})


@pytest.fixture
def low_voices():
    return Reference("ten men", {"f0_mean_st": Norm(25.0, 3.0, 4.0)})


def of_region(tracks, region, reference, label="angry"):
    found = cues.in_region(
        tracks, region, within=Segment(0.0, 3.0), conditions=descriptors.conditions_of(tracks),
        label=label, reference=reference,
    )  # fmt: skip
    return {cue.descriptor: cue for cue in found}


def semitones(hz):
    return 12 * math.log2(hz / 27.5)


def test_pitch_in_a_region_beside_the_rest_chance_and_the_reference(tracks, low_voices):
    cue = of_region(tracks, Segment(1.1, 1.5), low_voices)["f0_mean_st"]
    assert cue.value == pytest.approx(semitones(180), abs=0.05)
    # The rest: 1.1 to 1.0 and 1.5 to 1.6 s are high, too.
    assert cue.rest == pytest.approx(semitones(120) + HIGHER * 0.2 / 2.6, abs=0.2)
    assert cue.contrast > 1.5
    # Windows of 0.4 s: 20 frames all high, 80 partly, 160 all low.
    share = np.convolve((np.arange(300) >= 100) & (np.arange(300) < 160), np.ones(40) / 40, "valid")
    spread = HIGHER * share.std()
    expected = (semitones(180) - 25) / math.sqrt(9 + 16 + spread**2)
    assert cue.z == pytest.approx(expected, rel=0.03)
    assert (cue.judgement, cue.expected, cue.usual) == (GOOD, 2.0, 25.0)
    assert cue.reference == "ten men"


def test_the_same_pitch_contradicts_sadness(tracks, low_voices):
    assert of_region(tracks, Segment(1.1, 1.5), low_voices, "sad")["f0_mean_st"].judgement == BAD


def test_without_a_norm_nothing_is_judged(tracks, reference):
    cue = of_region(tracks, Segment(1.1, 1.5), reference)["intensity_mean_db"]
    assert math.isnan(cue.z)
    assert cue.judgement == "not measurable"
    assert math.isfinite(cue.contrast)


def test_unvoiced_sound_has_no_pitch_to_judge(reference):
    noise = np.random.default_rng(0).normal(0, 0.05, 2 * RATE).astype(np.float32)
    found = descriptors.tracks(Audio(noise, RATE, "test"))
    grid = np.arange(0.016, 2, 0.032)
    activity = Track(grid, np.ones(len(grid)), "", grid > 0)
    whole = {**found, "speech_activity": activity}
    cue = of_region(whole, Segment(0.5, 1.0), reference)["f0_mean_st"]
    assert math.isnan(cue.value)
    assert cue.judgement == "not measurable"


def test_only_means_are_cues_of_a_region(tracks, reference):
    assert all("_mean_" in name for name in of_region(tracks, Segment(1.1, 1.5), reference))


def test_intensity_in_the_salient_band_alone():
    """The band of 1-2 kHz is 20 dB louder from 0.4 to 0.6 s; the others are loud elsewhere."""
    edges, times = np.array([0.0, 500, 1000, 2000, 4000]), (np.arange(100) + 0.5) / 100
    levels_db = np.full((4, 100), -60.0)
    levels_db[2, 40:60] = -40
    levels_db[[0, 1, 3], 60:] = -20
    spectrogram = ((levels_db / 10 + 4) / 4).astype(np.float32)

    def told(label):
        region = Segment(0.4, 0.6)
        return list(
            cues.level_in_band(
                spectrogram, edges, times, region, low_hz=1000, high_hz=2000, label=label
            )
        )

    (cue,) = told("angry")
    assert (cue.value, cue.rest) == pytest.approx((-40, -60), abs=1e-3)
    assert cue.contrast > 1.5
    assert cue.title == "intensity of 1000-2000 Hz"
    assert (cue.judgement, cue.expected) == ("not measurable", 2.0)
    assert told("puzzled") == []


def quantities(**values):
    names = descriptors.inventory()
    nothing = {name: Quantity(math.nan, card.unit, reliable=False) for name, card in names.items()}
    return nothing | {k: Quantity(v, names[k].unit, reliable=True) for k, v in values.items()}


@pytest.mark.parametrize(
    ("pitch", "judgement"), [(33.3, "neutral"), (33.4, GOOD), (26.7, "neutral"), (26.6, BAD)]
)
def test_a_cue_stands_out_from_0_674_sd(reference, pitch, judgement):
    found = cues.of_stretch(quantities(f0_mean_st=pitch), "happy", reference)
    assert next(c.judgement for c in found if c.descriptor == "f0_mean_st") == judgement


@pytest.mark.parametrize(("pitch", "judgement"), [(33.3, GOOD), (34.0, "neutral"), (36.5, BAD)])
def test_neutral_speech_is_expected_to_be_as_usual(reference, pitch, judgement):
    found = cues.of_stretch(quantities(f0_mean_st=pitch), "neutral", reference)
    assert next(c.judgement for c in found if c.descriptor == "f0_mean_st") == judgement


def test_an_unreliable_value_is_not_judged(reference):
    noisy = {**quantities(), "f0_mean_st": Quantity(40.0, "st", reliable=False)}
    found = cues.of_stretch(noisy, "happy", reference)
    assert {cue.judgement for cue in found} == {"not measurable"}


def test_of_a_label_without_expectations_there_are_no_cues(reference):
    assert cues.of_stretch(quantities(f0_mean_st=35.0), "puzzled", reference) == ()


def test_contrast_of_two_emotions(reference):
    high = quantities(f0_mean_st=38.0)  # z = 1.6
    found = {c.descriptor: c for c in cues.contrasts(high, "angry", "sad", reference)}
    assert found["f0_mean_st"].expected == 3.0  # ++ against -
    assert found["f0_mean_st"].judgement == GOOD
    found = {c.descriptor: c for c in cues.contrasts(high, "sad", "angry", reference)}
    assert (found["f0_mean_st"].expected, found["f0_mean_st"].judgement) == (-3.0, BAD)
    # Both expect a strong rise: it tells nothing.
    assert "f0_mean_st" not in {
        c.descriptor for c in cues.contrasts(high, "angry", "happy", reference)
    }


def moment(judgements, *, share=1.0):
    (cue, *_) = cues.of_stretch(
        quantities(f0_mean_st=35.0), "happy", Reference("x", {"f0_mean_st": Norm(30.0, 3.0, 4.0)})
    )
    told = [dataclasses.replace(cue, judgement=j, weight=w) for j, w in judgements]
    return Moment(0.0, 0.3, 0.0, 8000.0, 1.0, share, tuple(told))


def test_plausibility_is_the_weighted_share_that_supports():
    found = cues.plausibility([moment([(GOOD, 1.0), (BAD, 0.5), ("neutral", 1.0)])])
    assert found.value == pytest.approx(1 / 1.5)
    assert found.low < found.value < found.high
    two = [moment([(GOOD, 1.0)], share=0.75), moment([(BAD, 1.0)], share=0.25)]
    assert cues.plausibility(two).value == pytest.approx(0.75)


def test_plausibility_has_wilsons_interval():
    proportion = pytest.importorskip("scipy.stats", reason="the extra [train] is not installed")
    found = cues.plausibility([moment([(GOOD, 1.0)] * 7 + [(BAD, 1.0)] * 3)])
    theirs = proportion.binomtest(7, 10).proportion_ci(0.9, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_where_nothing_stands_out_plausibility_is_unknown():
    found = cues.plausibility([moment([("neutral", 1.0), ("not measurable", 1.0)])])
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)
    assert math.isnan(cues.plausibility([]).value)
