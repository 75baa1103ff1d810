"""Whisper by Hugging Face transformers, from any local folder: a fine-tuned model, say.

Times are those of the cross-attention (dynamic time warping), confidence is the geometric mean of
the probabilities of a word's tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from voxplain.errors import ConfigError, WeightsMissing
from voxplain.plugins import require
from voxplain.text.transcribers import Card, Transcriber, find_weights
from voxplain.types import Audio, Transcript, Word

__all__ = ["CARD", "load"]

CARD = Card(
    title="Whisper by transformers",
    licence="Apache-2.0",
    citation="Radford et al. 2023, ICML",
    extra="train",
    languages="those of the model",
)

_WINDOW = 30.0  # seconds that Whisper sees at once
_SPACE = "Ġ"  # how a token writes the space that a new word begins with


def load(model: str | None = None, *, language: str | None = None) -> Transcriber:
    """The recogniser in the folder ``model``, which holds safetensors.

    Raises MissingExtra, WeightsMissing, and ConfigError for a language that the model lacks.
    """
    transformers = require("transformers", extra=CARD.extra)
    torch = require("torch", extra=CARD.extra)
    folder = find_weights(model, CARD)
    local = {"local_files_only": True}
    try:
        network = transformers.WhisperForConditionalGeneration.from_pretrained(
            folder, use_safetensors=True, **local
        ).eval()
        processor = transformers.WhisperProcessor.from_pretrained(folder, **local)
    except (OSError, ValueError) as error:
        raise WeightsMissing(
            f"{folder} is no Whisper model of transformers in safetensors: {error}; give a folder "
            "as from save_pretrained of the model and its processor"
        ) from error
    settings = network.generation_config
    if not getattr(settings, "alignment_heads", None):
        raise WeightsMissing(
            f"{folder} has no alignment_heads in generation_config.json, so that its words would "
            "have no times; copy them from the model that it was fine-tuned from"
        )
    many = bool(getattr(settings, "is_multilingual", False))
    known = [token[2:-2] for token in settings.lang_to_id] if many else ["en"]
    if language is not None and language not in known:
        raise ConfigError(
            f"the model in {folder} does not know the language {language!r}; it knows "
            f"{', '.join(sorted(known))}"
        )

    def transcribe(audio: Audio) -> Transcript:
        whole = {"truncation": False, "padding": "longest"} if audio.duration > _WINDOW else {}
        inputs = processor(
            audio.waveform,
            sampling_rate=audio.sampling_rate,
            return_tensors="pt",
            return_attention_mask=True,
            **whole,
        )
        with torch.inference_mode():
            told = network.generate(
                **inputs,
                **({"language": language, "task": "transcribe"} if many else {}),
                return_timestamps=True,
                return_token_timestamps=True,
                return_segments=True,
                return_dict_in_generate=True,
                output_scores=True,
            )
        segments = told["segments"][0]
        words = tuple(w for one in segments for w in _words(one, processor.tokenizer, audio))
        spoken = language or "en"
        if many and language is None and segments:
            spoken = processor.tokenizer.decode([segments[0]["result"]["sequences"][1]])[2:-2]
        confidence = sum(word.confidence for word in words) / len(words) if words else 0.0
        text = " ".join(word.text for word in words)
        return Transcript(text, words, spoken, f"whisper {folder.name}", confidence)

    return transcribe


def _words(segment: dict[str, Any], tokenizer: Any, audio: Audio) -> Iterator[Word]:
    """Tokens put together into words; what is no text (times, the end) only ends them."""
    first = segment["idxs"][0]
    prompt = len(segment["result"]["sequences"]) - len(segment["result"]["scores"])
    tokens = segment["tokens"].tolist()
    edges = [*segment["token_timestamps"].tolist(), float(segment["end"])]
    groups: list[list[int]] = []
    for n, token in enumerate(tokens):
        if token >= tokenizer.eos_token_id:
            continue
        if not groups or tokenizer.convert_ids_to_tokens(token).startswith(_SPACE):
            groups.append([])
        groups[-1].append(n)
    for group in groups:
        text = tokenizer.decode([tokens[n] for n in group]).strip()
        scores = segment["result"]["scores"]
        logs = [float(scores[first - prompt + n].log_softmax(dim=-1)[tokens[n]]) for n in group]
        start, end = (min(edges[n], audio.duration) for n in (group[0], group[-1] + 1))
        if text:
            chance = math.exp(sum(logs) / len(logs))
            yield Word(text, min(start, end), max(start, end), chance)
