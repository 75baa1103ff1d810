"""Whisper by faster-whisper (CTranslate2): good, many languages, on the processor as on a GPU."""

from __future__ import annotations

from voxplain.errors import ConfigError, WeightsMissing
from voxplain.plugins import require
from voxplain.text.transcribers import Card, Transcriber, Weights, find_weights
from voxplain.types import Audio, Transcript, Word

__all__ = ["CARD", "load"]

CARD = Card(
    title="Whisper by faster-whisper",
    licence="MIT",
    citation="Radford et al. 2023, ICML",
    extra="asr",
    languages="99 languages",
    weights={
        "whisper-large-v3": Weights(
            "Systran/faster-whisper-large-v3",
            "edaa852ec7e145841d8ffdb056a99866b5f0a478",
            "model.bin",
            "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
            3091,
            "MIT",
        ),
        "whisper-large-v3-turbo": Weights(
            "dropbox-dash/faster-whisper-large-v3-turbo",
            "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
            "model.bin",
            "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
            1621,
            "MIT",
        ),
        "whisper-small": Weights(
            "Systran/faster-whisper-small",
            "536b0662742c02347bc0e980a01041f333bce120",
            "model.bin",
            "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
            486,
            "MIT",
        ),
        "whisper-base": Weights(
            "Systran/faster-whisper-base",
            "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
            "model.bin",
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            148,
            "MIT",
        ),
    },
)


def load(model: str | None = None, *, language: str | None = None) -> Transcriber:
    """The recogniser. Raises MissingExtra, WeightsMissing, ConfigError for a language."""
    package = require("faster_whisper", extra=CARD.extra)
    folder = find_weights(model, CARD)
    try:
        whisper = package.WhisperModel(str(folder), compute_type="int8", local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsMissing(
            f"{folder} is no Whisper model of CTranslate2: {error}; pull one with "
            f"voxplain models pull {list(CARD.weights)[-1]}"
        ) from error
    if language is not None and language not in whisper.supported_languages:
        raise ConfigError(
            f"the model in {folder} does not know the language {language!r}; it knows "
            f"{', '.join(sorted(whisper.supported_languages))}"
        )

    def transcribe(audio: Audio) -> Transcript:
        segments, told = whisper.transcribe(
            audio.waveform,
            language=language,
            word_timestamps=True,
            vad_filter=True,
            condition_on_previous_text=False,  # or one mistake repeats itself
        )
        heard = [word for segment in segments for word in segment.words if word.word.strip()]
        text = "".join(word.word for word in heard).strip()
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for word in heard
        )
        confidence = sum(word.confidence for word in words) / len(words) if words else 0.0
        return Transcript(text, words, told.language, f"faster_whisper {folder.name}", confidence)

    return transcribe
