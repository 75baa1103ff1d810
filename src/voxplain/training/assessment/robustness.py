"""Robustness: what is left of the recognition in noise, rooms, narrow bands, codecs and gains?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.errors import UnknownName
from voxplain.training.assessment.figures import silence_missed, view
from voxplain.training.assessment.judging import Judge, Judged
from voxplain.training.conditions import (
    Condition,
    Loudness,
    Noise,
    Voices,
    Waveform,
    band_limited,
    coded,
    in_room,
)
from voxplain.training.statistics import Interval, speaker_interval

__all__ = ["CLEAN", "CONDITIONS", "Curve", "curves", "wanted"]

CLEAN = "as recorded"

Curve = Mapping[str, Mapping[str, Interval]]
"""Level, from none to the worst -> figure."""


def _noise(kind: str) -> dict[str, Condition]:
    return {f"{snr} dB": Noise(kind, snr) for snr in (20, 15, 10, 5, 0)}


def _band(waveform: Waveform, _: np.random.Generator, __: Voices, *, high_hz: float) -> Waveform:
    return band_limited(waveform, low_hz=50, high_hz=high_hz)


def _codec(waveform: Waveform, _: np.random.Generator, __: Voices, *, codec: str) -> Waveform:
    return coded(waveform, codec=codec)


def _room(waveform: Waveform, generator: np.random.Generator, _: Voices) -> Waveform:
    return in_room(waveform, generator)


def _reverberation(
    waveform: Waveform, generator: np.random.Generator, _: Voices, *, seconds: float
) -> Waveform:
    """A tail of decaying noise as strong as the direct sound (Polack 1988), as loud as before."""
    from scipy.signal import fftconvolve

    time = np.arange(int(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    tail = generator.standard_normal(len(time)) * 10 ** (-3 * time / seconds)  # -60 dB at its end
    tail /= np.sqrt(np.sum(np.square(tail)))
    wet = waveform + fftconvolve(waveform, tail)[: len(waveform)]
    rms = [np.sqrt(np.mean(np.square(one, dtype=np.float64))) for one in (waveform, wet)]
    found: Waveform = (wet * rms[0] / max(rms[1], 1e-9)).astype(np.float32)
    return found


CONDITIONS: Mapping[str, Mapping[str, Condition]] = {
    "white noise": _noise("white"),
    "pink noise": _noise("pink"),
    "babble": _noise("babble"),
    "reverberation": {
        "a room": _room,
        **{f"{one:g} s": partial(_reverberation, seconds=one) for one in (0.3, 0.6, 1.2)},
    },
    "band": {
        f"below {one / 1000:g} kHz": partial(_band, high_hz=one) for one in (4000, 3400, 2000, 1000)
    },
    "codec": {
        one: partial(_codec, codec=one) for one in ("opus", "vorbis", "mp3", "mu-law", "gsm")
    },
    "gain": {f"{one} dBFS": Loudness(10 ** (one / 20)) for one in (-10, -30, -50, -70)},
}
"""Kind -> level -> what is done to a recording, the mildest first (of codecs the widest band).

Noise so many decibels below the recording; a room by image sources with sides and walls drawn at
random, or a reverberation time (to -60 dB); a band from 50 Hz; codecs at their strongest
compression; the level (root mean square) below full scale.
"""


_NOISES = ["white noise", "pink noise", "babble"]


def wanted(text: str) -> tuple[str, ...]:
    """The kinds of a list with commas; "noise" is every kind of it, "all" is everything.

    Raises UnknownName.
    """
    found: list[str] = []
    for name in map(str.strip, text.split(",")):
        several = {"all": list(CONDITIONS), "noise": _NOISES}.get(name, [name])
        if several[0] not in CONDITIONS:
            raise UnknownName("condition", name, ("all", "noise", *CONDITIONS))
        found += several
    return tuple(dict.fromkeys(found))


def curves(
    judge: Judge,
    kinds: Sequence[str],
    judged: Judged,
    *,
    labels: tuple[str, ...],
    sample: int,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Curve]:
    """Of each kind, UAR over some labels at each level, the recordings as they are first.

    So many clips with these labels are drawn. A level too hard leaves the model silent: UAR of what
    is judged, UAR with silence as a miss, and the share that is judged. Babble is made of other
    speakers of the corpus; nothing where a clip has none.
    """
    if not kinds:
        return {}
    named = np.flatnonzero(np.isin(judged.emotions, labels))
    rows = np.sort(np.random.default_rng(seed).permutation(named)[:sample])
    company = judge.company(judged.utterances)
    company = [company[row] for row in rows.tolist()]
    clean = judged.some(rows)

    def figures(kind: str, level: str) -> dict[str, Interval]:
        worse = judge.judge(
            clean.utterances,
            condition=CONDITIONS[kind][level],
            name=f"{kind} {level}",
            company=company,
            jobs=jobs,
            progress=progress,
        )
        return _figures(worse, labels)

    return {
        kind: {}
        if kind == "babble" and not all(company)
        else {CLEAN: _figures(clean, labels)}
        | {level: figures(kind, level) for level in CONDITIONS[kind]}
        for kind in kinds
    }


def _figures(judged: Judged, labels: tuple[str, ...]) -> dict[str, Interval]:
    told = speaker_interval(
        lambda _, told: float(np.mean(told)), judged.told, judged.told, speakers=judged.speakers
    )
    if not judged.told.any():
        return {"UAR, silence missed": replace(told, value=0.0), "judged": told}
    found = view(judged, labels, "")
    return {"UAR": found.uar, "UAR, silence missed": silence_missed(found), "judged": told}
