"""What each cue of a voice is worth to a model: Shapley values of making cues usual."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import log_mel
from voxplain.descriptors._levels import Reference
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.explainers import Forward, shapley
from voxplain.types import Attribution, Audio, Quantity

__all__ = ["cue_shares"]

_CHANGED_BY = {  # descriptor -> the axis that changes it; a factor where nothing is 1
    "f0_mean_st": "f0_shift_st",
    "f0_sd_st": "f0_range",
    "articulation_rate": "tempo",
    "alpha_ratio_mean_db": "tilt_db",
}


def cue_shares(
    voice: Voice,
    hearing: Callable[[Audio], Forward],
    *,
    output: int,
    label: str,
    functionals: Mapping[str, Quantity],
    reference: Reference,
) -> Attribution | None:
    """How the log-odds of a label divide among the cues that make the voice unusual.

    Pitch, its variability, tempo and brightness are made usual by resynthesis, in every
    combination; each cue's share is its Shapley value (Shapley 1953), so that the shares add up to
    the log-odds of the recording minus those of the voice made usual in all of them. ``hearing``
    gives for a sound the function from its log-mel spectrograms (n, bands, frames) to log-odds.
    None where fewer than two cues can be measured and changed.
    """
    usual = {
        name: _usual(axis, functionals[name].value, reference.norms[name].mean)
        for name, axis in _CHANGED_BY.items()
        if name in reference.norms and functionals[name].reliable
    }
    names = tuple(
        name for name, value in usual.items() if voice.allows(Edit(**{_CHANGED_BY[name]: value}))
    )
    if len(names) < 2 or not voice.allows(Edit(**{_CHANGED_BY[n]: usual[n] for n in names})):
        return None

    def without(kept: NDArray[Any]) -> NDArray[np.floating]:
        """Log-odds (n, outputs) of the voice with all cues but those kept (n, cues) made usual."""
        found = []
        for row in kept:
            changed = {
                _CHANGED_BY[n]: usual[n] for n, keep in zip(names, row, strict=True) if not keep
            }
            sound = voice.edited(Edit(**changed)) if changed else voice.audio
            found.append(hearing(sound)(log_mel(sound.waveform)[None])[0])
        return np.stack(found)

    everything = np.ones(len(names), bool)
    shares = shapley.attribute(
        without, everything, output=output, baseline=~everything, names=names, label=label
    )
    return dataclasses.replace(shares, baseline=f"as usual for {reference.name}")


def _usual(name: str, value: float, mean: float) -> float:
    """What to ask of an axis to bring a descriptor to the mean, as far as the axis goes."""
    axis = AXES[name]
    asked = mean / value if axis.same == 1 else mean - value
    return float(np.clip(asked, axis.low, axis.high))
