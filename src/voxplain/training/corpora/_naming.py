"""Who speaks, by the rules after which known corpora name their files.

A corpus has such a rule where its description has a ``pattern``, or its module a ``_NAME``, with
the groups ``speaker`` and, where the names tell, ``sentence`` and ``label``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from voxplain.plugins import find, names
from voxplain.training.corpora._reading import Utterance

__all__ = ["named"]


def named(utterance: Utterance) -> Utterance:
    """With the speaker, sentence and label that the file's name tells, where they are not known.

    The rule is that of the utterance's corpus, or else of the only known corpus that it fits. The
    recording need not be there.
    """
    rules = _rules()
    if utterance.corpus in rules:
        rules = {utterance.corpus: rules[utterance.corpus]}
    fits = {corpus: told for corpus, rule in rules.items() if (told := _told(utterance.path, rule))}
    if len(fits) != 1:
        return utterance
    ((corpus, told),) = fits.items()
    return replace(
        utterance,
        corpus=utterance.corpus or corpus,
        speaker=utterance.speaker or f"{corpus}_{told['speaker']}",
        sentence=utterance.sentence or told.get("sentence", ""),
        label=utterance.label or told.get("label", ""),
    )


def _told(path: Path, rule: re.Pattern[str]) -> Mapping[str, str]:
    """What the shortest end of a path tells that fits the rule; nothing if none does."""
    parts = path.with_suffix("").parts
    ends = ("/".join(parts[start:]) for start in reversed(range(len(parts))))
    match = next(filter(None, map(rule.fullmatch, ends)), None)
    return match.groupdict("") if match else {}


@functools.cache
def _rules() -> Mapping[str, re.Pattern[str]]:
    """Corpus -> its rule."""
    found = {}
    for corpus in names("corpora"):
        module = find("corpora", corpus)
        described = getattr(module.CARD, "pattern", None)
        rule = re.compile(described, re.IGNORECASE) if described else vars(module).get("_NAME")
        if rule is not None and "speaker" in rule.groupindex:
            found[corpus] = rule
    return found
