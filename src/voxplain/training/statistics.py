"""How sure figures are: intervals clustered by speaker, and tests of two systems on one set.

Which test when, and what its numbers mean: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from voxplain.errors import InputError, UnknownName

__all__ = [
    "Bootstrap",
    "Difference",
    "Discordance",
    "Interval",
    "bootstrap",
    "confusion",
    "difference",
    "holm",
    "mcnemar",
    "mean",
    "speaker_interval",
]

Metric = Callable[[NDArray[Any], NDArray[Any]], float]

_NOTHING = 1e-12  # what is left of equal sums


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval and what it stands on."""

    value: float
    low: float
    high: float
    n: int
    speakers: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Difference(Interval):
    """By how much one system exceeds another on the same clips."""

    p: float
    """How probable a difference at least as far from 0 is, either way, if there is none."""

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """A figure, and what it would have been with other speakers."""

    value: float
    draws: NDArray[np.float64]
    """(draws,) the figure of speakers drawn with replacement; NaN where it is not defined."""
    n: int
    speakers: int

    @property
    def interval(self) -> Interval:
        """95 % percentile interval over the draws that have a figure (Efron 1979)."""
        defined = self.draws[~np.isnan(self.draws)]
        low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (np.nan, np.nan)
        return Interval(self.value, float(low), float(high), self.n, self.speakers)


def bootstrap(
    metric: Metric,
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    speakers: Sequence[str] | NDArray[np.str_],
    draws: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Resample speakers, not clips: clips of one speaker depend on each other.

    ``truth`` and ``prediction`` (n, ...) and ``speakers`` (n,) belong to the same clips. One seed
    draws the same speakers for every metric and every system, so that draws can be subtracted.
    Where both are words, the metric of a draw is given their numbers in alphabetical order.
    """
    true, found = np.asarray(truth), np.asarray(prediction)
    value = metric(true, found)
    if true.dtype.kind == found.dtype.kind == "U":  # numbers are sorted much faster
        both = np.unique(np.concatenate([true, found]), return_inverse=True)[1]
        true, found = np.split(both, [len(true)])
    names, owner = np.unique(np.asarray(speakers), return_inverse=True)
    rows, sizes = np.argsort(owner, kind="stable"), np.bincount(owner)
    firsts = np.cumsum(sizes) - sizes
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        speakers_drawn = generator.integers(len(names), size=len(names))
        own = sizes[speakers_drawn]
        ends = np.cumsum(own)
        # The rows of the first speaker drawn, those of the second ...
        drawn = rows[np.repeat(firsts[speakers_drawn] - ends + own, own) + np.arange(ends[-1])]
        values.append(metric(true[drawn], found[drawn]))
    return Bootstrap(value, np.array(values), len(true), len(names))


def speaker_interval(
    metric: Metric,
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    speakers: Sequence[str] | NDArray[np.str_],
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """95 % bootstrap interval that resamples speakers, not clips: clips of one speaker depend."""
    drawn = bootstrap(metric, truth, prediction, speakers=speakers, draws=draws, seed=seed)
    return drawn.interval


def difference(one: Bootstrap, other: Bootstrap) -> Difference:
    """Paired cluster bootstrap: ``one`` minus ``other``, over the same draws of speakers.

    The standard deviation of the difference over the draws, larger by sqrt(k / (k - 1)), is its
    standard error; interval and p are those of t with k - 1 degrees of freedom, for k speakers
    (Hesterberg 2015, The American Statistician 69(4), on the interval t with bootstrap standard
    error). Percentiles of the draws themselves are too narrow for few speakers: with ten they find
    a difference where there is none twice as often as they say. Where the draws do not differ, all
    speakers agree, and p is that of k signs alike: 2^(1 - k).

    Raises InputError for a single speaker, or other clips or draws.
    """
    alike = (one.n, one.speakers, len(one.draws)) == (other.n, other.speakers, len(other.draws))
    if not alike:
        raise InputError(
            f"a paired test needs the same clips: {one.n} of {one.speakers} speakers in "
            f"{len(one.draws)} draws against {other.n} of {other.speakers} in {len(other.draws)}"
        )
    speakers = one.speakers
    if speakers < 2:
        raise InputError("all clips are of one speaker: what another would change is not known")
    value, drawn = one.value - other.value, one.draws - other.draws
    defined = drawn[~np.isnan(drawn)]
    spread = float(np.std(defined)) if len(defined) else np.nan
    error = spread * np.sqrt(speakers / (speakers - 1))
    half = float(stats.t.ppf(0.975, speakers - 1) * error)
    if abs(value) < _NOTHING:
        p = 1.0
    elif error < _NOTHING:
        p = 2.0 ** (1 - speakers)
    else:
        p = float(2 * stats.t.sf(abs(value) / error, speakers - 1))
    return Difference(value, value - half, value + half, one.n, speakers, p)


def mean(figures: Sequence[Bootstrap]) -> Bootstrap:
    """Of figures over the same draws of speakers: of several seeds, say."""
    first, *_ = figures
    value = float(np.mean([one.value for one in figures]))
    return Bootstrap(value, np.mean([one.draws for one in figures], 0), first.n, first.speakers)


@dataclass(frozen=True, slots=True)
class Discordance:
    """Clips that only one of two systems found, and how probable so uneven a split is."""

    only_one: int
    only_other: int
    p: float


def mcnemar(truth: ArrayLike, one: ArrayLike, other: ArrayLike) -> Discordance:
    """McNemar's test (1947) of two systems' labels (n,) against the truth (n,).

    With fewer than 25 clips that only one found the exact binomial test, two-sided; else
    chi-squared with Edwards's correction (1948) and one degree of freedom. It takes all clips for
    independent, which those of one speaker are not.
    """
    true = np.asarray(truth)
    first, second = np.asarray(one) == true, np.asarray(other) == true
    only_one, only_other = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_one + only_other
    if discordant < 25:
        p = stats.binomtest(only_one, discordant).pvalue if discordant else 1.0
    else:
        p = stats.chi2.sf(max(abs(only_one - only_other) - 1, 0) ** 2 / discordant, 1)
    return Discordance(only_one, only_other, float(p))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """(n,) p-values corrected for being n: Holm's step-down method (1979).

    Each, times how many are not smaller, but never less than one before it. NaN stays NaN and
    does not count.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, np.float64)
    order = np.argsort(given)[: int((~np.isnan(given)).sum())]  # NaN comes last
    corrected = np.full(len(given), np.nan)
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def confusion(
    truth: Sequence[str], prediction: Sequence[str], *, labels: Sequence[str]
) -> NDArray[np.int64]:
    """(labels, labels) counts: a row for each true label, a column for each predicted one.

    Raises UnknownName for a label that is not among ``labels``.

    >>> confusion(["a", "a", "b"], ["a", "b", "b"], labels=["a", "b"]).tolist()
    [[1, 1], [0, 1]]
    """
    place = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for true, found in zip(truth, prediction, strict=True):
        for label in (true, found):
            if label not in place:
                raise UnknownName("label", label, labels)
        counts[place[true], place[found]] += 1
    return counts
