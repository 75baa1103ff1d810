"""What is wrong, or good to know, within one side of a split: its recordings and its labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from voxplain.training.audit.findings import Finding, Weight
from voxplain.training.audit.sides import Side
from voxplain.training.audit.sounds import SHORT, Heard

__all__ = ["faults", "labelling", "rates", "unheard"]

_FAULTS: dict[str, tuple[Weight, str]] = {
    "unreadable": ("fault", "can't be decoded; copy them again"),
    "truncated": ("fault", "are shorter than their header or list says; copy them again"),
    "too short": ("fault", f"are shorter than {SHORT:g} s"),
    "silent": ("fault", "are silent; leave them out"),
    "clipped": ("fault", "are clipped"),
    "ends abruptly": ("note", "end at the level of speech, as if cut off"),
    "stereo": ("note", "have several channels, which are averaged"),
    "narrow band": ("note", "have the band of a telephone at a higher sampling rate"),
}


def faults(side: Side, heard: Sequence[Heard | None]) -> Iterator[Finding]:
    """Each fault of recordings, with those that have it."""
    for fault, (weight, what) in _FAULTS.items():
        found = [
            sound.trouble or str(one.path)
            for one, sound in zip(side.utterances, heard, strict=True)
            if sound and fault in sound.faults
        ]
        if found:
            yield _of(fault, weight, side, found, what)


def unheard(side: Side, heard: Sequence[Heard | None]) -> Iterator[Finding]:
    """Recordings that are not there, and so were not listened to."""
    found = [str(one.path) for one, it in zip(side.utterances, heard, strict=True) if it is None]
    if found:
        what = "are not there: their sound was not compared; say where they lie with --audio DIR"
        yield _of("not heard", "note", side, found, what)


def rates(side: Side, heard: Sequence[Heard | None], *, usual: int) -> Iterator[Finding]:
    """Recordings at another sampling rate than most."""
    odd = [
        f"{one.path} ({sound.sampling_rate} Hz)"
        for one, sound in zip(side.utterances, heard, strict=True)
        if sound and sound.sampling_rate not in (0, usual)
    ]
    if odd:
        what = f"have another sampling rate than the usual {usual} Hz"
        yield _of("other rate", "note", side, odd, what)


def _of(kind: str, weight: Weight, side: Side, found: Sequence[str], what: str) -> Finding:
    total = len(side.utterances)
    says = f"{len(found)} of {total} recordings of {side.name} {what}"
    return Finding(kind, weight, (side.name,), len(found), total, says, tuple(found))


_UNEVEN = 3  # times as many of the most frequent label as of the rarest


def labelling(side: Side, first: Side) -> Iterator[Finding]:
    """One class only, an uneven choice of labels, labels that the ``first`` side never shows."""
    count = Counter(side.labels)
    count.pop("", None)
    where, total = (side.name,), len(count)
    if total == 1:
        (label,) = count
        says = f"{side.name} has one class only, {label}: nothing can be told apart"
        yield Finding("one class", "fault", where, 1, 1, says)
    unlabelled = len(side.utterances) - count.total()
    if unlabelled:
        says = f"{unlabelled} of {len(side.utterances)} utterances of {side.name} have no label"
        yield Finding("no label", "note", where, unlabelled, len(side.utterances), says)
    if total > 1:
        ranked = count.most_common()
        (most, many), (least, few) = ranked[0], ranked[-1]
        if many >= _UNEVEN * few:
            says = (
                f"labels of {side.name} are uneven: {many} {most}, {few} {least}; always answering "
                f"{most} is right in {many / count.total():.0%}, so report UAR"
            )
            yield Finding("imbalance", "note", where, many, count.total(), says)
    new = sorted(count.keys() - set(first.labels)) if any(first.labels) else []
    if new:
        says = f"{side.name} has labels that {first.name} never shows: {', '.join(new)}"
        yield Finding("new labels", "fault", where, len(new), total, says, tuple(new))
