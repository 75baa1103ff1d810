"""voxplain: what emotion a voice sounds like, how it is said, and why the system thinks so.

>>> import voxplain
>>> analysis = voxplain.analyze("memo.m4a")  # doctest: +SKIP
>>> analysis.emotion.categories["angry"]  # doctest: +SKIP
0.81
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voxplain.types import (
    Analysis,
    Audio,
    Descriptors,
    Dimension,
    Dimensions,
    Emotion,
    Explanation,
    Final,
    Level,
    Provisional,
    Quantity,
    Role,
    Segment,
    SegmentAnalysis,
    TextEmotion,
    Track,
    Transcript,
    Verdict,
    Word,
)

if TYPE_CHECKING:
    from voxplain.conversations.conversation import conversation
    from voxplain.feature_table import features
    from voxplain.pipeline import Analyzer, Edit, analyze, load, whatif
    from voxplain.streaming import stream
    from voxplain.text.roles import roles

__version__ = "0.1.0"

_ON_DEMAND = (
    "Analyzer",
    "Edit",
    "analyze",
    "load",
    "whatif",
)  # they and what follows bring numerical code along

__all__ = [
    "Analysis",
    "Analyzer",
    "Audio",
    "Descriptors",
    "Dimension",
    "Dimensions",
    "Edit",
    "Emotion",
    "Explanation",
    "Final",
    "Level",
    "Provisional",
    "Quantity",
    "Role",
    "Segment",
    "SegmentAnalysis",
    "TextEmotion",
    "Track",
    "Transcript",
    "Verdict",
    "Word",
    "__version__",
    "analyze",
    "conversation",
    "features",
    "load",
    "roles",
    "stream",
    "whatif",
]


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        from voxplain import pipeline

        return getattr(pipeline, name)
    if name == "conversation":
        from voxplain.conversations.conversation import conversation

        return conversation
    if name == "roles":
        from voxplain.text.roles import roles

        return roles
    if name == "features":
        from voxplain.feature_table import features

        return features
    if name == "stream":
        from voxplain.streaming import stream

        return stream
    raise AttributeError(f"module 'voxplain' has no attribute {name!r}")
