"""Sound made small: what of it goes into a page, as bytes that every browser plays or shows."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from voxplain.types import Analysis, Audio, Segment

__all__ = [
    "EXACT",
    "TOP_HZ",
    "WHOLE_HEARD",
    "compressed",
    "cut",
    "envelope",
    "exact",
    "heard",
    "height",
    "seen",
    "spectrogram",
]

WHOLE_HEARD = 300.0
"""Seconds up to which a page holds all of a recording: 2 MB as MP3."""
EXACT = 20.0
"""Seconds up to which a page holds a recording as it is: 0.9 MB as WAV."""
TOP_HZ = 8000.0
"""The upper edge of a spectrogram, if the sound reaches so far."""

_WHOLE_SEEN = 30.0  # s up to which all of a recording is drawn
_CONTEXT = 2.0  # s before and after the stretch explained
_COLUMNS, _ROWS = 1000, 128
_WINDOW = 0.025  # s
_DYNAMIC_RANGE = 55.0  # dB
_SILENCE = -60.0  # dB below which nothing is drawn, however loud beside the rest
_SHADES = 48


def seen(analysis: Analysis) -> Segment:
    """The stretch that a page draws: everything, or the one explained (else the first)."""
    if analysis.duration <= _WHOLE_SEEN or not analysis.segments:
        return Segment(0.0, min(analysis.duration, _WHOLE_SEEN))
    number = analysis.explanation.segment if analysis.explanation else 0
    stretch = analysis.segments[number]
    return Segment(
        max(0.0, stretch.start - _CONTEXT), min(analysis.duration, stretch.end + _CONTEXT)
    )


def heard(analysis: Analysis) -> Segment:
    """The stretch whose sound a page holds: all of it, or what is drawn."""
    whole = analysis.duration <= WHOLE_HEARD
    return Segment(0.0, analysis.duration) if whole else seen(analysis)


def cut(audio: Audio, stretch: Segment) -> Audio:
    """The sound of a stretch."""
    start, end = (round(second * audio.sampling_rate) for second in (stretch.start, stretch.end))
    return Audio(audio.waveform[start:end], audio.sampling_rate, audio.source)


def exact(audio: Audio) -> str:
    """A data URL of WAV with 16 bits: 43 kB a second.

    Not FLAC, which halves it: Chromium hangs when it seeks near the end of one.
    """
    return _data_url(_encoded(audio, "WAV"), "audio/wav")


def compressed(audio: Audio) -> str:
    """A data URL of MP3, which keeps the times: 7 kB a second."""
    return _data_url(_encoded(audio, "MP3"), "audio/mpeg")


def _encoded(audio: Audio, kind: str) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, np.clip(audio.waveform, -1, 1), audio.sampling_rate, format=kind)
    return stream.getvalue()


def envelope(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lowest and highest sample (2, columns) of up to 1000 equal parts."""
    columns = min(_COLUMNS, len(waveform))
    starts = np.linspace(0, len(waveform), columns, endpoint=False).astype(int)
    return np.stack([f.reduceat(waveform, starts) for f in (np.minimum, np.maximum)])


def height(hz: NDArray[np.float64] | float, top_hz: float) -> NDArray[np.float64]:
    """Where frequencies lie in the picture: 0 at its upper edge, 1 at 0 Hz, mel between.

    Mel after O'Shaughnessy (1987).
    """
    mel = np.log1p(np.minimum(hz, top_hz) / 700) / np.log1p(top_hz / 700)
    return np.asarray(1 - mel)


def spectrogram(audio: Audio) -> tuple[str, float]:
    """A data URL of a PNG, ink on nothing, and the frequency at its upper edge in Hz.

    Hann windows of 25 ms, the treble raised by 6 dB an octave as in Praat, 55 dB from the loudest
    point to none.
    """
    waveform, sampling_rate = audio.waveform, audio.sampling_rate
    top_hz = min(TOP_HZ, sampling_rate / 2)
    window = round(_WINDOW * sampling_rate)
    size = max(1024, window)
    hop = max(1, -(-len(waveform) // _COLUMNS))
    raised = np.diff(np.pad(waveform, (window // 2 + 1, window)))
    frames = np.lib.stride_tricks.sliding_window_view(raised, window)[: len(waveform) : hop]
    spectrum = np.fft.rfft(frames * np.hanning(window).astype(np.float32), n=size)
    # The power between the edges of each row, by interpolating its sum up to each bin.
    summed = np.cumsum(spectrum.real**2 + spectrum.imag**2, axis=-1)
    edges = 700 * np.expm1(np.linspace(np.log1p(top_hz / 700), 0, _ROWS + 1))
    bins = edges / sampling_rate * size
    left = np.minimum(bins.astype(int), summed.shape[1] - 2)
    upto = summed[:, left] + (bins - left) * (summed[:, left + 1] - summed[:, left])
    density = np.diff(upto) / np.diff(bins)
    level = 10 * np.log10(np.maximum(density, 1e-12)).T
    loudest = max(level.max(), _SILENCE)
    shade = np.clip(1 + (level - loudest) / _DYNAMIC_RANGE, 0, 1)
    return _data_url(_png(np.round(shade * (_SHADES - 1)).astype(np.uint8)), "image/png"), top_hz


def _png(shades: NDArray[np.uint8]) -> bytes:
    """A picture (rows, columns) of black at 0 to 100 % opacity in equal steps."""
    rows, columns = shades.shape
    opacity = np.linspace(0, 255, _SHADES).astype(np.uint8)
    lines = np.pad(shades, ((0, 0), (1, 0)))  # each line begins with the number of its filter: none
    chunks = (
        (b"IHDR", struct.pack(">2I5B", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(3 * _SHADES)),
        (b"tRNS", opacity.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _data_url(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
