"""What the published code did to the cues, so that its effect can be seen: one defect at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import soxr
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.descriptors.f0 import SEMITONE_ZERO_HZ
from voxplain.training import saliency
from voxplain.training.studies.recordings import Recording
from voxplain.training.studies.subjects import Seen
from voxplain.types import Audio

__all__ = ["at_24_khz", "in_cuts", "zeroed"]

_NOTHING = {"f0_hz": SEMITONE_ZERO_HZ, "jitter_percent": 0.0, "shimmer_db": 0.0, "hnr_db": 0.0}
"""What an unvoiced frame counts as: 0, of the pitch 0 semitones."""


def zeroed(recording: Recording) -> Recording:
    """Unvoiced frames count as zeros."""
    tracks = dict(recording.tracks)
    for name, nothing in _NOTHING.items():
        track = tracks[name]
        values = np.where(track.voiced & np.isfinite(track.values), track.values, nothing)
        tracks[name] = replace(track, values=values, voiced=np.ones(len(values), bool))
    return replace(recording, tracks=tracks)


def at_24_khz(recording: Recording, seen: Seen) -> NDArray[np.float64]:
    """Log-odds (labels,) where the front end counts its samples at 24 kHz: 201 frames, not 134."""
    rate = recording.audio.sampling_rate
    start, end = (round(edge * rate) for edge in (seen.sound.start, seen.sound.end))
    finer = soxr.resample(recording.audio.waveform[start:end], rate, 24_000)
    (found,) = seen.forward(saliency.spectrogram(finer, sampling_rate=24_000)[None])
    return found


def in_cuts(recording: Recording, *, width: float, start: float = 0.0) -> Recording:
    """Every cut of ``width`` seconds, from ``start`` on, is measured by itself."""
    audio = recording.audio
    rate = audio.sampling_rate
    size = round(width * rate)
    edges = range(round(start * rate), len(audio.waveform) - size + 1, size)
    parts = (
        descriptors.tracks(
            Audio(audio.waveform[edge : edge + size], rate, audio.source), start=edge / rate
        )
        for edge in edges
    )
    activity = recording.tracks["speech_activity"]
    tracks = {**descriptors.join(parts), "speech_activity": activity}
    return replace(recording, tracks=tracks)
