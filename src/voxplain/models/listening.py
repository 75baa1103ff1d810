"""A small model that tells in words how a voice sounds, beside what was measured of the voice.

What it hears is no measurement: each word comes with its probability, and with whether it is the
word that the measurement would have, by the thresholds that the model learned from.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ArtifactError, ChecksumMismatch, UnknownName, WeightsMissing
from voxplain.labels import phrase
from voxplain.models import Model
from voxplain.models.byte_pairs import BytePairs
from voxplain.models.describing import Describer, Shape
from voxplain.models.description import (
    ATTRIBUTES,
    NO_STRESS,
    Description,
    parts,
    slots,
    tone_of,
)
from voxplain.models.embedded import EmbeddedModel, embedded_folder
from voxplain.models.levels import Thresholds
from voxplain.types import Audio, Embedding, Heard, Listening, Quantity, Word

__all__ = ["CARD", "NAMES", "PARTS", "ListeningModel", "encoder_digest", "shipped", "told"]

NAMES = ("listening", "listening_concept")
"""Of the package: one hears the emotion, the other reads it from its own words alone."""

CARD = "model.json"
PARTS = ("weights.npz", "tokens.json", "labels.json")
"""Files whose bytes, one after the other, the card's SHA-256 is of."""

_NAMED = {attribute.name: attribute for attribute in ATTRIBUTES}
_SETTINGS = ("instruction", "decision", "labels", "temperature", "middles")
_AGREEMENT = ("agree", "one step off", "disagree")

_SAID = {
    "contour": ("falling at the end", "level at the end", "rising at the end"),
    "loudness": ("quiet", "medium loud", "loud"),
    "dynamics": ("even loudness", "medium dynamics", "varied loudness"),
    "tempo": ("slow", "medium tempo", "fast"),
    "pauses": ("few pauses", "some pauses", "many pauses"),
    "brightness": ("dark", "medium bright", "bright"),
    "voice": ("tense voice", "clear voice", "breathy voice"),
}
"""Attribute -> what a person would say of its levels; pitch and its range are said before."""


class ListeningModel:
    """A folder of ``model.json``, ``weights.npz``, ``tokens.json`` and ``labels.json``.

    ``training.vib_sed.packed`` makes one of what ``voxplain train`` leaves.
    """

    def __init__(self, folder: Path) -> None:
        """Raises WeightsMissing, ChecksumMismatch, or ArtifactError.

        The last for a card that is none, and for a model of another encoder than the package's.
        """
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            weights, tokens, labels = stored = [(folder / part).read_bytes() for part in PARTS]
        except OSError as error:
            raise WeightsMissing(
                f"{folder} holds no listening model: {error.filename} can't be read; give the "
                "folder of one that was packed with: voxplain export RUN --out FOLDER --clips *.wav"
            ) from error
        except ValueError as error:  # neither JSON nor text
            raise ArtifactError(f"{folder / CARD} is no card: {error}") from error
        try:
            self.name: str = card["name"]
            self.least: float = card["least"]
            promised, encoder = card["sha256"], card["encoder"]
            self._encoder, heard_by = encoder["name"], encoder["sha256"]
            shape = Shape(**card["shape"] | {"branches": tuple(card["shape"]["branches"])})
            settings = {name: card[name] for name in _SETTINGS} | {"taught": card["slots"]}
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"{folder / CARD} is no card: it lacks {error}") from error
        self.sha256 = hashlib.sha256(b"".join(stored)).hexdigest()
        if self.sha256 != promised:
            raise ChecksumMismatch(
                f"{folder} holds weights with SHA-256 {self.sha256[:12]}…, its card says "
                f"{promised[:12]}…; reinstall voxplain or pack the model again"
            )
        if heard_by != encoder_digest(self._encoder):
            raise ArtifactError(
                f"{folder} hears through an encoder {self._encoder!r} with SHA-256 "
                f"{heard_by[:12]}…, which the package does not have; take the voxplain that it was "
                "packed with, or train it again"
            )
        self.card: Mapping[str, Any] = card
        with np.load(io.BytesIO(weights)) as arrays:
            known = {name: arrays[name].astype(np.float32) for name in arrays.files}
        pairs = BytePairs.of_tokenizer(tokens.decode("utf-8"))
        self.describer = Describer(known, shape=shape, tokens=pairs, **settings)
        self.thresholds = Thresholds.from_dict(json.loads(labels))

    @classmethod
    def load(cls, name: str) -> ListeningModel:
        """A model of the package by name, or of a folder by path; each is loaded once.

        Raises UnknownName, and what the folder raises.
        """
        if name not in NAMES and not Path(name).is_dir():
            raise UnknownName("listening model", name, shipped())
        return _load(embedded_folder(name) if name in NAMES else Path(name))

    def hears_as(self, model: Model) -> bool:
        """Whether that model's embeddings are what this one hears."""
        card = embedded_folder(self._encoder) / "card.json"
        return bool(model.sha256 == json.loads(card.read_text(encoding="utf-8"))["sha256"])

    def embed(self, audio: Audio) -> Embedding:
        """What it hears of 16 kHz sound, by the encoder of the package."""
        return EmbeddedModel.load(self._encoder).embed(audio)

    def states(self, embedding: Embedding) -> NDArray[np.float16]:
        """The layers (depth, frames, width) that lie side by side in an embedding."""
        depth, width = self.describer.depth_and_width
        return embedding.frames.reshape(-1, depth, width).swapaxes(0, 1)

    def listen(
        self,
        embedding: Embedding,
        *,
        segment: int,
        measured: Mapping[str, Quantity],
        words: Sequence[Word] = (),
    ) -> Listening:
        """How a stretch sounds, beside the functionals that were measured in it.

        ``words`` are those that are spoken there, with their prominence; without any, nothing is
        said of the stress.
        """
        spoken_words = [word.text for word in words]
        said, chances = self.describer.describe(self.states(embedding), words=spoken_words)
        reliable = {name: one.value for name, one in measured.items() if one.reliable}
        truth = self.thresholds.labels(reliable, words).measured
        true = {part.name: part.word for part in parts(truth)}
        heard = {}
        for name, _, word in parts(replace(said, label="")):
            probability = chances[name][word]
            if probability < self.least:
                agreement = "not heard"
            elif name not in true:
                agreement = "not measured"
            elif name in _NAMED:
                agreement = _AGREEMENT[abs(said.levels[name] - truth.levels[name])]
            else:
                agreement = "agree" if word == true[name] else "disagree"
            quantity = measured.get(_NAMED[name].descriptor) if name in _NAMED else None
            heard[name] = Heard(word, probability, true.get(name), quantity, agreement)
        sure = {name: one.word for name, one in heard.items() if one.agreement != "not heard"}
        text = told(_description(sure, label=said.label))
        return Listening(segment, text, heard, chances["emotion"], self.name)

    def rewritten(
        self, listening: Listening, changes: Mapping[str, str], *, words: Sequence[Word] = ()
    ) -> tuple[Description, Description]:
        """All that it heard in a stretch, and the same with other words; ``decide`` takes both.

        The tone follows where the changed levels make another one, unless it is changed itself.

        Raises UnknownName for what it does not tell, and for a word that can't stand there.
        """
        heard = {name: one.word for name, one in listening.heard.items()}
        spoken_words = [word.text for word in words]
        filled = slots(words=spoken_words, labels=self.describer.labels, taught=heard)
        known = {slot.name: slot.candidates for slot in filled if slot.name in heard}
        for name, word in changes.items():
            if name not in known:
                raise UnknownName("descriptor", name, known)
            if word not in known[name]:
                raise UnknownName(f"word for {name}", word, known[name])
        before, after = _description(heard), _description({**heard, **changes})
        tone = tone_of(after.levels)
        if "tone" in heard and "tone" not in changes and tone != tone_of(before.levels):
            after = replace(after, tone=tone)
        return before, after


def shipped() -> tuple[str, ...]:
    """Names of those that lie in the package."""
    return tuple(name for name in NAMES if (embedded_folder(name) / CARD).is_file())


def encoder_digest(name: str) -> str:
    """SHA-256 of an encoder of the package; empty if there is none of that name."""
    path = embedded_folder(name) / "encoder.onnx"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def told(description: Description) -> str:
    """A description as a person would put it: what lies in the middle is left out, unless all does.

    >>> told(Description({"pitch": 1, "range": 1, "loudness": 1, "tempo": 0}, label="angry"))
    'pitch high and wide, loud: sounds angry'
    >>> told(Description({"pitch": 0, "voice": -1}, emphasised=("eleven",), label="sad"))
    "tense voice, stress on 'eleven': sounds sad"
    >>> told(Description({"range": 0, "tempo": 0}, label="neutral"))
    'pitch range medium, medium tempo: sounds neutral'
    """
    levels = {name: level for name, level in description.levels.items() if level}
    said = [*_levels(levels or description.levels)]
    if description.emphasised:
        said.append(f"stress on '{description.emphasised[0]}'")
    heard = ", ".join(said) or "nothing that it is sure of"
    return f"{heard}: sounds {phrase(description.label)}" if description.label else heard


def _levels(levels: Mapping[str, int]) -> Iterator[str]:
    pitch = [_NAMED[name].words[levels[name] + 1] for name in ("pitch", "range") if name in levels]
    if pitch:
        title = "pitch" if "pitch" in levels else "pitch range"
        yield f"{title} {' and '.join(dict.fromkeys(pitch))}"
    yield from (said[levels[name] + 1] for name, said in _SAID.items() if name in levels)


def _description(words: Mapping[str, str], *, label: str = "") -> Description:
    """Of the word of each descriptor."""
    stress = words.get("stress")
    return Description(
        {name: _NAMED[name].words.index(one) - 1 for name, one in words.items() if name in _NAMED},
        words.get("tone", ""),
        None if stress is None else () if stress == NO_STRESS else (stress,),
        label,
    )


@functools.cache
def _load(folder: Path) -> ListeningModel:
    return ListeningModel(folder)
