"""Diarisers: sherpa-onnx with weights that hear levels, and what is said where it is missing."""

import io
import sys

import numpy as np
import pytest

import voxplain
from voxplain.conversations.diarisers import load_diariser
from voxplain.errors import ArtifactError, ConfigError, MissingExtra, WeightsMissing
from voxplain.types import Audio

RATE = 16_000
WINDOW, SHIFT = 160_000, 270  # samples that sherpa-onnx shows a segmentation, and of its frames


def saved(graph, path, **facts):
    import onnx

    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    onnx.save(model, str(path))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A segmentation that hears how loud and how high it is; a vector that is the mean spectrum."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("sherpa_onnx")
    make, kind = onnx.helper, onnx.TensorProto
    folder = tmp_path_factory.mktemp("weights")

    def constant(name, values):
        return onnx.numpy_helper.from_array(np.array(values, np.float32), name)

    # Of each frame: nobody up to 0.005, the first of three by the mean size of the samples, the
    # second by that of their differences; the third and the pairs are never chosen.
    loud, change = np.ones((1, 1, 721)) / 721, np.array([1.0, -1.0]).reshape(1, 1, 2)
    level = np.array([0.005, 0.0, 0.0, *[-1.0] * 4]).reshape(1, 7, 1)
    slopes = np.zeros((2, 1, 7, 1))
    slopes[0, 0, 1] = slopes[1, 0, 2] = 1.0
    nodes = [
        make.make_node("Conv", ["x", "change"], ["changes"], pads=[0, 1]),
        make.make_node("Abs", ["x"], ["size"]),
        make.make_node("Abs", ["changes"], ["size of changes"]),
        make.make_node("Conv", ["size", "loud"], ["first"], strides=[SHIFT]),
        make.make_node("Conv", ["size of changes", "loud"], ["second"], strides=[SHIFT]),
        make.make_node("Mul", ["first", "slope of first"], ["one"]),
        make.make_node("Mul", ["second", "slope of second"], ["two"]),
        make.make_node("Sum", ["one", "two", "level"], ["classes"]),
        make.make_node("Transpose", ["classes"], ["y"], perm=[0, 2, 1]),
    ]
    constants = {
        "loud": loud, "change": change, "level": level,
        "slope of first": slopes[0], "slope of second": slopes[1],
    }  # fmt: skip
    graph = make.make_graph(
        nodes,
        "segmentation",
        [make.make_tensor_value_info("x", kind.FLOAT, ["n", 1, "t"])],
        [make.make_tensor_value_info("y", kind.FLOAT, ["n", "f", 7])],
        [constant(name, values) for name, values in constants.items()],
    )
    saved(
        graph, folder / "segmentation.onnx", num_speakers=3, powerset_max_classes=2, num_classes=7,
        sample_rate=RATE, window_size=WINDOW, receptive_field_size=721,
        receptive_field_shift=SHIFT, model_type="pyannote-segmentation-3.0",
    )  # fmt: skip
    nodes = [
        make.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0),
        make.make_node("ReduceMean", ["mean"], ["level"], axes=[1], keepdims=1),
        make.make_node("Sub", ["mean", "level"], ["y"]),
    ]
    graph = make.make_graph(
        nodes,
        "embedding",
        [make.make_tensor_value_info("x", kind.FLOAT, ["n", "t", 80])],
        [make.make_tensor_value_info("y", kind.FLOAT, ["n", 80])],
    )
    saved(
        graph, folder / "embedding.onnx", framework="3d-speaker", language="English", url="",
        comment="tiny", sample_rate=RATE, output_dim=80, normalize_samples=1,
        feature_normalize_type="",
    )  # fmt: skip
    return folder


def test_it_finds_who_speaks_when(weights):
    """Two tones with pauses between them are two voices."""
    times = np.arange(2 * RATE) / RATE
    low, high = (0.3 * np.sin(2 * np.pi * hz * times).astype(np.float32) for hz in (150, 5000))
    quiet = np.zeros(RATE, np.float32)
    waveform = np.concatenate([quiet, low, quiet, high, quiet, low, quiet])
    found = load_diariser("sherpa_onnx", weights)(Audio(waveform, RATE, "<array>"))
    places = [(one.start, one.end) for one in found]
    assert np.allclose(places, [(1, 3), (4, 6), (7, 9)], atol=0.1)
    first, second, third = (one.speaker for one in found)
    assert first == third != second


def test_a_conversation_that_was_diarised(weights, talk, monkeypatch):
    found = voxplain.conversation(talk.path, diariser="sherpa_onnx", diariser_model=weights)
    assert found.speakers == "sherpa_onnx"
    assert all(voice.name.startswith("speaker ") for voice in found.voices)
    assert any(turn.judged for turn in found.turns)
    piped = io.TextIOWrapper(io.BytesIO(talk.path.read_bytes()))  # which can be read only once
    monkeypatch.setattr(sys, "stdin", piped)
    again = voxplain.conversation("-", diariser="sherpa_onnx", diariser_model=weights)
    assert again.turns == found.turns


def test_where_it_hears_nobody_all_is_one_voice(weights):
    quiet = np.zeros(5 * RATE, np.float32)
    found = voxplain.conversation(quiet, RATE, diariser="sherpa_onnx", diariser_model=weights)
    assert found.warnings == ("sherpa_onnx heard nobody, so that all that is said is one voice",)
    assert [voice.name for voice in found.voices] == [None]
    assert found.judged == 0


def test_weights_that_are_missing(weights, tmp_path):
    with pytest.raises(ConfigError, match=r"needs the folder of its weights \(segmentation.onnx"):
        load_diariser("sherpa_onnx", None)
    with pytest.raises(
        WeightsMissing, match=r"segmentation\.onnx is not there; put it there: such"
    ):
        load_diariser("sherpa_onnx", tmp_path)


def test_weights_that_are_none(weights, tmp_path):
    for name in ("segmentation.onnx", "embedding.onnx"):
        (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(ArtifactError, match="holds models that sherpa-onnx can't use"):
        load_diariser("sherpa_onnx", tmp_path)


def test_it_is_an_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(MissingExtra, match=r"needs sherpa_onnx, .*'voxplain\[diarise\]'"):
        load_diariser("sherpa_onnx", tmp_path)
