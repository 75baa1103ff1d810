"""States of layers: each recording heard once and alone, and found again by what it holds."""

import functools
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from voxplain import backbones
from voxplain.audio.read import read
from voxplain.errors import ArtifactError, AudioError, ConfigError, WeightsMissing
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.layers import layer_states


def utterance(path, **times):
    return Utterance(path, "made", "ann", "female", "angry", "A", **times)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny"), "whisper")


@pytest.fixture
def states(checkpoint, tmp_path):
    """The states of some utterances."""
    return functools.partial(layer_states, encoder=checkpoint, cache=tmp_path / "cache", jobs=1)


@pytest.fixture
def times(monkeypatch):
    """How often an encoder was loaded, and called."""
    count = {"loaded": 0, "called": 0}
    load = backbones.load

    def counted(*given, **options):
        encoder = load(*given, **options)
        count["loaded"] += 1

        def called(*_):
            count["called"] += 1

        encoder.register_forward_pre_hook(called)
        return encoder

    monkeypatch.setattr(backbones, "load", counted)
    return count


@torch.inference_mode()
def expected(checkpoint, path):
    waveform = torch.tensor(read(path).waveform)
    return backbones.load(checkpoint).eval()([waveform])[0][:, 0].numpy()


def test_they_are_the_encoders_in_half_precision(states, checkpoint, clips):
    for clip, found in zip(clips, states([utterance(clip) for clip in clips]), strict=True):
        assert found.dtype == np.float16
        assert found.shape[0] == 4
        np.testing.assert_allclose(found, expected(checkpoint, clip), rtol=2e-3, atol=2e-3)


def test_pooled_they_are_mean_and_deviation_over_the_frames(states, checkpoint, angry):
    (found,) = states([utterance(angry)], pooled=True)
    whole = expected(checkpoint, angry)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], whole.mean(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[:, 1], whole.std(1), rtol=1e-4, atol=1e-5)


def test_some_layers_are_those_of_all_in_the_order_asked(states, angry):
    (whole,) = states([utterance(angry)])
    for layers in ([2], [0], [1, 0], [3, 1]):
        (found,) = states([utterance(angry)], layers=layers)
        np.testing.assert_array_equal(found, whole[layers])


def test_what_was_heard_before_is_not_heard_again(states, clips, times):
    heard = states([utterance(clip) for clip in clips[:2]])
    assert times == {"loaded": 1, "called": 2}
    for one, other in zip(states([utterance(clip) for clip in clips[:2]]), heard, strict=True):
        np.testing.assert_array_equal(one, other)
    assert times == {"loaded": 1, "called": 2}
    states([utterance(clip) for clip in reversed(clips[:3])])
    assert times == {"loaded": 2, "called": 3}


def test_the_same_sound_is_heard_once_wherever_it_lies(states, angry, tmp_path, times):
    copy = Path(shutil.copy(angry, tmp_path / "copy.opus"))
    one, other = states([utterance(angry), utterance(copy)])
    np.testing.assert_array_equal(one, other)
    assert times["called"] == 1


def test_another_sound_under_the_same_name_is_heard_anew(states, clips, tmp_path, times):
    place = tmp_path / "clip"
    found = []
    for clip in clips[:2]:
        shutil.copy(clip, place)
        found += states([utterance(place)])
    assert times["called"] == 2
    assert found[0].shape != found[1].shape


@pytest.mark.parametrize(
    "change",
    [{"layers": [0, 1]}, {"layers": [1, 0]}, {"pooled": True}, {"encoder": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_other_options_do_not_collide(states, angry, tmp_path, times, change):
    (before,) = states([utterance(angry)])
    if "encoder" in change:
        change = {"encoder": tiny_checkpoint(tmp_path / "other", "whisper", encoder_layers=2)}
    (after,) = states([utterance(angry)], **change)
    assert times["called"] == 2
    assert before.shape != after.shape
    np.testing.assert_array_equal(states([utterance(angry)])[0], before)
    assert times["called"] == 2


def test_parts_of_a_file_are_heard_apart(states, checkpoint, angry, times):
    parts = [utterance(angry), utterance(angry, end=1.0), utterance(angry, start=1.0, end=2.0)]
    whole, first, second = states(parts)
    assert times["called"] == 3
    assert [len(one[0]) for one in (first, second)] == [50, 50]
    assert len(whole[0]) > 100
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("damage", [b"", b"no zip at all", "flip"])
def test_what_was_damaged_is_heard_anew(states, angry, tmp_path, times, damage):
    (before,) = states([utterance(angry)])
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1  # one bit in the middle of the numbers
    kept.write_bytes(bytes(content) if damage == "flip" else damage)
    (after,) = states([utterance(angry)])
    np.testing.assert_array_equal(before, after)
    assert times["called"] == 2
    assert [path.suffix for path in (tmp_path / "cache").rglob("*.*")] == [".npz"]


def test_what_was_heard_before_a_failure_is_kept(states, clips, tmp_path, times):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"broken\.wav can't be decoded"):
        states([*(utterance(clip) for clip in clips[:2]), utterance(broken)])
    states([utterance(clip) for clip in clips[:2]])
    assert times["called"] == 2


def test_how_many_share_the_work_does_not_matter(states, clips, tmp_path):
    told = [utterance(clip) for clip in clips]
    alone, shared = states(told), states(told, jobs=2, cache=tmp_path / "afresh")
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


def test_progress_is_told(states, clips, caplog):
    with caplog.at_level(logging.INFO):
        states([utterance(clip) for clip in clips[:2]])
    assert caplog.messages == [
        "0 of 2 recordings were heard before",
        "heard 2 of 2 recordings, 0 s left",
    ]


@pytest.mark.parametrize("layers", [[], [-1], [0, -2]])
def test_layers_that_can_t_be_are_refused(states, angry, layers):
    with pytest.raises(ConfigError, match=r"layers are numbers from 0 up, at least one; got \["):
        states([utterance(angry)], layers=layers)


def test_layers_that_are_not_there_are_refused(states, angry):
    with pytest.raises(ArtifactError, match=r"has 3 layers; keep 1 to 3, not 4"):
        states([utterance(angry)], layers=[4])


def test_states_that_half_precision_can_t_hold_are_named(angry, tmp_path):
    loud = tiny_checkpoint(tmp_path / "loud", "wav2vec2")
    weights = backbones.load(loud).network.state_dict()
    weights["encoder.layers.2.final_layer_norm.weight"] *= 1e6
    save_file(weights, loud / "model.safetensors", metadata={"format": "pt"})
    given = {"encoder": loud, "cache": tmp_path / "cache", "jobs": 1}
    expected = r"tie_ang\.opus: states of loud reach \d\S+, more than half precision holds; ask for"
    with pytest.raises(ArtifactError, match=expected):
        layer_states([utterance(angry)], **given)
    assert np.isfinite(layer_states([utterance(angry)], pooled=True, **given)[0]).all()


def test_an_encoder_that_is_nowhere_is_named_at_once(states, tmp_path):
    with pytest.raises(WeightsMissing, match=r"voxplain models pull .*nowhere$"):
        states([utterance(tmp_path / "missing.wav")], encoder=str(tmp_path / "nowhere"))


RATE = 16_000


@pytest.fixture
def tone(tmp_path):
    """25 s of 16 kHz in which the sample number can be read."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.linspace(-0.9, 0.9, 25 * RATE, dtype=np.float32), RATE, "FLOAT")
    return path


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 1), (1.5, 2.25), (12.3, 24), (20.0, None), (24, 25.05)]
)
def test_an_utterance_is_its_part_of_the_file(tone, start, end):
    whole = read(tone).waveform
    found = sound(utterance(tone, start=start, end=end))
    last = None if end is None else round(end * RATE)
    np.testing.assert_array_equal(found.waveform, whole[round(start * RATE) : last])
    assert (found.sampling_rate, found.source) == (RATE, str(tone))


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (26, None, "0.00 s of sound between 26 s and 25.0 s"),
        (3, 30, "22.00 s of sound between 3 s and 30 s"),
        (5, 5.01, "0.01 s of sound between 5 s and 5.01 s"),
    ],
)
def test_times_outside_the_file_are_refused(tone, start, end, told):
    expected = rf"tone\.wav has {told}; correct the times, or copy the file again"
    with pytest.raises(AudioError, match=expected):
        sound(utterance(tone, start=start, end=end))
