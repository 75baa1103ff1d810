"""Encoders that are trained: what of them learns, and what they leave behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import save
from torch import nn

from voxplain import backbones
from voxplain.backbones._encoder import SpeechEncoder
from voxplain.errors import ConfigError
from voxplain.files import write
from voxplain.training.experiment.recipe import EncoderPlan

__all__ = ["deepest", "merge", "save_encoder", "trainable"]


def deepest(plan: EncoderPlan) -> int | None:
    """How many layers are needed; None: all."""
    return None if plan.layers is None else max(1, *plan.layers)


def trainable(plan: EncoderPlan) -> SpeechEncoder:
    """The encoder, with adapters where the recipe asks for them; what must not learn is frozen.

    Raises ConfigError for adapters or layers that it has no place for, and what ``backbones.load``
    raises.
    """
    encoder = backbones.load(plan.checkpoint, layers=deepest(plan))
    if plan.tune == "lora":
        encoder.requires_grad_(False)
        _adapt(encoder, plan)
    elif plan.freeze_front:
        front = [(name, one) for name, one in encoder.named_parameters() if ".layers." not in name]
        if len(front) == len(list(encoder.parameters())):
            raise ConfigError(
                f"encoder.freeze_front: {plan.checkpoint} has no part called 'layers' that the "
                "front could end at; set it to false"
            )
        for _, one in front:
            one.requires_grad_(False)
    return encoder


def _adapt(encoder: SpeechEncoder, plan: EncoderPlan) -> None:
    lora = plan.lora
    from peft import LoraConfig, inject_adapter_in_model  # slow to load, and seldom needed

    there = {
        name.rpartition(".")[2]
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear)
    }
    for name in lora.targets:
        if name not in there:
            raise ConfigError(
                f"encoder.lora.targets: {plan.checkpoint} has no linear layer called {name!r}; "
                f"there are {', '.join(sorted(there))}"
            )
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
    )
    inject_adapter_in_model(config, encoder)


def merge(encoder: SpeechEncoder) -> None:
    """Add what adapters learned to the weights that they adapt (Hu et al. 2021, section 4.1)."""
    from peft.tuners.lora import LoraLayer

    for module in encoder.modules():
        if isinstance(module, LoraLayer):
            module.merge()


def save_encoder(encoder: SpeechEncoder, folder: Path, *, checkpoint: str) -> None:
    """A checkpoint folder like the one that it came from, with the weights as they are now."""
    place = backbones.find_checkpoint(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    for file in place.glob("*config.json"):
        shutil.copyfile(file, folder / file.name)
    (network,) = encoder.children()  # transformers' own, or ours with the same names of weights
    weights = {
        name.replace(".base_layer", ""): one.cpu().contiguous().clone()
        for name, one in network.state_dict().items()
        if "lora_" not in name
    }
    write(folder / "model.safetensors", save(weights, metadata={"format": "pt"}))
