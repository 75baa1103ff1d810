"""Reading: a file, standard input or an array becomes a stream of mono 16 kHz blocks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from numbers import Real
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.errors import AudioError, ConfigError, InputError, TooShort
from voxplain.types import Audio

__all__ = [
    "MINIMUM_DURATION",
    "SUFFIXES",
    "Source",
    "blocks",
    "check_finite",
    "find_files",
    "promised_duration",
    "read",
    "source_name",
]

MINIMUM_DURATION = 0.1
"""Seconds below which sound is refused."""
SUFFIXES = (
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".au", ".avi", ".caf", ".flac",
    ".flv", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg",
    ".mpg", ".oga", ".ogg", ".opus", ".sph", ".w64", ".wav", ".wave", ".webm", ".wma", ".wmv",
)  # fmt: skip
"""What ``find_files`` takes for audio or video, in lower case."""
Source = str | os.PathLike[Any] | ArrayLike
"""A path, ``"-"`` for standard input, or an array of samples."""

_Piece = tuple[int, NDArray[np.float32]]  # sampling rate in Hz, (samples,)
_PIECE = 4096  # samples decoded at once; damage is located this exactly
_BLOCK = 10 * SAMPLING_RATE
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000  # Hz; outside, a header or an option is wrong
_LOUDEST = 1e15  # no recorder counts this far, and its square still fits into float32


class _DamagedError(Exception):
    """A decoder can't go on."""


def read(source: Source, *, sampling_rate: int | None = None) -> Audio:
    """All of ``source`` as one mono 16 kHz Audio; takes and raises what ``blocks`` does."""
    waveform = np.concatenate(list(blocks(source, sampling_rate=sampling_rate)))
    return Audio(waveform, SAMPLING_RATE, source_name(source))


def blocks(source: Source, *, sampling_rate: int | None = None) -> Iterator[NDArray[np.float32]]:
    """Decode ``source`` lazily into mono 16 kHz blocks (samples,) of about 10 s.

    An array is (samples,), (channels, samples) or (samples, channels) and needs its
    ``sampling_rate`` in Hz. Channels are averaged; integers are scaled to full scale 1, floats are
    kept as they are. A recording that was cut short (a crash, a full disk) is read as far as it
    goes; where a decoder reports damage, it is an error.

    Raises AudioError for what is missing, undecodable, damaged, empty or not finite, TooShort (at
    the end of the stream) below 0.1 s, InputError for an object that is neither a path nor
    samples, ConfigError for a ``sampling_rate`` that is missing, wrong, or given with a file.
    """
    name = source_name(source)
    if not isinstance(source, str | os.PathLike):
        pieces = _cut(_as_samples(source), sampling_rate)
    elif sampling_rate is None:
        pieces = _decoded(source, name)
    else:
        raise ConfigError(f"{name} has its own sampling rate; leave out {sampling_rate=}")
    return _gathered(_resampled(_checked(pieces, name)))


def check_finite(
    samples: NDArray[np.float32], *, start: float, sampling_rate: int, name: str
) -> None:
    """Raises AudioError for the first of samples (samples,) that is not finite, and its second."""
    bad = ~(np.abs(samples) < _LOUDEST)  # in this form also true for NaN
    if bad.any():
        raise AudioError(
            f"{name}: the sample at {start + bad.argmax() / sampling_rate:.3f} s is "
            f"{samples[bad][0]}; replace samples that are not finite or cut them out"
        )


def source_name(source: object) -> str:
    """The path as text that can be printed and stored as JSON, ``<stdin>`` or ``<array>``."""
    if not isinstance(source, str | os.PathLike):
        return "<array>"
    if source == "-":
        return "<stdin>"
    return os.fsdecode(source).encode("utf-8", "backslashreplace").decode()


def promised_duration(path: str | os.PathLike[Any]) -> float | None:
    """Seconds that the header of a file promises, or None where it can't be asked cheaply."""
    import soundfile

    file = Path(os.fsdecode(path))
    if not file.is_file():  # reading from a pipe would empty it
        return None
    try:
        with file.open("rb") as stream:
            return float(soundfile.info(stream).duration)
    except (soundfile.SoundFileError, TypeError, OSError):
        return None


def find_files(folder: Path) -> list[Path]:
    """All audio and video below ``folder``, by suffix and sorted; what is hidden is skipped.

    Raises AudioError if there is none, or if a folder below can't be listed.
    """

    def refused(error: OSError) -> None:
        place = source_name(error.filename or folder)
        raise AudioError(f"{place} can't be listed ({error.strerror}); check its permissions")

    found: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=refused):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in names if not name.startswith(".")]
    found = sorted(path for path in found if path.suffix.lower() in SUFFIXES)
    if not found:
        raise AudioError(
            f"no audio or video in the folder {source_name(folder)}; give a folder with files "
            f"that end in {' '.join(SUFFIXES)}"
        )
    return found


def _as_samples(source: ArrayLike) -> NDArray[Any]:
    """(samples, channels); the smaller axis is taken for the channels."""
    try:
        samples = np.asarray(source)
    except Exception as error:  # a foreign array may raise anything
        raise InputError(f"{type(source).__name__} can't become an array: {error}") from error
    kind, width = samples.dtype.kind, samples.dtype.itemsize
    # 64-bit integers are refused: nobody means their full scale.
    numbers = kind == "f" or (kind in "iu" and width <= 4)
    if isinstance(source, bytearray | memoryview) or not numbers or samples.ndim not in (1, 2):
        raise InputError(
            f"{type(source).__name__} ({samples.dtype}, shape {samples.shape}) can't be read as "
            "audio; give a path, '-' for standard input, or an array of floats or 8- to 32-bit "
            "integers of shape (samples,), (channels, samples) or (samples, channels)"
        )
    samples = np.atleast_2d(samples) if samples.size else np.zeros((0, 1))
    return samples.T if 0 < samples.shape[0] <= samples.shape[1] else samples


def _cut(samples: NDArray[Any], sampling_rate: int | None) -> Iterator[_Piece]:
    if not isinstance(sampling_rate, Real) or not _LOWEST_RATE <= sampling_rate <= _HIGHEST_RATE:
        raise ConfigError(
            f"an array needs its sampling_rate in Hz, from {_LOWEST_RATE} to {_HIGHEST_RATE}; "
            f"got {sampling_rate!r}"
        )
    starts = range(0, len(samples), _PIECE)
    return ((sampling_rate, _mono(samples[start : start + _PIECE])) for start in starts)


def _mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Average (samples, channels) to (samples,); the full scale of integers becomes 1."""
    if samples.dtype.kind != "f":
        full = 2.0 ** (8 * samples.dtype.itemsize - 1)
        samples = (samples - full * (samples.dtype.kind == "u")) / full
    with np.errstate(over="ignore", invalid="ignore"):  # _checked says where
        return np.asarray(samples.astype(np.float32).mean(axis=1))


def _decoded(path: str | os.PathLike[Any], name: str) -> Iterator[_Piece]:
    with _opened(path, name) as file:
        start = file.read(12)
        # Not MP3: soundfile seeks after every piece, and in MP3 that garbles what comes next.
        sound = None if start.startswith((b"ID3", b"\xff")) else _sound_file(file)
        yield from _with_libsndfile(sound) if sound else _with_libav(file, name, start)


def _sound_file(file: BinaryIO) -> Any:
    """The file as libsndfile sees it, or None where libav must try."""
    import soundfile

    file.seek(0)
    try:
        sound = soundfile.SoundFile(file)
    except (soundfile.SoundFileError, TypeError):  # TypeError: a name that ends in .raw
        return None
    # No length is known after a crash (0) or from a pipe (FLAC: 2**63 - 1); libav needs none.
    return sound if 0 < sound.frames < 2**63 - 1 else None


def _with_libsndfile(sound: Any) -> Iterator[_Piece]:
    import soundfile

    missing = sound.frames
    with sound:
        try:
            while len(samples := sound.read(_PIECE, dtype="float32", always_2d=True)):
                missing -= len(samples)
                yield sound.samplerate, _mono(samples)
        except soundfile.SoundFileError as error:
            raise _DamagedError("the stream is broken") from error
        if missing > 0:
            raise _DamagedError(f"its header promises {missing / sound.samplerate:.1f} s more")


def _with_libav(file: BinaryIO, name: str, start: bytes) -> Iterator[_Piece]:
    import av

    failures = (av.FFmpegError, ValueError)
    file.seek(0)
    try:
        # No protocols: a playlist must not open other files or the network.
        container = av.open(file, metadata_errors="ignore", options={"protocol_whitelist": "none"})
    except failures as error:
        raise AudioError(
            f"{name} can't be decoded: it is damaged or no audio (it begins with {start!r}); "
            "copy it again, or give another file, e.g. WAV, FLAC, MP3, M4A or MP4"
        ) from error
    with container:
        stream = container.streams.best("audio")
        if stream is None:
            seen = f"{container.format.long_name}, begins with {start!r}"
            raise AudioError(f"{name} holds no audio ({seen}); give a recording with sound")
        try:
            for frame in container.decode(stream):
                samples = frame.to_ndarray()  # (channels, samples) or (1, samples * channels)
                if not frame.format.is_planar:
                    samples = samples.reshape(frame.samples, -1).T
                yield frame.sample_rate, _mono(samples.T)
        except failures as error:
            raise _DamagedError(getattr(error, "strerror", error)) from error


@contextmanager
def _opened(path: str | os.PathLike[Any], name: str) -> Iterator[BinaryIO]:
    """A file that can seek and is not empty; pipes go through a temporary file."""
    with ExitStack() as stack:
        file = _standard_input() if path == "-" else stack.enter_context(_open(path, name))
        if path == "-" or not file.seekable():
            pipe, file = file, stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(pipe, file)
        if not file.seek(0, os.SEEK_END):
            raise AudioError(f"{name} is empty (0 bytes); record or copy it again")
        file.seek(0)
        yield file


def _standard_input() -> BinaryIO:
    if not hasattr(sys.stdin, "buffer"):
        raise AudioError("<stdin> is not connected to bytes; pipe a file into it or give a path")
    return sys.stdin.buffer


def _open(path: str | os.PathLike[Any], name: str) -> BinaryIO:
    file = Path(os.fsdecode(path))
    try:
        return file.open("rb")
    except FileNotFoundError as error:
        raise AudioError(f"{name}: there is no such file; check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if file.is_dir():
            raise AudioError(f"{name} is a folder; give one of the files in it") from error
        why = getattr(error, "strerror", error)
        raise AudioError(f"{name} can't be opened ({why}); check path and permissions") from error


def _checked(pieces: Iterator[_Piece], name: str) -> Iterator[_Piece]:
    """Pass the pieces on; AudioError or TooShort says what is wrong and at which second."""
    seconds = 0.0
    try:
        for rate, piece in pieces:
            if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                raise AudioError(f"{name} claims to have {rate} Hz; export it with its real rate")
            check_finite(piece, start=seconds, sampling_rate=rate, name=name)
            yield rate, piece
            seconds += len(piece) / rate
    except (_DamagedError, OSError) as damage:  # OSError: of the disk
        raise AudioError(
            f"{name} can't be decoded beyond {seconds:.1f} s ({damage}); copy it again, or save "
            "what is readable with: ffmpeg -i INPUT readable.wav"
        ) from damage
    if not seconds:
        raise AudioError(f"{name} holds no samples; record or export it again")
    if round(seconds, 6) < MINIMUM_DURATION:
        raise TooShort(f"{name} lasts {seconds:.3f} s; give at least {MINIMUM_DURATION} s")


def _resampled(pieces: Iterator[_Piece]) -> Iterator[NDArray[np.float32]]:
    import soxr

    for rate, stretch in groupby(pieces, key=itemgetter(0)):  # a stream may change its rate
        resampler = soxr.ResampleStream(rate, SAMPLING_RATE, 1, dtype="float32", quality="HQ")
        for _, piece in stretch:
            yield resampler.resample_chunk(piece)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _gathered(chunks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    held: list[NDArray[np.float32]] = []
    length = 0
    for chunk in chunks:
        held.append(chunk)
        length += len(chunk)
        if length >= _BLOCK:
            yield np.concatenate(held)
            held, length = [], 0
    if length:
        yield np.concatenate(held)
