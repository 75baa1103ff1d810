"""The one module that knows the order of the rooms: a recording goes in, an Analysis comes out."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import __version__, descriptors
from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.descriptors._levels import Reference, describe
from voxplain.descriptors.backends.voxplain import reference
from voxplain.errors import ConfigError, InputError, UnknownName, VoxplainError
from voxplain.evidence.claims import claims
from voxplain.evidence.counterfactual import Experiment
from voxplain.evidence.explanation import EFFORTS, LEAST_DURATION, Case, explained
from voxplain.evidence.voice import Edit
from voxplain.models import Model, ReadingModel, Stretch
from voxplain.models.fusion import fuse
from voxplain.models.judgement import abstain, judge, whole
from voxplain.models.listening import ListeningModel, shipped
from voxplain.models.loading import load_model
from voxplain.models.profile import Profile
from voxplain.text.alignment import POCKETSPHINX
from voxplain.text.content import Aligned, Recognised, told
from voxplain.text.transcribers import Transcriber, choose
from voxplain.types import (
    Analysis,
    Audio,
    Counterfactual,
    Embedding,
    Emotion,
    Level,
    Quantity,
    Role,
    Segment,
    SegmentAnalysis,
    TextEmotion,
    Track,
    Transcript,
)

__all__ = ["DEFAULT_MODEL", "Analyzer", "Edit", "analyze", "analyze_each", "load", "whatif"]

DEFAULT_MODEL = "speech"

_DESCRIBER = "listening"
"""Of the package, where it holds one."""

_CLIPPED = 0.001
"""Share of samples at full scale from which a recording is called clipped."""


def load(
    model: str = DEFAULT_MODEL, *, reference_group: str = "adults", speaker: Sequence[Any] = ()
) -> Analyzer:
    """An Analyzer to use again and again: the model is loaded once.

    ``model`` is the name of an embedded model, the path of a folder with a model or a checkpoint,
    or the id of a checkpoint that ``voxplain models pull`` got (``models.loading.load_model``).
    Levels in words compare with ``reference_group`` (adults, female, male or child), drawn towards
    the ``speaker``'s own voice as far as recordings of it are given (paths); the emotion, too, is
    then judged against how the speaker sounds otherwise, best known from speech of several moods.

    Raises UnknownName, WeightsMissing, ChecksumMismatch, HeadNotLoaded or another ArtifactError,
    MissingExtra for a checkpoint whose package is not installed, and AudioError for a recording.
    """
    loaded = load_model(model)
    usual = reference(reference_group, speaker)  # refuses recordings without speech
    known = [_profile(recording, loaded) for recording in speaker]
    return Analyzer(loaded, usual, functools.reduce(operator.add, known) if known else None)


def _profile(recording: Any, model: Model) -> Profile:
    """Of the speaker of a recording with speech in it. Raises AudioError."""
    stretches = Listener().stretches(read.blocks(recording), source=read.source_name(recording))
    return functools.reduce(
        operator.add, (Profile.of(model.embed(audio)) for _, audio in stretches)
    )


def analyze(
    source: Any,
    sampling_rate: int | None = None,
    *,
    model: str = DEFAULT_MODEL,
    reference_group: str = "adults",
    speaker: Sequence[Any] = (),
    relative: bool = False,
    explain: str | None = "quick",
    why: str | None = None,
    asr: str | None = None,
    asr_model: str | None = None,
    language: str | None = None,
    transcript: str | os.PathLike[str] | None = None,
    aligner: str | os.PathLike[str] = POCKETSPHINX,
) -> Analysis:
    """How a recording sounds, what is said, and why; see ``load`` and ``Analyzer.analyze``.

    ``asr`` is the name of a transcriber, or auto: a good one whose weights are there, if any is;
    ``asr_model`` and ``language`` are for it. Raises what these raise.
    """
    analyzer = load(model, reference_group=reference_group, speaker=speaker)
    return analyzer.analyze(
        source,
        sampling_rate,
        relative=relative,
        explain=explain,
        why=why,
        transcriber=_transcriber(asr, asr_model, language),
        transcript=transcript,
        language=language,
        aligner=aligner,
    )


@functools.lru_cache(maxsize=1)
def _transcriber(asr: str | None, model: str | None, language: str | None) -> Transcriber | None:
    """Loaded once in each process; None without a name, and where auto finds none."""
    return choose(asr, model=model, language=language)[0] if asr else None


def whatif(
    source: Any,
    sampling_rate: int | None = None,
    *,
    edit: Edit,
    model: str = DEFAULT_MODEL,
) -> Counterfactual:
    """What the model makes of the same voice with one cue or another changed.

    Raises what ``Analyzer.experiment`` raises, and ConfigError for an edit that the voice does not
    allow.
    """
    return load(model).experiment(source, sampling_rate).whatif(edit)


def analyze_each(
    sources: Iterable[Any],
    *,
    model: str = DEFAULT_MODEL,
    reference_group: str = "adults",
    speaker: Sequence[str | os.PathLike[str]] = (),
    relative: bool = False,
    explain: str | None = None,
    why: str | None = None,
    asr: str | None = None,
    asr_model: str | None = None,
    language: str | None = None,
    transcripts: Iterable[str | os.PathLike[str] | None] = (),
    aligner: str | os.PathLike[str] = POCKETSPHINX,
    jobs: int = 1,
) -> Iterator[Analysis | VoxplainError]:
    """Analyse many recordings, in their order: an Analysis each, or the error it met.

    ``transcripts`` are those of the recordings, in their order, as far as there are any. ``jobs``
    processes share the work; the numbers are those of one by one.
    """
    loading = (model, reference_group, tuple(speaker))
    transcribing = (asr, asr_model, language)
    # What can't be loaded or asked for is not the recordings' fault.
    _loaded(*loading).check(explain=explain, why=why)
    _transcriber(*transcribing)
    options = {
        "relative": relative,
        "explain": explain,
        "why": why,
        "language": language,
        "aligner": aligner,
    }
    one = functools.partial(_outcome, loading=loading, transcribing=transcribing, options=options)
    told = itertools.chain(transcripts, itertools.repeat(None))
    if jobs == 1:
        yield from map(one, sources, told)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        sources = list(sources)  # a pool asks for all at once, and there is no end of None
        yield from pool.map(one, sources, itertools.islice(told, len(sources)))


def _outcome(
    source: Any,
    transcript: str | os.PathLike[str] | None,
    *,
    loading: tuple[Any, ...],
    transcribing: tuple[str | None, str | None, str | None],
    options: Mapping[str, Any],
) -> Analysis | VoxplainError:
    try:
        return _loaded(*loading).analyze(
            source, transcript=transcript, transcriber=_transcriber(*transcribing), **options
        )
    except InputError as error:
        return error


@functools.lru_cache(maxsize=1)
def _loaded(model: str, reference_group: str, speaker: tuple[Any, ...]) -> Analyzer:
    """Once in each process."""
    return load(model, reference_group=reference_group, speaker=speaker)


class Analyzer:
    """A loaded model, what it compares with, and everything around it."""

    def __init__(self, model: Model, reference: Reference, speaker: Profile | None = None) -> None:
        self.model = model
        self.reference = reference
        self.speaker = speaker

    def experiment(self, source: Any, sampling_rate: int | None = None) -> Experiment:
        """A recording whose voice can be changed, with this model as the judge.

        Raises AudioError or TooShort, and ConfigError for an array without a sampling rate.
        """

        def judge(sound: Audio) -> Emotion:
            return self.analyze(sound.waveform, sound.sampling_rate, explain=None).emotion

        return Experiment(read.read(source, sampling_rate=sampling_rate), judge=judge)

    def hear(
        self, blocks: Iterable[NDArray[np.float32]], *, source: str
    ) -> Iterator[tuple[Segment, Emotion]]:
        """The stretches of speech of a stream of mono 16 kHz blocks, each with how it sounds.

        They are those of ``analyze``, as they come; where there is no speech it is all that was
        heard, with an Emotion that abstains.
        """
        listener, found = Listener(), False
        for segment, audio in listener.stretches(blocks, source=source):
            found = True
            yield segment, self._judge(self.model.embed(audio), self.speaker)
        if not found:
            yield Segment(0.0, listener.duration), self._whole([], [], listener)

    def check(self, *, explain: str | None, why: str | None) -> None:
        """Raises UnknownName for an explanation or a label that there isn't."""
        if explain is not None and explain not in EFFORTS:
            raise UnknownName("explanation", explain, EFFORTS)
        if why is not None and why not in self.model.calibration.labels:
            raise UnknownName("label", why, self.model.calibration.labels)

    def analyze(
        self,
        source: Any,
        sampling_rate: int | None = None,
        *,
        relative: bool = False,
        explain: str | None = "quick",
        why: str | None = None,
        transcriber: Transcriber | None = None,
        transcript: str | os.PathLike[str] | None = None,
        language: str | None = None,
        aligner: str | os.PathLike[str] = POCKETSPHINX,
        describer: ListeningModel | None = None,
        measure: bool = True,
        progress: Callable[[float], None] = lambda seconds: None,
    ) -> Analysis:
        """How a recording sounds, as a whole and in each of its stretches of speech (3-15 s).

        ``source`` is a path, ``"-"`` (standard input) or an array, (samples,) or with channels,
        which needs its ``sampling_rate`` in Hz. With ``relative``, levels and emotion of each
        stretch compare with the other stretches, as far as there is speech in them (one speaker).
        ``explain`` is quick, full or None; explained is the most probable label, or ``why`` that
        one, in the stretch that speaks most for it. ``transcriber`` hears the words; or the
        ``transcript`` is known, a text or the path of a file with one (plain text, TextGrid, SRT,
        VTT, JSON), and its words, English unless ``language`` says otherwise, are found in the
        recording by the ``aligner`` (see ``text.alignment.align``). The ``describer`` tells how
        each stretch with a voice in it sounds; without one the package's does, if there is any,
        where something is explained. Without ``measure`` there is the emotion alone, the same in
        half the time, and nothing else can be asked for. ``progress`` is called with the seconds
        that each stretch ends at. Without usable speech the analysis abstains and says why.

        Raises AudioError or TooShort, ConfigError for an array without a sampling rate or for what
        needs measurements, UnknownName for an explanation or a label, and TextError for a
        transcript that can't be of it.
        """
        self.check(explain=explain, why=why)
        if not measure and (explain or relative or transcriber or transcript or describer):
            raise ConfigError(
                "explain, relative, words and a describer need measurements; leave out "
                "measure=False, or these"
            )
        if describer is None and explain and _DESCRIBER in shipped():
            describer = ListeningModel.load(_DESCRIBER)
        same_states = describer is not None and describer.hears_as(self.model)
        name = read.source_name(source)
        listener = Listener()
        blocks = read.blocks(source, sampling_rate=sampling_rate)
        said: Recognised | Aligned | None = None
        if transcript is not None:
            said = Aligned(transcript, language=language or "en", aligner=aligner)
            blocks = said.blocks(blocks)
        elif transcriber is not None:
            said = Recognised(transcriber)
        stretches: list[Segment] = []
        emotions: list[Emotion] = []
        # By stretch, where they are asked again; what is no voice tells nothing of a speaker.
        voices: dict[int, Embedding] = {}
        listened: dict[int, Embedding] = {}  # by stretch, as the describer hears it
        asked = relative or (said is not None and isinstance(self.model, ReadingModel))
        telling: dict[str, tuple[float, int, Audio]] = {}  # by label, where it is heard most

        def parts() -> Iterator[dict[str, Track]]:
            for segment, audio in listener.stretches(blocks, source=name):
                embedding = self.model.embed(audio)
                emotion = self._judge(embedding, self.speaker)
                is_voice = bool(emotion.categories or emotion.dimensions)
                if asked and is_voice:
                    voices[len(stretches)] = embedding
                if describer is not None and is_voice:
                    listened[len(stretches)] = embedding if same_states else describer.embed(audio)
                for label, probability in emotion.categories.items() if explain else ():
                    heard = probability * segment.duration
                    if heard > telling.get(label, (0.0,))[0]:
                        telling[label] = heard, len(stretches), audio
                if said is not None:
                    said.hear(segment, audio)
                stretches.append(segment)
                emotions.append(emotion)
                yield descriptors.tracks(audio, start=segment.start) if measure else {}
                progress(segment.end)

        joined = descriptors.join(parts() if measure else filter(None, parts()))
        profiles = self._profiles(voices) if relative else {}
        for number, profile in profiles.items():
            emotions[number] = self._judge(voices[number], profile)
        everything = {**joined, "speech_activity": listener.activity()}
        spoken = said.transcript(name) if said is not None else None
        measured: dict[str, Quantity] = {}
        functionals = [measured] * len(stretches)
        if measure:
            conditions = descriptors.conditions_of(everything)
            measured = descriptors.functionals(everything, conditions=conditions)
            functionals = [
                descriptors.functionals(everything, within=stretch, conditions=conditions)
                for stretch in stretches
            ]
        levels = self._levels(stretches, functionals, relative)
        tracks = (descriptors.cut(everything, stretch) for stretch in stretches)
        described = map(describe, functionals, levels, tracks)
        segments = tuple(
            SegmentAnalysis(stretch.start, stretch.end, stretch.speaker, emotion, description)
            for stretch, emotion, description in zip(stretches, emotions, described, strict=True)
        )
        analysis = Analysis(
            source=name,
            duration=listener.duration,
            speech_duration=listener.speech_duration,
            emotion=self._whole(stretches, emotions, listener),
            descriptors=describe(measured, self.reference.levels(measured), everything),
            segments=segments,
            warnings=(*_warnings(listener), *self._notes(relative, explain)),
            provenance={
                "voxplain": __version__,
                "model": self.model.name,
                "model_sha256": self.model.sha256,
                "config": {
                    "explain": explain,
                    "asr": "given" if transcript is not None else spoken and spoken.source,
                    "reference": self.reference.name,
                    "relative": relative,
                    "speaker_seconds": round(self.speaker.seconds, 2) if self.speaker else 0.0,
                    "listening": describer and f"{describer.name} {describer.sha256[:12]}",
                },
            },
        )
        if explain and telling:
            label = why or analysis.emotion.ranked[0]
            _, number, audio = telling[label]
            known = profiles.get(number, self.speaker)
            analysis = self._explained(analysis, label, number, audio, known, effort=explain)
        if spoken is not None:
            heard = [
                (stretches[number].duration, voice, profiles.get(number, self.speaker))
                for number, voice in voices.items()
            ]
            analysis = self._told(analysis, *told(spoken, everything), heard)
        if describer is not None:
            analysis = _with_listening(analysis, describer, listened)
        return dataclasses.replace(analysis, claims=claims(analysis))

    def _told(
        self,
        analysis: Analysis,
        transcript: Transcript,
        roles: tuple[Role, ...],
        words: TextEmotion,
        heard: Sequence[Stretch],
    ) -> Analysis:
        """With what is said, and what that makes of how it sounds."""
        both = fuse(
            analysis.emotion,
            words,
            confidence=transcript.confidence,
            calibration=self.model.calibration,
        )
        read = None
        if isinstance(self.model, ReadingModel):
            read = self.model.fuse(heard, transcript, analysis.descriptors)
        return dataclasses.replace(
            analysis,
            transcript=transcript,
            roles=roles,
            text_emotion=words,
            fusion=both,
            semantic_fusion=read,
        )

    def _explained(
        self,
        analysis: Analysis,
        label: str,
        number: int,
        audio: Audio,
        speaker: Profile | None,
        *,
        effort: str,
    ) -> Analysis:
        """With the explanation of a label in a stretch, unless that is too short for one."""
        if audio.duration < LEAST_DURATION:
            short = f"{audio.duration:.2f} s of speech are too short to explain one part by another"
            return dataclasses.replace(analysis, warnings=(*analysis.warnings, short))
        stretch, tracks = analysis.segments[number], analysis.descriptors.tracks
        case = Case(
            number=number,
            segment=Segment(stretch.start, stretch.end),
            audio=audio,
            emotion=stretch.emotion,
            label=label,
            functionals=stretch.descriptors.functionals,
            tracks=tracks,
            conditions=descriptors.conditions_of(tracks),
            reference=self.reference,
            hearing=lambda sound: self.model.hearing(sound, speaker),
            judge=lambda sound: self._judge(self.model.embed(sound), speaker),
        )
        return dataclasses.replace(analysis, explanation=explained(case, effort=effort))

    def _notes(self, relative: bool, explain: str | None) -> Iterator[str]:
        """What this model leaves open of what was asked for."""
        yield from self.model.notes
        if (relative or self.speaker) and not self.model.knows_speakers:
            yield f"{self.model.name} knows no speakers: only the levels compare with the speaker's"
        if explain and not self.model.calibration.labels:
            yield f"{self.model.name} gives no categories, and only these are explained"

    def _judge(self, embedding: Embedding, speaker: Profile | None) -> Emotion:
        return judge(self.model.read(embedding, speaker), self.model.calibration)

    def _profiles(self, voices: Mapping[int, Embedding]) -> dict[int, Profile]:
        """What is known of the speaker of each voice from the others."""
        if len(voices) < 2:
            return {}  # there is nothing else to know
        own = {number: Profile.of(embedding) for number, embedding in voices.items()}
        known = [*own.values(), *([self.speaker] if self.speaker else [])]
        everybody = functools.reduce(operator.add, known)
        return {number: everybody - profile for number, profile in own.items()}

    def _levels(
        self,
        stretches: Sequence[Segment],
        functionals: Sequence[Mapping[str, Quantity]],
        relative: bool,
    ) -> list[dict[str, Level]]:
        if not relative:
            return [self.reference.levels(found) for found in functionals]
        durations = [stretch.duration for stretch in stretches]
        return self.reference.relative_levels(list(zip(durations, functionals, strict=True)))

    def _whole(
        self, stretches: Sequence[Segment], emotions: Sequence[Emotion], listener: Listener
    ) -> Emotion:
        calibration = self.model.calibration
        if stretches:
            return whole(emotions, [stretch.duration for stretch in stretches], calibration)
        heard = listener.speech_duration
        found = f"only {heard:.2f} s of speech" if heard else "no speech"
        return abstain(
            f"{found} found in {listener.duration:.1f} s of audio",
            label_set=calibration.labels,
        )


def _with_listening(
    analysis: Analysis, describer: ListeningModel, listened: Mapping[int, Embedding]
) -> Analysis:
    """With how each stretch sounds to the describer, and the words that are spoken in it."""
    words = analysis.transcript.words if analysis.transcript else ()
    found = []
    for number, states in listened.items():
        stretch = analysis.segments[number]
        inside = [word for word in words if stretch.start <= word.start < stretch.end]
        measured = stretch.descriptors.functionals
        found.append(describer.listen(states, segment=number, measured=measured, words=inside))
    return dataclasses.replace(analysis, listening=tuple(found))


def _warnings(listener: Listener) -> tuple[str, ...]:
    if listener.clipped_share < _CLIPPED:
        return ()
    return (f"{listener.clipped_share:.1%} of the samples are at full scale: clipping distorts",)
