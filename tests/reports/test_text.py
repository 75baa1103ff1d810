"""The summary: what is said, and that it fits."""

import dataclasses
import math

import pytest

from voxplain import descriptors
from voxplain.errors import AudioError
from voxplain.models.judgement import abstain
from voxplain.reports.text import line, render, verdict
from voxplain.types import (
    Analysis,
    Claim,
    Descriptors,
    Dimension,
    Dimensions,
    Emotion,
    Estimate,
    Explanation,
    Faithfulness,
    Fusion,
    Level,
    Narration,
    Quantity,
    Role,
    SegmentAnalysis,
    SemanticFusion,
    TextEmotion,
    Transcript,
    Verdict,
    Word,
)

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad")
POINT = Dimension(0.5, 0.25, 0.75)


def emotion(*probabilities, perceived=None, labels=None):
    """Its verdict is the most probable label unless said otherwise; listeners agree with it."""
    categories = dict(zip(LABELS, probabilities, strict=True))
    best = max(categories, key=categories.get)
    return Emotion(
        categories,
        {best: 1.0} if perceived is None else perceived,
        Dimensions(POINT, POINT, POINT, "a proxy"),
        LABELS,
        Verdict((best,) if labels is None else labels),
    )


def table(text):
    """Label -> its row, from the header of the table to the line below it."""
    block = text.partition("portrayed")[2].partition("\n\n")[0].splitlines()[1:]
    return {row.split()[0]: row for row in block}


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


def said(text, words, **changes):
    """Parts of an analysis; ``words`` with their confidence and prominence."""
    found = tuple(Word(word, 0.0, 1.0, sure, stress) for word, sure, stress in words)
    return {"transcript": Transcript(text, found, "en", "given", 0.9, **changes)}


def test_stressed_and_unsure_words_and_feelings_are_marked():
    text = "He left. I cried, sadly."
    parts = said(
        text,
        [("He", 0.4, 0.9), ("left.", 0.9, 0.8), ("I", 0.9, 0.1), ("cried,", 0.9, math.nan),
         ("sadly.", 0.9, 0.7)],
        warnings=("the end is cut off",),
    )  # fmt: skip
    parts["roles"] = (Role("descriptive", 0, 9, 0.9), Role("expressive", 9, len(text), 0.9))
    rows = render(analysis(**parts)).splitlines()
    place = rows.index("Said (*stressed*, [the speaker's own reaction], ?not surely recognised?):")
    assert rows[place + 1 : place + 3] == [
        "  ?He? *left.* [I cried, *sadly.*]", "Note: the end is cut off."
    ]  # fmt: skip


def test_of_a_long_transcript_the_beginning_is_shown():
    words = ["word"] * 500
    rows = render(analysis(**said(" ".join(words), [(one, 1, 0) for one in words]))).splitlines()
    shown = rows[rows.index("Said (*stressed*, ?not surely recognised?):") + 1 :]
    assert shown[:7] == [*["  " + " ".join(["word"] * 15)] * 6, "  …"]


def test_what_the_words_say_beside_the_voice():
    parts = said("Lovely!", [("Lovely!", 1, 0)])
    parts["text_emotion"] = TextEmotion(
        {"happy": 0.8, "neutral": 0.15, "sad": 0.05}, None, None, None
    )
    parts["fusion"] = Fusion({}, Verdict(("angry",)), {"voice": 1.0, "words": 0.0}, "conflict")
    told = " ".join(render(analysis(**parts)).split())
    assert (
        "The words alone sound happy 0.80, neutral 0.15, sad 0.05. The words say something else "
        "than the voice."
    ) in told
    left_out = TextEmotion({}, None, None, None, "few of them are English")
    told = render(analysis(**{**parts, "text_emotion": left_out, "fusion": None}))
    assert "The words are left out of account: few of them are English." in told


def test_how_far_each_text_moves_the_dimensions():
    parts = said("Lovely!", [("Lovely!", 1, 0)])
    parts["semantic_fusion"] = SemanticFusion(
        Dimensions(Dimension(0.62, 0.4, 0.8), POINT, POINT, ""),
        {"valence": {"transcript": 0.125, "interpretation": -0.005}},
        {},
        {},
    )
    rows = render(analysis(**parts)).splitlines()
    place = rows.index("Voice and words together, and by how much each text moves the value:")
    assert rows[place + 1 : place + 3] == [
        "            voice  together      transcript  interpretation",
        "  valence    0.50      0.62           +0.12           -0.01",
    ]


def explanation(*warnings):
    return Explanation(
        effort="quick", output="angry", runner_up="happy", segment=0, attributions=(), moments=(),
        cues=(), contrast=(), plausibility=Estimate(0.8, 0.6, 0.9), counterfactuals=(),
        faithfulness=Faithfulness("occlusion", ()), warnings=warnings,
    )  # fmt: skip


def test_the_three_strongest_reasons_stand_below_the_verdict():
    long = "From 1.2 to 1.6 s, pitch 4.1 st above the usual, z +1.8, speaks for it: " * 9
    claims = (
        Claim("First, where it is heard.", ("explanation.moments.1",)),
        Claim(long.strip(), ("explanation.moments.1.cues.0",)),
        Claim("The voice sounds angry.", ("emotion.verdict", "emotion.categories.angry")),
        Claim("Third.", ("explanation.contrast.0",)),
        Claim("Fourth.", ("explanation.contrast.1",)),
    )
    rows = render(analysis(claims=claims, explanation=explanation())).splitlines()
    place = rows.index("Sounds angry.")
    below = rows[place + 1 : rows.index("", place + 2)]
    assert below[:2] == ["", "  - First, where it is heard."]
    assert below[-1] == "  - Third."
    assert [row[:4] for row in below[2:-1]] == ["  - ", *["    "] * (len(below) - 4)]
    assert " ".join(" ".join(below[2:-1]).split()) == f"- {long.strip()}"
    assert not any(row.endswith((" z", "1.2", "1.6", "4.1")) for row in rows)
    assert max(map(len, rows)) < 80
    assert "First" not in render(analysis(claims=claims))


def test_other_words_stand_below_the_reasons_and_say_whose_they_are():
    verdict = Claim("The voice sounds angry.", ("emotion.verdict", "emotion.categories.angry"))
    claims = (Claim("First.", ("explanation.moments.1",)), verdict)
    sentences = tuple(Claim(f"From 1.2 to 1.{n} s, it does.", claims[0].evidence) for n in range(9))
    narration = Narration("lay", sentences, {"too much": 1}, "llama\x1b at http://localhost")
    told = render(analysis(claims=claims, explanation=explanation(), narration=narration))
    rows = told.splitlines()
    first = rows.index("In other words:")
    portrayed = next(n for n, row in enumerate(rows) if "portrayed" in row)
    assert rows.index("  - First.") < first < portrayed
    below = rows[first + 1 :]
    said = " ".join(one.text for one in sentences)
    by = (
        "Written by llama\\x1b at http://localhost, a language model, for a lay reader. Each "
        "sentence was held to the evidence; 1 sentence was left out (too much: 1)."
    )
    assert " ".join(" ".join(below[: below.index("")]).split()) == f"{said} {by}"
    assert max(map(len, rows)) < 80
    assert not any(row.endswith((" 1.2", "1.1")) for row in rows)
    nothing = render(analysis(claims=claims, narration=Narration("lay", (), {}, "llama")))
    assert "In other words" not in nothing
    assert "Of what llama, a language model, wrote nothing was kept" in " ".join(nothing.split())


def test_whether_the_reasons_may_be_trusted_stands_right_below_them():
    warning = (
        "the salient moments matter no more to the model than random ones: don't rely on this "
        "explanation"
    )
    claims = (Claim("Of all that points to angry.", ("explanation.moments.0",)),)
    text = render(analysis(claims=claims, explanation=explanation(warning)))
    reasons, _, rest = text.partition("  - Of all that points to angry.\n\n")
    assert reasons.endswith("Sounds angry.\n\n")
    assert " ".join(rest.partition("\n\n")[0].split()) == f"Note: {warning}."
    assert max(map(len, text.splitlines())) < 80


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


def test_portrayed_and_perceived_stand_side_by_side():
    found = emotion(
        0.7, 0, 0.05, 0.2, 0.04, 0.01, perceived={"angry": 0.36, "neutral": 0.61, "sad": 0.03}
    )
    text = render(analysis(emotion=found))
    rows = table(text)
    assert [*rows] == ["angry", "happy", "fear", "neutral", "sad", "disgust"]
    numbers = {label: row.replace("█", "").split()[-2:] for label, row in rows.items()}
    assert numbers == {
        "angry": ["0.70", "0.36"],
        "happy": ["0.20", "–"],
        "fear": ["0.05", "–"],
        "neutral": ["0.04", "0.61"],
        "sad": ["0.01", "0.03"],
        "disgust": ["0.00", "–"],
    }
    header = next(row for row in text.splitlines() if row.split() == ["portrayed", "listeners"])
    for row in rows.values():  # numbers end below the ends of their headings
        assert len(row) == len(header)
        assert row[: header.index("listeners")].rstrip() == row[: header.index("d ") + 1]
    assert max(map(len, text.splitlines())) < 80


def test_the_bars_follow_the_portrayed_probabilities():
    found = emotion(0.5, 0.25, 0.125, 0, 0.125, 0, perceived={"sad": 0.9, "angry": 0.1})
    rows = table(render(analysis(emotion=found)))
    assert {label: row.count("█") for label, row in rows.items()} == {
        "angry": 22, "disgust": 11, "fear": 5, "neutral": 5, "happy": 0, "sad": 0
    }  # fmt: skip
    assert "▌" in rows["fear"]


def test_what_only_listeners_could_choose_comes_last():
    found = emotion(0.9, 0, 0, 0, 0, 0.1, perceived={"calm": 0.7, "angry": 0.3})
    rows = table(render(analysis(emotion=found)))
    assert [*rows][-1] == "calm"
    assert rows["calm"].split() == ["calm", "–", "0.70"]


@pytest.mark.parametrize(
    ("perceived", "labels", "said"),
    [
        (
            {"neutral": 0.61, "angry": 0.39},
            None,
            "Most listeners would call this voice neutral, some angry.",
        ),
        ({"fear": 0.9, "angry": 0.1}, None, "Most listeners would call this voice fearful."),
        ({"neutral": 0.8, "angry": 0.2}, ("angry", "neutral"), None),
        ({"angry": 0.5, "neutral": 0.4}, None, None),
        (
            {"angry": 0.49, "neutral": 0.41, "sad": 0.1},
            None,
            "Listeners would disagree about this voice: angry or neutral.",
        ),
        (
            {"neutral": 0.4, "disgust": 0.3, "sad": 0.3},
            None,
            "Listeners would disagree about this voice: neutral or disgusted or sad.",
        ),
        (
            {"neutral": 0.45, "sad": 0.19, "fear": 0.18, "angry": 0.18},
            None,
            "Listeners would disagree about this voice.",
        ),
        ({}, None, None),
    ],
)
def test_what_listeners_would_say_is_said_where_it_is_not_the_verdict(perceived, labels, said):
    found = emotion(0.9, 0.02, 0.02, 0.02, 0.02, 0.02, perceived=perceived, labels=labels)
    text = render(analysis(emotion=found))
    sentences = [row for row in text.splitlines() if "isteners would" in row]
    assert sentences == ([said] if said else [])


def test_listeners_may_agree_where_the_verdict_abstains():
    found = dataclasses.replace(
        emotion(0.3, 0.25, 0.25, 0.2, 0, 0, perceived={"neutral": 0.7, "sad": 0.3}),
        verdict=Verdict((), "4 emotions are about equally likely"),
    )
    text = render(analysis(emotion=found))
    assert "Not enough evidence: 4 emotions are about equally likely." in text
    assert "Most listeners would call this voice neutral, some sad." in text


def test_dimensions_are_points_in_their_intervals():
    row = next(row for row in render(analysis()).splitlines() if "arousal" in row)
    assert row.split()[2:] == ["0.50", "(0.25", "to", "0.75)"]
    drawn = row.split()[1]
    assert (len(drawn), drawn.index("●")) == (44, 22)
    assert (drawn.index("━"), drawn.rindex("━")) == (11, 32)


def test_over_time_shows_who_sounded_how_when():
    half = analysis().segments[0]
    second = dataclasses.replace(half, start=61.0, end=119.0, emotion=SAD)
    first = dataclasses.replace(half, start=0.0, end=59.0)
    text = render(analysis(duration=120.0, segments=(first, second)))
    assert "Over time, 0:00 to 2:00 (2 segments):" in text
    strip = next(row for row in text.split("Over time")[1].splitlines() if "angry" in row)[12:]
    assert set(strip[:28]) == {"█"}
    assert set(strip[32:]) == {"·"}


def test_a_stretch_that_was_not_judged_is_blank():
    half = analysis().segments[0]
    noise = abstain("it sounds like noise", label_set=LABELS)
    first = dataclasses.replace(half, start=0.0, end=59.0)
    second = dataclasses.replace(half, start=61.0, end=119.0, emotion=noise)
    text = render(analysis(duration=120.0, segments=(first, second)))
    assert "Over time, 0:00 to 2:00 (2 segments, 1 not judged):" in text
    strip = next(row for row in text.split("Over time")[1].splitlines() if "angry" in row)[12:]
    assert set(strip[:28]) == {"█"}
    assert not strip[32:].strip()


def test_where_nothing_was_judged_there_is_no_course():
    noise = abstain("it sounds like noise", label_set=LABELS)
    part = dataclasses.replace(analysis().segments[0], emotion=noise)
    text = render(analysis(emotion=noise, segments=(part, part)))
    assert "Not enough evidence: it sounds like noise." in text
    for word in ("Over time", "portrayed", "Listeners", "valence"):
        assert word not in text
    assert "Most unusual" in text


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
    both = emotion(0.35, 0.05, 0.35, 0.05, 0.1, 0.1, labels=("angry", "fear"))
    assert verdict(both) == "Sounds angry or fearful"
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
    assert "\x1b" not in render(analysis(warnings=("a server said \x1b[31m",)))


def test_one_line_each_for_many():
    assert line("memo.wav", analysis()).split() == ["memo.wav", "angry", "0.90"]
    assert line("bad\n.wav", AudioError("is empty")) == "bad\\n.wav: error: is empty"
    assert "not enough evidence: none" in line(
        "x.wav", analysis(emotion=abstain("none", label_set=LABELS))
    )
    assert len(line("long/" * 30 + "memo.wav", analysis())) < 80
