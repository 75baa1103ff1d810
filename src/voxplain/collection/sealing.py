"""How what people say is kept from those without the key.

Sealed is each file, or each line of one, by Fernet (AES-128 in CBC mode with HMAC-SHA256) of
``cryptography``. The key lies in a file elsewhere, or is made of a passphrase by scrypt.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxplain.errors import ConfigError, OutputError
from voxplain.plugins import require

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

__all__ = ["Key", "Seal", "begin", "resume"]

Key = Path | str
"""The file of a key, or a passphrase."""

_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # 64 MiB and about 0.2 s a guess
_SHORTEST = 12
_CHECK = b"voxplain"


@dataclass(frozen=True, slots=True)
class Seal:
    """Turns bytes into such that only the key opens, or leaves them alone; sealed are no lines."""

    fernet: Fernet | None = None

    def close(self, content: bytes) -> bytes:
        """What may lie on the disk."""
        return self.fernet.encrypt(content) if self.fernet else content

    def open(self, content: bytes) -> bytes:
        """What was closed. Raises ConfigError for anything else."""
        if self.fernet is None:
            return content
        from cryptography.fernet import InvalidToken

        try:
            return self.fernet.decrypt(content)
        except InvalidToken as error:
            raise ConfigError("was sealed with another key, or is damaged") from error


def begin(key: Key) -> tuple[Seal, dict[str, Any]]:
    """A seal, and what must be known to make it again beside the key: a salt and a check.

    The file of a key is made where there is none. Raises ConfigError, OutputError, MissingExtra.
    """
    salt = None
    if isinstance(key, Path):
        if not key.exists():
            _make(key)
    else:
        if len(key) < _SHORTEST:
            raise ConfigError(
                f"the passphrase has {len(key)} characters; take {_SHORTEST} or more, such as five "
                "words"
            )
        salt = secrets.token_hex(16)
    seal = _seal(key, salt)
    return seal, {"salt": salt, "check": seal.close(_CHECK).decode()}


def resume(key: Key, known: Mapping[str, Any]) -> Seal:
    """The seal of what ``begin`` told. Raises ConfigError for another key, MissingExtra."""
    salt = known["salt"]
    if isinstance(key, str) != bool(salt):
        raise ConfigError(f"was sealed with a {'passphrase' if salt else 'key file'}; give that")
    seal = _seal(key, salt)
    seal.open(known["check"].encode())
    return seal


def _seal(key: Key, salt: str | None) -> Seal:
    fernet = require("cryptography.fernet", extra="collect")
    try:
        content = _stretched(key, salt) if isinstance(key, str) else key.read_bytes().strip()
        return Seal(fernet.Fernet(content))
    except OSError as error:
        raise ConfigError(
            f"the key {key} can't be read: {error.strerror}; give the file that it was made in"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{key} holds no key; give the file that was made for this") from error


def _stretched(passphrase: str, salt: str | None) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    scrypt = Scrypt(salt=bytes.fromhex(salt or ""), length=32, **_SCRYPT)
    return base64.urlsafe_b64encode(scrypt.derive(passphrase.encode()))


def _make(path: Path) -> None:
    fernet = require("cryptography.fernet", extra="collect")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123
            file.write(fernet.Fernet.generate_key() + b"\n")
    except OSError as error:
        raise OutputError(f"the key {path} can't be written: {error.strerror}") from error
