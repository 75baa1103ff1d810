"""An experiment from its recipe to its folder: check, hear, read, fit each fold and seed, tell."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from safetensors.torch import save
from torch import nn

from voxplain import __version__, backbones
from voxplain.errors import ConfigError, OutputError
from voxplain.files import write
from voxplain.models.calibration import (
    COVERAGE,
    Calibration,
    fit_mass,
    fit_temperature,
    fit_widening,
    softmax,
)
from voxplain.models.experiment_network import ExperimentNetwork, make_head
from voxplain.models.judgement import DIMENSIONS
from voxplain.models.text_encoder import TextEncoder
from voxplain.plugins import find, require
from voxplain.training import targets
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import account
from voxplain.training.experiment.encoders import deepest, merge, save_encoder, trainable
from voxplain.training.experiment.figures import joined, table
from voxplain.training.experiment.loop import Fit, Found, Source
from voxplain.training.experiment.material import Material, gather
from voxplain.training.experiment.recipe import ExperimentRecipe, check_recipe, digest, plain
from voxplain.training.experiment.sources import (
    SoundSource,
    StateSource,
    TextSource,
    hear,
    read_texts,
)
from voxplain.training.predictions import FILE, Predictions
from voxplain.training.splits import Split

__all__ = ["accelerated", "carry_out", "claim", "train"]

log = logging.getLogger(__name__)


def train(
    recipe: ExperimentRecipe,
    *,
    roots: Mapping[str, Path],
    checkpoint: Path | None,
    out: Path,
    cache: Path,
    jobs: int,
) -> None:
    """Fill a run folder, or go on with one that the same recipe began.

    ``roots`` corpus -> its place; ``checkpoint`` takes the place of the recipe's. Written
    are recipe.yaml, environment.json, train.log, ``fold_0/seed_0`` and so on with a model each,
    predictions.csv (``predictions_SEED.csv`` of further seeds; ``predictions_wer_0.30.csv`` of what
    was read with word errors), metrics.json, card.json, README.md.

    Raises, before anything is trained, ConfigError, UnknownName, CorpusNotFound, WeightsMissing or
    AudioError; OutputError for a folder that can't be written to.
    """
    if checkpoint is not None:
        recipe = replace(recipe, encoder=replace(recipe.encoder, checkpoint=str(checkpoint)))
    check_recipe(recipe)
    encoders = {}
    if recipe.encoder.tune != "none":
        place = backbones.find_checkpoint(recipe.encoder.checkpoint)
        backbones.read_config(place)
        encoders["encoder_sha256"] = backbones.digest(place)
    if recipe.texts.encoder:
        encoders["text_encoder_sha256"] = TextEncoder(recipe.texts.encoder).sha256
    if recipe.train.tensorboard:
        require("tensorboard", extra="tensorboard")
    accelerator = accelerated(recipe)
    if not accelerator.is_main_process:
        logging.getLogger("voxplain").setLevel(logging.WARNING)
    material = gather(recipe, roots=roots)
    with accelerator.main_process_first():  # what one has cached, the others read
        claim(out, recipe, material, accelerator, encoders=encoders)
        material, texts = read_texts(recipe, material, cache=cache, jobs=jobs)
        heard = hear(recipe, material, cache=cache, jobs=jobs)
    sources: dict[str, Any] = {FILE: heard}
    if texts:
        files = [FILE, *map(account.with_errors, recipe.texts.errors)]
        sources = {f: TextSource(heard, one) for f, one in zip(files, texts, strict=True)}
    work = Work(
        recipe, material, heard, sources, encoders, accelerator, _board(recipe, out, accelerator)
    )

    def told() -> None:
        account.tell(recipe, material, out=out, cache=cache, jobs=jobs)

    carry_out(work, tell=told, out=out)


class Fitting(Protocol):
    """All that a fold and a seed need to be fitted."""

    @property
    def recipe(self) -> Any:
        """Of the run; its ``train`` has the seeds."""

    @property
    def material(self) -> Material:
        """What there is to learn from."""

    @property
    def accelerator(self) -> Accelerator:
        """What spreads the training."""

    def fit(self, split: Split, seed: int, *, folder: Path, after: int) -> None:
        """Write a model folder, its card last; ``after`` is how many trainings follow."""


def carry_out(work: Fitting, *, tell: Callable[[], None], out: Path) -> None:
    """Fit each split with each seed, but for those whose model is there; then tell of all."""
    first = work.accelerator.is_main_process
    with _logged(out / "train.log") if first else nullcontext():
        for warning in work.material.warnings:
            log.warning("%s", warning)
        wanted = list(itertools.product(work.recipe.train.seeds, work.material.splits))
        for number, (seed, split) in enumerate(wanted, start=1):
            folder = out / account.place(split.name, seed)
            if not (folder / "card.json").is_file():
                work.fit(split, seed, folder=folder, after=len(wanted) - number)
        if first and not (out / account.CARD).is_file():
            tell()


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """All that a fold and a seed need to be fitted."""

    recipe: ExperimentRecipe
    material: Material
    heard: StateSource | SoundSource | None
    """None where nobody listens."""
    sources: Mapping[str, Source]
    """File of predictions -> what those are to be made of; it is learned from that of FILE."""
    encoders: Mapping[str, str]
    """SHA-256 of the encoders as they were."""
    accelerator: Accelerator
    board: Any
    """A TensorBoard writer, or None."""

    def fit(self, split: Split, seed: int, *, folder: Path, after: int) -> None:
        """Write a model folder; its card comes last, so that what has one is whole."""
        state = folder / "state.safetensors"
        network = self._network(split, seed)
        fit = Fit(
            network,
            self.sources[FILE],
            self.material.goals,
            train=split.train,
            dev=split.dev,
            plan=self.recipe.train,
            tasks=self.recipe.targets,
            seed=seed,
            score=self._score(split),
            accelerator=self.accelerator,
            state=state,
            name=f"{split.name}, seed {seed}",
            balance=self.recipe.fusion.balance,
            after=after,
            board=self.board,
        )
        fit.run()
        if network.encoder is not None and self.recipe.encoder.tune == "lora":
            merge(network.encoder)
        calibration = self._calibrate(fit, split)
        found = {file: fit.read(split.test, source) for file, source in self.sources.items()}
        if self.accelerator.is_main_process:
            self._keep(network, fit, split, seed, calibration, found, folder=folder)
            state.unlink(missing_ok=True)
        self.accelerator.wait_for_everyone()

    def _network(self, split: Split, seed: int) -> ExperimentNetwork:
        recipe, plan = self.recipe, self.recipe.encoder
        torch.manual_seed(seed)
        usual, encoder, depth, width = None, None, 0, 0
        if isinstance(self.heard, StateSource):
            usual = self.heard.usual(split.train)
            shape = self.heard.copies[0][0].shape
            depth, width = shape[0], shape[-1]
            depth = depth // 2 if recipe.head.pooling == "layerwise" else depth
        elif self.heard is not None:
            encoder = trainable(plan)
            depth, width = len(plan.layers or range(encoder.depth)), encoder.width
        head = make_head(
            pooling=recipe.head.pooling,
            depth=depth,
            width=width,
            hidden=recipe.head.hidden,
            labels=len(recipe.labels),
            dimensions=len(DIMENSIONS) if recipe.targets.dimensions else 0,
            dropout=recipe.head.dropout,
            usual=usual,
            fusion=self._fusion(),
        )
        return ExperimentNetwork(head, encoder=encoder, layers=plan.layers)

    def _fusion(self) -> dict[str, Any] | None:
        """Options of ``MSFHead``; None where there is none."""
        source, plan = self.sources[FILE], self.recipe.fusion
        if not isinstance(source, TextSource):
            return None
        return {
            "branches": self.recipe.texts.branches,
            "text_width": source.texts.vectors.shape[-1],
            "width": plan.width,
            "fusion": plan.kind,
            "experts": plan.experts,
            "expert_wise": plan.expert_wise,
            "branch_dropout": plan.branch_dropout,
            "text_dropout": plan.text_dropout,
        }

    def _score(self, split: Split) -> Callable[[Found], float]:
        """The recipe's metric in dev, the higher the better."""
        metric = find("metrics", self.recipe.train.metric)
        sign = 1 if metric.CARD.higher_is_better else -1
        goals = self.material.goals.rows(split.dev)
        dimensions = goals.dimensions.numpy()
        truth = self._truth(split.dev)

        def score(found: Found) -> float:
            if metric.CARD.takes == "labels":
                return sign * float(metric.measure(truth, found.categories.argmax(1)))
            if metric.CARD.takes == "probabilities":
                return sign * float(metric.measure(truth, softmax(found.categories)))
            values = []
            for true, said in zip(dimensions.T, found.dimensions.T, strict=True):
                known = ~np.isnan(true)
                if known.sum() > 1:
                    values.append(metric.measure(true[known], said[known]))
            return sign * float(np.mean(values))

        return score

    def _truth(self, rows: Any) -> Any:
        labels = self.recipe.labels
        return targets.portrayed(self._chosen(rows), labels) if labels else None

    def _chosen(self, rows: Any) -> list[Utterance]:
        return [self.material.utterances[row] for row in rows.tolist()]

    def _calibrate(self, fit: Fit, split: Split) -> Calibration:
        """What readings of dev ask for; with profiles, of strangers and of those who are known."""
        known = strangers = fit.read(split.dev)
        if self.recipe.head.profile:
            source = self.sources[FILE]
            assert isinstance(source, StateSource | TextSource)
            strangers = fit.read(split.dev, source.of_strangers())
        labels, truth = self.recipe.labels, self._truth(split.dev)
        temperature = known_temperature = 1.0
        mass = COVERAGE
        if labels:
            temperature = fit_temperature(truth, strangers.categories)
            known_temperature = fit_temperature(truth, known.categories)
            probabilities = softmax(strangers.categories, temperature=temperature)
            mass = fit_mass(truth, probabilities)
        widening = []
        rated = self.material.goals.rows(split.dev).dimensions.numpy()
        for true, said in zip(rated.T, strangers.dimensions.T, strict=False):
            near = ~np.isnan(true)
            widening.append(fit_widening(true[near], said[near], said[near]) if near.any() else 1.0)
        return Calibration(
            labels=labels,
            votes=(),
            sounds=(),
            temperature=temperature,
            known_temperature=known_temperature,
            mass=mass,
            widening=tuple(widening) or (1.0, 1.0, 1.0),
            most_strange=sys.float_info.max,
        )

    def _keep(
        self,
        network: ExperimentNetwork,
        fit: Fit,
        split: Split,
        seed: int,
        calibration: Calibration,
        found: Mapping[str, Found],
        *,
        folder: Path,
    ) -> None:
        recipe, trunk = self.recipe, network.trunk
        head = {name: one.cpu().contiguous() for name, one in network.head.state_dict().items()}
        weights = save(head)
        write(folder / "head.safetensors", weights)
        checkpoint, sha256s = recipe.encoder.checkpoint, {**self.encoders}
        if network.encoder is not None:
            save_encoder(network.encoder, folder / "encoder", checkpoint=checkpoint)
            sha256s["encoder_sha256"] = backbones.digest(folder / "encoder")
        for file, said in found.items():
            self._predictions(split, calibration, said).write(folder / file)
        speakers = {
            side: sorted({one.speaker for one in self._chosen(rows)} - {""})
            for side, rows in (("train", split.train), ("dev", split.dev), ("test", split.test))
        }
        card = {
            "format": "experiment",
            "name": f"{recipe.name} {split.name} seed {seed}",
            "version": __version__,
            "recipe_sha256": digest(recipe),
            "encoder": None
            if trunk is None
            else {
                "checkpoint": checkpoint if network.encoder is None else "encoder",
                "tuned": network.encoder is not None,
                "sha256": sha256s["encoder_sha256"],
                "layers": recipe.encoder.layers,
                "deepest": deepest(recipe.encoder),
            },
            "head": {
                "pooling": recipe.head.pooling,
                "depth": len(trunk.layers) if trunk else 0,
                "width": trunk.mean.shape[1] if trunk else 0,
                "hidden": recipe.head.hidden,
                "labels": len(calibration.labels),
                "dimensions": found[FILE].dimensions.shape[1],
            },
            "fusion": self._fusion(),
            "texts": asdict(recipe.texts) | {"sha256": sha256s.get("text_encoder_sha256")},
            "profile": recipe.head.profile,
            "sha256": hashlib.sha256(weights + "".join(sha256s.values()).encode()).hexdigest(),
            "notes": account.notes(recipe, self.material),
            "speakers": speakers,
            "history": fit.history,
            "epoch": fit.chosen + 1,
            "layer_weights": trunk.mix.tolist() if trunk else [],
            "parameters": _parameters(network.head),
            **asdict(calibration),
        }
        write(folder / "card.json", (json.dumps(card, indent=2) + "\n").encode())

    def _predictions(self, split: Split, calibration: Calibration, found: Found) -> Predictions:
        known = self.recipe.head.profile
        temperature = calibration.known_temperature if known else calibration.temperature
        parts, first = [], 0
        for name, rows in split.tests.items():
            own = slice(first, first + len(rows))
            first += len(rows)
            told = table(
                self._chosen(rows),
                Found(*(one[own] for one in found)),
                fold=name,
                labels=calibration.labels,
                temperature=temperature,
                branches=self.recipe.texts.branches,
            )
            parts.append(told)
        return joined(parts)


def _parameters(head: nn.Module) -> dict[str, int]:
    """How many weights each part of a head learns."""
    found = Counter[str]()
    for name, one in head.named_parameters():
        found[name.partition(".")[0]] += one.numel()
    return found


def accelerated(recipe: ExperimentRecipe) -> Accelerator:
    """What spreads a training over devices and processes, in the recipe's precision."""
    precision = recipe.train.precision
    if precision == "fp16" and not torch.cuda.is_available():
        raise ConfigError("train.precision fp16 needs a GPU; take bf16 or fp32 here")
    AcceleratorState._reset_state()  # a process may train several recipes, each its own precision
    # Where all of an encoder learns, parts of it (a last norm) may lie above what the head sees;
    # without branches, nothing takes the place of a missing text.
    whole = recipe.encoder.tune == "full" and not recipe.encoder.freeze_front
    unused = whole or not recipe.texts.branches
    return Accelerator(
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused)],
    )


def _board(recipe: ExperimentRecipe, out: Path, accelerator: Accelerator) -> Any:
    if not recipe.train.tensorboard:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(out / "tensorboard") if accelerator.is_main_process else None


def claim(
    out: Path,
    recipe: Any,
    material: Material,
    accelerator: Accelerator,
    *,
    encoders: Mapping[str, str],
) -> None:
    """Begin a run folder, or see that it is one of the same recipe, data and encoders."""
    facts = {
        "recipe_sha256": digest(recipe),
        "data_sha256": account.data_digest(material),
        **encoders,
    }
    place = out / "environment.json"
    if place.is_file():
        told = json.loads(place.read_text(encoding="utf-8"))
        for name, value in facts.items():
            if told.get(name) != value:
                what = name.removesuffix("_sha256").replace("_", " ")
                raise ConfigError(
                    f"{out} was begun with another {what}{_difference(out, recipe)}; give another "
                    "--out, or delete the folder"
                )
        log.info("%s was begun before; what is there is kept", out)
        return
    if not accelerator.is_main_process:
        return
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"{out} is no run folder, and not empty; give another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(plain(recipe), sort_keys=False, allow_unicode=True)
        header = f"# Resolved by voxplain {__version__}; SHA-256 {facts['recipe_sha256']}\n"
        write(out / "recipe.yaml", (header + text).encode())
        environment = json.dumps(facts | _environment(accelerator), indent=2) + "\n"
        write(place, environment.encode())
    except OSError as error:
        raise OutputError(f"{out} can't be written to: {error.strerror}") from error


def _difference(out: Path, recipe: ExperimentRecipe) -> str:
    """The first key of the recipe that stands there otherwise."""
    there = yaml.safe_load((out / "recipe.yaml").read_text(encoding="utf-8"))
    for section, here in plain(recipe).items():
        if not isinstance(here, dict):
            if there.get(section) != here:
                return f" ({section}: {there.get(section)!r} there, {here!r} here)"
            continue
        for key, value in here.items():
            old = there.get(section, {}).get(key)
            if old != value:
                return f" ({section}.{key}: {old!r} there, {value!r} here)"
    return ""


def _environment(accelerator: Accelerator) -> dict[str, Any]:
    packages = ("accelerate", "numpy", "peft", "safetensors", "scikit-learn", "torch")
    device = accelerator.device
    return {
        "voxplain": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "processes": accelerator.num_processes,
        "packages": {name: version(name) for name in (*packages, "transformers")},
    }


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """What is said is kept, too."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("voxplain")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()
