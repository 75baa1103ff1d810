"""Answers on disk, so that the same question is paid for once."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voxplain.errors import OutputError

__all__ = ["remembered"]


def remembered(folder: Path, question: Mapping[str, Any], ask: Callable[[], str]) -> str:
    """The answer kept for a question, or else the one that ``ask`` gives, which is kept.

    An entry is named by the SHA-256 of all that the question holds (which is not kept) and readable
    by its owner alone. An entry that can't be read is replaced.

    Raises OutputError, before asking if possible, for a folder that can't be written to.
    """
    key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    entry = folder / f"{key}.json"
    try:
        kept = json.loads(entry.read_bytes())["answer"]
        if isinstance(kept, str):
            return kept
    except (OSError, ValueError, LookupError, TypeError):
        pass
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: it takes its place once it is written.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as beside:
            fresh = Path(beside, entry.name)
            fresh.touch(mode=0o600)
            answer = ask()
            fresh.write_text(json.dumps({"answer": answer}), encoding="utf-8")
            fresh.replace(entry)
    except OSError as error:
        raise OutputError(
            f"{folder} can't keep answers: {error.strerror or error}; free some room or give "
            "another folder as the cache"
        ) from error
    return answer
