"""A collection of two items, and a real account of them."""

import pytest

from voxplain.collection import protocol, store

PROTOCOL = """
kind: collection
title: {en: Two scenes}
languages: [en]
consent: {en: "We keep your voice.\\n\\nYou may withdraw."}
prompt: {en: Say what happened.}
order: fixed
seconds: {least: 1, most: 10}
storage: STORAGE
labels: {happy: {en: joy}, sad: {en: sadness}}
items:
  - {id: train, intended: happy, text: {en: A train pulls in.}}
  - {id: bowl, intended: sad, audio: clip.opus}
"""


@pytest.fixture
def recipe(tmp_path, angry):
    """Writes a protocol, beside its clip, with ``changes`` (before, after)."""

    def make(*changes, storage="plain"):
        text = PROTOCOL.replace("STORAGE", storage)
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / "clip.opus").write_bytes(angry.read_bytes())
        path = tmp_path / "protocol.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.fixture
def asked(recipe):
    """The protocol."""
    return protocol.read(recipe())


@pytest.fixture(params=["plain", "encrypted"])
def collection(request, tmp_path):
    """An empty one."""
    key = tmp_path / "keys/one.key" if request.param == "encrypted" else None
    return store.begin(tmp_path / "data", title={"en": "T"}, storage=request.param, key=key)
