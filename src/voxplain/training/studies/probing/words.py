"""Words: do informative ones carry more of the emotion than others?"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import ConfigError, TextError
from voxplain.models.calibration import log_odds
from voxplain.plugins import find
from voxplain.text.alignment import align
from voxplain.training.baselines import probe
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import of_each
from voxplain.training.statistics import Interval, speaker_interval
from voxplain.training.studies.charts import dots
from voxplain.training.studies.outcomes import clustered_mean
from voxplain.training.studies.probing import probes
from voxplain.training.studies.probing.material import (
    Clips,
    Findings,
    Given,
    Material,
    check,
    drawn,
    frames,
)
from voxplain.training.studies.probing.regions import pool
from voxplain.training.studies.roles.dissociation import scattered
from voxplain.training.studies.tables import Table
from voxplain.training.words.emotion_corpora import SPLITS, goemotions
from voxplain.types import Word

__all__ = ["Tokens", "WordsRecipe", "informative", "study", "surprisals", "tokens"]

log = logging.getLogger(__name__)

FRAMES = 3
"""Of a word; those with fewer are left out."""
SHUFFLES = 20
NORM = "goemotions"
SINGLE, WITHOUT = "a single word", "a clip without the word"


@dataclass(frozen=True, slots=True)
class WordsRecipe:
    """What a recipe of the kind ``probing_words`` may say."""

    material: Material
    layers: tuple[int, ...]
    function: tuple[str, ...]
    """Words that are no content words, in lower case."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The words of all clips, one after the other."""

    clip: NDArray[np.int64]
    """(m,) the clip's row."""
    kind: NDArray[np.str_]
    """(m,) which word of which sentence."""
    surprisal: NDArray[np.float64]
    """(m,) bits."""
    content: NDArray[np.bool_]
    position: NDArray[np.float64]
    """(m,) from 0, the first word, to 1, the last."""
    start: NDArray[np.int64]
    """(m,) first frame."""
    end: NDArray[np.int64]
    """(m,) the frame after the last."""


def study(recipe: WordsRecipe, given: Given) -> Findings:
    """Two tables for each corpus and layer, and a chart for each corpus.

    ``roots`` holds GoEmotions under ``goemotions``, by which words are frequent or not. Raises
    ConfigError, WeightsMissing or CorpusNotFound.
    """
    if NORM not in given.roots:
        raise ConfigError(f"the frequency of words has no root; give --root {NORM}=FOLDER")
    shift = check(given, layers=recipe.layers).frame_shift
    corpora = drawn(recipe.material, given.roots)
    for clips in corpora.values():
        for one in clips.utterances:
            if not one.text:
                raise ConfigError(f"{one.path}: nobody knows what is said; words need a text")
    texts = chain.from_iterable(goemotions(given.roots[NORM], part).texts for part in SPLITS)
    bits = surprisals(texts)
    tables: dict[str, Table] = {}
    charts = {}
    for corpus, clips in corpora.items():
        usual = find("corpora", corpus).CARD.language
        items = [(one, one.language or usual) for one in clips.utterances]
        said = of_each(_aligned, items, cache=given.cache, jobs=given.jobs)
        log.info("%d of %d recordings could be aligned", sum(map(bool, said)), len(said))
        rows: dict[str, list[Interval]] = {}
        for layer in recipe.layers:
            states = frames(clips, given, layer=layer)
            own = tokens(said, clips, states, shift, bits=bits, function=recipe.function)
            outcomes, by_kind = informative(states, own, clips, seed=recipe.material.seed)
            tables[f"{corpus}, layer {layer}"] = outcomes
            tables[f"{corpus}, layer {layer}: UAR from a single word"] = by_kind
            rows |= {
                f"{name}, layer {layer}": [row["UAR"], row["shuffled labels"]]
                for name, row in by_kind.items()
            }
        charts[f"words_{corpus}.svg"] = dots(
            rows,
            title=f"{corpus}: UAR of the emotion from {FRAMES} frames of a single word",
            series=("UAR", "shuffled labels"),
            span=(0.0, 0.6),
            chance=round(1 / len(np.unique(clips["emotion"])), 2),
        )
    return Findings(tables, charts)


def _aligned(item: tuple[Utterance, str]) -> tuple[Word, ...]:
    """The words of an utterance; none where its text can't be found in it."""
    utterance, language = item
    try:
        transcript = align(sound(utterance), utterance.text, language=language)
    except TextError:  # too short for its text
        return ()
    return () if transcript.warnings else transcript.words


_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def surprisals(texts: Iterable[str]) -> Mapping[str, float]:
    """Word in lower case -> -log2 of its share in some texts, one added to every count.

    The key "" stands for all words that they lack.
    """
    counts = Counter(chain.from_iterable(_WORD.findall(_plain(text)) for text in texts))
    total = sum(counts.values()) + len(counts) + 1
    return {word: math.log2(total / (n + 1)) for word, n in counts.items()} | {"": math.log2(total)}


def _plain(text: str) -> str:
    return text.casefold().replace("\u2019", "'")


def tokens(
    said: Sequence[Sequence[Word]],
    clips: Clips,
    states: Sequence[NDArray[Any]],
    shift: float,
    *,
    bits: Mapping[str, float],
    function: Collection[str],
) -> Tokens:
    """The words ``said`` in each clip that have frames enough, but not all of them.

    Raises ConfigError if there are none.
    """
    rows = []
    for clip, words in enumerate(said):
        count, sentence = len(states[clip]), clips.utterances[clip].sentence
        for place, word in enumerate(words):
            start, end = (min(round(time / shift), count) for time in (word.start, word.end))
            if not FRAMES <= end - start < count:
                continue
            text = " ".join(_WORD.findall(_plain(word.text)))
            kind, position = f"{sentence} {place}", place / max(len(words) - 1, 1)
            told = bits.get(text, bits[""]), text not in function
            rows.append((clip, kind, *told, position, start, end))
    if not rows:
        raise ConfigError(f"in none of the {len(said)} recordings could a word be found")
    return Tokens(*map(np.array, zip(*rows, strict=True)))


def informative(
    states: Sequence[NDArray[Any]], own: Tokens, clips: Clips, *, seed: int
) -> tuple[Table, Table]:
    """Whether more surprising words tell more of the emotion; and how much each word tells.

    "A single word" is told by a probe of a few frames of it; "a clip without the word" is what the
    log-odds of the clip lose without it, beyond what they lose without as many frames elsewhere.
    Given position and duration, all less the mean over the words of the clip.
    """
    truth, speakers = clips["emotion"], clips["speaker"]
    others = probes.shuffled(truth, speakers, seed=seed)
    few = _few(states, own, seed)
    right, sure = _told(few, own, clips, truth)
    null_right, null_sure = _told(few, own, clips, others)
    lost, null_lost = (_lost(states, own, clips, of, seed) for of in (truth, others))
    correlated = partial(_correlated, own, speakers[own.clip])
    emotions, alike = truth[own.clip], speakers[own.clip]
    found: dict[str, dict[str, Any]] = {}
    for name, values, null, by_content in (
        (SINGLE, sure, null_sure, right),
        (WITHOUT, lost, null_lost, lost),
    ):
        dealt = [
            probes.rank_correlation(
                _given(own, _dealt_anew(own, number)), probes.centred(values, own.clip)
            )
            for number in range(SHUFFLES)
        ]
        found[name] = {
            "with surprisal": correlated(values),
            "shuffled surprisals": scattered(dealt, alike),
            "shuffled labels": correlated(null),
            "content minus function": clustered_mean(
                np.where(own.content, by_content, np.nan),
                emotions,
                alike,
                minus=np.where(own.content, np.nan, by_content),
            ),
        }
    quarter = np.searchsorted(np.quantile(own.surprisal, [0.25, 0.5, 0.75]), own.surprisal)
    groups = {f"surprisal, quarter {n + 1}": quarter == n for n in np.unique(quarter)}
    groups |= {"content words": own.content, "function words": ~own.content}
    by_kind = {
        name: {
            "UAR": probes.recall(right[rows], emotions[rows], alike[rows]),
            "shuffled labels": probes.recall(null_right[rows], others[own.clip][rows], alike[rows]),
        }
        for name, rows in groups.items()
        if rows.any()
    }
    return found, by_kind


def _few(states: Sequence[NDArray[Any]], own: Tokens, seed: int) -> NDArray[np.float32]:
    """(m, 2 x width) of a few frames of each word, drawn at random: length is no advantage."""
    generator = np.random.default_rng(seed)
    return np.array(
        [
            pool(states[clip][generator.choice(np.arange(start, end), FRAMES, replace=False)])
            for clip, start, end in zip(own.clip, own.start, own.end, strict=True)
        ]
    )


def _told(
    features: NDArray[np.float32], own: Tokens, clips: Clips, emotions: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(m,) whether a word tells the emotion of its clip, and the log-odds of that emotion."""
    place = np.unique(emotions, return_inverse=True)[1][own.clip]
    odds = probes.odds(features, place, clips.folds[own.clip])
    return odds.argmax(1) == place, odds[np.arange(len(place)), place]


def _lost(
    states: Sequence[NDArray[Any]],
    own: Tokens,
    clips: Clips,
    emotions: NDArray[np.str_],
    seed: int,
) -> NDArray[np.float64]:
    """(m,) log-odds of a clip without as many frames elsewhere, less those without the word.

    Elsewhere is one run of frames, anywhere between the first word and the last.
    """
    generator, place = np.random.default_rng(seed), np.unique(emotions, return_inverse=True)[1]
    first, last = np.full(len(states), np.iinfo(int).max), np.zeros(len(states), int)
    np.minimum.at(first, own.clip, own.start)
    np.maximum.at(last, own.clip, own.end)
    length = own.end - own.start
    elsewhere = generator.integers(first[own.clip], last[own.clip] - length, endpoint=True)
    whole = np.array([pool(one) for one in states])
    odds = []
    for begin in (elsewhere, own.start):
        rest = np.array(
            [
                pool(np.delete(states[clip], slice(start, start + count), axis=0))
                for clip, start, count in zip(own.clip, begin, length, strict=True)
            ]
        )
        of_true = np.empty(len(rest))
        for fold in np.unique(clips.folds):
            train, here = clips.folds != fold, np.flatnonzero(clips.folds[own.clip] == fold)
            model = probe().fit(whole[train], place[train])
            found = log_odds(model.predict_log_proba(rest[here]))
            of_true[here] = found[np.arange(len(here)), place[own.clip[here]]]
        odds.append(of_true)
    without_others, without_word = odds
    return without_others - without_word


def _correlated(own: Tokens, speakers: NDArray[np.str_], values: NDArray[np.float64]) -> Interval:
    given, within = _given(own, own.surprisal), probes.centred(values, own.clip)
    return speaker_interval(probes.rank_correlation, given, within, speakers=speakers)


def _given(own: Tokens, surprisal: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m, 3): surprisal, position and log duration, less the means over the words of the clip."""
    given = np.column_stack([surprisal, own.position, np.log(own.end - own.start)])
    return probes.centred(given, own.clip)


def _dealt_anew(own: Tokens, seed: int) -> NDArray[np.float64]:
    """(m,) surprisals of other words of the sentence, the same ones in all its clips."""
    kinds, first, place = np.unique(own.kind, return_index=True, return_inverse=True)
    sentences = np.array([kind.partition(" ")[0] for kind in kinds.tolist()])
    return probes.shuffled(own.surprisal[first], sentences, seed=seed)[place]
