"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write"]


def write(path: Path, content: bytes, *, make_folder: bool = True) -> None:
    """Replace a file at once: whoever is killed meanwhile leaves the old one, or the new one.

    Raises OSError; FileNotFoundError for a folder that isn't there and is not to be made.
    """
    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # the name must not be there before the content
    temporary.replace(path)
