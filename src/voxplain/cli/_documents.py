"""Reports of figures on disk: a page, Markdown and its drawings."""

from __future__ import annotations

from pathlib import Path

from voxplain.cli._results import write
from voxplain.errors import OutputError
from voxplain.training.assessment import markdown, pages
from voxplain.training.assessment.documents import Document

__all__ = ["make_folder", "write_document"]


def make_folder(out: Path) -> None:
    """A place for results, before the long work that they take. Raises OutputError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out} can't be made a folder: {error.strerror}") from error


def write_document(document: Document, out: Path) -> None:
    """``report.html``, ``report.md`` and ``figures/`` in a folder. Raises OutputError."""
    write(out / "report.html", pages.render(document))
    write(out / "report.md", markdown.render(document))
    for name, drawing in markdown.drawings(document).items():
        write(out / "figures" / name, drawing)
