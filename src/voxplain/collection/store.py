"""The folder of a collection.

    FOLDER/
      collection.json                 title, and how it is sealed
      consents/<version>.txt          each text that somebody agreed to
      participants/<id>/consent.json  when, in which language, to which version
                       /answers.jsonl a line for each item that is done with
                       /<item>.wav    the account of it
      withdrawn/<random>/day          all that is left of who has withdrawn

What lies in ``participants`` is sealed, if anything is. Each file is written whole or not at all.
The id is made of the participant's code and does not tell it: whoever has the folder knows the
id, only the participant the code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voxplain import files
from voxplain.collection import sealing
from voxplain.collection.protocol import Storage, Text
from voxplain.collection.sealing import Key, Seal
from voxplain.errors import ConfigError, InputError, OutputError

__all__ = [
    "Answer",
    "Collection",
    "Consent",
    "Participant",
    "Withdrawal",
    "begin",
    "resume",
    "unopened",
]

_MANIFEST, _CONSENT, _ANSWERS, _DAY = "collection.json", "consent.json", "answers.jsonl", "day"
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that are taken for each other
_GROUPS, _GROUP = 3, 4
"""Of a code: 59 bits."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to, and when."""

    language: str
    version: str
    time: str
    """UTC, to the second."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was evoked by an item, as who gave the account rates it."""

    item: str
    intended: str
    evoked: str
    valence: int
    """From 1, very unpleasant, to 9, very pleasant."""
    arousal: int
    """From 1, very calm, to 9, very excited."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How much of a participant was deleted."""

    answers: int
    recordings: int


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who agreed, and what they have given so far."""

    folder: Path
    seal: Seal
    lock: threading.Lock

    @property
    def id(self) -> str:
        """What tables call them."""
        return self.folder.name

    @property
    def consent(self) -> Consent:
        """Raises ConfigError for what the key doesn't open."""
        with self._reading(self.folder / _CONSENT):
            return Consent(**json.loads(self._opened(_CONSENT)))

    def answers(self) -> list[Answer]:
        """In the order in which they were given. Raises ConfigError for another key."""
        path = self.folder / _ANSWERS
        with self._reading(path):
            lines = path.read_bytes().splitlines() if path.exists() else []
            return [Answer(**json.loads(self.seal.open(line))) for line in lines]

    def recorded(self, item: str) -> bool:
        """Whether there is an account of an item."""
        return self._sound(item).exists()

    def recording(self, item: str) -> bytes:
        """The account of an item, as WAV. Raises ConfigError for another key."""
        with self._reading(self._sound(item)):
            return self._opened(self._sound(item).name)

    def record(self, item: str, sound: bytes) -> None:
        """Keep the account of an item, in place of an earlier one, until it is answered.

        Raises InputError after that or after a withdrawal, OutputError.
        """
        with self.lock:
            self._refuse_second(item)
            self._put(self._sound(item).name, self.seal.close(sound))

    def answer(self, answer: Answer) -> None:
        """Be done with an item. The same answer again changes nothing.

        Raises InputError without a recording, for another answer than before, or after a
        withdrawal; OutputError.
        """
        with self.lock:
            before = self.answers()
            if answer in before:
                return
            self._refuse_second(answer.item)
            if not self.recorded(answer.item):
                raise InputError(f"there is no recording of {answer.item!r} yet; send it first")
            path = self.folder / _ANSWERS
            lines = path.read_bytes() if path.exists() else b""
            line = self.seal.close(json.dumps(asdict(answer)).encode())
            self._put(_ANSWERS, lines + line + b"\n")

    def _refuse_second(self, item: str) -> None:
        if any(one.item == item for one in self.answers()):
            raise InputError(f"{item!r} is answered already; go on with the next")

    def _sound(self, item: str) -> Path:
        return self.folder / f"{item}.wav"

    def _opened(self, name: str) -> bytes:
        return self.seal.open((self.folder / name).read_bytes())

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (OSError, ConfigError, ValueError, TypeError) as error:
            raise ConfigError(
                f"{path} can't be read: {error}; bring it back from a copy, or withdraw it"
            ) from error

    def _put(self, name: str, content: bytes) -> None:
        try:
            files.write(self.folder / name, content, make_folder=False)
        except FileNotFoundError as error:
            raise InputError("the participant has withdrawn; nothing more is kept") from error
        except OSError as error:
            raise _no_room(self.folder / name, error) from error


@dataclass(frozen=True, slots=True)
class Collection:
    """All participants, those that have withdrawn as a number."""

    folder: Path
    seal: Seal
    lock: threading.Lock

    def enrol(self, consent: str, *, language: str) -> str:
        """A new participant who agreed to a text, as the code that only they know.

        Raises OutputError.
        """
        letters = [secrets.choice(_LETTERS) for _ in range(_GROUPS * _GROUP)]
        groups = ["".join(letters[n::_GROUPS]) for n in range(_GROUPS)]
        code, agreed_to = "-".join(groups), version(consent)
        agreed = Consent(language, agreed_to, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        content = self.seal.close(json.dumps(asdict(agreed)).encode())
        try:
            files.write(self.folder / "consents" / f"{agreed_to}.txt", consent.encode())
            files.write(self._place(code) / _CONSENT, content)
        except OSError as error:
            raise _no_room(self.folder, error) from error
        return code

    def participant(self, code: str) -> Participant | None:
        """Who has this code, in capitals or not; None for nobody, or who has withdrawn."""
        place = self._place(code)
        known = (place / _CONSENT).exists()
        return Participant(place, self.seal, self.lock) if known else None

    def participants(self) -> list[Participant]:
        """In the order of their ids."""
        places = sorted((self.folder / "participants").glob(f"*/{_CONSENT}"))
        return [Participant(place.parent, self.seal, self.lock) for place in places]

    @property
    def withdrawn(self) -> int:
        """How many have withdrawn."""
        return sum(1 for _ in (self.folder / "withdrawn").glob("*"))

    def withdraw(self, code: str) -> Withdrawal:
        """Delete everything of a participant; no key is needed.

        Raises InputError for a code that nobody has, OutputError where something can't be deleted.
        """
        with self.lock:
            place = self._place(code)
            if not place.is_dir():
                raise InputError(
                    f"nobody in {self.folder} has the code {code!r}, or they have withdrawn "
                    "already; look at what was noted down"
                )
            answers = place / _ANSWERS
            found = Withdrawal(
                answers=len(answers.read_bytes().splitlines()) if answers.exists() else 0,
                recordings=len(list(place.glob("[!.]*.wav"))),
            )
            # One step, after which no table has them and nothing more is kept of them; what is
            # in the way of deleting is deleted when the folder is opened next.
            left = self.folder / "withdrawn" / secrets.token_hex(8)
            with _kept(self.folder):
                left.parent.mkdir(exist_ok=True)
                place.rename(left)
                _empty(left)
        return found

    def _place(self, code: str) -> Path:
        letters = "".join(one for one in code.upper() if one.isalnum())
        return self.folder / "participants" / _digest(letters)[:16]


def begin(folder: Path, *, title: Text, storage: Storage, key: Key | None) -> Collection:
    """Make the folder of a collection, or go on with it.

    Raises ConfigError for a folder with something else in it or kept otherwise, for a key that is
    wrong, lacking, useless or inside the folder; OutputError, MissingExtra.
    """
    if isinstance(key, Path) and key.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"the key {key} would lie beside what it opens; keep it elsewhere")
    if (folder / _MANIFEST).exists():
        had = _manifest(folder)["storage"]
        if had != storage:
            raise ConfigError(
                f"{folder} was begun {had}, and the protocol says {storage}; give another folder"
            )
        return resume(folder, key=key)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} holds something else; give a new folder with --out")
    _check_key(folder, storage, key)
    seal, told = sealing.begin(key) if key else (Seal(), None)
    manifest = {"schema_version": 1, "title": dict(title), "storage": storage, "seal": told}
    with _kept(folder):
        files.write(folder / _MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")
    return Collection(folder, seal, threading.Lock())


def resume(folder: Path, *, key: Key | None) -> Collection:
    """Open the folder of a collection. Raises ConfigError, OutputError, MissingExtra."""
    manifest = _manifest(folder)
    _check_key(folder, manifest["storage"], key)
    try:
        seal = sealing.resume(key, manifest["seal"]) if key else Seal()
    except ConfigError as error:
        raise ConfigError(
            f"{folder}: {error}; without the key that it was begun with nobody can open it"
        ) from error
    return unopened(folder, seal)


def unopened(folder: Path, seal: Seal = Seal()) -> Collection:  # noqa: B008
    """The same without a key: enough to count and to withdraw. Raises ConfigError, OutputError."""
    _manifest(folder)
    with _kept(folder):
        for left in (folder / "withdrawn").glob("*"):
            if {one.name for one in left.iterdir()} != {_DAY}:
                _empty(left)
    return Collection(folder, seal, threading.Lock())


def version(consent: str) -> str:
    """What a text is called that people agree to: other words, another version."""
    return _digest(consent)[:12]


def _empty(left: Path) -> None:
    for one in left.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    files.write(left / _DAY, f"{datetime.now(UTC):%Y-%m-%d}\n".encode())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        plain = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return {"storage": plain["storage"], "seal": plain["seal"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{folder} holds no collection ({_MANIFEST}: {error}); give the folder that "
            "voxplain study collect wrote"
        ) from error


def _check_key(folder: Path, storage: Storage, key: Key | None) -> None:
    if storage == "encrypted" and not key:
        raise ConfigError(
            f"{folder} is encrypted; give --key FILE, or a passphrase in $VOXPLAIN_PASSPHRASE"
        )
    if storage == "plain" and key:
        raise ConfigError(
            f"{folder} is kept plain and takes no key; leave it out, or write storage: encrypted"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextlib.contextmanager
def _kept(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _no_room(folder, error) from error


def _no_room(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} can't be written: {error.strerror or error}; what is stored is kept: free some "
        "room and try again"
    )
