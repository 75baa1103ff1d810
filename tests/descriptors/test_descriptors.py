"""What holds for all descriptors: units, gain, time, offset, too little to measure, gaps."""

from __future__ import annotations

import numpy as np
import pytest

from voxplain import descriptors, plugins
from voxplain.types import Audio, Track

INVENTORY = descriptors.inventory()
# What says something about the recording, its level or its pauses, voice or not.
OF_THE_RECORDING = {"snr_db", "snr_high_db", "bandwidth_hz"}
OF_THE_LEVEL = {name for name in INVENTORY if name.startswith(("intensity_", "loudness_"))}
OF_THE_PAUSES = {"pause_share", "pause_mean"}
VOICED = set(INVENTORY) - OF_THE_RECORDING - OF_THE_LEVEL - OF_THE_PAUSES
# What one voiced stretch that falls steadily, without a pause, can't tell.
OF_SEVERAL_STRETCHES = {
    "f0_rise_st_per_s",
    "voice_onset_db_per_s",
    "voiced_segment_mean",
    "voiced_segment_sd",
    "unvoiced_segment_mean",
    "unvoiced_segment_sd",
}


@pytest.fixture
def voice(harmonics, noise):
    """Six syllables in 1.5 s of a gliding, slightly noisy voice."""
    time = np.arange(24_000) / 16_000
    swing = 10 ** (-6 * (1 + np.cos(8 * np.pi * time)) / 20)
    return swing * (harmonics(np.geomspace(240, 160, 24_000)) + 0.1 * noise(1.5))


def test_every_family_is_found_by_its_file():
    assert {
        "cepstrum", "f0", "formants", "harmonics", "intensity", "loudness", "recording", "spectrum",
        "timing", "voice_quality",
    } <= set(plugins.names("descriptors"))  # fmt: skip


@pytest.mark.parametrize("name", plugins.names("descriptors"))
def test_a_card_names_what_its_family_makes(name, voice, measure):
    card = plugins.find("descriptors", name).CARD
    tracks, found = measure(voice)
    assert {key: tracks[key].unit for key in card.tracks} == dict(card.tracks)
    assert set(card.functionals) <= set(found)
    assert all(functional.title for functional in card.functionals.values())
    assert set(card.requires) <= {*tracks, "speech_activity"}
    assert card.reference


def test_functionals_have_their_units_and_can_be_measured(voice, measure):
    _, found = measure(voice)
    assert {name: quantity.unit for name, quantity in found.items()} == {
        name: card.unit for name, card in INVENTORY.items()
    }
    assert {name for name, quantity in found.items() if not quantity.reliable} == {
        *OF_SEVERAL_STRETCHES,
        "pause_mean",
        "snr_db",
        "snr_high_db",
    }
    assert 0 <= found["voiced_share"].value <= 1


def test_tracks_share_one_grid_of_10_ms(voice, measure):
    tracks, _ = measure(voice)
    for track in tracks.values():
        assert track.times == pytest.approx((np.arange(150) + 0.5) * 0.01)
        assert len(track.values) == len(track.voiced) == 150
        assert (track.voiced == tracks["f0_hz"].voiced).all()


@pytest.mark.parametrize("family", ["f0", "spectrum", "cepstrum", "formants", "harmonics"])
def test_tracks_of_the_voice_have_values_where_it_is_and_there_alone(voice, noise, measure, family):
    tracks, _ = measure(np.concatenate([voice, noise(0.5)]))
    for name in plugins.find("descriptors", family).CARD.tracks:
        track = tracks[name]
        assert 100 < np.count_nonzero(track.voiced) < 155
        measured = np.isfinite(track.values)
        assert not measured[~track.voiced].any(), name
        assert measured[track.voiced].mean() > 0.98, name


@pytest.mark.parametrize("gain", [0.1, 0.01])
def test_gain_changes_intensity_and_loudness_alone(voice, measure, gain):
    """Intensity by its decibels, loudness by the law of power with the exponent 0.33."""
    loud, soft = measure(voice, gain=0.2)[1], measure(voice, gain=0.2 * gain)[1]
    for name, quantity in soft.items():
        expected = loud[name].value
        if name == "intensity_mean_db":
            expected += 20 * np.log10(gain)
        elif name in ("loudness_mean", "loudness_sd", "loudness_range"):
            expected *= gain ** (2 * 0.33)
        assert quantity.value == pytest.approx(expected, abs=1e-3, nan_ok=True), name


@pytest.mark.parametrize("offset", [0.3, -2.0])
def test_an_offset_changes_nothing(voice, measure, offset):
    centred, shifted = measure(voice)[1], measure(voice + offset)[1]
    for name, quantity in shifted.items():
        assert quantity.value == pytest.approx(centred[name].value, abs=0.01, nan_ok=True), name


def test_start_moves_the_tracks_in_time(voice, measure):
    (here, found), (there, found_there) = measure(voice), measure(voice, start=12.5)
    for name, track in there.items():
        assert track.times == pytest.approx(here[name].times + 12.5)
        np.testing.assert_array_equal(track.values, here[name].values)
    assert {n: q.value for n, q in found_there.items()} == pytest.approx(
        {n: q.value for n, q in found.items()}, nan_ok=True
    )


def test_a_later_onset_moves_the_tracks_by_as_much(voice, measure):
    late, _ = measure(np.concatenate([np.zeros(8_000), voice]))
    early, _ = measure(voice)
    for name, track in late.items():
        assert track.values[55:195] == pytest.approx(
            early[name].values[5:145], rel=1e-3, abs=1e-3, nan_ok=True
        )


@pytest.mark.parametrize("speech", [0.0, 1.0])
def test_silence_can_not_be_measured(measure, speech):
    tracks, found = measure(np.zeros(48_000), [speech] * 94)
    assert not tracks["f0_hz"].voiced.any()
    measured = {"pause_share"} if speech else set()
    assert_unreliable(found, set(INVENTORY) - measured)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_voice(noise, measure, seed):
    _, found = measure(noise(3.0, seed=seed))
    assert_unreliable(found, VOICED)
    _, found = measure(noise(3.0, seed=seed), [0.0] * 94)
    assert_unreliable(found, set(INVENTORY) - {"bandwidth_hz"})


@pytest.mark.parametrize("seconds", [0.005, 0.05, 0.06, 0.1])
def test_a_moment_is_too_short(harmonics, measure, seconds):
    _, found = measure(harmonics(200, 1.0)[: int(seconds * 16_000)])
    assert_unreliable(found, INVENTORY)


def test_few_voiced_frames_are_too_few(harmonics, measure):
    _, found = measure(np.concatenate([harmonics(200, 0.08), np.zeros(32_000)]))
    assert_unreliable(found, VOICED)


def test_a_recording_without_speech_has_all_functionals():
    nothing = descriptors.join([])
    assert all(len(track.times) == 0 for track in nothing.values())
    times = (np.arange(31) + 0.5) * 0.032
    activity = Track(times, np.zeros(31), "", np.zeros(31, bool))
    assert_unreliable(descriptors.functionals({**nothing, "speech_activity": activity}), INVENTORY)
    assert_unreliable(
        descriptors.functionals({**nothing, "speech_activity": nothing["f0_hz"]}), INVENTORY
    )


def test_join_leaves_gaps_alone(voice, measure):
    parts = [measure(voice, start=start)[0] for start in (0.0, 1.504, 8.0)]
    joined = descriptors.join(iter(parts))
    assert list(joined) == list(parts[0])
    for name, track in joined.items():
        for index, part in enumerate(parts):
            rows = slice(150 * index, 150 * (index + 1))
            np.testing.assert_array_equal(track.times[rows], part[name].times)
            np.testing.assert_array_equal(track.values[rows], part[name].values)
            np.testing.assert_array_equal(track.voiced[rows], part[name].voiced)
        assert len(track.times) == 450


def test_stretches_sum_up_like_one_recording(voice, measure):
    """Twice the same 1.536 s with 3.2 s of nothing between them."""
    sound = np.concatenate([voice, np.zeros(576)])
    once = measure(sound)[1]
    parts = [measure(sound, start=start)[0] for start in (0.0, 4.736)]
    chunks = [1.0] * 48 + [0.0] * 100 + [1.0] * 48
    activity = Track(
        (np.arange(len(chunks)) + 0.5) * 0.032, np.array(chunks), "", np.zeros(len(chunks), bool)
    )
    found = descriptors.functionals({**descriptors.join(parts), "speech_activity": activity})
    differing = {
        "pause_share": 100 / 196,
        "pause_mean": 3.2,
        "speech_rate": once["speech_rate"].value * 96 / 196,
    }
    for name, quantity in found.items():
        expected = differing.get(name, once[name].value)
        if name not in OF_SEVERAL_STRETCHES:
            # Percentiles of twice as many values lie a little elsewhere.
            rel = 5e-3 if name.endswith(("_range_db", "_range", "_range_st")) else 1e-6
            assert quantity.value == pytest.approx(expected, rel=rel, nan_ok=True), name


def test_any_length(harmonics):
    audio = Audio((0.1 * harmonics(180, 40.0)).astype(np.float32), 16_000, "long")
    assert len(descriptors.tracks(audio)["f0_hz"].times) == 4_000


def assert_unreliable(found, names):
    for name in names:
        assert not found[name].reliable, name
        assert np.isnan(found[name].value), name
    assert not any(np.isnan(quantity.value) for quantity in found.values() if quantity.reliable)
