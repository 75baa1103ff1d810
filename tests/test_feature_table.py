"""Descriptors as a data frame."""

import sys

import numpy as np
import pytest

import voxplain
from voxplain import descriptors
from voxplain.descriptors._levels import Reference
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import ConfigError, MissingExtra, UnknownName
from voxplain.feature_table import Options, Recording, tables
from voxplain.types import Segment

pandas = pytest.importorskip("pandas")


def test_a_row_per_recording_has_the_numbers_of_analyze(clips):
    found = voxplain.features(clips)
    assert found.index.names == ["file", "start", "end"]
    assert [file for file, *_ in found.index] == [str(clip) for clip in clips]
    assert list(found.columns) == [*descriptors.inventory(), "unreliable"]
    for clip, (_, row) in zip(clips, found.iterrows(), strict=True):
        analysis = voxplain.analyze(clip, explain=None)
        expected = {n: q.value for n, q in analysis.descriptors.functionals.items()}
        assert row[list(expected)].to_dict() == pytest.approx(expected, nan_ok=True)
        unreliable = {n for n, q in analysis.descriptors.functionals.items() if not q.reliable}
        assert set(row["unreliable"].split()) == unreliable
        (_, start, end) = row.name
        assert start == pandas.Timedelta(0)
        assert end.total_seconds() == pytest.approx(analysis.duration)


def test_a_row_per_stretch_of_speech(angry):
    analysis = voxplain.analyze(angry, explain=None)
    found = voxplain.features(angry, level="segment")
    assert [(s.total_seconds(), e.total_seconds()) for _, s, e in found.index] == [
        (segment.start, segment.end) for segment in analysis.segments
    ]


def test_a_row_per_frame(angry):
    tracks = Measurement(angry).tracks
    found = voxplain.features(angry, level="frame")
    starts = found.index.get_level_values("start").total_seconds()
    assert starts.to_numpy() == pytest.approx(tracks["f0_hz"].times - 0.005, abs=1e-4)
    for name in descriptors.units():
        np.testing.assert_array_equal(found[name], tracks[name].values)
    assert found["speech_activity"].between(0, 1).all()


def test_intervals_are_rows_with_their_labels(angry):
    marked = (Segment(0.6, 1.0, label="that"), Segment(1.0, 1.5, label="is"))
    found = voxplain.features(Recording(angry, intervals=marked), level="segment")
    assert list(found["label"]) == ["that", "is"]
    assert [e.total_seconds() for _, _, e in found.index] == [1.0, 1.5]
    frames = voxplain.features(Recording(angry, intervals=marked), level="frame")
    assert frames["label"].value_counts().to_dict() == {"that": 40, "is": 50}
    mean = frames[frames["label"] == "is"]["f0_hz"].mean()
    assert found["f0_mean_hz"].iloc[1] == pytest.approx(mean)


def test_an_interval_ends_with_the_recording(angry):
    marked = (Segment(2.0, float("inf")),)
    ((_, _, end),) = voxplain.features(Recording(angry, intervals=marked), level="segment").index
    assert end.total_seconds() == pytest.approx(3.003, abs=0.01)


def test_errors_are_rows_too(angry, tmp_path):
    late = Recording(angry, intervals=(Segment(30.0, 31.0),))
    found = voxplain.features([tmp_path / "no.wav", late, angry], level="segment")
    errors = list(found["error"].fillna(""))
    assert "there is no such file" in errors[0]
    assert "lasts 3.00 s, the interval at 30.00 s lies behind its end" in errors[1]
    assert errors[2] == ""
    assert found["f0_mean_hz"].notna().tolist() == [False, False, True]


def test_where_nobody_speaks_there_is_a_row_without_values():
    silence = Recording(np.zeros(32_000, np.float32), 16_000)
    for level in ("clip", "segment"):
        found = voxplain.features(silence, level=level)
        ((file, start, end),) = found.index
        assert (file, start.total_seconds(), end.total_seconds()) == ("<array>", 0.0, 2.0)
        assert np.isnan(found["f0_mean_hz"].iloc[0])
    assert len(voxplain.features(silence, level="frame")) == 0


def test_z_against_a_group(angry):
    women = Reference.of_group("female")
    row = voxplain.features(angry, reference_group="female").iloc[0]
    for name, norm in women.norms.items():
        if name not in row["unreliable"].split():
            assert row[f"{name}_z"] == pytest.approx((row[name] - norm.mean) / norm.sd)


def test_z_against_recordings_of_the_speaker(clips):
    angry, neutral = clips[2:4]
    found = voxplain.features(angry, speaker=[neutral]).iloc[0]
    expected = voxplain.analyze(angry, speaker=[neutral], explain=None).descriptors.levels
    assert {name: found[f"{name}_z"] for name in expected} == pytest.approx(
        {name: level.z for name, level in expected.items()}
    )


def test_z_against_the_other_recordings_of_the_speaker(clips):
    """The last clip is another speaker's; alone, it compares with the norm."""
    recordings = [
        Recording(clip, speaker="1089" if "1089" in clip.name else "03") for clip in clips
    ]
    found = voxplain.features(recordings, relative=True)
    assert list(found["speaker"]) == ["1089"] * 4 + ["03"]
    adults = Reference.of_group("adults")
    measured = [Measurement(clip) for clip in clips]
    heard = [(one.duration, one.functionals()) for one in measured[:4]]
    for row in range(4):
        others = adults.of_speaker([*heard[:row], *heard[row + 1 :]], name="")
        for name, level in others.levels(heard[row][1]).items():
            assert found[f"{name}_z"].iloc[row] == pytest.approx(level.z), name
    for name, level in adults.levels(measured[4].functionals()).items():
        assert found[f"{name}_z"].iloc[4] == pytest.approx(level.z), name


def test_without_a_speaker_a_file_is_one(clips):
    alone = voxplain.features(clips[0], relative=True)
    together = voxplain.features(clips, relative=True)
    pandas.testing.assert_series_equal(alone.iloc[0], together.iloc[0], check_names=False)


def test_processes_give_the_same_numbers(clips):
    one, two = (voxplain.features(clips, jobs=jobs) for jobs in (1, 2))
    pandas.testing.assert_frame_equal(one, two)


def test_nothing_to_measure_gives_no_row():
    assert len(voxplain.features([])) == 0


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"level": "word"}, UnknownName, "level 'word'; available: clip, frame, segment"),
        ({"backend": "prat"}, UnknownName, "Did you mean 'praat'"),
        ({"relative": True}, ConfigError, "needs a reference"),
        ({"level": "frame", "reference": Reference("", {})}, ConfigError, "a frame has no z"),
    ],
)
def test_options_that_do_not_go_together(options, kind, message):
    with pytest.raises(kind, match=message):
        Options(**options)


def test_a_data_frame_needs_pandas(angry, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"voxplain\[tables\]"):
        voxplain.features(angry)
    (table,) = tables([Recording(angry)], Options())
    assert table["file"] == [str(angry)], "rows need none"
