"""A listener passes the stream on as it is and remembers its length, clipping and speech."""

import numpy as np
import pytest

from voxplain.audio import listening
from voxplain.audio.listening import Listener
from voxplain.types import Segment

CHUNK, RATE = 512, 16_000


@pytest.fixture
def heard(monkeypatch):
    """Listen to a scripted stream of (chunk, probability)."""

    def listen(script):
        monkeypatch.setattr(listening, "speech_probabilities", lambda blocks: iter(script))
        listener = Listener()
        assert list(listener.hear([])) == script
        return listener

    return listen


def silence(*probabilities):
    return [(np.zeros(CHUNK, np.float32), probability) for probability in probabilities]


def test_the_length_is_that_of_the_samples(heard):
    assert heard([*silence(0, 0), (np.zeros(100, np.float32), 0.0)]).duration == 1124 / RATE


def test_the_speech_is_that_of_the_chunks_above_the_threshold(heard):
    assert heard(silence(0.1, 0.3, 0.9, 0.29)).speech_duration == 2 * CHUNK / RATE


def test_no_more_speech_than_sound(heard):
    listener = heard([(np.zeros(100, np.float32), 0.9)])
    assert listener.speech_duration == listener.duration == 100 / RATE


def test_clipping_is_counted_on_both_sides(heard):
    chunk = np.zeros(CHUNK, np.float32)
    chunk[:3] = 1, -1, 1.5
    chunk[3:5] = 0.99, -0.99
    assert heard([(chunk, 0.0), *silence(0)]).clipped_share == 3 / (2 * CHUNK)


def test_nothing_was_heard(heard):
    listener = heard([])
    assert (listener.duration, listener.speech_duration, listener.clipped_share) == (0, 0, 0)
    assert len(listener.activity().times) == 0


def test_activity_is_a_track_of_chunk_centres(heard):
    track = heard(silence(0.1, 0.2, 0.3)).activity()
    np.testing.assert_allclose(track.times, [0.016, 0.048, 0.08])
    np.testing.assert_array_equal(track.values, [0.1, 0.2, 0.3])
    assert not track.voiced.any()


def test_activity_of_a_segment(heard):
    track = heard(silence(0.1, 0.2, 0.3, 0.4)).activity(Segment(0.032, 0.096))
    np.testing.assert_allclose(track.times, [0.048, 0.08])
    np.testing.assert_array_equal(track.values, [0.2, 0.3])
