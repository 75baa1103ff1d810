"""TextGrids, as Praat and its library read them."""

import dataclasses

import pytest

from voxplain.audio.intervals import read_textgrid
from voxplain.models.judgement import abstain
from voxplain.reports import textgrid


def intervals(text, folder, tier):
    path = folder / "a.TextGrid"
    path.write_text(text, encoding="utf-8")
    return [(one.start, one.end, one.label) for one in read_textgrid(path, tier=tier)]


def test_segments_carry_verdicts_and_moments_what_tells_most(full, tmp_path):
    text = textgrid.render(full)
    assert intervals(text, tmp_path, "segments") == [(0.384, 2.816, "angry")]
    assert intervals(text, tmp_path, "moments") == [
        (0.52, 0.71, "high-frequency energy (alpha), z +2.9, supports angry"),
        (1.18, 1.52, "high-frequency energy (alpha), z +2.9, supports angry"),
        (2.3, 2.5, "high-frequency energy (alpha), z +2.9, supports angry"),
    ]


def test_words_stress_and_roles_have_tiers(full, tmp_path):
    text = textgrid.render(full)
    assert intervals(text, tmp_path, "words")[2] == (0.9, 1.52, "exactly")
    assert intervals(text, tmp_path, "stress")[1] == (0.9, 1.52, "0.88")  # one word has none
    assert intervals(text, tmp_path, "roles") == [
        (0.52, 0.84, "descriptive"), (0.9, 2.35, "expressive")
    ]  # fmt: skip


def test_praat_reads_it(full, tmp_path):
    parselmouth = pytest.importorskip("parselmouth")
    (tmp_path / "a.TextGrid").write_text(textgrid.render(full), encoding="utf-8")
    grid = parselmouth.Data.read(str(tmp_path / "a.TextGrid"))
    called = parselmouth.praat.call
    assert called(grid, "Get total duration") == pytest.approx(full.duration)
    assert called(grid, "Get number of tiers") == 5
    assert called(grid, "Get label of interval", 1, 2) == "angry"
    assert called(grid, "Get number of intervals", 2) == 7
    assert called(grid, "Get start time of interval", 2, 4) == pytest.approx(1.18)


def test_a_moment_of_which_no_cue_says_anything_has_the_label(full, tmp_path):
    explanation = full.explanation
    mute = tuple(dataclasses.replace(one, cues=explanation.cues[3:]) for one in explanation.moments)
    told = dataclasses.replace(full, explanation=dataclasses.replace(explanation, moments=mute))
    labels = {label for _, _, label in intervals(textgrid.render(told), tmp_path, "moments")}
    assert labels == {"angry"}


def test_several_labels_none_quotes_and_an_end_beyond_the_end(full, tmp_path):
    verdict = dataclasses.replace(full.emotion.verdict, labels=("angry", 'so-called "sad"'))
    first = dataclasses.replace(
        full.segments[0], emotion=dataclasses.replace(full.emotion, verdict=verdict)
    )
    last = dataclasses.replace(
        first, start=2.9, end=full.duration + 1e-9, emotion=abstain("noise", label_set=("angry",))
    )
    text = textgrid.render(dataclasses.replace(full, segments=(first, last), explanation=None))
    assert intervals(text, tmp_path, "segments") == [
        (0.384, 2.816, 'angry or so-called "sad"'),
        (2.9, full.duration, "not enough evidence"),
    ]
    assert '"moments"' not in text


def test_nothing_gives_one_blank_tier(full, unsaid):
    text = textgrid.render(dataclasses.replace(full, segments=(), explanation=None, **unsaid))
    assert 'text = ""' in text
    assert "intervals: size = 1" in text
