"""Emphasis beside the stress marks of EMO-DB and the marked words of EmphAssess.

    python benchmarks/emphasis.py --root emodb=DIR --alignments DIR [--emphassess DIR]

``--alignments`` is the folder of EMO-DB's hand-made labels, ``--emphassess`` that of its test data
(df_test.json and ten recordings). Both are for evaluation only.

A stress mark is the digit 1, 2 or 3 behind a vowel in ``lablaut``. The folder does not say what
the digits mean; the ratings of the same syllables in ``labsilb`` (0 to 3) rise with them: 0.3 on
average without a mark, then 0.8, 1.5 and 2.1. Positive is a word, or a syllable, with a vowel
marked 2 or 3; negative is one with 1 or without a mark. The stricter reading takes 3 alone. Times
are those of ``silb``, so that only emphasis is tested, not the aligner. A syllable is scored like a
word.

"trained on the marks" is logistic regression over the features of the embedded model, each speaker
scored by a model of the other nine; so are "duration only" (duration, and duration by the number
of letters) and the other single cues. "which word it is" does not listen: it is how often the other
speakers were marked on that word of that sentence. "same word" compares only recordings of one word
of one sentence with each other; there that control, which lacks the very speaker, points backwards.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from voxplain import descriptors
from voxplain.audio import read
from voxplain.cli.train import roots
from voxplain.plugins import find
from voxplain.text.alignment import align
from voxplain.text.emphasis import CUES, cues, features, prominence
from voxplain.training.statistics import speaker_interval
from voxplain.types import Track, Word

SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Blatt Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
LOOKED_AT = ("emodb_03", "emodb_08", "emodb_09")  # while the model was made
GROUPS = {
    "duration only": ("duration", "lengthening"),
    "lengthening only": ("lengthening",),
    "F0 only": ("f0", "f0_range"),
    "energy only": ("intensity",),
}
DRAWS = 200
PENALTY = 0.1  # C of scikit-learn, as in the recipe


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording and its marks."""

    speaker: str
    words: tuple[Word, ...]
    marks: tuple[int, ...]
    """Of each word, 0 where there is none."""
    sentence: str
    tracks: dict[str, Track]

    @property
    def timed(self) -> list[int]:
        """The words that have a time."""
        return [row for row, word in enumerate(self.words) if word.end > word.start]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", action="append", required=True, metavar="CORPUS=DIR")
    parser.add_argument("--alignments", type=Path, required=True)
    parser.add_argument("--emphassess", type=Path)
    arguments = parser.parse_args()
    words, syllables, left_out = [], [], []
    for utterance in find("corpora", "emodb").read(roots(arguments)["emodb"]):
        labels = labelled(arguments.alignments, utterance.path.stem)
        if labels is None:
            left_out.append(utterance.path.stem)
            continue
        tracks = descriptors.tracks(read.read(utterance.path))
        told = SENTENCES[utterance.sentence]
        units = ((words, "w", _words(labels, told)), (syllables, "s", labels))
        for clips, level, (parts, marks) in units:
            # Syllables are spoken in other ways, and only the same ones are compared.
            sentence = told if level == "w" else " ".join(part.text for part in parts)
            clips.append(Clip(utterance.speaker, parts, marks, sentence, tracks))
    print(f"{len(words)} recordings; left out, without times or marks: {left_out}")
    for title, clips in (("words", words), ("syllables", syllables)):
        for least in (2, 3):
            table(title, clips, least)
    if arguments.emphassess:
        emphassess(arguments.emphassess)


def table(title: str, clips: Sequence[Clip], least: int) -> None:
    """Print the area under the curve of each method."""
    truth = np.concatenate([np.array(clip.marks)[clip.timed] >= least for clip in clips])
    speakers = np.repeat([clip.speaker for clip in clips], [len(clip.timed) for clip in clips])
    places = np.array([f"{clip.sentence} {row}" for clip in clips for row in clip.timed])
    unseen = ~np.isin(speakers, LOOKED_AT)
    print(f"\n{title}, marked {least} or more: {truth.mean():.1%} of {len(truth)}\n")
    print("| method | AUC, 10 speakers | 7 speakers not looked at | same word |")
    print("|---|---|---|---|")
    for name, scores in methods(clips, truth, speakers, places).items():
        intervals = [
            speaker_interval(auc, truth[rows], scores[rows], speakers=speakers[rows], draws=DRAWS)
            for rows in (np.ones(len(truth), bool), unseen)
        ]
        same = within(truth, scores, places)
        print(f"| {name} | {intervals[0]} | {intervals[1]} | {same:.3f} |", flush=True)


def methods(
    clips: Sequence[Clip],
    truth: NDArray[np.bool_],
    speakers: NDArray[np.str_],
    places: NDArray[np.str_],
) -> dict[str, NDArray[np.float64]]:
    """Method -> scores (words,)."""
    x = np.vstack(
        [features(cues([clip.words[row] for row in clip.timed], clip.tracks)) for clip in clips]
    )
    found = {"trained on the marks": _left_out(x, truth, speakers)}
    for method in ("embedded", "lemf"):
        scored = [prominence(clip.words, clip.tracks, method=method) for clip in clips]
        chances = [
            words[row].prominence for words, c in zip(scored, clips, strict=True) for row in c.timed
        ]
        found[method] = np.nan_to_num(np.array(chances), nan=float(np.nanmean(chances)))
    for name, group in GROUPS.items():
        columns = [place for place, cue in enumerate(CUES) if cue in group]
        both = [*columns, *(len(CUES) + place for place in columns)]
        found[name] = _left_out(x[:, both], truth, speakers)
    found["random"] = np.random.default_rng(0).random(len(truth))
    found["which word it is"] = _by_word(truth, speakers, places)
    return found


def _left_out(
    x: NDArray[np.float64], truth: NDArray[np.bool_], speakers: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Chances by models that did not learn from the speaker."""
    scores = np.zeros(len(truth))
    for speaker in np.unique(speakers):
        own = speakers == speaker
        model = LogisticRegression(C=PENALTY, max_iter=1000).fit(x[~own], truth[~own])
        scores[own] = model.predict_proba(x[own])[:, 1]
    return scores


def _by_word(
    truth: NDArray[np.bool_], speakers: NDArray[np.str_], places: NDArray[np.str_]
) -> NDArray[np.float64]:
    """How often the other speakers were marked on the same word."""
    _, speaker = np.unique(speakers, return_inverse=True)
    _, place = np.unique(places, return_inverse=True)
    counts = np.zeros((2, place.max() + 1, speaker.max() + 1))
    np.add.at(counts, (truth.astype(int), place, speaker), 1)
    others = counts.sum(axis=2, keepdims=True) - counts
    prior = truth.mean()
    share = (others[1] + prior) / (others.sum(axis=0) + 1)
    return share[place, speaker]


def auc(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Chance that a positive scores higher than a negative (Mann-Whitney U)."""
    positive = int(truth.sum())
    above = rankdata(scores)[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(truth) - positive)))


def within(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], places: NDArray[np.str_]
) -> float:
    """The same among pairs of one word of one sentence."""
    area, pairs = 0.0, 0
    for place in np.unique(places):
        rows = places == place
        count = int(truth[rows].sum() * (~truth[rows]).sum())
        if count:
            area += auc(truth[rows], scores[rows]) * count
            pairs += count
    return area / pairs


Units = tuple[tuple[Word, ...], tuple[int, ...]]
"""Words or syllables, and the mark of each."""


def labelled(folder: Path, stem: str) -> Units | None:
    """The syllables of a recording and their marks; None where nobody marked any."""
    spans, marks = folder / f"silb/{stem}.silb", folder / f"lablaut/{stem}xx.lablaut"
    if not (spans.exists() and marks.exists()):
        return None
    rows = list(_rows(spans))
    syllables = tuple(
        Word(text.strip(), start, end, 1.0)
        for (start, text), (end, _) in itertools.pairwise(rows)
        if text.strip() not in ("(", ".")
    )
    vowels = [(time, int(m[1])) for time, text in _rows(marks) if (m := _MARK.search(text))]
    if not (syllables and vowels):
        return None
    return syllables, tuple(_highest(vowels, s.start, s.end) for s in syllables)


_ROW = re.compile(r"^\s*([\d.]+)\s+(?:-1 )?(.*)$", re.MULTILINE)
_MARK = re.compile(r"\S\s(?:.*\s)?([123])\s*$")  # behind a phone; alone, 2 and 9 are vowels
_TOLERANCE = 0.005  # seconds between the borders of the two folders


def _rows(path: Path) -> Iterator[tuple[float, str]]:
    """Time and label, which begins there."""
    text = path.read_text("latin-1")
    for match in _ROW.finditer(text.partition("#\n")[2] or text):
        yield float(match[1]), match[2]


def _highest(vowels: Sequence[tuple[float, int]], start: float, end: float) -> int:
    inside = (
        mark for time, mark in vowels if -_TOLERANCE <= time - start < end - start - _TOLERANCE
    )
    return max(inside, default=0)


def _words(labels: Units, sentence: str) -> Units:
    """The words that the syllables make up: those whose spelling fits best, in their order.

    A word that was swallowed has no time.
    """
    syllables, marks = labels
    texts = sentence.split()
    spelled = [re.sub(r"\W", "", text).lower() for text in texts]

    @functools.cache
    def best(word: int, first: int) -> tuple[float, tuple[int, ...]]:
        """Cost from a word and a syllable on, and how many syllables each word takes."""
        if word == len(texts):
            return (0.0 if first == len(syllables) else math.inf), ()
        found = []
        for count in range(min(7, len(syllables) - first + 1)):
            heard = "".join(one.text for one in syllables[first : first + count]).lower()
            alike = SequenceMatcher(None, heard, spelled[word], autojunk=False).ratio()
            cost = (1 - alike) * max(len(heard), len(spelled[word]))
            later, counts = best(word + 1, first + count)
            found.append((cost + later, (count, *counts)))
        return min(found)

    words, highest, first = [], [], 0
    for text, count in zip(texts, best(0, 0)[1], strict=True):
        own = syllables[first : first + count]
        start, end = (own[0].start, own[-1].end) if own else (math.nan, math.nan)
        words.append(Word(text, start, end, 1.0))
        highest.append(max(marks[first : first + count], default=0))
        first += count
    return tuple(words), tuple(highest)


def emphassess(folder: Path) -> None:
    """Print where the marked word stands among the words of its recording."""
    print("\n| EmphAssess | marked | words | embedded | lemf | duration | F0 | energy |")
    print("|---|---|---|---|---|---|---|---|")
    first = np.zeros(5, int)
    lines = (folder / "df_test.json").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        # Punctuation stands alone in the list; here it belongs to the word before.
        tokens = row["src_sentence"]
        is_word = [any(c.isalnum() for c in token) for token in tokens]
        text = re.sub(r" (\W)", r"\1", " ".join(tokens))
        marked = sum(is_word[: row["gold_emphasis"][0]])
        audio = read.read(folder / f"{row['id']}.wav")
        words, tracks = align(audio, text).words, descriptors.tracks(audio)
        z = cues(words, tracks)
        columns = [
            *(
                [w.prominence for w in prominence(words, tracks, method=m)]
                for m in ("embedded", "lemf")
            ),
            *(z[name] for name in ("duration", "f0", "intensity")),
        ]
        ranks = [_rank(np.nan_to_num(np.array(one), nan=-math.inf), marked) for one in columns]
        first += np.array(ranks) == 1
        cells = (row["id"], words[marked].text, len(words), *ranks)
        print("|", " | ".join(map(str, cells)), "|")
    print("| ranked first | | |", " | ".join(map(str, first)), "|")


def _rank(scores: NDArray[np.float64], row: int) -> int:
    return 1 + int((scores > scores[row]).sum())


if __name__ == "__main__":
    main()
