"""VIB-Emo (Chen et al. 2025, arXiv 2505.23236): an LLM hears a voice and says how it sounds.

::

    states ─┬─ block: content ────── adapter ─┬─ LLM ── asr: the words
            └─ block: descriptors ── adapter ─┘        sed: "pitch high, ...: sounds angry"

A block mixes the layers of a speech encoder and passes them through a variational information
bottleneck (Alemi et al. 2017): mini-batches of both tasks alternate, each teaches its own block.
Details that the paper leaves open are ours to choose.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache, GenerationConfig

from voxplain.backbones._encoder import padded
from voxplain.errors import ConfigError
from voxplain.models.bottleneck import Adapter, Block, Club, Compression, Latent, kl
from voxplain.models.description import (
    SLOTS,
    Described,
    Description,
    Middle,
    Part,
    Slot,
    parsed,
    parts,
    slots,
    spoken,
)

__all__ = ["INSTRUCTIONS", "TASKS", "Losses", "Target", "Task", "VibSed"]

Task = Literal["asr", "sed"]
TASKS: tuple[Task, ...] = ("asr", "sed")
"""What is said (automatic speech recognition); how it is said (speech emotion descriptors)."""

INSTRUCTIONS = {
    "asr": "Write what is said:",
    "sed": "Say how it sounds:",
    "decide": "Say what this sounds like:",
}
"""Behind what is heard, or before a description that a verdict is read from."""


class Target(NamedTuple):
    """What an LLM should say of a clip."""

    description: Description
    unsure: frozenset[str] = frozenset()
    """Names of slots that are spoken, but don't count in the loss."""
    emotion: float = 1.0
    """What the emotion counts there; all other slots count 1."""


class Losses(NamedTuple):
    """Of a mini-batch; scalars."""

    cross_entropy: Tensor
    """Nats per token of the targets that counts."""
    kl: Tensor
    """Nats per frame, as ``kl`` has it; 0 without it."""
    mi: Tensor
    """Nats per frame that both latents share at most, as ``Club`` estimates it; 0 without it."""
    fit: Tensor
    """Nats per frame by which that estimate learns; moves no latent."""
    total: Tensor
    """cross_entropy + beta (kl + mi) + fit"""


class VibSed(nn.Module):
    """States of a speech encoder -> an LLM that writes what is said, or says how.

    Every clip is heard on its own: what is padded is masked. In training mode latents are drawn at
    random, otherwise their means are taken.
    """

    def __init__(
        self,
        llm: Any,
        tokenizer: Any,
        *,
        depth: int,
        width: int,
        latent: int = 128,
        hidden: int = 256,
        stack: int = 5,
        disentangled: bool = True,
        compression: Compression = "vib",
        free_bits: float = 0.0,
        dropout: float = 0.0,
        summary: bool = False,
        content_gradient: bool = False,
        concept: bool = False,
        usual: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """``llm`` is any causal LM of transformers, ``tokenizer`` its own (``models.decoder``).

        What of it requires a gradient is learned: put LoRA in before. States have ``depth`` layers
        of ``width``; their ``usual`` moments, mean and mean square (depth, width), normalise them,
        and ``dropout`` is of what the blocks read. ``summary`` is that of the adapters.
        Not ``disentangled``, one block and one adapter serve both tasks. With ``content_gradient``
        sed teaches the content branch too. With ``concept`` the emotion is decided by ``decide``,
        from the spoken descriptors alone (Koh et al. 2020, concept bottleneck).

        Raises ConfigError.
        """
        super().__init__()
        _check(llm, tokenizer, depth=depth, width=width, latent=latent, stack=stack)
        if compression == "mi" and not disentangled:
            raise ConfigError(
                "mi is what two latents share, and a network that is not disentangled has one; "
                "take the compression vib or none"
            )
        end = tokenizer.eos_token_id
        # Greedy, whatever sampling or penalty came with the LLM.
        llm.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=end, pad_token_id=end
        )
        self.llm, self.tokenizer = llm, tokenizer
        self._known: dict[str, list[int]] = {}
        self.content_gradient, self.concept, self.free_bits = content_gradient, concept, free_bits
        mean, square = usual or (torch.zeros(depth, width), torch.ones(depth, width))
        self.mean = nn.Buffer(mean.clone())
        self.deviation = nn.Buffer((square - mean**2).clamp_min(1e-6).sqrt())
        self.heard: dict[Task, tuple[str, ...]] = {
            "asr": ("content",) if disentangled else ("shared",),
            "sed": ("content", "descriptors") if disentangled else ("shared",),
        }
        """Branches in the prompt of a task; the last is its own."""
        self.blocks = nn.ModuleDict()
        self.adapters = nn.ModuleDict()
        for branch in self.heard["sed"]:
            self.blocks[branch] = Block(
                depth,
                width,
                latent,
                hidden=hidden,
                stochastic=compression == "vib",
                dropout=dropout,
            )
            self.adapters[branch] = Adapter(
                latent, stack, self._embedding.embedding_dim, summary=summary
            )
        self.club = Club(latent, hidden) if compression == "mi" else None

    def losses(
        self,
        states: Tensor,
        mask: Tensor,
        task: Task,
        targets: Sequence[str | Target],
        *,
        beta: float,
    ) -> Losses:
        """How far the LLM is from saying the targets, and what the latents cost.

        ``states`` (depth, batch, frames, width), ``mask`` (batch, frames) True where a frame is
        real. The targets of asr are transcripts, those of sed are ``Target``s.

        Raises ConfigError for states of another shape, a clip without frames, a target that says
        nothing, or more than the LLM can read.
        """
        states = self._normalised(states, mask)
        latents, prompts = self._prompts(states, mask, task)
        pairs = enumerate(zip(prompts, targets, strict=True))
        cross_entropy = self._cross_entropy(
            [row for number, pair in pairs for row in self._rows(number, *pair)]
        )
        kl_loss = mi = fit = torch.zeros_like(cross_entropy)
        own = latents[self.heard[task][-1]]
        if own.log_sigma is not None:
            kl_loss = kl(own.mu, own.log_sigma, mask, free_bits=self.free_bits)
        if self.club is not None:
            with torch.no_grad():  # the branch that is not in the prompt learns nothing
                rest = {name: self.blocks[name](states) for name in self.blocks.keys() - latents}
            both = latents | rest
            mi, fit = self.club(both["content"].z[mask], both["descriptors"].z[mask])
        return Losses(cross_entropy, kl_loss, mi, fit, cross_entropy + beta * (kl_loss + mi) + fit)

    def learned_by(self, task: Task) -> set[str]:
        """Names of the parameters that a mini-batch of the task updates; all others stay."""
        branches = self.heard[task] if self.content_gradient else self.heard[task][-1:]
        parts_of = [f"{part}.{name}." for part in ("blocks", "adapters") for name in branches]
        learning = (name for name, weight in self.named_parameters() if weight.requires_grad)
        return {name for name in learning if name.startswith(("llm.", "club.", *parts_of))}

    @torch.no_grad()
    def latents(self, states: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Means (batch, frames, latent) of ``content`` and ``descriptors``; 0 where padded.

        Not disentangled, those of ``shared``.
        """
        states = self._normalised(states, mask)
        return {name: block(states).mu * mask[..., None] for name, block in self.blocks.items()}

    def summarised(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Latent]:
        """What the LLM reads first of the branch of descriptors (batch, its width), and the latent.

        Raises ConfigError as ``losses``, and for a network without a ``summary``.
        """
        branch = self.heard["sed"][-1]
        adapter = self.adapters[branch]
        assert isinstance(adapter, Adapter)
        found = self.blocks[branch](self._normalised(states, mask))
        return adapter.summary(found.z, mask), found

    def summarising(self) -> nn.ModuleList:
        """What ``summarised`` is made by: the block of the descriptors, and a part of its adapter.

        Without a ``summary``, the block alone.
        """
        branch = self.heard["sed"][-1]
        adapter = self.adapters[branch]
        assert isinstance(adapter, Adapter)
        parts_of = (self.blocks[branch], adapter.attend, adapter.sum_up)
        return nn.ModuleList(part for part in parts_of if part is not None)

    @torch.inference_mode()
    def describe(
        self,
        states: Tensor,
        mask: Tensor,
        *,
        words: Sequence[Sequence[str]],
        labels: Sequence[str],
        taught: Collection[str] = SLOTS,
        middles: Mapping[str, Middle] = MappingProxyType({}),
    ) -> list[Described]:
        """How each clip sounds; ``words`` are those of its transcript, each may be stressed.

        Spoken are the slots that were ``taught``: of the others it would say anything. Slot by
        slot, every candidate is scored by its log-probability, and one goes on (``Slot.choice``);
        ``middles`` are those of attributes.

        Raises ConfigError as ``losses``.
        """
        if self.concept and not {*taught} - {"emotion"}:
            raise ConfigError("with concept the emotion needs descriptors; teach some")
        _, prompts = self._prompts(self._normalised(states, mask), mask, "sed")
        wanted = [slots(words=one, labels=labels, taught=taught, middles=middles) for one in words]
        if self.concept:
            wanted = [own[:-1] for own in wanted]
        found = [
            Described(parsed(text, labels=labels), probabilities)
            for text, probabilities in self._filled(prompts, wanted)
        ]
        if not self.concept:
            return found
        verdicts = self._decided([one.description for one in found], labels)
        return [
            Described(
                dataclasses.replace(one.description, label=max(verdict, key=verdict.__getitem__)),
                one.probabilities | {"emotion": verdict},
            )
            for one, verdict in zip(found, verdicts, strict=True)
        ]

    @torch.inference_mode()
    def decide(self, description: Description, *, labels: Sequence[str]) -> dict[str, float]:
        """Probability of each label, from the spoken text of the descriptors and nothing else.

        Raises ConfigError for a network without ``concept``, or a description without descriptors.
        """
        if not self.concept:
            raise ConfigError(
                "the network decides from what it hears; train one with concept to decide from "
                "descriptors"
            )
        if not parts(dataclasses.replace(description, label="")):
            raise ConfigError("there is no descriptor to decide from; describe the clip first")
        (verdict,) = self._decided([description], labels)
        return verdict

    @torch.inference_mode()
    def transcribe(self, states: Tensor, mask: Tensor, *, max_tokens: int = 64) -> list[str]:
        """What is said in each clip: greedy, and never more than ``max_tokens``.

        Raises ConfigError as ``losses``.
        """
        if max_tokens < 1:
            raise ConfigError(f"max_tokens is {max_tokens}; allow at least 1")
        _, prompts = self._prompts(self._normalised(states, mask), mask, "asr")
        self._refuse_long(max(map(len, prompts)) + max_tokens)
        given, real = _left(prompts)
        found = self.llm.generate(
            inputs_embeds=given, attention_mask=real.long(), max_new_tokens=max_tokens
        )
        texts = self.tokenizer.batch_decode(found, skip_special_tokens=True)
        return [text.strip() for text in texts]

    @property
    def _embedding(self) -> nn.Embedding:
        """What the LLM reads its tokens with."""
        found: nn.Embedding = self.llm.get_input_embeddings()
        return found

    def _normalised(self, states: Tensor, mask: Tensor) -> Tensor:
        """States as far from usual as they are; whatever can't be heard is refused."""
        depth, width = self.mean.shape
        if states.ndim != 4 or (states.shape[0], states.shape[-1]) != (depth, width):
            raise ConfigError(
                f"states are {tuple(states.shape)}, and ({depth}, batch, frames, {width}) are "
                "needed; an encoder that hides its layers gives one: take one that shows all, and "
                "make the network for its depth and width"
            )
        if mask.shape != states.shape[1:3] or mask.dtype != torch.bool:
            raise ConfigError(
                f"the mask is {tuple(mask.shape)} of {mask.dtype} for states "
                f"{tuple(states.shape)}; give (batch, frames) of bool"
            )
        empty = (~mask.any(1)).nonzero().flatten().tolist()
        if empty:
            raise ConfigError(f"clip {empty[0]} of the batch has 0 frames; leave it out")
        return (states - self.mean[:, None, None]) / self.deviation[:, None, None]

    def _prompts(
        self, states: Tensor, mask: Tensor, task: Task
    ) -> tuple[dict[str, Latent], list[Tensor]]:
        """Latents of the branches that are heard; of each clip what the LLM reads (n, its width).

        That is the sign of the beginning, the frames of each branch, and the instruction.
        """
        begin, instruction = self._read([self.tokenizer.bos_token_id]), self._said(task)
        latents: dict[str, Latent] = {}
        heard: list[list[Tensor]] = [[begin] for _ in mask]
        for name in self.heard[task]:
            learns = self.content_gradient or name == self.heard[task][-1]
            with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
                latents[name] = self.blocks[name](states)
                frames, real = self.adapters[name](latents[name].z, mask)
            for clip, one, there in zip(heard, frames.to(begin.dtype), real, strict=True):
                clip.append(one[there])
        return latents, [torch.cat([*clip, instruction]) for clip in heard]

    def _decision(self, text: str) -> Tensor:
        """The prompt that a verdict is read from: the text of the descriptors, and no sound."""
        begin = self._read([self.tokenizer.bos_token_id])
        return torch.cat([begin, self._said("decide"), self._read(self._tokens(f" {text}"))])

    def _said(self, instruction: str) -> Tensor:
        return self._read(self._tokens(INSTRUCTIONS[instruction]))

    def _tokens(self, text: str) -> list[int]:
        if text not in self._known:  # leads and words come again in every clip
            self._known[text] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._known[text]

    def _read(self, tokens: Sequence[int]) -> Tensor:
        """Tokens as the LLM reads them (n, its width)."""
        place = self._embedding.weight.device
        found: Tensor = self._embedding(torch.tensor(tokens, dtype=torch.long, device=place))
        return found

    def _rows(self, number: int, prompt: Tensor, target: str | Target) -> list[_Row]:
        """What is to be said of a clip; with ``concept``, the verdict on its own."""
        if isinstance(target, str):
            if not target.strip():
                raise ConfigError(f"target {number} of the batch has no transcript; leave it out")
            return [self._row(prompt, [(f" {target.strip()}", 1.0)])]
        filled = parts(target.description)
        heard = [part for part in filled if not (self.concept and part.name == "emotion")]
        if not heard:
            what = "nothing but a label" if filled else "nothing"
            raise ConfigError(f"target {number} of the batch says {what}; leave it out")
        rows = [self._row(prompt, _pieces(heard, target))]
        if len(heard) < len(filled):
            text = "".join(f"{part.lead} {part.word}" for part in heard)
            rows.append(self._row(self._decision(text), _pieces(filled[-1:], target)))
        return rows

    def _row(self, prompt: Tensor, pieces: Iterable[tuple[str, float]]) -> _Row:
        """A prompt, and pieces of text with what their tokens count, and the end."""
        tokens: list[int] = []
        counts: list[float] = []
        for text, count in pieces:
            piece = self._tokens(text)
            tokens += piece
            counts += [count] * len(piece)
        return _Row(prompt, [*tokens, self.tokenizer.eos_token_id], [*counts, 1.0])

    def _cross_entropy(self, rows: Sequence[_Row]) -> Tensor:
        """Mean over all tokens that count."""
        given = [torch.cat([row.prompt, self._read(row.tokens)]) for row in rows]
        self._refuse_long(max(map(len, given)))
        embedded, real = padded(given)
        logits = self.llm(
            inputs_embeds=embedded, attention_mask=real.long(), use_cache=False
        ).logits
        before = torch.zeros_like(real)  # each token is told by the state before it
        for told, row, one in zip(before, rows, given, strict=True):
            told[len(row.prompt) - 1 : len(one) - 1] = True
        chosen = logits[before].float()
        tokens = torch.tensor([t for row in rows for t in row.tokens], device=chosen.device)
        counts = torch.tensor([c for row in rows for c in row.counts], device=chosen.device)
        nats = functional.cross_entropy(chosen, tokens, reduction="none")
        return (nats * counts).sum() / counts.sum()

    def _decided(
        self, descriptions: Sequence[Description], labels: Sequence[str]
    ) -> list[dict[str, float]]:
        """Probability of each label, from the text of the descriptors and no sound."""
        texts = [spoken(dataclasses.replace(one, label="")) for one in descriptions]
        wanted = [slots(labels=labels)[-1:]] * len(texts)
        return [one["emotion"] for _, one in self._filled(map(self._decision, texts), wanted)]

    def _filled(
        self, prompts: Iterable[Tensor], wanted: Sequence[Sequence[Slot]]
    ) -> list[tuple[str, dict[str, dict[str, float]]]]:
        """The text of the chosen candidates one after the other, and the probability of each.

        Prompts have slots of the same names. A candidate counts with what has to follow it, so
        that none wins by being the beginning of another.
        """
        leads = [self._read(self._tokens(own[0].lead)) for own in wanted]
        given, real = _left([torch.cat(pair) for pair in zip(prompts, leads, strict=True)])
        number_of = range(len(wanted[0]))
        options = [[self._options(own, number) for number in number_of] for own in wanted]
        self._refuse_long(
            given.shape[1] + max(sum(len(max(o, key=len)) for o in own) for own in options)
        )
        cache, places = DynamicCache(), real.sum(1)
        last = self.llm(
            inputs_embeds=given,
            attention_mask=real.long(),
            position_ids=(real.cumsum(1) - 1).clamp_min(0),
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]
        texts = [""] * len(wanted)
        found: list[dict[str, dict[str, float]]] = [{} for _ in wanted]
        for number in number_of:
            counts = [len(own[number]) for own in options]
            rows = torch.arange(len(wanted), device=given.device).repeat_interleave(
                torch.tensor(counts, device=given.device)
            )
            tried = [option for own in options for option in own[number]]
            embedded, there = padded([self._read(option) for option in tried])
            cache.batch_select_indices(rows)
            real = torch.cat([real[rows], there], 1)
            logits = self.llm(
                inputs_embeds=embedded,
                attention_mask=real.long(),
                position_ids=places[rows, None] + torch.arange(there.shape[1], device=rows.device),
                past_key_values=cache,
                use_cache=True,
            ).logits
            chances = torch.cat([last[rows, None], logits], 1).float().log_softmax(-1)
            scores = torch.stack(
                [chances[n, range(len(one)), one].sum() for n, one in enumerate(tried)]
            )
            best, first = [], 0
            for row, own in enumerate(torch.split(scores, counts)):
                slot, shares = wanted[row][number], own.double().softmax(0).tolist()
                choice = slot.choice(shares)
                texts[row] += f"{slot.lead} {slot.spoken[choice]}"
                found[row][slot.name] = dict(zip(slot.candidates, shares, strict=True))
                best.append(first + choice)
                first += len(own)
            lengths = there[best].sum(1)
            cache.batch_select_indices(torch.tensor(best, device=rows.device))
            real, places, last = real[best], places + lengths, logits[best, lengths - 1]
        return list(zip(texts, found, strict=True))

    def _options(self, wanted: Sequence[Slot], number: int) -> list[list[int]]:
        """Tokens of each candidate of a slot, and of what follows it: a lead, or the end."""
        if number + 1 < len(wanted):
            after = self._tokens(wanted[number + 1].lead)
        else:
            after = [self.tokenizer.eos_token_id]
        return [self._tokens(f" {word}") + after for word in wanted[number].spoken]

    def _refuse_long(self, tokens: int) -> None:
        most = getattr(self.llm.config, "max_position_embeddings", None)
        if most is not None and tokens > most:
            raise ConfigError(
                f"the LLM reads at most {most} tokens, and this takes {tokens}; stack more frames, "
                "or cut the clip"
            )


class _Row(NamedTuple):
    """A prompt as the LLM reads it (n, its width), and what it should say."""

    prompt: Tensor
    tokens: list[int]
    counts: list[float]
    """What each token counts in the loss."""


def _pieces(filled: Sequence[Part], target: Target) -> Iterator[tuple[str, float]]:
    """Leads and words apart, as they are scored, with what they count."""
    for part in filled:
        count = target.emotion if part.name == "emotion" else 1.0
        for text in (part.lead, f" {part.word}"):
            yield text, 0.0 if part.name in target.unsure else count


def _left(prompts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Prompts (n, width) as (batch, longest, width), and their mask; all end at the same place."""
    given = pad_sequence(list(prompts), batch_first=True, padding_side="left")
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=given.device)
    return given, torch.arange(given.shape[1], 0, -1, device=given.device) <= lengths[:, None]


def _check(llm: Any, tokenizer: Any, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            hint = "; take an encoder that shows its layers" if name == "depth" else ""
            raise ConfigError(f"{name} is {size}; give at least 1{hint}")
    for name in ("bos", "eos"):
        if getattr(tokenizer, f"{name}_token_id") is None:
            raise ConfigError(
                f"the LLM has no {name} token, which says where a text "
                f"{'begins' if name == 'bos' else 'ends'}; set tokenizer.{name}_token"
            )
    there, needed = llm.get_input_embeddings().num_embeddings, len(tokenizer)
    if needed > there:
        raise ConfigError(
            f"the tokenizer has {needed} tokens and the LLM {there}; take both from one folder, or "
            "call llm.resize_token_embeddings"
        )
