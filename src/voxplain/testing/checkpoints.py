"""Tiny checkpoints of random weights, laid out as those on the Hugging Face hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voxplain.plugins import require

__all__ = ["HEADS", "TEXT_ENCODERS", "save_checkpoint", "save_text_encoder"]

_TRANSFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
_SMALL = {
    **_TRANSFORMER,
    "conv_dim": (8, 8, 8, 8, 8, 8, 8),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 8,
}
_WHISPER = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 24,
    "classifier_proj_size": 8,
}

HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "regression": ("Wav2Vec2", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
    "dense": ("Wav2Vec2", {}),
    "superb": ("Hubert", {"use_weighted_layer_sum": True}),
    "wavlm": ("WavLM", {"feat_extract_norm": "layer"}),
    "whisper": ("Whisper", {"use_weighted_layer_sum": True}),
}
"""Kind of head -> the encoder under it, and what its configuration is beside small: audEERING's
regression head, its copies for categories (whose last layer is called ``classifier.output``), and
the heads of transformers itself."""


def save_checkpoint(folder: Path, head: str, labels: Sequence[str], *, seed: int = 0) -> Any:
    """Write config.json, preprocessor_config.json and model.safetensors; the network of it.

    For regression and dense, of which transformers has no class, that is the encoder; the head is
    in the file alone.
    """
    torch, transformers = (require(name, extra="train") for name in ("torch", "transformers"))
    safetensors = require("safetensors.torch", extra="train")
    torch.manual_seed(seed)
    family, options = HEADS[head]
    own = head in ("regression", "dense")
    config = getattr(transformers, f"{family}Config")(
        **(_WHISPER if family == "Whisper" else _SMALL),
        **options,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    kind = "AudioClassification" if family == "Whisper" else "SequenceClassification"
    name = f"{family}Model" if own else f"{family}For{kind}"
    network = getattr(transformers, name)(config).eval()
    for parameter in network.parameters():  # larger than at birth, so that mistakes show
        parameter.data += 0.1 * torch.randn_like(parameter)
    tensors = {name: one.contiguous() for name, one in network.state_dict().items()}
    if own:
        last = "out_proj" if head == "regression" else "output"
        tensors = {f"wav2vec2.{name}": one for name, one in tensors.items()}
        for layer, rows in (("dense", config.hidden_size), (last, len(labels))):
            tensors[f"classifier.{layer}.weight"] = torch.randn(rows, config.hidden_size) / 4
            tensors[f"classifier.{layer}.bias"] = torch.randn(rows) / 4 + (head == "regression") / 2
    folder.mkdir(parents=True, exist_ok=True)
    plain = config.to_dict()
    if own:
        plain["architectures"] = ["Wav2Vec2ForSpeechClassification"]
    (folder / "config.json").write_text(json.dumps(plain, indent=2), encoding="utf-8")
    extractor = "WhisperFeatureExtractor" if family == "Whisper" else "Wav2Vec2FeatureExtractor"
    getattr(transformers, extractor)().save_pretrained(folder)
    safetensors.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return network


TEXT_ENCODERS = ("bert", "roberta")
"""Families of text encoders: by pieces of words, by bytes."""


def save_text_encoder(folder: Path, family: str = "bert", *, seed: int = 0) -> Path:
    """Write a random text encoder, 16 wide, with a tokeniser that splits words into characters."""
    torch, transformers = (require(name, extra="train") for name in ("torch", "transformers"))
    if family == "bert":
        letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"-…"
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        pieces = [*special, *letters, *(f"##{letter}" for letter in letters)]
        vocabulary = {piece: number for number, piece in enumerate(pieces)}
        tokeniser = transformers.BertTokenizer(vocab=vocabulary)
        options = {"max_position_embeddings": 512}
    else:
        pre_tokenizers = require("tokenizers.pre_tokenizers", extra="train")
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        pieces = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
        vocabulary = {piece: number for number, piece in enumerate(pieces)}
        tokeniser = transformers.RobertaTokenizer(vocab=vocabulary, merges=[])
        options = {"max_position_embeddings": 514, "pad_token_id": vocabulary["<pad>"]}
    sizes = {**_TRANSFORMER, **options, "vocab_size": len(vocabulary)}
    config = transformers.AutoConfig.for_model(family, **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = transformers.AutoModel.from_config(config)
        for parameter in network.parameters():  # larger than at birth, so that mistakes show
            parameter.data += 0.1 * torch.randn_like(parameter)
    network.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return folder
