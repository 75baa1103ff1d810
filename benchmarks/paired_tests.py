"""How often do two systems that are equally good differ, by the percentiles of draws and by t?

    .venv/bin/python benchmarks/paired_tests.py

Each system has speakers of its own that suit it; 20 clips a speaker, UAR of 4 labels.
"""

from __future__ import annotations

import numpy as np

from voxplain.training.metrics.uar import unweighted_average_recall
from voxplain.training.statistics import Bootstrap, bootstrap, difference

SPEAKERS = (4, 6, 10, 24, 91)
ROUNDS, DRAWS, CLIPS, LABELS = 400, 400, 20, 4


def systems(speakers: int, random: np.random.Generator) -> list[Bootstrap]:
    """Two systems that find each clip of a speaker with a chance drawn anew."""
    owner = np.repeat(np.arange(speakers), CLIPS)
    truth = random.integers(0, LABELS, len(owner))
    found = []
    for _ in range(2):
        right = random.random(len(owner)) < random.uniform(0.3, 0.9, speakers)[owner]
        told = np.where(right, truth, (truth + random.integers(1, LABELS, len(truth))) % LABELS)
        drawn = bootstrap(
            unweighted_average_recall, truth, told, speakers=owner.astype(str), draws=DRAWS
        )
        found.append(drawn)
    return found


def percentile_p(one: Bootstrap, other: Bootstrap) -> float:
    """Twice the share of draws on the other side of 0, the draws' own figure counted among them."""
    draws = one.draws - other.draws
    least = min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0))
    return 2 * (least + 1) / (DRAWS + 1)


def main() -> None:
    """Print the table."""
    print("| speakers | percentiles | t, as `difference` |\n|---|---|---|")
    for speakers in SPEAKERS:
        random = np.random.default_rng(speakers)
        pairs = [systems(speakers, random) for _ in range(ROUNDS)]
        percentile = np.mean([percentile_p(*pair) <= 0.05 for pair in pairs])
        student = np.mean([difference(*pair).p <= 0.05 for pair in pairs])
        print(f"| {speakers} | {percentile:.3f} | {student:.3f} |", flush=True)


if __name__ == "__main__":
    main()
