"""The picture of a sound: all that is known of it over time, above one another."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from voxplain.reports import _sound
from voxplain.reports._charts import across, percent, picture
from voxplain.reports._markup import Markup, element
from voxplain.reports._said import lane
from voxplain.reports._words import number, place
from voxplain.types import Analysis, Attribution, Audio, Explanation, Segment, Track

__all__ = ["figure", "panel", "scale", "shown"]

_FAINTEST = 0.02
"""Share of the strongest score below which a part of an attribution is not drawn."""
_LINES = {"f0_hz": ("F0", "Hz"), "intensity_db": ("Intensity", "dB")}


def figure(analysis: Analysis, sound: Audio | None) -> Markup | None:
    """Moments, words, waveform, F0, intensity and spectrogram over one axis of time.

    ``sound`` is what the page holds of the recording (``_sound.heard``).
    """
    stretch = _sound.seen(analysis)
    first = _sound.heard(analysis).start
    inside = Segment(stretch.start - first, stretch.end - first)
    drawn = _sound.cut(sound, inside) if sound is not None else None
    explanation = analysis.explanation
    moments = list(_moments(explanation, stretch)) if explanation else []
    panels = list(_panels(analysis, drawn, stretch))
    words = lane(analysis, stretch, heard=stretch if drawn is not None else None)
    if not moments and not panels:
        return None
    bands = [
        element("div", class_="band", style=across(moment.start, moment.end, stretch))
        for moment in (explanation.moments if explanation else ())
    ]
    return element(
        "div",
        element("div", moments, class_="lane") if moments else None,
        words,
        panels,
        bands,
        element("div", class_="cursor", hidden=True),
        element("div", _ticks(stretch), class_="ticks", aria_hidden="true"),
        class_="timeline",
        data_from=stretch.start,
        data_to=stretch.end,
    )


def shown(explanation: Explanation | None) -> list[Attribution]:
    """The attributions that lie over the spectrogram, in the order of their layers."""
    found = explanation.attributions if explanation else ()
    return [one for one in found if one.axis in ("time", "frequency", "time_frequency")]


def _moments(explanation: Explanation, stretch: Segment) -> Iterator[Markup]:
    for count, moment in enumerate(explanation.moments, start=1):
        yield element(
            "button",
            str(count),
            type="button",
            class_="moment",
            style=across(moment.start, moment.end, stretch),
            data_start=moment.start,
            data_end=moment.end,
            aria_label=f"Moment {count}, {place(moment.start, moment.end)}",
        )


def _panels(analysis: Analysis, audio: Audio | None, stretch: Segment) -> Iterator[Markup]:
    if audio is not None:
        yield panel("Waveform", _waveform(audio), class_="wave")
    for name, (title, unit) in _LINES.items():
        track = analysis.descriptors.tracks.get(name)
        drawn = _line(track, stretch, title=title) if track is not None else None
        if drawn:
            shape, low, high = drawn
            yield panel(title, shape, scale(f"{high:.0f} {unit}", f"{low:.0f}"), class_="line")
    overlays = shown(analysis.explanation)
    if audio is None and not overlays:
        return
    top_hz, image = _sound.TOP_HZ, None
    if audio is not None:
        url, top_hz = _sound.spectrogram(audio)
        image = element("img", src=url, alt=f"Spectrogram from 0 to {number(top_hz)} Hz")
    layers = [_overlay(one, stretch, top_hz, hidden=one is not overlays[0]) for one in overlays]
    yield panel("Spectrogram", image, layers, _hertz(top_hz), class_="spectrogram")


def panel(title: str, *content: Markup | list[Markup] | None, class_: str) -> Markup:
    return element("div", element("span", title, class_="title"), content, class_=f"panel {class_}")


def _waveform(audio: Audio) -> Markup:
    low, high = _sound.envelope(audio.waveform)
    full = max(float(np.abs(audio.waveform).max(initial=0)), 1e-3)
    x = np.linspace(0, 1000, len(low))
    ys = np.concatenate([high, low[::-1]]) / full
    path = _path(np.concatenate([x, x[::-1]]), 50 - 48 * ys)
    return picture(element("path", d=f"{path}Z"), label="Waveform")


def _line(track: Track, stretch: Segment, *, title: str) -> tuple[Markup, float, float] | None:
    """A track as lines that break where it can't be measured, with its lowest and highest value."""
    rows = slice(*np.searchsorted(track.times, [stretch.start, stretch.end]))
    times, values = track.times[rows], track.values[rows]
    known = np.isfinite(values)
    if not known.any():
        return None
    low, high = float(values[known].min()), float(values[known].max())
    margin = 0.08 * (high - low) or 1.0
    x = 1000 * (times - stretch.start) / stretch.duration
    y = 100 * (high + margin - values) / (high - low + 2 * margin)
    # Also where frames are missing between stretches of speech.
    breaks = np.flatnonzero(np.diff(known) | (np.diff(times) > 0.02)) + 1
    runs = [run for run in np.split(np.arange(len(x)), breaks) if known[run[0]]]
    path = "".join(_path(x[run], y[run]) for run in runs)
    label = f"{title} from {number(low)} to {number(high)} {track.unit}"
    return picture(element("path", d=path), label=label), low, high


def _path(x: NDArray[np.floating], y: NDArray[np.floating]) -> str:
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    if len(points) == 1:
        points *= 2  # a point is drawn as a line without length, with round ends
    return f"M{'L'.join(points)}"


def _overlay(attribution: Attribution, stretch: Segment, top_hz: float, *, hidden: bool) -> Markup:
    """Each part in the colour of its sign, the denser the more it matters."""
    scores = np.atleast_2d(attribution.scores)
    if attribution.axis == "frequency":
        scores = scores.T
    # What is about time alone fills all frequencies, what is about frequency alone all of the time.
    times = attribution.times if len(attribution.times) else np.array([stretch.start, stretch.end])
    hz = attribution.hz if len(attribution.hz) else np.array([0.0, top_hz])
    x = np.clip(1000 * (times - stretch.start) / stretch.duration, 0, 1000)
    y = 100 * _sound.height(hz, top_hz)
    strongest = np.nanmax(np.abs(scores), initial=0) or 1.0
    cells = (
        element(
            "rect",
            x=f"{x[column]:.1f}",
            y=f"{y[row + 1]:.1f}",
            width=f"{x[column + 1] - x[column]:.1f}",
            height=f"{y[row] - y[row + 1]:.1f}",
            class_="for" if share > 0 else "against",
            fill_opacity=f"{0.75 * abs(share):.2f}",
        )
        for (row, column), share in np.ndenumerate(scores / strongest)
        if abs(share) > _FAINTEST
    )
    layer = picture(*cells, class_="overlay")
    return element("div", layer, class_="layer", hidden=hidden)


def scale(high: str, low: str) -> Markup:
    high, low = (text.replace("-", "−") for text in (high, low))
    marks = element("span", high, class_="high"), element("span", low, class_="low")
    return element("div", marks, class_="scale", aria_hidden="true")


def _hertz(top_hz: float) -> Markup:
    marks = [
        element("span", f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz} Hz", style=f"top:{at}")
        for hz in (500, 1000, 2000, 4000)
        if hz < top_hz
        for at in (percent(float(_sound.height(hz, top_hz))),)
    ]
    return element("div", marks, class_="scale hertz", aria_hidden="true")


def _ticks(stretch: Segment) -> Iterator[Markup]:
    """Round seconds, no more than eight of them."""
    rough = stretch.duration / 7
    decade = 10 ** math.floor(math.log10(rough))
    step = next(decade * factor for factor in (1, 2, 5, 10) if decade * factor >= rough)
    for count in range(math.ceil(stretch.start / step), math.floor(stretch.end / step) + 1):
        at = percent((count * step - stretch.start) / stretch.duration)
        yield element("span", f"{count * step:.6g}", style=f"left:{at}")
