"""Several models on several corpora: what holds elsewhere of what was learned from one?"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voxplain import __version__
from voxplain.training.assessment.assess import Assessment
from voxplain.training.assessment.documents import Cell, Document, Link, Section, Shade, Table
from voxplain.training.assessment.figures import shared_labels, view
from voxplain.training.assessment.judging import Judge
from voxplain.training.assessment.recordings import Recordings
from voxplain.training.statistics import Interval

__all__ = ["Column", "common_labels", "document", "matrix", "summary"]

_HEARD, _LOST = "†", "‡"
_NOTE = (
    "UAR over the labels that the corpus and all models have, the most probable of these as the "
    "prediction; chance is 1 / labels. Columns with other labels do not compare. "
    f"{_HEARD}: the model was trained on speakers of the corpus; a head that never heard them "
    f"judges them. {_LOST}: there is no such head, and the figure is that of a training set."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A corpus, and how every model does on it."""

    labels: tuple[str, ...]
    figures: Mapping[str, Interval]
    """Model -> UAR."""
    marks: Mapping[str, str]
    """Model -> whether it was trained on speakers of the corpus."""


def common_labels(judges: Sequence[Judge], recordings: Recordings) -> tuple[str, ...]:
    """Those that all models and some recordings have. Raises ConfigError for fewer than two."""
    known = [judge.labels for judge in judges]
    common = [label for label in known[0] if all(label in one for one in known)]
    return shared_labels(common, recordings.utterances)


def matrix(found: Sequence[Assessment]) -> dict[str, Column]:
    """Corpus -> its column, of the assessments of all models on all corpora.

    Raises what ``common_labels`` raises.
    """
    columns = {}
    for corpus in dict.fromkeys(one.recordings.name for one in found):
        here = [one for one in found if one.recordings.name == corpus]
        labels = common_labels([one.judge for one in here], here[0].recordings)
        columns[corpus] = Column(
            labels,
            {one.judge.title: view(one.judged, labels, "").uar for one in here},
            {one.judge.title: _mark(one) for one in here},
        )
    return columns


def _mark(found: Assessment) -> str:
    return _LOST if found.lost else _HEARD if found.heard else ""


def document(columns: Mapping[str, Column], *, reports: Mapping[str, str]) -> Document:
    """The matrix, and links to the ``reports`` of each pair: what it is of -> where it lies."""
    head = ("model", *(f"{name}\n{len(one.labels)} labels" for name, one in columns.items()))
    models = list(next(iter(columns.values())).figures)
    rows: list[tuple[Cell, ...]] = []
    for model in models:
        cells = []
        for column in columns.values():
            one = column.figures[model]
            mark = column.marks[model]
            said = f"{one.value:.3f}{mark}\n{one.low:.3f} to {one.high:.3f}"
            cells.append(Shade(said, one.value, marked=bool(mark)))
        rows.append((model, *cells))
    basis = {name: next(iter(one.figures.values())) for name, one in columns.items()}
    told = [
        (name, ", ".join(one.labels), str(basis[name].n), str(basis[name].speakers))
        for name, one in columns.items()
    ]
    return Document(
        title="Models across corpora",
        source=f"{', '.join(models)} on {', '.join(columns)}",
        lede=_NOTE,
        warnings=(),
        sections=[
            Section("matrix", "UAR", [Table("95 % intervals below the UAR", head, rows)]),
            Section(
                "corpora",
                "Corpora",
                [Table("What was judged", ("corpus", "labels", "clips", "speakers"), told)],
            ),
            Section(
                "reports", "Each model on each corpus", [Link(*one) for one in reports.items()]
            ),
        ],
        facts=[("voxplain", __version__)],
    )


def summary(columns: Mapping[str, Column]) -> str:
    """For a terminal of 80 columns: a block for each corpus."""
    lines = textwrap.wrap(_NOTE, 79)
    for name, column in columns.items():
        lines += ["", f"{name}, {len(column.labels)} labels (chance {1 / len(column.labels):.3f})"]
        lines += [
            f"  {model:<40} {one}{column.marks[model]}" for model, one in column.figures.items()
        ]
    return "\n".join(lines)
