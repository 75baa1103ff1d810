"""A voice taken apart, and put together with one cue or another changed: synthetic sound.

Pitch and tempo by laying its pulses anew (``psola``), brightness by a filter, breath by noise of
the same spectrum. All else stays as it was recorded, so that what a model makes of the change can
be put down to the cue.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxplain.audio.activity import SAMPLING_RATE
from voxplain.descriptors import DEFAULTS
from voxplain.descriptors._family import ENOUGH, in_speech
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import AudioError, ConfigError
from voxplain.evidence.psola import Laid, lay, pulses
from voxplain.evidence.timbre import breathy, tilted
from voxplain.types import Audio

__all__ = ["AXES", "LONGEST", "Axis", "Edit", "Voice"]

LONGEST = 300.0
"""Seconds of a recording that is taken apart: it lies in memory several times over."""

# Semitones re 1 Hz between which the pitch is followed, and that none is pushed beyond: 10 to 90 %
# of the voice must stay within, and the rest is kept there.
LIMITS_ST = 12 * np.log2([DEFAULTS.f0_min_hz, DEFAULTS.f0_max_hz])


@dataclass(frozen=True, slots=True)
class Axis:
    """One way in which a voice can be changed."""

    unit: str
    low: float
    high: float
    same: float
    """What changes nothing: 0, or 1 of a factor."""
    step: float
    """A usual change: the standard deviation of the utterances of one speaker, acted emotions."""

    def at(self, steps: float) -> float:
        """The value so many usual changes away, to two decimals."""
        value = self.step**steps if self.same == 1 else self.step * steps
        return round(value, 2)


# Steps: within_sd of assets/norms/adults.json; relative to the mean of f0_sd_st and
# articulation_rate; of the periodicity, for the mean of hnr_mean_db. Of intensity there is no
# norm: twice the amplitude.
AXES: Mapping[str, Axis] = {
    "f0_shift_st": Axis("st", -24.0, 24.0, same=0.0, step=4.4),
    "f0_range": Axis("", 0.0, 4.0, same=1.0, step=1.47),
    "tempo": Axis("", 0.5, 2.0, same=1.0, step=1.2),
    "gain_db": Axis("dB", -40.0, 40.0, same=0.0, step=6.0),
    "tilt_db": Axis("dB", -12.0, 12.0, same=0.0, step=3.9),
    "breathiness": Axis("", 0.0, 1.0, same=0.0, step=0.06),
}
"""What can be asked for, and how much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to be changed; by default nothing.

    Raises ConfigError for what no voice allows.
    """

    f0_shift_st: float = 0.0
    """Semitones by which the pitch rises."""
    f0_range: float = 1.0
    """Factor of the distance of the pitch, in semitones, from its median."""
    tempo: float = 1.0
    """Factor of the speed: 1.25 is faster and takes 0.8 of the time."""
    gain_db: float = 0.0
    tilt_db: float = 0.0
    """By how much the alpha ratio rises (energy of 1-5 kHz over that of 50-1000 Hz), on average
    over the voiced frames; the spectrum is tilted by as many dB per octave as that takes."""
    breathiness: float = 0.0
    """Share of the power of the voiced sound that becomes noise of the same spectrum."""

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            axis = AXES[name]
            if not axis.low <= value <= axis.high:
                raise ConfigError(
                    f"{name} can't be {value:g}; give {axis.low:g} to {axis.high:g} {axis.unit}"
                    f"{' ' * bool(axis.unit)}({axis.same:g} changes nothing)"
                )

    @property
    def asked(self) -> dict[str, float]:
        """What is to be changed, and by how much."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if value != AXES[name].same}


class Voice:
    """The speech of a 16 kHz recording, taken apart."""

    def __init__(self, audio: Audio) -> None:
        """Raises AudioError for a recording without speech, or of more than 300 s."""
        assert audio.sampling_rate == SAMPLING_RATE, "pulses are looked for at 16 kHz"
        if audio.duration > LONGEST:
            raise AudioError(
                f"{audio.source} lasts {audio.duration:.0f} s; a voice is taken apart in up to "
                f"{LONGEST:.0f} s: cut out the part in question"
            )
        self.audio = audio
        self.measurement = Measurement(audio.waveform, sampling_rate=audio.sampling_rate)
        if not self.measurement.stretches:
            raise AudioError(
                f"no speech found in {audio.source} ({audio.duration:.1f} s), so there is no voice "
                "to change; give a recording in which somebody talks"
            )
        tracks = self.measurement.tracks
        f0 = tracks["f0_hz"]
        self._trains = pulses(audio.waveform, f0.times, f0.values)
        voiced = f0.voiced & in_speech(f0.times, tracks["speech_activity"])
        self._times = f0.times[voiced]
        self._semitones = 12 * np.log2(f0.values[voiced])
        self._pitch = [
            12 * np.log2(np.interp(train, f0.times[f0.voiced], f0.values[f0.voiced]))
            for train in self._trains
        ]

    def edited(self, edit: Edit) -> Audio:
        """The recording with its voice changed. Nothing is clipped: the sound may exceed 1.

        Raises ConfigError for an edit that the voice does not allow.
        """
        self._check(edit)
        sound, trains, _ = self._laid(edit)
        if edit.breathiness:
            sound = breathy(sound, trains, share=edit.breathiness)
        if edit.tilt_db:
            sound = tilted(sound, self._times / edit.tempo, tilt_db=edit.tilt_db)
        return self._synthetic(sound * np.float32(10 ** (edit.gain_db / 20)))

    def there_and_back(self, edit: Edit) -> Audio:
        """The control of an edit: the pulses laid as far from where they were, and laid back.

        Twice through the same machinery, and no cue is changed: first lower, flatter and slower
        by what was asked for, as what a higher or faster voice has no room for can't be had back.
        An edit that lays no pulses could be undone to the last bit: its control is the recording.

        Raises ConfigError for an edit that the voice does not allow.
        """
        self._check(edit)
        there = self._laid(
            Edit(
                f0_shift_st=-abs(edit.f0_shift_st),
                f0_range=min(edit.f0_range, 1 / max(edit.f0_range, 1)),
                tempo=min(edit.tempo, 1 / edit.tempo),
            )
        )
        if there.waveform is self.audio.waveform:
            return self.audio
        back = [-moved for moved in there.moved_st]
        tempo = max(edit.tempo, 1 / edit.tempo)
        return self._synthetic(lay(there.waveform, there.trains, back, tempo=tempo).waveform)

    def allows(self, edit: Edit) -> bool:
        """Whether the voice can be changed like that."""
        try:
            self._check(edit)
        except ConfigError:
            return False
        return True

    def _check(self, edit: Edit) -> None:
        voiceless = len(self._semitones) <= ENOUGH or not self._trains
        if voiceless and edit.asked.keys() - {"tempo", "gain_db"}:
            raise ConfigError(
                f"no voice found in {self.audio.source} (whispered?), so pitch, tilt and breath "
                "can't be changed; tempo and gain can"
            )
        if not edit.asked.keys() & {"f0_shift_st", "f0_range"}:
            return
        room = LIMITS_ST - self._scaled(np.quantile(self._semitones, (0.1, 0.9)), edit)
        if not room[0] <= edit.f0_shift_st <= room[1]:
            axis = AXES["f0_shift_st"]
            least, most = max(math.ceil(room[0]), axis.low), min(math.floor(room[1]), axis.high)
            raise ConfigError(
                f"f0_shift_st {edit.f0_shift_st:g} with f0_range {edit.f0_range:g} takes the voice "
                f"in {self.audio.source} out of {DEFAULTS.f0_min_hz:g} to {DEFAULTS.f0_max_hz:g} "
                "Hz, where a pitch can be followed; "
                + (
                    f"it allows shifts of {least:g} to {most:g} st"
                    if least <= most
                    else "give a smaller range"
                )
            )

    def _laid(self, edit: Edit) -> Laid:
        if not edit.asked.keys() & {"f0_shift_st", "f0_range", "tempo"}:
            return Laid(self.audio.waveform, self._trains, ())
        shifts = [
            np.clip(self._scaled(pitch, edit) + edit.f0_shift_st, *LIMITS_ST) - pitch
            for pitch in self._pitch
        ]
        return lay(self.audio.waveform, self._trains, shifts, tempo=edit.tempo)

    def _scaled(self, semitones: NDArray[np.float64], edit: Edit) -> NDArray[np.float64]:
        middle = np.median(self._semitones)
        scaled: NDArray[np.float64] = middle + edit.f0_range * (semitones - middle)
        return scaled

    def _synthetic(self, waveform: NDArray[np.float32]) -> Audio:
        return Audio(waveform, SAMPLING_RATE, f"synthetic, from {self.audio.source}")
