"""What every trainable encoder must keep to, and random checkpoints small enough to try it on.

The checks raise AssertionError: ``for check in CHECKS: check(backbone, folder)``, where the
backbone is a module of the kind ``backbones`` and the folder holds a checkpoint that it reads.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from voxplain.backbones import Card
from voxplain.plugins import require

__all__ = ["CHECKS", "tiny_checkpoint"]

_LAYERS = 3
_TRANSFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": _LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_WAV2VEC = {
    **_TRANSFORMER,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
_WHISPER = {
    "d_model": 16,
    "vocab_size": 60,
    **{f"{side}_layers": _LAYERS for side in ("encoder", "decoder")},
    **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
    **{f"{side}_ffn_dim": 32 for side in ("encoder", "decoder")},
    **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"), 1),
}
_SIZES: dict[str, dict[str, Any]] = {
    "whisper": _WHISPER,
    "wav2vec2-bert": {**_TRANSFORMER, "feature_projection_input_dim": 160},
}


def tiny_checkpoint(
    folder: Path, model_type: str, *, normalised: bool = True, **changes: Any
) -> Path:
    """Write the checkpoint of a random network of transformers: a few thousand weights.

    ``normalised`` is whether its input is to have zero mean and unit variance, ``changes`` are of
    its configuration. Without any it is always the same.
    """
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    sizes = {**_SIZES.get(model_type, _WAV2VEC), **changes}
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = transformers.AutoModel.from_config(config)
        for parameter in network.parameters():  # larger than at birth, so that mistakes show
            parameter.data += 0.2 * torch.randn_like(parameter)
    network.save_pretrained(folder)
    if model_type == "whisper":
        prepare = transformers.WhisperFeatureExtractor(feature_size=config.num_mel_bins)
    elif model_type == "wav2vec2-bert":
        prepare = transformers.SeamlessM4TFeatureExtractor()
    else:
        prepare = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalised)
    prepare.save_pretrained(folder)
    return folder


def states_what_it_is(backbone: ModuleType, folder: Path) -> None:
    """Its CARD is complete, and so is the encoder that it loads."""
    assert isinstance(backbone.CARD, Card)
    assert backbone.CARD.trainable
    encoder = backbone.load(folder)
    assert encoder.name
    assert len(encoder.sha256) == 64
    assert 0.001 < encoder.frame_shift < 1, f"{encoder.frame_shift} s"


def follows_time(backbone: ModuleType, folder: Path) -> None:
    """States have the shape that is promised: a frame for every ``frame_shift``."""
    encoder, (short, long) = _loaded(backbone, folder), _noises()
    states, mask = _heard(encoder, [short, long])
    assert states.shape == (encoder.depth, 2, mask.shape[1], encoder.width)
    assert mask.dtype == require("torch", extra="train").bool
    for one, frames in zip((short, long), mask.sum(1).tolist(), strict=True):
        expected = len(one) / 16_000 / encoder.frame_shift
        assert abs(frames - expected) <= 2, f"{frames} frames, {expected:.1f} expected"


def hears_each_alone(backbone: ModuleType, folder: Path) -> None:
    """A recording is heard alike in any company, and after its end there is nothing."""
    encoder, noises = _loaded(backbone, folder), _noises()
    together, mask = _heard(encoder, noises)
    assert (together * ~mask[..., None]).abs().max() == 0
    for row, one in enumerate(noises):
        alone, own = _heard(encoder, [one])
        assert own.all()
        assert mask[row].sum() == own.shape[1]
        off = (together[:, row, mask[row]] - alone[:, 0]).abs().max() / alone.abs().max()
        assert off < 1e-4, f"recording {row} differs by {off:.1e}"


def keeps_the_first_layers(backbone: ModuleType, folder: Path) -> None:
    """A shortened encoder is the beginning of the whole one."""
    whole, short = _loaded(backbone, folder), backbone.load(folder, layers=1).eval()
    assert short.depth == 2 < whole.depth
    expected, found = (_heard(encoder, _noises())[0] for encoder in (whole, short))
    assert (found - expected[:2]).abs().max() < 1e-4


def can_be_trained(backbone: ModuleType, folder: Path) -> None:
    """What is made of the states reaches back to the weights, through every layer."""
    encoder = backbone.load(folder).train()
    states, _ = encoder(_noises())
    states[-1].square().mean().backward()
    reached = [weight for weight in encoder.parameters() if weight.grad is not None]
    assert len(reached) > encoder.depth
    assert all(weight.grad.isfinite().all() for weight in reached)


CHECKS = (
    states_what_it_is, follows_time, hears_each_alone, keeps_the_first_layers, can_be_trained,
)  # fmt: skip


def _loaded(backbone: ModuleType, folder: Path) -> Any:
    return backbone.load(folder).eval()


def _noises() -> list[Any]:
    """Half a second and 1.3 s, of an odd number of samples and with an offset."""
    torch = require("torch", extra="train")
    generator = torch.Generator().manual_seed(0)
    return [0.1 * torch.randn(n, generator=generator) + 0.02 for n in (8_000, 20_801)]


def _heard(encoder: Any, waveforms: list[Any]) -> Any:
    with require("torch", extra="train").inference_mode():
        return encoder(waveforms)
