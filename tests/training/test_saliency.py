"""The published network's front end against another tool, and its training in miniature."""

import json
import shutil

import numpy as np
import pytest
import soundfile
import torch
from transformers.audio_utils import mel_filter_bank, power_to_db
from transformers.audio_utils import spectrogram as published

from voxplain.audio import read
from voxplain.cli import main
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.training.saliency import grid, load_network, sounding, spectrogram

RATE = 16_000


def noise(seconds, level=0.1, seed=0):
    draws = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (level * draws).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_the_spectrogram_is_that_of_another_tool(angry, rate):
    waveform = read.read(angry).waveform[: 2 * rate]
    waveform = np.pad(waveform, (0, 2 * rate - len(waveform)))
    mel = published(
        waveform,
        window=np.pad(np.hanning(481)[:-1], 272),
        frame_length=1024,
        hop_length=240,
        fft_length=1024,
        power=2.0,
        pad_mode="constant",
        mel_filters=mel_filter_bank(513, 128, 0, rate / 2, rate, norm="slaney", mel_scale="slaney"),
    )
    wanted = power_to_db(mel, reference=mel.max(), min_value=1e-12, db_range=80)
    found = spectrogram(waveform, sampling_rate=rate)
    assert found.shape == (128, 2 * rate // 240 + 1)
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_short_sound_ends_in_silence_and_long_sound_is_cut():
    found = spectrogram(noise(0.5))
    assert found.max() == 0
    assert found[:, 40:].max() == -80
    np.testing.assert_array_equal(spectrogram(noise(3.0)), spectrogram(noise(3.0)[: 2 * RATE]))


def test_silence_is_the_floor():
    assert (spectrogram(np.zeros(RATE, np.float32)) == -80).all()


def test_a_beep_lies_where_the_grid_says():
    waveform = np.zeros(2 * RATE, np.float32)
    times = np.arange(800) / RATE
    waveform[RATE : RATE + 800] = np.sin(2 * np.pi * 1500 * times)  # from 1.00 to 1.05 s
    band, frame = np.unravel_index(spectrogram(waveform).argmax(), (128, 134))
    places = grid(0.7)
    low, high = places.frequencies([band, band + 1])
    start, end = places.times([frame, frame + 1])
    assert low <= 1500 <= high
    assert 1.7 <= start < end <= 1.75
    assert end - start == pytest.approx(0.015)


def slowly(waveform):
    """The same millisecond by millisecond."""
    level = np.sqrt(np.mean(waveform.astype(float) ** 2)) * 10 ** (-14 / 20)
    quiet = [False] * (len(waveform) // 16)
    for ms in range(len(quiet) - 500 + 1):
        if np.sqrt(np.mean(waveform[ms * 16 : (ms + 500) * 16].astype(float) ** 2)) <= level:
            quiet[ms : ms + 500] = [True] * 500
    start = quiet.index(False)
    end = quiet.index(True, start) if True in quiet[start:] else len(quiet)
    return start / 1000, end / 1000


def test_a_long_silence_is_left_out_and_the_offset_is_kept():
    waveform = np.concatenate([noise(0.8, 1e-4), noise(1.0), noise(0.9, 1e-4), noise(0.4)])
    found = sounding(waveform)
    assert (found.start, found.end) == slowly(waveform)
    assert found.start == pytest.approx(0.8, abs=0.02)
    assert found.end == pytest.approx(1.8, abs=0.02)


def test_a_short_silence_stays():
    waveform = np.concatenate([noise(0.4, 1e-4), noise(1.0), noise(0.4, 1e-4)])
    assert (sounding(waveform).start, sounding(waveform).end) == slowly(waveform) == (0.0, 1.8)


@pytest.mark.parametrize("seconds", [0.3, 1.5])
def test_where_all_is_silent_all_is_kept(seconds):
    found = sounding(np.zeros(round(seconds * RATE), np.float32))
    assert (found.start, found.end) == (0.0, seconds)


# Training: loud noise above 4 kHz passes for anger, a hum for sadness.

RECIPE = """
kind: saliency
corpora: [cremad]
left_out: [cremad_1005]
labels: [angry, sad]
dev: [cremad_1003]
test: [cremad_1004]
mixed: 0.0
epochs: 4
batch: 4
learning_rate: 0.01
weight_decay: 0.0001
dropout: 0.0
seed: 0
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saliency")
    (folder / "cremad").mkdir()
    times = np.arange(RATE) / RATE
    for speaker in range(1001, 1006):
        for number, sentence in enumerate(("TIE", "MTI", "WSI")):
            hiss = np.diff(noise(1.0, seed=10 * speaker + number), prepend=0)
            hum = 0.1 * np.sin(2 * np.pi * (100 + 7 * number) * times) + noise(1.0, 1e-3)
            for emotion, sound in (("ANG", hiss), ("SAD", hum)):
                name = f"{speaker}_{sentence}_{emotion}_XX.wav"
                soundfile.write(folder / "cremad" / name, sound, RATE)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def train(root, out, recipe="recipe.yaml"):
    data = ["--root", f"cremad={root / 'cremad'}", "--cache", str(root / "cache"), "--jobs", "1"]
    return main(["train", str(root / recipe), "--out", str(root / out), *data])


@pytest.fixture(scope="module")
def trained(root):
    assert train(root, "network") == 0
    return root / "network"


def test_it_learns_what_there_is_and_says_how_well(trained):
    card = json.loads((trained / "card.json").read_text())
    assert card["learned_from"] == {"n": 12, "speakers": 2}
    assert len(card["dev_UAR"]) == 4
    assert card["figures"]["UAR"] == {
        "value": 1.0, "low": 1.0, "high": 1.0, "n": 6, "speakers": 1
    }  # fmt: skip


def test_the_weights_come_back_with_their_labels(trained, root):
    network, labels = load_network(trained)
    assert labels == ("angry", "sad")
    assert not network.training
    clip = read.read(root / "cremad/1005_TIE_SAD_XX.wav").waveform
    found = network(torch.from_numpy(spectrogram(clip))[None, None]).argmax()
    assert labels[found] == "sad"


def test_the_same_seed_gives_the_same_weights(trained, root):
    assert train(root, "again") == 0
    first, second = (
        json.loads((folder / "card.json").read_text())["sha256"]
        for folder in (trained, root / "again")
    )
    assert first == second


def test_the_published_protocol_tests_what_chose_the_epoch_by_whoever(root):
    text = RECIPE.replace("mixed: 0.0", "mixed: 0.34").replace("[cremad_1005]", "[]")
    (root / "mixed.yaml").write_text(text)
    assert train(root, "mixed", "mixed.yaml") == 0
    card = json.loads((root / "mixed/card.json").read_text())
    assert card["learned_from"] == {"n": 20, "speakers": 5}
    assert card["figures"]["UAR"]["n"] == 10
    assert card["figures"]["UAR"]["value"] == max(card["dev_UAR"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("test: [cremad_1004]", "test: [cremad_1099]"), "'cremad_1099' of dev or test has no"),
        (("test: [cremad_1004]", "test: [cremad_1003]"), "dev and test share speakers: cremad_10"),
    ],
)
def test_speakers_that_cannot_be_split_are_an_error(root, capsys, change, message):
    (root / "wrong.yaml").write_text(RECIPE.replace(*change))
    assert train(root, "wrong", "wrong.yaml") == 2
    assert message in capsys.readouterr().err


def test_a_network_that_is_missing_or_altered_is_an_error(trained, tmp_path):
    with pytest.raises(WeightsMissing, match=r"holds no network.*voxplain train recipes/beyond"):
        load_network(tmp_path)
    shutil.copytree(trained, tmp_path / "altered")
    weights = tmp_path / "altered/network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(ArtifactError, match=r"its card says.*train the network again"):
        load_network(tmp_path / "altered")
