"""Occlusion against hand-computed losses, captum, and planted evidence."""

import numpy as np
import pytest

from voxplain.errors import ConfigError, TooShort, UnknownName
from voxplain.explainers import Grid, occlusion
from voxplain.explainers._fills import FILLS, filled


def weighted(weights):
    """A model whose two outputs are a weighted sum of the input and its negative."""

    def forward(batch):
        total = (batch * weights).sum((1, 2))
        return np.stack([total, -total], 1)

    return forward


@pytest.fixture
def spectrogram():
    return np.random.default_rng(0).uniform(1, 2, (6, 20)).astype(np.float32)


def test_of_a_sum_each_window_loses_what_it_held(spectrogram):
    weights = np.random.default_rng(1).standard_normal((6, 20))
    found = occlusion.attribute(
        weighted(weights), spectrogram, output=0, baseline="silence", window=(6, 5), hop=(6, 5)
    )
    held = weights * (spectrogram - spectrogram.min())
    assert found.scores == pytest.approx(held.sum(0).reshape(4, 5).sum(1), abs=1e-4)
    assert found.times.tolist() == [0, 5, 10, 15, 20]
    assert found.hz.size == 0


def test_cells_in_several_windows_score_their_mean(spectrogram):
    weights = np.zeros((6, 20))
    weights[:, 7] = 1
    found = occlusion.attribute(
        weighted(weights), spectrogram, output=1, baseline="silence", window=(6, 10), hop=(6, 5)
    )
    lost = -(spectrogram[:, 7] - spectrogram.min()).sum()
    # Frame 7 lies in the windows from 0 and from 5, not in that from 10.
    assert found.scores == pytest.approx([lost, lost, lost / 2, 0], abs=1e-4)


def test_bands_and_both_axes_find_what_was_planted(spectrogram):
    weights = np.zeros((6, 20))
    weights[2:4, 8:12] = 1
    grid = Grid(start=3.0, frame_shift=0.01, hz=(0, 100, 200, 400, 800, 1600, 3200))
    bands = occlusion.attribute(
        weighted(weights), spectrogram, output=0, axis="frequency", window=(2, 4), hop=(2, 4),
        grid=grid,
    )  # fmt: skip
    both = occlusion.attribute(
        weighted(weights), spectrogram, output=0, axis="time_frequency", baseline="silence",
        window=(2, 4), hop=(2, 4), grid=grid,
    )  # fmt: skip
    assert bands.hz.tolist() == [0, 200, 800, 3200]
    assert np.argmax(np.abs(bands.scores)) == 1
    assert both.scores.shape == (3, 5)
    assert np.argwhere(both.scores > 1e-6).tolist() == [[1, 2]]
    assert both.times == pytest.approx([3.0, 3.04, 3.08, 3.12, 3.16, 3.2])


@pytest.mark.parametrize(
    ("axis", "window", "hop"),
    [
        ("time", (16, 10), (16, 5)),
        ("time", (16, 10), (16, 10)),
        ("frequency", (4, 53), (3, 53)),
        ("time_frequency", (5, 10), (4, 7)),
    ],
)
def test_equals_captum(axis, window, hop):
    torch = pytest.importorskip("torch", reason="the extra [train] is not installed")
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    torch.manual_seed(0)
    inputs = np.random.default_rng(0).standard_normal((16, 53)).astype(np.float32)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(16 * 53, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    )

    def forward(batch):
        with torch.no_grad():
            return network(torch.from_numpy(batch)).numpy()

    found = occlusion.attribute(
        forward, inputs, output=1, axis=axis, baseline="silence", window=window, hop=hop
    )
    with torch.no_grad():
        theirs = captum.Occlusion(network).attribute(
            torch.from_numpy(inputs)[None],
            target=1,
            sliding_window_shapes=window,
            strides=hop,
            baselines=float(inputs.min()),
        )
    rows = np.diff(found.hz if found.hz.size else [0, 16]).astype(int)
    columns = np.diff(found.times if found.times.size else [0, 53]).astype(int)
    ours = found.scores.reshape(len(rows), len(columns)).repeat(rows, 0).repeat(columns, 1)
    assert ours == pytest.approx(theirs[0].numpy(), abs=1e-5)


def test_what_is_not_removed_stays(spectrogram):
    removed = np.zeros((6, 20), bool)
    removed[2, 5:9] = True
    for baseline in FILLS:
        found = filled(spectrogram, removed, baseline=baseline)
        assert found.dtype == np.float32
        assert (found[~removed] == spectrogram[~removed]).all()
        assert (found[removed] != spectrogram[removed]).all()


def test_fills_are_what_they_say(spectrogram):
    gone = np.zeros(20, bool)
    gone[10] = True
    assert (filled(spectrogram, gone, baseline="silence")[:, 10] == spectrogram.min()).all()
    mean = filled(spectrogram, gone, baseline="mean")[:, 10]
    assert mean == pytest.approx(spectrogram.mean(1), abs=1e-6)
    others = np.delete(spectrogram, 10, axis=1).mean(1)  # all 20 frames are near
    assert filled(spectrogram, gone, baseline="local_mean")[:, 10] == pytest.approx(others)
    long = np.random.default_rng(0).normal(3, 2, (4, 5000)).astype(np.float32)
    noise = filled(long, np.ones(5000, bool), baseline="noise")
    assert noise.mean() == pytest.approx(3, abs=0.1)
    assert noise.std() == pytest.approx(2, abs=0.1)


def test_the_local_mean_of_a_lost_band_comes_from_its_neighbours(spectrogram):
    band = np.zeros((6, 20), bool)
    band[3] = True
    found = filled(spectrogram, band, baseline="local_mean")
    assert found[3] == pytest.approx(np.delete(spectrogram, 3, axis=0).mean(0))
    nothing_left = filled(spectrogram, np.ones((6, 20), bool), baseline="local_mean")
    assert nothing_left == pytest.approx(spectrogram.mean(1, keepdims=True).repeat(20, 1))


def test_refusals(spectrogram):
    def attribute(**options):
        occlusion.attribute(weighted(1.0), spectrogram, output=0, **options)

    with pytest.raises(TooShort, match="20 frames are less than a window of 30; take a smaller"):
        attribute(window=(6, 30))
    with pytest.raises(TooShort, match="6 bands are less than a window of 10"):
        attribute(axis="frequency")
    with pytest.raises(ConfigError, match="a hop of 6 frames must be 1 to 5"):
        attribute(window=(6, 5), hop=(6, 6))
    with pytest.raises(UnknownName, match="axis of occlusion 'place'"):
        attribute(axis="place")
    with pytest.raises(UnknownName, match="baseline 'zero'"):
        attribute(baseline="zero", window=(6, 5), hop=(6, 5))
