"""SpeechCraft: speech that machines tagged with pitch, volume and speed (Jin et al. 2024)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from voxplain.audio.read import find_files
from voxplain.errors import CorpusNotFound, InputError, UnknownName
from voxplain.models.description import distinct_words
from voxplain.training.corpora._reading import Card, Utterance
from voxplain.training.corpora._rows import Recordings, Row, utterances

__all__ = ["CARD", "read"]

CARD = Card(
    title="SpeechCraft",
    language="en",
    licence="that of GigaSpeech and LibriTTS-R",
    citation="Jin et al. 2024, ACM Multimedia",
    shippable=False,
    source="README of github.com/thuhcsi/SpeechCraft; its Clustering.py writes the labels",
    uncertain="the keys of the files that were published (here: as Clustering.py writes them), and "
    "how they tag emphasis; the Chinese tags are not read",
)

_LEVELS = {
    "pitch": ("pitch", {"low": -1, "normal": 0, "high": 1}),
    "volume": ("loudness", {"low": -1, "normal": 0, "high": 1}),
    "speed": ("tempo", {"slow": -1, "normal": 0, "fast": 1}),
}
"""Tag -> the attribute it tells, and the level of each of its words."""


_Tags = Mapping[str, str]


def read(root: Path) -> list[Utterance]:
    """The recordings below a folder that the JSON files in it have labels of.

    A file maps a recording, ``FOLDER_NAME`` or ``NAME`` without its suffix, to
    ``{"labels": "pitch:low<tab>volume:high<tab>speed:slow<tab>emotion:sad<tab>..."}``. Machines
    chose all of these, the emotion too; nobody knows who speaks.

    Raises CorpusNotFound without such a file and for recordings that are not there, AudioError
    without any, InputError for an entry that can't be read or that several recordings fit.
    """
    tagged = [one for path in sorted(root.rglob("*.json")) for one in _tagged(path)]
    if not tagged:
        raise CorpusNotFound(f"{root} holds no JSON file of labels; give the folder with both")
    places = defaultdict(list)
    for path in find_files(root):
        for name in {path.stem, f"{path.parent.name}_{path.stem}"}:
            places[name].append(str(path.relative_to(root)))
    found = utterances(
        (_row(where, places[name] or [name], tags) for where, name, tags in tagged),
        recordings=Recordings(root, None),
        partial=False,
        labelled=False,
    )
    levels = (_levels(where, tags) for where, _, tags in tagged)
    return [replace(one, described=said) for one, said in zip(found, levels, strict=True)]


def _tagged(path: Path) -> Iterator[tuple[str, str, _Tags]]:
    """Of each entry where it stands, its name and its tags."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    for name, entry in plain.items() if isinstance(plain, dict) else [("the list", plain)]:
        where = f"{path}: {name}"
        if not (isinstance(entry, dict) and isinstance(entry.get("labels"), str)):
            raise InputError(f"{where} has no text 'labels'; keep other JSON files elsewhere")
        tags = (tag.partition(":") for tag in entry["labels"].split("\t"))
        yield where, name, {tag.strip().lower(): word.strip() for tag, _, word in tags}


def _row(where: str, places: list[str], tags: _Tags) -> Row:
    if len(places) > 1:
        raise InputError(f"{where} may be {places[0]} or {places[1]}; keep one of them")
    text = tags.get("transcription", tags.get("transcript", ""))
    return where, {
        "file": places[0],
        "corpus": "speechcraft",
        "emotion": tags.get("emotion", ""),
        "gender": tags.get("gender", ""),
        "text": text,
        "emphasis": " ".join(_places(where, tags.get("emphasis", ""), text)),
    }


def _places(where: str, emphasised: str, text: str) -> Iterator[str]:
    """Which words of the text."""
    words = [distinct_words([word]) for word in text.split()]
    for word in emphasised.replace(",", " ").split():
        if distinct_words([word]) not in words:
            raise InputError(f"{where}: {word!r} is emphasised, but no word of {text!r}")
        yield str(words.index(distinct_words([word])))


def _levels(where: str, tags: _Tags) -> dict[str, int]:
    found = {}
    for tag, (attribute, levels) in _LEVELS.items():
        word = tags.get(tag, "").lower()
        if word and word not in levels:
            raise InputError(f"{where}: {UnknownName(tag, word, levels)}")
        if word:
            found[attribute] = levels[word]
    return found
