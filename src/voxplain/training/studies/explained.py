"""One clip explained in every way under study, and the cues of what each way points at."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.training import saliency
from voxplain.training.corpora._reading import Utterance
from voxplain.training.studies import maps
from voxplain.training.studies.defects import at_24_khz, in_cuts, zeroed
from voxplain.training.studies.maps import Options
from voxplain.training.studies.recordings import Recording, cues_in, record
from voxplain.training.studies.regions import (
    frames_in,
    outside,
    overlap,
    random_stretches,
    within,
)
from voxplain.training.studies.subjects import Subject
from voxplain.types import Segment

__all__ = ["CUTS", "FORGOTTEN", "ZEROS", "Explained", "Measured", "Plain", "explain", "plain"]

FORGOTTEN = "offset forgotten"
ZEROS = "zeros where unvoiced"
CUTS = "tracks of cuts"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The cues of the regions that a method points at."""

    regions: tuple[Segment, ...]
    """In the sound."""
    beyond: float
    """Share of the time pointed at that lies beyond the sound; NaN where nothing is."""
    inside: NDArray[np.float64]
    """(cues,)"""
    rest: NDArray[np.float64]
    """(cues,) of what is in the sound but in no region."""
    random: NDArray[np.float64]
    """(draws, cues) of random stretches of the same lengths."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """A clip, what the model says, and what every method points at."""

    utterance: Utterance
    log_odds: NDArray[np.float64]
    """(labels,)"""
    at_24_khz: NDArray[np.float64] | None
    """(labels,) of the published network, if it is given the other front end."""
    methods: Mapping[str, Measured]
    defects: Mapping[str, NDArray[np.float64]]
    """Defect -> cues (cues,) of what occlusion in time points at, measured with it."""
    voiced: Mapping[str, float]
    """The same -> share of the frames there that count as voiced; without a defect by ``""``."""
    offset: float
    """Seconds of the file before the sound."""
    band: slice
    """Of 128, those that speak for the label."""
    levels: NDArray[np.float64]
    """(128,) power in our regions; NaN where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A whole clip, to compare with."""

    cues: Mapping[str, NDArray[np.float64]]
    """(cues,) measured well (``""``), and with a defect."""
    levels: NDArray[np.float64]
    """(128,) power in the speech."""


def plain(path: str, *, options: Options) -> Plain | None:
    """What there is in a clip; None where there is too little speech in it."""
    recording = record(path)
    if recording is None:
        return None
    everything = (recording.stretch,)
    ways = {
        "": recording,
        ZEROS: zeroed(recording),
        CUTS: in_cuts(recording, width=options.width, start=recording.stretch.start),
    }
    return Plain(
        {name: cues_in(one, everything, options.cues) for name, one in ways.items()},
        _levels(recording, everything),
    )


def explain(
    utterance: Utterance,
    *,
    subject: Subject,
    shuffled: Subject,
    options: Options,
    every_band: bool,
) -> Explained | None:
    """All that the study asks of a clip; None where there is too little speech in it.

    The label explained is the most probable one. ``every_band`` as for ``pointed_at``.
    """
    recording = record(str(utterance.path))
    if recording is None:
        return None
    seen, blind = (
        model.see(recording.audio, recording.stretch, speaker=utterance.speaker)
        for model in (subject, shuffled)
    )
    (log_odds,) = seen.forward(seen.inputs[None])
    output = int(log_odds.argmax())
    generator = np.random.default_rng([options.seed, zlib.crc32(utterance.path.stem.encode())])
    methods = {
        name: _measured(recording, regions, seen.sound, options, generator)
        for name, regions in maps.pointed_at(seen, blind, output, options, every_band=every_band)
    }
    usual = methods[maps.PUBLISHED].regions
    start = seen.sound.start
    ways = {
        "": (recording, usual),
        FORGOTTEN: (recording, [Segment(one.start - start, one.end - start) for one in usual]),
        ZEROS: (zeroed(recording), usual),
        CUTS: (in_cuts(recording, width=options.width, start=start), usual),
    }
    low_hz, high_hz = maps.salient_band(seen, output, options)
    edges = np.array(saliency.grid(0.0).hz)
    first, last = np.searchsorted((edges[1:] + edges[:-1]) / 2, [low_hz, high_hz])
    return Explained(
        utterance=utterance,
        log_odds=log_odds,
        at_24_khz=at_24_khz(recording, seen) if seen.network else None,
        methods=methods,
        defects={name: cues_in(*way, options.cues) for name, way in ways.items() if name},
        voiced={name: _voiced(*way) for name, way in ways.items()},
        offset=start,
        band=slice(int(first), int(last)),
        levels=_levels(recording, methods[maps.OURS].regions),
    )


def _measured(
    recording: Recording,
    regions: Sequence[Segment],
    sound: Segment,
    options: Options,
    generator: np.random.Generator,
) -> Measured:
    inside = within(regions, sound)
    drawn = [random_stretches(inside, sound, generator) for _ in range(options.draws)]
    return Measured(
        regions=inside,
        beyond=1 - overlap(regions, [sound]),
        inside=cues_in(recording, inside, options.cues),
        rest=cues_in(recording, outside(inside, sound), options.cues),
        random=np.array([cues_in(recording, one, options.cues) for one in drawn]),
    )


def _voiced(recording: Recording, regions: Sequence[Segment]) -> float:
    track = recording.tracks["f0_hz"]
    inside = frames_in(track.times, regions)
    return float(track.voiced[inside].mean()) if inside.any() else float("nan")


def _levels(recording: Recording, regions: Sequence[Segment]) -> NDArray[np.float64]:
    power = saliency.mel_power(recording.audio.waveform)
    inside = frames_in(np.arange(power.shape[1]) * saliency.HOP / SAMPLING_RATE, regions)
    return power[:, inside].mean(1) if inside.any() else np.full(len(power), np.nan)
