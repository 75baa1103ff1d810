"""What a frozen text encoder makes of the three texts of MSF-SER (arXiv 2510.05749)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voxplain import backbones
from voxplain.backbones._encoder import quiet
from voxplain.errors import ArtifactError, WeightsMissing
from voxplain.plugins import require
from voxplain.text.semantics import Semantics

__all__ = ["TextEncoder"]

_BATCH = 32  # texts

_Pool = tuple[str, tuple[tuple[int, int], ...]]
"""A text, and the characters whose pieces are averaged; none stands for all of it."""


class TextEncoder:
    """A Hugging Face encoder of texts that learns nothing: RoBERTa, BERT, MiniLM ..."""

    def __init__(self, name: str | Path) -> None:
        """``name`` is a checkpoint folder, or a hub id that was fetched before.

        Raises MissingExtra, WeightsMissing, or ArtifactError for a checkpoint that can't be used.
        """
        transformers = require("transformers", extra="train")
        folder = backbones.find_checkpoint(name)
        backbones.read_config(folder)  # refuses what would need code of its own
        self.name = folder.name if Path(name).is_dir() else str(name)
        self.sha256 = backbones.digest(folder)
        """Of its configuration and weights."""
        safe = {"local_files_only": True, "trust_remote_code": False}
        try:
            with quiet(transformers):
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **safe)
                network, found = transformers.AutoModel.from_pretrained(
                    folder,
                    use_safetensors=True,
                    dtype=torch.float32,
                    output_loading_info=True,
                    **safe,
                )
        except Exception as error:  # a foreign checkpoint may raise anything
            reason = str(error).partition("\n")[0]
            raise ArtifactError(
                f"{folder} can't be loaded: {reason}; give a text encoder that transformers knows, "
                "with its tokenizer"
            ) from error
        # Many are published without the layer that sums a text up, which nothing here goes by.
        missing = sorted(one for one in found["missing_keys"] if "pooler" not in one)
        if missing:
            raise WeightsMissing(
                f"{folder} lacks {len(missing)} weights of the encoder, first {missing[0]!r}; give "
                "the whole checkpoint"
            )
        if not self._tokenizer.is_fast or network.config.is_encoder_decoder:
            raise ArtifactError(
                f"{folder} is no encoder whose tokenizer knows where in a text its pieces stand; "
                "give a model such as BERT or RoBERTa with its tokenizer.json"
            )
        self._network = network.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        self.width: int = network.config.hidden_size
        self._longest = _longest(self._tokenizer, network)

    def vectors(
        self, semantics: Sequence[Semantics], *, isolated: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(n, 3, width) of emphasised words, whole text and interpretation; (n, 3) which are there.

        Each is a mean of last hidden states: of a text over all its pieces, of emphasised words
        over theirs within the whole text; ``isolated``, those words are a text of their own. A text
        is read as far as the encoder takes it. What is missing, or lies beyond, is zeros. A text's
        company changes nothing but rounding.
        """
        wanted = [_pools(one, isolated=isolated) for one in semantics]
        found = self._averaged({pool for row in wanted for pool in row if pool is not None})
        vectors = np.zeros((len(wanted), 3, self.width), np.float32)
        there = np.zeros((len(wanted), 3), bool)
        for number, row in enumerate(wanted):
            for branch, pool in enumerate(row):
                if pool in found:
                    vectors[number, branch], there[number, branch] = found[pool], True
        return vectors, there

    def _averaged(self, pools: set[_Pool]) -> dict[_Pool, NDArray[np.float32]]:
        """The mean of each that has a piece to average; every text is encoded once."""
        of_text: dict[str, list[_Pool]] = {}
        for pool in pools:
            of_text.setdefault(pool[0], []).append(pool)
        found: dict[_Pool, NDArray[np.float32]] = {}
        ordered = sorted(of_text, key=lambda text: (len(text), text))
        for first in range(0, len(ordered), _BATCH):
            texts = ordered[first : first + _BATCH]
            states, offsets = self._states(texts)
            for row, text in enumerate(texts):
                for pool in of_text[text]:
                    inside = _inside(offsets[row], pool[1])
                    if inside.any():
                        found[pool] = states[row][torch.from_numpy(inside)].mean(0).cpu().numpy()
        return found

    @torch.inference_mode()
    def _states(self, texts: Sequence[str]) -> tuple[Tensor, NDArray[np.int64]]:
        """States (texts, pieces, width); characters (texts, pieces, 2), -1 beyond the end.

        Pieces that no character stands for, such as the first, have 0 and 0.
        """
        told = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets, mask = told.pop("offset_mapping").numpy(), told["attention_mask"].numpy()
        states = self._network(**told.to(self._network.device)).last_hidden_state
        return states, np.where(mask[..., None] == 1, offsets, -1)


def _pools(one: Semantics, *, isolated: bool) -> tuple[_Pool | None, ...]:
    """What is averaged for each branch; None where there is nothing."""
    words = " ".join(one.text[start:end] for start, end in one.emphasised)
    emphasised: _Pool = (words, ()) if isolated else (one.text, one.emphasised)
    return (
        emphasised if words.strip() else None,
        (one.text, ()) if one.text.strip() else None,
        (one.extended, ()) if one.extended.strip() else None,
    )


def _inside(offsets: NDArray[np.int64], spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(pieces,) those that share a character with a span; without spans, all that are real."""
    start, end = offsets.T
    found: NDArray[np.bool_] = end >= 0
    if spans:
        shared = [(start < last) & (end > first) & (end > start) for first, last in spans]
        found = np.any(shared, axis=0)
    return found


def _longest(tokenizer: Any, network: Any) -> int:
    """Pieces that can be read at once."""
    most = int(tokenizer.model_max_length)  # huge where nobody said
    places = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
    if isinstance(places, torch.nn.Embedding):
        unused = 0 if places.padding_idx is None else places.padding_idx + 1  # as RoBERTa counts
        most = min(most, places.num_embeddings - unused)
    return most
