"""Where results go: under a temporary name first, and never over what is there unasked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from voxplain.errors import OutputError

__all__ = ["result_paths", "write"]


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all: to a temporary name in its folder, then renamed.

    Raises OutputError (no room, no permission, ...), leaving what was there as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".voxplain-")
    except OSError as error:
        raise _failed(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} can't be written: {error.strerror or error}; "
        "free some room or give another folder with --out"
    )


def result_paths(sources: Sequence[Path], *, root: Path, out: Path | None) -> list[Path]:
    """``<name>.voxplain.json`` of each source, beside it or at the same place below ``out``.

    ``root`` is the folder that the sources were found in. Where two sources differ only in their
    suffix, both keep it.
    """
    places = [
        source.parent if out is None else out / source.parent.relative_to(root)
        for source in sources
    ]
    shared = Counter((place, source.stem) for place, source in zip(places, sources, strict=True))
    return [
        place / f"{source.name if shared[place, source.stem] > 1 else source.stem}.voxplain.json"
        for place, source in zip(places, sources, strict=True)
    ]
