"""The figures of an embedded model beside what it is held against, on speakers it never heard."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.evaluation import listening, recognition, speakers, verdicts
from voxplain.training.evaluation.material import Material, Section
from voxplain.training.statistics import Interval

__all__ = ["evaluate", "stored", "table"]


def evaluate(
    recipe: EmbeddedRecipe,
    *,
    model: Path,
    roots: dict[str, Path],
    cache: Path,
    jobs: int,
) -> dict[str, Section]:
    """Every table of the model card; written to ``figures.json`` in the model folder.

    The recipe's corpora are judged by the heads of the folds, any other corpus zero-shot. What
    needs CREMA-D's ratings, or RAVDESS's pairs, is there where the corpus is.

    Raises WeightsMissing without a trained model, CorpusNotFound or ConfigError.
    """
    material = Material(recipe, model=model, roots=roots, cache=cache, jobs=jobs)
    first, *_ = recipe.corpora
    strangers = sorted(roots.keys() - set(recipe.corpora))
    figures = recognition.corpora(material, cache=cache, jobs=jobs)
    judged = material.judged.of(first)
    figures[f"{first}: the speaker known"] = speakers.profiles(material, corpus=first)
    figures[f"{first}: in noise"] = recognition.in_noise(material, corpus=first)
    figures[f"{first}: the surest"] = verdicts.surest(judged)
    figures[f"{first}: dimensions"] = listening.dimensions(judged)
    if any(utterance.ratings for utterance in judged.utterances):
        figures[f"{first}: listeners' votes"] = listening.votes(judged, material)
    if first == "cremad" and (groups := speakers.groups(judged, roots[first])):
        figures["cremad: who speaks"] = groups
    for corpus in strangers:
        figures[f"{corpus}: never trained on"] = recognition.elsewhere(
            material, corpus, cache=cache, jobs=jobs
        )
        figures[f"{corpus}: nothing said"] = verdicts.abstentions(material, strangers=corpus)
    if "ravdess" in strangers:
        figures["ravdess: strong above normal"] = listening.arousal(
            material, cache=cache, jobs=jobs
        )
    plain = {
        title: {row: {m: asdict(i) for m, i in found.items()} for row, found in section.items()}
        for title, section in figures.items()
    }
    (model / "figures.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return figures


def table(figures: dict[str, Section]) -> str:
    """The figures as Markdown tables, with 95 % intervals clustered by speaker."""
    lines = []
    for title, section in figures.items():
        columns = list(dict.fromkeys(metric for row in section.values() for metric in row))
        lines += [f"| **{title}** | n | speakers | {' | '.join(columns)} |"]
        lines += [f"|---|{'---|' * (len(columns) + 2)}"]
        for name, row in section.items():
            basis = next(iter(row.values()))
            cells = (str(row.get(metric, "")) for metric in columns)
            lines += [f"| {name} | {basis.n} | {basis.speakers} | {' | '.join(cells)} |"]
        lines += [""]
    return "\n".join(lines).strip()


def stored(model: Path) -> dict[str, Section]:
    """The figures that ``evaluate`` left in a model folder."""
    plain = json.loads((model / "figures.json").read_text(encoding="utf-8"))
    return {
        title: {
            name: {metric: Interval(**figure) for metric, figure in row.items()}
            for name, row in section.items()
        }
        for title, section in plain.items()
    }
