"""Are the sides of a split apart, and is what lies in them sound?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations, islice
from multiprocessing import get_context

from voxplain.errors import ConfigError
from voxplain.training.audit import between, within
from voxplain.training.audit.findings import Audit, Finding, Summary
from voxplain.training.audit.sides import Side, read_sides
from voxplain.training.audit.sounds import Heard, listen
from voxplain.training.corpora._reading import Utterance

__all__ = ["Audit", "Finding", "Side", "Summary", "audit", "read_sides"]

_ORDER = ("leak", "unknown", "fault", "note")


def audit(
    *sides: Side,
    speaker_pattern: str | None = None,
    sentences_disjoint: bool = False,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda heard: None,
) -> Audit:
    """Hold the sides of a split against each other, and look at what lies in each.

    ``read_sides`` reads them from lists and folders; the first is what is trained on. Speakers
    and recordings must not be on two sides. Speakers are compared as their column names them, as
    the file names of known corpora do, and by ``speaker_pattern``, a regular expression with one
    group that is searched in the path; one that nobody names makes the audit fail. Recordings that
    are not there are not heard, and the audit says so. ``progress`` is told how many were.

    Raises ConfigError for a pattern that can't be used.
    """
    pattern = _compiled(speaker_pattern)
    utterances = [one for side in sides for one in side.utterances]
    heard = []
    for sound in _listened(utterances, jobs=jobs):
        heard.append(sound)
        progress(len(heard))
    found: list[Finding] = []
    for one, other in combinations(sides, 2):
        found += between.shared_speakers(one, other, pattern)
        found += between.shared_sentences(one, other, disjoint=sentences_disjoint)
    found += between.shared_recordings(sides, between.copies(utterances, heard))
    usual = Counter(one.sampling_rate for one in heard if one and one.sampling_rate)
    rest = iter(heard)
    summaries = []
    for side in sides:
        sounds = list(islice(rest, len(side.utterances)))
        if len(sides) > 1:
            found += between.unknown(side, pattern)
        found += within.faults(side, sounds)
        if usual:
            found += within.rates(side, sounds, usual=usual.most_common(1)[0][0])
        found += within.labelling(side, sides[0])
        found += within.unheard(side, sounds)
        summaries.append(_summary(side, sounds))
    return Audit(tuple(summaries), tuple(sorted(found, key=lambda one: _ORDER.index(one.weight))))


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    try:
        found = None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"the speaker pattern {pattern!r} can't be used: {error}") from error
    if found and found.groups != 1:
        raise ConfigError(f"the speaker pattern {pattern!r} needs one group, as in actor(\\d+)")
    return found


def _listened(utterances: Sequence[Utterance], *, jobs: int) -> Iterator[Heard | None]:
    if jobs == 1:
        yield from map(_heard, utterances)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_heard, utterances, chunksize=_CHUNK)


_CHUNK = 32  # utterances handed to a process at once


def _heard(utterance: Utterance) -> Heard | None:
    """None where the recording is not there."""
    return listen(utterance) if utterance.path.is_file() else None


def _summary(side: Side, heard: Sequence[Heard | None]) -> Summary:
    sounds = [one for one in heard if one]
    named = zip(side.by_column, side.by_file, strict=True)
    labels = Counter(side.labels)
    return Summary(
        name=side.name,
        utterances=len(side.utterances),
        speakers=len({column or file for column, file in named} - {""}),
        labels={label: labels[label] for label in sorted(labels.keys() - {""})},
        heard=len(sounds),
        hours=sum(one.seconds for one in sounds) / 3600,
    )
