"""Places beyond this machine (object stores, HTTP, SFTP ...), as fsspec reaches them.

Each kind of store is a package of its own (``s3fs``, ``gcsfs``) that finds credentials in the
environment, and what they raise has no class in common: here it becomes an error that says why.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal

from voxplain.errors import AudioError, ConfigError
from voxplain.plugins import require

__all__ = ["Place", "Remote", "is_url", "place"]

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")  # one letter alone is a drive
_BUFFER = 1024**2  # bytes
_PATIENCE = 60.0  # s, with a server that says nothing; while it sends, it may take hours


def is_url(given: str) -> bool:
    """Whether it begins as ``s3://`` does."""
    return bool(_URL.match(given))


def place(given: str | os.PathLike[str]) -> Place:
    """A path of this machine, or what a URL stands for. Raises what ``Remote`` raises."""
    text = os.fspath(given)
    return Remote(text) if is_url(text) else Path(text)


@dataclass(frozen=True, slots=True)
class Remote:
    """A URL with as much of a ``Path`` as lists and archives need.

    Raises MissingExtra without fsspec, ConfigError where the package of a store is missing, for a
    kind of URL that nobody knows, or one that leads through several (``zip://...::s3://...``).
    """

    url: str

    def __post_init__(self) -> None:
        fsspec = require("fsspec", extra="remote")
        kind = self.url.partition("://")[0]
        if "::" in self.url:
            raise ConfigError(
                f"{self.url} leads through several places (::); give the URL of the file, folder "
                "or archive itself"
            )
        try:
            fsspec.get_filesystem_class(kind)
        except ValueError as error:
            raise ConfigError(
                f"{self.url} can't be read: nothing here knows {kind}://; check the URL, or "
                "install the package that brings it to fsspec"
            ) from error
        except ImportError as error:
            package = getattr(error.__cause__, "name", None) or kind
            raise ConfigError(
                f"{self.url} needs {package}, which is not installed; install it with: "
                f"pip install {package}"
            ) from error

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> Remote:
        root, path = self._split()
        return Remote(root + posixpath.normpath(f"{path}/{name}"))

    @property
    def parent(self) -> Remote:
        """The folder that it lies in."""
        root, path = self._split()
        return Remote(root + posixpath.dirname(path.rstrip("/")))

    @property
    def parents(self) -> Iterator[Remote]:
        """All folders that it lies in, from the inside out."""
        one = self
        while (above := one.parent) != one:
            yield (one := above)

    @property
    def parts(self) -> tuple[str, ...]:
        """Its names from the outside in."""
        root, path = self._split()
        return (root, *path.rstrip("/").split("/"))

    @property
    def name(self) -> str:
        """The last of them."""
        return PurePosixPath(self._split()[1]).name

    @property
    def suffix(self) -> str:
        """With its dot."""
        return PurePosixPath(self.name).suffix

    def absolute(self) -> Remote:
        """As it is."""
        return self

    def exists(self) -> bool:
        """Raises AudioError where it can't be asked, as all that follow do."""
        with self._asked() as (system, path):
            return bool(system.exists(path))

    def is_file(self) -> bool:
        """Over HTTP whatever exists is one."""
        with self._asked() as (system, path):
            return bool(system.isfile(path))

    def is_dir(self) -> bool:
        """Over HTTP: a page with links to what lies below it."""
        with self._asked() as (system, path):
            return bool(system.isdir(path))

    def version(self) -> str:
        """Another one when the file has changed, as far as its store can tell."""
        with self._asked() as (system, path):
            told = system.info(path).items()
            return str([one for one in told if one[0] != "url"])  # where a request was sent on to

    def below(self) -> list[Remote]:
        """All files in a folder and its folders, in no order."""
        with self._asked() as (system, path):
            return [self._found(one, system, path) for one in system.find(path)]

    def matching(self) -> list[Remote]:
        """What matches it as a pattern, in no order."""
        with self._asked() as (system, path):
            return [self._found(one, system, path) for one in system.glob(path)]

    def open(self, mode: Literal["rb"] = "rb", *, whole: bool = False) -> BinaryIO:
        """Its bytes; ``whole`` if they are read from first to last.

        Raises OSError, also while it is read.
        """
        # A server that gives no parts of a file can still send it in one go.
        options = {"block_size": 0} if whole and self._on_the_web else {}
        with _plainly():
            system, path = self._reached()
            file = system.open(path, mode, **options)
        return io.BufferedReader(_Stream(file), _BUFFER)

    @property
    def _on_the_web(self) -> bool:
        return self.url.startswith(("http://", "https://"))

    def _split(self) -> tuple[str, str]:
        """What says where its store is reached, and the path there, without what a query asks."""
        scheme, _, path = self.url.partition("://")
        return f"{scheme}://", re.split(r"[?#]", path)[0] if self._on_the_web else path

    def _found(self, found: str, system: Any, path: str) -> Remote:
        """The URL of what the store calls ``found``, beginning as this one does."""
        if is_url(found):
            return Remote(found)
        begin = self.url.rfind(path.strip("/"))
        if begin < 0:
            return Remote(system.unstrip_protocol(found))
        return Remote(self.url[:begin] + found.lstrip("/"))

    def _reached(self) -> tuple[Any, str]:
        """Its file system, and the path there."""
        from fsspec.core import url_to_fs

        options = {}
        if self._on_the_web:
            from aiohttp import ClientTimeout

            options["timeout"] = ClientTimeout(sock_connect=_PATIENCE, sock_read=_PATIENCE)
        system, path = url_to_fs(self.url, **options)
        return system, path

    @contextlib.contextmanager
    def _asked(self) -> Iterator[tuple[Any, str]]:
        try:
            with _plainly():
                system, path = self._reached()
                system.invalidate_cache()  # it may have changed since it was last asked
                yield system, path
        except OSError as error:
            raise AudioError(
                f"{self.url} can't be looked up ({error}); check it, and your access to it"
            ) from error


Place = Path | Remote
"""Where something lies."""


class _Stream(io.RawIOBase):
    """A file of fsspec that raises OSError and nothing else."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _plainly():
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = 0) -> int:
        with _plainly():
            self._file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Whatever a store raises, as an OSError."""
    try:
        yield
    except Exception as error:
        raise OSError(_why(error)) from error


def _why(error: BaseException) -> str:
    """What lies behind an error, in its first sentence."""
    while error.__cause__:
        error = error.__cause__
    told = getattr(error, "message", None) or getattr(error, "strerror", None)
    if isinstance(error, FileNotFoundError) and not told:  # its text is a path
        return "there is no such file"
    text = " ".join(str(told or error or type(error).__name__).split())
    status = [str(error.status)] if hasattr(error, "status") else []  # the answer of a server
    return " ".join([*status, text.partition(". ")[0].rstrip(".")])
