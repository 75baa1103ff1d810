"""What the voice does in an emotion: what the literature expects, and what acted speech shows."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from voxplain.errors import UnknownName

__all__ = ["Expectation", "Profiled", "citations", "expectations", "labels", "profile"]

_REFERENCE = "neutral"
_FOLDER = "assets/references"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the literature expects of a descriptor, against neutral speech of the same speaker."""

    cue: str
    title: str
    """What the cue is called in a sentence."""
    expected: float
    """-2 strong fall, -1 fall, 0 as in neutral speech, 1 rise, 2 strong rise; NaN: no direction."""
    agreement: float
    """How much the literature agrees on it, 0 to 1."""
    citation: str
    """Keys of ``citations``."""
    note: str


@dataclass(frozen=True, slots=True)
class Profiled:
    """How far a descriptor lies from neutral speech of the same speaker, in acted speech."""

    z: float
    """Standard deviations within speakers; the mean over speakers."""
    low: float
    high: float
    """The 90 % interval, clustered by speaker."""
    utterances: int
    speakers: int


def labels() -> tuple[str, ...]:
    """The emotions that the literature has expectations of."""
    return tuple(_cues()["labels"])


@functools.cache
def expectations(label: str) -> Mapping[str, Expectation]:
    """Descriptor -> what is expected of it in an emotion. Raises UnknownName."""
    table = _cues()
    if label not in table["labels"]:
        raise UnknownName("emotion", label, table["labels"])
    found = {}
    for cue, row in table["cues"].items():
        if row["descriptor"] is None:
            continue
        marks = {_REFERENCE: {"expected": 0, "state": "certain"}, **row["marks"]}
        mark = marks[label]
        found[row["descriptor"]] = Expectation(
            cue=cue,
            title=row["title"],
            expected=math.nan if mark["expected"] is None else float(mark["expected"]),
            agreement=table["agreement"][mark["state"]] * row.get("agreement", 1.0),
            citation=", ".join(row["sources"]),
            note="; ".join(filter(None, (table["labels"][label], mark.get("note")))),
        )
    return found


def citations() -> Mapping[str, str]:
    """Key -> full reference; what each is used for stands in assets/references/cues.yaml."""
    return {key: one["reference"] for key, one in _cues()["citations"].items()}


@functools.cache
def profile(label: str) -> Mapping[str, Profiled]:
    """Descriptor -> where it lies in an emotion, over all corpora that were heard.

    One that depends on the gain is absent where no corpus has kept it. Raises UnknownName for an
    emotion that no corpus portrays.
    """
    path = files("voxplain") / _FOLDER / "profiles.json"
    found = json.loads(path.read_text(encoding="utf-8"))["profiles"]["pooled"]
    if label not in found:
        raise UnknownName("emotion profile", label, found)
    return {name: Profiled(**one) for name, one in found[label]["descriptors"].items()}


@functools.cache
def _cues() -> Any:
    import yaml

    path = files("voxplain") / _FOLDER / "cues.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
