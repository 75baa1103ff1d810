"""What a poor recording does to each descriptor, and whether the reliability flag says so.

    python benchmarks/robustness.py --root cremad=DIR --root emodb=DIR

Every recording is measured as it is and worsened; the drift of a descriptor is the median absolute
change over its standard deviation between recordings. Prints a Markdown table of the drift, with
the share of recordings in which the descriptor stays reliable; docs/descriptors.md holds one run.

``--limits`` prints where the cards' least SNRs come from: of the clean recordings (EMO-DB) of the
tuned speakers in white and pink noise, the measured SNR below which the drift is more than 0.5.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import av
import numpy as np
import soxr
from agreement import CORPORA, clips
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.audio import read
from voxplain.cli.train import roots
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.training.sounds import colour

RATE = 16_000
EVERY = 6  # of the held-out recordings

Worse = Callable[[NDArray[np.float64]], tuple[object, int | None]]


def resampled(waveform: NDArray[np.float64], *, rate: int) -> tuple[object, int | None]:
    """The recording at another sampling rate."""
    return soxr.resample(waveform, RATE, rate), rate


def coded(
    waveform: NDArray[np.float64], *, codec: str, container: str, kbit: int
) -> tuple[object, int | None]:
    """The recording through a lossy codec, at 48 kHz."""
    samples = np.clip(soxr.resample(waveform, RATE, 48_000) * 32_767, -32_768, 32_767)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        stream.bit_rate = kbit * 1000
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    file.seek(0)
    with av.open(file) as found:
        pieces = [piece.to_ndarray().mean(0) for piece in found.decode(audio=0)]
    return np.concatenate(pieces).astype(np.float64) / _full_scale(pieces), 48_000


def _full_scale(pieces: list[NDArray[np.float64]]) -> float:
    return 1.0 if pieces[0].dtype.kind == "f" else 32_768.0


def noisy(
    waveform: NDArray[np.float64], *, snr_db: float, tilt: float
) -> tuple[object, int | None]:
    """Noise whose power falls with frequency to the ``tilt`` (0 white, 1 pink)."""
    noise = colour(len(waveform), np.random.default_rng(0), tilt=tilt)
    loud = np.abs(waveform) > 0.1 * np.abs(waveform).max()  # about where somebody speaks
    level = np.sqrt(np.mean(waveform[loud] ** 2)) * 10 ** (-snr_db / 20)
    return waveform + level * noise, RATE


WORSE: dict[str, Worse] = {
    "8 kHz": partial(resampled, rate=8_000),
    "44.1 kHz": partial(resampled, rate=44_100),
    "48 kHz": partial(resampled, rate=48_000),
    "Opus 24 kbit/s": partial(coded, codec="libopus", container="ogg", kbit=24),
    "MP3 64 kbit/s": partial(coded, codec="libmp3lame", container="mp3", kbit=64),
    "white, 30 dB": partial(noisy, snr_db=30, tilt=0),
    "white, 20 dB": partial(noisy, snr_db=20, tilt=0),
    "white, 10 dB": partial(noisy, snr_db=10, tilt=0),
    "pink, 20 dB": partial(noisy, snr_db=20, tilt=1),
    "pink, 10 dB": partial(noisy, snr_db=10, tilt=1),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", action="append", required=True, metavar="CORPUS=DIR")
    parser.add_argument("--limits", action="store_true")
    arguments = parser.parse_args()
    if arguments.limits:
        _limits(clips(roots(arguments), held_out=False))
        return
    chosen = clips(roots(arguments))[::EVERY]
    paths = [path for path, _ in chosen]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(measured, worse=WORSE), paths))
    values, reliable = (np.array(part) for part in zip(*found, strict=True))
    snr_db = values[:, 0, list(descriptors.inventory()).index("snr_db")]
    for corpus in CORPORA:
        here = np.array([own == corpus for _, own in chosen])
        print(f"{corpus}: {here.sum()} recordings, median SNR {np.nanmedian(snr_db[here]):.0f} dB")
    print(f"\n| descriptor | {' | '.join(WORSE)} |")
    print("|---" * (len(WORSE) + 1) + "|")
    far = []
    for row, (name, card) in enumerate(descriptors.inventory().items()):
        cells = list(_cells(values[:, :, row], reliable[:, :, row]))
        print(f"| `{name}` | {' | '.join(f'{drift:.2f} ({kept:.0%})' for drift, kept in cells)} |")
        if card.least_snr_db > 0 or card.least_snr_high_db > 0 or card.least_bandwidth_hz:
            far += [kept for drift, kept in cells if drift > 0.5]
    right = sum(kept <= 0.5 for kept in far)
    print(f"\nDrift above 0.5: {len(far)} cells; most are called unreliable in {right} of them.")


def measured(
    path: Path, *, worse: Mapping[str, Worse]
) -> tuple[list[list[float]], list[list[bool]]]:
    """Values and reliability (conditions, descriptors) of a recording, as it is at first."""
    waveform = read.read(path).waveform.astype(np.float64)
    rows = []
    for source, rate in [(waveform, RATE), *(make(waveform) for make in worse.values())]:
        found = Measurement(np.asarray(source, np.float32), sampling_rate=rate).functionals()
        rows.append([(quantity.value, quantity.reliable) for quantity in found.values()])
    return (
        [[value for value, _ in row] for row in rows],
        [[reliable for _, reliable in row] for row in rows],
    )


def _cells(
    values: NDArray[np.float64], reliable: NDArray[np.bool_]
) -> Iterator[tuple[float, float]]:
    """Drift and share still reliable, of the recordings (n, conditions) reliable as they were."""
    good = reliable[:, 0]
    spread = values[good, 0].std()
    for condition in range(1, values.shape[1]):
        change = np.abs(values[good, condition] - values[good, 0])
        drift = float(np.nanmedian(change) / spread) if spread else np.nan
        yield drift, float(reliable[good, condition].mean())


NOISES = {
    f"{tilt} {snr_db}": partial(noisy, snr_db=snr_db, tilt=tilt)
    for tilt in (0, 1)
    for snr_db in (35, 30, 25, 20, 15, 10, 5)
}


def _limits(chosen: Sequence[tuple[Path, str]]) -> None:
    """Print the SNR, and that at 1-5 kHz, below which the drift of a descriptor is above 0.5."""
    clean = [path for path, corpus in chosen if corpus == "emodb"][::4]
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(partial(measured, worse=NOISES), clean))
        usual = list(pool.map(partial(measured, worse={}), [path for path, _ in chosen[::4]]))
    names = list(descriptors.inventory())
    values = np.array([rows for rows, _ in found])
    spread = np.nanstd([rows[0] for rows, _ in usual], axis=0)
    drift = np.abs(values[:, 1:] - values[:, :1]) / np.where(spread > 0, spread, np.nan)
    print("| descriptor | least SNR | least SNR at 1-5 kHz |\n|---|---|---|")
    for row, name in enumerate(names):
        cells = [
            _limit(values[:, 1:, names.index(snr)], drift[:, :, row])
            for snr in ("snr_db", "snr_high_db")
        ]
        print(f"| `{name}` | {' | '.join(cells)} |")


def _limit(snr_db: NDArray[np.float64], drift: NDArray[np.float64]) -> str:
    """The highest SNR at which, within 1.5 dB around it, the median drift is above 0.5."""
    for least in range(40, 2, -1):
        near = drift[(np.abs(snr_db - least) < 1.5) & np.isfinite(drift)]
        if len(near) > 11 and np.median(near) > 0.5:
            return f"{least} dB"
    return ""


if __name__ == "__main__":
    main()
