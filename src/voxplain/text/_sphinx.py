"""pocketsphinx: an English acoustic model that comes with the package (extra ``[asr]``)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from voxplain.plugins import require
from voxplain.types import Audio

__all__ = ["FRAME", "Heard", "decode", "decoder"]

FRAME = 0.01
"""Seconds."""
_WINDOW = 0.025625  # seconds that a frame looks at
_FILLER = re.compile(r"[<\[+]")  # <sil>, [NOISE]: what begins so is no word


class Heard(NamedTuple):
    """A word as pocketsphinx heard it."""

    name: str
    start: float
    """Seconds."""
    end: float
    frames: int
    score: float
    """Natural logarithm of the acoustic likelihood, against the best state in every frame."""
    probability: float
    """Posterior among what else was heard; 1 without a lattice."""


def decoder(**settings: Any) -> Any:
    """A decoder that keeps its log to itself. Raises MissingExtra without pocketsphinx."""
    return require("pocketsphinx", extra="asr").Decoder(loglevel="FATAL", **settings)


def decode(decoder: Any, audio: Audio) -> list[Heard]:
    """The words of a 16 kHz recording without the pauses; none where nothing fits."""
    peak = float(np.abs(audio.waveform).max()) or 1.0  # 16 bits are enough for any level
    samples = (audio.waveform * (32_767 / peak)).astype("<i2")
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [_heard(one) for one in decoder.seg() if not _FILLER.match(one.word)]


def _heard(one: Any) -> Heard:
    # A frame stands for its middle, and between two frames is the middle of their middles.
    shift = (_WINDOW - FRAME) / 2
    start, end = (n * FRAME + shift for n in (one.start_frame, one.end_frame + 1))
    frames = one.end_frame + 1 - one.start_frame
    score = float(np.log(max(one.ascore, np.finfo(float).tiny)))
    return Heard(re.sub(r"\(\d+\)$", "", one.word), start, end, frames, score, one.prob)
