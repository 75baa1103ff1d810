"""pocketsphinx with the English model that comes in its package: offline, small, and weak.

On emotional speech about every second word is wrong (benchmarks/alignment.py); confidence says
which. Good enough to try things out, and where nothing else may be installed.
"""

from __future__ import annotations

from voxplain.audio.listening import Listener
from voxplain.errors import ConfigError
from voxplain.text import _sphinx
from voxplain.text.transcribers import Card, Transcriber
from voxplain.types import Audio, Transcript, Word

__all__ = ["CARD", "load"]

CARD = Card(
    title="pocketsphinx",
    licence="BSD-2-Clause",
    citation="Huggins-Daines et al. 2006, ICASSP",
    extra="asr",
    languages="en",
)

# Three times as fast as with its defaults, for one word in fifty more that is wrong.
_FAST = {"maxhmmpf": 3000, "maxwpf": 10}


def load(model: str | None = None, *, language: str | None = None) -> Transcriber:
    """The recogniser. Raises MissingExtra, and ConfigError for a model or another language."""
    if model is not None:
        raise ConfigError(f"pocketsphinx brings its model along; leave {model!r} out")
    if language not in (None, "en"):
        raise ConfigError(
            f"pocketsphinx knows English (en) alone, not {language!r}; take faster_whisper"
        )
    decoder = _sphinx.decoder(**_FAST)

    def transcribe(audio: Audio) -> Transcript:
        words = [
            Word(one.name, start.start + one.start, start.start + one.end, one.probability)
            for start, speech in Listener().stretches([audio.waveform], source=audio.source)
            for one in _sphinx.decode(decoder, speech)
        ]
        confidence = sum(word.confidence for word in words) / len(words) if words else 0.0
        text = " ".join(word.text for word in words)
        return Transcript(text, tuple(words), "en", "pocketsphinx", confidence)

    return transcribe
