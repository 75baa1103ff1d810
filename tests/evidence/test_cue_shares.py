"""Shares of cues: a model that listens to brightness alone, on a real voice."""

import dataclasses

import numpy as np
import pytest

from voxplain.audio.log_mel import log_mel
from voxplain.audio.read import read
from voxplain.descriptors._levels import Norm, Reference
from voxplain.evidence.cue_shares import cue_shares
from voxplain.evidence.voice import Edit, Voice


@pytest.fixture(scope="module")
def voice(angry):
    return Voice(read(angry))


@pytest.fixture(scope="module")
def functionals(voice):
    return voice.measurement.functionals()


def brightness(batch):
    """1-5 kHz over 0-1 kHz: bands 27 to 66 of 80, and those below."""
    found = batch[:, 27:67].mean((1, 2)) - batch[:, :27].mean((1, 2))
    return np.stack([-found, found], 1)


def shares(voice, functionals, reference):
    return cue_shares(
        voice,
        lambda sound: brightness,
        output=1,
        label="angry",
        functionals=functionals,
        reference=reference,
    )


def test_brightness_is_all_that_counts_to_a_model_of_brightness(voice, functionals):
    found = shares(voice, functionals, Reference.of_group("adults"))
    told = dict(zip(found.names, found.scores, strict=True))
    assert max(told, key=told.get) == "alpha_ratio_mean_db"  # this voice is bright
    assert told["alpha_ratio_mean_db"] > 3 * abs(told["articulation_rate"])
    assert (found.axis, found.method, found.output) == ("descriptor", "shapley", "angry")
    assert "adults" in found.baseline


def test_shares_add_up_to_what_making_all_usual_costs(voice, functionals):
    norms = {name: Norm(functionals[name].value + by, 1.0, 1.0) for name, by in (
        ("f0_mean_st", -3.0), ("alpha_ratio_mean_db", -5.0),
    )}  # fmt: skip
    found = shares(voice, functionals, Reference("somebody", norms))
    assert found.names == ("f0_mean_st", "alpha_ratio_mean_db")
    usual = voice.edited(Edit(f0_shift_st=-3.0, tilt_db=-5.0))
    before, after = (brightness(log_mel(a.waveform)[None])[0, 1] for a in (voice.audio, usual))
    assert found.scores.sum() == pytest.approx(before - after, abs=1e-5)


def test_fewer_than_two_cues_have_no_shares(voice, functionals):
    one = Reference("somebody", {"f0_mean_st": Norm(40.0, 1.0, 1.0)})
    assert shares(voice, functionals, one) is None
    unsure = {k: dataclasses.replace(v, reliable=False) for k, v in functionals.items()}
    assert shares(voice, unsure, Reference.of_group("adults")) is None
