"""Are words found where they are spoken, and is the wrong transcript noticed?

    python benchmarks/alignment.py --root cremad=DIR --root ravdess=DIR --root emodb=DIR
        --alignments DIR [--clips 1600] [--heard 300]

EMO-DB: the starts of syllables, aligned by English sounds (assets/pronunciation/german.yaml),
beside the hand-made labels of ``--alignments`` (silb), which also say which ones are spoken.

All corpora, of ``--clips`` recordings evenly drawn: how many align, and what happens to the text of
another recording: of the same corpus (RAVDESS has two sentences, alike but for two words), or of
another one. And of ``--heard`` of the English ones, how well pocketsphinx recognises the words by
itself. The speakers of CREMA-D and EMO-DB are every second one; nothing was tuned on these, nor on
RAVDESS.

    python benchmarks/alignment.py --root cremad=DIR --root emodb=DIR --fit

prints what the aligner's confidence is made of, from the other speakers: a logistic regression on
words of the true text and of another sentence, in clean recordings and in pink noise 20 and 10 dB
below the voice; and what share of true and other texts lies below each threshold.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from voxplain.audio import read
from voxplain.cli.train import roots
from voxplain.errors import TextError
from voxplain.plugins import find
from voxplain.text.aligners.pocketsphinx import CALIBRATION
from voxplain.text.alignment import UNLIKELY, align
from voxplain.text.transcribers import choose
from voxplain.training.sounds import colour
from voxplain.types import Audio, Transcript, Word

TEXTS = {
    "cremad": {
        "IEO": "It's eleven o'clock",
        "TIE": "That is exactly what happened",
        "IOM": "I'm on my way to the meeting",
        "IWW": "I wonder what this is about",
        "TAI": "The airplane is almost full",
        "MTI": "Maybe tomorrow it will be cold",
        "IWL": "I would like a new alarm clock",
        "ITH": "I think I have a doctor's appointment",
        "DFA": "Don't forget a jacket",
        "ITS": "I think I've seen this before",
        "TSI": "The surface is slick",
        "WSI": "We'll stop in a couple of minutes",
    },
    "ravdess": {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"},
    "emodb": {
        "a01": "Der Lappen liegt auf dem Eisschrank.",
        "a02": "Das will sie am Mittwoch abgeben.",
        "a04": "Heute abend könnte ich es ihm sagen.",
        "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
        "a07": "In sieben Stunden wird es soweit sein.",
        "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
        "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
        "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
        "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
        "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
    },
}
OTHER = {"cremad": "ravdess", "ravdess": "cremad", "emodb": "cremad"}
TUNED = {"cremad": 600, "emodb": 150}  # recordings to fit on
NOISES = (math.inf, 20.0, 10.0)  # dB below the voice
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording and what is said in it."""

    path: Path
    corpus: str
    text: str

    @property
    def language(self) -> str:
        """Of the corpus."""
        return "de" if self.corpus == "emodb" else "en"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", action="append", required=True, metavar="CORPUS=DIR")
    parser.add_argument("--alignments", type=Path)
    parser.add_argument("--clips", type=int, default=1600)
    parser.add_argument("--heard", type=int, default=300)
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    folders = roots(arguments)
    if arguments.fit:
        for corpus, count in TUNED.items():
            fit(evenly(clips(folders[corpus], corpus, held_out=False), count))
        return
    if arguments.alignments:
        syllables(folders["emodb"], arguments.alignments / "silb")
    chosen = [clip for name in TEXTS for clip in clips(folders[name], name, held_out=True)]
    chosen = evenly(chosen, arguments.clips)
    transcripts(chosen)
    recognition(evenly([c for c in chosen if c.language == "en"], arguments.heard))


def clips(folder: Path, corpus: str, *, held_out: bool) -> list[Clip]:
    """The recordings of a corpus: of every second speaker where something was tuned."""
    utterances = find("corpora", corpus).read(folder)
    speakers = sorted({utterance.speaker for utterance in utterances})
    if corpus in TUNED:
        speakers = speakers[held_out::2]
    return [
        Clip(one.path, corpus, TEXTS[corpus][one.sentence])
        for one in utterances
        if one.speaker in speakers
    ]


def evenly(chosen: Sequence[Clip], count: int) -> list[Clip]:
    """So many of them, from all parts of the list."""
    places = np.linspace(0, len(chosen) - 1, min(count, len(chosen))).astype(int)
    return [chosen[place] for place in places]


def others(clip: Clip, draw: np.random.Generator) -> dict[str, str]:
    """A sentence that the recording does not hold, by where it is from."""
    same = [text for text in TEXTS[clip.corpus].values() if text != clip.text]
    strange = list(TEXTS[OTHER[clip.corpus]].values())
    return {"same corpus": str(draw.choice(same)), "other corpus": str(draw.choice(strange))}


def noisy(audio: Audio, snr_db: float) -> Audio:
    """Pink noise under the voice."""
    if math.isinf(snr_db):
        return audio
    noise = colour(len(audio.waveform), np.random.default_rng(0), tilt=1.0)
    loud = np.abs(audio.waveform) > 0.1 * np.abs(audio.waveform).max()  # somebody speaks
    level = np.sqrt(np.mean(audio.waveform[loud] ** 2)) * 10 ** (-snr_db / 20)
    worse = audio.waveform + level * noise
    return Audio(worse.astype(np.float32), audio.sampling_rate, audio.source)


def fit(chosen: Sequence[Clip]) -> None:
    """Print slope and middle, and what a threshold would do."""
    draw = np.random.default_rng(0)
    slope, middle = CALIBRATION[chosen[0].language]
    scores: list[float] = []
    true: list[bool] = []
    whole: dict[tuple[float, bool], list[list[float]]] = {}
    for clip, snr_db in zip(chosen, itertools.cycle(NOISES)):
        audio = noisy(read.read(clip.path), snr_db)
        for right, text in ((True, clip.text), (False, others(clip, draw)["same corpus"])):
            chances = [w.confidence for w in aligned(clip, audio, text).words]
            if not all(chances):
                continue  # no path, or too many words for so short a time
            own = [math.log(p / (1 - p)) / slope + middle for p in chances]  # the chance undone
            whole.setdefault((snr_db, right), []).append(own)
            scores += own
            true += [right] * len(own)
    spread = float(np.std(scores))
    model = LogisticRegression(C=1e6).fit(np.array(scores)[:, None] / spread, true)
    slope = float(model.coef_[0, 0]) / spread
    middle = -float(model.intercept_[0]) / slope
    print(f"{chosen[0].corpus}: slope {slope:.0f}, middle {middle:.5f}\n")
    print(
        "| below | " + " | ".join(f"{s:g} dB {'true' if r else 'other'}" for s, r in whole) + " |"
    )
    print("|---" * (1 + len(whole)) + "|")
    for threshold in THRESHOLDS:
        shares = (
            np.mean(
                [np.mean(1 / (1 + np.exp(-slope * (np.array(s) - middle)))) < threshold for s in w]
            )
            for w in whole.values()
        )
        print(f"| {threshold} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


def aligned(clip: Clip, audio: Audio, text: str) -> Transcript:
    """The text in the recording; words with no confidence where they don't fit in."""
    try:
        return align(audio, text, language=clip.language)
    except TextError:
        words = tuple(Word(word, math.nan, math.nan, 0.0) for word in text.split())
        return Transcript(text, words, clip.language, "", 0.0)


def syllables(emodb: Path, labels: Path) -> None:
    """Starts of syllables beside hand-made ones."""
    errors: dict[str, list[float]] = {}
    counted, lost = 0, 0
    for file in sorted(labels.glob("*.silb")):
        path = next(emodb.rglob(f"{file.stem}.flac"), None)
        marks = list(spoken(file))
        if path is None or len(marks) < 2:
            continue
        counted += 1
        text = " ".join(syllable for _, syllable in marks[:-1])  # the last mark ends the last one
        found = align(read.read(path), text, language="de")
        if math.isnan(found.words[0].start):
            lost += 1
            continue
        errors.setdefault(file.stem[:2], []).extend(
            word.start - start for word, (start, _) in zip(found.words, marks, strict=False)
        )
    off = np.abs(np.concatenate(list(errors.values())))
    bias = np.median(np.concatenate(list(errors.values())))
    worst = max(float(np.median(np.abs(one))) for one in errors.values())
    print(
        "| EMO-DB, syllables | recordings | not aligned | starts | median | 90 % | ",
        end="",
    )
    print("within 50 ms | bias | worst speaker's median |\n|---|---|---|---|---|---|---|---|---|")
    print(
        f"| ms | {counted} | {lost} | {len(off)} | {1000 * np.median(off):.0f} | "
        f"{1000 * np.percentile(off, 90):.0f} | {np.mean(off <= 0.05):.3f} | {1000 * bias:+.0f} | "
        f"{1000 * worst:.0f} |\n"
    )


def spoken(file: Path) -> Iterator[tuple[float, str]]:
    """Start (s) and text of each syllable; pauses and remarks in brackets are left out."""
    for start, *text in csv.reader(
        (" ".join(line.split()) for line in file.read_text("latin-1").splitlines()), delimiter=" "
    ):
        label = "".join(text)
        if label == "." or label.isalpha():
            yield float(start), label


def transcripts(chosen: Sequence[Clip]) -> None:
    """How many align, and how well the text of another recording is told from the true one."""
    draw = np.random.default_rng(0)
    print("| | clips | aligned | true warned of | AUC same corpus | missed | AUC other | missed |")
    print("|---|---|---|---|---|---|---|---|")
    for corpus in TEXTS:
        own = [clip for clip in chosen if clip.corpus == corpus]
        true, wrong = [], {"same corpus": [], "other corpus": []}
        for clip in own:
            audio = read.read(clip.path)
            true.append(aligned(clip, audio, clip.text))
            for where, text in others(clip, draw).items():
                wrong[where].append(aligned(clip, audio, text))
        there = [not math.isnan(one.words[0].start) for one in true]
        cells = [f"{np.mean(there):.4f}", f"{np.mean(sure(true) < UNLIKELY):.4f}"]
        for told in wrong.values():
            cells += [
                f"{auc(sure(true), sure(told)):.4f}",
                f"{np.mean(sure(told) >= UNLIKELY):.4f}",
            ]
        print(f"| {corpus} | {len(own)} | " + " | ".join(cells) + " |")


def sure(found: Sequence[Transcript]) -> NDArray[np.float64]:
    """Confidences."""
    return np.array([one.confidence for one in found])


def auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Chance that one of the positives scores above one of the negatives."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    least = len(positive) * (len(positive) + 1) / 2
    return float((ranks.sum() - least) / (len(positive) * len(negative)))


def recognition(chosen: Sequence[Clip]) -> None:
    """Word errors, time, and what the confidence of the recogniser is worth."""
    transcribe, _ = choose("pocketsphinx")
    print(
        "\n| pocketsphinx | clips | word errors | times real time | right where its confidence is ",
        end="",
    )
    print("below 0.5 | 0.5-0.9 | above |\n|---|---|---|---|---|---|---|")
    for corpus in ("cremad", "ravdess"):
        own = [clip for clip in chosen if clip.corpus == corpus]
        edits, words, seconds, took = 0, 0, 0.0, 0.0
        confidences: list[float] = []
        right: list[bool] = []
        for clip in own:
            audio = read.read(clip.path)
            began = time.process_time()
            told = transcribe(audio)
            took += time.process_time() - began
            seconds += audio.duration
            said = clip.text.lower().split()
            edits += distance(said, [word.text for word in told.words])
            words += len(said)
            confidences += [word.confidence for word in told.words]
            right += [word.text in said for word in told.words]
        bins = np.digitize(confidences, (0.5, 0.9))
        shares = (
            f"{np.mean(np.array(right)[bins == n]):.2f} ({np.sum(bins == n)})" for n in range(3)
        )
        rates = f"{edits / words:.3f} | {took / seconds:.2f}"
        print(f"| {corpus} | {len(own)} | {rates} | " + " | ".join(shares) + " |")


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Words to change, drop or add."""
    row = list(range(len(other) + 1))
    for n, left in enumerate(one, 1):
        above, row = row, [n]
        for m, right in enumerate(other, 1):
            row.append(min(above[m] + 1, row[-1] + 1, above[m - 1] + (left != right)))
    return row[-1]


if __name__ == "__main__":
    main()
