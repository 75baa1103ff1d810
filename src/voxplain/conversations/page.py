"""A conversation as one page: each voice over time, and every place of it a click away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from voxplain.audio.windows import LONGEST
from voxplain.conversations import words
from voxplain.conversations.results import Conversation, Turn, Voice
from voxplain.errors import ConfigError
from voxplain.models.judgement import DIMENSIONS
from voxplain.reports._charts import picture, strip
from voxplain.reports._figure import panel, scale
from voxplain.reports._how import SHADES, lanes, listing, shades
from voxplain.reports._markup import Child, Markup, element, named
from voxplain.reports._page import contents, limits, page, provenance
from voxplain.reports._parts import Section, fold, play, row, section, table
from voxplain.reports._sound import WHOLE_HEARD, compressed
from voxplain.reports._words import clock
from voxplain.types import Audio, Segment

__all__ = ["WHOLE_HEARD", "render"]

_COURSE = (
    f"{SHADES} The lines are the course of the voice, each in the band of its 90 % interval; a "
    "dashed line is a turning point."
)
_SAME = 0.1
"""Seconds by which a recording and its conversation may differ in length."""


def render(found: Conversation, *, audio: Audio | None = None, place: str | None = None) -> str:
    """An HTML page with the sound in it, ``audio``, or one that plays the file at ``place``.

    ``place`` is where the recording lies, from the folder of the page; without either there is
    nothing to hear. Sound of up to ``WHOLE_HEARD`` seconds is small enough to be held.

    Raises ConfigError for sound of another length.
    """
    if audio is not None and abs(audio.duration - found.duration) > _SAME:
        raise ConfigError(
            f"the audio lasts {audio.duration:.2f} s, but {found.duration:.2f} s were heard; give "
            "the recording that was"
        )
    source = compressed(audio) if audio is not None else place and quote(place)
    heard = Segment(0.0, found.duration) if source else None
    sections = [
        _listen(found, source, linked=audio is None),
        _turning_points(found, heard),
        *(_voice(found, voice, number) for number, voice in enumerate(found.voices)),
        _turns(found, heard),
        limits(),
        provenance(found.provenance),
    ]
    main = element("main", [one.markup for one in sections], id="main")
    title = f"How it sounds over time: {found.source}"
    media = "data:" if audio is not None else "'self' file:"
    return page(title, [_head(found), contents(sections), main], media=media)


def _head(found: Conversation) -> Markup:
    told = [
        element("li", element("b", named(words.called(voice))), f": {words.summary(found, voice)}")
        for voice in found.voices
    ]
    said = ". ".join(words.left_out(found))
    return element(
        "header",
        element(
            "div",
            element("p", named(found.source), class_="source"),
            element("h1", "How it sounds over time"),
            element("p", f"{words.counted(found)}. {said}{'.' if said else ''}", class_="lede"),
        ),
        [
            element("p", element("b", "Warning: "), f"{doubt}.", class_="warning")
            for doubt in found.warnings
        ],
        element("div", element("h2", "Voices"), element("ul", told), class_="findings"),
    )


def _listen(found: Conversation, source: str | None, *, linked: bool) -> Section:
    rows = [
        _lane(words.called(voice), [(turn.start, turn.end) for turn in found.of(voice)], found)
        for voice in found.voices
    ]
    if found.overlaps:
        rows.append(_lane("several", [(one.start, one.end) for one in found.overlaps], found))
    player = element(
        "audio",
        id="player",
        controls=True,
        preload="metadata",
        src=source,
        data_start=0.0,
        aria_label="The recording",
    )
    note = "The sound is that of the recording, which must stay where it is beside this page."
    return section(
        "listen",
        "Who speaks when",
        element("div", player, class_="tools") if source else None,
        lanes(rows, found.duration),
        element("p", note, class_="note") if source and linked else None,
    )


def _lane(name: str, spans: Sequence[tuple[float, float]], found: Conversation) -> list[Markup]:
    shown = strip(((start, end, 1.0) for start, end in spans), found.duration)
    return [element("span", named(name), title=name), shown]


def _turning_points(found: Conversation, heard: Segment | None) -> Section:
    points = sorted(
        ((point, voice) for voice in found.voices for point in voice.turning_points),
        key=lambda pair: pair[0].first,
    )
    rows = []
    for point, voice in points:
        where, name = clock(point.first), words.called(voice)
        end = min(point.first + LONGEST, found.duration)
        button = play(point.first, end, f"{name} from {where} on") if heard else None
        rows.append(row([button, where], named(name), words.turned(point), f"{point.p:.3f}"))
    head = ("From", "Voice", "Change and its 90 % interval", "By chance")
    return section(
        "turning",
        "Turning points",
        table(words.CHANGED, head, rows, class_="numbers")
        if rows
        else element("p", words.UNCHANGED),
    )


def _voice(found: Conversation, voice: Voice, number: int) -> Section:
    own = found.of(voice)
    judged = [turn for turn in own if turn.judged]
    rows: list[Child] = [*shades(own, tuple(voice.emotion.categories), found.duration)]
    rows += [
        _course(name, voice, judged, found.duration) for name in DIMENSIONS if name in voice.curves
    ]
    return section(
        f"voices.{number}",
        words.called(voice),
        element("p", words.summary(found, voice)),
        [*lanes(rows, found.duration), element("p", _COURSE, class_="note")] if rows else None,
    )


def _course(name: str, voice: Voice, judged: Sequence[Turn], duration: float) -> Markup:
    curve = voice.curves[name]
    middle = f"{curve.values.min():.2f} to {curve.values.max():.2f}"
    shapes = picture(
        list(_band(voice, name, judged, duration)),
        [
            element("path", d=f"M{1000 * point.first / duration:.2f} 0v100", class_="turning")
            for point in voice.turning_points
            if point.dimension == name
        ],
        label=f"{name.capitalize()} from {middle}",
    )
    return panel(name, shapes, scale("1", "0"), class_="line course")


def _band(voice: Voice, name: str, judged: Sequence[Turn], duration: float) -> Iterator[Markup]:
    curve = voice.curves[name]
    for turn, value, low, high in zip(judged, curve.values, curve.low, curve.high, strict=True):
        x, width = 1000 * turn.start / duration, 1000 * turn.duration / duration
        yield element(
            "rect",
            x=f"{x:.2f}",
            width=f"{width:.2f}",
            y=f"{100 * (1 - high):.1f}",
            height=f"{100 * (high - low):.1f}",
        )
        yield element("path", d=f"M{x:.2f} {100 * (1 - value):.1f}h{width:.2f}")


def _turns(found: Conversation, heard: Segment | None) -> Section:
    listed = listing(found.turns, "Turns", name="turns", heard=heard)
    return section("turns", "All turns", fold(f"{len(found.turns)} turns", listed))
