"""Every backend measures the same recording under the same names."""

import subprocess
import sys

import numpy as np
import pytest

from voxplain import descriptors, plugins
from voxplain.descriptors import Settings
from voxplain.errors import AudioError, MissingExtra
from voxplain.types import Segment

BACKENDS = plugins.names("backends")
PACKAGES = {"praat": "parselmouth", "opensmile": "opensmile"}


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param in PACKAGES:
        pytest.importorskip(PACKAGES[request.param])
    return plugins.find("backends", request.param)


def test_the_three_instruments():
    assert BACKENDS == ("opensmile", "praat", "voxplain")


def test_a_card_names_what_is_measured(backend, angry):
    measurement = backend.Measurement(angry)
    tracks, found = measurement.tracks, measurement.functionals()
    assert set(backend.CARD.tracks) | {"speech_activity"} == set(tracks)
    assert backend.CARD.functionals == tuple(found)
    for name in backend.CARD.tracks:
        assert tracks[name].unit == descriptors.units()[name]
    for name, quantity in found.items():
        assert quantity.unit == descriptors.inventory()[name].unit
    assert all((backend.CARD.title, backend.CARD.licence, backend.CARD.citation))


def test_the_instruments_agree_about_a_real_voice(backend, angry):
    """Published names, published units: a wrong factor would be far off."""
    found = backend.Measurement(angry).functionals()
    ours = plugins.find("backends", "voxplain").Measurement(angry).functionals()
    for name, tolerance in {
        "f0_mean_st": 2.5,
        "hnr_mean_db": 4,
        "f2_mean_hz": 300,
        "loudness_mean": 0.5,
        "alpha_ratio_mean_db": 4,
        "slope_500_1500_mean_db_per_khz": 20,
        "h1_a3_mean_db": 9,
    }.items():
        if name in found:
            assert found[name].value == pytest.approx(ours[name].value, abs=tolerance), name


def test_a_part_has_other_values_than_the_whole(backend, angry):
    measurement = backend.Measurement(angry)
    part = measurement.functionals(within=Segment(0.6, 1.4))["f0_mean_st"]
    assert part.reliable
    assert part.value != measurement.functionals()["f0_mean_st"].value


def test_where_nothing_sounds_nothing_is_measured(backend):
    """No zeros, no warnings; a moment of 20 ms is too short."""
    silence = backend.Measurement(np.zeros(16_000, np.float32), sampling_rate=16_000)
    assert silence.stretches == ()
    assert silence.duration == pytest.approx(1.0)
    for within in (None, Segment(0.5, 0.52)):
        found = silence.functionals(within=within)
        for name in ("f0_mean_st", "hnr_mean_db", "f1_mean_hz"):
            assert not found[name].reliable
            assert np.isnan(found[name].value)
    assert not silence.tracks["f0_hz"].voiced.any()


def test_stretches_of_speech_are_the_same_for_all(backend, angry):
    ours = plugins.find("backends", "voxplain").Measurement(angry)
    assert backend.Measurement(angry).stretches == ours.stretches


def test_what_is_marked_is_measured_though_no_talk(backend, harmonics):
    """A sustained vowel between silences, which the detector may not take for speech."""
    vowel = np.concatenate([np.zeros(8_000), 0.1 * harmonics(200.0, 1.0), np.zeros(8_000)])
    marked = backend.Measurement(
        vowel.astype(np.float32), sampling_rate=16_000, marked=[Segment(0.5, 1.5)]
    )
    found = marked.functionals(within=Segment(0.5, 1.5))
    assert found["f0_mean_st"].value == pytest.approx(12 * np.log2(200 / 27.5), abs=0.1)
    assert found["f0_mean_st"].reliable


@pytest.mark.parametrize("name", ["voxplain", "praat"])
def test_the_search_range_is_followed(name, harmonics):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    shriek = (0.1 * harmonics(900.0, 1.0)).astype(np.float32)
    measurement = plugins.find("backends", name).Measurement(
        shriek, sampling_rate=16_000, settings=Settings(f0_max_hz=1_100), marked=[Segment(0, 1)]
    )
    found = measurement.functionals(within=Segment(0.1, 0.9))
    assert found["f0_mean_hz"].value == pytest.approx(900, rel=0.01)


def test_a_file_that_is_not_there(backend, tmp_path):
    with pytest.raises(AudioError, match=r"no\.wav"):
        backend.Measurement(tmp_path / "no.wav")


@pytest.mark.parametrize(("name", "package"), PACKAGES.items())
def test_an_instrument_that_is_not_installed(name, package, angry, monkeypatch):
    module = plugins.find("backends", name)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.praat", None)
    for cached in (getattr(module, "_smile", None),):
        if cached is not None:
            cached.cache_clear()
    with pytest.raises(MissingExtra, match=f"voxplain\\[{name}\\]"):
        module.Measurement(angry).functionals()


def test_other_instruments_are_brought_along_only_when_asked_for():
    check = (
        "import sys, voxplain.feature_table; "
        "print([n for n in ('parselmouth', 'opensmile', 'pandas', 'pyarrow') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "settings",
    [{"f0_min_hz": 20}, {"f0_max_hz": 2_000}, {"f0_min_hz": 300, "f0_max_hz": 200},
     {"formant_max_hz": 900}, {"formant_max_hz": 9_000}],
)  # fmt: skip
def test_settings_out_of_reach(settings):
    with pytest.raises(ValueError, match=r"(F0|formants) can't be searched"):
        Settings(**settings)


@pytest.mark.parametrize("levels_db", [(0, -6, -20), (0, -12, -15), (0, -3, -30)])
def test_what_opensmile_calls_h1_h2_is_the_next_pair_of_harmonics(levels_db):
    """So ours is not held to it, and docs/descriptors.md warns of it."""
    pytest.importorskip("opensmile")
    phase = 2 * np.pi * 200 * np.arange(32_000) / 16_000
    faint = [-32 - 6 * number for number in range(8)]
    voice = sum(
        10 ** (level / 20) * np.cos((number + 1) * phase + number)
        for number, level in enumerate([*levels_db, *faint])
    )
    found = {
        name: plugins.find("backends", name)
        .Measurement((0.1 * voice).astype(np.float32), sampling_rate=16_000, marked=[Segment(0, 2)])
        .tracks["h1_h2_db"]
        .values
        for name in ("voxplain", "opensmile")
    }
    first, second, third = levels_db
    assert np.nanmedian(found["voxplain"]) == pytest.approx(first - second, abs=0.2)
    assert np.nanmedian(found["opensmile"]) == pytest.approx(second - third, abs=0.6)
