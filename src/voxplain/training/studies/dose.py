"""Dose and response: one cue of the voice changed in steps, and what the model makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.evidence.references import expectations
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.training.corpora._reading import Utterance
from voxplain.training.studies.outcomes import clustered_mean, sign_test
from voxplain.training.studies.recordings import first_stretch
from voxplain.training.studies.subjects import Subject
from voxplain.training.studies.tables import Table
from voxplain.types import Audio

__all__ = ["EXPECTED_BY", "Responses", "agreement", "curves", "respond"]

EXPECTED_BY = {
    "f0_shift_st": ("f0_mean_st", 1),
    "f0_range": ("f0_sd_st", 1),
    "tempo": ("articulation_rate", 1),
    "gain_db": ("intensity_mean_db", 1),
    "tilt_db": ("alpha_ratio_mean_db", 1),
    "breathiness": ("hnr_mean_db", -1),
}
"""Axis of an edit -> the descriptor it changes, and in which direction."""

_LEAST_SLOPE = 0.01
"""Log-odds per step, below which a model does not hear a cue: front ends that level the gain."""


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Log-odds of the label of a clip, less those of the clip as it is."""

    speaker: str
    label: str
    curves: Mapping[str, NDArray[np.float64]]
    """Axis -> (steps,); NaN where the voice does not allow the edit."""
    shuffled: Mapping[str, NDArray[np.float64]]
    """The same of the model of shuffled weights."""


def respond(
    utterance: Utterance, *, subject: Subject, shuffled: Subject, steps: Sequence[float]
) -> Responses:
    """Change each cue by so many usual steps, and see what becomes of the label portrayed."""
    audio = read.read(str(utterance.path))
    voice = Voice(audio)
    output = subject.labels.index(utterance.emotion)

    def judge(sound: Audio) -> NDArray[np.float64]:
        """(2,) log-odds by the model and the shuffled one."""
        stretch = first_stretch(sound)
        if stretch is None:
            return np.full(2, np.nan)
        views = (
            model.see(sound, stretch, speaker=utterance.speaker) for model in (subject, shuffled)
        )
        return np.array([view.forward(view.inputs[None])[0, output] for view in views])

    before = judge(audio)
    told = {
        name: np.array([_judged(voice, name, step, judge) for step in steps]) - before
        for name in AXES
    }
    return Responses(
        utterance.speaker,
        utterance.emotion,
        {name: found[:, 0] for name, found in told.items()},
        {name: found[:, 1] for name, found in told.items()},
    )


def _judged(
    voice: Voice, name: str, step: float, judge: Callable[[Audio], NDArray[np.float64]]
) -> NDArray[np.float64]:
    axis = AXES[name]
    value = axis.at(step)
    if not axis.low <= value <= axis.high or not voice.allows(Edit(**{name: value})):
        return np.full(2, np.nan)
    return judge(voice.edited(Edit(**{name: value})))


def slopes(curves: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) log-odds per step, by least squares, of curves (n, steps) that go through 0 at 0.

    NaN with fewer than two steps.
    """
    known = np.isfinite(curves)
    squares = (known * steps**2).sum(1)
    products = np.where(known, curves * steps, 0).sum(1)
    enough = known.sum(1) > 1
    return np.divide(products, squares, out=np.full(len(curves), np.nan), where=enough)


def curves(responses: Sequence[Responses], steps: Sequence[float]) -> Table:
    """Change of the log-odds at each step, for each emotion and cue."""
    labels = np.array([one.label for one in responses])
    speakers = np.array([one.speaker for one in responses])
    found = {}
    for name in AXES:
        told = np.array([one.curves[name] for one in responses])
        for label in np.unique(labels).tolist():
            own = np.where((labels == label)[:, None], told, np.nan)
            found[f"{label}: {name}"] = {
                f"{step:+g} steps": clustered_mean(own[:, number], labels, speakers)
                for number, step in enumerate(steps)
            }
    return found


def agreement(responses: Sequence[Responses], steps: Sequence[float]) -> Table:
    """How often the model goes by a cue in the direction that the experts expect.

    All together, for each cue, and for each emotion and cue; means are over these last.
    """
    axes = np.tile(list(AXES), len(responses))
    labels = np.repeat([one.label for one in responses], len(AXES))
    speakers = np.repeat([one.speaker for one in responses], len(AXES))
    cells = np.char.add(np.char.add(labels, ": "), axes)
    signs = np.array([[_sign(one.label, name) for name in AXES] for one in responses]).ravel()

    def slope(shuffled: bool) -> NDArray[np.float64]:
        each = [one.shuffled if shuffled else one.curves for one in responses]
        found = [slopes(np.array([c[name] for c in each]), np.array(steps)) for name in AXES]
        return np.stack(found, 1).ravel()

    told, blind = slope(False), slope(True)

    def agrees(slope: NDArray[np.float64]) -> NDArray[np.float64]:
        heard = (np.abs(slope) > _LEAST_SLOPE) & (signs != 0)
        return np.where(heard, slope * signs > 0, np.nan)

    def row(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        share, chance = (np.where(chosen, agrees(one), np.nan) for one in (told, blind))
        return {
            "log-odds per step": clustered_mean(np.where(chosen, told, np.nan), cells, speakers),
            "goes the expected way": clustered_mean(share, cells, speakers),
            "shuffled weights": clustered_mean(chance, cells, speakers),
            "sign test against 1/2": f"p {sign_test(share - 0.5, speakers):.2g}",
        }

    everything = {"all": np.ones(len(cells), bool)}
    for names in (axes, cells):
        everything |= {name: names == name for name in np.unique(names).tolist()}
    return {name: row(chosen) for name, chosen in everything.items()}


def _sign(label: str, name: str) -> float:
    """Which way the log-odds should go as the cue rises; 0 where nothing is expected."""
    descriptor, direction = EXPECTED_BY[name]
    return direction * float(np.nan_to_num(np.sign(expectations(label)[descriptor].expected)))
