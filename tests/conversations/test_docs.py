"""The page of the docs shows what happens."""

import dataclasses
import re
from pathlib import Path

from voxplain.conversations import text
from voxplain.conversations.curves import SHARED, Z
from voxplain.conversations.results import SCHEMA_VERSION

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/conversation.md").read_text(encoding="utf-8")


def test_the_output_is_the_output(talk):
    command, _, shown = PAGE.split("```")[1].strip().partition("\n")
    assert command.startswith("$ voxplain conversation talk.wav --speakers talk.rttm")
    assert shown + "\n" == text.render(dataclasses.replace(talk.heard, source="talk.wav"))


def test_the_constants_are_the_constants():
    assert f"value ± {Z} s" in PAGE
    assert SHARED == 0.5
    assert "s² = ½ (Σ w σ)² + ½ Σ w² σ²" in PAGE


def test_every_field_of_the_document_is_told(talk):
    document = talk.heard.to_dict()
    voice = document["voices"][0]
    told = set(re.findall(r"\w+", PAGE.split("## What comes out")[1]))
    names = {*document, *voice, *voice["curves"]["valence"], *voice["turning_points"][0]}
    assert names - told == {"schema_version"}
    assert document["schema_version"] == SCHEMA_VERSION
