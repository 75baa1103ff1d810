"""The page of an analysis with what can be heard on it, read from the recording again."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from voxplain.audio import read
from voxplain.audio.activity import SAMPLING_RATE
from voxplain.evidence.voice import Edit, Voice
from voxplain.reports import html
from voxplain.types import Analysis, Audio, Counterfactual, Segment

__all__ = ["sounding"]

_HEARD = 3  # changed voices on a page


def sounding(analysis: Analysis, source: Any) -> str:
    """The HTML page of an analysis of ``source``. Raises what ``read.blocks`` raises."""
    part = html.heard(analysis)
    sound = _sound(source, part)
    voices = _changed_voices(analysis, sound, part)
    return html.render(analysis, sound, counterfactual_sounds=voices)


def _sound(source: Any, part: Segment) -> Audio:
    """A part of a recording, so that of hours no more than that is in memory."""
    first, last = (round(second * SAMPLING_RATE) for second in (part.start, part.end))
    place, pieces = 0, []
    for block in read.blocks(source):
        pieces.append(block[max(0, first - place) : max(0, last - place)].copy())
        place += len(block)
    return Audio(np.concatenate(pieces), SAMPLING_RATE, read.source_name(source))


def _changed_voices(analysis: Analysis, sound: Audio, part: Segment) -> list[Audio | None]:
    """The counterfactuals that change most, to be heard: not all, lest the page grow too large."""
    explanation = analysis.explanation
    if explanation is None or not explanation.counterfactuals:
        return []
    label, stretch = explanation.output, analysis.segments[explanation.segment]
    first, last = (
        round((t - part.start) * sound.sampling_rate) for t in (stretch.start, stretch.end)
    )
    voice = Voice(dataclasses.replace(sound, waveform=sound.waveform[first:last]))

    def change(one: Counterfactual) -> float:
        after, control = (side.categories.get(label, 0.0) for side in (one.after, one.identity))
        return -abs(after - control)

    told = sorted(explanation.counterfactuals, key=change)[:_HEARD]
    return [
        voice.edited(Edit(**one.edit)) if one in told else None
        for one in explanation.counterfactuals
    ]
