"""The one module that knows the order of the rooms: a recording goes in, an Analysis comes out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from voxplain import __version__, descriptors
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.audio.windows import speech_stretches
from voxplain.descriptors._levels import levels
from voxplain.errors import InputError, UnknownName, VoxplainError
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.judgement import abstain, judge
from voxplain.types import Analysis, Descriptors, Emotion, Segment, SegmentAnalysis, Track

__all__ = ["DEFAULT_MODEL", "Analyzer", "analyze", "analyze_each", "load"]

DEFAULT_MODEL = "speech"

_CLIPPED = 0.001
"""Share of samples at full scale from which a recording is called clipped."""


def load(model: str = DEFAULT_MODEL) -> Analyzer:
    """An Analyzer to use again and again: the model is loaded once.

    ``model`` is the name of an embedded model or the path of a folder made by ``voxplain train``.
    Raises UnknownName, WeightsMissing or ChecksumMismatch.
    """
    return Analyzer(EmbeddedModel.load(model))


def analyze(
    source: Any,
    sampling_rate: int | None = None,
    *,
    model: str = DEFAULT_MODEL,
    explain: str | None = None,
) -> Analysis:
    """How a recording sounds; see ``Analyzer.analyze``."""
    return load(model).analyze(source, sampling_rate, explain=explain)


def analyze_each(
    sources: Iterable[Any], *, model: str = DEFAULT_MODEL, jobs: int = 1
) -> Iterator[Analysis | VoxplainError]:
    """Analyse many recordings, in their order: an Analysis each, or the error it met.

    ``jobs`` processes share the work; the numbers are those of one by one.
    """
    load(model)  # a model that can't be loaded is not the recordings' fault
    if jobs == 1:
        yield from (_outcome(source, model) for source in sources)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_outcome, sources, itertools.repeat(model))


def _outcome(source: Any, model: str) -> Analysis | VoxplainError:
    try:
        return load(model).analyze(source)
    except InputError as error:
        return error


class Analyzer:
    """A loaded model and everything around it."""

    def __init__(self, model: EmbeddedModel) -> None:
        self.model = model

    def analyze(
        self,
        source: Any,
        sampling_rate: int | None = None,
        *,
        explain: str | None = None,
        progress: Callable[[float], None] = lambda seconds: None,
    ) -> Analysis:
        """How a recording sounds, as a whole and in each of its stretches of speech (3-15 s).

        ``source`` is a path, ``"-"`` (standard input) or an array, (samples,) or with channels,
        which needs its ``sampling_rate`` in Hz. There is no explanation to choose yet. ``progress``
        is called with the seconds that each stretch ends at. Without usable speech the analysis
        abstains and says why.

        Raises AudioError or TooShort, ConfigError for an array without a sampling rate, and
        UnknownName for an explanation.
        """
        if explain is not None:
            raise UnknownName("explanation", explain, ())
        name = read.source_name(source)
        listener = Listener()
        chunks = listener.hear(read.blocks(source, sampling_rate=sampling_rate))
        segments: list[SegmentAnalysis] = []
        tracks: list[dict[str, Track]] = []
        for start, audio in speech_stretches(chunks, source=name):
            segment = Segment(start, start + audio.duration)
            if not listener.holds_speech(segment):
                continue
            tracks.append(descriptors.tracks(audio, start=start))
            described = _describe([tracks[-1]], listener.activity(segment))
            emotion = judge(self.model.categories(audio))
            segments.append(
                SegmentAnalysis(segment.start, segment.end, segment.speaker, emotion, described)
            )
            progress(segment.end)
        return Analysis(
            source=name,
            duration=listener.duration,
            speech_duration=listener.speech_duration,
            emotion=_whole(segments) if segments else self._nothing_heard(listener),
            descriptors=_describe(tracks, listener.activity()),
            segments=tuple(segments),
            warnings=_warnings(listener),
            provenance={
                "voxplain": __version__,
                "model": self.model.name,
                "model_sha256": self.model.sha256,
                "config": {"explain": None, "asr": None, "reference": "adults"},
            },
        )

    def _nothing_heard(self, listener: Listener) -> Emotion:
        heard = listener.speech_duration
        found = f"only {heard:.2f} s of speech" if heard else "no speech"
        return abstain(
            f"{found} found in {listener.duration:.1f} s of audio",
            label_set=self.model.labels,
        )


def _describe(tracks: list[dict[str, Track]], activity: Track) -> Descriptors:
    joined = {**descriptors.join(tracks), "speech_activity": activity}
    functionals = descriptors.functionals(joined)
    return Descriptors(functionals, levels(functionals), joined)


def _whole(segments: list[SegmentAnalysis]) -> Emotion:
    """The segments' probabilities, weighted by their length."""
    weights = np.array([segment.end - segment.start for segment in segments])
    weights /= weights.sum()
    return judge(
        {
            label: float(weights @ [segment.emotion.categories[label] for segment in segments])
            for label in segments[0].emotion.categories
        }
    )


def _warnings(listener: Listener) -> tuple[str, ...]:
    if listener.clipped_share < _CLIPPED:
        return ()
    return (f"{listener.clipped_share:.1%} of the samples are at full scale: clipping distorts",)
