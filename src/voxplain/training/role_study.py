"""The study of semantic roles, read from top to bottom: part, learn, compare, write."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from voxplain.text import emotion
from voxplain.text.roles import roles
from voxplain.training.studies.charts import dots
from voxplain.training.studies.roles import tables
from voxplain.training.studies.roles.accounts import Account
from voxplain.training.studies.roles.controls import Made, nulls, word_errors
from voxplain.training.studies.roles.dissociation import CATEGORIES
from voxplain.training.studies.roles.elsewhere import acted_and_heard, written_and_read
from voxplain.training.studies.roles.encoders import mean_states
from voxplain.training.studies.roles.learners import Features, States, Texts, Vectors
from voxplain.training.studies.roles.spoken import heard
from voxplain.training.studies.roles.subject import CROSSED, PLANNED, Subject
from voxplain.training.studies.roles.views import RANDOM, Segment, Told, views
from voxplain.training.studies.tables import Table
from voxplain.training.words.agreement import kinds

__all__ = ["study"]

log = logging.getLogger(__name__)


def study(
    accounts: Sequence[Account],
    *,
    segment: Segment = roles,
    encoder: Path | None = None,
    vectors: Vectors | None = None,
    model: str = "speech",
    roots: Mapping[str, Path] | None = None,
    jobs: int = 1,
    out: Path,
) -> dict[str, Table]:
    """Every table of docs/studies/semantic_roles_plan.md.

    Written to ``out`` as ``figures.json``, with two charts. ``segment`` finds the roles of a text;
    where all accounts are marked by hand, those marks come first. Texts are seen by TF-IDF, beside
    the ``vectors`` of sentences if there are any, or else by a Hugging Face text encoder in the
    folder ``encoder``; recordings by the speech encoder of ``model``. ``roots`` may hold the
    folders of ``emobank`` and ``cremad``.

    Raises ConfigError, UnknownName, WeightsMissing or CorpusNotFound.
    """
    subject, made = Subject(accounts), partial(_features, encoder, vectors)
    truth, speakers = subject.truth, subject.speakers
    sources = _sources(accounts, segment)
    (source, told), *others = sources.items()
    log.info("%d accounts, %s", len(accounts), " and ".join(sources))
    sound: dict[str, Features] = {
        name: States(rows)
        for name, rows in heard(accounts, [own for _, own in told], model=model, jobs=jobs).items()
    }
    splits = subject.told(lambda seed: _views(told, made, seed) | sound, of=(*PLANNED, CROSSED))
    planned = {split: seen for split, seen in splits.items() if split in PLANNED}
    found: dict[str, Table] = {
        f"primary outcomes, {source}": tables.primary(truth, planned, speakers)
    }
    for split, seen in splits.items():
        found[f"recognition, {split}"] = tables.recognition(truth, seen, speakers)
        found[f"ratings, {split}"] = tables.ratings(truth, seen, speakers)
    beside = {
        f"random runs, {split}": tables.differing(truth, seen, speakers, pair=RANDOM)
        for split, seen in splits.items()
    }
    if CROSSED in splits:
        beside[CROSSED] = tables.differing(truth, splits[CROSSED], speakers)
    for name, again in others:
        anew = subject.told(partial(_views, again, made))
        for split, seen in anew.items():
            beside[f"{name}, {split}"] = tables.differing(truth, seen, speakers)
            found[f"recognition, {name}, {split}"] = tables.recognition(truth, seen, speakers)
        one, other = ([kinds(*account) for account in some] for some in (told, again))
        found["segmenter and marks"] = tables.agreement_of(one, other, speakers, subject.registers)
    found["other interactions"] = beside
    found["intended and evoked"] = tables.same(truth, speakers)
    found["word errors"] = word_errors(subject, told, made=made, segment=segment)
    once = _views(told, made, 0) | sound
    found["labels shuffled within speakers"] = nulls(subject, once, within_speakers=True)
    found["labels shuffled among all"] = nulls(subject, once, within_speakers=False)
    found |= _corpora(roots or {}, segment)
    _write(found, out, chance=round(1 / len(set(truth["intended"])), 3))
    return found


def _sources(accounts: Sequence[Account], segment: Segment) -> dict[str, list[Told]]:
    """Who parts the accounts -> their texts and roles; the most trusted first."""
    found = {}
    if all(one.marks for one in accounts):
        found["roles by hand"] = [(one.text, one.marks) for one in accounts]
    found["roles by the segmenter"] = [(one.text, segment(one.text)) for one in accounts]
    return found


def _views(told: Sequence[Told], made: Made, seed: int) -> dict[str, Features]:
    return made(views(told, seed=seed))


def _features(
    encoder: Path | None, vectors: Vectors | None, texts: Mapping[str, Sequence[str]]
) -> dict[str, Features]:
    if encoder:
        return {view: States(mean_states(encoder, own)) for view, own in texts.items()}
    return {view: Texts(own, vectors) for view, own in texts.items()}


def _corpora(roots: Mapping[str, Path], segment: Segment) -> dict[str, Table]:
    found = {}
    if "emobank" in roots:
        found["EmoBank, writer above reader"] = written_and_read(roots["emobank"], segment)
    if "cremad" in roots:
        found["CREMA-D, portrayed and heard"] = acted_and_heard(
            roots["cremad"], lambda text: emotion.read(text).categories
        )
    return found


def _write(found: Mapping[str, Table], out: Path, *, chance: float) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, default=asdict, indent=1) + "\n"
    (out / "figures.json").write_text(text, encoding="utf-8")
    told = {
        f"{view} ({split})": [figures[f"{task}, macro-F1"] for task in CATEGORIES]
        for split in PLANNED
        for view, figures in found.get(f"recognition, {split}", {}).items()
    }
    gaps = {
        f"{title}, {name}".removeprefix("other interactions, "): [figures["interaction"]]
        for title, table in found.items()
        for name, figures in table.items()
        if "interaction" in figures
    }
    pictures = {
        "recognition.svg": dots(
            told,
            title="How well each view tells the emotions (macro-F1)",
            series=CATEGORIES,
            span=(0.0, 1.0),
            chance=chance,
        ),
        "interactions.svg": dots(
            gaps,
            title="Interaction of role and task (macro-F1)",
            series=("interaction",),
            span=(-0.5, 1.5),
            chance=0.0,
        ),
    }
    for name, picture in pictures.items():
        (out / name).write_text(picture + "\n", encoding="utf-8")
