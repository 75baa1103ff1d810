"""How long foreign checkpoints take to judge, and to explain: random weights of usual sizes.

python benchmarks/checkpoints.py --clip tests/data/cremad_1089_tie_ang.opus
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
import transformers

import voxplain

LABELS = ["neu", "hap", "ang", "sad"]
NAMED = {"id2label": dict(enumerate(LABELS)), "label2id": {n: i for i, n in enumerate(LABELS)}}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
WIDE = {"intermediate_size": 4096, "feat_extract_norm": "layer", "do_stable_layer_norm": True}
WHISPER = {"d_model": 512, "encoder_layers": 6, "encoder_attention_heads": 8}
NETWORKS = {
    "HuBERT base": ("Hubert", {"use_weighted_layer_sum": True}),
    "wav2vec 2.0 large": ("Wav2Vec2", {**LARGE, **WIDE}),
    "Whisper base": ("Whisper", {**WHISPER, "encoder_ffn_dim": 2048, "decoder_layers": 1}),
}


def saved(folder, family, sizes):
    """A checkpoint of random weights; its parameters in millions."""
    heads = "ForAudioClassification" if family == "Whisper" else "ForSequenceClassification"
    config = getattr(transformers, f"{family}Config")(**sizes, **NAMED)
    network = getattr(transformers, family + heads)(config)
    network.save_pretrained(folder)
    front = "Whisper" if family == "Whisper" else "Wav2Vec2"
    getattr(transformers, f"{front}FeatureExtractor")().save_pretrained(folder)
    return sum(one.numel() for one in network.parameters()) / 1e6


def seconds(analyzer, clip, explain):
    """Of the processor, the second time."""
    for _ in range(2):
        began = time.process_time()
        analyzer.analyze(clip, explain=explain)
    return time.process_time() - began


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    clip = parser.parse_args().clip
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    print("| random weights of this size, one thread | judged | with `--explain quick` |")
    print("|---|---|---|")
    for name, (family, sizes) in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            millions = saved(folder, family, sizes)
            analyzer = voxplain.load(folder)
            judged, explained = (seconds(analyzer, clip, how) for how in (None, "quick"))
        print(f"| {name}, {millions:.0f} M | {judged:.1f} s | {explained:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
