"""What ``recipes/vib_sed/*.yaml`` may say, section by section."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voxplain.errors import ConfigError, UnknownName
from voxplain.models.bottleneck import Compression
from voxplain.models.decoder import Size
from voxplain.plugins import names
from voxplain.training.experiment import recipe as experiments
from voxplain.training.experiment.recipe import (
    Data,
    EncoderPlan,
    ExperimentRecipe,
    HeadPlan,
    Lora,
    SplitPlan,
)
from voxplain.training.experiment.said import GIVEN

__all__ = [
    "FitPlan",
    "FrozenEncoder",
    "LlmPlan",
    "NetworkPlan",
    "TaskPlan",
    "VibSedRecipe",
    "check_recipe",
]


@dataclass(frozen=True, slots=True)
class FrozenEncoder:
    """What hears, and never learns."""

    checkpoint: str = ""
    """A folder or a hub id; ``--encoder`` takes its place."""
    layers: tuple[int, ...] | None = None
    """States that are mixed: 0 is the input of the first layer, 1 its output ...; null: all."""
    cached: bool = True
    """Hear each recording once and keep its states in memory; else hear it anew in every step."""


@dataclass(frozen=True, slots=True)
class LlmPlan:
    """What speaks."""

    checkpoint: str = ""
    """A causal language model, a folder or a hub id; empty: one is made and learned from nothing,
    with a tokenizer of the training's texts."""
    size: Size = "2M"
    """Of one that is made: its parameters."""
    lora: Lora | None = None
    """How a checkpoint is adapted; null: all its weights learn."""
    four_bit: bool = False
    """Hold a checkpoint in 4 bits a weight (Dettmers et al. 2023, arXiv 2305.14314)."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What stands between encoder and language model; see ``models.vib_sed``."""

    disentangled: bool = True
    """A block and an adapter for the words and another for the descriptors; else one for both."""
    compression: Compression = "vib"
    """Bottleneck to N(0, I); or less mutual information between the two; or no noise at all."""
    latent: int = 128
    hidden: int = 256
    """Units of the stochastic encoder between states and latent."""
    stack: int = 4
    """Frames that the language model reads as one."""
    beta: float = 1e-3
    """Weight of the compression in the loss; the KL is in nats a frame, summed over the latent."""
    warm_up: float = 0.1
    """Share of the steps until beta is full."""
    free_bits: float = 0.0
    """Nats of each latent dimension that cost nothing (Kingma et al. 2016)."""
    dropout: float = 0.0
    """Of what the blocks read."""
    summary: bool = False
    """The language model reads attentive statistics of a clip, too, before the frames."""
    content_gradient: bool = False
    """Descriptors and emotion teach the block of the words, too."""
    concept: bool = False
    """The emotion is told from the spoken descriptors alone, without the sound."""


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What is told."""

    asr: Literal["alternating", "joint", "none"] = "alternating"
    """What is said, learned in mini-batches of its own between the others, or in each step beside
    the emotion, or not at all."""
    descriptors: bool = True
    """Tell the descriptors before the emotion."""
    levels: Literal["measured", "given"] = "measured"
    """Of the descriptors: by what is measured, or as the corpus has them."""
    emotion: float = 1.0
    """What the emotion counts in the loss, beside 1 of each descriptor."""
    most_false: float = 1.0
    """Share of the spoken levels that may be false (``scoring.hallucination``), of dev: levels that
    are less sure than that allows are left unsaid."""
    transcripts: str = GIVEN
    """By the corpus, or the name of a transcriber."""
    transcriber_model: str = ""


@dataclass(frozen=True, slots=True)
class FitPlan:
    """How long and how fast; AdamW."""

    epochs: int
    """In each, every recording is described once, and once written down where words are learned."""
    batch: int
    learning_rate: float = 2e-4
    accumulate: int = 1
    """Parts that a batch is heard in, so that it fits."""
    weight_decay: float = 0.01
    warm_up: float = 0.1
    """Share of the steps until the learning rate is full; from there it falls to 0 in a line."""
    listening: int = 0
    """Epochs before, in which what hears learns to tell levels, what was measured and emotion by
    linear readouts of the summary, without the language model."""
    listening_emotion: float = 1.0
    """What the emotion counts there, beside 1 of each level."""
    held: bool = False
    """What listening taught stays as it is while the language model learns."""
    edited: int = 0
    """Copies of each recording with its voice edited at random, of which levels are measured anew;
    they teach neither words nor emotion."""
    patience: int = 0
    """Epochs without a better one after which it stops; 0: never."""
    precision: Literal["fp32", "bf16"] = "fp32"
    save_every: int = 0
    """Steps after which the state is saved for resuming, besides after each epoch."""
    seeds: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class VibSedRecipe:
    """All sections."""

    name: str
    data: Data
    split: SplitPlan
    encoder: FrozenEncoder
    train: FitPlan
    llm: LlmPlan = field(default_factory=LlmPlan)
    network: NetworkPlan = field(default_factory=NetworkPlan)
    tasks: TaskPlan = field(default_factory=TaskPlan)
    only: tuple[str, ...] = ()
    """Splits that are trained, such as fold_0; none named: all."""
    note: str = ""
    """What a reader of the card must know."""
    kind: Literal["vib_sed"] = "vib_sed"

    @property
    def experiment(self) -> ExperimentRecipe:
        """The part that is as in every experiment: recordings, splits, encoder, steps."""
        train = self.train
        return ExperimentRecipe(
            name=self.name,
            data=self.data,
            split=self.split,
            encoder=EncoderPlan(checkpoint=self.encoder.checkpoint, layers=self.encoder.layers),
            head=HeadPlan(pooling="statistics"),  # states frame by frame
            train=experiments.TrainPlan(
                epochs=train.epochs,
                batch=train.batch,
                learning_rate=train.learning_rate,
                accumulate=train.accumulate,
                weight_decay=train.weight_decay,
                warm_up=train.warm_up,
                patience=train.patience,
                precision=train.precision,
                save_every=train.save_every,
                seeds=train.seeds,
            ),
            note=self.note,
        )


def check_recipe(recipe: VibSedRecipe) -> None:
    """Refuse values that no training could follow.

    Raises UnknownName (label, transcriber) or ConfigError.
    """
    experiments.check_recipe(recipe.experiment)
    llm, network, tasks = recipe.llm, recipe.network, recipe.tasks
    if tasks.transcripts not in (GIVEN, *names("transcribers")):
        raise UnknownName("transcriber", tasks.transcripts, (GIVEN, *names("transcribers")))
    for name in ("latent", "hidden", "stack"):
        if getattr(network, name) < 1:
            raise ConfigError(f"network.{name} must be above 0, not {getattr(network, name)}")
    for name in ("beta", "free_bits"):
        if getattr(network, name) < 0:
            raise ConfigError(f"network.{name} must not be below 0: {getattr(network, name)}")
    wrong = {
        "tasks.emotion must be above 0": tasks.emotion <= 0,
        "network.dropout must be below 1, and not below 0": not 0 <= network.dropout < 1,
        "train.listening teaches a summary; set network.summary to true": (
            recipe.train.listening and not network.summary
        ),
        "train.listening_emotion must be above 0": recipe.train.listening_emotion <= 0,
        "train.held keeps what listening taught; set train.listening above 0": (
            recipe.train.held and not recipe.train.listening
        ),
        "train.edited must not be below 0": recipe.train.edited < 0,
        "train.edited teaches measured levels; set tasks.levels to measured and tasks.descriptors "
        "to true": (recipe.train.edited and (tasks.levels != "measured" or not tasks.descriptors)),
        "tasks.most_false is a share, 0 to 1": not 0 <= tasks.most_false <= 1,
        "network.warm_up is a share of the steps, 0 to 1": not 0 <= network.warm_up <= 1,
        "network.compression mi needs two latents; set network.disentangled to true": (
            network.compression == "mi" and not network.disentangled
        ),
        "network.free_bits are for network.compression vib": (
            network.free_bits and network.compression != "vib"
        ),
        "network.concept tells the emotion from descriptors; set tasks.descriptors to true": (
            network.concept and not tasks.descriptors
        ),
        "llm.lora adapts a checkpoint; name one in llm.checkpoint": (
            llm.lora and not llm.checkpoint
        ),
        "llm.four_bit needs llm.checkpoint and llm.lora: what is held in 4 bits can't learn": (
            llm.four_bit and not (llm.checkpoint and llm.lora)
        ),
        "llm.lora.rank must be above 0": llm.lora and llm.lora.rank < 1,
    }
    for message, holds in wrong.items():
        if holds:
            raise ConfigError(f"recipe {recipe.name!r}: {message}")
