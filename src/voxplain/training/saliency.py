"""The published network of the saliency study: its front end, in numpy, and its training.

Nasr et al. (2025, arXiv 2511.11691): 2 s of the first stretch without a long silence, in 128 mel
bands every 15 ms, in dB below the loudest point. Where the stretch begins is kept, so that what is
found in a spectrogram has its place in the original recording.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save_file
from torch.nn import functional

from voxplain.audio import read
from voxplain.audio.log_mel import SAMPLING_RATE, _slaney_hz, _slaney_mel
from voxplain.errors import ArtifactError, ConfigError, WeightsMissing
from voxplain.explainers import Grid
from voxplain.models.saliency_cnn import SaliencyCNN
from voxplain.training.corpora._reading import Utterance
from voxplain.training.hearing import of_each, read_corpora
from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.metrics.wa import accuracy
from voxplain.training.statistics import speaker_interval
from voxplain.types import Segment

__all__ = [
    "SaliencyRecipe",
    "grid",
    "load_network",
    "logits",
    "mel_power",
    "sounding",
    "spectrogram",
    "train",
]

log = logging.getLogger(__name__)

BANDS, HOP, WINDOW, POINTS = 128, 240, 480, 1024
SECONDS = 2.0
"""Of sound in a spectrogram; what is missing is silence."""
FLOOR_DB = -80.0


def spectrogram(
    waveform: NDArray[np.float32], *, sampling_rate: int = SAMPLING_RATE
) -> NDArray[np.float32]:
    """(128, 134) dB below the loudest point, from -80 to 0, of the first 2 s of a waveform.

    The numbers are those of librosa's ``power_to_db(melspectrogram(...), ref=max)``. At 24 kHz
    windows and hop count as many samples, and there are 201 frames.
    """
    length = round(SECONDS * sampling_rate)
    sound = np.pad(waveform[:length], (0, max(0, length - len(waveform))))
    power = mel_power(sound, sampling_rate=sampling_rate)
    relative = power / max(float(power.max()), 1e-10)
    found: NDArray[np.float64] = 10 * np.log10(np.maximum(relative, 10 ** (FLOOR_DB / 10)))
    return found.astype(np.float32)


def mel_power(
    waveform: NDArray[np.float32], *, sampling_rate: int = SAMPLING_RATE
) -> NDArray[np.float64]:
    """(128, samples // 240 + 1) power in mel bands, frames centred on every 240th sample."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, WINDOW // 2), WINDOW)[::HOP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    spectrum = np.fft.rfft(frames * window, POINTS)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.ascontiguousarray((power @ _filters(sampling_rate)).T)


@functools.cache
def _corners_hz(bands: int, sampling_rate: int) -> NDArray[np.float64]:
    """(bands + 2,) where the triangles begin, peak and end, on Slaney's mel scale."""
    return _slaney_hz(np.linspace(0, _slaney_mel(sampling_rate / 2), bands + 2))


@functools.cache
def _filters(sampling_rate: int) -> NDArray[np.float64]:
    """(513, 128) triangles of unit area."""
    hz = _corners_hz(BANDS, sampling_rate)
    bins = np.fft.rfftfreq(POINTS, 1 / sampling_rate)[:, None]
    low, centre, high = hz[:-2], hz[1:-1], hz[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def grid(start: float, *, bands: int = BANDS, frame_shift: float = HOP / SAMPLING_RATE) -> Grid:
    """Where rows and columns of a mel spectrogram lie, of sound that begins at ``start`` seconds.

    A frame is centred on its time; a band reaches halfway to the peaks of its neighbours.
    """
    hz = _corners_hz(bands, SAMPLING_RATE)
    between = (hz[1:] + hz[:-1]) / 2
    return Grid(start - frame_shift / 2, frame_shift, tuple(between.tolist()))


_LEAST_SILENCE = 500  # ms
_BELOW_DB = 14.0  # below the level of the recording


def sounding(waveform: NDArray[np.float32]) -> Segment:
    """The first stretch of a 16 kHz waveform without a silence of half a second, in seconds.

    Silent is what lies 14 dB below the level of the whole. All of it, where all is silent.
    """
    step = SAMPLING_RATE // 1000
    power = np.square(waveform[: len(waveform) // step * step], dtype=np.float64)
    total = np.append(0, power.reshape(-1, step).sum(1).cumsum())  # up to every millisecond
    end = len(total) - 1
    if end <= _LEAST_SILENCE:
        return Segment(0.0, len(waveform) / SAMPLING_RATE)
    limit = total[-1] / end * 10 ** (-_BELOW_DB / 10)
    silent = total[_LEAST_SILENCE:] - total[:-_LEAST_SILENCE] <= limit * _LEAST_SILENCE
    loud = np.convolve(silent, np.ones(_LEAST_SILENCE)) < 0.5
    if not loud.any():
        return Segment(0.0, len(waveform) / SAMPLING_RATE)
    first = int(loud.argmax())
    later = np.flatnonzero(~loud[first:])
    return Segment(first / 1000, (first + int(later[0]) if len(later) else end) / 1000)


@dataclass(frozen=True, slots=True)
class SaliencyRecipe:
    """What ``recipes/beyond_saliency/network*.yaml`` may say."""

    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that nobody hears."""
    labels: tuple[str, ...]
    dev: tuple[str, ...]
    """Speakers whose recordings choose the epoch."""
    test: tuple[str, ...]
    """Speakers who are tested."""
    mixed: float
    """Instead of both, the share of each emotion's recordings, by whomever, that does both."""
    epochs: int
    batch: int
    learning_rate: float
    """The highest of one cycle."""
    weight_decay: float
    dropout: float
    seed: int


def train(
    recipe: SaliencyRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``network.safetensors`` and ``card.json`` with its figures on the speakers tested.

    The weights are those of the epoch with the highest UAR on ``dev``.

    Raises ConfigError or CorpusNotFound.
    """
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=recipe.labels, left_out=recipe.left_out
    )
    learned, choosing, tested = _split(recipe, utterances)
    heard = of_each(_heard, [str(one.path) for one in utterances], cache=cache, jobs=jobs)
    inputs = torch.from_numpy(np.stack(heard))[:, None]
    truth = torch.tensor([recipe.labels.index(one.emotion) for one in utterances])
    network, recalls = _fit(recipe, inputs, truth, learned=learned, choosing=choosing)
    found = logits(network, inputs[tested].float()).argmax(1)
    speakers = np.array([one.speaker for one in utterances])
    names = {"UAR": unweighted_average_recall, "accuracy": accuracy}
    figures = {
        name: asdict(speaker_interval(metric, truth[tested], found, speakers=speakers[tested]))
        for name, metric in names.items()
    }
    log.info("tested: %s", figures)
    out.mkdir(parents=True, exist_ok=True)
    place = out / "network.safetensors"
    save_file(network.state_dict(), place)
    card = {
        "labels": recipe.labels,
        "recipe": asdict(recipe),
        "sha256": hashlib.sha256(place.read_bytes()).hexdigest(),
        "learned_from": {"n": len(learned), "speakers": len(set(speakers[learned]))},
        "dev_UAR": recalls,
        "figures": figures,
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def load_network(folder: Path) -> tuple[SaliencyCNN, tuple[str, ...]]:
    """A network that ``train`` wrote, ready to judge, and its labels.

    Raises WeightsMissing or ArtifactError.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        weights = (folder / "network.safetensors").read_bytes()
    except OSError as error:
        raise WeightsMissing(
            f"{folder} holds no network: {error.filename} can't be read; "
            "train one: voxplain train recipes/beyond_saliency/network.yaml"
        ) from error
    found = hashlib.sha256(weights).hexdigest()
    if found != card["sha256"]:
        raise ArtifactError(
            f"{folder} holds weights with SHA-256 {found[:12]}…, its card says "
            f"{card['sha256'][:12]}…; train the network again"
        )
    network = SaliencyCNN(labels=len(card["labels"]))
    network.load_state_dict(load(weights))
    return network.eval(), tuple(card["labels"])


@torch.inference_mode()
def logits(network: SaliencyCNN, inputs: torch.Tensor, *, batch: int = 64) -> NDArray[np.float32]:
    """(n, labels) of spectrograms (n, 1, bands, frames), as many at a time as a cache holds."""
    network.eval()
    return np.concatenate([network(part).numpy() for part in inputs.split(batch)])


def _heard(path: str) -> NDArray[np.float16]:
    waveform = read.read(path).waveform
    sound = sounding(waveform)
    first, last = (round(edge * SAMPLING_RATE) for edge in (sound.start, sound.end))
    return spectrogram(waveform[first:last]).astype(np.float16)


def _split(
    recipe: SaliencyRecipe, utterances: Sequence[Utterance]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from, to choose the epoch by, and to test."""
    everything = np.arange(len(utterances))
    if recipe.mixed:
        generator = np.random.default_rng(recipe.seed)
        emotions = np.array([one.emotion for one in utterances])
        drawn = [generator.permutation(np.flatnonzero(emotions == e)) for e in recipe.labels]
        both = np.sort(np.concatenate([rows[: round(recipe.mixed * len(rows))] for rows in drawn]))
        return np.setdiff1d(everything, both), both, both
    speakers = np.array([one.speaker for one in utterances])
    for name in (*recipe.dev, *recipe.test):
        if name not in speakers:
            raise ConfigError(f"the speaker {name!r} of dev or test has no recording; see --root")
    if shared := sorted(set(recipe.dev) & set(recipe.test)):
        raise ConfigError(f"dev and test share speakers: {', '.join(shared)}")
    dev, test = np.isin(speakers, recipe.dev), np.isin(speakers, recipe.test)
    return everything[~dev & ~test], everything[dev], everything[test]


def _fit(
    recipe: SaliencyRecipe,
    inputs: torch.Tensor,
    truth: torch.Tensor,
    *,
    learned: NDArray[np.int64],
    choosing: NDArray[np.int64],
) -> tuple[SaliencyCNN, list[float]]:
    """AdamW, one cycle of the learning rate; the best epoch, and the UAR of each."""
    torch.manual_seed(recipe.seed)
    network = SaliencyCNN(labels=len(recipe.labels), dropout=recipe.dropout)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = len(learned) // recipe.batch  # an epoch leaves a rest out: no batch of one
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, epochs=recipe.epochs, steps_per_epoch=steps
    )
    best, recalls = copy.deepcopy(network), []
    for epoch in range(recipe.epochs):
        network.train()
        for rows in torch.from_numpy(learned)[torch.randperm(len(learned))].split(recipe.batch):
            if len(rows) < recipe.batch:
                break
            error = functional.cross_entropy(network(inputs[rows].float()), truth[rows])
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            cycle.step()
        found = logits(network, inputs[choosing].float()).argmax(1)
        recalls.append(unweighted_average_recall(truth[choosing], found))
        log.info("epoch %d of %d: dev UAR %.3f", epoch + 1, recipe.epochs, recalls[-1])
        if recalls[-1] == max(recalls):
            best = copy.deepcopy(network)
    return best, recalls
