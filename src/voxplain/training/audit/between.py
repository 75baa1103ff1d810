"""What two sides of a split have in common: speakers, sentences, recordings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from voxplain.training.audit.copies import near_copies
from voxplain.training.audit.findings import Finding
from voxplain.training.audit.sides import Side
from voxplain.training.audit.sounds import Heard
from voxplain.training.corpora._reading import Utterance

__all__ = ["Copy", "copies", "shared_recordings", "shared_sentences", "shared_speakers", "unknown"]


def shared_speakers(one: Side, other: Side, pattern: re.Pattern[str] | None) -> Iterator[Finding]:
    """Speakers on both sides, by whichever way of naming them shows most."""
    found = [
        (set(here) & set(there) - {""}, there, how)
        for (here, how), (there, _) in zip(
            _namings(one, pattern), _namings(other, pattern), strict=True
        )
    ]
    shared, names, how = max(found, key=lambda naming: (len(naming[0]), len(set(naming[1]))))
    if shared:
        count, clips = Counter(names), len(other.utterances)
        heard = sum(count[name] for name in shared)
        total = len(count.keys() - {""})
        yield Finding(
            "shared speakers", "leak", (one.name, other.name), len(shared), total,
            f"{len(shared)} of {total} speakers of {other.name} are in {one.name} too ({how}): "
            f"{heard} of its {clips} clips",
            tuple(sorted(shared)),
        )  # fmt: skip


def unknown(side: Side, pattern: re.Pattern[str] | None) -> Iterator[Finding]:
    """Clips of which nothing tells the speaker."""
    namings = [names for names, _ in _namings(side, pattern)]
    nameless = [
        str(one.path)
        for one, *names in zip(side.utterances, *namings, strict=True)
        if not any(names)
    ]
    if nameless:
        yield Finding(
            "unknown speakers", "unknown", (side.name,), len(nameless), len(side.utterances),
            "nothing tells their speakers, so that nobody can say whether they are on both sides; "
            "give a column speaker, or --speaker-pattern REGEX with one group",
            tuple(nameless),
        )  # fmt: skip


def _namings(side: Side, pattern: re.Pattern[str] | None) -> list[tuple[tuple[str, ...], str]]:
    """A speaker for each clip, in each way of telling; empty where that way doesn't tell."""
    ways = [(side.by_file, "by the names of files"), (side.by_column, "as listed")]
    return ways if pattern is None else [*ways, (side.by_pattern(pattern), "by the pattern")]


def shared_sentences(one: Side, other: Side, *, disjoint: bool) -> Iterator[Finding]:
    """Sentences on both sides: a leak only where it was asked that they be ``disjoint``."""
    here, there = ({_words(said) for said in side.sentences} - {""} for side in (one, other))
    shared, sides = here & there, (one.name, other.name)
    if disjoint and not (here and there):
        yield Finding(
            "unknown sentences", "unknown", sides, 0, 0,
            "nothing tells what is said on both sides; give a column sentence or text",
        )  # fmt: skip
    if shared:
        why = "" if disjoint else "; acted corpora do so by design"
        yield Finding(
            "shared sentences", "leak" if disjoint else "note", sides, len(shared), len(there),
            f"{len(shared)} of {len(there)} sentences of {other.name} are in {one.name} too{why}",
            tuple(sorted(shared)),
        )  # fmt: skip


def _words(said: str) -> str:
    return " ".join(re.findall(r"\w+", said.lower()))


class Copy(NamedTuple):
    """Two utterances (by their number) that are one recording, and how that is known."""

    one: int
    other: int
    how: str


def copies(utterances: Sequence[Utterance], heard: Sequence[Heard | None]) -> list[Copy]:
    """All pairs that are listed twice, sample by sample identical, or nearly identical."""
    found = dict.fromkeys(_overlapping(utterances), "listed twice")
    same: dict[str, list[int]] = {}
    for number, sound in enumerate(heard):
        if sound and sound.digest:
            same.setdefault(sound.digest, []).append(number)
    for numbers in same.values():
        found = dict.fromkeys(combinations(numbers, 2), "identical audio") | found
    known = [number for number, sound in enumerate(heard) if sound and sound.digest]
    if known:
        prints = np.array([sound.fingerprint for sound in heard if sound and sound.digest])
        for one, other in near_copies([utterances[number] for number in known], prints):
            found.setdefault((known[one], known[other]), "nearly identical audio")
    return [Copy(*pair, how) for pair, how in sorted(found.items())]


def _overlapping(utterances: Sequence[Utterance]) -> Iterator[tuple[int, int]]:
    """Pairs of stretches of one file that have a moment in common."""
    by_file: dict[str, list[int]] = {}
    for number, one in enumerate(utterances):
        by_file.setdefault(str(one.path.absolute()), []).append(number)
    for numbers in by_file.values():
        for pair in combinations(numbers, 2):
            first, second = sorted((utterances[number] for number in pair), key=lambda u: u.start)
            if first.end is None or second.start < first.end:
                yield pair


def shared_recordings(sides: Sequence[Side], found: Sequence[Copy]) -> Iterator[Finding]:
    """Copies on two sides, copies on one, and copies with two labels."""
    owner = [number for number, side in enumerate(sides) for _ in side.utterances]
    names = [one.path.name for side in sides for one in side.utterances]
    labels = [label for side in sides for label in side.labels]
    groups: dict[tuple[int, int, str], list[Copy]] = {}
    for copy in found:
        groups.setdefault((owner[copy.one], owner[copy.other], copy.how), []).append(copy)
    for (here, there, how), group in sorted(groups.items()):
        one, other = sides[here], sides[there]
        count, total = len({copy.other for copy in group}), len(other.utterances)
        apart = here != there
        yield Finding(
            how, "leak" if apart else "note",
            (one.name, other.name) if apart else (one.name,), count, total,
            f"{count} of {total} recordings of {other.name} are "
            + (f"in {one.name} too: {how}" if apart else f"there once more: {how}"),
            tuple(f"{names[copy.one]} = {names[copy.other]}" for copy in group),
        )  # fmt: skip
    torn = [one for one in found if "" != labels[one.one] != labels[one.other] != ""]
    if torn:
        yield Finding(
            "two labels", "fault", tuple(side.name for side in sides), len(torn), len(found),
            "the same recording has two labels; leave both out",
            tuple(
                f"{names[one.one]} ({labels[one.one]}) = {names[one.other]} ({labels[one.other]})"
                for one in torn
            ),
        )  # fmt: skip
