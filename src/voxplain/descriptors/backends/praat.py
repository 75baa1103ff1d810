"""Praat under our names, through Parselmouth (extra ``[praat]``; GPL 3)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors._family import statistic
from voxplain.descriptors.backends._card import Card
from voxplain.descriptors.backends._foreign import Foreign, quantities
from voxplain.descriptors.f0 import SEMITONE_ZERO_HZ
from voxplain.plugins import require
from voxplain.types import Quantity, Segment, Track

__all__ = ["CARD", "Measurement"]

STEP = 0.01  # seconds
FORMANTS = (1, 2, 3)

CARD = Card(
    title="Praat (Parselmouth)",
    licence="GPL 3.0 or later",
    citation="Boersma & Weenink, praat.org; Jadoul, Thompson & de Boer 2018",
    tracks=(
        "f0_hz",
        "hnr_db",
        *(f"f{n}_{what}" for n in FORMANTS for what in ("hz", "bandwidth_hz")),
    ),
    functionals=(
        "f0_mean_hz",
        "f0_mean_st",
        "f0_sd_st",
        "hnr_mean_db",
        "hnr_sd_db",
        "jitter_mean_percent",
        "shimmer_mean_percent",
        *(f"f{n}_{what}" for n in FORMANTS for what in ("mean_hz", "sd_hz", "bandwidth_mean_hz")),
    ),
)


class Measurement(Foreign):
    """A recording as Praat measures it. Raises MissingExtra beside what ``Foreign`` raises.

    To Pitch (ac) 0.01 s, floor and ceiling of the settings, 15 candidates, 0.03, 0.45, 0.01, 0.35,
    0.14; To Harmonicity (cc) 0.01 s, 75 Hz, 0.1, 1; To PointProcess (cc), jitter and shimmer
    (local) 0.0001 s, 0.02 s, 1.3, 1.6; To Formant (burg) 0.01 s, 5 formants up to the setting,
    0.025 s, 50 Hz. Means are over Praat's own voiced frames.
    """

    @functools.cached_property
    def tracks(self) -> dict[str, Track]:
        """F0, HNR and formants on the frames of the pitch; formants NaN where it is unvoiced."""
        times = np.asarray(self._pitch.xs())
        f0_hz = self._pitch.selected_array["frequency"]
        voiced = f0_hz > 0
        harmonicity, formants = self._harmonicity, self._formants
        hnr_times, hnr_db = harmonicity.xs(), harmonicity.values[0]
        hnr_db = hnr_db[np.rint(np.interp(times, hnr_times, np.arange(len(hnr_db)))).astype(int)]
        values = {
            "f0_hz": np.where(voiced, f0_hz, np.nan),
            "hnr_db": np.where(hnr_db > _NO_HNR, hnr_db, np.nan),
        }
        for n in FORMANTS:
            found = [
                (formants.get_value_at_time(n, time), formants.get_bandwidth_at_time(n, time))
                for time in times
            ]
            both = np.where(voiced, np.reshape(found, (-1, 2)).T, np.nan)
            values[f"f{n}_hz"], values[f"f{n}_bandwidth_hz"] = both
        return self.as_tracks(times, values)

    def functionals(self, *, within: Segment | None = None) -> dict[str, Quantity]:
        """The functionals of the recording or a part of it, by the tracks of the whole."""
        start, end = (within.start, within.end) if within else (0.0, self.duration)
        inside = slice(*np.searchsorted(self.tracks["f0_hz"].times, [start, end]))

        def values(name: str) -> NDArray[np.float64]:
            track = self.tracks[name].values[inside]
            return track[np.isfinite(track)]

        f0_hz = values("f0_hz")
        semitones = 12 * np.log2(f0_hz / SEMITONE_ZERO_HZ)
        periods = (start, end, 0.0001, 0.02, 1.3)
        found = {
            "f0_mean_hz": statistic(f0_hz, np.mean),
            "f0_mean_st": statistic(semitones, np.mean),
            "f0_sd_st": statistic(semitones, np.std),
            "hnr_mean_db": statistic(values("hnr_db"), np.mean),
            "hnr_sd_db": statistic(values("hnr_db"), np.std),
            "jitter_mean_percent": 100 * _call(self._pulses, "Get jitter (local)", *periods),
            "shimmer_mean_percent": 100
            * _call([self._sound, self._pulses], "Get shimmer (local)", *periods, 1.6),
        }
        for n in FORMANTS:
            found[f"f{n}_mean_hz"] = statistic(values(f"f{n}_hz"), np.mean)
            found[f"f{n}_sd_hz"] = statistic(values(f"f{n}_hz"), np.std)
            found[f"f{n}_bandwidth_mean_hz"] = statistic(values(f"f{n}_bandwidth_hz"), np.mean)
        return quantities(found)

    @functools.cached_property
    def _sound(self) -> Any:
        parselmouth = require("parselmouth", extra="praat")
        return parselmouth.Sound(
            self.audio.waveform.astype(np.float64), float(self.audio.sampling_rate)
        )

    @functools.cached_property
    def _pitch(self) -> Any:
        low, high = self.settings.f0_min_hz, self.settings.f0_max_hz
        costs = (15, "no", 0.03, 0.45, 0.01, 0.35, 0.14)
        return _call(self._sound, "To Pitch (ac)", STEP, low, *costs, high)

    @functools.cached_property
    def _harmonicity(self) -> Any:
        return _call(self._sound, "To Harmonicity (cc)", STEP, 75, 0.1, 1.0)

    @functools.cached_property
    def _formants(self) -> Any:
        return _call(
            self._sound, "To Formant (burg)", STEP, 5, self.settings.formant_max_hz, 0.025, 50
        )

    @functools.cached_property
    def _pulses(self) -> Any:
        return _call([self._sound, self._pitch], "To PointProcess (cc)")


_NO_HNR = -199.0  # dB; Praat writes -200 where there is no voice


def _call(thing: Any, command: str, *arguments: Any) -> Any:
    parselmouth = require("parselmouth.praat", extra="praat")
    return parselmouth.call(thing, command, *arguments)
