"""What is read of the recordings: transcripts, emphasised words and interpretations, as vectors.

What takes long is kept (``said``); which words count as emphasised, and what else recipes choose,
is chosen anew.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import logging
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain import backbones
from voxplain.descriptors import inventory
from voxplain.descriptors._levels import Reference, describe
from voxplain.errors import BadReply, ConfigError
from voxplain.evidence import interpretation
from voxplain.llms._cache import remembered
from voxplain.models import text_encoder
from voxplain.plugins import find, require
from voxplain.text import semantics
from voxplain.text.pronunciation import has_letters
from voxplain.text.semantics import Semantics
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment.recipe import TextPlan
from voxplain.training.experiment.said import GIVEN, Said, is_recording, listen, unheard
from voxplain.training.hearing import digest
from voxplain.types import Quantity

__all__ = ["RULES", "gather_semantics", "text_vectors"]

log = logging.getLogger(__name__)

RULES = "rules"
"""Interpretations by ``evidence.interpretation.described``."""
_BY_SOUND = ("prominence", "lemf")  # ways to choose emphasised words

_Interpreter = Callable[[str, str], str]
"""From what is said, and what the rules say of the voice."""


def gather_semantics(
    utterances: Sequence[Utterance],
    plan: TextPlan,
    *,
    cache: Path,
    jobs: int,
    errors: float = 0.0,
) -> list[Semantics]:
    """What is read of each utterance: the text, its emphasised words, an interpretation.

    A part that no branch of the plan reads, or that there is none of, is empty: there is no text;
    it can't be laid over its recording (no words by prominence); nobody speaks (no interpretation
    by rule). Utterances whose file is no recording are texts alone. With ``errors``, a word error
    rate, the transcripts are misheard (``text.semantics.misheard``) by the words of all of them,
    the same way each time.

    ``plan.es`` is rules, or BACKEND:MODEL of ``llms``, whose answers are kept. The rules do not
    name emphasised words: those are for LES to tell.

    Raises ConfigError for a plan that the utterances or the backend can't follow, UnknownName,
    AudioError, and what transcribers and language models raise.
    """
    _check(utterances, plan)
    interpret = _interpreter(plan.es, cache) if "es" in plan.branches else None
    said = _said(utterances, plan, cache=cache, jobs=jobs)
    transcripts = [own.transcript for own in said]
    rows = [_rows(one, own, plan) for one, own in zip(utterances, said, strict=True)]
    if errors:
        words = [word.text for own in transcripts for word in own.words]
        wrong = functools.partial(semantics.misheard, rate=errors, vocabulary=words)
        heard = [
            wrong(own, chosen, seed=_seed(one))
            for one, own, chosen in zip(utterances, transcripts, rows, strict=True)
        ]
        transcripts, rows = [own for own, _ in heard], [chosen for _, chosen in heard]
    extended = [""] * len(said)
    if interpret is not None:
        voices = [_voice(own) for own in said]
        with ThreadPoolExecutor(jobs) as pool:
            extended = list(pool.map(interpret, [own.text for own in transcripts], voices))
        log.info("%d of %d utterances have an interpretation", sum(map(bool, extended)), len(said))
    if plan.masked:
        extended = [semantics.mask_emotion(one) for one in extended]
    return [
        semantics.spoken(own, chosen, view=plan.gs, extended=one)
        for own, chosen, one in zip(transcripts, rows, extended, strict=True)
    ]


def text_vectors(
    found: Sequence[Semantics], plan: TextPlan, *, cache: Path
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(n, 3, width) and (n, 3) of ``models.text_encoder``, kept by content.

    Interpretations are kept apart from the words, so that another choice of words does not cost
    encoding them again.

    Raises MissingExtra, WeightsMissing or ArtifactError.
    """
    memory = require("joblib", extra="train").Memory(cache, verbose=0)
    encoded = memory.cache(_encoded, ignore=["items", "encoder", "isolated"])
    folder = backbones.find_checkpoint(plan.encoder)
    files = sorted(one for one in folder.iterdir() if one.suffix in (".json", ".txt"))
    facts = [
        backbones.digest(folder),
        [digest(str(one)) for one in files],  # of the tokenizer, too
        digest(inspect.getfile(text_encoder)),
        [metadata.version(package) for package in ("torch", "transformers")],
        plan.isolated,
    ]

    def read(items: Sequence[Semantics]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        place = {one: row for row, one in enumerate(dict.fromkeys(items))}
        plain = json.dumps([*facts, [astuple(one) for one in place]])
        key = hashlib.sha256(plain.encode()).hexdigest()
        vectors, there = encoded(key, list(place), encoder=plan.encoder, isolated=plan.isolated)
        rows = [place[one] for one in items]
        return vectors[rows], there[rows]

    vectors, there = read([replace(one, extended="") for one in found])
    extended, interpreted = read([Semantics("", (), one.extended) for one in found])
    return vectors + extended, there | interpreted  # no branch is in both


def _encoded(
    key: str, items: Sequence[Semantics], *, encoder: str, isolated: bool
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    del key  # of all that the vectors depend on
    return text_encoder.TextEncoder(encoder).vectors(items, isolated=isolated)


def _check(utterances: Sequence[Utterance], plan: TextPlan) -> None:
    """Refuse what the utterances have not. Raises ConfigError."""
    by_sound = "les" in plan.branches and plan.les in _BY_SOUND
    texts = [one.path for one in utterances if not is_recording(one)]
    if texts and (by_sound or plan.transcripts != GIVEN):
        wants = f"texts.les {plan.les}" if by_sound else f"texts.transcripts {plan.transcripts}"
        raise ConfigError(
            f"{len(texts)} of {len(utterances)} utterances have no sound, which {wants} needs, "
            f"such as {texts[0]}; take given transcripts, and words by surprisal, random or oracle"
        )
    if "les" in plan.branches and plan.les == "oracle":
        if plan.transcripts != GIVEN:
            raise ConfigError(
                f"texts.les oracle: which words are emphasised is known of given texts, not of "
                f"those of {plan.transcripts}; set texts.transcripts to given"
            )
        if not any(one.emphasis for one in utterances):
            raise ConfigError(
                f"texts.les oracle: of {len(utterances)} utterances none says which of its words "
                "are emphasised; give a table with a column emphasis"
            )


def _said(utterances: Sequence[Utterance], plan: TextPlan, *, cache: Path, jobs: int) -> list[Said]:
    """From listening, where there is anything to hear that the plan asks for."""
    needed = (
        plan.transcripts != GIVEN
        or "es" in plan.branches
        or ("les" in plan.branches and plan.les in _BY_SOUND)
    )
    heard = [row for row, one in enumerate(utterances) if needed and is_recording(one)]
    found = listen(
        [utterances[row] for row in heard],
        transcripts=plan.transcripts,
        model=plan.transcriber_model,
        cache=cache,
        jobs=jobs,
    )
    known = dict(zip(heard, found, strict=True))
    return [known.get(row) or unheard(one) for row, one in enumerate(utterances)]


def _rows(one: Utterance, said: Said, plan: TextPlan) -> tuple[int, ...]:
    """Of the emphasised words."""
    if "les" not in plan.branches:
        return ()
    words = said.transcript.words
    if plan.les == "lemf":
        published = zip(words, said.lemf, strict=True)
        words = tuple(replace(word, prominence=value) for word, value in published)
    given = _given(one) if plan.les == "oracle" else ()
    return semantics.emphasised(words, how=plan.les, share=plan.share, given=given, seed=_seed(one))


def _given(one: Utterance) -> list[int]:
    """Of what stands between white space, words alone count, as in an alignment."""
    words = [place for place, token in enumerate(one.text.split()) if has_letters(token)]
    return [row for row, place in enumerate(words) if place in one.emphasis]


def _seed(utterance: Utterance) -> int:
    """Of an utterance, wherever it lies."""
    return zlib.crc32(f"{utterance.path.name} {utterance.start} {utterance.text}".encode())


def _voice(said: Said) -> str:
    """What the rules say."""
    units = inventory()
    found = {name: Quantity(one, units[name].unit, True) for name, one in said.measured.items()}
    levels = Reference.of_group("adults").levels(found)
    return interpretation.described(describe(found, levels, {}))


def _interpreter(es: str, cache: Path) -> _Interpreter:
    """The rules, or a language model.

    Raises UnknownName or ConfigError, and what loading a model raises.
    """
    if es == RULES:
        return lambda text, voice: voice
    backend, _, model = es.partition(":")
    load = find("llms", backend).load
    if not model and "model" in inspect.signature(load).parameters:
        raise ConfigError(f"texts.es {es!r} names no model; write {backend}:MODEL")
    llm = load(**({"model": model} if model else {}))

    def interpret(text: str, voice: str) -> str:
        question = {"at": llm.name, "asked": interpretation.asked(text, voice)}
        try:
            return remembered(
                cache / "interpretations",
                question,
                lambda: interpretation.interpreted(text, voice, llm=llm),
            )
        except BadReply as error:  # one answer of thousands
            log.warning("an interpretation is left out: %s", error)
            return ""

    return interpret
