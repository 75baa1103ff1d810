"""A changed voice: what is made of it, and its sound, both marked as synthetic."""

from __future__ import annotations

import io
from typing import Any

from voxplain.evidence.counterfactual import Experiment
from voxplain.types import Audio, Counterfactual

__all__ = ["document", "wav"]


def document(experiment: Experiment, found: Counterfactual | None) -> dict[str, Any]:
    """As plain values for JSON; None stands for a change that was looked for and not found."""
    nothing = {"edit": None, "before": experiment.before.to_dict(), "after": None}
    told = {**nothing, "identity": None, "measured": None} if found is None else found.to_dict()
    return {"source": experiment.voice.audio.source, "synthetic": True, **told}


def wav(sound: Audio) -> bytes:
    """The sound as it was judged: 32-bit floats, with a comment that says what it is."""
    import soundfile

    content = io.BytesIO()
    with soundfile.SoundFile(
        content, "w", sound.sampling_rate, channels=1, format="WAV", subtype="FLOAT"
    ) as file:
        file.comment = f"{sound.source}; made by voxplain"
        file.write(sound.waveform)
    return content.getvalue()
