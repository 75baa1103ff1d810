"""Hold models against corpora: figures with intervals, and a report.

examples:
  voxplain evaluate speech emodb=DIR --out report/
  voxplain evaluate speech mine=labels.csv#test --conditions noise,codec
  voxplain evaluate speech other/ cremad=DIR emodb=DIR --out matrix/

MODEL is what analyze --model takes, and the recordings are judged as analyze
judges them. A corpus is CORPUS=DIR, or a table of recordings (file, speaker,
emotion, ...); #SPLIT is a part of it. Who was heard in training is judged by a
head that never heard them, where the model has one.

With a recipe, the figures of what it made, beside its baselines:

  voxplain evaluate recipes/embedded/speech.yaml --root cremad=DIR
                    --root emodb=DIR --root ravdess=DIR --model model/
  voxplain evaluate recipes/profiles/people.yaml --model FOLDER
  voxplain evaluate recipes/words/emotion.yaml --root goemotions=DIR
                    --root emobank=DIR --model FOLDER

A root that the recipe does not name (--root ravdess=DIR) is judged zero-shot.
Profiles and the segmenter of roles need none.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voxplain.cli._progress import Bar
from voxplain.cli._results import write
from voxplain.cli._tables import table_writer
from voxplain.cli.train import add_data, roots
from voxplain.config import load_recipe
from voxplain.errors import ConfigError
from voxplain.plugins import require
from voxplain.training.predictions import FILE

if TYPE_CHECKING:
    from voxplain.training.assessment.assess import Assessment
    from voxplain.training.assessment.judging import Judge
    from voxplain.training.assessment.recordings import Recordings

__all__ = ["add", "run"]

_RECIPES = (".yaml", ".yml")


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "what", nargs="+", metavar="MODEL|CORPUS=DIR", help="models and corpora; or a recipe"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the report")
    parser.add_argument(
        "--conditions",
        default="",
        metavar="KINDS",
        help="also judge a sample of the clips in: noise (white, pink, babble), reverberation, "
        "band, codec, gain; several with commas, or all",
    )
    parser.add_argument(
        "--sample", type=int, default=120, metavar="N", help="clips of that sample (120)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of that sample (0)")
    parser.add_argument("--model", type=Path, metavar="DIR", help="with a recipe: what it made")
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures, and write them to a folder if one is given."""
    if arguments.what[0].endswith(_RECIPES):
        return _by_recipe(arguments)
    if arguments.model or arguments.root:
        raise ConfigError(
            "--model and --root go with a recipe; otherwise it is: evaluate MODEL CORPUS=DIR"
        )
    return _assess(arguments)


def _assess(arguments: argparse.Namespace) -> int:
    require("scipy", extra="train")
    from voxplain.cli._documents import make_folder, write_document
    from voxplain.training.assessment import matrix, recordings, reporting, robustness
    from voxplain.training.assessment.judging import Judge

    models = [one for one in arguments.what if not recordings.names_corpus(one)]
    named = [one for one in arguments.what if recordings.names_corpus(one)]
    if not (models and named):
        raise ConfigError(
            "evaluate takes a model and a corpus, as in: voxplain evaluate speech emodb=DIR"
        )
    if arguments.sample < 1:
        raise ConfigError(f"--sample must be at least 1, not {arguments.sample}")
    kinds = robustness.wanted(arguments.conditions) if arguments.conditions else ()
    judges = [Judge(one) for one in models]
    corpora = [recordings.recordings(one) for one in named]
    for given in ([one.title for one in judges], [one.name for one in corpora]):
        if len(set(given)) < len(given):
            raise ConfigError(
                f"each model and each corpus needs a name of its own, not {', '.join(given)}"
            )
    for corpus in corpora if len(judges) * len(corpora) > 1 else ():
        matrix.common_labels(judges, corpus)  # before any of them is judged
    if arguments.out:
        make_folder(arguments.out)
    found = []
    for judge, corpus in itertools.product(judges, corpora):
        found.append(_assessed(judge, corpus, kinds, arguments))
        print(reporting.summary(found[-1]), end="\n\n")
    if len(found) > 1:
        columns = matrix.matrix(found)
        print(matrix.summary(columns))
    if arguments.out and len(found) == 1:
        _write(found[0], arguments.out)
    elif arguments.out:
        reports = {}
        for one in found:
            place = Path(one.judge.title) / one.recordings.name
            _write(one, arguments.out / place)
            reports[f"{one.judge.title} on {one.recordings.name}"] = f"{place}/report.html"
        write_document(matrix.document(columns, reports=reports), arguments.out)
    return 0


def _assessed(
    judge: Judge, corpus: Recordings, kinds: Sequence[str], arguments: argparse.Namespace
) -> Assessment:
    """One model on one corpus, behind a bar."""
    from voxplain.training.assessment.assess import assess
    from voxplain.training.assessment.robustness import CONDITIONS

    clips, steps = len(corpus.utterances), itertools.count(1)
    changed = sum(len(CONDITIONS[kind]) for kind in kinds) * min(clips, arguments.sample)
    with Bar(unit=" clips", hidden=False, total=clips + changed) as bar:
        return assess(
            judge,
            corpus,
            conditions=kinds,
            sample=arguments.sample,
            seed=arguments.seed,
            jobs=arguments.jobs,
            progress=lambda: bar.reach(next(steps)),
        )


def _write(found: Assessment, out: Path) -> None:
    """The report, the figures and what was said of each clip. Raises OutputError."""
    from voxplain.cli._documents import write_document
    from voxplain.training.assessment import reporting, tables
    from voxplain.training.assessment.assess import plain

    write_document(reporting.document(found), out)
    write(out / "metrics.json", json.dumps(plain(found), indent=2, ensure_ascii=False) + "\n")
    tables.predictions(found.judged).write(out / FILE)
    silent = tables.silences(found.judged)
    with table_writer(out / "silences.csv", tuple(silent)) as writer:
        writer.write(silent)


def _by_recipe(arguments: argparse.Namespace) -> int:
    """Print the table of what a recipe made."""
    if len(arguments.what) > 1 or arguments.model is None:
        raise ConfigError(
            "with a recipe it is: voxplain evaluate RECIPE --model DIR [--root CORPUS=DIR ...]"
        )
    require("torch", extra="train")
    from voxplain.training.embedded import EmbeddedRecipe
    from voxplain.training.evaluate import evaluate, table
    from voxplain.training.profiles import ProfilesRecipe, comparison
    from voxplain.training.words import emotion_figures, role_figures
    from voxplain.training.words.emotion import TextEmotionRecipe, TextEncoderRecipe
    from voxplain.training.words.roles import SegmenterRecipe

    kinds = {
        "embedded": EmbeddedRecipe,
        "profiles": ProfilesRecipe,
        "segmenter": SegmenterRecipe,
        "text_emotion": TextEmotionRecipe,
        "text_encoder": TextEncoderRecipe,
    }
    place = Path(arguments.what[0])
    recipe = load_recipe(place, kinds)
    model, data = arguments.model, roots(arguments)
    match recipe:
        case ProfilesRecipe():
            print(comparison(model))
        case SegmenterRecipe():
            print(table(role_figures.evaluate(recipe, folder=place.parent, model=model)))
        case TextEmotionRecipe() | TextEncoderRecipe():
            print(table(emotion_figures.evaluate(model, roots=data)))
        case _:
            options = {"cache": arguments.cache, "jobs": arguments.jobs}
            print(table(evaluate(recipe, model=model, roots=data, **options)))
    return 0
