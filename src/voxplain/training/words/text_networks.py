"""What reads texts in torch, and one loop for both: a small network, and Hugging Face encoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim.swa_utils import AveragedModel

from voxplain.errors import WeightsMissing
from voxplain.plugins import require

__all__ = ["Schedule", "TextEncoder", "WordNetwork", "fit", "outputs"]

_WARM_UP = 0.05  # share of the steps
_AVERAGED = 0.2  # share of the steps, the last
_UNLIKE = 2.0  # what the lengths in a batch may differ by, in pieces or letters
_AT_ONCE = 128  # texts, where nothing is learned
_LONGEST = 128  # pieces that an encoder reads of a text


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int
    learning_rate: float
    """The highest: it rises for 5 % of the steps and then falls to zero."""


class WordNetwork(nn.Module):
    """The network of ``voxplain.text.emotion``: places of pieces -> outputs (n, outputs)."""

    def __init__(
        self,
        table: NDArray[np.float32],
        *,
        channels: int,
        outputs: int,
        dropout: float,
        hidden: float,
    ) -> None:
        """From vectors (entries, width); ``hidden`` is the share of pieces hidden in training."""
        super().__init__()
        width = table.shape[1]
        own = torch.tensor(table)  # a copy: it will move
        self.table = nn.Embedding.from_pretrained(own, freeze=False, sparse=True)
        self.convolution = nn.Conv1d(width, channels, 3, padding=1)
        self.attention = nn.Linear(width + channels, 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width + 2 * channels, outputs)
        self.hidden = hidden

    def forward(self, items: Sequence[Sequence[int]]) -> Tensor:
        """(n, outputs) of texts, each as the places of its pieces, at least one."""
        places = pad_sequence([torch.tensor(one) for one in items], batch_first=True)
        lengths = torch.tensor([len(one) for one in items])
        inside = torch.arange(places.shape[1]) < lengths[:, None]
        shown = inside & (torch.rand(places.shape) >= self.hidden) if self.training else inside
        vectors = self.table(places) * shown[..., None]
        features = self.convolution(vectors.mT).relu().mT * inside[..., None]
        both = torch.cat([vectors, features], -1)
        attention = self.attention(both)[..., 0].masked_fill(~inside, -torch.inf).softmax(-1)
        pooled = torch.cat([(both * attention[..., None]).sum(1), features.amax(1)], -1)
        return self.head(self.dropout(pooled))

    def optimisers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """Only vectors of words that occurred move, half as fast as the rest."""
        rest = [one for one in self.parameters() if one is not self.table.weight]
        return [
            torch.optim.SparseAdam([self.table.weight], lr=learning_rate / 2),
            torch.optim.AdamW(rest, lr=learning_rate, weight_decay=0.01),
        ]


class TextEncoder(nn.Module):
    """A Hugging Face text encoder, the mean of its last states, and linear outputs.

    With a ``rank``, low-rank changes of its linear layers are trained instead of the layers
    (LoRA, Hu et al. 2022); ``save`` writes them into the layers.
    """

    def __init__(self, folder: Path, *, outputs: int, rank: int = 0) -> None:
        """From a checkpoint folder, or one that ``save`` wrote.

        Raises WeightsMissing.
        """
        super().__init__()
        transformers = require("transformers", extra="train")
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            self.base = transformers.AutoModel.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise WeightsMissing(
                f"{folder} holds no text encoder in the layout of Hugging Face: {error}"
            ) from error
        self.base.get_input_embeddings().requires_grad_(False)
        self.head = nn.Linear(self.base.config.hidden_size, outputs)
        if (folder / "head.safetensors").is_file():
            self.head.load_state_dict(load_file(folder / "head.safetensors"))
        if rank:
            peft = require("peft", extra="train")
            how = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
            self.base = peft.get_peft_model(self.base, how)

    def forward(self, items: Sequence[str]) -> Tensor:
        """(n, outputs) of texts."""
        told = self.tokenizer(
            list(items), padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
        )
        # Half the time, where the processor has it; figures come from whole precision.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            states = self.base(**told).last_hidden_state.float()
        inside = told["attention_mask"][..., None]
        return self.head((states * inside).sum(1) / inside.sum(1))

    def optimisers(self, learning_rate: float) -> list[torch.optim.Optimizer]:
        """The new outputs learn ten times as fast; vectors of words stay as they are."""
        moved = [one for one in self.base.parameters() if one.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": moved},
            {"params": list(self.head.parameters()), "lr": 10 * learning_rate},
        ]
        return [torch.optim.AdamW(groups, lr=learning_rate, weight_decay=0.01)]

    def save(self, folder: Path) -> None:
        """The checkpoint, its tokenizer and ``head.safetensors``."""
        base = self.base.merge_and_unload() if hasattr(self.base, "merge_and_unload") else self.base
        base.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        save_file(self.head.state_dict(), folder / "head.safetensors")


def fit(
    network: WordNetwork | TextEncoder,
    items: Sequence[Any],
    loss: Callable[[Tensor, NDArray[np.int64]], Tensor],
    schedule: Schedule,
    *,
    seed: int,
) -> None:
    """Let a network learn from texts, or from the places of their pieces.

    ``loss`` has the outputs and the rows of ``items`` that they are of. The weights are
    the mean of those of the last fifth of the steps (Izmailov et al. 2018).
    """
    generator = np.random.default_rng(seed)
    optimisers = network.optimisers(schedule.learning_rate)
    steps = schedule.epochs * math.ceil(len(items) / schedule.batch)
    warm = math.ceil(_WARM_UP * steps)
    cycles = [
        torch.optim.lr_scheduler.LambdaLR(
            one, lambda step: min((step + 1) / warm, (steps - step) / (steps - warm))
        )
        for one in optimisers
    ]
    average = AveragedModel(network)
    network.train()
    for step, rows in enumerate(
        rows for _ in range(schedule.epochs) for rows in _batches(items, schedule.batch, generator)
    ):
        error = loss(network([items[row] for row in rows]), rows)
        network.zero_grad()
        error.backward()
        for optimiser, cycle in zip(optimisers, cycles, strict=True):
            optimiser.step()
            cycle.step()
        if step >= (1 - _AVERAGED) * (steps - 1):
            average.update_parameters(network)
    network.load_state_dict(average.module.state_dict())


@torch.inference_mode()
def outputs(network: WordNetwork | TextEncoder, items: Sequence[Any]) -> NDArray[np.float32]:
    """(n, outputs) of texts, or of the places of their pieces."""
    network.eval()
    order = np.argsort([len(one) for one in items], kind="stable")
    parts = [order[first : first + _AT_ONCE] for first in range(0, len(order), _AT_ONCE)]
    found = np.concatenate([network([items[row] for row in rows]).numpy() for rows in parts])
    return found[np.argsort(order)]


def _batches(
    items: Sequence[Any], size: int, generator: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Rows of items that are about equally long, in any order."""
    lengths = np.array([len(one) for one in items])
    order = np.argsort(lengths + generator.uniform(-_UNLIKE, _UNLIKE, len(items)))
    parts = np.array_split(order, math.ceil(len(items) / size))
    generator.shuffle(parts)
    yield from parts
