"""A causal language model of Hugging Face in this process: a folder, or what is in its cache.

Nothing is fetched, nothing is sent, no code of a model is run, and only safetensors are read.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ArtifactError, BackendRefused, BadReply, WeightsMissing
from voxplain.llms import Card, Message, Schema, checked, spelled_out
from voxplain.plugins import require

__all__ = ["CARD", "LocalLLM", "causal_lm", "load"]

CARD = Card(
    title="a Hugging Face model in this process",
    licence="of the model; transformers: Apache-2.0",
    citation="Wolf et al. 2020, Transformers: state-of-the-art natural language processing, EMNLP",
    extra="train",
    sends=False,
)


def load(*, model: str, device: str | None = None) -> LocalLLM:
    """A model folder, or a hub id that was fetched before.

    ``device`` is cpu, cuda ...; by default cuda where there is one.

    Raises MissingExtra, WeightsMissing, or ArtifactError for a model that can't be run.
    """
    torch = require("torch", extra="train")
    tokenizer, network = causal_lm(model)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return LocalLLM(network.to(place).eval(), tokenizer, name=Path(model).name)


def causal_lm(name: str | Path, **options: Any) -> tuple[Any, Any]:
    """Tokenizer and network of a model folder, or of a hub id that was fetched before.

    ``options`` are further ones of ``AutoModelForCausalLM.from_pretrained``.

    Raises MissingExtra, WeightsMissing, or ArtifactError for a model that can't be run.
    """
    transformers = require("transformers", extra="train")
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **safe)
        network = transformers.AutoModelForCausalLM.from_pretrained(
            name, use_safetensors=True, dtype="auto", **safe, **options
        )
    except OSError as error:
        raise WeightsMissing(
            f"{name} is neither a folder with a model in safetensors nor fetched before "
            f"({_first_line(error)}); fetch it with: hf download {name}"
        ) from error
    except (ValueError, KeyError) as error:
        raise ArtifactError(
            f"{name} can't be run: {_first_line(error)}; give a causal language model that "
            "transformers knows without code of its own"
        ) from error
    return tokenizer, network


class LocalLLM:
    """A model and its tokenizer; one question at a time."""

    def __init__(self, network: Any, tokenizer: Any, *, name: str) -> None:
        from transformers import GenerationConfig

        self.name = name
        ends = network.generation_config.eos_token_id
        self._ends = tokenizer.eos_token_id if ends is None else ends
        self._fill = self._ends[0] if isinstance(self._ends, list) else self._ends or 0
        # Greedy, whatever sampling or penalty came with the model.
        network.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=self._ends, pad_token_id=self._fill
        )
        self._network, self._tokenizer = network, tokenizer
        self._one_at_a_time = threading.Lock()  # tokenizers can't be shared between threads

    def complete(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 1024
    ) -> str:
        """The greedy answer; with a schema (which is spelled out), checked against it.

        Raises BackendRefused for more than the model can read, BadReply.
        """
        import torch

        asked = messages if schema is None else spelled_out(messages, schema)
        with self._one_at_a_time, torch.inference_mode():
            prompt = self._prompt(asked, room=max_tokens)
            given = torch.tensor([prompt], device=self._network.device)
            (tokens,) = self._network.generate(
                given, attention_mask=torch.ones_like(given), max_new_tokens=max_tokens
            ).tolist()
            new = tokens[len(prompt) :]
            reply = str(self._tokenizer.decode(new, skip_special_tokens=True))
        if new[-1] not in np.atleast_1d(self._ends):
            raise BadReply(
                f"{self.name} broke off (at most {max_tokens} tokens); allow more, or ask less "
                "at once"
            )
        return reply if schema is None else checked(reply, schema)

    def likelihoods(
        self, messages: Sequence[Message], continuations: Sequence[str]
    ) -> NDArray[np.float64]:
        """(continuations,) log-probability of each as the beginning of the answer, in one batch.

        The sum over its tokens, so that longer ones are less likely: compare with the same
        continuations after another question.

        Raises BackendRefused for more than the model can read.
        """
        import torch

        with self._one_at_a_time, torch.inference_mode():
            rows = [
                self._tokenizer(text, add_special_tokens=False)["input_ids"]
                for text in continuations
            ]
            longest = max(map(len, rows))
            prompt = self._prompt(messages, room=longest)
            filled = [prompt + row + [self._fill] * (longest - len(row)) for row in rows]
            # What comes after a token does not touch it, so the filling needs no mask.
            states = torch.tensor(filled, device=self._network.device)
            logits = self._network(states, logits_to_keep=longest + 1).logits
            chances = torch.log_softmax(logits.double(), dim=-1).cpu().numpy()
        return np.array(
            [chances[n, range(len(row)), row].sum() for n, row in enumerate(rows)], np.float64
        )

    def _prompt(self, messages: Sequence[Message], *, room: int) -> list[int]:
        from jinja2 import TemplateError

        text = "".join(f"{message['content']}\n\n" for message in messages)
        if not self._tokenizer.chat_template:
            tokens = self._tokenizer(text)["input_ids"]
        else:
            try:
                tokens = self._templated([dict(message) for message in messages])
            except TemplateError:  # some take nothing but a question
                tokens = self._templated([{"role": "user", "content": text}])
        most = getattr(self._network.config, "max_position_embeddings", None)
        if most is not None and len(tokens) + room > most:
            raise BackendRefused(
                f"{self.name} reads at most {most} tokens, and this takes {len(tokens)} and up to "
                f"{room} for the answer; ask less at once or take a model that reads more"
            )
        return list(tokens)

    def _templated(self, messages: list[dict[str, str]]) -> Any:
        return self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True, enable_thinking=False
        )["input_ids"]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
