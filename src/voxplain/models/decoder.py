"""The LLM that speaks: a small one made from scratch, or any causal LM of Hugging Face."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from voxplain.backbones._encoder import quiet
from voxplain.errors import ConfigError, UnknownName
from voxplain.llms.local import causal_lm
from voxplain.models.bottleneck import Adapter, Block
from voxplain.plugins import require

__all__ = ["GPUS", "SIZES", "Decoder", "Memory", "Size", "build", "load", "memory"]

Size = Literal["0.5M", "2M", "10M"]
"""Parameters."""

SIZES: dict[str, dict[str, int]] = {
    "0.5M": {"hidden_size": 96, "intermediate_size": 224, "num_hidden_layers": 4},
    "2M": {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4},
    "10M": {"hidden_size": 384, "intermediate_size": 896, "num_hidden_layers": 6},
}
"""Options of ``LlamaConfig``."""

_VOCABULARY = 1024  # tokens at most: the words of a small corpus, and all bytes for the rest
_HEADS = 4
_LONGEST = 2048  # tokens, with the frames that are heard

GPUS = {
    "RTX 3060 (12 GiB)": 12,
    "T4 (16 GiB)": 16,
    "RTX 4090 (24 GiB)": 24,
    "RTX 5090 (32 GiB)": 32,
    "A100 (40 GiB)": 40,
    "L40S (48 GiB)": 48,
    "H100 (80 GiB)": 80,
    "H200 (141 GiB)": 141,
}
"""Common ones, the smallest first -> GiB."""

_USABLE = 0.9  # of a GPU's memory; the rest is CUDA's own, and what lies between tensors
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_NF4 = (4 + 0.127) / 8  # bytes of a weight, with its share of the doubly quantised constants


class Decoder(NamedTuple):
    """A causal language model and what cuts texts into its tokens."""

    tokenizer: Any
    llm: Any


def build(texts: Iterable[str], *, size: Size) -> Decoder:
    """An untrained decoder of the LLaMA architecture, whose tokenizer is learned from the texts.

    Weights are drawn from torch's generator. Keep it with ``save_pretrained`` of both.

    Raises ConfigError without texts, UnknownName for a size.
    """
    if size not in SIZES:
        raise UnknownName("size", size, SIZES)
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise ConfigError("there are no texts to learn a tokenizer from; give those of training")
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # nothing is unknown
        show_progress=False,
    )
    tokens.train_from_iterator(texts, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokens, **special)
    config = transformers.LlamaConfig(
        **SIZES[size],
        vocab_size=len(tokenizer),
        num_attention_heads=_HEADS,
        max_position_embeddings=_LONGEST,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Decoder(tokenizer, transformers.LlamaForCausalLM(config))


def load(
    name: str | Path, *, lora: Mapping[str, Any] | None = None, four_bit: bool = False
) -> Decoder:
    """A model folder, or a hub id that was fetched before, in its own precision.

    With ``lora``, options of ``peft.LoraConfig``, its weights are frozen and low-rank ones are
    learned beside those of the attention (Hu et al. 2022). ``four_bit`` is NF4 with double
    quantisation (QLoRA, Dettmers et al. 2023), on a GPU alone.

    Raises MissingExtra, WeightsMissing, ConfigError for options that can't be followed, or
    ArtifactError for a model that can't be run.
    """
    quantised = {"quantization_config": _nf4(), "device_map": {"": 0}} if four_bit else {}
    with quiet(transformers):
        tokenizer, llm = causal_lm(name, **quantised)
    return Decoder(tokenizer, llm if lora is None else _with_lora(llm, lora))


@dataclass(frozen=True, slots=True)
class Memory:
    """What training takes, in bytes."""

    weights: int
    """Of the encoder (float32), the LLM (bfloat16, or 4 bits) and the network between them."""
    lora: int
    """Weights of the low-rank matrices, beside these."""
    gradients: int
    optimiser: int
    """Two moments of each learned weight (AdamW)."""
    activations: int
    """What is kept from the forward pass of a batch for the backward one."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.lora + self.gradients + self.optimiser + self.activations

    @property
    def gpu(self) -> str:
        """The smallest of ``GPUS`` that it fits into, with a tenth to spare; empty without one."""
        fitting = (name for name, size in GPUS.items() if self.total <= _USABLE * size * 2**30)
        return next(fitting, "")


def memory(
    llm: Any,
    encoder: Any,
    *,
    lora: Mapping[str, Any] | None = None,
    four_bit: bool = False,
    latent: int = 128,
    hidden: int = 256,
    stack: int = 5,
    batch: int = 1,
    frames: int = 500,
    tokens: int = 128,
) -> Memory:
    """What a mini-batch of sed takes, from a dry run on tensors without data.

    ``llm`` and ``encoder`` are configurations of transformers; ``lora``, ``four_bit`` and the
    sizes are those of ``load`` and ``VibSed``. Each clip of the batch has so many ``frames`` (500
    are 10 s of HuBERT), and instruction and target so many ``tokens``. Attention is written out
    in full, so that a kernel that fuses it takes less.

    Raises ConfigError for LoRA that doesn't fit the LLM.
    """
    depth, width = encoder.num_hidden_layers + 1, encoder.hidden_size
    with torch.device("meta"):
        frozen = transformers.AutoModel.from_config(encoder)
        speaker = transformers.AutoModelForCausalLM.from_config(llm, dtype=torch.bfloat16)
        embedding = speaker.get_input_embeddings()
        linear = [one for one in speaker.modules() if isinstance(one, nn.Linear)]
        quantised = [one.weight for one in linear if one is not speaker.get_output_embeddings()]
        plain = _bytes(speaker.parameters())
        if four_bit:
            plain += math.ceil(sum(_NF4 * w.numel() - _bytes([w]) for w in quantised))
        if lora is not None:
            speaker = _with_lora(speaker, lora)
        blocks = nn.ModuleList(Block(depth, width, latent, hidden=hidden) for _ in range(2))
        adapters = nn.ModuleList(Adapter(latent, stack, embedding.embedding_dim) for _ in range(2))
        states = torch.empty(depth, batch, frames, width)
        mask = torch.ones(batch, frames, dtype=torch.bool)
        written = torch.zeros(batch, tokens, dtype=torch.long)
    network = nn.ModuleList([speaker, blocks, adapters])
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        heard = []
        for block, adapter, learns in zip(blocks, adapters, (False, True), strict=True):
            with torch.set_grad_enabled(learns):
                heard.append(adapter(block(states).z, mask)[0].to(torch.bfloat16))
        given = torch.cat([*heard, embedding(written)], 1)
        # In full, as no mask can be made where there are no values to look at.
        seen = given.new_ones(batch, 1, given.shape[1], given.shape[1], dtype=torch.bool)
        logits = speaker(inputs_embeds=given, attention_mask=seen, use_cache=False).logits
        told = logits[:, -tokens:].float().flatten(0, 1)
        loss = functional.cross_entropy(told, written.flatten())
    for weight in network.parameters():
        kept.pop(weight.untyped_storage()._cdata, None)
    del loss
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    own = _bytes(blocks.parameters()) + _bytes(adapters.parameters())
    return Memory(
        weights=plain + own + _bytes(frozen.parameters()),
        lora=0 if lora is None else _bytes(learned) - own,
        gradients=_bytes(learned),
        optimiser=2 * _bytes(learned),
        activations=sum(kept.values()),
    )


def _with_lora(llm: Any, lora: Mapping[str, Any]) -> Any:
    peft = require("peft", extra="train")
    options = {"target_modules": list(_ATTENTION), **lora}
    try:
        llm.add_adapter(peft.LoraConfig(**options))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"LoRA can't be put in with {dict(lora)}: {_first_line(error)}; give options of "
            "peft.LoraConfig, and as target_modules layers that the LLM has"
        ) from error
    for weight in llm.parameters():
        if weight.requires_grad:  # steps of a small rate are lost in bfloat16
            weight.data = weight.data.float()
    return llm


def _nf4() -> Any:
    if not torch.cuda.is_available():
        raise ConfigError("four_bit needs a CUDA GPU, and there is none; leave it out")
    require("bitsandbytes", extra="four-bit")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(one.numel() * one.element_size() for one in tensors)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
