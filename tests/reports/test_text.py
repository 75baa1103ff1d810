"""The summary: what is said, and that it fits."""

import dataclasses

import pytest

from voxplain import descriptors
from voxplain.errors import AudioError
from voxplain.models.judgement import abstain, judge
from voxplain.reports.text import line, render, verdict
from voxplain.types import Analysis, Descriptors, Level, Quantity, SegmentAnalysis

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad")


def emotion(*probabilities):
    return judge(dict(zip(LABELS, probabilities, strict=True)))


ANGRY = emotion(0.9, 0.02, 0.02, 0.02, 0.02, 0.02)
SAD = emotion(0.02, 0.02, 0.02, 0.02, 0.02, 0.9)


def analysis(**changes):
    descriptors = Descriptors(
        {
            "f0_mean_st": Quantity(41.5, "st", True),
            "f0_mean_hz": Quantity(302.2, "Hz", True),
            "hnr_mean_db": Quantity(5.0, "dB", True),
        },
        {
            "f0_mean_st": Level("very high", 2.14, "adults", "pitch"),
            "hnr_mean_db": Level("low", -0.8, "adults", "harmonics over noise (HNR)"),
        },
        prominent=("f0_mean_st", "hnr_mean_db"),
    )
    segment = SegmentAnalysis(1.0, 9.0, None, ANGRY, descriptors)
    fields = {
        "source": "memo.wav",
        "duration": 10.0,
        "speech_duration": 7.5,
        "emotion": ANGRY,
        "descriptors": descriptors,
        "segments": (segment,),
        "warnings": (),
        "provenance": {},
    }
    return Analysis(**(fields | changes))


def test_prominent_descriptors_come_in_words_and_pitch_in_hertz():
    rows = render(analysis()).splitlines()
    (place,) = [i for i, row in enumerate(rows) if row.startswith("Most unusual, against adults")]
    assert rows[place + 1].split() == ["pitch", "very", "high", "302", "Hz", "z", "+2.1"]
    assert "harmonics over noise (HNR)" in rows[place + 2]


def test_every_title_fits_its_column_and_any_reference_the_page():
    for name, card in descriptors.inventory().items():
        assert len(card.title) < 34 or not card.telling, name
    level = Level("very high", 2.0, "the speaker's own recordings, else " + "x" * 60, "pitch")
    found = dataclasses.replace(
        analysis().descriptors, levels={"f0_mean_st": level}, prominent=("f0_mean_st",)
    )
    text = render(analysis(descriptors=found))
    assert max(map(len, text.splitlines())) < 80


def test_the_bars_follow_the_probabilities():
    rows = [row for row in render(analysis()).splitlines() if "█" in row or "▉" in row]
    assert [row.split()[0] for row in rows] == ["angry", *LABELS[1:]]
    assert rows[0].count("█") > 10 * rows[1].count("█")


def test_over_time_shows_who_sounded_how_when():
    half = analysis().segments[0]
    second = dataclasses.replace(half, start=61.0, end=119.0, emotion=SAD)
    first = dataclasses.replace(half, start=0.0, end=59.0)
    text = render(analysis(duration=120.0, segments=(first, second)))
    assert "Over time, 0:00 to 2:00 (2 segments):" in text
    strip = next(row for row in text.split("Over time")[1].splitlines() if "angry" in row)[12:]
    assert set(strip[:28]) == {"█"}
    assert set(strip[32:]) == {"·"}


def test_hours_have_hours():
    assert "0:00 to 1:02:05" in render(analysis(duration=3725.0, segments=analysis().segments * 2))


@pytest.mark.parametrize("source", ["x" * 300, "a\nb\x1b[31m.wav", "ü" * 90 + ".wav"])
def test_no_name_breaks_the_page(source):
    text = render(analysis(source=source))
    assert max(map(len, text.splitlines())) < 80
    assert "\x1b" not in text
    assert text.splitlines()[0].endswith("10.0 s, 7.5 s of speech")


def test_verdicts_are_about_how_it_sounds():
    assert verdict(ANGRY) == "Sounds angry"
    assert verdict(emotion(0.35, 0.05, 0.35, 0.05, 0.1, 0.1)) == "Sounds angry or fearful"
    assert (
        verdict(abstain("no speech found", label_set=LABELS))
        == "Not enough evidence: no speech found"
    )


def test_without_evidence_nothing_is_drawn():
    text = render(
        analysis(
            emotion=abstain("no speech found", label_set=LABELS),
            segments=(),
            descriptors=Descriptors({}),
        )
    )
    assert "Not enough evidence: no speech found." in text
    assert "█" not in text
    assert "Most unusual" not in text


def test_a_warning_is_a_note():
    assert "Note: 3.0% of it is clipped." in render(analysis(warnings=("3.0% of it is clipped",)))


def test_one_line_each_for_many():
    assert line("memo.wav", analysis()).split() == ["memo.wav", "angry", "0.90"]
    assert line("bad\n.wav", AudioError("is empty")) == "bad\\n.wav: error: is empty"
    assert "not enough evidence: none" in line(
        "x.wav", analysis(emotion=abstain("none", label_set=LABELS))
    )
    assert len(line("long/" * 30 + "memo.wav", analysis())) < 80
