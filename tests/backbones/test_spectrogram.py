"""The spectrogram that is exported is the one that is heard."""

import numpy as np
import pytest
import torch

from voxplain.audio.log_mel import HOP, WINDOW, _filters, log_mel
from voxplain.audio.read import read
from voxplain.backbones._spectrogram import traced_log_mel


@pytest.mark.parametrize("bands", [80, 128])
def test_it_equals_the_one_in_numpy(clips, bands):
    filters = torch.from_numpy(_filters(bands)).T
    for clip in clips:
        sound = read(clip).waveform
        found = traced_log_mel(torch.tensor(sound)[None], filters, window=WINDOW, hop=HOP)[0]
        np.testing.assert_allclose(found, log_mel(sound, bands=bands), atol=1e-4)
