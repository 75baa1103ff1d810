"""Voice and words together, worked out by hand."""

import pytest

from voxplain.models.calibration import Calibration
from voxplain.models.fusion import fuse
from voxplain.models.judgement import abstain
from voxplain.types import Emotion, TextEmotion, Verdict

LABELS = ("angry", "happy", "neutral", "sad")
CALIBRATION = Calibration(labels=LABELS, votes=LABELS, sounds=("one voice", "noise"), mass=0.9)


def voice(*shares, heard=("angry",)):
    verdict = Verdict(heard, None if heard else "all are about equally likely")
    return Emotion(dict(zip(LABELS, shares, strict=True)), {}, None, LABELS, verdict)


def words(**categories):
    return TextEmotion(categories, None, None, None)


ANGRY = voice(0.8, 0.1, 0.1, 0.0)


def fused(sound, said, confidence=1.0):
    return fuse(sound, said, confidence=confidence, calibration=CALIBRATION)


def test_words_count_by_how_sure_and_how_telling_they_are():
    # Weight 0.5 x 0.8 x (0.6 + 0.2) = 0.32; of the words 0.75 happy and 0.25 sad.
    both = fused(ANGRY, words(happy=0.6, sad=0.2, neutral=0.2), 0.8)
    assert both.categories == pytest.approx(
        {"angry": 0.544, "happy": 0.308, "neutral": 0.068, "sad": 0.08}
    )
    assert both.shares == pytest.approx({"voice": 1.0, "words": 0.0})
    assert both.relation == "conflict"


def test_a_share_is_that_of_the_label_on_top():
    both = fused(ANGRY, words(angry=1.0))  # half each: 0.4 from the voice, 0.5 from the words
    assert both.categories["angry"] == pytest.approx(0.9)
    assert both.shares == pytest.approx({"voice": 4 / 9, "words": 5 / 9})
    assert (both.relation, both.verdict.labels) == ("agreement", ("angry",))


@pytest.mark.parametrize(("said", "confidence"), [({"neutral": 1.0}, 1), ({"happy": 1.0}, 0)])
def test_neutral_words_and_unsure_ones_leave_the_voice_as_it_is(said, confidence):
    both = fused(ANGRY, words(**said), confidence)
    assert both.categories == pytest.approx(dict(ANGRY.categories))
    assert both.shares["words"] == 0


def test_what_the_voice_has_no_name_for_does_not_count():
    both = fused(ANGRY, words(surprise=0.9, happy=0.1))
    assert both.categories["happy"] == pytest.approx(0.95 * 0.1 + 0.05)
    assert both.relation == "open"


@pytest.mark.parametrize(
    ("heard", "said", "relation"),
    [
        (("angry", "sad"), {"sad": 0.7, "neutral": 0.3}, "agreement"),
        (("angry", "sad"), {"happy": 0.7, "neutral": 0.3}, "conflict"),
        (("angry",), {"happy": 0.4, "neutral": 0.6}, "open"),
        (("neutral",), {"happy": 0.9, "neutral": 0.1}, "open"),
        ((), {"happy": 0.9, "neutral": 0.1}, "open"),
    ],
)
def test_they_agree_or_not_only_where_both_name_an_emotion(heard, said, relation):
    assert fused(voice(0.5, 0.1, 0.1, 0.3, heard=heard), words(**said)).relation == relation


def test_nothing_is_taken_together_with_nothing():
    assert fused(abstain("it sounds like music", label_set=LABELS), words(happy=1.0)) is None
    assert fused(ANGRY, TextEmotion({}, None, None, None, "no words")) is None
