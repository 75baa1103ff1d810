"""Recordings in zip and tar archives, and remote ones: listed as they lie, read one at a time.

A name from elsewhere never becomes a path on this machine: what is unpacked or fetched goes into a
temporary file of a name of ours, and that is deleted after use.
"""

from __future__ import annotations

import contextlib
import functools
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from voxplain.annotation.entries import Entry
from voxplain.annotation.remote import Place, Remote, place
from voxplain.audio import read
from voxplain.errors import AudioError, OutputError

__all__ = ["MOST_BYTES", "SUFFIXES", "members", "opened"]

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""In lower case."""
MOST_BYTES = 2 * 1024**3
"""A member that claims to hold more is an error, not a recording; so is what is fetched."""

_PIECE = 1024**2  # bytes copied at once
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError)
"""What the readers of archives raise; RuntimeError for what is encrypted."""


def members(path: Place) -> Iterator[Entry]:
    """The recordings of an archive in its order, by suffix; what is hidden is skipped.

    One that must not be opened (a link, a name that leads out of the archive, a claim of more than
    ``MOST_BYTES``) says so as its ``problem``, and so does an archive that can't be read. Raises
    AudioError for an archive without recordings.
    """
    archive, lies = read.source_name(str(path)), str(path.absolute())
    found = False
    try:
        for name, number, size, regular in _zipped(path) if _is_zip(path) else _in_tar(path):
            parts = PurePosixPath(name.replace("\\", "/")).parts
            hidden = any(part.startswith(".") and part != ".." for part in parts)
            if PurePosixPath(name).suffix.lower() not in read.SUFFIXES or hidden:
                continue
            if "__MACOSX" in parts:
                continue
            found = True
            shown = f"{archive}/{read.source_name(name)}"
            problem = _problem(name, parts, size, regular)
            yield Entry(shown, lies, name, number, size, problem=problem and f"{shown} {problem}")
    except _BROKEN as error:
        problem = f"{archive} can't be read as an archive ({_why(error)}); copy it again"
        if isinstance(path, Remote):
            problem += ", or here: its server may give no parts of files"
        yield Entry(archive, lies, problem=problem)
        return
    if not found:
        raise AudioError(
            f"no audio or video in the archive {archive}; give one with files that end in "
            f"{' '.join(read.SUFFIXES)}"
        )


def _problem(name: str, parts: tuple[str, ...], size: int, regular: bool) -> str | None:
    if ".." in parts or name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
        return "has a name that leads out of the archive; pack it again with relative names"
    if not regular:
        return "is a link, not a recording; pack the file that it stands for"
    if size > MOST_BYTES:
        return (
            f"claims to hold {size:,} bytes, more than the {MOST_BYTES:,} that are unpacked; "
            "unpack it yourself if that is true"
        )
    return None


def _is_zip(path: Place) -> bool:
    return path.suffix.lower() == ".zip"


_Member = tuple[str, int, int, bool]  # name, place, bytes, whether it is a file


def _zipped(path: Place) -> Iterator[_Member]:
    with _zip(path) as archive:
        for number, info in enumerate(archive.infolist()):
            if not info.is_dir():
                yield info.filename, number, info.file_size, True


def _in_tar(path: Place) -> Iterator[_Member]:
    with _Tar.of(path) as archive:
        while (info := archive.next()) is not None:
            if not info.isdir():
                yield info.name, info.offset_data, info.size, info.isreg() and not info.issparse()
            archive.members = []  # type: ignore[attr-defined]  # or all headers stay in memory


def _zip(path: Place) -> zipfile.ZipFile:
    return zipfile.ZipFile(path.open() if isinstance(path, Remote) else path)


@contextlib.contextmanager
def opened(entry: Entry) -> Iterator[Path]:
    """A path to read an entry from, for as long as the context lasts.

    Raises AudioError for what can't be unpacked or fetched, OutputError where there is no room to.
    """
    lies = place(entry.path)
    if entry.member is not None:
        suffix, pieces = PurePosixPath(entry.member).suffix, _unpacked(entry)
    elif isinstance(lies, Remote):
        known = lies.suffix.lower() in read.SUFFIXES  # else it may be anything, of any length
        suffix, pieces = lies.suffix if known else "", _fetched(entry.file, lies)
    else:
        yield lies
        return
    with tempfile.TemporaryDirectory(prefix="voxplain-") as folder:
        path = Path(folder, "recording").with_suffix(suffix)
        try:
            with path.open("wb") as copy:
                copy.writelines(pieces)
        except OSError as error:
            raise OutputError(
                f"{path} can't be written: {error.strerror or error}; free some room, or name "
                "another folder in TMPDIR"
            ) from error
        yield path


def _fetched(name: str, remote: Remote) -> Iterator[bytes]:
    """All that a remote recording holds, if that is not too much."""
    try:
        with remote.open(whole=True) as stream:
            room = MOST_BYTES
            while piece := stream.read(_PIECE):
                room -= len(piece)
                if room < 0:
                    raise AudioError(
                        f"{name} holds more than the {MOST_BYTES:,} bytes that are fetched; copy "
                        "it here yourself"
                    )
                yield piece
    except OSError as error:
        raise AudioError(
            f"{name} can't be fetched ({_why(error)}); check the URL, and your access to it"
        ) from error


def _unpacked(entry: Entry) -> Iterator[bytes]:
    """What a member holds: as many bytes as it promised, and not one more."""
    try:
        with _member(entry) as packed:
            missing = entry.size
            while missing and (piece := packed.read(min(_PIECE, missing))):
                yield piece
                missing -= len(piece)
        if missing:
            raise EOFError(f"{missing} of its {entry.size} bytes are missing")
    except _BROKEN as error:
        raise AudioError(
            f"{entry.file} can't be unpacked ({_why(error)}); its archive must be there, whole and "
            "not encrypted"
        ) from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _member(entry: Entry) -> IO[bytes]:
    lies = place(entry.path)
    changed = lies.version() if isinstance(lies, Remote) else lies.stat().st_mtime_ns
    archive = _archive(lies, changed)
    if isinstance(archive, zipfile.ZipFile):
        info = archive.infolist()[entry.place : entry.place + 1]
        if not info or info[0].filename != entry.member:
            raise zipfile.BadZipFile("the archive has changed")
        return archive.open(info[0])
    # Straight to its bytes: going by names would read the whole archive for each.
    header = tarfile.TarInfo(str(entry.member))
    header.offset_data, header.size = entry.place, entry.size
    found = archive.extractfile(header)
    assert found, "a header of ours is that of a file"
    return found


class _Tar(tarfile.TarFile):
    @classmethod
    def of(cls, path: Place) -> tarfile.TarFile:
        return cls.open(fileobj=path.open()) if isinstance(path, Remote) else cls.open(path)

    def __del__(self) -> None:
        self.close()  # as zip files do


@functools.lru_cache(maxsize=1)
def _archive(path: Place, changed: int | str) -> zipfile.ZipFile | tarfile.TarFile:
    """Open, once in each process until the next archive or a newer one comes."""
    return _zip(path) if _is_zip(path) else _Tar.of(path)
