"""One training loop over cached encoder states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Schedule", "fit", "predict"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    mixup: float
    """Both parameters of the Beta distribution of mixing weights (Zhang et al. 2018)."""


def fit(
    network: nn.Module,
    states: Sequence[Tensor],
    targets: Tensor,
    schedule: Schedule,
    *,
    seed: int,
) -> None:
    """Train in place. ``states`` (frames, width) each, ``targets`` (n,) class indices.

    AdamW, one cycle of the learning rate, mixup of the states and their targets.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    batches = -(-len(states) // schedule.batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=schedule.epochs * batches, pct_start=0.1
    )
    network.train()
    for _ in range(schedule.epochs):
        for rows in _shuffled(states, schedule.batch, generator):
            padded, mask = _pad([states[row] for row in rows])
            weight = float(generator.beta(schedule.mixup, schedule.mixup))
            weight = max(weight, 1 - weight)
            other = generator.permutation(len(rows))
            padded = weight * padded + (1 - weight) * padded[other]
            logits = network(padded, mask | mask[other])
            aim = functional.one_hot(targets[rows], logits.shape[1]).float()
            aim = weight * aim + (1 - weight) * aim[other]
            loss = functional.cross_entropy(logits, aim)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            cycle.step()
    network.eval()


def predict(network: nn.Module, states: Sequence[Tensor], *, batch: int = 64) -> Tensor:
    """Logits (n, classes), in the order of the states."""
    order = sorted(range(len(states)), key=lambda row: len(states[row]))
    found: list[Tensor] = [torch.empty(0)] * len(states)
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            logits = network(*_pad([states[row] for row in rows]))
            for row, line in zip(rows, logits, strict=True):
                found[row] = line
    return torch.stack(found)


def _shuffled(
    states: Sequence[Tensor], batch: int, generator: np.random.Generator
) -> Iterator[list[int]]:
    """Batches of similar length, in random order: little padding, still random company."""
    order = generator.permutation(len(states)).tolist()
    pool = 16 * batch
    batches = []
    for first in range(0, len(order), pool):
        near = sorted(order[first : first + pool], key=lambda row: len(states[row]))
        batches += [near[at : at + batch] for at in range(0, len(near), batch)]
    generator.shuffle(batches)
    yield from batches


def _pad(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(state) for state in states])
    padded = nn.utils.rnn.pad_sequence([state.float() for state in states], batch_first=True)
    return padded, torch.arange(padded.shape[1]) < lengths[:, None]
