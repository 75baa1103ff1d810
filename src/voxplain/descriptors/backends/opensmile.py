"""openSMILE's eGeMAPSv02 under our names (extra ``[opensmile]``; its licence is for research)."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.descriptors.backends._card import Card
from voxplain.descriptors.backends._foreign import Foreign, quantities
from voxplain.plugins import require
from voxplain.types import Quantity, Segment, Track

__all__ = ["CARD", "EGEMAPS", "EGEMAPS_TRACKS", "Measurement"]

_DB_PER_KHZ = 1000.0  # openSMILE's slopes are per Hz
_PERCENT = 100.0

EGEMAPS: dict[str, tuple[str, str | float]] = {
    "f0_mean_st": ("F0semitoneFrom27.5Hz_sma3nz_amean", 1.0),
    "f0_sd_st": ("F0semitoneFrom27.5Hz_sma3nz_stddevNorm", "F0semitoneFrom27.5Hz_sma3nz_amean"),
    "f0_range_st": ("F0semitoneFrom27.5Hz_sma3nz_pctlrange0-2", 1.0),
    "f0_rise_st_per_s": ("F0semitoneFrom27.5Hz_sma3nz_meanRisingSlope", 1.0),
    "f0_fall_st_per_s": ("F0semitoneFrom27.5Hz_sma3nz_meanFallingSlope", 1.0),
    "intensity_mean_db": ("equivalentSoundLevel_dBp", 1.0),
    "loudness_mean": ("loudness_sma3_amean", 1.0),
    "loudness_sd": ("loudness_sma3_stddevNorm", "loudness_sma3_amean"),
    "loudness_range": ("loudness_sma3_pctlrange0-2", 1.0),
    "loudness_peak_rate": ("loudnessPeaksPerSec", 1.0),
    "hnr_mean_db": ("HNRdBACF_sma3nz_amean", 1.0),
    "hnr_sd_db": ("HNRdBACF_sma3nz_stddevNorm", "HNRdBACF_sma3nz_amean"),
    "jitter_mean_percent": ("jitterLocal_sma3nz_amean", _PERCENT),
    "shimmer_mean_db": ("shimmerLocaldB_sma3nz_amean", 1.0),
    "h1_h2_mean_db": ("logRelF0-H1-H2_sma3nz_amean", 1.0),
    "h1_a3_mean_db": ("logRelF0-H1-A3_sma3nz_amean", 1.0),
    "alpha_ratio_mean_db": ("alphaRatioV_sma3nz_amean", 1.0),
    "hammarberg_mean_db": ("hammarbergIndexV_sma3nz_amean", 1.0),
    "slope_0_500_mean_db_per_khz": ("slopeV0-500_sma3nz_amean", _DB_PER_KHZ),
    "slope_500_1500_mean_db_per_khz": ("slopeV500-1500_sma3nz_amean", _DB_PER_KHZ),
    "flux_mean": ("spectralFluxV_sma3nz_amean", 1.0),
    **{
        f"f{n}_{ours}": (f"F{n}{theirs}_sma3nz_amean", 1.0)
        for n in (1, 2, 3)
        for ours, theirs in (("mean_hz", "frequency"), ("bandwidth_mean_hz", "bandwidth"))
    },
    **{
        f"f{n}_sd_hz": (f"F{n}frequency_sma3nz_stddevNorm", f"F{n}frequency_sma3nz_amean")
        for n in (1, 2, 3)
    },
    **{f"mfcc_{n}_mean": (f"mfcc{n}V_sma3nz_amean", 1.0) for n in (1, 2, 3, 4)},
    **{
        f"mfcc_{n}_sd": (f"mfcc{n}V_sma3nz_stddevNorm", f"mfcc{n}V_sma3nz_amean")
        for n in (1, 2, 3, 4)
    },
    "voiced_segment_rate": ("VoicedSegmentsPerSec", 1.0),
    "voiced_segment_mean": ("MeanVoicedSegmentLengthSec", 1.0),
    "voiced_segment_sd": ("StddevVoicedSegmentLengthSec", 1.0),
    "unvoiced_segment_mean": ("MeanUnvoicedSegmentLength", 1.0),
    "unvoiced_segment_sd": ("StddevUnvoicedSegmentLength", 1.0),
}
"""Our functional -> eGeMAPSv02's and what it is multiplied by: a number, or another of them (a
coefficient of variation times the mean is a standard deviation). Left out is the relative energy of
the formants: openSMILE's mean of it includes -201 for every unvoiced frame."""

EGEMAPS_TRACKS: dict[str, tuple[str, float]] = {
    "loudness": ("Loudness_sma3", 1.0),
    "jitter_percent": ("jitterLocal_sma3nz", _PERCENT),
    "shimmer_db": ("shimmerLocaldB_sma3nz", 1.0),
    "hnr_db": ("HNRdBACF_sma3nz", 1.0),
    "h1_h2_db": ("logRelF0-H1-H2_sma3nz", 1.0),
    "h1_a3_db": ("logRelF0-H1-A3_sma3nz", 1.0),
    "alpha_ratio_db": ("alphaRatio_sma3", 1.0),
    "hammarberg_db": ("hammarbergIndex_sma3", 1.0),
    "slope_0_500_db_per_khz": ("slope0-500_sma3", _DB_PER_KHZ),
    "slope_500_1500_db_per_khz": ("slope500-1500_sma3", _DB_PER_KHZ),
    "flux": ("spectralFlux_sma3", 1.0),
    **{
        f"f{n}_{ours}": (f"F{n}{theirs}_sma3nz", 1.0)
        for n in (1, 2, 3)
        for ours, theirs in (
            ("hz", "frequency"),
            ("bandwidth_hz", "bandwidth"),
            ("relative_energy_db", "amplitudeLogRelF0"),
        )
    },
    **{f"mfcc_{n}": (f"mfcc{n}_sma3", 1.0) for n in (1, 2, 3, 4)},
}
"""Our track -> eGeMAPSv02's low-level descriptor and its factor; beside them ``f0_hz``."""

_F0 = "F0semitoneFrom27.5Hz_sma3nz"
_A0_HZ = 27.5
_FIRST = 0.01  # seconds: the middle of openSMILE's first frame of 20 ms
# What comes from frames of 60 ms, whose middles lie 20 ms later.
_OF_LONG_FRAMES = ("jitter", "shimmer", "HNR", "RelF0")
_LATER = 2  # frames
_GAP_DB = -200.0

CARD = Card(
    title="openSMILE (eGeMAPSv02)",
    licence="audEERING research licence: no commercial use",
    citation="Eyben, Wöllmer & Schuller 2010; Eyben et al. 2016",
    tracks=("f0_hz", *EGEMAPS_TRACKS),
    functionals=tuple(EGEMAPS),
)


class Measurement(Foreign):
    """A recording as openSMILE measures it. Raises MissingExtra beside what ``Foreign`` raises.

    The search ranges of the settings are ours alone; openSMILE keeps its own.
    """

    @functools.cached_property
    def tracks(self) -> dict[str, Track]:
        """The low-level descriptors, NaN in unvoiced frames where they are about the voice."""
        found = _smile("LowLevelDescriptors").process_signal(*self._signal(None))
        times = _FIRST + 0.01 * np.arange(len(found), dtype=np.float64)
        semitones = _late(found[_F0].to_numpy(np.float64))
        voiced = semitones > 0
        values = {"f0_hz": np.where(voiced, _A0_HZ * 2 ** (semitones / 12), np.nan)}
        for name, (column, factor) in EGEMAPS_TRACKS.items():
            track = factor * found[column].to_numpy(np.float64)
            if any(part in column for part in _OF_LONG_FRAMES):
                track = _late(track)
            if "nz" in column:  # of the voice; a level of -201 dB is a gap
                track = np.where(voiced & (track > _GAP_DB), track, np.nan)
            values[name] = track
        return self.as_tracks(times, values)

    def functionals(self, *, within: Segment | None = None) -> dict[str, Quantity]:
        """The functionals of the recording or a part of it, which openSMILE then hears alone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a part too short: all NaN
            row = _smile("Functionals").process_signal(*self._signal(within)).iloc[0]
        if not row["F0semitoneFrom27.5Hz_sma3nz_amean"] > 0:
            row[[column for column in row.index if "nz_" in column]] = math.nan  # no voice, no zero
        return quantities(
            {
                name: row[column] * (row[factor] if isinstance(factor, str) else factor)
                for name, (column, factor) in EGEMAPS.items()
            }
        )

    def _signal(self, within: Segment | None) -> tuple[NDArray[np.float32], int]:
        return self.cut(within), self.audio.sampling_rate


def _late(track: NDArray[np.float64]) -> NDArray[np.float64]:
    """A track (frames,) of long frames on the grid of the short ones; NaN before its first."""
    return np.concatenate([np.full(_LATER, np.nan), track])[: len(track)]


@functools.cache
def _smile(level: str) -> Any:
    opensmile = require("opensmile", extra="opensmile")
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=getattr(opensmile.FeatureLevel, level),
    )
