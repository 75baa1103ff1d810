"""Voices edited at random: other sounds of the same person, made once, that show nothing else."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voxplain.audio import read
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.training.corpora._reading import Utterance
from voxplain.training.vib_sed.edits import edited

CLIPS = Path(__file__).parents[2] / "data"


def clip(path, **facts):
    return Utterance(path, "cremad", "cremad_1089", "", "angry", "", text="Don't forget", **facts)


def measured(path):
    found = Measurement(read.read(path).waveform, sampling_rate=16_000).functionals()
    names = ("f0_mean_st", "intensity_mean_db", "alpha_ratio_mean_db", "articulation_rate")
    return {name: found[name].value for name in names}


def test_copies_are_made_once_and_sound_otherwise(tmp_path, monkeypatch):
    one = clip(CLIPS / "cremad_1089_mti_sad.opus", emphasis=(1,))
    ((first, second),) = edited([one], copies=2, cache=tmp_path, jobs=1)
    before, *after = (measured(each.path) for each in (one, first, second))
    for other in after:
        assert any(abs(other[name] - before[name]) > 0.5 for name in before)
    assert after[0] != after[1]
    for copy in (first, second):
        assert (copy.speaker, copy.corpus) == (one.speaker, one.corpus)
        assert (copy.text, copy.emphasis, copy.emotion, copy.end) == ("", (), "", None)
    monkeypatch.setattr(soundfile, "write", lambda *_, **__: pytest.fail("it was there already"))
    assert edited([one], copies=2, cache=tmp_path, jobs=1) == [[first, second]]


def test_cues_come_apart(tmp_path):
    """Over many copies of one voice, pitch and loudness go their own ways."""
    ((*copies,),) = edited(
        [clip(CLIPS / "cremad_1089_tie_neu.opus")], copies=24, cache=tmp_path, jobs=1
    )
    pitch, loud = np.array(
        [
            [one["f0_mean_st"], one["intensity_mean_db"]]
            for one in (measured(c.path) for c in copies)
        ]
    ).T
    assert np.ptp(pitch) > 6
    assert np.ptp(loud) > 10
    assert abs(np.corrcoef(pitch, loud)[0, 1]) < 0.5


def test_what_holds_no_voice_has_no_copies(tmp_path):
    noise = 0.001 * np.random.default_rng(0).normal(size=16_000)
    soundfile.write(tmp_path / "silence.wav", noise, 16_000)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(16_000), 16_000)
    silent = [clip(tmp_path / name) for name in ("silence.wav", "nothing.wav")]
    assert edited(silent, copies=1, cache=tmp_path, jobs=1) == [[], []]
