"""What a recording sounds like to an audit: its faults, and how it is known again."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from voxplain.audio.log_mel import HOP, SAMPLING_RATE
from voxplain.descriptors import recording
from voxplain.descriptors._frames import Frames
from voxplain.errors import AudioError, TooShort
from voxplain.training.audit.copies import NOTHING, fingerprint
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.types import Audio

__all__ = ["SHORT", "Heard", "ends_abruptly", "listen"]

SHORT = 0.5
"""Seconds below which an utterance is called too short."""
SILENT_DB = -60.0
"""Peak re full scale below which it is silent."""
ABRUPT_DB = -15.0
"""Level of its last 10 ms re its loud frames from which on it ends abruptly."""
NARROW_HZ = 4500.0
"""Bandwidth below which 16 kHz and more are called too high a rate: a telephone has 3.4 kHz."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance, decoded; of one that can't be, only what is wrong."""

    faults: tuple[str, ...]
    trouble: str = ""
    """Why it can't be decoded."""
    seconds: float = 0.0
    sampling_rate: int = 0
    """Of the file, Hz; 0 where its header can't be asked."""
    digest: str = ""
    """Of the samples at 16 kHz."""
    fingerprint: NDArray[np.float32] = field(default_factory=lambda: NOTHING)


def listen(utterance: Utterance) -> Heard:
    """Decode an utterance and look for faults.

    They are ``unreadable``, ``truncated`` (the file is shorter than its header or the list says),
    ``too short``, ``silent``, ``clipped``, ``ends abruptly``, ``stereo`` and ``narrow band``.
    """
    header = _Header(utterance.path)
    try:
        audio = sound(utterance)
    except TooShort:
        return Heard(("too short",))
    except AudioError as error:
        cut_short = 0 < header.seconds < (utterance.end or 0) - _TOLERANCE
        return Heard(("truncated" if cut_short else "unreadable",), trouble=str(error))
    waveform = audio.waveform
    seconds = len(waveform) / SAMPLING_RATE
    missing = header.seconds - utterance.start - seconds if utterance.end is None else 0.0
    faults = ["truncated"] if missing > _TOLERANCE or header.lacks_data else []
    if seconds < SHORT:
        faults.append("too short")
    if header.channels > 1:
        faults.append("stereo")
    if 20 * np.log10(max(np.abs(waveform).max(), 1e-9)) < SILENT_DB:
        return Heard((*faults, "silent"), seconds=seconds, sampling_rate=header.sampling_rate)
    if _clipped(header.samples(utterance)):
        faults.append("clipped")
    if ends_abruptly(waveform):
        faults.append("ends abruptly")
    if header.sampling_rate >= SAMPLING_RATE and _bandwidth(audio) < NARROW_HZ:
        faults.append("narrow band")
    return Heard(
        faults=tuple(faults),
        seconds=seconds,
        sampling_rate=header.sampling_rate,
        digest=hashlib.sha256(waveform.tobytes()).hexdigest(),
        fingerprint=fingerprint(waveform),
    )


_TOLERANCE = 0.1  # s: codecs add and drop a frame
_STREAMED = 0xFFFFF000  # bytes: a length from here on says that it was not known


class _Header:
    """What libsndfile reads of a file; nothing where it knows the format not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                about = soundfile.info(file, verbose=True)
        except (soundfile.SoundFileError, TypeError, OSError):
            self.seconds, self.sampling_rate, self.channels, log = 0.0, 0, 1, ""
        else:
            self.seconds, self.sampling_rate = float(about.duration), int(about.samplerate)
            self.channels, log = int(about.channels), str(about.extra_info)
        # Of WAV and AIFF: how long the data are by the header, and by the file.
        found = re.search(r"^ *(?:data|SSND) *: (\d+) \(should be (\d+)\)", log, re.MULTILINE)
        self.lacks_data = found is not None and int(found[2]) < int(found[1]) < _STREAMED

    def samples(self, utterance: Utterance) -> NDArray[np.float32]:
        """The utterance's own samples (n,), all channels one after the other, not resampled."""
        rate = self.sampling_rate
        if not rate:
            return np.zeros(0, np.float32)
        start, end = round(utterance.start * rate), utterance.end
        with self._path.open("rb") as file:
            found, _ = soundfile.read(
                file,
                start=start,
                stop=None if end is None else round(end * rate),
                dtype="float32",
                always_2d=True,
            )
        return np.ravel(found, order="F")


_FLAT = 3  # samples in a row at the limit: a flat top
_TOPS = 5  # of them, and it is clipped
_LIMIT = 0.999  # of full scale; what codecs make of flat tops lies on both sides of it


def _clipped(samples: NDArray[np.float32]) -> bool:
    """At least five times three samples or more at the limit of the recording, or of the format."""
    level = np.abs(samples)
    peak = float(level.max(initial=0.0))
    at_limit = np.concatenate([[0], level >= min(peak * (1 - 1e-4), _LIMIT), [0]])
    edges = np.flatnonzero(np.diff(at_limit))
    return int(np.sum(edges[1::2] - edges[::2] >= _FLAT)) >= _TOPS


def ends_abruptly(waveform: NDArray[np.float32]) -> bool:
    """Whether the last 10 ms of a waveform are hardly softer than its loud frames."""
    count = len(waveform) // HOP
    power = np.square(waveform[len(waveform) - count * HOP :], dtype=np.float64)
    frames = power.reshape(count, HOP).mean(1)
    return bool(frames[-1] >= np.quantile(frames, 0.95) * 10 ** (ABRUPT_DB / 10))


def _bandwidth(audio: Audio) -> float:
    return float(recording.tracks(Frames(audio), {})["bandwidth_hz"][0])
