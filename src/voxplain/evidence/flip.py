"""The smallest change of a voice that makes a model call it something else.

S. Wachter, B. Mittelstadt & C. Russell, "Counterfactual explanations without opening the black
box", Harvard Journal of Law & Technology 31 (2018): changes are measured by the sum of what each
axis contributes, in units of its usual spread, which favours the change of few cues.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Collection, Iterable, Iterator

from voxplain.errors import ConfigError, UnknownName
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.types import Counterfactual, Emotion

__all__ = ["smallest_flip"]

Point = tuple[float, ...]
"""Usual steps on each axis."""

WIDTH = 3  # points that each round goes on from,
WAYS = 4  # and directions that it goes into; the first round tries all
HALVINGS = 4  # of the way back to where the verdict flips: to a sixteenth of a change


def smallest_flip(
    experiment: Experiment, *, to: str | None = None, evaluations: int = 60
) -> Counterfactual | None:
    """The smallest edit found that changes the first label of the verdict (to ``to``, if given).

    Rounds of edits of one, two, three ... usual steps, each from the best of the round before
    (beam search), until some flip the verdict; these are shortened as far as they still do. An edit
    whose control flips, too, does not count. None where nothing does within so many judgements, or
    within what the voice allows. There may be a smaller edit that the search has missed.

    Raises ConfigError where there is no label to flip, UnknownName for a label.
    """
    before, source = experiment.before, experiment.voice.audio.source
    if before.verdict.abstains:
        raise ConfigError(f"there is no label to flip in {source}: {before.verdict.reason}")
    first = before.verdict.labels[0]
    if to is not None and to not in before.label_set:
        raise UnknownName("label", to, before.label_set)
    if to == first:
        raise ConfigError(f"{source} sounds {to} as it is; name another label to flip to")
    wanted = {to} if to else {*before.label_set} - {first}
    margins: dict[Edit, float] = {}

    def margin(point: Point) -> float:
        edit = _edit(point)
        if edit not in margins:
            if len(margins) >= evaluations:
                return -math.inf
            margins[edit] = _margin(experiment.after(edit), wanted)
        return margins[edit]

    def shortened(point: Point) -> Point:
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if margin(_scaled(point, middle)) > 0:
                high = middle
            else:
                low = middle
        return _scaled(point, high)

    origin = (0.0,) * len(AXES)
    ways = list(_ways())
    seen, best = {origin}, [origin]
    while len(margins) < evaluations:
        points = {_sum(point, way) for point in best for way in ways} - seen
        seen |= points
        allowed = [point for point in sorted(points) if _allowed(experiment.voice, point)]
        ranked = sorted(allowed, key=margin, reverse=True)
        flips = [shortened(point) for point in ranked[:WIDTH] if margin(point) > 0]
        for point in sorted(flips, key=_cost):
            if _margin(experiment.control(_edit(point)), wanted) <= 0:
                return experiment.whatif(_edit(point))
        if not ranked:
            break
        if best == [origin]:
            ways = ranked[:WAYS]
        best = ranked[:WIDTH]
    return None


def _margin(emotion: Emotion, wanted: Collection[str]) -> float:
    """Log-odds of the best of the wanted labels against the best other; above 0 it is the first."""
    if emotion.verdict.abstains:
        return -math.inf

    def best(labels: Iterable[str]) -> float:
        return math.log(max(1e-300, *(emotion.categories[label] for label in labels)))

    return best(wanted) - best({*emotion.categories} - {*wanted})


def _ways() -> Iterator[Point]:
    """A usual step along each axis, down and up."""
    for axis, step in itertools.product(range(len(AXES)), (-1.0, 1.0)):
        yield tuple(step if number == axis else 0.0 for number in range(len(AXES)))


def _edit(point: Point) -> Edit:
    axes = zip(AXES.items(), point, strict=True)
    return Edit(**{name: axis.at(steps) for (name, axis), steps in axes})


def _allowed(voice: Voice, point: Point) -> bool:
    try:
        return voice.allows(_edit(point))
    except ConfigError:
        return False


def _sum(point: Point, way: Point) -> Point:
    return tuple(map(operator.add, point, way))


def _scaled(point: Point, factor: float) -> Point:
    return tuple(factor * steps for steps in point)


def _cost(point: Point) -> float:
    return sum(map(abs, point))
