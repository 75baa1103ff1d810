"""Faithfulness tests on models whose reasons are known."""

import numpy as np
import pytest

from voxplain.errors import UnknownName
from voxplain.evidence import faithfulness
from voxplain.types import Attribution

FRAMES = 100
PLANTED = slice(41, 53)  # one window of the test's own grid


@pytest.fixture
def spectrogram():
    """Loud in frames 65-76, unlike the rest in the planted ones."""
    found = np.random.default_rng(0).uniform(-0.5, 0.0, (8, FRAMES)).astype(np.float32)
    found[:, 65:77] += 1
    found[0, PLANTED] = 0.5
    return found


def goes_by_the_planted(batch):
    """Log-odds: how much of what was planted is there."""
    there = (batch[:, 0, PLANTED] == 0.5).mean(1)
    return np.stack([-there, 8 * there - 4], 1)


def scores_at(place):
    found = np.zeros(FRAMES)
    found[place] = 1.0
    return found


@pytest.mark.parametrize("fill", ["noise", "local_mean"])
def test_taking_away_the_reason_is_felt(spectrogram, fill):
    found = faithfulness.removal(
        goes_by_the_planted, spectrogram, scores_at(PLANTED), output=1, fill=fill, share=0.12
    )
    assert found.before == pytest.approx(1 / (1 + np.exp(-4)))
    assert found.salient == pytest.approx(1 / (1 + np.exp(4)))
    assert found.loudest == pytest.approx(found.before)  # the loudest is elsewhere
    assert found.salient < found.random_low <= found.random <= found.random_high
    assert found.beaten >= 0.8  # a random draw may hit it


def test_a_wrong_attribution_is_found_out(spectrogram):
    elsewhere = scores_at(slice(5, 17))
    found = faithfulness.removal(
        goes_by_the_planted, spectrogram, elsewhere, output=1, fill="noise", share=0.12, draws=30
    )
    assert found.salient == pytest.approx(found.before)
    assert found.random < found.salient
    assert found.beaten == 0.0


def test_curves_start_whole_and_end_empty(spectrogram):
    shares, deletion, insertion = faithfulness.curves(
        goes_by_the_planted, spectrogram, scores_at(PLANTED), output=1, fill="noise", points=5
    )
    assert shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    high, low = 1 / (1 + np.exp(-4)), 1 / (1 + np.exp(4))
    assert deletion == pytest.approx([high, low, low, low, low])
    assert insertion == pytest.approx([low, high, high, high, high])


def test_an_unknown_fill(spectrogram):
    with pytest.raises(UnknownName, match="baseline 'zeros'"):
        faithfulness.removal(
            goes_by_the_planted, spectrogram, scores_at(PLANTED), output=1, fill="zeros"
        )


def test_rank_correlation_is_spearmans():
    stats = pytest.importorskip("scipy.stats", reason="the extra [train] is not installed")
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, 40).astype(float), rng.standard_normal(40)
    expected = stats.spearmanr(one, other).statistic
    assert faithfulness.rank_correlation(one, other) == pytest.approx(expected)
    assert faithfulness.rank_correlation(one, np.ones(40)) == 0.0


def test_scores_on_frames():
    times = np.array([1.0, 1.1, 1.3])
    one = Attribution("m", "sad", "time", np.array([2.0, 5.0]), "mean", times)
    frames = np.array([1.05, 1.1, 1.25, 1.4])
    assert faithfulness.on_frames(one, frames).tolist() == [2, 5, 5, 5]
    both = Attribution(
        "m", "sad", "time_frequency", np.array([[2.0, 5.0], [1.0, 1.0]]), "mean", times
    )
    assert faithfulness.on_frames(both, frames).tolist() == [3, 6, 6, 6]
