"""What is taught of a voice: measured descriptors in three levels, and which of them are certain.

Levels are those of the people learned from: a third of their recordings lies below, between and
above two cuts. Where zero is something that is heard (a contour that neither falls nor rises, no
pause), the cuts are fixed. What lies close to a cut could as well be on its other side, and is not
taught.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voxplain.errors import ArtifactError, ConfigError
from voxplain.models.description import ATTRIBUTES, Description, distinct_words, tone_of
from voxplain.types import Word, _Value

__all__ = ["DEAD_BAND", "FIXED", "LEAD", "STRESSED", "Cuts", "Labels", "Thresholds"]

log = logging.getLogger(__name__)

DEAD_BAND = 0.15
"""Standard deviations on either side of a cut."""

FIXED = {
    # 1.5 semitones in the 0.3 s that are measured: less is hard to tell apart ('t Hart 1981).
    "contour": (-5.0, 5.0),  # st/s
    "pauses": (0.05, 0.15),
}
"""Attribute -> its two cuts, in the unit of its descriptor."""

STRESSED = 0.5
"""The prominence (``text.emphasis``, a chance) from which the most prominent word is stressed."""

LEAD = 0.05
"""By how much it must exceed the next word, and STRESSED, so that it is certain."""


@dataclass(frozen=True, slots=True)
class Labels:
    """How a recording sounds by its measurements."""

    measured: Description
    """All that is known."""
    certain: Description
    """The same without what lies close to a cut: what is taught."""
    places: Mapping[str, float] = field(default_factory=dict)
    """Attribute -> standard deviations above the middle between its cuts; of what is measured and
    varied among those learned from."""


@dataclass(frozen=True, slots=True)
class Cuts(_Value):
    """Where the middle of an attribute's three levels begins and ends."""

    descriptor: str
    """The functional that is cut; low, high and band have its unit."""
    low: float
    high: float
    band: float
    """What lies no further than this from a cut may be on its other side."""

    def level(self, value: float) -> int:
        """-1 below the middle, 0 in it, 1 above."""
        return int(value > self.high) - int(value < self.low)

    def possible(self, value: float) -> tuple[int, ...]:
        """Levels that it may have, in ascending order: one where it is certain."""
        return tuple(sorted({self.level(value + by) for by in (-self.band, 0.0, self.band)}))

    def place(self, value: float) -> float:
        """Standard deviations above the middle between the cuts."""
        return (value - (self.low + self.high) / 2) / self.band * DEAD_BAND


@dataclass(frozen=True, slots=True)
class Thresholds(_Value):
    """The cuts of each attribute that could be measured of those learned from."""

    cuts: Mapping[str, Cuts]
    """By the name of the attribute."""
    relative: bool = False
    """Whether they cut what differs from the speaker's usual voice, FIXED ones aside."""

    @classmethod
    def fitted(
        cls,
        measured: Sequence[Mapping[str, float]],
        *,
        usual: Sequence[Mapping[str, float]] | None = None,
    ) -> Thresholds:
        """Thresholds by the recordings learned from, and no others.

        ``measured`` are the reliable functionals of each; ``usual``, where levels are to be
        relative, those of its speaker. An attribute whose descriptor hardly varies is left out,
        with a warning.

        Raises ConfigError if that is all of them.
        """
        if usual is not None:
            pairs = zip(measured, usual, strict=True)
            measured = [_difference(one, speaker) for one, speaker in pairs]
        found = {}
        for attribute in ATTRIBUTES:
            name, descriptor = attribute.name, attribute.descriptor
            values = np.array([one.get(descriptor, math.nan) for one in measured])
            values = values[np.isfinite(values)]
            low, high = (
                FIXED.get(name) or np.quantile(values, [1 / 3, 2 / 3]).tolist()
                if len(values)
                else (math.nan, math.nan)
            )
            if low < high:
                found[name] = Cuts(descriptor, low, high, DEAD_BAND * float(values.std()))
            else:
                log.warning(
                    "%s has no levels: %s is known of %d recordings and hardly varies",
                    name, descriptor, len(values),
                )  # fmt: skip
        if not found:
            raise ConfigError(
                f"no descriptor of {len(measured)} recordings varies enough for levels; "
                "give more recordings to learn from, with speech in them"
            )
        return cls(found, relative=usual is not None)

    @classmethod
    def load(cls, path: Path) -> Thresholds:
        """Those that were saved. Raises ArtifactError for a file that is none of them."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArtifactError(
                f"{path} holds no thresholds ({type(error).__name__}: {error}); "
                "copy the model's folder again"
            ) from error

    def save(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    def labels(
        self,
        measured: Mapping[str, float],
        words: Sequence[Word] = (),
        *,
        emotion: str = "",
        usual: Mapping[str, float] | None = None,
    ) -> Labels:
        """What is known of a recording by its reliable functionals, words and emotion.

        Words have their prominence by the embedded method of ``text.emphasis``; without one that
        has, the stress is not known. The tone is certain if it is the same on either side of the
        cuts that something lies close to.

        Raises ConfigError unless ``usual`` is given with relative thresholds, and only with them.
        """
        if (usual is not None) != self.relative:
            raise ConfigError(
                "levels are relative to the speaker, but no usual voice of theirs was given"
                if self.relative
                else "levels are those of people at large, but a usual voice was given"
            )
        if usual is not None:
            measured = _difference(measured, usual)
        known = {
            name: (cuts, value)
            for name, cuts in self.cuts.items()
            if math.isfinite(value := measured.get(cuts.descriptor, math.nan))
        }
        levels = {name: cuts.level(value) for name, (cuts, value) in known.items()}
        possible = {name: cuts.possible(value) for name, (cuts, value) in known.items()}
        tones = {
            tone_of(dict(zip(possible, combined, strict=True)))
            for combined in itertools.product(*possible.values())
        }
        stressed, is_certain = _stress(words)
        return Labels(
            Description(levels, tone_of(levels), stressed, emotion),
            Description(
                {name: level for name, level in levels.items() if len(possible[name]) == 1},
                tones.pop() if len(tones) == 1 else "",
                stressed if is_certain else None,
                emotion,
            ),
            {name: cuts.place(value) for name, (cuts, value) in known.items() if cuts.band},
        )


def _difference(measured: Mapping[str, float], usual: Mapping[str, float]) -> dict[str, float]:
    """By how much functionals exceed the speaker's; those with fixed cuts as they are."""
    fixed = {attribute.descriptor for attribute in ATTRIBUTES if attribute.name in FIXED}
    return {
        name: value if name in fixed else value - usual.get(name, math.nan)
        for name, value in measured.items()
    }


def _stress(words: Sequence[Word]) -> tuple[tuple[str, ...] | None, bool]:
    """The stressed word, or none (an empty tuple), and whether that is certain.

    None where no word has a prominence. That no word is stressed competes with the words, at
    STRESSED.
    """
    scores: dict[tuple[str, ...], float] = {}
    for word in words:
        spelled = distinct_words([word.text])
        if spelled and math.isfinite(word.prominence):
            scores[spelled] = max(word.prominence, scores.get(spelled, -math.inf))
    if not scores:
        return None, False
    scores[()] = STRESSED
    first, second = sorted(scores, key=lambda spelled: -scores[spelled])[:2]
    return first, scores[first] - scores[second] >= LEAD
