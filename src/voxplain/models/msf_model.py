"""Models that hear a voice and read its words: the networks of ``models.msf``, ready to judge."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain.descriptors._levels import Reference, describe
from voxplain.evidence.interpretation import described
from voxplain.explainers import shapley
from voxplain.models import Stretch
from voxplain.models.experiment_network import ExperimentNetwork
from voxplain.models.heads import Heard
from voxplain.models.judgement import DIMENSIONS, judge
from voxplain.models.msf import BRANCHES, MSFHead, Texts
from voxplain.models.profiled import ProfiledModel, readings
from voxplain.models.text_encoder import TextEncoder
from voxplain.text.content import LEAST_CONFIDENCE
from voxplain.text.emphasis import prominence
from voxplain.text.semantics import Semantics, emphasised, mask_emotion, spoken
from voxplain.types import Descriptors, SemanticFusion, Transcript

__all__ = ["TEXTS", "MSFModel", "Reader"]

TEXTS = dict(zip(BRANCHES, ("emphasised", "transcript", "interpretation"), strict=True))
"""Branch of the network -> what it is called in an Analysis."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How texts are made of what is said, as they were in training; the interpretation by rule."""

    encoder: TextEncoder
    les: str = "prominence"
    """One of ``semantics.WAYS``; nobody tells the true emphasis: oracle is prominence here."""
    share: float = 0.25
    """Of the words that are emphasised."""
    isolated: bool = False
    """Encode each emphasised word by itself."""
    gs: str = "whole"
    """Which clauses count: one of ``semantics.VIEWS``."""
    masked: bool = False
    """Whether the words for emotions are taken out of the interpretation."""

    def read(self, transcript: Transcript, found: Descriptors) -> tuple[tuple[int, ...], Semantics]:
        """Numbers of the emphasised words, and the texts.

        ``transcript`` has the prominence of its words; ``found`` is of the recording, with tracks.
        """
        words = transcript.words
        if self.les == "lemf":
            words = prominence(words, found.tracks, method="lemf")
        how = "prominence" if self.les == "oracle" else self.les
        rows = emphasised(words, how=how, share=self.share)
        levels = Reference.of_group("adults").levels(found.functionals)  # whoever is compared with
        said = described(describe(found.functionals, levels, {}))
        extended = mask_emotion(said) if self.masked else said
        return rows, spoken(transcript, rows, view=self.gs, extended=extended)

    def texts(self, semantics: Semantics) -> Texts:
        """As a network takes them, of one recording."""
        vectors, there = self.encoder.vectors([semantics], isolated=self.isolated)
        return Texts(torch.tensor(vectors), torch.tensor(there))


class MSFModel(ProfiledModel):
    """A model that judges a voice, and beside it the voice with its words.

    ``embed``, ``read`` and ``hearing`` are about the voice alone: every text is missing.
    """

    def __init__(self, network: ExperimentNetwork, *, reader: Reader, **told: Any) -> None:
        """A network with an ``MSFHead``, and what ``ProfiledModel`` wants to be told."""
        super().__init__(network, **told)
        self.reader = reader

    def fuse(
        self, stretches: Sequence[Stretch], transcript: Transcript, found: Descriptors
    ) -> SemanticFusion | None:
        """What a recording sounds like with its words, and what each text does to that.

        ``transcript`` and the descriptors ``found``, with tracks, are those of the recording: each
        of the ``stretches`` is read with all of its words, and what comes of it is their mean,
        weighted by their length. An effect is the exact Shapley value (Shapley 1953) of a text in
        the game of those that there are, where the others may be missing as in training.

        None where there is nothing to read or to hear, where the words are not surely those that
        were said (``LEAST_CONFIDENCE``), and of a network without dimensions.
        """
        head = self.network.head
        assert isinstance(head, MSFHead), "who reads has where to put it"
        if not stretches or not head.dimensions or transcript.confidence < LEAST_CONFIDENCE:
            return None
        rows, semantics = self.reader.read(transcript, found)
        texts = self.reader.texts(semantics)
        players = [row for row in head.rows if texts.there[0, row]]
        if not players:
            return None

        @functools.cache
        def together(present: tuple[bool, ...]) -> Heard:
            """What is heard with some of the texts."""
            there = torch.zeros_like(texts.there)
            there[0, players] = torch.tensor(present)
            return self._mean(stretches, Texts(texts.vectors, there))

        def values(present: NDArray[Any]) -> NDArray[np.float64]:
            return np.concatenate([together(tuple(some)).dimensions for some in present.tolist()])

        names = {row: TEXTS[BRANCHES[row]] for row in head.rows}
        known = [names[row] for row in players]
        everything = np.ones(len(known), bool)
        effects = {}
        for place, name in enumerate(DIMENSIONS):
            told = shapley.attribute(
                values, everything, output=place, baseline=~everything, names=known
            )
            effects[name] = dict(zip(known, told.scores.tolist(), strict=True))
        heard = together((True,) * len(known))
        emotion = judge(readings(heard, trust=0.0), self.calibration)
        assert emotion.dimensions is not None, "the network has them"
        gates, routes = heard.gates[0].tolist(), heard.routes[0].tolist()  # empty without any
        return SemanticFusion(
            emotion.dimensions,
            effects,
            dict(zip(names.values(), gates, strict=False)),
            dict(zip(DIMENSIONS, map(tuple, routes), strict=False)),
            emphasised=rows if "emphasised" in known else (),
            extended=semantics.extended if "interpretation" in known else "",
        )

    def _mean(self, stretches: Sequence[Stretch], texts: Texts) -> Heard:
        """What is heard in all stretches with these texts, each weighted by its length."""
        seconds = torch.tensor([length for length, _, _ in stretches], dtype=torch.float64)
        heard = [self.heard(embedding, profile, texts) for _, embedding, profile in stretches]
        parts = (torch.cat(part).double() for part in zip(*heard, strict=True))
        weights = seconds / seconds.sum()
        return Heard(*(torch.einsum("s,s...->...", weights, part)[None] for part in parts))
