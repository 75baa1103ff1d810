"""What a worker process does with a recording; the model is loaded once in each."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from voxplain.audio import read
from voxplain.audio.activity import SAMPLING_RATE
from voxplain.descriptors.backends.voxplain import reference
from voxplain.errors import ConfigError, OutputError, TooLong, VoxplainError
from voxplain.evidence.voice import Edit, Voice
from voxplain.models import Model
from voxplain.models.loading import load_model
from voxplain.pipeline import Analyzer
from voxplain.reports import _synthetic, html
from voxplain.reports import json as json_report
from voxplain.reports._sounding import sounding
from voxplain.service.options import Options
from voxplain.text.transcribers import Transcriber, choose
from voxplain.types import Analysis

__all__ = [
    "PROGRESS",
    "REPORT",
    "RESULT",
    "Recording",
    "analysis",
    "job",
    "prepare",
    "sound",
    "whatif",
]

PROGRESS, RESULT, REPORT = "progress.json", "result.json", "report.html"
"""What lies in the folder of a job."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, and what its owner calls it."""

    path: Path
    name: str
    longest: float
    """Seconds of decoded sound that are taken."""


def prepare(model: str) -> dict[str, Any]:
    """Load the model and hear something, so that the first recording finds all in memory.

    What can be told of the model. Raises what ``load_model`` raises.
    """
    analyzer = _analyzer(model, "adults")
    analyzer.analyze(np.zeros(SAMPLING_RATE, np.float32), SAMPLING_RATE, explain=None)
    loaded = analyzer.model
    return {
        "name": loaded.name,
        "sha256": loaded.sha256,
        "labels": list(loaded.calibration.labels),
        "knows_speakers": loaded.knows_speakers,
        "notes": list(loaded.notes),
    }


def analysis(model: str, recording: Recording, options: Options) -> str:
    """The JSON of an analysis. Raises TooLong, and what ``Analyzer.analyze`` raises."""
    with _named(recording):
        _duration(recording)
        return json_report.render(_analysed(model, recording, options), tracks=options.tracks)


def job(model: str, recording: Recording, options: Options, folder: Path, *, heard: bool) -> None:
    """The same for a long recording, as files in a folder: progress, then page and JSON.

    The page holds the sound only if it is to be ``heard``.
    """
    with _named(recording):
        duration = _duration(recording)

        def progress(seconds: float) -> None:
            _replace(folder / PROGRESS, json.dumps({"seconds": seconds, "duration": duration}))

        progress(0.0)
        found = _analysed(model, recording, options, progress=progress)
        page = sounding(found, recording.path) if heard else html.render(found)
        _replace(folder / REPORT, page.replace(str(recording.path), escape(recording.name)))
        _replace(folder / RESULT, json_report.render(found, tracks=options.tracks))


def whatif(model: str, recording: Recording, edit: Edit) -> str:
    """The JSON of a counterfactual. Raises TooLong, and what ``pipeline.whatif`` raises."""
    with _named(recording):
        _duration(recording)
        experiment = _analyzer(model, "adults").experiment(recording.path)
        document = _synthetic.document(experiment, experiment.whatif(edit))
        return json.dumps({**document, "source": recording.name}, allow_nan=False)


def sound(recording: Recording, edit: Edit) -> bytes:
    """The changed voice as WAV. Raises TooLong, AudioError, and ConfigError for the edit."""
    with _named(recording):
        _duration(recording)
        audio = dataclasses.replace(read.read(recording.path), source=recording.name)
        return _synthetic.wav(Voice(audio).edited(edit))


def _analysed(model: str, recording: Recording, options: Options, **more: Any) -> Analysis:
    if options.why and options.explain == "none":
        raise ConfigError("why explains a label; leave out explain=none, or why")
    asr = None if options.asr == "none" else options.asr
    if options.transcript and asr:
        raise ConfigError("transcript gives the words; leave out asr, or transcript")
    found = _analyzer(model, options.reference_group).analyze(
        recording.path,
        relative=options.relative,
        explain=options.effort,
        why=options.why,
        transcriber=_transcriber(asr, options.language) if asr else None,
        transcript=options.transcript,
        language=options.language,
        **more,
    )
    return dataclasses.replace(found, source=recording.name)


def _duration(recording: Recording) -> float:
    """Seconds, counted as they are decoded: a header may lie, and ten kilobytes may hold hours."""
    samples = 0
    for block in read.blocks(recording.path):
        samples += len(block)
        if samples > recording.longest * SAMPLING_RATE:
            raise TooLong(
                f"{recording.name} lasts more than {recording.longest:g} s, and no more is taken "
                "here; cut it, or send it as a job, which may be longer"
            )
    return samples / SAMPLING_RATE


@contextlib.contextmanager
def _named(recording: Recording) -> Iterator[None]:
    """Errors speak of the recording by its owner's name for it, not of a place on this disk."""
    try:
        yield
    except VoxplainError as error:
        path, name = str(recording.path), recording.name
        error.args = tuple(
            one.replace(path, name) if isinstance(one, str) else one for one in error.args
        )
        raise


def _replace(path: Path, text: str) -> None:
    """Whoever reads meanwhile sees the old or the new. Raises OutputError."""
    temporary = path.with_suffix(".new")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"there is no room for the result: {error.strerror}") from error


@functools.cache
def _model(name: str) -> Model:
    return load_model(name)


@functools.cache
def _analyzer(model: str, group: str) -> Analyzer:
    return Analyzer(_model(model), reference(group, ()))


@functools.lru_cache(maxsize=2)
def _transcriber(asr: str, language: str | None) -> Transcriber | None:
    return choose(asr, model=None, language=language)[0]
