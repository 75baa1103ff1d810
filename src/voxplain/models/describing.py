"""A trained VIB-Emo in numpy: what ``models.vib_sed`` learned in torch, for those who only ask.

The frames of a voice pass the means of the bottlenecks, and a small decoder of the LLaMA
architecture (Touvron et al. 2023, arXiv 2302.13971) fills the slots of a description one by one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError
from voxplain.models.byte_pairs import BytePairs
from voxplain.models.description import (
    SLOTS,
    Described,
    Description,
    Middle,
    Slot,
    parsed,
    parts,
    slots,
    spoken,
)

__all__ = ["Decoder", "Describer", "Shape"]

Array = NDArray[np.float32]
Cache = Sequence[tuple[Array, Array]]
"""Keys and values (heads, tokens, width of a head) of each layer."""

_erf = np.frompyfunc(math.erf, 1, 1)


def _gelu(x: Array) -> Array:
    found: Array = (x * (1 + _erf(x / math.sqrt(2))) / 2).astype(np.float32)
    return found


class Shape(NamedTuple):
    """What weights alone don't tell."""

    branches: tuple[str, ...]
    """In the order in which they are read."""
    stack: int
    """Frames that are read as one."""
    heads: int
    epsilon: float
    """Of RMS norms."""
    theta: float
    """Base of the rotary position embedding."""
    begin: int
    """Token at the beginning of every text."""
    end: int
    """Token at its end."""


class Decoder:
    """A causal language model, a few tokens at a time."""

    def __init__(self, weights: Mapping[str, Array], shape: Shape) -> None:
        """``weights`` under the names that they have in transformers."""
        self._weights, self._shape = weights, shape
        self.embedding = weights["model.embed_tokens.weight"]
        self._layers = sum(name.endswith("mlp.up_proj.weight") for name in weights)

    def read(self, x: Array, cache: Cache = ()) -> tuple[Array, Cache]:
        """Logits (tokens, vocabulary) behind each of x (tokens, width), after what was read before.

        And the cache with these tokens, the old one being left as it is.
        """
        known = cache[0][0].shape[1] if cache else 0
        turned = self._angles(known, len(x))
        fresh = []
        for layer in range(self._layers):
            old = cache[layer] if cache else None
            attended, kept = self._attended(layer, x, turned, old)
            x = x + attended
            x = x + self._through(layer, self._norm(f"layers.{layer}.post_attention_layernorm", x))
            fresh.append(kept)
        logits: Array = self._norm("norm", x) @ self.embedding.T
        return logits, fresh

    def _attended(
        self, layer: int, x: Array, turned: tuple[Array, Array], old: tuple[Array, Array] | None
    ) -> tuple[Array, tuple[Array, Array]]:
        normed = self._norm(f"layers.{layer}.input_layernorm", x)
        query, key, value = (
            self._heads(self._linear(f"layers.{layer}.self_attn.{name}_proj", normed))
            for name in "qkv"
        )
        query, key = _rotated(query, *turned), _rotated(key, *turned)
        if old is not None:
            key, value = (np.concatenate(both, 1) for both in zip(old, (key, value), strict=True))
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        ahead = np.triu(np.ones(scores.shape[1:], bool), 1 + key.shape[1] - query.shape[1])
        weights = _softmax(np.where(ahead, -np.inf, scores))
        joined = (weights @ value).transpose(1, 0, 2).reshape(len(x), -1)
        return self._linear(f"layers.{layer}.self_attn.o_proj", joined), (key, value)

    def _through(self, layer: int, x: Array) -> Array:
        """SwiGLU (Shazeer 2020, arXiv 2002.05202)."""
        gate, up = (self._linear(f"layers.{layer}.mlp.{name}_proj", x) for name in ("gate", "up"))
        return self._linear(f"layers.{layer}.mlp.down_proj", gate / (1 + np.exp(-gate)) * up)

    def _linear(self, name: str, x: Array) -> Array:
        found: Array = x @ self._weights[f"model.{name}.weight"].T
        return found

    def _norm(self, name: str, x: Array) -> Array:
        scale = np.sqrt(np.mean(x**2, -1, keepdims=True) + self._shape.epsilon)
        found: Array = self._weights[f"model.{name}.weight"] * x / scale
        return found

    def _heads(self, x: Array) -> Array:
        found: Array = x.reshape(len(x), self._shape.heads, -1).transpose(1, 0, 2)
        return found

    def _angles(self, known: int, tokens: int) -> tuple[Array, Array]:
        """Cosine and sine (tokens, width of a head) of each place."""
        width = self.embedding.shape[1] // self._shape.heads
        speeds = self._shape.theta ** (-np.arange(0, width, 2) / width)
        angles = np.tile(np.outer(np.arange(known, known + tokens), speeds), 2)
        return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class Describer:
    """States of a voice -> a description, by a network that was trained as ``models.vib_sed``."""

    def __init__(
        self,
        weights: Mapping[str, Array],
        *,
        shape: Shape,
        tokens: BytePairs,
        instruction: str,
        labels: Sequence[str],
        taught: Collection[str] = SLOTS,
        decision: str = "",
        temperature: float = 1.0,
        middles: Mapping[str, Middle] = MappingProxyType({}),
    ) -> None:
        """``weights`` under the names that they have in ``VibSed``; ``taught`` are the slots.

        ``instruction`` stands behind what is heard. ``decision`` stands before the text of the
        descriptors where the emotion is read from that alone. The logits of the emotion are divided
        by the ``temperature``. ``middles`` are those of attributes (``description.Slot``).
        """
        self._weights, self._shape, self._tokens = weights, shape, tokens
        llm = {name[4:]: one for name, one in weights.items() if name.startswith("llm.")}
        self._decoder = Decoder(llm, shape)
        self._instruction, self._decision = instruction, decision
        self.labels, self.temperature = tuple(labels), temperature
        self._taught, self._middles = frozenset(taught), middles

    @property
    def depth_and_width(self) -> tuple[int, int]:
        """Of the states."""
        depth, width = self._weights["mean"].shape
        return depth, width

    @property
    def concept(self) -> bool:
        """Whether the emotion is decided from the spoken descriptors alone."""
        return bool(self._decision)

    def describe(self, states: NDArray[np.floating], *, words: Sequence[str] = ()) -> Described:
        """How a voice sounds, of its states (depth, frames, width).

        ``words`` are those of the transcript: each may be the stressed one. Without any, nothing
        is said of the stress.
        """
        taught = self._taught if words else self._taught - {"stress"}
        wanted = slots(words=words, labels=self.labels, taught=taught, middles=self._middles)
        heard = [self._frames(name, self._normalised(states)) for name in self._shape.branches]
        text, probabilities = self._filled(
            [*heard, self._said(self._instruction)], wanted[:-1] if self.concept else wanted
        )
        description = parsed(text, labels=self.labels)
        if not self.concept:
            return Described(description, probabilities)
        verdict = self.decide(description)
        label = max(verdict, key=verdict.__getitem__)
        return Described(
            dataclasses.replace(description, label=label), probabilities | {"emotion": verdict}
        )

    def decide(self, description: Description) -> dict[str, float]:
        """Probability of each label, from the spoken text of the descriptors and nothing else.

        Raises ConfigError for a network without ``concept``, or a description without descriptors.
        """
        if not self.concept:
            raise ConfigError(
                "the network decides from what it hears; train one with concept to decide from "
                "descriptors"
            )
        said = dataclasses.replace(description, label="")
        if not parts(said):
            raise ConfigError("there is no descriptor to decide from; describe the clip first")
        prompt = [self._said(self._decision), self._said(f" {spoken(said)}")]
        _, probabilities = self._filled(prompt, slots(labels=self.labels)[-1:])
        return probabilities["emotion"]

    def _filled(
        self, prompt: Sequence[Array], wanted: Sequence[Slot]
    ) -> tuple[str, dict[str, dict[str, float]]]:
        """The text of the chosen candidates one after the other, and the probability of each.

        A candidate counts with what has to follow it, so that none wins by being the beginning of
        another.
        """
        begin, lead = self._read([self._shape.begin]), self._said(wanted[0].lead)
        logits, cache = self._decoder.read(np.concatenate([begin, *prompt, lead]))
        last, text, probabilities = logits[-1], "", {}
        for number, slot in enumerate(wanted):
            options = self._options(wanted, number)
            ways = [self._decoder.read(self._read(option), cache) for option in options]
            chances = [_softmax(np.vstack([last, told[:-1]])) for told, _ in ways]
            scores = np.array(
                [
                    np.log(chance[range(len(option)), option]).sum()
                    for chance, option in zip(chances, options, strict=True)
                ]
            )
            temperature = self.temperature if slot.name == "emotion" else 1.0
            shares = _softmax(scores / temperature).tolist()
            choice = slot.choice(shares)
            last, cache = ways[choice][0][-1], ways[choice][1]
            text += f"{slot.lead} {slot.spoken[choice]}"
            probabilities[slot.name] = dict(zip(slot.candidates, shares, strict=True))
        return text, probabilities

    def _normalised(self, states: NDArray[np.floating]) -> Array:
        mean, deviation = self._weights["mean"], self._weights["deviation"]
        found: Array = (states.astype(np.float32) - mean[:, None]) / deviation[:, None]
        return found

    def _frames(self, branch: str, states: Array) -> Array:
        """What the decoder reads of a branch: a summary, if there is one, and stacks of frames."""
        centred = states - states.mean(-1, keepdims=True)
        normed = centred / np.sqrt(np.mean(centred**2, -1, keepdims=True) + 1e-5)  # LayerNorm
        mix = _softmax(self._weights[f"blocks.{branch}.layers"])
        mixed = np.einsum("d,dfw->fw", mix, normed)
        encode = f"blocks.{branch}.compress"
        stochastic = f"{encode}.encode.0.weight" in self._weights
        z = self._perceptron(f"{encode}.encode" if stochastic else encode, mixed)
        mu = z[:, : z.shape[1] // 2] if stochastic else z
        stacked = np.pad(mu, ((0, -len(mu) % self._shape.stack), (0, 0)))
        stacked = stacked.reshape(-1, self._shape.stack * mu.shape[1])
        read = self._perceptron(f"adapters.{branch}.project", stacked)
        if f"adapters.{branch}.attend.0.weight" not in self._weights:
            return read
        shares = _softmax(self._perceptron(f"adapters.{branch}.attend", mu, bend=np.tanh).T).T
        mean = (shares * mu).sum(0)
        deviation = np.sqrt((shares * (mu - mean) ** 2).sum(0) + 1e-5)
        moments = np.concatenate([mean, deviation])[None]
        return np.vstack([self._perceptron(f"adapters.{branch}.sum_up", moments), read])

    def _perceptron(self, name: str, x: Array, *, bend: Callable[[Array], Array] = _gelu) -> Array:
        for layer in (0, 2):
            weight, bias = (self._weights[f"{name}.{layer}.{part}"] for part in ("weight", "bias"))
            x = x @ weight.T + bias
            if layer == 0:
                x = bend(x)
        return x

    def _said(self, text: str) -> Array:
        return self._read(self._tokens.tokens(text))

    def _read(self, tokens: Sequence[int]) -> Array:
        found: Array = self._decoder.embedding[list(tokens)]
        return found

    def _options(self, wanted: Sequence[Slot], number: int) -> list[list[int]]:
        """Tokens of each candidate of a slot, and of what follows it: a lead, or the end."""
        more = wanted[number + 1 : number + 2]
        after = self._tokens.tokens(more[0].lead) if more else [self._shape.end]
        return [self._tokens.tokens(f" {word}") + after for word in wanted[number].spoken]


def _rotated(x: Array, cosine: Array, sine: Array) -> Any:
    """Rotary position embedding (Su et al. 2021, arXiv 2104.09864) of x (heads, tokens, width)."""
    first, second = np.split(x, 2, axis=-1)
    return x * cosine + np.concatenate([-second, first], -1) * sine


def _softmax(x: NDArray[np.floating]) -> Array:
    """Over the last axis."""
    powers = np.exp(x - x.max(-1, keepdims=True))
    found: Array = powers / powers.sum(-1, keepdims=True)
    return found
