"""Baselines: each fold is predicted by what the other folds taught, and by nothing else."""

import sys

import numpy as np
import pytest
import soundfile

from voxplain.errors import MissingExtra
from voxplain.training.baselines import (
    egemaps,
    energy,
    held_out,
    majority,
    probe,
    support_vectors,
)


@pytest.fixture
def write(tmp_path):
    """A recording of noise, each half of it at a level of its own."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(2 * 16_000)

    def file(name, first, second):
        levels = np.repeat(10 ** (np.array([first, second]) / 20), 16_000)
        soundfile.write(tmp_path / name, noise * levels, 16_000, subtype="FLOAT")
        return tmp_path / name

    return file


def test_energy_is_in_units_of_40_db(write, tmp_path):
    paths = [write("soft.wav", 0, 0), write("loud.wav", 20, 20), write("both.wav", 0, 20)]
    soft, loud, both = energy(paths, cache=tmp_path / "cache", jobs=1)
    assert loud[0] - soft[0] == pytest.approx(0.5, abs=1e-3)
    assert loud[1] == pytest.approx(soft[1], abs=1e-3)
    assert both[0] - soft[0] == pytest.approx(0.25, abs=0.01)
    assert soft[1] < 0.03  # steady noise
    assert both[1] == pytest.approx(0.25, abs=0.01)  # half of it 0.25 above, half below the mean


def test_egemaps_are_those_of_opensmile(angry, tmp_path):
    opensmile = pytest.importorskip("opensmile")
    (found,) = egemaps([angry], cache=tmp_path, jobs=1)
    samples, rate = soundfile.read(angry, dtype="float32")
    assert rate == 16_000
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02)
    expected = smile.process_signal(samples, rate).to_numpy()[0]
    assert found.shape == (88,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_egemaps_need_opensmile(monkeypatch, angry, tmp_path):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtra, match=r"voxplain\[opensmile\]"):
        egemaps([angry], cache=tmp_path, jobs=1)


def test_the_majority_is_that_of_the_other_folds():
    truth, folds = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    features = np.zeros((6, 1))
    # Without fold 0 class 1 is the most frequent, without fold 1 class 0.
    assert held_out(majority(), features, truth, folds).tolist() == [1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("classifier", [probe, support_vectors])
def test_a_classifier_learns_what_can_be_separated(classifier):
    random = np.random.default_rng(0)
    truth, folds = np.arange(60) % 3, np.arange(60) // 20
    features = random.normal(0, 0.3, (60, 3)) + 5 * np.eye(3)[truth]
    assert held_out(classifier(), features, truth, folds).tolist() == truth.tolist()


@pytest.mark.parametrize("classifier", [probe, support_vectors])
def test_a_fold_is_not_learned_by_heart(classifier):
    # In each fold the labels say the opposite of the other: a peek would be right.
    truth, folds = np.array([0, 1] * 10 + [1, 0] * 10), np.arange(40) // 20
    features = np.tile([[0.0], [1.0]], (20, 1))
    assert held_out(classifier(), features, truth, folds).tolist() == (1 - truth).tolist()
