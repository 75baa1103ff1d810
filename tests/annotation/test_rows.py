"""What stands in a row: the numbers of analyze, for a recording, a stretch or an interval."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.annotation import Options, annotate
from voxplain.annotation.entries import Entry
from voxplain.annotation.rows import annotated, columns, identity, width
from voxplain.audio import read
from voxplain.errors import ChecksumMismatch, ConfigError, UnknownName
from voxplain.types import Segment

RATE = 16_000


@pytest.fixture(scope="module")
def long(clips, tmp_path_factory):
    """Half a minute: the clips twice, with pauses; several stretches of speech."""
    pause = np.zeros(RATE, np.float32)
    sounds = [part for clip in clips * 2 for part in (read.read(clip).waveform, pause)]
    path = tmp_path_factory.mktemp("sounds") / "long.wav"
    soundfile.write(path, np.concatenate(sounds), RATE)
    return path


def rows(path, *intervals, **options):
    (found,) = annotated([Entry("it", str(path), intervals=intervals)], Options(**options))
    return found


def emotion_of(row):
    told = ("p_", "perceived_", "valence", "arousal", "dominance", "verdict", "reason")
    return {name: value for name, value in row.items() if name.startswith(told)}


def expected(emotion):
    found = {"verdict": "|".join(emotion.verdict.labels), "reason": emotion.verdict.reason or ""}
    found |= {f"p_{label}": one for label, one in emotion.categories.items()}
    found |= {f"perceived_{label}": one for label, one in emotion.perceived.items()}
    for axis in ("valence", "arousal", "dominance") if emotion.dimensions else ():
        one = getattr(emotion.dimensions, axis)
        found |= {axis: one.value, f"{axis}_low": one.low, f"{axis}_high": one.high}
    return found


@pytest.mark.parametrize("measured", [False, True])
def test_a_recording_has_the_stretches_of_its_analysis(long, measured):
    found = rows(long, descriptors=measured, embeddings=True)
    segments = voxplain.analyze(long, explain=None).segments
    assert len(found) == len(segments) > 1
    for row, segment in zip(found, segments, strict=True):
        assert (row["start"], row["end"]) == (segment.start, segment.end)
        assert row["duration"] == segment.end - segment.start
        assert emotion_of(row) == expected(segment.emotion)
        for name, one in segment.descriptors.functionals.items() if measured else ():
            assert row[name] == one.value or (row[name] is None and math.isnan(one.value))
        waveform = read.read(long).waveform[round(segment.start * RATE) : round(segment.end * RATE)]
        model = voxplain.load().model
        heard = model.embed(voxplain.Audio(waveform, RATE, "it"))
        np.testing.assert_array_equal(
            np.float32(row["embedding"]), heard.frames.mean(0, dtype=np.float64).astype(np.float32)
        )
        assert row["strangeness"] == float(model.read(heard).strangeness)
    assert ("f0_mean_hz" in found[0]) == measured


def test_an_interval_has_the_numbers_of_its_cut(long):
    """In their order, whatever that is, over the edges of blocks, and beyond the end."""
    sound = read.read(long)
    intervals = [(9.5, 12.25), (0.5, 2.0), (1.0, 11.0), (12.0, math.inf), (30.0, 99.0)]
    found = rows(long, *(Segment(*one) for one in intervals), descriptors=True)
    for row, (start, end) in zip(found, intervals, strict=True):
        last = min(end, sound.duration)
        assert (row["start"], row["end"]) == (start, last)
        cut = sound.waveform[round(start * RATE) : round(last * RATE)]
        whole = voxplain.analyze(cut, RATE, explain=None)
        assert emotion_of(row) == expected(whole.emotion)
        for name, one in whole.descriptors.functionals.items():
            assert row[name] == one.value or (row[name] is None and math.isnan(one.value))


def test_intervals_that_cannot_be_are_rows_of_their_own(long, tmp_path):
    fine = Segment(0.5, 2.0, "ann")
    tiny, behind = Segment(1.0, 1.05), Segment(99.0, 100.0)
    first, short, late = rows(long, fine, tiny, behind)
    assert first["speaker"] == "ann"
    assert "error" not in first
    assert short["error"] == "it, 1.00 s to 1.05 s, lasts 0.050 s; give at least 0.1 s"
    assert "the interval at 99.00 s lies behind its end; check which file" in late["error"]
    damaged = tmp_path / "damaged.flac"
    soundfile.write(damaged, read.read(long).waveform, RATE)
    damaged.write_bytes(damaged.read_bytes()[:200_000])
    first, last = rows(damaged, fine, Segment(20.0, 22.0, "bob"))
    assert emotion_of(first)["verdict"] or first["reason"]
    assert last["error"].startswith("it")
    assert (last["start"], last["end"], last["speaker"]) == (20.0, 22.0, "bob")


def test_silence_and_what_is_missing(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    (silent,) = rows(tmp_path / "silence.wav", embeddings=True, descriptors=True)
    assert (silent["start"], silent["end"], silent["verdict"]) == (0.0, 1.0, "")
    assert silent["reason"] == "no speech found in 1.0 s of audio"
    assert "embedding" not in silent
    entry = Entry("it", str(tmp_path / "gone.wav"), speaker="ann")
    (((missing,),)) = annotated([entry], Options())
    assert missing == {
        "file": "it",
        "speaker": "ann",
        "error": "it: there is no such file; check the path",
    }


def test_columns_are_those_of_the_model(tiny_model):
    options = Options(model=str(tiny_model.folder), embeddings=True)
    found = columns(options, speakers=True)
    assert found[:6] == ("file", "start", "end", "speaker", "duration", "verdict")
    assert found[7:11] == ("p_angry", "p_neutral", "p_sad", "perceived_angry")
    assert found[-3:] == ("strangeness", "embedding", "error")
    assert width(options) == 32


def test_another_model_of_that_name_is_refused(tiny_model):
    options = Options(model=str(tiny_model.folder))
    assert annotated([], options, model_sha256=identity(options)["model_sha256"]) == []
    with pytest.raises(
        ChecksumMismatch, match=r"tiny on .* is another model than the one that the"
    ):
        annotated([], options, model_sha256="0" * 64)


def test_in_python(clips, tmp_path):
    found = list(annotate([*clips[:2], tmp_path / "gone.wav"], jobs=2))
    assert [row["file"] for row in found] == [*map(str, clips[:2]), str(tmp_path / "gone.wav")]
    assert set(map(tuple, found)) == {columns(Options(), speakers=False)}
    assert "there is no such file" in found[2]["error"]
    assert list(annotate(clips[0])) == found[:1]


def test_nothing_to_annotate(tmp_path):
    Path(tmp_path / "empty.csv").write_text("file\n")
    with pytest.raises(ConfigError, match="the inputs name no recording; give files, folders"):
        list(annotate(tmp_path / "empty.csv"))


def test_an_engine_that_is_not(clips):
    with pytest.raises(UnknownName, match=r"unknown engines plug-in 'lokal'.*mean 'local'"):
        list(annotate(clips[0], engine="lokal"))


def test_emotion_alone_allows_nothing_else(angry):
    with pytest.raises(ConfigError, match="need measurements; leave out measure=False, or these"):
        voxplain.load().analyze(angry, measure=False)
