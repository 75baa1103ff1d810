"""What every backend but ours needs: the whole recording at once, and where the speech is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.descriptors import Settings
from voxplain.types import Quantity, Segment, Track

__all__ = ["Foreign", "quantities"]


class Foreign:
    """A recording held in memory, for an instrument that wants it whole.

    Raises AudioError or TooShort, and ConfigError for an array without a sampling rate.
    """

    def __init__(
        self,
        source: Any,
        *,
        sampling_rate: int | None = None,
        settings: Settings = descriptors.DEFAULTS,
        marked: Sequence[Segment] = (),
    ) -> None:
        self.audio = read.read(source, sampling_rate=sampling_rate)
        self.settings = settings
        self.duration = self.audio.duration
        listener = Listener()
        stretches = listener.stretches([self.audio.waveform], source="", marked=marked)
        self.stretches = tuple(segment for segment, _ in stretches)
        self.activity = listener.activity()

    def cut(self, within: Segment | None) -> NDArray[np.float32]:
        """The samples (n,) of a part of the recording."""
        if within is None:
            return self.audio.waveform
        rate = self.audio.sampling_rate
        return self.audio.waveform[round(within.start * rate) : round(within.end * rate)]

    def as_tracks(
        self, times: NDArray[np.float64], values: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, Track]:
        """Values (frames,) as tracks, with the speech activity; voiced is where there is an F0."""
        voiced = np.isfinite(values["f0_hz"])
        tracks = {
            name: Track(times, track, descriptors.units()[name], voiced)
            for name, track in values.items()
        }
        return {**tracks, "speech_activity": self.activity}


def quantities(values: Mapping[str, float]) -> dict[str, Quantity]:
    """Values with our units; what is not finite is not reliable."""
    cards = descriptors.inventory()
    return {
        name: Quantity(float(value), cards[name].unit, reliable=bool(np.isfinite(value)))
        for name, value in values.items()
    }
