"""What ``recipes/experiments/*.yaml`` may say, section by section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from voxplain.errors import ConfigError, UnknownName
from voxplain.labels import KNOWN
from voxplain.models.msf import BRANCHES, Fusion
from voxplain.plugins import find, names

__all__ = [
    "Data",
    "EncoderPlan",
    "ExperimentRecipe",
    "FusionPlan",
    "HeadPlan",
    "Lora",
    "SplitPlan",
    "Tasks",
    "TextPlan",
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
    tested: tuple[str, ...] = ()
    """Corpora that nothing is learned from: in every split each is a test of its own name."""


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
    tune: Literal["frozen", "lora", "full", "none"] = "frozen"
    """none: nobody listens, and the texts are judged alone."""
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
    proxies: bool = False
    """Where nobody rated those, take what listeners' votes, or the portrayed label, stand for."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What is read beside the voice: with an encoder, the experiment is MSF-SER (models.msf)."""

    encoder: str = ""
    """Of the texts: a folder or a hub id; empty: no texts, an ordinary experiment."""
    branches: tuple[str, ...] = BRANCHES
    """Emphasised words (les), whole text (gs), interpretation (es); none: the voice alone."""
    transcripts: str = "given"
    """By the corpus, or the name of a transcriber."""
    transcriber_model: str = ""
    les: Literal["prominence", "lemf", "random", "surprisal", "oracle"] = "prominence"
    """What the emphasised words are chosen by."""
    share: float = 0.25
    """Of the words that are chosen, one at least."""
    isolated: bool = False
    """Encode each emphasised word by itself, not within its text."""
    gs: Literal["whole", "descriptive", "expressive"] = "whole"
    """Which of its clauses count."""
    es: str = "rules"
    """Who interprets: rules on descriptors and cues, or a model of ``llms``, BACKEND:MODEL."""
    masked: bool = False
    """Take the words for emotions out of the interpretation."""
    errors: tuple[float, ...] = ()
    """Word error rates, simulated, that what is tested is read with as well."""


@dataclass(frozen=True, slots=True)
class FusionPlan:
    """How voice and texts come together, where there are texts; see ``models.msf``."""

    kind: Fusion = "fm_moe"
    width: int = 128
    experts: int = 4
    expert_wise: bool = False
    """Each expert has a modulation of its own."""
    branch_dropout: float = 0.15
    """How often, in training, a text is hidden, and all at once."""
    text_dropout: float = 0.0
    """Of what a text encoder gives."""
    balance: float = 0.01
    """Weight in the loss of how unevenly the experts are used."""


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
    texts: TextPlan = field(default_factory=TextPlan)
    fusion: FusionPlan = field(default_factory=FusionPlan)
    note: str = ""
    """What a reader of the card must know."""

    @property
    def labels(self) -> tuple[str, ...]:
        """That the models tell; none where no categories are learned."""
        return self.data.labels if self.targets.categories else ()


def plain(recipe: Any) -> dict[str, Any]:
    """As a recipe stands in a YAML file, every default filled in."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return {"kind": "experiment", **found}


def digest(recipe: Any) -> str:
    """SHA-256 of all that a recipe says."""
    return hashlib.sha256(json.dumps(plain(recipe), sort_keys=True).encode()).hexdigest()


def check_recipe(recipe: ExperimentRecipe) -> None:
    """Refuse values that no training could follow.

    Raises UnknownName (label, metric, branch, transcriber) or ConfigError.
    """
    data, split, train, tasks = recipe.data, recipe.split, recipe.train, recipe.targets
    texts, fusion, tune = recipe.texts, recipe.fusion, recipe.encoder.tune
    for label in (*data.labels, *data.merge, *data.merge.values()):
        if label not in KNOWN:
            raise UnknownName("label", label, KNOWN)
    for branch in texts.branches:
        if branch not in BRANCHES:
            raise UnknownName("branch", branch, BRANCHES)
    if texts.transcripts != "given" and texts.transcripts not in names("transcribers"):
        raise UnknownName("transcriber", texts.transcripts, ("given", *names("transcribers")))
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
            tune != "none" and not recipe.encoder.checkpoint
        ),
        "train.seeds needs one seed or more, each once": (
            not train.seeds or len(set(train.seeds)) < len(train.seeds)
        ),
        "train.batch can't be heard in more parts than it has recordings; lower train.accumulate": (
            train.accumulate > train.batch
        ),
        "head.profile needs a frozen encoder, whose states stay what they are": (
            recipe.head.profile and tune != "frozen"
        ),
        "head.pooling layerwise needs a frozen encoder; take statistics or attentive": (
            recipe.head.pooling == "layerwise" and tune in ("lora", "full")
        ),
        "head.hidden can be 0 with head.pooling layerwise alone": (
            not recipe.head.hidden and recipe.head.pooling != "layerwise"
        ),
        "targets.soft needs targets.categories": tasks.soft and not tasks.categories,
        "a batch of one recording has no concordance; raise train.batch": (
            tasks.dimensions and train.batch < 2
        ),
        "targets.proxies needs targets.dimensions": tasks.proxies and not tasks.dimensions,
        "data.tested names a corpus that is learned from": {*data.tested} & {*data.corpora},
        "texts and fusion need texts.encoder, a folder or a hub id": (
            not texts.encoder and (texts, fusion) != (TextPlan(), FusionPlan())
        ),
        "encoder.tune none judges the texts alone; name texts.encoder and texts.branches": (
            tune == "none" and not (texts.encoder and texts.branches)
        ),
        "encoder.tune none hears nothing; leave out encoder.layers and train.copies": (
            tune == "none" and (recipe.encoder.layers is not None or train.copies)
        ),
        "texts.branches names a branch twice": len({*texts.branches}) < len(texts.branches),
        "texts.share must be above 0 and at most 1": not 0 < texts.share <= 1,
        "texts.errors are word error rates from 0 to below 1, each another percentage": (
            not all(0 <= rate < 1 for rate in texts.errors)
            or len({round(rate, 2) for rate in texts.errors}) < len(texts.errors)
        ),
        "texts can't be mixed; set train.mixup to 0": texts.encoder and train.mixup,
        "fusion.width must be a multiple of 4, above 0": fusion.width < 1 or fusion.width % 4,
        "fusion.experts must be 2 or more": "moe" in fusion.kind and fusion.experts < 2,
        "fusion.branch_dropout must be below 1, and not below 0": (
            not 0 <= fusion.branch_dropout < 1
        ),
        "fusion.text_dropout must be below 1, and not below 0": not 0 <= fusion.text_dropout < 1,
        "fusion.balance must not be below 0": fusion.balance < 0,
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
