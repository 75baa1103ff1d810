"""What a seed is worth: the embedded model without its first fold, fitted with several seeds.

    python benchmarks/seeds.py recipes/embedded/speech.yaml --encoder whisper-tiny.en-encoder \
        --root cremad=DIR --root emodb=DIR

Prints UAR on the recordings of that fold for each seed, without and with the speakers' profiles.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch

from voxplain.cli.train import add_data, roots
from voxplain.config import load_recipe
from voxplain.training import targets
from voxplain.training.embedded import EmbeddedRecipe, fit_head, prepare
from voxplain.training.loop import tensors
from voxplain.training.metrics.uar import unweighted_average_recall

SEEDS = (0, 1, 2)
CLIPS = (0, 80)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--encoder", type=Path, required=True, metavar="DIR")
    add_data(parser)
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe, {"embedded": EmbeddedRecipe})
    with tempfile.TemporaryDirectory() as folder:
        heard, examples = prepare(
            recipe,
            roots=roots(arguments),
            encoder=arguments.encoder,
            place=Path(folder) / "encoder.onnx",
            cache=arguments.cache,
            jobs=arguments.jobs,
        )
    corpus = recipe.corpora[0]
    own = examples.folds[: len(heard.states)] == 0
    own &= np.array([one.corpus == corpus for one in heard.utterances])
    unseen = heard.some(np.flatnonzero(own))
    truth = targets.portrayed(unseen.utterances, recipe.labels)
    profiles = {clips: unseen.profiles(clips) for clips in CLIPS}
    print(f"{corpus}, fold 0: {len(truth)} recordings of {len(set(unseen.speakers))} speakers")
    for seed in SEEDS:
        head = fit_head(dataclasses.replace(recipe, seed=seed), examples.without(0))
        for clips, known in profiles.items():
            found = [
                head(torch.from_numpy(states).float()[None], *tensors([profile])).categories
                for states, profile in zip(unseen.states, known, strict=True)
            ]
            uar = unweighted_average_recall(truth, torch.cat(found).argmax(1).numpy())
            print(f"seed {seed}, {clips} clips of the speaker known: UAR {uar:.3f}", flush=True)


if __name__ == "__main__":
    main()
