"""The loop: every step is a function of its number, so that whoever is killed goes on unchanged.

Order, mixing, augmentation and dropout of a step are drawn from the seed and the number of the step
alone. What is saved is the weights, the optimiser and that number.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from numpy.typing import NDArray
from torch import Tensor, nn

from voxplain.errors import ConfigError
from voxplain.models.experiment_network import Mix
from voxplain.models.heads import Heard
from voxplain.training.experiment.checkpoint import load_state, save_state
from voxplain.training.experiment.goals import Goals, label_weights, loss
from voxplain.training.experiment.recipe import Tasks, TrainPlan

__all__ = ["LONGEST", "Fit", "Found", "Source", "batches", "rate"]

log = logging.getLogger(__name__)

Rows = NDArray[np.int64]
Weights = dict[str, Tensor]


class Source(Protocol):
    """What the network hears of recordings."""

    @property
    def lengths(self) -> Sequence[int]:
        """Of each recording, in any unit."""

    def inputs(self, rows: Rows, generator: np.random.Generator | None) -> dict[str, Any]:
        """What ``ExperimentNetwork.forward`` takes; with a generator, as in training."""


class Found(NamedTuple):
    """What a network says of recordings, not yet calibrated; fields as those of ``Heard``."""

    categories: NDArray[np.float32]
    """(n, labels) logits"""
    dimensions: NDArray[np.float32]
    """(n, 3)"""
    gates: NDArray[np.float32]
    """(n, branches), or (n, 0)"""
    routes: NDArray[np.float32]
    """(n, outputs, experts), or (n, 0)"""


class Fit:
    """One training of a network on some rows; ``run`` leaves it with the weights that dev chose."""

    def __init__(
        self,
        network: nn.Module,
        source: Source,
        goals: Goals,
        *,
        train: Rows,
        dev: Rows,
        plan: TrainPlan,
        tasks: Tasks,
        seed: int,
        score: Callable[[Found], float],
        accelerator: Accelerator,
        state: Path,
        name: str,
        balance: float = 0.0,
        after: int = 0,
        board: Any = None,
    ) -> None:
        """``score`` of what is found in ``dev``, the higher the better; ``state`` is the file that
        the training goes on from, ``balance`` what ``loss`` takes, ``after`` how many trainings
        follow, ``board`` a TensorBoard writer.
        """
        self.source, self.goals, self.train, self.dev = source, goals, train, dev
        self.plan, self.tasks, self.seed, self.score = plan, tasks, seed, score
        self.accelerator, self.state, self.name, self.board = accelerator, state, name, board
        self.balance, self.after = balance, after
        self.weights = torch.ones(goals.categories.shape[1])
        if plan.class_weights and tasks.categories:
            self.weights = label_weights(goals.rows(train))
        optimiser = torch.optim.AdamW(_groups(network, plan), weight_decay=plan.weight_decay)
        self.network, self.optimiser = accelerator.prepare(network, optimiser)
        self.weights = self.weights.to(accelerator.device)
        self.per_epoch = -(-len(train) // plan.batch)
        self.step = 0
        self.history: list[dict[str, float]] = []
        """Of each epoch its mean loss and the score of dev."""
        self.best: Weights = {}
        self.losses: list[float] = []
        """Of the steps of this epoch."""
        self.order: list[Rows] = []
        """The batches of this epoch."""

    @property
    def steps(self) -> int:
        """Of all epochs."""
        return self.plan.epochs * self.per_epoch

    @property
    def chosen(self) -> int:
        """The first epoch with the highest score, from 0."""
        scores = np.array([epoch["score"] for epoch in self.history])
        return int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))

    def run(self) -> None:
        """Learn to the end, from where the state stands."""
        if self.state.is_file():
            self._resume()
        began, first = time.monotonic(), self.step
        while self.step < self.steps and not self._given_up():
            self._learn()
            self.step += 1
            ended = self.step % self.per_epoch == 0
            if ended:
                self._choose(time.monotonic() - began, self.step - first)
            every = self.plan.save_every
            if ended or (every and self.step % every == 0):
                self._save()
        self._own().load_state_dict(self.best, strict=False)

    def read(self, rows: Rows, source: Source | None = None) -> Found:
        """What the network says of recordings, each process of its share."""
        source = source or self.source
        network = self._own().eval()  # processes need not hear as many batches
        order = rows[np.argsort([source.lengths[row] for row in rows.tolist()], kind="stable")]
        parts = [order[at : at + self.plan.batch] for at in range(0, len(order), self.plan.batch)]
        accelerator, heard = self.accelerator, []
        with torch.inference_mode():
            for part in parts[accelerator.process_index :: accelerator.num_processes]:
                inputs = send_to_device(source.inputs(part, None), accelerator.device)
                said = network(**inputs)
                told = (getattr(said, name).float().cpu().numpy() for name in Found._fields)
                heard.append((part, *told))
        if accelerator.num_processes > 1:
            heard = gather_object(heard)
        read, *found = (np.concatenate(one) for one in zip(*heard, strict=True))
        back = np.argsort(read)[np.argsort(np.argsort(rows))]
        return Found(*(one[back] for one in found))

    def _learn(self) -> None:
        """One step: the losses and their gradients are those of the whole batch.

        1 - CCC of a batch is not the mean over its parts. So where a batch is heard in parts, all
        are heard first, the gradient of the loss with respect to what was found is taken over all
        of them, and each part is heard again to hand it on (gradient caching, Gao et al. 2021,
        arXiv 2101.06983).
        """
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = group["full"] * rate(self.step, self.steps, self.plan.warm_up)
        parts = self._batch()
        at_once = len(parts) == 1
        with torch.set_grad_enabled(at_once):
            heard = [self._hear(part, number) for number, part in enumerate(parts)]
        value, gradients = self._gradients(heard)
        if not math.isfinite(value):
            raise ConfigError(
                f"{self.name}: the loss is {value} at step {self.step}; lower train.learning_rate"
            )
        self.optimiser.zero_grad()
        for number, (part, wanted) in enumerate(zip(parts, gradients, strict=True)):
            last = number == len(parts) - 1
            with nullcontext() if last else self.accelerator.no_sync(self.network):
                found = heard[0][0] if at_once else self._hear(part, number)[0]
                pairs = zip(found, wanted, strict=True)
                self.accelerator.backward(sum((own * its).sum() for own, its in pairs))
        if self.step == 0:
            self._all_reached()
        self.accelerator.clip_grad_norm_(self.network.parameters(), LONGEST)
        self.optimiser.step()
        self.losses.append(value)

    def _batch(self) -> list[Rows]:
        """Rows of this step and process, in the parts that they are heard in."""
        epoch, number = divmod(self.step, self.per_epoch)
        if number == 0 or not self.order:
            lengths = [self.source.lengths[row] for row in self.train.tolist()]
            generator = np.random.default_rng([self.seed, epoch])
            self.order = batches(lengths, self.plan.batch, generator)
        rows = self.train[self.order[number]]
        processes = self.accelerator.num_processes  # each gets as many; the last batch may be short
        own = np.resize(rows, -(-len(rows) // processes) * processes)
        own = own[self.accelerator.process_index :: processes]
        return np.array_split(own, min(self.plan.accumulate, len(own)))

    def _hear(self, rows: Rows, part: int) -> tuple[Heard, Goals]:
        """What is found in recordings and what should be, the same each time that it is asked."""
        facts = [self.seed, self.step, self.accelerator.process_index, part]
        torch.manual_seed(int(np.random.SeedSequence(facts).generate_state(1)[0]))
        generator = np.random.default_rng(facts)
        inputs = self.source.inputs(rows, generator)
        goals = self.goals.rows(rows)
        if self.plan.mixup:
            weight = float(generator.beta(self.plan.mixup, self.plan.mixup))
            weight = max(weight, 1 - weight)
            other = torch.from_numpy(generator.permutation(len(rows)))
            inputs["mix"] = Mix(weight, other)
            goals = goals.mixed(weight, goals.rows(other))
        device = self.accelerator.device
        return self.network(**send_to_device(inputs, device)), send_to_device(goals, device)

    def _gradients(self, heard: Sequence[tuple[Heard, Goals]]) -> tuple[float, list[Heard]]:
        """The loss over all parts of all processes, and its gradients with respect to own parts."""
        found = Heard(
            *(torch.cat(one).detach() for one in zip(*(h for h, _ in heard), strict=True))
        )
        goals = Goals(*(torch.cat(one) for one in zip(*(g for _, g in heard), strict=True)))
        processes, process = self.accelerator.num_processes, self.accelerator.process_index
        if processes > 1:
            found = Heard(*map(self._of_all, found))
            goals = Goals(*map(self._of_all, goals))
        for values in found:
            values.requires_grad_()
        value = loss(found, goals, tasks=self.tasks, weights=self.weights, balance=self.balance)
        gradients = torch.autograd.grad(value, list(found), materialize_grads=True)
        # What processes hand on is averaged over them, but each holds a part of one sum.
        own = [one.chunk(processes)[process] * processes for one in gradients]
        sizes = [len(one.categories) for one, _ in heard]
        parts = zip(*(one.split(sizes) for one in own), strict=True)
        return float(value.detach()), [Heard(*part) for part in parts]

    def _of_all(self, own: Tensor) -> Tensor:
        if not own.numel():  # no outputs of this kind, but as many rows
            return torch.cat([own] * self.accelerator.num_processes)
        found: Tensor = self.accelerator.gather(own)
        return found

    def _all_reached(self) -> None:
        """An adapter that the encoder's code goes past would silently learn nothing."""
        for name, weight in self._own().named_parameters():
            if "lora_" in name and weight.grad is None:
                raise ConfigError(
                    f"encoder.lora.targets: no gradient reaches {name}; adapt other layers"
                )

    def _choose(self, seconds: float, steps: int) -> None:
        """The end of an epoch: how good is it in dev?"""
        score = self.score(self.read(self.dev))
        self.history.append({"loss": float(np.mean(self.losses)), "score": score})
        self.losses = []
        if self.chosen == len(self.history) - 1:
            self.best = {name: one.detach().cpu().clone() for name, one in self._learned()}
        left = seconds / steps * (self.steps - self.step + self.steps * self.after)
        log.info(
            "%s, epoch %d of %d: loss %.3f, dev %s %.3f, at most %s left",
            *(self.name, len(self.history), self.plan.epochs, self.history[-1]["loss"]),
            *(self.plan.metric, score, _time(left)),
        )
        if self.board:
            for what, value in self.history[-1].items():
                self.board.add_scalar(f"{self.name}/{what}", value, len(self.history))

    def _given_up(self) -> bool:
        waited = len(self.history) - 1 - self.chosen if self.history else 0
        return 0 < self.plan.patience <= waited

    def _own(self) -> nn.Module:
        network: nn.Module = self.accelerator.unwrap_model(self.network)
        return network

    def _learned(self) -> list[tuple[str, Tensor]]:
        return [(n, one) for n, one in self._own().named_parameters() if one.requires_grad]

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        optimiser = self.optimiser.state_dict()["state"]
        tensors = {f"weights/{name}": one for name, one in self._learned()}
        tensors |= {f"best/{name}": one for name, one in self.best.items()}
        tensors |= {
            f"optimiser/{number}/{name}": one
            for number, kept in optimiser.items()
            for name, one in kept.items()
        }
        scaler = self.accelerator.scaler
        told = {
            "step": self.step,
            "history": self.history,
            "losses": self.losses,
            "scaler": scaler.state_dict() if scaler else None,
        }
        save_state(self.state, tensors, told)

    def _resume(self) -> None:
        tensors, told = load_state(self.state)
        kept: dict[str, dict[str, Tensor]] = {"weights": {}, "best": {}, "optimiser": {}}
        for name, one in tensors.items():
            part, _, rest = name.partition("/")
            kept[part][rest] = one
        self._own().load_state_dict(kept["weights"], strict=False)
        state: dict[int, dict[str, Tensor]] = {}
        for name, one in kept["optimiser"].items():
            number, _, key = name.partition("/")
            state.setdefault(int(number), {})[key] = one
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        self.step, self.history, self.losses = told["step"], told["history"], told["losses"]
        self.best = kept["best"]
        if told["scaler"]:
            self.accelerator.scaler.load_state_dict(told["scaler"])
        log.info("%s: going on from step %d of %d", self.name, self.step, self.steps)


LONGEST = 1.0
"""Norm that the gradient of a step is cut to."""


def batches(lengths: Sequence[int], size: int, generator: np.random.Generator) -> list[Rows]:
    """Batches of similar length, in random order: little padding, still random company."""
    order = generator.permutation(len(lengths))
    pool, measured = 16 * size, np.asarray(lengths)
    found = []
    for first in range(0, len(order), pool):
        some = order[first : first + pool]
        near = some[np.argsort(measured[some], kind="stable")]
        found += [near[at : at + size] for at in range(0, len(near), size)]
    generator.shuffle(found)
    return found


def rate(step: int, steps: int, warm_up: float) -> float:
    """Share of the full learning rate: up in a line, then down to 0."""
    rising = warm_up * steps
    return min((step + 1) / max(rising, 1), (steps - step) / max(steps - rising, 1), 1.0)


def _groups(network: nn.Module, plan: TrainPlan) -> list[dict[str, Any]]:
    """What is learned, the encoder at its own rate."""
    rates = (plan.learning_rate, plan.encoder_learning_rate or plan.learning_rate)
    members: tuple[list[Tensor], list[Tensor]] = ([], [])
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            members[name.startswith("encoder.")].append(weight)
    pairs = zip(members, rates, strict=True)
    return [{"params": own, "lr": rate, "full": rate} for own, rate in pairs if own]


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
