"""All clips explained, side by side: what each method's regions hold, as z and as plausibility."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from voxplain.training.studies.explained import Explained, Plain
from voxplain.training.studies.outcomes import Expected, plausibility
from voxplain.training.studies.recordings import Neutral

__all__ = ["Findings", "over_draws"]


class Findings:
    """Arrays with a first axis (n,) for the clips.

    ``usual`` are the neutral clips, by path and speaker, that every z refers to.
    """

    def __init__(
        self,
        clips: Sequence[Explained],
        usual: Mapping[tuple[str, str], Plain],
        *,
        labels: Sequence[str],
        cues: Sequence[str],
    ) -> None:
        self.clips, self.labels, self.cues = clips, np.array(labels), tuple(cues)
        self.speakers = np.array([one.utterance.speaker for one in clips])
        self.truth = np.array([one.utterance.emotion for one in clips])
        self.log_odds = np.array([one.log_odds for one in clips])
        self.predicted = self.labels[self.log_odds.argmax(1)]
        self.right = self.predicted == self.truth
        self.expected = Expected(self.predicted.tolist(), cues)
        self.told = self.expected.weights.any(1)
        """Clips whose predicted label the experts expect something of."""
        paths, speakers = (np.array(part) for part in zip(*usual, strict=True))
        self._neutral = {
            way: Neutral(paths, speakers, np.array([one.cues[way] for one in usual.values()]))
            for way in next(iter(usual.values())).cues
        }
        self._bands = (paths, speakers, np.array([one.levels for one in usual.values()]))

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """In the order in which they were tried; some on a part of the clips."""
        return tuple(dict.fromkeys(name for one in self.clips for name in one.methods))

    def z(self, method: str, part: str) -> NDArray[np.float64]:
        """(n, cues) in the regions (``inside``) or the ``rest``, (n, draws, cues) ``random``."""
        nothing = np.full_like(getattr(next(iter(self.clips[0].methods.values())), part), np.nan)
        values = [
            getattr(one.methods[method], part) if method in one.methods else nothing
            for one in self.clips
        ]
        return self._z(values)

    def z_with(self, defect: str) -> NDArray[np.float64]:
        """(n, cues) in the regions of occlusion in time, measured with a defect."""
        return self._z([one.defects[defect] for one in self.clips], defect)

    def plausibility(
        self, z: NDArray[np.float64], *, dead_band: float = 0.0
    ) -> NDArray[np.float64]:
        """(n,) or (n, draws) of cues (n, cues) or (n, draws, cues), for the predicted label."""
        axes = (slice(None), *[None] * (z.ndim - 2))
        signs, weights = self.expected.signs[axes], self.expected.weights[axes]
        return plausibility(z, signs, weights, dead_band=dead_band)

    def inside(self, method: str, *, dead_band: float = 0.0) -> NDArray[np.float64]:
        """(n,) plausibility in the regions of a method."""
        return self.plausibility(self.z(method, "inside"), dead_band=dead_band)

    def random(self, method: str) -> NDArray[np.float64]:
        """(n,) mean plausibility of random stretches as long as a method's regions."""
        return over_draws(self.plausibility(self.z(method, "random")))

    def further(self, method: str) -> NDArray[np.float64]:
        """(n,) SD by which cues in the regions lie further than at random, where experts expect.

        The weighted mean over the cues that can be measured in both.
        """
        beyond = self.z(method, "inside") - over_draws(self.z(method, "random"))
        known = np.isfinite(beyond)
        weights = self.expected.weights * known
        total = weights.sum(1)
        found = (weights * self.expected.signs * np.where(known, beyond, 0)).sum(1)
        return np.divide(found, total, out=np.full(len(total), np.nan), where=total > 0)

    def level_z(self, band: Callable[[Explained], slice]) -> NDArray[np.float64]:
        """(n,) how loud our regions are in a band, against neutral clips in the same band."""
        paths, speakers, levels = self._bands
        found = []
        for one in self.clips:
            own = band(one)
            neutral = Neutral(paths, speakers, _decibel(levels[:, own])[:, None])
            where = {"speaker": one.utterance.speaker, "path": str(one.utterance.path)}
            found.append(neutral.z(_decibel(one.levels[own])[None], **where)[0])
        return np.array(found)

    def _z(self, values: Sequence[NDArray[np.float64]], way: str = "") -> NDArray[np.float64]:
        neutral = self._neutral.get(way, self._neutral[""])
        return np.array(
            [
                neutral.z(value, speaker=one.utterance.speaker, path=str(one.utterance.path))
                for value, one in zip(values, self.clips, strict=True)
            ]
        )


def over_draws(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, ...) mean of what is known of (n, draws, ...)."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(1), known.sum(1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of power (..., bands) together."""
    return 10 * np.log10(np.maximum(power.sum(-1), 1e-12))
