"""The table of the literature is whole, follows its rule, and has the signs of our descriptors."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

import voxplain
from voxplain import descriptors
from voxplain.audio.activity import CHUNK
from voxplain.errors import UnknownName
from voxplain.evidence.references import citations, expectations, labels, profile
from voxplain.labels import CANONICAL
from voxplain.types import Audio, Track

RATE = 16_000
TABLE = yaml.safe_load(
    (Path(voxplain.__file__).parent / "assets/references/cues.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("cue", TABLE["cues"])
def test_every_cue_has_a_mark_for_every_emotion(cue):
    row = TABLE["cues"][cue]
    assert set(row["marks"]) == set(CANONICAL) - {"neutral"}
    for mark in row["marks"].values():
        assert mark.keys() <= {"expected", "state", "note"}
        assert mark["expected"] in (None, -2, -1, 0, 1, 2)
        assert mark["state"] in TABLE["agreement"]
        assert (mark["expected"] is None) == (mark["state"] == "conflicting")


def test_a_cue_is_measured_by_one_descriptor_or_says_why_by_none():
    measured = [row["descriptor"] for row in TABLE["cues"].values() if row["descriptor"]]
    assert len(measured) == len(set(measured)) == 18
    assert set(measured) <= descriptors.inventory().keys()
    unmeasured = {cue for cue, row in TABLE["cues"].items() if row["descriptor"] is None}
    assert unmeasured == {cue for cue, row in TABLE["cues"].items() if "why" in row}
    assert unmeasured == {"articulation_precision", "microstructure"}


def test_what_is_expected_of_every_label_can_be_asked():
    assert set(labels()) == set(CANONICAL)
    for label in labels():
        assert len(expectations(label)) == 18


@pytest.mark.parametrize(
    ("label", "descriptor", "expected", "agreement"),
    [
        ("angry", "f0_mean_st", 2, 1.0),  # certain
        ("disgust", "f0_mean_st", -1, 0.5),  # uncertain
        ("sad", "jitter_mean_percent", -1, 0.25),  # uncertain, of a cue with little agreement
        ("fear", "f0_range_st", math.nan, 0.0),  # conflicting
        ("calm", "intensity_mean_db", -2, 0.5),  # tenderness is not calm
    ],
)
def test_agreement_follows_from_the_state(label, descriptor, expected, agreement):
    found = expectations(label)[descriptor]
    np.testing.assert_equal(found.expected, float(expected))
    assert found.agreement == agreement


def test_neutral_is_the_reference():
    assert {one.expected for one in expectations("neutral").values()} == {0.0}
    assert expectations("neutral")["f0_mean_st"].agreement == 1.0
    assert {one.z for one in profile("neutral").values()} == {0.0}


def test_an_expectation_says_which_variant_it_is_of():
    assert expectations("angry")["f0_mean_st"].note == "hot anger; cold anger rises less"
    assert expectations("sad")["f0_sd_st"].note == ""
    assert "tenderness" in expectations("calm")["f0_mean_st"].note


def test_every_source_is_a_full_reference():
    known = citations()
    for label in labels():
        for one in expectations(label).values():
            assert set(one.citation.split(", ")) <= known.keys()
    for key, reference in known.items():
        assert f"({key.rpartition('_')[2]})" in reference
    assert {"scherer_1986", "mozziconacci_1998"} < known.keys()


def test_an_unknown_emotion_is_named_with_a_hint():
    with pytest.raises(UnknownName, match=r"^unknown emotion 'angy'; .* Did you mean 'angry'\?$"):
        expectations("angy")


def test_what_no_corpus_portrays_has_no_profile():
    expected = r"^unknown emotion profile 'calm'; available: angry, boredom, disgust, fear, "
    with pytest.raises(UnknownName, match=expected):
        profile("calm")


@pytest.mark.parametrize("label", ["angry", "boredom", "disgust", "fear", "happy", "sad"])
def test_the_shipped_profiles_stand_on_many_speakers(label):
    found = profile(label)
    assert found["f0_mean_st"].speakers >= (10 if label == "boredom" else 79)
    assert found["f0_mean_st"].utterances >= 80
    for one in found.values():
        assert one.low <= one.z <= one.high
        assert one.speakers <= one.utterances


def test_what_depends_on_the_gain_is_not_taken_from_levelled_recordings():
    assert profile("angry")["intensity_mean_db"].speakers == 70, "of 80: EMO-DB is levelled"
    assert "intensity_mean_db" not in profile("boredom"), "which only EMO-DB portrays"
    assert profile("angry")["intensity_mean_db"].low > profile("sad")["intensity_mean_db"].high


def measured(waveform, *, gain=0.1, speech=1.0):
    """Functionals of a waveform, whose chunks of 32 ms are speech where ``speech`` is 1."""
    audio = Audio((gain * waveform / waveform.std()).astype(np.float32), RATE, "made")
    chunks = -(-len(waveform) // CHUNK)
    times = (np.arange(chunks) + 0.5) * CHUNK / RATE
    activity = np.broadcast_to(np.asarray(speech, float), chunks)
    speech_activity = Track(times, activity, "", np.zeros(chunks, bool))
    found = descriptors.functionals(
        {**descriptors.tracks(audio), "speech_activity": speech_activity}
    )
    return {name: one.value for name, one in found.items()}


def voice(f0_hz=150.0, *, tilt_db=-12.0, seconds=1.5, formant_hz=None, width_hz=80.0):
    """Harmonics below 7.5 kHz that fall by so many dB per kHz, through a formant if wanted."""
    f0_hz = np.broadcast_to(f0_hz, int(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    total = np.zeros(len(phase))
    for number in range(1, int(7500 / f0_hz.max()) + 1):
        hz = number * f0_hz
        gain = 10 ** (tilt_db * hz / 20_000)
        if formant_hz:
            gain = gain / np.abs(1 - (hz / formant_hz) ** 2 + 1j * hz * width_hz / formant_hz**2)
        total += gain * np.cos(number * phase + number**2)
    return total


def syllables(*, rise):
    """Four bursts of voice, 0.25 s each, that reach their full strength within so many seconds."""
    times = np.arange(int(0.25 * RATE)) / RATE
    burst = np.minimum(times / rise, 1) * voice(seconds=0.25)
    return np.tile(np.concatenate([np.zeros(int(0.15 * RATE)), burst]), 4)


def paused():
    """1 s of speech, a pause of 0.5 s, and 1 s of speech: what is speech, by 32 ms."""
    return np.repeat([1.0, 0.0, 1.0], [31, 16, 31])


NOISE = np.random.default_rng(0).standard_normal(int(1.5 * RATE))
SWING = 2 ** (np.sin(2 * np.pi * 3 * np.arange(int(1.5 * RATE)) / RATE) / 12)  # +- 1 semitone
GLIDE = np.linspace(-1, 1, int(1.5 * RATE))
PAIRS = {  # what a rise means -> descriptors, a sound with more of it, one with less
    "flatter spectrum": (
        ["alpha_ratio_mean_db", "slope_500_1500_mean_db_per_khz", "centroid_mean_hz"],
        lambda: measured(voice(tilt_db=-6)),
        lambda: measured(voice(tilt_db=-12)),
    ),
    "less high-frequency energy": (
        ["hammarberg_mean_db"],
        lambda: measured(voice(tilt_db=-12)),
        lambda: measured(voice(tilt_db=-6)),
    ),
    "higher": (["f0_mean_st"], lambda: measured(voice(250)), lambda: measured(voice(150))),
    "more melody": (
        ["f0_sd_st", "f0_range_st"],
        lambda: measured(voice(150 * SWING**4)),
        lambda: measured(voice(150 * SWING)),
    ),
    "rising at the end": (
        ["f0_final_slope_st_per_s"],
        lambda: measured(voice(150 * 2 ** (GLIDE / 4))),
        lambda: measured(voice(150 * 2 ** (-GLIDE / 4))),
    ),
    "louder": (
        ["intensity_mean_db"],
        lambda: measured(voice(), gain=0.2),
        lambda: measured(voice(), gain=0.1),
    ),
    "louder and softer": (
        ["intensity_range_db"],
        lambda: measured(voice() * 10 ** (GLIDE / 2)),
        lambda: measured(voice() * 10 ** (GLIDE / 10)),
    ),
    "more syllables": (
        ["articulation_rate"],
        lambda: measured(voice() * (1.2 + np.sin(6 * np.pi * 1.5 * 2 * GLIDE))),
        lambda: measured(voice() * (1.2 + np.sin(3 * np.pi * 1.5 * 2 * GLIDE))),
    ),
    "uneven periods": (
        ["jitter_mean_percent"],
        lambda: measured(voice(150 * (1 + 0.02 * np.repeat(NOISE[::160], 160)))),
        lambda: measured(voice(150)),
    ),
    "uneven pulses": (
        ["shimmer_mean_db"],
        lambda: measured(voice() * (1 + 0.1 * np.repeat(NOISE[::160], 160))),
        lambda: measured(voice()),
    ),
    "less breath": (
        ["hnr_mean_db"],
        lambda: measured(voice() / voice().std() + 0.02 * NOISE),
        lambda: measured(voice() / voice().std() + 0.2 * NOISE),
    ),
    "wider open": (
        ["f1_mean_hz"],
        lambda: measured(voice(formant_hz=800)),
        lambda: measured(voice(formant_hz=500)),
    ),
    "wider formant": (
        ["f1_bandwidth_mean_hz"],
        lambda: measured(voice(100, formant_hz=600, width_hz=200)),
        lambda: measured(voice(100, formant_hz=600, width_hz=60)),
    ),
    "more pauses": (
        ["pause_share"],
        lambda: measured(voice(seconds=2.496), speech=paused()),
        lambda: measured(voice(seconds=2.496)),
    ),
    "faster attack": (
        ["voice_onset_db_per_s"],
        lambda: measured(syllables(rise=0.01)),
        lambda: measured(syllables(rise=0.15)),
    ),
}


@pytest.mark.parametrize("words", PAIRS)
def test_a_descriptor_rises_where_the_table_says_so(words):
    names, more, less = PAIRS[words]
    more, less = more(), less()
    for name in names:
        assert more[name] > less[name], name


def test_every_cue_has_its_sign_tested():
    names = [name for names, *_ in PAIRS.values() for name in names]
    assert sorted(names) == sorted(expectations("angry"))


@pytest.mark.parametrize("flatter", ["angry", "happy", "fear"])
def test_effort_flattens_the_spectrum_in_the_table_as_in_sound(flatter):
    """The alpha ratio has two signs in the literature, and the Hammarberg index runs backwards."""
    bright, dark = measured(voice(tilt_db=-6)), measured(voice(tilt_db=-12))
    for name in ("alpha_ratio_mean_db", "slope_500_1500_mean_db_per_khz", "hammarberg_mean_db"):
        sign = np.sign(bright[name] - dark[name])
        assert np.sign(expectations(flatter)[name].expected) == sign
        assert np.sign(expectations("sad")[name].expected) == -sign
