"""Where results go: under a temporary name first, and never over what is there unasked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from voxplain.errors import OutputError

__all__ = ["replacing", "result_paths", "write"]


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the folder of ``path``, which takes its place once all is written.

    Raises OutputError (no room, no permission, ...), leaving what was there as it was.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".voxplain-")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}; "
            "free some room or give another place with --out"
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


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
