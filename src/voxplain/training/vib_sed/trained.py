"""A model of VIB-Emo that was trained: its network, and what it says of states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from voxplain.models import decoder
from voxplain.models.description import Description, Middle
from voxplain.models.levels import Thresholds
from voxplain.models.vib_sed import TASKS, VibSed
from voxplain.training.experiment.sources import StateSource
from voxplain.training.vib_sed.sources import LiveSource

__all__ = ["LATENTS", "Heard", "Trained"]

LATENTS = ("content", "descriptors")
"""In the order of ``TASKS``, which teach them; not disentangled, they are one and the same."""

Heard = StateSource | LiveSource

_BATCH = 16


class Trained:
    """A model folder, as a training leaves it."""

    def __init__(self, folder: Path) -> None:
        card: dict[str, Any] = json.loads((folder / "card.json").read_bytes())
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.slots: tuple[str, ...] = tuple(card["slots"])
        self.middles: dict[str, Middle] = card["middles"]
        self.thresholds = Thresholds.load(folder / "labels.json")
        speaker = decoder.load(folder / "llm")
        self.network = VibSed(speaker.llm, speaker.tokenizer, **card["network"])
        own = load_file(folder / "network.safetensors")
        self.network.load_state_dict({**self.network.state_dict(), **own})
        self.network.eval()

    def latents(self, heard: Heard) -> dict[str, NDArray[np.float32]]:
        """Of each of ``LATENTS`` the mean of its mu over the frames of a clip (n, latent)."""
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in LATENTS}
        for rows in _batches(len(heard.lengths)):
            inputs = heard.inputs(rows, None)
            latents = self.network.latents(**inputs)
            frames = inputs["mask"].sum(1, keepdim=True)
            for name, task in zip(LATENTS, TASKS, strict=True):
                own = latents[self.network.heard[task][-1]]
                found[name].append((own.sum(1) / frames).numpy())
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def describe(self, heard: Heard, words: Sequence[Sequence[str]]) -> list[Description]:
        """How each clip sounds; ``words`` are those of its transcript."""
        found: list[Description] = []
        for rows in _batches(len(heard.lengths)):
            told = self.network.describe(
                **heard.inputs(rows, None),
                words=[words[row] for row in rows.tolist()],
                labels=self.labels,
                taught=self.slots,
                middles=self.middles,
            )
            found += [one.description for one in told]
        return found


def _batches(clips: int) -> list[NDArray[np.int64]]:
    return [np.arange(at, min(at + _BATCH, clips)) for at in range(0, clips, _BATCH)]
