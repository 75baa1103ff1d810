"""Who is heard: what knowing the speaker is worth, and for whom the model is better or worse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voxplain.training.corpora import cremad
from voxplain.training.evaluation import rivals
from voxplain.training.evaluation.material import Judged, Material, Section
from voxplain.training.evaluation.recognition import found_by, recognised
from voxplain.training.evaluation.verdicts import covered
from voxplain.training.held_out import KNOWN

__all__ = ["groups", "profiles"]

_CLIPS = (1, 5, 20, KNOWN)
_NEUTRAL = (1, 5, 20)


def profiles(material: Material, *, corpus: str) -> Section:
    """So many other utterances of the same speaker known, without labels; any, or neutral ones."""
    rows = np.array([one.corpus == corpus for one in material.heard.utterances])
    heard = material.heard.some(np.flatnonzero(rows))
    found = {"nothing known": material.judged.of(corpus)}
    for clips in _CLIPS:
        found[_named(clips, "clip")] = material.judge(heard, heard.profiles(clips))
    for clips in _NEUTRAL:
        profiles = heard.profiles(clips, emotion="neutral")
        found[_named(clips, "neutral clip")] = material.judge(heard, profiles)
    figures = {name: recognised(judged) | covered(judged) for name, judged in found.items()}
    probe = rivals.normalised_probe(material)[rows]
    return figures | {
        "all clips, frozen encoder + logistic regression": found_by(found["nothing known"], probe)
    }


def _named(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def groups(judged: Judged, root: Path) -> Section:
    """CREMA-D by the sex, age, race and ethnicity of the speakers, as the corpus states them."""
    people = cremad.demographics(root)
    if not people:
        return {}
    found = {}
    for trait in ("Sex", "Age", "Race", "Ethnicity"):
        stated = np.array([_stated(people.get(speaker, {}), trait) for speaker in judged.speakers])
        for value in sorted(set(stated)):
            found[f"{trait.lower()}: {value}"] = recognised(judged.some(stated == value))
    return found


def _stated(person: Mapping[str, str], trait: str) -> str:
    value = person.get(trait, "not stated")
    if not value.isdecimal():
        return value
    return "under 30" if int(value) < 30 else "30 to 49" if int(value) < 50 else "50 and over"
