"""The pulses of a voice, laid anew: pitch-synchronous overlap-add (TD-PSOLA).

E. Moulines & F. Charpentier, "Pitch-synchronous waveform processing techniques for text-to-speech
synthesis using diphones", Speech Communication 9 (1990), 453-467. The sound around each pulse is
cut out and put where a pulse of the new voice shall be: closer together for a higher voice, some
of them twice for a slower one. What a pulse sounds like, the formants above all, stays as it is.
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.descriptors._frames import FRAME_SHIFT
from voxplain.descriptors._pulses import peak

__all__ = ["Laid", "Trains", "lay", "pulses"]

Trains = Sequence[NDArray[np.float64]]
"""Of each run of voice (pulses,): when they come, in seconds, or something else about them."""

JUMP_OCTAVES = 0.5  # between neighbouring frames; one run of voice ends and another begins
SHORTEST, LONGEST = 0.8, 1.25  # periods between which the next pulse is looked for, as in Praat
LEAST_ALIKE = 0.15  # correlation of neighbouring periods; below, F0 says how far it is
FADING = 0.03  # seconds that a voice may go on before and after the frames that are voiced
LEAST_PULSES = 3

RATE = 4 * SAMPLING_RATE  # of the sound that is cut: pulses off by half a sample would be jitter
ROOM = 0.1  # seconds of silence around it; no piece reaches farther
HOP = 0.008  # seconds between the pieces where there is no voice
# One piece passes into the next over 0.7 of a period, around 0.65 of it after the pulse, when most
# of its energy is gone: of Hann windows of two periods, twice as much of the treble cancels out.
FADE, CUT = 0.7, 0.65

CONTOUR = 200  # samples (12.5 ms) of a moving mean, taken twice, that the intensity is followed by
FAINTEST = 1e-6  # of the greatest intensity (-60 dB); below, there is nothing to follow
MOST_GAIN = 4.0  # 12 dB


class Laid(NamedTuple):
    """A sound whose pulses have been laid anew."""

    waveform: NDArray[np.float32]
    trains: Trains
    moved_st: Trains
    """How much higher each pulse is than it was, in semitones."""


def pulses(
    waveform: NDArray[np.float32], times: NDArray[np.float64], f0_hz: NDArray[np.float64]
) -> Trains:
    """When the pulses of a 16 kHz waveform come, for each run of voiced frames.

    From the largest sample of a run, a period to either side again and again: to where the sound
    is most like that around the pulse before ("Sound & Pitch: To PointProcess (cc)" of the Praat
    manual). ``f0_hz`` (frames,) is NaN in frames without voice.
    """
    search = _Search(waveform)
    trains: list[NDArray[np.float64]] = []
    runs = list(_runs(times, f0_hz))
    for run, following in itertools.zip_longest(runs, runs[1:]):
        low = trains[-1][-1] if trains else 0.0
        high = times[following][0] if following else len(waveform) / SAMPLING_RATE
        trains.append(search.train(times[run], 1 / f0_hz[run], low, high))
    return trains


def lay(
    waveform: NDArray[np.float32], trains: Trains, shifts_st: Trains, *, tempo: float = 1.0
) -> Laid:
    """Lay the pulses of 16 kHz sound anew: higher by ``shifts_st`` and ``tempo`` times as fast.

    The unevenness of the periods stays, and so does the contour of the intensity. Where nothing
    is shifted and the tempo is 1, each pulse comes to lie where it was.
    """
    import soxr

    long = [len(train) >= LEAST_PULSES for train in trains]
    trains, shifts_st = (list(itertools.compress(one, long)) for one in (trains, shifts_st))
    placed = [_placed(*one, tempo) for one in zip(trains, shifts_st, strict=True)]
    fine = np.pad(soxr.resample(waveform, SAMPLING_RATE, RATE, quality="VHQ"), round(ROOM * RATE))
    added = np.zeros(round(len(fine) / tempo) + len(fine), np.float32)
    for at, source, rise, fall in _pieces(
        trains, placed, duration=len(waveform) / SAMPLING_RATE, tempo=tempo
    ):
        here, there = (round((time + ROOM) * RATE) - len(rise) for time in (at, source))
        window = np.concatenate([rise, fall])
        added[here : here + len(window)] += window * fine[there : there + len(window)]
    first = round(ROOM * RATE)
    length = round(len(waveform) / tempo)
    found = soxr.resample(
        added[first : first + length * (RATE // SAMPLING_RATE)], RATE, SAMPLING_RATE, quality="VHQ"
    )
    moved = [
        np.interp(at * tempo, train, shift)
        for at, train, shift in zip(placed, trains, shifts_st, strict=True)
    ]
    return Laid(_with_contour(found, waveform, tempo), placed, moved)


def _runs(times: NDArray[np.float64], f0_hz: NDArray[np.float64]) -> Iterator[slice]:
    """Runs of voiced frames, split where F0 jumps."""
    voiced = np.isfinite(f0_hz)
    octaves = np.log2(np.where(voiced, f0_hz, 1))
    changes = (voiced[1:] != voiced[:-1]) | (np.abs(np.diff(octaves)) > JUMP_OCTAVES)
    changes |= np.diff(times) > 1.5 * FRAME_SHIFT  # between stretches of speech
    borders = [0, *(np.flatnonzero(changes) + 1).tolist(), len(voiced)]
    return (slice(a, b) for a, b in itertools.pairwise(borders) if b > a and voiced[a])


class _Search:
    """The way from pulse to pulse in a waveform; places and periods are in samples."""

    def __init__(self, waveform: NDArray[np.float32]) -> None:
        self._waveform = waveform.astype(np.float64)
        self._until = np.pad(np.cumsum(self._waveform**2), (1, 0))

    def train(
        self,
        times: NDArray[np.float64],
        periods: NDArray[np.float64],
        low: float,
        high: float,
    ) -> NDArray[np.float64]:
        """The pulses (pulses,) of a run, in seconds; not beyond ``low`` and ``high``."""
        centres, expected = SAMPLING_RATE * times, SAMPLING_RATE * periods
        inside = slice(int(centres[0]), int(centres[-1]) + 1)
        first = inside.start + int(np.abs(self._waveform[inside]).argmax())
        found = [float(first)]
        for direction in (-1, 1):
            here = float(first)
            while True:
                period = float(np.interp(here, centres, expected))
                step, likeness = self._next(here, period, direction)
                here += direction * step
                beyond = max(centres[0] - here, here - centres[-1]) / SAMPLING_RATE
                if beyond > (0 if likeness < LEAST_ALIKE else FADING):
                    break
                if not SAMPLING_RATE * low + period / 2 < here < SAMPLING_RATE * high:
                    break
                found.append(here)
        return np.sort(found) / SAMPLING_RATE

    def _next(self, here: float, period: float, direction: int) -> tuple[float, float]:
        """How far it is to the next pulse, and the correlation of the periods around the two."""
        half, centre = round(period / 2), round(here)
        reach = int(SHORTEST * period), int(LONGEST * period) + 1
        start = centre - half + (reach[0] if direction > 0 else -reach[1])
        length = reach[1] - reach[0] + 2 * half + 1
        inside = start >= 0 and start + length <= len(self._waveform)
        if not inside or centre < half or centre + half >= len(self._waveform):
            return period, 0.0
        around = self._waveform[centre - half : centre + half + 1]
        products = np.correlate(self._waveform[start : start + length], around)
        until = self._until[start : start + length + 1]
        energy = (until[2 * half + 1 :] - until[: -2 * half - 1]) * (around @ around)
        top, likeness = peak(products / np.sqrt(np.maximum(energy, FAINTEST**3)))
        if likeness < LEAST_ALIKE:
            return period, float(likeness)
        return direction * (start + half + float(top) - centre), float(likeness)


def _placed(
    train: NDArray[np.float64], shift_st: NDArray[np.float64], tempo: float
) -> NDArray[np.float64]:
    """When the pulses of a run come in the new sound, in seconds: as many as have room there."""
    places, periods = train.tolist(), np.diff(train).tolist()
    factors = (2 ** (shift_st / 12)).tolist()
    placed, here = [], places[0]
    while here <= places[-1]:
        placed.append(here / tempo)
        before = min(bisect_right(places, here), len(periods)) - 1
        part = (here - places[before]) / periods[before]
        factor = factors[before] + part * (factors[before + 1] - factors[before])
        here += tempo * periods[before] / factor
    return np.array(placed)


def _pieces(
    trains: Trains, placed: Trains, *, duration: float, tempo: float
) -> Iterator[tuple[float, float, NDArray[np.float32], NDArray[np.float32]]]:
    """When each piece of the new sound comes, when in the old one, and how it rises and falls.

    For each new pulse the nearest old one, and a piece every 8 ms between the runs.
    """
    rows, until = [], 0.0
    for number, (train, at) in enumerate(zip(trains, placed, strict=True)):
        periods = np.diff(train)
        nearest = np.searchsorted((train[1:] + train[:-1]) / 2, at * tempo)
        before = periods[np.maximum(nearest - 1, 0)]
        after = periods[np.minimum(nearest, len(periods) - 1)]
        rows.append(_between(until, train[0], tempo))
        rows.append(np.stack([at, train[nearest], before, after, np.full(len(at), number)]))
        until = train[-1] + min(periods[-1], HOP)
    rows.append(_between(until, duration + HOP, tempo))
    at, source, before, after, run = np.concatenate(rows, axis=-1)
    apart, joined = np.diff(at), run[1:] == run[:-1]  # NaN, no run, is joined to nothing
    fading_in = np.append(HOP, np.where(joined, before[1:], apart))
    fading_out = np.append(np.where(joined, after[:-1], apart), HOP)
    rises = map(_rise, _samples(fading_in), [False, *joined.tolist()])
    falls = map(_rise, _samples(fading_out), [*joined.tolist(), False])
    for here, there, rise, fall in zip(at.tolist(), source.tolist(), rises, falls, strict=True):
        yield here, there, rise, 1 - fall


def _between(start: float, end: float, tempo: float) -> NDArray[np.float64]:
    """Pieces (5, n) where there is no voice, from start to end of the old sound."""
    old = np.linspace(start, end, max(0, round((end - start) / tempo / HOP)), endpoint=False)
    return np.stack([old / tempo, old, *3 * [np.full(len(old), np.nan)]])


def _samples(seconds: NDArray[np.float64]) -> list[int]:
    found: list[int] = np.maximum(1, np.rint(seconds * RATE)).astype(int).tolist()
    return found


@functools.lru_cache(maxsize=4096)
def _rise(samples: int, joined: bool) -> NDArray[np.float32]:
    """From 0 to 1 (samples,) between the place of a piece and that of the next."""
    fade, cut = (FADE, CUT) if joined else (1.0, 0.5)
    risen = np.clip((np.arange(samples) / samples - cut) / fade + 0.5, 0, 1)
    rise: NDArray[np.float32] = np.sin(np.pi / 2 * risen.astype(np.float32)) ** 2
    return rise


def _with_contour(
    sound: NDArray[np.float32], waveform: NDArray[np.float32], tempo: float
) -> NDArray[np.float32]:
    """The sound with the contour of the intensity of the waveform, which is slower by ``tempo``."""
    wanted, found = _power(waveform), _power(sound)
    wanted = np.interp(np.arange(len(sound)) * tempo, np.arange(len(wanted)), wanted)
    least = max(FAINTEST * float(wanted.max()), FAINTEST**3)
    gain = np.clip(np.sqrt((wanted + least) / (found + least)), 1 / MOST_GAIN, MOST_GAIN)
    followed: NDArray[np.float32] = sound * gain.astype(np.float32)
    return followed


def _power(waveform: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean square (samples,) of 25 ms around each sample, its middle weighing most."""
    power = waveform.astype(np.float64) ** 2
    for _ in range(2):
        until = np.cumsum(np.pad(power, (CONTOUR // 2 + 1, CONTOUR // 2), mode="edge"))
        power = (until[CONTOUR:] - until[:-CONTOUR]) / CONTOUR
    return power[: len(waveform)]
