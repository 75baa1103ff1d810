"""The loop: mini-batches of what is said and of how it sounds take turns.

It is that of every experiment: a step is a function of its number, so that whoever is killed goes
on unchanged. What differs is what a step learns, and what is asked of the recordings of dev.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from numpy.typing import NDArray
from torch import Tensor

from voxplain.errors import ConfigError
from voxplain.models.description import Described, Middle, parts
from voxplain.models.vib_sed import TASKS, Target, Task, VibSed
from voxplain.training.experiment import loop
from voxplain.training.experiment.goals import Goals
from voxplain.training.experiment.loop import Source, batches
from voxplain.training.experiment.recipe import Tasks
from voxplain.training.vib_sed.recipe import VibSedRecipe

__all__ = ["Fit", "Told"]

Rows = NDArray[np.int64]
Turn = Sequence[tuple[Task, Rows]]
"""What one step learns."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of each recording."""

    transcripts: Sequence[str]
    """Empty where nobody knows."""
    words: Sequence[Sequence[str]]
    """Of the transcripts; each may be stressed."""
    targets: Sequence[Target]

    def of(self, task: Task, rows: Rows) -> list[Any]:
        """What ``VibSed.losses`` takes."""
        told: Sequence[Any] = self.transcripts if task == "asr" else self.targets
        return [told[row] for row in rows.tolist()]


class Fit(loop.Fit):
    """One training of a ``VibSed``; ``run`` leaves it with the weights that dev chose."""

    def __init__(
        self,
        network: VibSed,
        source: Source,
        told: Told,
        *,
        recipe: VibSedRecipe,
        train: Rows,
        dev: Rows,
        seed: int,
        score: Callable[[Sequence[Described]], float],
        accelerator: Accelerator,
        state: Path,
        name: str,
        after: int = 0,
    ) -> None:
        """As of every experiment; ``score`` is of what is heard in ``dev``."""
        if recipe.train.held:
            network.summarising().requires_grad_(False)
        super().__init__(
            network,
            source,
            Goals(torch.empty(0, 0), torch.empty(0, 0)),  # targets stand in their place
            train=train,
            dev=dev,
            plan=replace(recipe.experiment.train, metric="score"),
            tasks=Tasks(),
            seed=seed,
            score=score,  # type: ignore[arg-type]
            accelerator=accelerator,
            state=state,
            name=name,
            after=after,
        )
        self.recipe, self.told = recipe, told
        self.taught = {
            part.name
            for one in told.of("sed", train)
            for part in parts(one.description)
            if part.name not in one.unsure
        }
        """Names of the slots that something is learned of."""
        tasks: Sequence[Task] = TASKS if recipe.tasks.asr == "alternating" else ("sed",)
        self.per_epoch = sum(
            -(-len(self.known(task, train)) // recipe.train.batch) for task in tasks
        )
        self.turns: list[Turn] = []
        """Of the steps of this epoch."""

    @property
    def vib(self) -> VibSed:
        """The network itself."""
        network = self._own()
        assert isinstance(network, VibSed)
        return network

    @property
    def beta(self) -> float:
        """Of this step: up from 0 in a line, so that there is something to compress at first."""
        plan = self.recipe.network
        rising = plan.warm_up * self.steps
        return plan.beta * min(self.step / rising, 1.0) if rising else plan.beta

    def read(  # type: ignore[override]
        self,
        rows: Rows,
        source: Source | None = None,
        *,
        middles: Mapping[str, Middle] = MappingProxyType({}),
    ) -> list[Described]:
        """How recordings sound to the network, each process of its share."""
        network, recipe = self.vib.eval(), self.recipe

        def describe(part: Rows, inputs: dict[str, Any]) -> list[Described]:
            words = [self.told.words[row] for row in part.tolist()]
            return network.describe(
                **inputs,
                words=words,
                labels=recipe.data.labels,
                taught=self.taught,
                middles=middles,
            )

        return self._each(rows, describe)

    def transcribe(self, rows: Rows) -> list[str]:
        """What the network hears being said; never more than the longest text of the training."""
        network = self.vib.eval()
        texts = self.told.of("asr", self.known("asr", self.train))
        longest = max(len(network.tokenizer(one).input_ids) for one in texts)

        def write(part: Rows, inputs: dict[str, Any]) -> list[str]:
            return network.transcribe(**inputs, max_tokens=longest + 1)

        return self._each(rows, write)

    def rate(self, rows: Rows, task: Task) -> float:
        """What the bottleneck of a task lets through, in nats a frame: the mean over recordings of
        which something is told.
        """
        network = self.vib.eval()

        def cost(part: Rows, inputs: dict[str, Any]) -> list[float]:
            found = network.losses(**inputs, task=task, targets=self.told.of(task, part), beta=0.0)
            return [float(found.kl)] * len(part)

        return float(np.mean(self._each(self.known(task, rows), cost)))

    def _each(self, rows: Rows, tell: Callable[[Rows, dict[str, Any]], list[Any]]) -> list[Any]:
        """What is told of recordings, in their order; those of a length are heard together."""
        order = rows[np.argsort([self.source.lengths[row] for row in rows.tolist()], kind="stable")]
        size, accelerator = self.plan.batch, self.accelerator
        parts = [order[at : at + size] for at in range(0, len(order), size)]
        found: list[tuple[int, Any]] = []
        for part in parts[accelerator.process_index :: accelerator.num_processes]:
            with torch.inference_mode(), accelerator.autocast():
                inputs = send_to_device(self.source.inputs(part, None), accelerator.device)
                found += zip(part.tolist(), tell(part, inputs), strict=True)
        if accelerator.num_processes > 1:
            found = gather_object(found)
        by_row = dict(found)
        return [by_row[row] for row in rows.tolist()]

    def _learn(self) -> None:
        """One step: the gradient is that of the whole batch, and of what its tasks learn alone."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["full"] * loop.rate(self.step, self.steps, self.plan.warm_up)
        self.optimiser.zero_grad()
        value = sum(self._lead(task, rows) for task, rows in self._turn())
        if not math.isfinite(value):
            raise ConfigError(
                f"{self.name}: the loss is {value} at step {self.step}; lower train.learning_rate"
            )
        if self.accelerator.num_processes > 1:
            for _, one in self._learned():
                if one.grad is not None:
                    one.grad = self.accelerator.reduce(one.grad, "mean")
        self.accelerator.clip_grad_norm_(self.network.parameters(), loop.LONGEST)
        self.optimiser.step()
        self.losses.append(value)

    def _lead(self, task: Task, rows: Rows) -> float:
        """Gradients of a task on a batch, heard in parts; its loss."""
        network, accelerator = self.vib.train(), self.accelerator
        processes = accelerator.num_processes  # each gets as many; the last batch may be short
        own = np.resize(rows, -(-len(rows) // processes) * processes)
        own = own[accelerator.process_index :: processes]
        value = 0.0
        for number, part in enumerate(np.array_split(own, min(self.plan.accumulate, len(own)))):
            facts = [self.seed, self.step, TASKS.index(task), accelerator.process_index, number]
            torch.manual_seed(int(np.random.SeedSequence(facts).generate_state(1)[0]))
            inputs = send_to_device(self.source.inputs(part, None), accelerator.device)
            with accelerator.autocast():
                found = network.losses(
                    **inputs, task=task, targets=self.told.of(task, part), beta=self.beta
                )
            loss = found.total * (len(part) / len(own))
            accelerator.backward(loss)
            value += float(loss.detach())
        return value

    def _learned(self) -> list[tuple[str, Tensor]]:
        """With what was learned before and is held, for whoever goes on."""
        held = {id(one) for one in self.vib.summarising().parameters()}
        weights = self.vib.named_parameters()
        return [(name, one) for name, one in weights if one.requires_grad or id(one) in held]

    def _turn(self) -> Turn:
        epoch, number = divmod(self.step, self.per_epoch)
        if number == 0 or not self.turns:
            self.turns = self._turns(np.random.default_rng([self.seed, epoch]))
        return self.turns[number]

    def _turns(self, generator: np.random.Generator) -> list[Turn]:
        """Of an epoch. Tasks that alternate come evenly, however many batches each has; beside the
        descriptors, those of fewer words come again.
        """
        described = self._shuffled("sed", generator)
        if self.recipe.tasks.asr == "none":
            return [[("sed", rows)] for rows in described]
        written = self._shuffled("asr", generator)
        if self.recipe.tasks.asr == "joint":
            pairs = [(written[n % len(written)], rows) for n, rows in enumerate(described)]
            return [[("asr", its), ("sed", rows)] for its, rows in pairs]
        each: dict[Task, list[Rows]] = {"asr": written, "sed": described}
        steps = [
            ((number + 0.5) / len(own), task, rows)
            for task, own in each.items()
            for number, rows in enumerate(own)
        ]
        return [[(task, rows)] for _, task, rows in sorted(steps, key=itemgetter(0))]

    def _shuffled(self, task: Task, generator: np.random.Generator) -> list[Rows]:
        rows = self.known(task, self.train)
        lengths = [self.source.lengths[row] for row in rows.tolist()]
        return [rows[one] for one in batches(lengths, self.plan.batch, generator)]

    def known(self, task: Task, rows: Rows) -> Rows:
        """Those of which there is something to be told: words; with concepts, a descriptor."""
        told = self.told.of(task, rows)
        if task == "asr":
            return rows[np.array([bool(one) for one in told], bool)]
        least = 2 if self.recipe.network.concept else 1
        return rows[np.array([len(parts(one.description)) >= least for one in told], bool)]
