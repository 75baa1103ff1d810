"""What is wrong with a recording is seen, and nothing is wrong with real ones."""

import numpy as np
import pytest
import soxr

from voxplain.training.audit.sounds import listen
from voxplain.training.corpora._reading import Utterance

RATE = 16_000


def utterance(path, **told):
    return Utterance(path=path, corpus="", speaker="", sex="", emotion="", sentence="", **told)


def test_real_recordings_have_no_faults(clips):
    for path in clips:
        heard = listen(utterance(path))
        assert heard.faults == (), path
        assert (len(heard.digest), heard.trouble) == (64, "")
        assert 1.5 < heard.seconds < 4


@pytest.fixture
def voice(spoken):
    return spoken["emodb_03a01Wa"]


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_what_is_clipped_is_clipped_at_any_level(put, voice, suffix):
    hard = np.clip(voice * 4 / np.abs(voice).max(), -1, 1)
    assert listen(utterance(put(f"x{suffix}", hard))).faults == ("clipped",)
    assert listen(utterance(put(f"y{suffix}", 0.3 * hard))).faults == ("clipped",)
    loud = 0.9999 * voice / np.abs(voice).max()  # one sample at the limit
    assert listen(utterance(put(f"z{suffix}", loud))).faults == ()


def test_clipping_is_looked_for_at_the_rate_of_the_file(put, voice):
    hard = np.clip(soxr.resample(voice, RATE, 44_100) * 8, -0.9, 0.9)
    assert listen(utterance(put("x.wav", hard, 44_100))).faults == ("clipped",)


def test_silence_has_no_digest_that_could_match(put):
    noise = 1e-4 * np.random.default_rng(0).standard_normal(RATE)
    for name, quiet in (("x.wav", np.zeros(RATE)), ("y.wav", noise)):
        heard = listen(utterance(put(name, quiet)))
        assert (heard.faults, heard.digest) == (("silent",), "")


def test_short_recordings(put, voice):
    faded = voice[4000:9600] * np.minimum(1, np.linspace(7, 0, 5600))
    assert listen(utterance(put("x.wav", faded))).faults == ("too short",)
    assert listen(utterance(put("y.wav", voice[:800]))).faults == ("too short",)


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
def test_less_data_than_the_header_says(put, voice, suffix):
    path = put(f"x{suffix}", voice)
    path.write_bytes(path.read_bytes()[:-20_000])
    assert "truncated" in listen(utterance(path)).faults


def test_less_sound_than_the_list_says(put, voice):
    path, seconds = put("x.wav", voice), len(voice) / RATE
    assert listen(utterance(path, end=seconds + 0.05)).faults == ()  # as codecs do
    assert listen(utterance(path, end=seconds + 0.2)).faults == ("truncated",)
    assert listen(utterance(path, start=1.0, end=seconds + 0.2)).faults == ("truncated",)


def test_a_length_that_the_writer_did_not_know_is_no_fault(put, voice):
    path = put("x.wav", voice)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = content[4:8] = b"\xff" * 4  # as ffmpeg writes to a pipe
    path.write_bytes(content)
    assert listen(utterance(path)).faults == ()


def test_a_word_that_is_cut_off(put, voice):
    loud = int(np.argmax(np.convolve(voice**2, np.ones(1600), "same")))
    assert listen(utterance(put("x.wav", voice[: loud + 800]))).faults == ("ends abruptly",)


def test_stereo_and_the_band_of_a_telephone(put, voice):
    assert listen(utterance(put("x.wav", np.stack([voice, voice], 1)))).faults == ("stereo",)
    narrow = soxr.resample(soxr.resample(voice, RATE, 8000), 8000, RATE)
    assert listen(utterance(put("y.wav", narrow))).faults == ("narrow band",)
    telephone = listen(utterance(put("z.wav", soxr.resample(voice, RATE, 8000), 8000)))
    assert (telephone.faults, telephone.sampling_rate) == ((), 8000)


def test_what_cannot_be_decoded_says_why(tmp_path):
    path = tmp_path / "x.wav"
    path.write_text("no sound")
    heard = listen(utterance(path))
    assert heard.faults == ("unreadable",)
    assert f"{path} can't be decoded" in heard.trouble


def test_the_same_samples_have_the_same_digest_in_any_container(put, voice):
    files = [put("x.wav", voice), put("x.flac", voice), put("x.aiff", voice)]
    digests = {listen(utterance(path)).digest for path in files}
    assert len(digests) == 1
    assert listen(utterance(put("y.wav", 0.5 * voice))).digest not in digests
