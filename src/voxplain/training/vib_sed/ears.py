"""Before a language model learns to speak, what it hears with learns to tell voices apart.

Through a language model that knows nothing yet, a block learns slowly. Linear readouts of a clip's
summary teach it in a fraction of the time; they are thrown away, and the language model learns from
a summary that holds already what it is to say. They tell what was measured, too: a level alone does
not say how far away the next one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from voxplain.models.bottleneck import kl
from voxplain.models.description import ATTRIBUTES, Slot, parts, slots
from voxplain.models.vib_sed import Target, VibSed
from voxplain.training.experiment.loop import LONGEST, Source, batches, rate
from voxplain.training.vib_sed.recipe import VibSedRecipe

__all__ = ["teach"]

_DROPOUT = 0.3  # of the summary, so that no readout relies on little of it
_NOTHING = -100  # what cross_entropy leaves out
_PLACES = 4.0  # what these count beside the levels
_FURTHEST = 3.0  # standard deviations: more tells of a failed measurement, or teaches nothing


def teach(
    network: VibSed,
    source: Source,
    targets: Mapping[int, Target],
    places: Mapping[int, Mapping[str, float]],
    *,
    recipe: VibSedRecipe,
    seed: int,
) -> None:
    """Teach what hears the descriptors to tell the ``targets`` of rows: levels, tone and, unless
    that is to be read from the descriptors alone, the emotion; and the ``places`` of what was
    measured (``levels.Labels``), by a smooth L1 loss.

    A level that is unsure does not count, its place does. ``recipe.train.listening`` epochs of
    AdamW; all else in the network stays as it is.
    """
    torch.manual_seed(seed)
    plan, place = recipe.train, network.mean.device
    told = [
        slot
        for slot in slots(labels=recipe.data.labels)
        if slot.name != "stress" and not (network.concept and slot.name == "emotion")
    ]
    width = network.llm.get_input_embeddings().embedding_dim
    readouts = nn.ModuleList(nn.Linear(width, len(slot.candidates)) for slot in told).to(place)
    measures = nn.Linear(width, len(ATTRIBUTES)).to(place)
    counts = [plan.listening_emotion if slot.name == "emotion" else 1.0 for slot in told]
    learned = nn.ModuleList([network.summarising(), readouts, measures])
    optimiser = torch.optim.AdamW(learned.parameters(), weight_decay=plan.weight_decay)
    every = {row: _choices(target, told) for row, target in targets.items()}
    known = {row: own for row, own in every.items() if set(own) != {_NOTHING}}
    rows, choices = np.array([*known], int), np.array([*known.values()], int)
    measured = np.array(
        [[places[row].get(one.name, np.nan) for one in ATTRIBUTES] for row in known], np.float32
    ).clip(-_FURTHEST, _FURTHEST)
    lengths = [source.lengths[row] for row in rows.tolist()]
    turns = [
        part
        for epoch in range(plan.listening)
        for part in batches(lengths, plan.batch, np.random.default_rng([seed, epoch]))
    ]
    network.train()
    for step, part in enumerate(turns):
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * rate(step, len(turns), plan.warm_up)
        inputs = source.inputs(rows[part], None)
        mask = inputs["mask"].to(place)
        whole, latent = network.summarised(inputs["states"].to(place), mask)
        whole = functional.dropout(whole, _DROPOUT)
        true = torch.from_numpy(choices[part]).to(place)
        loss = _error([readout(whole) for readout in readouts], true, counts)
        where = torch.from_numpy(measured[part]).to(place)
        loss = loss + _PLACES * _distance(measures(whole), where)
        if latent.log_sigma is not None:
            loss = loss + recipe.network.beta * kl(latent.mu, latent.log_sigma, mask)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned.parameters(), LONGEST)
        optimiser.step()


def _choices(target: Target, told: Sequence[Slot]) -> list[int]:
    """The candidate of each slot that counts."""
    known = {part.name: part.word for part in parts(target.description)}
    return [
        slot.spoken.index(known[slot.name])
        if slot.name in known and slot.name not in target.unsure
        else _NOTHING
        for slot in told
    ]


def _error(found: Sequence[Tensor], true: Tensor, counts: Sequence[float]) -> Tensor:
    """Cross-entropy in nats: the mean over the slots of which something is known."""
    known = [n for n in range(len(found)) if (true[:, n] != _NOTHING).any()]
    errors = [
        counts[n] * functional.cross_entropy(found[n], true[:, n], ignore_index=_NOTHING)
        for n in known
    ]
    return torch.stack(errors).sum() / sum(counts[n] for n in known)


def _distance(found: Tensor, true: Tensor) -> Tensor:
    """Smooth L1: the mean over all that was measured; NaN was not."""
    known = true.isfinite()
    total = functional.smooth_l1_loss(found[known], true[known], reduction="sum")
    return total / known.sum().clamp_min(1)
