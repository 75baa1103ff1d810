"""What ``recipes/experiments/*.yaml`` may say, section by section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN
from voxplain.plugins import find

__all__ = [
    "Data",
    "EncoderPlan",
    "ExperimentRecipe",
    "HeadPlan",
    "Lora",
    "SplitPlan",
    "Tasks",
    "TrainPlan",
    "check_recipe",
    "digest",
    "plain",
]


@dataclass(frozen=True, slots=True)
class Data:
    """What is heard."""

    corpora: tuple[str, ...]
    """Corpus readers, or names of tables (CSV, parquet, JSONL ...) whose place ``--root`` gives."""
    labels: tuple[str, ...]
    """What is told apart; recordings of other emotions are left out."""
    merge: Mapping[str, str] = field(default_factory=dict)
    """Label -> the label that it counts as."""
    left_out: tuple[str, ...] = ()
    """Speakers that nobody hears."""
    seconds: float = 15.0
    """Of a recording that are heard; what comes later is not."""


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Who is learned from, who chooses, who is tested."""

    by: Literal["speaker", "session", "official", "emobox"]
    folds: int = 5
    """Of speakers."""
    dev: float = 0.15
    """Share of the training's speakers (or sessions) that choose the epoch and calibrate."""
    seed: int = 0
    files: str = ""
    """EmoBox's folder of a corpus, with fold_1 and so on."""
    allow_shared_speakers: bool = False
    """Train although a speaker is on two sides; every result says so."""


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685)."""

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    """Last parts of the names of the linear layers that are adapted."""


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """What hears."""

    checkpoint: str = ""
    """A folder or a hub id; ``--encoder`` takes its place."""
    layers: tuple[int, ...] | None = None
    """States that the head sees: 0 is the input of the first layer, 1 its output ...; null: all."""
    tune: Literal["frozen", "lora", "full"] = "frozen"
    lora: Lora = field(default_factory=Lora)
    freeze_front: bool = True
    """In full fine-tuning, leave what stands before the transformer layers as it is."""


@dataclass(frozen=True, slots=True)
class HeadPlan:
    """What is learned on top."""

    pooling: Literal["layerwise", "mean", "statistics", "attentive"] = "layerwise"
    """layerwise: mean and deviation of each layer over the recording, before anything is learned,
    so that little is cached and training is fast. Of the others see ``models.heads``."""
    hidden: int = 256
    """Units between the states and the outputs; 0, with layerwise: none, a linear probe."""
    dropout: float = 0.2
    profile: bool = False
    """Normalise the states by the speaker's other recordings, as far as those are trusted."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """What is learned, each task with its weight in the loss; 0: not at all."""

    categories: float = 1.0
    soft: bool = False
    """Learn the shares of the listeners' votes where there are any, not the one label."""
    dimensions: float = 0.0
    """Valence, arousal and dominance, by 1 - CCC over the batch."""


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """How long and how fast."""

    epochs: int
    batch: int
    """Recordings that one step learns from, over all processes."""
    learning_rate: float
    """Of the head; of the encoder too, unless it has its own."""
    encoder_learning_rate: float | None = None
    accumulate: int = 1
    """Parts that a batch is heard in, so that it fits; the losses stay those of the whole batch."""
    weight_decay: float = 0.01
    warm_up: float = 0.1
    """Share of the steps until the learning rate is full; from there it falls to 0 in a line."""
    class_weights: bool = False
    """Rare labels count as much as frequent ones."""
    mixup: float = 0.0
    """Both parameters of the Beta distribution of mixing weights (Zhang et al. 2018); 0: none."""
    copies: int = 0
    """Of each recording, gone through noise, rooms, codecs and so on, beside the one as it is."""
    metric: str = "uar"
    """By which dev chooses the epoch: a metric of labels or probabilities, or, of values, its mean
    over the dimensions."""
    patience: int = 0
    """Epochs without a better one after which it stops; 0: never."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    save_every: int = 0
    """Steps after which the state is saved for resuming, besides after each epoch."""
    seeds: tuple[int, ...] = (0,)
    tensorboard: bool = False
    """Write losses and scores for TensorBoard, too."""


@dataclass(frozen=True, slots=True)
class ExperimentRecipe:
    """All sections of an experiment."""

    name: str
    data: Data
    split: SplitPlan
    encoder: EncoderPlan
    train: TrainPlan
    head: HeadPlan = field(default_factory=HeadPlan)
    targets: Tasks = field(default_factory=Tasks)
    note: str = ""
    """What a reader of the card must know."""

    @property
    def labels(self) -> tuple[str, ...]:
        """That the models tell; none where no categories are learned."""
        return self.data.labels if self.targets.categories else ()


def plain(recipe: ExperimentRecipe) -> dict[str, Any]:
    """As it stands in a YAML file, every default filled in."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return {"kind": "experiment", **found}


def digest(recipe: ExperimentRecipe) -> str:
    """SHA-256 of all that a recipe says."""
    return hashlib.sha256(json.dumps(plain(recipe), sort_keys=True).encode()).hexdigest()


def check_recipe(recipe: ExperimentRecipe) -> None:
    """Refuse values that no training could follow.

    Raises UnknownName (label, metric) or ConfigError.
    """
    data, split, train, tasks = recipe.data, recipe.split, recipe.train, recipe.targets
    for label in (*data.labels, *data.merge, *data.merge.values()):
        if label not in KNOWN:
            raise UnknownName("label", label, KNOWN)
    positive = {
        "data.seconds": data.seconds,
        "train.epochs": train.epochs,
        "train.batch": train.batch,
        "train.learning_rate": train.learning_rate,
        "train.accumulate": train.accumulate,
        "split.dev": split.dev,
        "targets.categories or targets.dimensions": tasks.categories + tasks.dimensions,
        "encoder.lora.rank": recipe.encoder.lora.rank,
    }
    for name, value in positive.items():
        if value <= 0:
            raise ConfigError(f"{name} must be above 0, not {value}")
    wrong = {
        "data.labels needs two labels or more": tasks.categories and len(set(data.labels)) < 2,
        "split.dev must be below 1": split.dev >= 1,
        "split.folds must be 2 or more": split.by == "speaker" and split.folds < 2,
        "split.files must name EmoBox's folder of the corpus": (
            split.by == "emobox" and not split.files
        ),
        "encoder.checkpoint is missing; name a folder or a hub id there or with --encoder": (
            not recipe.encoder.checkpoint
        ),
        "train.seeds needs one seed or more, each once": (
            not train.seeds or len(set(train.seeds)) < len(train.seeds)
        ),
        "train.batch can't be heard in more parts than it has recordings; lower train.accumulate": (
            train.accumulate > train.batch
        ),
        "head.profile needs a frozen encoder, whose states stay what they are": (
            recipe.head.profile and recipe.encoder.tune != "frozen"
        ),
        "head.pooling layerwise needs a frozen encoder; take statistics or attentive": (
            recipe.head.pooling == "layerwise" and recipe.encoder.tune != "frozen"
        ),
        "head.hidden can be 0 with head.pooling layerwise alone": (
            not recipe.head.hidden and recipe.head.pooling != "layerwise"
        ),
        "targets.soft needs targets.categories": tasks.soft and not tasks.categories,
        "a batch of one recording has no concordance; raise train.batch": (
            tasks.dimensions and train.batch < 2
        ),
    }
    for message, holds in wrong.items():
        if holds:
            raise ConfigError(f"recipe {recipe.name!r}: {message}")
    takes = find("metrics", train.metric).CARD.takes
    fits = tasks.dimensions if takes == "values" else tasks.categories
    if takes == "distributions" or not fits:
        raise ConfigError(
            f"recipe {recipe.name!r}: train.metric {train.metric!r} measures {takes}, "
            "which this recipe does not predict"
        )
