"""What a corpus holds, before anything is learned from it or tested on it."""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import __version__
from voxplain.descriptors import inventory
from voxplain.feature_table import Options, Recording, tables
from voxplain.reports._words import clock, share
from voxplain.training.assessment.documents import (
    Cell,
    Document,
    Part,
    Section,
    Shade,
    Spread,
    Table,
)
from voxplain.training.assessment.recordings import Recordings, duration
from voxplain.training.corpora._reading import Utterance
from voxplain.types import Segment

__all__ = ["Descriptor", "Exploration", "document", "explore", "plain", "summary"]

_SHOWN = 6
"""Descriptors that are drawn."""
_LEAST_CLIPS = 3  # of an emotion, for its quartiles
_FEW = 3  # speakers of an emotion, below which it may as well be they that are learned
_MOST_VALUES = 20  # of what is listed


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor by emotion, in a sample."""

    spreads: Mapping[str, Spread]
    """Emotion -> median and quartiles."""
    explained: float
    """Share of the variance between clips that lies between emotions (eta squared)."""
    clips: int

    @property
    def by_chance(self) -> float:
        """The share that labels dealt out at random would explain, on average."""
        return (len(self.spreads) - 1) / (self.clips - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Exploration:
    """A corpus in numbers."""

    recordings: Recordings
    seconds: NDArray[np.float64]
    """(n,) of each utterance; NaN where the file doesn't say."""
    descriptors: Mapping[str, Descriptor]
    """Those that differ most between emotions first."""
    sample: int
    """Clips that were measured."""

    def counts(self, what: str) -> Counter[str]:
        """Value -> how many utterances; of a field such as emotion, speaker or split."""
        return Counter(getattr(one, what) for one in self.recordings.utterances)


def explore(
    recordings: Recordings,
    *,
    sample: int = 300,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Exploration:
    """Count everything, and measure the descriptors of a random sample of the labelled clips.

    ``progress`` is called for each clip that is measured.
    """
    utterances = recordings.utterances
    named = [one for one in utterances if one.emotion]
    drawn = np.random.default_rng(seed).permutation(len(named))[:sample]
    chosen = [named[row] for row in np.sort(drawn).tolist()]
    measured = []
    for table in tables(map(_recording, chosen), Options(), jobs=jobs):
        measured.append(table)
        progress()
    found = _descriptors(chosen, measured)
    ranked = sorted(found.items(), key=lambda item: -item[1].explained)
    seconds = np.array([duration(one) for one in utterances])
    return Exploration(recordings, seconds, dict(ranked), len(chosen))


def _recording(utterance: Utterance) -> Recording:
    if not utterance.start and utterance.end is None:
        return Recording(utterance.path)
    end = utterance.start + duration(utterance)
    return Recording(utterance.path, intervals=(Segment(utterance.start, end),))


def _descriptors(
    utterances: Sequence[Utterance], measured: Sequence[Mapping[str, list[Any]]]
) -> dict[str, Descriptor]:
    """Of the descriptors that a summary may name, where they are reliable."""
    emotions = np.array([one.emotion for one in utterances])
    found = {}
    for name, card in inventory().items():
        if not card.telling:
            continue
        values = np.array(
            [
                np.nan if "error" in one or name in one["unreliable"][0].split() else one[name][0]
                for one in measured
            ],
            float,
        )
        known = np.isfinite(values)
        groups = {
            label: values[known & (emotions == label)] for label in np.unique(emotions).tolist()
        }
        groups = {label: own for label, own in groups.items() if len(own) >= _LEAST_CLIPS}
        if len(groups) > 1:
            found[name] = _descriptor(groups)
    return found


def _descriptor(groups: Mapping[str, NDArray[np.float64]]) -> Descriptor:
    everything = np.concatenate(list(groups.values()))
    between = sum(len(own) * (own.mean() - everything.mean()) ** 2 for own in groups.values())
    total = float(np.sum(np.square(everything - everything.mean())))
    spreads = {
        label: Spread(*np.quantile(own, [0.5, 0.25, 0.75]).tolist())
        for label, own in groups.items()
    }
    return Descriptor(spreads, float(between) / total if total else 0.0, len(everything))


def plain(found: Exploration) -> dict[str, Any]:
    """All numbers as JSON takes them."""
    known = found.seconds[np.isfinite(found.seconds)]
    return {
        "corpus": found.recordings.name,
        "clips": len(found.recordings.utterances),
        "speakers": _speakers(found),
        "seconds": float(known.sum()),
        **{what: dict(found.counts(what).most_common()) for what in _LISTED},
        "clips of a speaker": dict(found.counts("speaker").most_common()),
        "sample": found.sample,
        "descriptors": {
            name: {
                "explained": one.explained,
                "by chance": one.by_chance,
                "clips": one.clips,
                "median and quartiles": {
                    label: [spread.middle, spread.low, spread.high]
                    for label, spread in one.spreads.items()
                },
            }
            for name, one in found.descriptors.items()
        },
    }


_LISTED = {
    "emotion": "Emotions",
    "label": "As the corpus writes them",
    "sex": "Sex of the speakers",
    "split": "Splits",
    "language": "Languages",
    "strength": "Strength of the portrayal",
    "sentence": "Sentences",
}
"""Field of an utterance -> the title of its counts."""


def _speakers(found: Exploration) -> int:
    return len(found.counts("speaker").keys() - {""})


def summary(found: Exploration) -> str:
    """For a terminal of 80 columns."""
    counts = found.counts("emotion")
    warnings = (textwrap.wrap(f"Warning: {one}", 79) for one in _warnings(found))
    lines = [_headline(found), *itertools.chain.from_iterable(warnings), ""]
    lines += [
        f"  {label or '(no name)':<14}{n:>7}  {share(n / counts.total())}"
        for label, n in counts.most_common()
    ]
    if found.descriptors:
        lines += ["", f"Most different between emotions, of {found.sample} clips:"]
        for name, one in list(found.descriptors.items())[:_SHOWN]:
            lines.append(
                f"  {inventory()[name].title:<40} {one.explained:.2f} of the variance "
                f"(by chance {one.by_chance:.2f})"
            )
    return "\n".join(lines)


def _headline(found: Exploration) -> str:
    hours = clock(float(np.nansum(found.seconds)))
    total = len(found.recordings.utterances)
    return f"{found.recordings.name}: {total} clips, {_speakers(found)} speakers, {hours}"


def _warnings(found: Exploration) -> list[str]:
    utterances = found.recordings.utterances
    told = []
    nobody = sum(not one.speaker for one in utterances)
    if nobody:
        told.append(
            f"{found.recordings.name}: nobody knows the speakers of {nobody} of {len(utterances)} "
            "clips, and splits of them may share some"
        )
    for emotion in sorted(found.counts("emotion").keys() - {""}):
        speakers = {one.speaker for one in utterances if one.emotion == emotion}
        if len(speakers) < _FEW:
            whom = f"{len(speakers)} speaker{'s' if len(speakers) > 1 else ''}"
            told.append(
                f"{found.recordings.name}: all that is labelled {emotion} comes from {whom}"
            )
    splits: dict[str, set[str]] = {}
    for utterance in utterances:
        if utterance.split and utterance.speaker:
            splits.setdefault(utterance.split, set()).add(utterance.speaker)
    for one, other in itertools.combinations(sorted(splits), 2):
        if both := splits[one] & splits[other]:
            told.append(
                f"{found.recordings.name}: {one} and {other} share speakers, {len(both)} in all"
            )
    return told


def document(explorations: Sequence[Exploration]) -> Document:
    """All corpora: side by side first, then each."""
    head = ("corpus", "clips", "speakers", "emotions", "length", "median of a clip")
    rows: list[tuple[Cell, ...]] = [
        (
            one.recordings.name,
            str(len(one.recordings.utterances)),
            str(_speakers(one)),
            str(len(one.counts("emotion").keys() - {""})),
            clock(float(np.nansum(one.seconds))),
            f"{np.nanmedian(one.seconds):.1f} s",
        )
        for one in explorations
    ]
    warnings = [told for one in explorations for told in _warnings(one)]
    cards = [one.recordings.card for one in explorations]
    return Document(
        title=" and ".join(one.recordings.name for one in explorations),
        source="Exploration of corpora" if len(explorations) > 1 else "Exploration of a corpus",
        lede="What is there, and how it sounds by the labels it has. What should not be there "
        "(shared speakers, copies, faults) is found by voxplain audit.",
        warnings=tuple(warnings),
        sections=[
            Section("corpora", "In short", [Table("What is there", head, rows)]),
            *(section for one in explorations for section in _sections(one)),
        ],
        facts=[
            ("voxplain", __version__),
            *(
                (card.title, f"{card.citation}; {card.licence}")
                for card in cards
                if card is not None
            ),
        ],
    )


def _sections(found: Exploration) -> list[Section]:
    name = found.recordings.name
    sections = [
        Section(f"{name}-counts", f"{name}: labels", _counts(found)),
        Section(f"{name}-speakers", f"{name}: speakers", *_by_speaker(found)),
        Section(f"{name}-durations", f"{name}: durations", [_durations(found)]),
    ]
    if found.descriptors:
        sections.append(Section(f"{name}-descriptors", f"{name}: descriptors", *_measured(found)))
    return sections


def _counts(found: Exploration) -> list[Part]:
    parts: list[Part] = []
    for what, title in _LISTED.items():
        counts = found.counts(what)
        alike = what == "label" and set(counts) <= set(found.counts("emotion"))
        if len(counts) < 2 or len(counts) > _MOST_VALUES or alike:
            continue
        most = max(counts.values())
        rows: list[tuple[Cell, ...]] = []
        for value, n in counts.most_common():
            own = [one for one in found.recordings.utterances if getattr(one, what) == value]
            shade = Shade(f"{n}", n / most)
            people = len({one.speaker for one in own} - {""})
            told = f"{value}: {own[0].emotion or 'no name'}" if what == "label" else value
            rows.append((told or "(none)", shade, share(n / counts.total()), str(people)))
        parts.append(Table(title, ("", "clips", "share", "speakers"), rows))
    return parts


def _by_speaker(found: Exploration) -> tuple[list[Part], list[Part], str]:
    counts = found.counts("speaker")
    low, half, high = np.quantile(list(counts.values()), [0, 0.5, 1])
    emotions = sorted(found.counts("emotion").keys() - {""})
    rows: list[tuple[Cell, ...]] = []
    for speaker in sorted(counts):
        own = Counter(one.emotion for one in found.recordings.utterances if one.speaker == speaker)
        cells = [Shade(str(own[label]), own[label] / counts[speaker]) for label in emotions]
        rows.append((speaker or "(nobody knows)", *cells, str(counts[speaker])))
    said = f"Between {low:.0f} and {high:.0f} clips of a speaker, the median is {half:.0f}."
    table = Table("Clips of each speaker by emotion", ("", *emotions, "all"), rows)
    return [said], [table], "Speaker by speaker"


def _durations(found: Exploration) -> Table:
    emotions = np.array([one.emotion for one in found.recordings.utterances])
    groups = {"all": found.seconds} | {
        label: found.seconds[emotions == label] for label in sorted(set(emotions.tolist()) - {""})
    }
    spreads = {
        label: Spread(*np.nanquantile(own, [0.5, 0.25, 0.75]).tolist())
        for label, own in groups.items()
    }
    return _drawn("Duration in s", spreads, name=f"durations-{found.recordings.name}")


def _drawn(caption: str, spreads: Mapping[str, Spread], *, name: str) -> Table:
    low = min(one.low for one in spreads.values())
    high = max(one.high for one in spreads.values())
    room = 0.1 * (high - low) or 1.0
    rows: list[tuple[Cell, ...]] = [(label, one) for label, one in spreads.items()]
    axis = (low - room, high + room)
    return Table(f"{caption}: median and quartiles", ("", "median"), rows, axis=axis, name=name)


def _measured(found: Exploration) -> tuple[list[Part], list[Part], str]:
    said = (
        f"Of {found.sample} labelled clips drawn at random; the descriptors that differ most "
        "between emotions, by the share of the variance between clips that the labels explain. "
        "Speakers differ too: this is no test."
    )
    drawn = [
        _drawn(
            f"{_titled(name)}, explained {one.explained:.2f}",
            one.spreads,
            name=f"{found.recordings.name}-{name}",
        )
        for name, one in list(found.descriptors.items())[:_SHOWN]
    ]
    rows: list[tuple[Cell, ...]] = [
        (_titled(name), f"{one.explained:.3f}", f"{one.by_chance:.3f}", str(one.clips))
        for name, one in found.descriptors.items()
    ]
    head = ("descriptor", "variance explained", "by chance", "clips")
    return [said, *drawn], [Table("All of them", head, rows)], "All descriptors"


def _titled(name: str) -> str:
    card = inventory()[name]
    return f"{card.title} ({card.unit})" if card.unit else card.title
