"""What a network hears of the recordings: cached states, the sound itself, and what is said."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain.backbones._encoder import padded
from voxplain.errors import ConfigError
from voxplain.models.heads import Known
from voxplain.models.msf import BRANCHES, Texts
from voxplain.models.profile import Profile
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.material import Material, altered
from voxplain.training.experiment.recipe import ExperimentRecipe
from voxplain.training.experiment.texts import gather_semantics, text_vectors
from voxplain.training.layers import layer_states

__all__ = ["SoundSource", "StateSource", "TextSource", "hear", "read_texts"]

Rows = NDArray[np.int64]
States = NDArray[np.floating[Any]]
_SIZES = (0, 1, 3, 8, 20, 80)
"""Recordings that a profile is drawn from in training, each as often: none, or many."""


def _copy(generator: np.random.Generator | None, copies: int) -> int:
    """Half the time, in training, one of the altered copies; 0 is the recording."""
    if generator is None or copies == 1 or generator.random() < 0.5:
        return 0
    return int(generator.integers(1, copies))


class StateSource:
    """Cached states of a frozen encoder, with profiles of the speakers if they are wanted."""

    def __init__(
        self,
        copies: Sequence[Sequence[States]],
        *,
        speakers: Sequence[str],
        seconds: Sequence[float],
        profiles: bool,
    ) -> None:
        """``copies`` are, of the recordings and then of each altered copy, (layers, frames, width)
        a recording; ``seconds`` is how long each is.
        """
        self.copies = copies
        self.lengths = [states.shape[1] for states in copies[0]]
        self.profiles = profiles
        """Whether profiles are given; without, every speaker is a stranger."""
        self._own: dict[str, list[int]] = {}
        for row, speaker in enumerate(speakers):
            self._own.setdefault(speaker or f"? {row}", []).append(row)
        self._others = {row: rows for rows in self._own.values() for row in rows}
        self._seconds = np.asarray(seconds)
        self._moments = [[_moments(one) for one in copy] for copy in copies] if profiles else []

    def of_strangers(self) -> StateSource:
        """The same, without profiles."""
        other = copy.copy(self)
        other.profiles = False
        return other

    def usual(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """First and second moment (layers, width) over all frames of some recordings."""
        chosen = [self.copies[0][row] for row in rows.tolist()]
        frames = sum(one.shape[1] for one in chosen)
        total = sum(one.sum(1, dtype=np.float64) for one in chosen) / frames
        squares = sum(np.square(one, dtype=np.float64).sum(1) for one in chosen) / frames
        return torch.tensor(total).float(), torch.tensor(squares).float()

    def inputs(self, rows: Rows, generator: np.random.Generator | None) -> dict[str, Any]:
        """States (layers, batch, frames, width), their mask and, where wanted, profiles."""
        drawn = [_copy(generator, len(self.copies)) for _ in rows]
        parts = [
            torch.from_numpy(self.copies[one][row].swapaxes(0, 1).astype(np.float32))
            for one, row in zip(drawn, rows.tolist(), strict=True)
        ]
        together, mask = padded(parts)  # (batch, frames, layers, width)
        found: dict[str, Any] = {"states": together.permute(2, 0, 1, 3), "mask": mask}
        if self.profiles:
            known = [self.profile(row, generator) for row in rows.tolist()]
            shape = self.copies[0][0][:, 0].shape
            mean, square = (
                torch.tensor(np.array([getattr(one, name) for one in known])).unflatten(1, shape)
                for name in ("mean", "square")
            )
            trust = torch.tensor([one.trust for one in known])
            found["speaker"] = Known(mean.float(), square.float(), trust.float())
        return found

    def profile(self, row: int, generator: np.random.Generator | None) -> Profile:
        """Of the speaker's other recordings: all, or in training so many at random."""
        others = [other for other in self._others[row] if other != row]
        if generator is not None:
            size = min(int(generator.choice(_SIZES)), len(others))
            others = generator.choice(others, size, replace=False).tolist() if others else []
        copies = [_copy(generator, len(self.copies)) for _ in others]
        pairs = list(zip(copies, others, strict=True))
        if not pairs:
            return Profile.empty(self.copies[0][0][:, 0].size)
        return Profile(
            float(self._seconds[others].sum()),
            sum(self.copies[copy][other].shape[1] for copy, other in pairs),
            np.sum([self._moments[copy][other][0] for copy, other in pairs], 0),
            np.sum([self._moments[copy][other][1] for copy, other in pairs], 0),
        )


def _moments(states: States) -> tuple[States, States]:
    """Sums (layers x width,) of the states and of their squares."""
    total = states.sum(1, dtype=np.float32)
    return total.ravel(), np.square(states, dtype=np.float32).sum(1).ravel()


class SoundSource:
    """The sound of recordings, for an encoder that is trained with the head."""

    def __init__(
        self, copies: Sequence[Sequence[Utterance]], *, seconds: Sequence[float], jobs: int
    ) -> None:
        self.copies = copies
        self.lengths = [round(1000 * one) for one in seconds]
        self._jobs = jobs

    def inputs(self, rows: Rows, generator: np.random.Generator | None) -> dict[str, Any]:
        """Waveforms, each (samples,) at 16 kHz."""
        chosen = [self.copies[_copy(generator, len(self.copies))][row] for row in rows.tolist()]
        with ThreadPoolExecutor(self._jobs) as pool:  # decoders run beside each other
            return {"waveforms": list(pool.map(_waveform, chosen))}


def _waveform(utterance: Utterance) -> torch.Tensor:
    return torch.from_numpy(sound(utterance).waveform.copy())


class TextSource:
    """What is said, beside what is heard: None where nobody listens."""

    def __init__(self, heard: StateSource | SoundSource | None, texts: Texts) -> None:
        """``texts`` are those of all recordings; altered copies say the same."""
        self.heard = heard
        self.texts = texts
        self.lengths = [1] * len(texts.there) if heard is None else heard.lengths

    def of_strangers(self) -> TextSource:
        """The same, without profiles."""
        assert isinstance(self.heard, StateSource)
        return TextSource(self.heard.of_strangers(), self.texts)

    def inputs(self, rows: Rows, generator: np.random.Generator | None) -> dict[str, Any]:
        """What is heard, and Texts."""
        heard = {} if self.heard is None else self.heard.inputs(rows, generator)
        return heard | {"texts": Texts(self.texts.vectors[rows], self.texts.there[rows])}


def hear(
    recipe: ExperimentRecipe, material: Material, *, cache: Path, jobs: int
) -> StateSource | SoundSource | None:
    """What is heard of all recordings; None where nobody listens."""
    if recipe.encoder.tune == "none":
        return None
    copies = [list(material.utterances)]
    copies += altered(material.utterances, copies=recipe.train.copies, cache=cache, jobs=jobs)
    if recipe.encoder.tune != "frozen":
        return SoundSource(copies, seconds=material.seconds, jobs=jobs)
    layerwise = recipe.head.pooling == "layerwise"
    heard = [
        layer_states(
            copy,
            encoder=recipe.encoder.checkpoint,
            cache=cache,
            jobs=jobs,
            layers=recipe.encoder.layers,
            pooled=layerwise,
        )
        for copy in copies
    ]
    if layerwise:  # mean and deviation of a layer become states of one frame
        heard = [[one.reshape(-1, 1, one.shape[-1]) for one in copy] for copy in heard]
    return StateSource(
        heard,
        speakers=[one.speaker for one in material.utterances],
        seconds=material.seconds,
        profiles=recipe.head.profile,
    )


def read_texts(
    recipe: ExperimentRecipe, material: Material, *, cache: Path, jobs: int
) -> tuple[Material, list[Texts]]:
    """What is read of all recordings: as it is, and with each of ``texts.errors`` in what is
    tested; nothing where the recipe has no texts. Of texts that none has the material warns.

    Raises ConfigError where there are none at all and nobody listens, and what ``gather_semantics``
    and ``text_vectors`` raise.
    """
    plan, utterances = recipe.texts, material.utterances
    if not plan.encoder:
        return material, []

    def read(rows: Rows, errors: float = 0.0) -> Texts:
        chosen = [utterances[row] for row in rows.tolist()]
        semantics = gather_semantics(chosen, plan, cache=cache, jobs=jobs, errors=errors)
        return Texts(*map(torch.from_numpy, text_vectors(semantics, plan, cache=cache)))

    plain = read(np.arange(len(utterances)))
    there = plain.there[:, [BRANCHES.index(branch) for branch in plan.branches]]
    lacking = [one for one, some in zip(plan.branches, there.any(0), strict=True) if not some]
    if recipe.encoder.tune == "none" and not there.any():
        raise ConfigError(
            f"not one of {len(there)} recordings has a text, and nobody listens; name a "
            "transcriber in texts.transcripts, or another encoder.tune"
        )
    if lacking:
        told = f"no recording has a text for {', '.join(lacking)}: nothing is learned from there"
        material = replace(material, warnings=[*material.warnings, told])
    found, tested = [plain], np.unique(np.concatenate([one.test for one in material.splits]))
    for rate in plan.errors:
        pairs = zip(plain, read(tested, rate), strict=True)
        rows = torch.from_numpy(tested)
        found.append(Texts(*(own.index_copy(0, rows, its) for own, its in pairs)))
    return material, found
