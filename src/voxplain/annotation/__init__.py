"""The emotions of many recordings as one table: listed, annotated in batches, kept, joined.

    inputs ─▶ listing ─▶ entries ─▶ batches ─▶ an engine ─▶ parts ─▶ rows in order

``rows`` knows what stands in a row, ``parts`` what is done, ``engines`` who does it.
"""

from __future__ import annotations

from voxplain.annotation.rows import Options
from voxplain.annotation.work import annotate

__all__ = ["Options", "annotate"]
