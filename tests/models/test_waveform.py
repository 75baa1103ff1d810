"""A model that hears waveforms: what it is read as, and what explainers see of it."""

import dataclasses

import numpy as np
import pytest

from voxplain.audio.log_mel import log_mel
from voxplain.audio.read import read
from voxplain.errors import ArtifactError
from voxplain.models.calibration import Calibration
from voxplain.models.judgement import judge
from voxplain.models.waveform import Outputs, WaveformModel

NAMES = ("sad", "dominance", "", "angry", "arousal", "valence")


def model(run, **options):
    outputs = Outputs(NAMES, **options)
    return WaveformModel(
        run,
        outputs,
        name="ear",
        sha256="00",
        calibration=Calibration.unfitted(outputs.labels),
    )


def loudness(waveform):
    """Angrier by the dB in the first half of the sound, sadder by those in the second."""
    first, second = np.array_split(np.square(waveform), 2)
    db = [10 * np.log10(half.mean() + 1e-12) / 10 for half in (second, first)]
    return np.array([db[0], 0.2, 9.0, db[1], 0.4, 0.6], np.float32)


@pytest.fixture(scope="module")
def audio(angry):
    sound = read(angry)
    return dataclasses.replace(sound, waveform=sound.waveform[8000:40_000])


def test_outputs_are_read_by_name(audio):
    ear = model(lambda waveform: np.array([1, 0.2, 9, 2, 0.4, 0.6], np.float32))
    embedding = ear.embed(audio)
    assert embedding.duration == pytest.approx(audio.duration)
    emotion = judge(ear.read(embedding), ear.calibration)
    assert dict(emotion.categories) == pytest.approx(
        {"sad": 1 / (1 + np.e), "angry": np.e / (1 + np.e)}
    )
    found = emotion.dimensions
    assert [found.valence.value, found.arousal.value, found.dominance.value] == pytest.approx(
        [0.6, 0.4, 0.2]
    )
    assert emotion.verdict.labels == ("angry",)


def test_a_value_off_its_scale_is_refused_and_one_at_its_end_is_not(audio):
    beside = model(lambda waveform: np.array([1, 8, 9, 2, 0.5, 3], np.float32), scale=(1.0, 7.0))
    dimensions = judge(beside.read(beside.embed(audio)), beside.calibration).dimensions
    assert (dimensions.dominance.value, dimensions.arousal.value) == (1, 0)
    assert dimensions.valence.value == pytest.approx(1 / 3)
    off = model(lambda waveform: np.array([1, 4, 9, 2, 3, 5], np.float32))
    said = r"valence 5\.00, arousal 3\.00, dominance 4\.00, .*scale from 0 to 1;.*scale: \[1, 7\]"
    with pytest.raises(ArtifactError, match=said):
        off.read(off.embed(audio))


def test_explainers_see_what_the_model_makes_of_the_changed_sound(audio):
    ear = model(loudness)
    spectrogram = log_mel(audio.waveform)
    half = spectrogram.shape[1] // 2
    quieter = spectrogram.copy()
    quieter[:, :half] -= 0.5  # 20 dB in the first half, so that angry loses 2 in its logit
    whole, changed = ear.hearing(audio)(np.stack([spectrogram, quieter]))
    logits = loudness(audio.waveform)[[0, 3]]
    np.testing.assert_allclose(whole, [logits[0] - logits[1], logits[1] - logits[0]], atol=1e-5)
    np.testing.assert_allclose(changed - whole, [2, -2], atol=0.1)


def test_log_odds_are_those_of_calibrated_probabilities(audio):
    ear = model(loudness)
    plain = ear.hearing(audio)(log_mel(audio.waveform)[None])
    ear.calibration = Calibration.unfitted(("sad", "angry"), temperature=4.0)
    np.testing.assert_allclose(ear.hearing(audio)(log_mel(audio.waveform)[None]), plain / 4)
