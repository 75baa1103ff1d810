"""What may stand in a protocol, and what each participant meets."""

import re
from pathlib import Path

import pytest

from voxplain.collection import protocol
from voxplain.errors import ConfigError, UnknownName

TEXT = '"We keep your voice.\\n\\nYou may withdraw."'
SHIPPED = Path(__file__).parents[2] / "recipes/collection/scenes.yaml"


def test_files_are_found_from_the_protocol(recipe, tmp_path):
    (tmp_path / "agree.txt").write_text("From a file.\n", encoding="utf-8")
    found = protocol.read(recipe((TEXT, "agree.txt")))
    assert found.consent == {"en": "From a file."}
    train, bowl = found.items
    assert (train.kind, train.media) == ("text", None)
    assert (bowl.kind, bowl.media) == ("audio", tmp_path / "clip.opus")


def test_the_order_is_drawn_for_each_participant_and_stays():
    shipped = protocol.read(SHIPPED)
    orders = {tuple(one.id for one in shipped.ordered(f"p{n}")) for n in range(50)}
    assert len(orders) > 30
    assert all(sorted(order) == sorted(one.id for one in shipped.items) for order in orders)
    assert shipped.ordered("p1") == shipped.ordered("p1")


def test_a_fixed_order_is_that_of_the_protocol(asked):
    assert asked.ordered("p1") == asked.ordered("p2") == asked.items


def test_the_page_says_the_same_things_in_every_language():
    shipped = protocol.read(SHIPPED)
    first, *others = (protocol.words(language) for language in shipped.languages)
    for other in others:
        assert other.keys() == first.keys()
        for name, text in first.items():
            assert re.findall(r"\{\w+\}", other[name]) == re.findall(r"\{\w+\}", text)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("languages: [en]", "languages: [xx]", r"languages: unknown name 'xx'; available: de, en"),
        ("languages: [en]", "languages: []", "languages is empty; give one or more of de, en"),
        ("languages: [en]", "languages: [en, de]", "title has no text in 'de'; it has en"),
        ("least: 1, most: 10", "least: 9, most: 3", "least 9 and most 3; 0 < least < most"),
        ("{happy: {en: joy}, sad", "{sad", "labels holds 1; people choose between two"),
        ("id: train", "id: ../train", r"'\.\./train' is no id; use up to 40 of a-z"),
        ("id: train", "id: bowl", "'bowl' is there twice; give each item its own id"),
        ("intended: happy", "intended: hapy", "unknown label 'hapy'; .* Did you mean 'happy'"),
        (", text: {en: A train pulls in.}", "", "'train' has nothing; give one of audio, video"),
        ("audio: clip.opus", "audio: a.wav, video: b.mp4", "has audio and video; give one of"),
        ("audio: clip.opus", "image: clip.opus", "'bowl': alt is missing; say what the image"),
        ("audio: clip.opus", "audio: gone.wav", r"audio: .*gone.wav is no file; give a path from"),
        (TEXT, "gone.txt", r"consent: en: .*gone.txt can't be read: .*give the text"),
        ("order: fixed", "order: sorted", "order: unknown value 'sorted'; available: fixed, ra"),
        ("order: fixed", "colour: red", "unknown key 'colour'"),
        ("least: 1,", "least: one,", "seconds: least must be float, not 'one'"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(recipe, before, after, message):
    path = recipe((before, after))
    with pytest.raises(ConfigError, match=f"(?s)protocol.yaml: .*{message}"):
        protocol.read(path)


def test_no_items(recipe):
    path = recipe()
    path.write_text(path.read_text().partition("items:")[0] + "items: []\n")
    with pytest.raises(ConfigError, match="items is empty; give one or more"):
        protocol.read(path)


def test_another_kind_of_recipe(recipe):
    with pytest.raises(UnknownName, match="recipe kind 'study'; available: collection"):
        protocol.read(recipe(("kind: collection", "kind: study")))
