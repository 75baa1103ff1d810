"""What the workshop is tested with: networks so small that a second thread only costs time."""

import pytest
import torch

from voxplain.training.scoring import scores
from voxplain.training.statistics import bootstrap, speaker_interval


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def few_draws(monkeypatch):
    """Of the thousand draws of speakers behind each interval: for figures, not their intervals."""
    for drawing in (bootstrap, speaker_interval, scores):
        monkeypatch.setitem(drawing.__kwdefaults__, "draws", 20)
