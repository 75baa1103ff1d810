"""What each part of a run costs: its weights, and its time for one clip."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from voxplain import backbones
from voxplain.files import write
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.msf import BRANCHES, MSFHead, Texts
from voxplain.models.text_encoder import TextEncoder
from voxplain.text.semantics import Semantics
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.material import gather
from voxplain.training.experiment.recipe import ExperimentRecipe, TextPlan
from voxplain.training.experiment.texts import gather_semantics
from voxplain.training.statistics import Interval, speaker_interval

__all__ = ["costs", "measure"]

_FILE = "costs.json"
_CLIPS = 12
_REPEATS = 20  # of the short work of a head; the median counts


def costs(run: Path) -> dict[str, Any]:
    """Part -> processor milliseconds for a clip; the fusion's share of the encoder's; weights."""
    told = json.loads((run / _FILE).read_text(encoding="utf-8"))
    found: dict[str, Any] = {part: Interval(**one) for part, one in told["times"].items()}
    if {"encoder", "fusion"} <= found.keys():
        found["fusion / encoder"] = f"{found['fusion'].value / found['encoder'].value:.1%}"
    return found | {f"weights of {part}": f"{n:,}" for part, n in told["weights"].items()}


def measure(run: Path, recipe: ExperimentRecipe, *, roots: Mapping[str, Path]) -> None:
    """Keep the times and the weights of a run's first model in its folder, unless they are there.

    Times are medians of a dozen clips that it tests, one by one. ``encoder`` and ``trunk`` hear,
    ``texts of les`` and so on are made anew, ``text encoder`` reads them all, and ``fusion`` is
    what stands behind trunk and text encoder.
    """
    if (run / _FILE).is_file():
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait for each other count as work
    try:
        times, weights = _measured(run, recipe, roots)
    finally:
        torch.set_num_threads(before)
    told = json.dumps({"times": times, "weights": weights}, indent=1)
    write(run / _FILE, f"{told}\n".encode())


def _measured(
    run: Path, recipe: ExperimentRecipe, roots: Mapping[str, Path]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Part -> the plain figure of its time; part -> its weights."""
    material = gather(recipe, roots=roots)
    rows = np.random.default_rng(0).permutation(material.splits[0].test)[: _CLIPS + 1]
    clips = [material.utterances[row] for row in rows.tolist()]
    network, card = _network(run)
    times, weights = {}, {}
    with torch.inference_mode():
        heard: list[Any] = [(None, None)] * len(clips)
        if network.encoder is not None:
            weights["encoder"] = sum(one.numel() for one in network.encoder.parameters())
            waveforms = [[torch.from_numpy(sound(one).waveform.copy())] for one in clips]
            heard = [network.hear(one) for one in waveforms]
            times["encoder"] = _times(network.hear, waveforms)
        times |= _judging(network, heard, card)
    learned = dict(card["parameters"])
    weights["trunk"] = learned.pop("trunk", 0)
    weights["fusion"] = sum(learned.values())
    if recipe.texts.encoder:
        times |= _reading(clips, recipe.texts)
        weights["text encoder"] = _stored(recipe.texts.encoder)
    clusters = [one.speaker or str(one.path) for one in clips[1:]]  # the first one warms up
    figures = {
        part: asdict(speaker_interval(_median, one, one, speakers=clusters))
        for part, one in times.items()
    }
    return figures, weights


def _judging(
    network: ExperimentNetwork, heard: Sequence[Any], card: Mapping[str, Any]
) -> dict[str, NDArray[np.float64]]:
    """Of trunk and fusion, from what was heard of each clip."""
    head, times = network.head, {}
    if (trunk := network.trunk) is not None:

        def summary(one: Any) -> Any:
            return trunk.summary(*one)

        times["trunk"] = _times(summary, heard, repeats=_REPEATS)
    if isinstance(head, MSFHead):
        shape = (1, len(BRANCHES), card["fusion"]["text_width"])
        texts = Texts(torch.randn(shape), torch.ones(shape[:2], dtype=torch.bool))
        whole = _times(lambda one: head(*one, None, texts), heard, repeats=_REPEATS)
        times["fusion"] = whole - times.get("trunk", 0)
    return times


def _reading(clips: Sequence[Utterance], plan: TextPlan) -> dict[str, NDArray[np.float64]]:
    """To make the text of each branch, and to read those of all."""

    def made(one: Utterance, branches: tuple[str, ...]) -> list[Semantics]:
        with tempfile.TemporaryDirectory() as empty:
            own = replace(plan, branches=branches)
            return gather_semantics([one], own, cache=Path(empty), jobs=1)

    times = {
        f"texts of {branch}": _times(partial(made, branches=(branch,)), clips)
        for branch in plan.branches
    }
    if plan.branches:
        read = partial(TextEncoder(plan.encoder).vectors, isolated=plan.isolated)
        times["text encoder"] = _times(read, [made(one, plan.branches) for one in clips])
    return times


def _times(
    act: Callable[[Any], Any], items: Sequence[Any], *, repeats: int = 1
) -> NDArray[np.float64]:
    """Milliseconds of each item but the first, which warms up.

    Of the processor: whatever else runs on the machine changes little.
    """
    found = []
    for item in items:
        took = []
        for _ in range(repeats):
            began = time.process_time()
            act(item)
            took.append(1000 * (time.process_time() - began))
        found.append(np.median(took))
    return np.array(found[1:])


def _median(values: NDArray[np.float64], _: Any) -> float:
    return float(np.median(values))


def _network(run: Path) -> tuple[ExperimentNetwork, dict[str, Any]]:
    """One in the shape of the run's first model, with weights as at birth; and its card."""
    folder = run / json.loads((run / "card.json").read_text(encoding="utf-8"))["default"]
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    hearing, encoder, layers = card["encoder"], None, None
    if hearing is not None:
        place = folder / "encoder" if hearing["tuned"] else hearing["checkpoint"]
        encoder, layers = backbones.load(place, layers=hearing["deepest"]), hearing["layers"]
    head = make_head(**card["head"], fusion=card["fusion"])
    return ExperimentNetwork(head, encoder=encoder, layers=layers).eval(), card


def _stored(checkpoint: str) -> int:
    """How many weights lie in a checkpoint."""
    total = 0
    for place in backbones.weight_files(backbones.find_checkpoint(checkpoint)):
        with safe_open(place, framework="np") as file:
            names = file.keys()
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    return total
