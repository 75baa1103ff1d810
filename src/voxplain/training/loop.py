"""One training loop over cached encoder states: of each utterance some copies, and a profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from voxplain.models.profile import Profile
from voxplain.models.speech_network import SpeechHead, Spoken
from voxplain.training.examples import NOBODY, Examples, Moments, Targets
from voxplain.training.hearing import States

__all__ = ["Schedule", "fit", "loss", "tensors"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    mixup: float
    """Both parameters of the Beta distribution of mixing weights (Zhang et al. 2018)."""


def loss(heard: Spoken, targets: Targets) -> Tensor:
    """Cross-entropies, and for the dimensions squared and pinball errors (Koenker & Bassett 1978).

    The dimensions' errors are in units of 0.1; low and high are the 5 % and the 95 % quantile.
    """
    known = ~targets.dimensions.isnan()
    error = 10 * (targets.dimensions.nan_to_num() - heard.dimensions.movedim(-1, 0))
    low, value, high = error
    pinball = torch.maximum(0.05 * low, -0.95 * low) + torch.maximum(0.95 * high, -0.05 * high)
    distance = ((0.5 * value**2 + pinball) * known).sum() / known.sum().clamp_min(1)
    return (
        _cross_entropy(heard.categories, targets.categories)
        + 0.5 * _cross_entropy(heard.perceived, targets.perceived)
        + 0.25 * _cross_entropy(heard.sound, targets.sound)
        + 0.5 * distance
    )


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over the rows of which something is known."""
    mass = target.sum().clamp_min(1)
    return -(target * logits.log_softmax(-1)).sum() / mass


_SIZES = (0, 1, 3, 8, 20, 80)
"""Utterances that a profile is drawn from, each as often: there may be none, or many."""
_NEUTRAL = 0.3
"""Share of the profiles that hold neutral speech alone, as a reference often does."""


def fit(head: SpeechHead, examples: Examples, schedule: Schedule, *, seed: int) -> None:
    """Train in place: AdamW, one cycle of the learning rate, mixup of the normalised states.

    Each time an utterance comes, half the time as it was recorded, it meets another profile: of no,
    few or many utterances of the same speaker.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    moments = Moments(examples.copies)
    own = {name: np.flatnonzero(examples.speakers == name) for name in set(examples.speakers)}
    own[NOBODY] = np.array([], int)
    plain, more = examples.copies[0], len(examples.copies) - 1

    def copy() -> int:
        return int(generator.integers(1, more + 1)) if more and generator.random() < 0.5 else 0

    def profile(row: int) -> Profile:
        others = own[str(examples.speakers[row])]
        others = others[others != row]
        if generator.random() < _NEUTRAL:
            others = others[examples.neutral[others]]
        size = min(int(generator.choice(_SIZES)), len(others))
        drawn = generator.choice(others, size, replace=False)
        return moments.of(drawn, [copy() for _ in drawn])

    optimiser = torch.optim.AdamW(
        head.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    steps = schedule.epochs * -(-len(plain) // schedule.batch)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        schedule.learning_rate,
        total_steps=max(steps, 11),  # with ten, torch divides by a warm-up of no length
        pct_start=0.1,
    )
    head.train()
    for _ in range(schedule.epochs):
        for rows in _shuffled(plain, schedule.batch, generator):
            padded, mask = _pad([examples.copies[copy()][row] for row in rows])
            known = tensors([profile(row) for row in rows])
            states = head.normalise(padded, *known) * mask[..., None]
            weight = float(generator.beta(schedule.mixup, schedule.mixup))
            weight = max(weight, 1 - weight)
            other = generator.permutation(len(rows))
            targets = examples.targets.rows(rows)
            mixed = weight * states + (1 - weight) * states[other]
            heard = head.judge(mixed, mask | mask[other])
            error = loss(heard, targets.mixed(weight, targets.rows(other)))
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            cycle.step()
    head.eval()


def tensors(profiles: Sequence[Profile]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and square (batch, width) and trust (batch,)."""
    return (
        torch.tensor(np.array([one.mean for one in profiles])).float(),
        torch.tensor(np.array([one.square for one in profiles])).float(),
        torch.tensor([one.trust for one in profiles]),
    )


def _shuffled(
    states: Sequence[States], batch: int, generator: np.random.Generator
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


def _pad(states: Sequence[States]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(state) for state in states])
    parts = [torch.from_numpy(state.astype(np.float32)) for state in states]
    padded = nn.utils.rnn.pad_sequence(parts, batch_first=True)
    return padded, torch.arange(padded.shape[1]) < lengths[:, None]
