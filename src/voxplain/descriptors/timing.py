"""Timing: how fast the syllables follow each other, how long voice and pauses last."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import CHUNK
from voxplain.audio.windows import SPEECH_THRESHOLD
from voxplain.descriptors._family import ENOUGH, Card, Functional, Values, voiced_values
from voxplain.descriptors._frames import FAINTEST, FRAME_SHIFT, SAMPLING_RATE, Frames, bin_hz
from voxplain.types import Track

__all__ = ["CARD", "functionals", "tracks"]

CARD = Card(
    tracks={"sonority_db": "dB"},
    functionals={
        "articulation_rate": Functional(
            "articulation rate", "syllables/s", telling=True, least_snr_db=9
        ),
        "speech_rate": Functional("speech rate", "syllables/s", least_snr_db=9),
        "pause_share": Functional("share of pauses", ""),
        "pause_mean": Functional("length of pauses", "s"),
        "voiced_segment_mean": Functional("length of voiced segments", "s", least_snr_db=9),
        "voiced_segment_sd": Functional(
            "variability of the length of voiced segments", "s", least_snr_db=6
        ),
        "unvoiced_segment_mean": Functional("length of unvoiced segments", "s", least_snr_db=8),
        "unvoiced_segment_sd": Functional(
            "variability of the length of unvoiced segments", "s", least_snr_db=6
        ),
        "voiced_segment_rate": Functional("voiced segments per second", "1/s", least_snr_db=9),
    },
    requires=("f0_hz", "speech_activity"),
    reference="de Jong & Wempe 2009 (syllable nuclei); Traunmüller 1990 (Bark); Stevens 1957; "
    "Eyben et al. 2016 (GeMAPS: voiced and unvoiced segments)",
)

LOUDNESS_EXPONENT = 1 / 3  # Stevens: loudness grows with the cube root of power
UNVOICED_WEIGHT = 0.8  # of the loudness (-3 dB): a fricative is loud, but no nucleus
SMOOTHING = np.array([1, 3, 4, 3, 1]) / 12  # Hann over 50 ms

# De Jong & Wempe's 2 dB of intensity, and less: loudness dips less where only some bands do. The
# three counts are averaged.
DIPS_DB = (0.5, 1.0, 2.0)
AUDIBLE_DB = -30.0  # a quieter peak is no nucleus
ADJACENT = 2.5 * FRAME_SHIFT  # seconds; frames farther apart don't touch

CHUNK_SECONDS = CHUNK / SAMPLING_RATE  # of the speech activity: 32 ms
LEAST_SPEECH = 0.5  # seconds
SHORTEST_PAUSE = 0.15  # seconds; less is the closure of a stop
LEAST_SEGMENTS = 3  # that a mean or an SD of their lengths is made of


def tracks(frames: Frames, known: Values) -> Values:
    """Sonority in dB re the loudest voiced frame of the stretch: high in vowels, low between.

    The specific loudness in 18 Bark bands (118-5190 Hz), lowered in unvoiced frames, summed, and
    smoothed over 50 ms; NaN in a stretch of silence.
    """
    voiced = np.isfinite(known["f0_hz"])
    specific = np.maximum(frames.power @ _bark_bands(), 0) ** LOUDNESS_EXPONENT
    loudness = np.where(voiced, 1, UNVOICED_WEIGHT) * specific.sum(axis=-1)
    loudest = loudness[voiced if voiced.any() else slice(None)].max(initial=0.0)
    if loudest > 0:
        power = np.maximum((loudness / loudest) ** (1 / LOUDNESS_EXPONENT), FAINTEST)
        level = 10 * np.log10(power)
        padded = np.pad(level, len(SMOOTHING) // 2, mode="edge")
        values = np.convolve(padded, SMOOTHING, mode="valid")
    else:
        values = np.full(len(voiced), np.nan)
    return {"sonority_db": values}


def functionals(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Rates of syllable nuclei, and how much and how long there is a pause, voice or none.

    A pause lasts at least 0.15 s; the talk is what lies between the pauses. Articulation rate is
    per second of talk, speech rate and the share of pauses refer to the time from first to last
    speech. Segments of voice end with it or with the talk; an unvoiced segment lies between two of
    them without a pause. Less than 0.5 s of talk or three segments are too few.
    """
    talk = _talk(tracks["speech_activity"])
    seconds = float((talk[:, 1] - talk[:, 0]).sum())
    if seconds < LEAST_SPEECH:
        return dict.fromkeys(CARD.functionals, math.nan)
    pauses = talk[1:, 0] - talk[:-1, 1]
    in_all = seconds + float(pauses.sum())
    sonority = tracks["sonority_db"]
    voiced, unvoiced = _segments(sonority, talk)
    has_voice = len(voiced_values(tracks, "sonority_db")) > ENOUGH
    nuclei = _nuclei(sonority, talk) if has_voice else math.nan
    return {
        "articulation_rate": nuclei / seconds,
        "speech_rate": nuclei / in_all,
        "pause_share": 1 - seconds / in_all,
        "pause_mean": float(pauses.mean()) if len(pauses) else math.nan,
        "voiced_segment_mean": _statistic(voiced, np.mean),
        "voiced_segment_sd": _statistic(voiced, np.std),
        "unvoiced_segment_mean": _statistic(unvoiced, np.mean),
        "unvoiced_segment_sd": _statistic(unvoiced, np.std),
        "voiced_segment_rate": len(voiced) / seconds if has_voice else math.nan,
    }


def _statistic(
    lengths: NDArray[np.float64], summary: Callable[[NDArray[np.float64]], Any]
) -> float:
    return float(summary(lengths)) if len(lengths) >= LEAST_SEGMENTS else math.nan


def _segments(
    sonority: Track, talk: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lengths in seconds of the voiced segments, and of the unvoiced ones between two of them."""
    voiced: list[float] = []
    unvoiced: list[float] = []
    for rows in _pieces(sonority.times, talk):
        edges = np.flatnonzero(np.diff(sonority.voiced[rows], prepend=False, append=False))
        lengths = np.diff(edges) * FRAME_SHIFT
        voiced += lengths[::2].tolist()
        unvoiced += lengths[1::2].tolist()
    return np.array(voiced), np.array(unvoiced)


def _talk(activity: Track) -> NDArray[np.float64]:
    """Start and end (stretches, 2) in seconds of the talk between the pauses."""
    speech = np.concatenate([[False], activity.values >= SPEECH_THRESHOLD, [False]])
    edges = np.flatnonzero(speech[1:] != speech[:-1])
    if not len(edges):
        return np.zeros((0, 2))
    begin = activity.times[0] - CHUNK_SECONDS / 2
    gaps = (edges[2::2] - edges[1:-1:2]) * CHUNK_SECONDS
    pauses = gaps >= SHORTEST_PAUSE
    starts = np.concatenate([edges[:1], edges[2::2][pauses]])
    ends = np.concatenate([edges[1:-1:2][pauses], edges[-1:]])
    talk: NDArray[np.float64] = begin + np.stack([starts, ends], axis=-1) * CHUNK_SECONDS
    return talk


def _nuclei(sonority: Track, talk: NDArray[np.float64]) -> float:
    """Number of syllable nuclei: voiced, audible peaks between dips; a mean of three counts."""
    nucleus = sonority.voiced & (sonority.values > AUDIBLE_DB)
    found = 0
    for rows in _pieces(sonority.times, talk):
        level = sonority.values[rows]
        for dip in DIPS_DB:
            found += int(np.count_nonzero(nucleus[rows][_peaks(level, dip=dip)]))
    return found / len(DIPS_DB)


def _pieces(times: NDArray[np.float64], talk: NDArray[np.float64]) -> Iterator[slice]:
    """Runs of frames within the talk that touch each other."""
    for first, last in np.searchsorted(times, talk):
        breaks = first + 1 + np.flatnonzero(np.diff(times[first:last]) > ADJACENT)
        borders = [first, *breaks, last]
        yield from (slice(a, b) for a, b in itertools.pairwise(borders) if a < b)


def _peaks(level: NDArray[np.float64], *, dip: float) -> list[int]:
    """Peaks of a curve (frames,) that it falls below by ``dip`` dB on both sides.

    The ends of the curve count as dips, so a curve has at least one peak.
    """
    turns = np.flatnonzero(np.diff(np.sign(np.diff(level)))) + 1
    peaks: list[int] = []
    top = bottom = 0
    rising = True
    for here in (*turns.tolist(), len(level) - 1):
        if rising and level[here] >= level[top]:
            top = here
        elif rising and level[top] - level[here] >= dip:
            peaks.append(top)
            bottom, rising = here, False
        elif not rising and level[here] <= level[bottom]:
            bottom = here
        elif not rising and level[here] - level[bottom] >= dip:
            top, rising = here, True
    return [*peaks, top] if rising else peaks


@functools.cache
def _bark_bands() -> NDArray[np.float32]:
    """Which bins (257,) belong to which of the bands 1-18 Bark (Traunmüller 1990)."""
    bark = 26.81 * bin_hz() / (1960 + bin_hz()) - 0.53
    bands: NDArray[np.bool_] = np.floor(bark)[:, None] == np.arange(1, 19)
    return bands.astype(np.float32)
