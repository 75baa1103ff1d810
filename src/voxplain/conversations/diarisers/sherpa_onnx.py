"""Sherpa-onnx: local segmentation, a vector for each voice, and clustering; no torch."""

from __future__ import annotations

from pathlib import Path

from voxplain.conversations.diarisers import Card, Diariser
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.plugins import require
from voxplain.types import Audio, Segment

__all__ = ["CARD", "load"]

CARD = Card(
    title="sherpa-onnx",
    licence="Apache-2.0; the weights have their own",
    citation="k2-fsa/sherpa-onnx; segmentation: Plaquet & Bredin 2023 (Interspeech)",
    extra="diarise",
    files={
        "segmentation.onnx": "such as pyannote segmentation 3.0, from the releases of sherpa-onnx",
        "embedding.onnx": "a speaker embedding, such as 3D-Speaker's, from the same place",
    },
)
_THRESHOLD = 0.5
"""Distance from which two vectors are of two voices; sherpa-onnx's own."""


def load(folder: Path) -> Diariser:
    """Raises MissingExtra, WeightsMissing, and ArtifactError for files that it can't use."""
    sherpa = require("sherpa_onnx", extra="diarise")
    for name, what in CARD.files.items():
        if not (folder / name).is_file():
            raise WeightsMissing(f"{folder / name} is not there; put it there: {what}")
    segmentation, embedding = (str(folder / name) for name in CARD.files)
    config = sherpa.OfflineSpeakerDiarizationConfig(
        segmentation=sherpa.OfflineSpeakerSegmentationModelConfig(
            pyannote=sherpa.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
        ),
        embedding=sherpa.SpeakerEmbeddingExtractorConfig(model=embedding),
        clustering=sherpa.FastClusteringConfig(num_clusters=-1, threshold=_THRESHOLD),
    )
    try:
        engine = sherpa.OfflineSpeakerDiarization(config)
    except RuntimeError as error:
        raise ArtifactError(
            f"{folder} holds models that sherpa-onnx can't use: {error}; get them again"
        ) from error

    def diarise(audio: Audio) -> list[Segment]:
        found = engine.process(audio.waveform).sort_by_start_time()
        return [Segment(one.start, one.end, f"speaker {one.speaker + 1}") for one in found]

    return diarise
