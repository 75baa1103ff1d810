"""Texts as the states of any Hugging Face text encoder."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.plugins import require

__all__ = ["mean_states"]

_BATCH = 32
_LONGEST = 512  # tokens; what goes beyond is not read


def mean_states(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """(texts, width): the mean of the last states over the tokens of each.

    Raises ConfigError for a folder without an encoder and its tokenizer.
    """
    tokenizer, model = _loaded(folder)
    longest = min(_LONGEST, tokenizer.model_max_length)
    found = []
    for start in range(0, len(texts), _BATCH):
        tokens = tokenizer(
            list(texts[start : start + _BATCH]),
            padding=True,
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = model(**tokens).last_hidden_state
        read = tokens["attention_mask"][..., None]
        found.append((states * read).sum(1) / read.sum(1))
    means: NDArray[np.float32] = torch.cat(found).float().numpy()
    return means


@functools.cache
def _loaded(folder: Path) -> tuple[Any, Any]:
    transformers = require("transformers", extra="train")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} holds no text encoder: {error}; give a folder as save_pretrained writes it"
        ) from error
    return tokenizer, model
