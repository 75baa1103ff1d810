"""Train the model of emphasis, without anybody having marked an emphasis.

Two witnesses say how prominent a word should be: what is usually stressed in the word's text
(Helsinki Prosody Corpus), which has not heard the voice; and the wavelet analysis of pitch, force
and length (Suni et al. 2017), which does not know the word. The model learns their mean from the
cues of the sentence.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain import descriptors
from voxplain.audio import read
from voxplain.errors import ConfigError, CorpusNotFound, TextError
from voxplain.labels import CANONICAL
from voxplain.plugins import require
from voxplain.text.alignment import align
from voxplain.text.emphasis import CUES, cues, features
from voxplain.training.hearing import of_each, read_corpora
from voxplain.types import Track, Word

__all__ = ["EmphasisRecipe", "expectations", "fit", "train", "wavelet_prominence"]

log = logging.getLogger(__name__)

TRACKS = ("f0_hz", "intensity_db", "loudness", "alpha_ratio_db")
LABELS = ("dev.txt", "test.txt")
DOUBT = 5.0  # occurrences that a word is pulled towards rare ones by
RARE = 2  # occurrences
ROUNDING = 1e-6  # a smaller deviation is none

# As the Helsinki Prosody Corpus was labelled (configs/libritts.yaml of wavelet_prosody_toolkit).
WEIGHTS = {"f0": 1.0, "energy": 0.5, "duration": 1.0}
OCTAVES = np.arange(-3, 0, 0.25)  # of the wavelet's width, below the mean length of a word


@dataclass(frozen=True, slots=True)
class EmphasisRecipe:
    """What ``recipes/words/emphasis.yaml`` may say."""

    corpora: tuple[str, ...]
    left_out: tuple[str, ...]
    """Speakers that are not learned from."""
    every: int
    """Of the recordings, one in so many is learned from."""
    sentences: tuple[str, ...]
    """Those learned from: the code that a corpus has for a sentence, a space, and the sentence."""
    language: str
    """Two letters; of the sentences."""
    strength: float
    """Inverse strength of the L2 strength, C of scikit-learn."""


Spoken = tuple[tuple[Word, ...], dict[str, Track]]
"""The words of a recording with their times, and its tracks."""


def train(
    recipe: EmphasisRecipe, *, roots: dict[str, Path], out: Path, cache: Path, jobs: int
) -> None:
    """Write ``out/weights.json``.

    ``roots`` holds the folder of each corpus, and under ``helsinki`` that of the Helsinki Prosody
    Corpus (dev.txt, test.txt). What was aligned and measured is kept in ``cache``.

    Raises ConfigError or CorpusNotFound.
    """
    texts = dict(sentence.split(" ", 1) for sentence in recipe.sentences)
    if "helsinki" not in roots:
        raise ConfigError("the labels of words have no root; give --root helsinki=FOLDER")
    expected = expectations(roots["helsinki"])
    utterances = read_corpora(
        recipe.corpora, roots=roots, labels=CANONICAL, left_out=recipe.left_out
    )
    items = [
        (str(one.path), texts[one.sentence], recipe.language)
        for one in utterances[:: recipe.every]
        if one.sentence in texts
    ]
    heard = [one for one in of_each(_spoken, items, cache=cache, jobs=jobs) if one]
    if not heard:
        raise ConfigError(
            f"none of the {len(items)} recordings with a text could be aligned; the key "
            "'sentences' of the recipe must hold what is said in them, as: CODE Sentence."
        )
    log.info("%d of %d recordings could be aligned", len(heard), len(items))
    weights, intercept = fit(heard, expected, strength=recipe.strength)
    stored = {
        "cues": dict(zip(CUES, weights[: len(CUES)], strict=True)),
        "above_neighbours": dict(zip(CUES, weights[len(CUES) :], strict=True)),
        "intercept": intercept,
        "recordings": len(heard),
        "words": sum(len(words) for words, _ in heard),
        "recipe": asdict(recipe),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "weights.json").write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def fit(
    heard: Sequence[Spoken], expected: Mapping[str, float], *, strength: float
) -> tuple[list[float], float]:
    """Weights of ``text.emphasis.features`` and intercept, from recordings of a sentence each.

    ``expected`` is what ``expectations`` gives; its key "" stands for all words that it lacks.
    """
    optimize = require("scipy.optimize", extra="train")
    stats = require("scipy.stats", extra="train")
    rows, targets = [], []
    for words, tracks in heard:
        by_text = [expected.get(_plain(word.text), expected[""]) for word in words]
        by_sound = stats.norm.cdf(wavelet_prominence(words, tracks))
        rows.append(features(cues(words, tracks)))
        targets.append((np.array(by_text) + by_sound) / 2)
    x = np.pad(np.vstack(rows), ((0, 0), (0, 1)), constant_values=1.0)
    target = np.concatenate(targets)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Cross-entropy with the penalty, and the gradient."""
        logits, penalised = x @ weights, np.append(weights[:-1], 0.0) / strength
        error = 1 / (1 + np.exp(-logits)) - target
        value = np.logaddexp(0, logits) - target * logits
        return value.sum() + weights @ penalised / 2, x.T @ error + penalised

    bounds = [(0, None)] * (x.shape[1] - 1) + [(None, None)]
    found = optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, bounds=bounds)
    *weights, intercept = (round(float(weight), 4) for weight in found.x)
    return weights, intercept


def expectations(root: Path) -> dict[str, float]:
    """Word -> how often it is prominent in LibriTTS, 0 to 1; "" for words that are not there.

    Labels 1 and 2 of the Helsinki Prosody Corpus (Talman et al. 2019). Each word is drawn towards
    the mean of rare words, which are those most often stressed.

    Raises CorpusNotFound.
    """
    said, stressed = Counter[str](), Counter[str]()
    for path in (root / name for name in LABELS):
        if not path.exists():
            raise CorpusNotFound(
                f"{path} does not exist; helsinki=FOLDER must hold {' and '.join(LABELS)} of the "
                "Helsinki Prosody Corpus (github.com/Helsinki-NLP/prosody)"
            )
        for line in path.read_text(encoding="utf-8").splitlines():
            text, label, *_ = [*line.split("\t"), ""]
            if label in ("0", "1", "2"):
                said[_plain(text)] += 1
                stressed[_plain(text)] += label != "0"
    seldom = [word for word, count in said.items() if count <= RARE]
    rare = sum(stressed[word] for word in seldom) / sum(said[word] for word in seldom)
    shares = {word: (stressed[word] + DOUBT * rare) / (n + DOUBT) for word, n in said.items()}
    return {**shares, "": rare}


def wavelet_prominence(words: Sequence[Word], tracks: Mapping[str, Track]) -> NDArray[np.float64]:
    """z (words,) within a sentence of the wavelet prominence (Suni et al. 2017, section 3).

    F0, energy and the words' durations are standardised, weighted, added up and taken apart by
    Mexican hats from an eighth of a word to a word wide. A word is as prominent as its highest sum
    over the widths: the line of maximum amplitude, taken as straight.
    """
    times = tracks["f0_hz"].times
    inside = slice(*np.searchsorted(times, [words[0].start, words[-1].end]))
    times = times[inside]
    middles = [(word.start + word.end) / 2 for word in words]
    lengths = np.log([word.end - word.start for word in words])
    signals = {
        "f0": _filled(times, np.log(tracks["f0_hz"].values[inside])),
        "energy": _filled(times, tracks["intensity_db"].values[inside]),
        "duration": np.interp(times, middles, lengths),
    }
    weighted = [weight * _standard(signals[name]) for name, weight in WEIGHTS.items()]
    signal = _standard(np.sum(weighted, axis=0))
    shift = times[1] - times[0]
    widths = (words[-1].end - words[0].start) / len(words) / shift * 2**OCTAVES  # frames
    power = np.sum([_transformed(signal, width) for width in widths], axis=0)
    borders = [np.searchsorted(times, [word.start, word.end]) for word in words]
    return _standard(np.array([power[start:end].max() for start, end in borders]))


def _spoken(item: tuple[str, str, str]) -> Spoken | None:
    """A recording aligned and measured; None where its text can't be found in it."""
    path, text, language = item
    audio = read.read(path)
    try:
        transcript = align(audio, text, language=language)
    except TextError:  # too short for its text
        return None
    if transcript.warnings:
        return None
    found = descriptors.tracks(audio)
    return transcript.words, {name: found[name] for name in TRACKS}


def _plain(text: str) -> str:
    return text.strip(".,;:!?\"'").lower()


def _filled(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaps bridged by straight lines; zeros where nothing is known."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    return np.interp(times, times[known], values[known])


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean()
    deviation = centred.std()
    return centred / deviation if deviation > ROUNDING else np.zeros(len(values))


def _transformed(signal: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Convolution with a Mexican hat of some frames of standard deviation, mirrored at the ends."""
    reach = int(5 * width)
    at = np.arange(-reach, reach + 1) / width
    hat = (1 - at**2) * np.exp(-(at**2) / 2) / np.sqrt(width)
    return np.convolve(np.pad(signal, reach, mode="reflect"), hat, mode="valid")
