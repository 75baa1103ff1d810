"""The study beyond saliency, read from top to bottom: draw, explain, compare, write."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from voxplain.errors import ConfigError
from voxplain.plugins import require
from voxplain.training.corpora._reading import Utterance
from voxplain.training.hearing import read_corpora
from voxplain.training.statistics import Interval
from voxplain.training.studies import dose, explained, maps, tables
from voxplain.training.studies.charts import dots
from voxplain.training.studies.detection import errors
from voxplain.training.studies.findings import Findings
from voxplain.training.studies.recordings import drawn
from voxplain.training.studies.repairs import defects
from voxplain.training.studies.subjects import shuffle, subject
from voxplain.training.studies.tables import Table

__all__ = ["StudyRecipe", "study"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StudyRecipe:
    """What ``recipes/beyond_saliency/*.yaml`` of the kind ``study`` may say; times in seconds."""

    subject: str
    """network or embedded"""
    corpora: tuple[str, ...]
    clips: int
    """Of each speaker and emotion."""
    every_band: int
    """Of each emotion, clips that are also occluded one band at a time."""
    cues: tuple[str, ...]
    patch: float
    stride: float
    width: float
    window: float
    draws: int
    dosed: int
    """Of each emotion, rightly recognised clips whose cues are changed one by one."""
    steps: tuple[float, ...]
    """By how much: usual changes, as in ``voxplain.evidence.voice.AXES``."""
    seed: int

    @property
    def options(self) -> maps.Options:
        """How maps are made and cut up."""
        return maps.Options(**{one.name: getattr(self, one.name) for one in fields(maps.Options)})


def study(
    recipe: StudyRecipe, *, roots: dict[str, Path], model: Path, out: Path, jobs: int
) -> dict[str, Table]:
    """Every table of the study; written to ``out`` as ``figures.json``, with two figures.

    ``model`` is a folder that ``voxplain train`` wrote, of the network or of an embedded model.
    Speakers that it learned from are left out.

    Raises ConfigError, WeightsMissing or CorpusNotFound.
    """
    studied = subject(recipe.subject, model)
    shuffle(model, out / "shuffled", seed=recipe.seed)
    utterances = [
        one
        for one in read_corpora(recipe.corpora, roots=roots, labels=studied.labels)
        if one.speaker in studied.unseen
    ]
    if not utterances:
        raise ConfigError(f"{model} has learned from every speaker of {', '.join(recipe.corpora)}")
    findings = _found(recipe, utterances, model=model, out=out, jobs=jobs)
    responses = _responses(recipe, findings, model=model, out=out, jobs=jobs)
    found = {
        "recognition": tables.recognition(findings),
        "agreement with the experts": tables.agreement(findings),
        "by emotion": tables.by_emotion(findings),
        "further than at random, SD": tables.further(findings),
        "right and wrong": tables.right_and_wrong(findings),
        "errors detected, AUROC": errors(findings),
        "defects": defects(findings),
        "null versions": tables.nulls(findings),
    }
    if responses:
        found["dose and response"] = dose.agreement(responses, recipe.steps)
        found["dose and response, log-odds"] = dose.curves(responses, recipe.steps)
    for method in findings.methods:
        found[f"z of cues: {method}"] = tables.magnitudes(findings, method)
    _write(found, out)
    return found


def _found(
    recipe: StudyRecipe, utterances: Sequence[Utterance], *, model: Path, out: Path, jobs: int
) -> Findings:
    joblib = require("joblib", extra="train")
    chosen = drawn(utterances, each=recipe.clips, seed=recipe.seed)
    deeper = _of_each_emotion(chosen, each=recipe.every_band, seed=recipe.seed + 1)
    parallel = functools.partial(joblib.Parallel, jobs)
    one = functools.partial(_explained, recipe=recipe, model=model, out=out)
    clips = parallel()(joblib.delayed(one)(u, every_band=u.path in deeper) for u in chosen)
    neutral = [u for u in utterances if u.emotion == "neutral"]
    whole = functools.partial(explained.plain, options=recipe.options)
    usual = parallel()(joblib.delayed(whole)(str(u.path)) for u in neutral)
    log.info("%d of %d clips have speech enough", sum(c is not None for c in clips), len(clips))
    return Findings(
        [clip for clip in clips if clip],
        {(str(u.path), u.speaker): p for u, p in zip(neutral, usual, strict=True) if p},
        labels=subject(recipe.subject, model).labels,
        cues=recipe.cues,
    )


def _explained(
    utterance: Utterance, *, recipe: StudyRecipe, model: Path, out: Path, every_band: bool
) -> explained.Explained | None:
    return explained.explain(
        utterance,
        subject=subject(recipe.subject, model),
        shuffled=subject(recipe.subject, out / "shuffled"),
        options=recipe.options,
        every_band=every_band,
    )


def _responses(
    recipe: StudyRecipe, findings: Findings, *, model: Path, out: Path, jobs: int
) -> list[dose.Responses]:
    rows = np.flatnonzero(tables.rightly(findings)).tolist()
    right = [findings.clips[row].utterance for row in rows]
    chosen = _of_each_emotion(right, each=recipe.dosed, seed=recipe.seed + 2)
    joblib = require("joblib", extra="train")
    one = functools.partial(_responding, recipe=recipe, model=model, out=out)
    found: list[dose.Responses] = joblib.Parallel(jobs)(
        joblib.delayed(one)(u) for u in right if u.path in chosen
    )
    return found


def _responding(
    utterance: Utterance, *, recipe: StudyRecipe, model: Path, out: Path
) -> dose.Responses:
    return dose.respond(
        utterance,
        subject=subject(recipe.subject, model),
        shuffled=subject(recipe.subject, out / "shuffled"),
        steps=recipe.steps,
    )


def _of_each_emotion(utterances: Sequence[Utterance], *, each: int, seed: int) -> set[Path]:
    generator, found = np.random.default_rng(seed), set[Path]()
    for emotion in sorted({one.emotion for one in utterances}):
        own = [one.path for one in utterances if one.emotion == emotion]
        found |= {own[row] for row in generator.permutation(len(own))[:each]}
    return found


def _write(found: dict[str, Table], out: Path) -> None:
    plain = {
        title: {
            row: {c: asdict(f) if isinstance(f, Interval) else f for c, f in figures.items()}
            for row, figures in table.items()
        }
        for title, table in found.items()
    }
    text = json.dumps(plain, indent=1) + "\n"
    (out / "figures.json").write_text(text, encoding="utf-8")
    pictures = {
        "agreement.svg": dots(
            {
                name: [row["plausibility"], row["random"]]
                for name, row in found["by emotion"].items()
                if name.endswith((f": {maps.OURS}", f": {maps.PUBLISHED}", f": {maps.LOUDEST}"))
            },
            title="Share of the cues that go the way experts expect (rightly recognised clips)",
            series=("in the regions", "random stretches"),
            span=(0.0, 1.0),
            chance=0.5,
        ),
        "cues.svg": dots(
            {
                f"{name} ({row['expected']})": [row["in regions"], row["random"], row["rest"]]
                for name, row in found[f"z of cues: {maps.OURS}"].items()
                if row["expected"] != "o"
            },
            title="From the speaker's neutral clips, in SD; in brackets the expected sign",
            series=("in the regions", "random stretches", "the rest"),
            span=(-4.0, 8.0),
            chance=0.0,
        ),
    }
    for name, picture in pictures.items():
        (out / name).write_text(picture + "\n", encoding="utf-8")
