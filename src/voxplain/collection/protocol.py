"""The protocol of a collection: what people agree to, see, are asked, and how it is kept."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from voxplain.config import load_recipe
from voxplain.errors import ConfigError, UnknownName

__all__ = ["Item", "Protocol", "Seconds", "Storage", "Text", "read", "words"]

Storage = Literal["plain", "encrypted"]
Text = Mapping[str, str]
"""Language -> what is said in it."""

_MEDIA = ("audio", "video", "image")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FILE = re.compile(r"\S+\.(txt|md)")
_WORDS = files("voxplain.assets") / "collection" / "words"


@dataclass(frozen=True, slots=True)
class Item:
    """What an account is told of: a clip, a picture or a text; one of them."""

    id: str
    """Lower-case letters, digits, - and _."""
    intended: str
    """The label of the emotion that it is meant to evoke."""
    audio: str | None = None
    """A file, from the folder of the protocol; so are the next two."""
    video: str | None = None
    image: str | None = None
    alt: Text | None = None
    """Of an image: what it shows, for who doesn't see it."""
    text: Text | None = None

    @property
    def kind(self) -> str:
        """audio, video, image or text."""
        return next(name for name in (*_MEDIA, "text") if getattr(self, name) is not None)

    @property
    def media(self) -> Path | None:
        """The file, if it is one."""
        name = None if self.kind == "text" else getattr(self, self.kind)
        return name and Path(name)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long an account is."""

    least: float = 2.0
    most: float = 180.0


@dataclass(frozen=True, slots=True)
class Protocol:
    """A recipe of the kind ``collection``."""

    title: Text
    languages: tuple[str, ...]
    consent: Text
    """What people agree to, or the name of a .txt or .md file beside the protocol."""
    prompt: Text
    """What to tell of each item."""
    items: tuple[Item, ...]
    labels: Mapping[str, Text]
    """The emotions to choose from, in this order."""
    order: Literal["fixed", "random"] = "random"
    seed: int = 0
    seconds: Seconds = Seconds()
    storage: Storage = "encrypted"

    def ordered(self, participant: str) -> tuple[Item, ...]:
        """The items as this participant meets them: the same whenever it is asked."""
        items = list(self.items)
        if self.order == "random":
            random.Random(f"{self.seed} {participant}").shuffle(items)
        return tuple(items)


def read(path: Path) -> Protocol:
    """Read a protocol; files become absolute, and a consent in a file becomes its text.

    Raises ConfigError or UnknownName, naming the file, the value and what may stand there.
    """
    protocol: Protocol = load_recipe(path, {"collection": Protocol})
    for language in protocol.languages:
        if language not in _languages():
            raise ConfigError(f"{path}: languages: {UnknownName('name', language, _languages())}")
    for problem in _problems(protocol):
        raise ConfigError(f"{path}: {problem}")
    items = tuple(_placed(item, path) for item in protocol.items)
    return replace(protocol, items=items, consent=_consent(protocol.consent, path))


@cache
def words(language: str) -> Mapping[str, str]:
    """What the page itself says."""
    text = (_WORDS / f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _languages() -> list[str]:
    return sorted(one.name.removesuffix(".json") for one in _WORDS.iterdir())


def _problems(protocol: Protocol) -> Iterator[str]:
    if not protocol.languages:
        yield f"languages is empty; give one or more of {', '.join(_languages())}"
    least, most = protocol.seconds.least, protocol.seconds.most
    if not 0 < least < most <= 3600:
        yield f"seconds: least {least:g} and most {most:g}; 0 < least < most <= 3600 must hold"
    if len(protocol.labels) < 2:
        yield f"labels holds {len(protocol.labels)}; people choose between two or more"
    if not protocol.items:
        yield "items is empty; give one or more"
    texts = {"title": protocol.title, "consent": protocol.consent, "prompt": protocol.prompt}
    texts |= {f"labels: {name}": text for name, text in protocol.labels.items()}
    met = set()
    for item in protocol.items:
        where = f"items: {item.id!r}"
        if not _ID.fullmatch(item.id):
            yield f"{where} is no id; use up to 40 of a-z, 0-9, - and _"
        if item.id in met:
            yield f"{where} is there twice; give each item its own id"
        met.add(item.id)
        if item.intended not in protocol.labels:
            yield f"{where}: intended: {UnknownName('label', item.intended, protocol.labels)}"
        given = [name for name in (*_MEDIA, "text") if getattr(item, name) is not None]
        if len(given) != 1:
            had = " and ".join(given) or "nothing"
            yield f"{where} has {had}; give one of audio, video, image and text"
        if item.image is not None and item.alt is None:
            yield f"{where}: alt is missing; say what the image shows, for who doesn't see it"
        for name in ("text", "alt"):
            if getattr(item, name) is not None:
                texts[f"{where}: {name}"] = getattr(item, name)
    for where, text in texts.items():
        for language in protocol.languages:
            if not text.get(language, "").strip():
                yield f"{where} has no text in {language!r}; it has {', '.join(text) or 'none'}"


def _placed(item: Item, path: Path) -> Item:
    if item.media is None:
        return item
    place = (path.parent / item.media).resolve()
    if not place.is_file():
        raise ConfigError(
            f"{path}: items: {item.id!r}: {item.kind}: {place} is no file; give a path from the "
            "folder of the protocol"
        )
    return replace(item, **{item.kind: str(place)})  # type: ignore[arg-type]


def _consent(texts: Text, path: Path) -> Text:
    found = {}
    for language, text in texts.items():
        if _FILE.fullmatch(text.strip()):
            place = path.parent / text.strip()
            try:
                text = place.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{path}: consent: {language}: {place} can't be read: {error}; give the text, "
                    "or a file beside the protocol"
                ) from error
        found[language] = text.strip()
    return found
