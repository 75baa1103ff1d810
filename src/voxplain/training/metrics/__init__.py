"""Metrics: how well a prediction meets the truth, in one number. One metric a file.

A file has a ``CARD`` and ``measure(truth, prediction)``, which gives a float: NaN where the metric
is not defined, and InputError for what can't be measured. What the two are given is said by
``Card.takes``:

==============  ==============================================  ================================
takes           truth                                           prediction
==============  ==============================================  ================================
labels          (n,) labels                                     (n,) labels
probabilities   (n,) columns, -1 where the truth has no column  (n, labels) probabilities
values          (n,) numbers                                    (n,) numbers
distributions   (n, labels) shares of the listeners             (n, labels) shares
==============  ==============================================  ================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Card", "Takes"]

Takes = Literal["labels", "probabilities", "values", "distributions"]


@dataclass(frozen=True, slots=True)
class Card:
    """A metric in brief."""

    title: str
    """As it is printed."""
    synonyms: tuple[str, ...]
    """What others call it."""
    takes: Takes
    higher_is_better: bool
    best: float
    """Of a prediction without fault."""
    citation: str
