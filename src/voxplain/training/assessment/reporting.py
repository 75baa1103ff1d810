"""What a report says of a model on a corpus."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from voxplain import __version__
from voxplain.reports._words import share
from voxplain.training.assessment import figures
from voxplain.training.assessment.assess import Assessment
from voxplain.training.assessment.documents import (
    Cell,
    Document,
    Figure,
    Part,
    Section,
    Shade,
    Table,
)
from voxplain.training.assessment.drawing import curves
from voxplain.training.assessment.robustness import CLEAN, Curve
from voxplain.training.assessment.slices import FEW_CLIPS, FEW_SPEAKERS, per_speaker
from voxplain.training.scoring import Score
from voxplain.training.statistics import Interval

__all__ = ["document", "facts", "judged_by_strangers", "summary", "warnings"]

_FEW = 5
"""Speakers below which an interval means little."""
_TENTHS = [(part / 5, f"{part / 5:g}") for part in range(6)]
_SIGNIFICANT = 0.05
_WIDTH = 79
_UNORDERED = ("codec",)
"""Kinds of conditions whose levels are no scale."""
_SCORES = ("metric", "the model", "knowing nothing")
_RESAMPLED = "95 % intervals in brackets or below: 1,000 draws of speakers."


def document(found: Assessment) -> Document:
    """All that was found of one model on one corpus."""
    judged, corpus = found.judged, found.recordings
    speakers = len({one.speaker for one in judged.utterances} - {""})
    sections = [
        *(make(found) for make in (_recognition, _errors, _certainty) if found.views),
        _silence(found),
        _listeners(found),
        _dimensions(found),
        _robustness(found),
        _slices(found),
        _speakers(found),
    ]
    return Document(
        title=f"{found.judge.name} on {corpus.card.title if corpus.card else corpus.name}",
        source=f"{corpus.name}: {len(judged.utterances)} clips, {speakers} speakers",
        lede=_lede(found),
        warnings=tuple(warnings(found)),
        sections=[one for one in sections if one is not None],
        facts=facts(found),
    )


def _lede(found: Assessment) -> str:
    if not found.views:
        return "The model gives no categories; it is held against dimensions."
    shared = found.views[0]
    uar = found.recognition[shared.title]["UAR"].found.interval
    return (
        f"UAR {uar} over the {len(shared.labels)} labels that model and corpus share (chance "
        f"{shared.chance:.3f}; {uar.n} clips, {uar.speakers} speakers)."
    )


def judged_by_strangers(found: Assessment) -> str:
    """Whether the model had heard these speakers, and what was done about it."""
    if not found.judge.heads.known:
        return (
            "Whom the model heard in training is not known: nothing shows that these speakers "
            "were not among them."
        )
    if not found.heard:
        return (
            "By its card the model heard none of these speakers in training, as far as names tell."
        )
    total = len(set(found.judged.speakers.tolist()))
    said = f"{len(found.heard)} of {total} speakers of this corpus were heard in training."
    if found.lost:
        said += (
            f" {len(found.lost)} of them were heard by every head of the model: these figures are "
            "partly those of its training set."
        )
    if found.heard - found.lost:
        said += (
            f" {len(found.heard - found.lost)} of them are judged by heads that never heard them, "
            "not by the one that analyses use; the calibration has seen them."
        )
    return said


def warnings(found: Assessment) -> Iterator[str]:
    """What a reader must know first."""
    judged = found.judged
    total = len(judged.utterances)
    if found.heard or not found.judge.heads.known:
        yield judged_by_strangers(found)
    yield from found.judge.notes
    unread = [one.reason for one in judged.judgements if one.emotion is None]
    if unread:
        first = unread[0].partition(": ")[2]
        yield f"{len(unread)} of {total} recordings can't be read; the first: {first}"
    nobody = sum(not one.speaker for one in judged.utterances)
    if nobody:
        yield (
            f"nobody knows the speakers of {nobody} of {total} clips: each file counts as a "
            "speaker, which makes intervals too narrow, and the model may have heard them."
        )
    speakers = len(set(judged.speakers.tolist()))
    if speakers < _FEW:
        yield f"with {speakers} speakers an interval clustered by speaker means little."
    if found.recordings.unnamed:
        labels = Counter(one.label for one in judged.utterances if not one.emotion)
        told = ", ".join(f"{name or 'none'} ({n})" for name, n in labels.most_common(5))
        yield (
            f"{found.recordings.unnamed} of {total} clips have a label without a place among the "
            f"known emotions and take no part in recognition: {told}."
        )


def facts(found: Assessment) -> list[tuple[str, str]]:
    """What the figures stand on."""
    card = found.recordings.card
    of_corpus = (
        [("corpus", card.title), ("citation", card.citation), ("licence", card.licence)]
        if card
        else [("corpus", found.recordings.name)]
    )
    return [
        ("voxplain", __version__),
        ("model", found.judge.name),
        ("SHA-256 of the model", found.judge.sha256),
        *of_corpus,
    ]


def summary(found: Assessment) -> str:
    """For a terminal of 80 columns."""
    judged = found.judged
    speakers = len({one.speaker for one in judged.utterances} - {""})
    lines = [
        f"{found.judge.name} on {found.recordings.name}: {len(judged.utterances)} clips, "
        f"{speakers} speakers",
        *(f"Warning: {one}" for one in warnings(found)),
        _abstentions(found),
    ]
    lines = [row for one in lines for row in textwrap.wrap(one, _WIDTH)]
    for view in found.views:
        title = f"{view.title} (chance {view.chance:.3f}): {', '.join(view.spoken)}"
        lines += ["", *textwrap.wrap(title, _WIDTH)]
        lines.append(f"  {'':<20} {'':<22} knowing nothing")
        for name, score in _ordered(found.recognition[view.title]):
            lines.append(f"  {name:<20} {score.found.interval}   {_number(score.chance)}")
            if name == "UAR" and view.silent.utterances:
                lines.append(f"  {'with silence missed':<20} {found.silence_missed[view.title]}")
    for name, score in found.dimensions.items() if not found.views else ():
        lines.append(f"  {name:<20} {score.found.interval}   {_number(score.chance)}")
    for kind, curve in found.curves.items():
        if not curve:
            lines += ["", f"No {kind}: there are clips with nobody else to make it of."]
            continue
        lines += ["", f"{kind.capitalize():<22} UAR with silence missed    judged"]
        lines += [
            f"  {level:<20} {row['UAR, silence missed']}       {share(row['judged'].value)}"
            for level, row in curve.items()
        ]
    apart = [one for one in found.slices if one.gap.p < _SIGNIFICANT]
    if found.slices:
        lines += [
            "",
            f"{len(apart)} of {len(found.slices)} slices differ from all others (p < "
            f"{_SIGNIFICANT}, Holm)" + (":" if apart else ""),
        ]
        lines += [f"  {f'{one.trait}: {one.value}':<28} {one.gap}" for one in apart]
    return "\n".join(lines)


def _abstentions(found: Assessment) -> str:
    judged = found.judged
    silent, total = int(np.sum(~judged.told)), len(judged.utterances)
    open_ = sum(bool(one.reason) for one in judged.judgements) - silent
    return (
        f"Nothing is said of {silent} of {total} clips ({share(silent / total)}). Of {open_} more "
        f"({share(open_ / total)}) the verdict is left open, and the most probable label counts."
    )


def _recognition(found: Assessment) -> Section:
    parts: list[Part] = [] if found.heard else [judged_by_strangers(found)]
    parts += [
        "Over shared labels the most probable of these counts, and clips with other labels take no "
        "part; over all labels the model's most probable label counts, and a label that it does "
        "not know can't be found."
        if len(found.views) > 1
        else "Model and corpus have the same labels.",
        "Knowing nothing: always the most frequent label, or the shares of the labels. "
        + _RESAMPLED,
    ]
    for view in found.views:
        shown = _scores(found.recognition[view.title])
        rows = [shown[0], ("UAR, silence missed", found.silence_missed[view.title], ""), *shown[1:]]
        uar = found.recognition[view.title]["UAR"].found
        caption = f"{view.title}: {', '.join(view.spoken)}. {uar.n} clips, {uar.speakers} speakers"
        parts.append(Table(caption, _SCORES, rows))
    return Section("recognition", "Recognition", parts)


def _scores(found: Mapping[str, Score]) -> list[tuple[Cell, ...]]:
    """A row for each, UAR first, and what would be had without listening."""
    return [(name, one.found.interval, _number(one.chance)) for name, one in _ordered(found)]


def _ordered(found: Mapping[str, Score]) -> list[tuple[str, Score]]:
    return sorted(found.items(), key=lambda item: item[0] != "UAR")


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _probability(p: float) -> str:
    return "" if math.isnan(p) else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _errors(found: Assessment) -> Section:
    view = found.views[0]
    counts = view.confusion
    rows: list[tuple[Cell, ...]] = []
    for label, line in zip(view.labels, counts.tolist(), strict=True):
        if sum(line):
            cells = [
                Shade(f"{share(n / sum(line))}\n{n}", n / sum(line), marked=column == label)
                for column, n in zip(view.labels, line, strict=True)
            ]
            rows.append((label, *cells))
    recall = figures.recall(view)
    return Section(
        "errors",
        "What is taken for what",
        [
            Table(
                "Share of the clips with a label that are found",
                ("label", "recall", "clips", "speakers"),
                [(name, one, str(one.n), str(one.speakers)) for name, one in recall.items()],
                axis=(0.0, 1.0),
                mark=view.chance,
                name="recall",
            ),
            Table("Confusion: truth in rows, prediction in columns", ("", *view.labels), rows),
        ],
    )


def _certainty(found: Assessment) -> Section:
    view = found.views[0]

    def points(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, Interval]]:
        return [(x, Interval(y, y, y, 0, 0)) for x, y in pairs]

    bins, risk = figures.reliability(view), figures.risk(view)
    return Section(
        "certainty",
        "Does it know when it is right?",
        [
            Figure(
                "reliability",
                "Reliability: how often it is right, by how probable it takes its label to be. "
                "On the dotted line both are the same.",
                curves(
                    {"the model": points([(x, y) for x, y, _ in bins])},
                    title="Reliability",
                    x="probability of the label",
                    y="share right",
                    ticks=_TENTHS,
                    diagonal=True,
                ),
            ),
            Figure(
                "risk",
                "Risk and coverage: the share of errors if only the surest share is judged.",
                curves(
                    {"the model": points(risk)},
                    title="Risk and coverage",
                    x="share of the clips that are judged",
                    y="share of errors",
                    ticks=_TENTHS,
                    span=(0.0, max(0.2, math.ceil(5 * max(y for _, y in risk)) / 5)),
                ),
            ),
        ],
        [
            Table(
                "Reliability",
                ("probability of the label", "share right", "clips"),
                [(f"{x:.3f}", f"{y:.3f}", str(n)) for x, y, n in bins],
            )
        ],
        "The bins in numbers",
    )


def _silence(found: Assessment) -> Section:
    rows = [(reason, str(n)) for reason, n in found.reasons.items()]
    table = [Table("Why the verdict is silent, or open", ("reason", "clips"), rows)] if rows else []
    return Section("silence", "When nothing is said", [_abstentions(found), *table])


def _listeners(found: Assessment) -> Section | None:
    if not found.listeners:
        return None
    said = (
        "Predicted shares of the listeners beside the votes of those who had only the voice; "
        "the Jensen-Shannon divergence is in bits."
    )
    return Section("listeners", "What listeners hear", [said, _table_of("Votes", found.listeners)])


def _dimensions(found: Assessment) -> Section | None:
    if not found.dimensions:
        return None
    table = _table_of(f"Against {found.basis}", found.dimensions)
    return Section("dimensions", "Dimensions", [table])


def _table_of(caption: str, found: Mapping[str, Score]) -> Table:
    basis = next(iter(found.values())).found
    caption = f"{caption}; {basis.n} clips, {basis.speakers} speakers"
    return Table(caption, _SCORES, _scores(found))


def _robustness(found: Assessment) -> Section | None:
    known = {kind: one for kind, one in found.curves.items() if one}
    if not found.curves:
        return None
    parts: list[Part] = []
    if known:
        clean = next(iter(known.values()))[CLEAN]["judged"]
        parts.append(
            f"A sample of {clean.n} clips of {clean.speakers} speakers, over "
            f"{len(found.views[0].labels)} labels, as recorded and changed. UAR is that of what is "
            "still judged; with silence missed, a clip of which nothing is said counts as an "
            "error. The dotted line is chance."
        )
    if len(known) < len(found.curves):
        parts.append("No babble: there are clips with nobody else to make it of.")
    drawn = [one for one in known.items() if one[0] not in _UNORDERED]
    parts += [_curve(kind, one, found.views[0].chance) for kind, one in drawn]
    numbers = [
        Table(
            f"{kind.capitalize()}, level by level",
            (kind, "UAR", "silence missed", "judged"),
            [
                (level, row.get("UAR", "–"), row["UAR, silence missed"], row["judged"])
                for level, row in one.items()
            ],
            axis=(0.0, 1.0) if kind in _UNORDERED else None,
            mark=found.views[0].chance,
            name=f"robustness-{kind}",
        )
        for kind, one in known.items()
    ]
    parts += [one for one in numbers if one.axis]
    folded = [one for one in numbers if not one.axis]
    return Section("robustness", "In worse conditions", parts, folded, "All levels in numbers")


def _curve(kind: str, one: Curve, chance: float) -> Figure:
    drawn = {
        title: [(float(place), row[key]) for place, row in enumerate(one.values()) if key in row]
        for title, key in (("of what is judged", "UAR"), ("silence missed", "UAR, silence missed"))
    }
    ticks = [(float(place), level.removeprefix("below ")) for place, level in enumerate(one)]
    return Figure(
        f"robustness-{kind.replace(' ', '-')}",
        f"{kind.capitalize()}: UAR of what is judged (solid), with silence missed (dashed)",
        curves(drawn, title=kind, x=kind, y="UAR", ticks=[(0.0, "clean"), *ticks[1:]], mark=chance),
    )


def _slices(found: Assessment) -> Section | None:
    if not found.slices:
        return None
    parts: list[Part] = [
        "Each slice beside all other clips, over the labels that both have; speakers are drawn "
        "anew, together where the same speak on both sides. p is corrected for all slices (Holm). "
        f"Few: under {FEW_SPEAKERS} speakers or {FEW_CLIPS} clips, which shows nothing.",
    ]
    for trait in dict.fromkeys(one.trait for one in found.slices):
        rows = [
            (
                one.value + (" (few)" if one.few else ""),
                one.uar,
                f"{one.uar.n} / {one.uar.speakers}",
                one.gap if math.isfinite(one.gap.value) else "",
                _probability(one.gap.p),
            )
            for one in found.slices
            if one.trait == trait
        ]
        head = (trait, "UAR", "clips / speakers", "gap to the others", "p")
        parts.append(
            Table(
                f"By {trait}",
                head,
                rows,
                axis=(0.0, 1.0),
                mark=found.views[0].chance,
                name=f"slices-{trait}",
            )
        )
    return Section("slices", "For whom, and of what", parts)


def _speakers(found: Assessment) -> Section | None:
    if not found.views:
        return None
    apart = per_speaker(found.views[0])
    values = np.array([uar for uar, _ in apart.values()])
    low, quarter, half, three, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    rows = [(name, f"{uar:.3f}", str(n)) for name, (uar, n) in apart.items()]
    return Section(
        "speakers",
        "Speaker by speaker",
        [
            f"UAR over the labels of each speaker: from {low:.2f} to {high:.2f}, half of the "
            f"speakers between {quarter:.2f} and {three:.2f}, the median is {half:.2f}."
        ],
        [Table("The worst first", ("speaker", "UAR", "clips"), rows)],
        "All speakers",
    )
