"""Draw who tells of which clip, and what it stirred in them: design.csv, before a word is written.

    python recipes/semantic_roles/design.py > recipes/semantic_roles/design.csv

A narrator tells of six clips, one of each intended emotion, as in arXiv 2510.03060; which of the
four clips of an emotion is drawn. What a clip evokes is the intended emotion in six of ten cases
and any of the others in four. Valence and arousal (1 to 9) scatter around those of the evoked
emotion.
The texts follow the row: see README.md.
"""

import csv
import random
import sys

STIMULI = {
    "happy": ("wedding_dance", "puppy_bath", "reunion_at_airport", "grandpa_karaoke"),
    "sad": ("hospital_goodbye", "dog_at_grave", "empty_nursery", "last_letter"),
    "fear": ("cellar_stairs", "night_swimmer", "car_on_ice", "stranger_at_window"),
    "angry": ("eviction", "bully_on_bus", "rigged_trial", "beaten_horse"),
    "disgust": ("rotten_fridge", "infected_wound", "rat_kitchen", "eating_contest"),
    "neutral": ("bread_factory", "train_journey", "paper_folding", "canal_lock"),
}
EVOKED = {  # valence and arousal, 1 to 9
    "happy": (7.5, 6.0),
    "sad": (2.5, 3.5),
    "fear": (2.5, 7.5),
    "angry": (2.0, 7.0),
    "disgust": (2.5, 5.5),
    "neutral": (5.0, 2.5),
}
REGISTERS = {
    "train": (
        "plain", "chatty", "terse", "formal", "storyteller", "reflective", "blunt",
        "elderly", "teenage", "hesitant",
    ),
    "test": ("unpunctuated", "dialect", "second language", "ironic", "real-life event", "letter"),
}  # fmt: skip
NARRATORS = {"train": 70, "test": 18}


def rows(draw):
    """One account each."""
    for part, count in NARRATORS.items():
        for n in range(count):
            register = REGISTERS[part][n % len(REGISTERS[part])]
            for intended, clips in draw.sample(list(STIMULI.items()), len(STIMULI)):
                others = [label for label in EVOKED if label != intended]
                evoked = intended if draw.random() < 0.6 else draw.choice(others)
                valence, arousal = (
                    min(max(round(draw.gauss(mean, 1.0)), 1), 9) for mean in EVOKED[evoked]
                )
                yield {
                    "part": part,
                    "narrator": f"{part}{n:02d}",
                    "register": register,
                    "stimulus": draw.choice(clips),
                    "intended": intended,
                    "evoked": evoked,
                    "valence": valence,
                    "arousal": arousal,
                    "words": draw.choice((40, 60, 60, 80, 80, 110)),
                    "order": draw.choice(("first what happened", "first the feeling", "mixed")),
                    "balance": draw.choice(("mostly descriptive", "even", "mostly expressive")),
                }


if __name__ == "__main__":
    table = list(rows(random.Random(20251003)))
    writer = csv.DictWriter(sys.stdout, ["id", *table[0]], lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(table):
        writer.writerow({"id": f"a{number:03d}", **row})
