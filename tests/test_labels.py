"""Labels: what others call them, and what is said of them."""

import pytest

from voxplain.errors import UnknownName
from voxplain.labels import CANONICAL, EMBEDDED, KNOWN, canonical, phrase

# What well-known tables and models write.
IEMOCAP = ("ang", "hap", "exc", "sad", "neu", "fru", "fea", "sur", "dis", "oth", "xxx")
EMOTION2VEC = (
    "angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown",
)  # fmt: skip
MEANT = {
    "ang": "angry", "anger": "angry", "hap": "happy", "happiness": "happy", "joy": "happy",
    "exc": "excited", "neu": "neutral", "sadness": "sad", "fea": "fear", "fearful": "fear",
    "dis": "disgust", "disgusted": "disgust", "sur": "surprise", "surprised": "surprise",
    "bored": "boredom", "contempt": "contempt", "fru": "frustrated", "calm": "calm",
    "ps": "surprise", "Pleasant Surprise": "surprise", "Neutral state": "neutral",
    "amusement": "amused", "sleepiness": "sleepy", "SAD": "sad", " Happy ": "happy",
}  # fmt: skip


@pytest.mark.parametrize(("raw", "label"), MEANT.items())
def test_others_call_them_otherwise(raw, label):
    assert canonical(raw) == label


@pytest.mark.parametrize("label", KNOWN)
def test_a_label_means_itself(label):
    assert canonical(label) == label


@pytest.mark.parametrize("raw", [*IEMOCAP, *EMOTION2VEC])
def test_the_labels_of_the_field_are_known(raw):
    assert canonical(raw) in (*KNOWN, "")


@pytest.mark.parametrize("raw", ["other", "oth", "unknown", "<unk>", "xxx", "O", "X"])
def test_what_says_that_there_is_none_is_none(raw):
    assert canonical(raw) == ""


@pytest.mark.parametrize("raw", ["A", "F", "N", "", "melancholy", "anxiety"])
def test_what_could_be_anything_is_refused(raw):
    with pytest.raises(UnknownName, match=rf"^unknown emotion label '{raw}'; available: amused, "):
        canonical(raw)


def test_a_misspelling_gets_a_hint():
    with pytest.raises(UnknownName, match=r"Did you mean 'neutral'\?$"):
        canonical("neutrl")


def test_every_set_is_part_of_the_next():
    assert set(EMBEDDED) < set(CANONICAL) < set(KNOWN)
    assert len(set(KNOWN)) == len(KNOWN)


def test_a_voice_sounds_like_an_adjective():
    assert [phrase(label) for label in CANONICAL] == [
        "angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised", "calm", "bored",
    ]  # fmt: skip
