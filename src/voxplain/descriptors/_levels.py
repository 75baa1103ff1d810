"""Levels in words: how far a descriptor lies from what is usual."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from voxplain.types import Level, Quantity

__all__ = ["levels"]

# Cut where 10, 25, 75 and 90 % of a normal distribution lie below.
_CUTS = ((-1.282, "very low"), (-0.674, "low"), (0.674, "medium"), (1.282, "high"))


def levels(functionals: Mapping[str, Quantity]) -> dict[str, Level]:
    """The level of each reliable functional that there is a norm for.

    The norms are pooled over adults (assets/norms/adults.json: CREMA-D and EMO-DB, acted speech).
    Intensity has none: it depends on the microphone.
    """
    norms = _norms()
    found = {}
    for name, norm in norms["descriptors"].items():
        quantity = functionals[name]
        if quantity.reliable:
            z = (quantity.value - norm["mean"]) / norm["sd"]
            found[name] = Level(_word(z), z, norms["reference"])
    return found


def _word(z: float) -> str:
    return next((word for cut, word in _CUTS if z < cut), "very high")


@functools.cache
def _norms() -> Any:
    path = files("voxplain") / "assets/norms/adults.json"
    return json.loads(path.read_text(encoding="utf-8"))
