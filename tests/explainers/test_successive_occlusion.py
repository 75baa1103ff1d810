"""Successive occlusion: what is said twice, and hand-computed costs."""

import numpy as np
import pytest

from voxplain.errors import ConfigError, TooShort
from voxplain.explainers import Grid, occlusion, successive_occlusion

FIRST, SECOND, MINOR = slice(10, 20), slice(40, 50), slice(60, 70)


@pytest.fixture
def spectrogram():
    return np.random.default_rng(0).uniform(1, 2, (4, 100)).astype(np.float32)


@pytest.fixture
def either(spectrogram):
    """Log-odds: 3 by one place, or 2.5 by another that says the same, and 0.4 more by a third."""

    def same(batch, place):
        return (batch[:, :, place] == spectrogram[:, place]).all((1, 2)).astype(float)

    def forward(batch):
        told = np.maximum(3 * same(batch, FIRST), 2.5 * same(batch, SECOND))
        told += 0.4 * same(batch, MINOR)
        return np.stack([told, -told], 1)

    return forward


def test_what_is_said_twice_is_found(spectrogram, either):
    alone = occlusion.attribute(
        either, spectrogram, output=0, window=(4, 10), hop=(4, 10), baseline="mean"
    )
    assert alone.scores[[1, 4, 6]] == pytest.approx([0.5, 0, 0.4])  # the other is not missed
    found = successive_occlusion.attribute(
        either, spectrogram, output=0, share=0.3, candidates=10, grid=Grid(1.0, 0.01)
    )
    assert found.scores[[1, 4, 6]] == pytest.approx([0.5, 2.5, 0.4])
    assert np.delete(found.scores, [1, 4, 6]) == pytest.approx(0)
    assert found.times == pytest.approx(1 + np.arange(11) / 10)
    assert (found.method, found.baseline, found.axis) == (
        "successive_occlusion", "mean, silence", "time",
    )  # fmt: skip


def test_costs_add_up_to_what_is_lost_together(spectrogram):
    weights = np.random.default_rng(1).uniform(0, 1, 100)

    def squared(batch):  # no window's cost is independent of the others
        return (((batch - spectrogram.min()) * weights).sum((1, 2)) ** 2)[:, None] / 1e3

    found = successive_occlusion.attribute(
        squared, spectrogram, output=0, baseline=["silence"], share=0.3, candidates=10
    )
    gone = np.argsort(-found.scores)[:3]
    without = spectrogram.copy()
    for cell in gone:
        without[:, 10 * cell : 10 * cell + 10] = spectrogram.min()
    (whole, left) = squared(np.stack([spectrogram, without]))[:, 0]
    assert found.scores[gone].sum() == pytest.approx(whole - left, rel=1e-4)


def test_refusals(spectrogram, either):
    with pytest.raises(ConfigError, match="needs at least one baseline, such as 'mean'"):
        successive_occlusion.attribute(either, spectrogram, output=0, baseline=())
    with pytest.raises(TooShort, match="100 frames are less than a window of 200"):
        successive_occlusion.attribute(either, spectrogram, output=0, window=200)
