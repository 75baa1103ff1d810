"""An analysis made by hand, and others made up at random, with all that an explanation can hold."""

import dataclasses
import functools
import math
import random

import numpy as np
import pytest

from voxplain import descriptors
from voxplain.evidence.references import citations
from voxplain.labels import CANONICAL, EMBEDDED
from voxplain.models.judgement import abstain
from voxplain.types import (
    AcousticCue,
    Analysis,
    Attribution,
    Counterfactual,
    Descriptors,
    Dimension,
    Dimensions,
    Emotion,
    Estimate,
    Explanation,
    Faithfulness,
    Fusion,
    Level,
    Moment,
    Quantity,
    Removal,
    Role,
    SegmentAnalysis,
    SemanticFusion,
    TextEmotion,
    Transcript,
    Verdict,
    Word,
)

PROXY = "learned from votes of listeners, placed by coordinates of Russell & Mehrabian (1977)"
REFERENCES = (
    "adults (CREMA-D, EMO-DB; acted)",
    "children of 6 to 8 years (published)",
    "the rest of the recording, else men (CREMA-D, EMO-DB; acted)",
)
REASONS = (
    "no speech found in 3.2 s of audio",
    "only 0.12 s of speech found in 5.0 s of audio",
    "it sounds like music",
    "it is unlike the speech it was learned from",
)
WORDS = ("very low", "low", "medium", "high", "very high")
EDITS = {
    "breathiness": (0.1, 0.9), "f0_range": (0.4, 2.5), "f0_shift_st": (-8, 8), "gain_db": (-12, 12),
    "tempo": (0.6, 1.6), "tilt_db": (-6, 6), "formants": (0.8, 1.2),
}  # fmt: skip


def _cue(name, value, usual, z, expected, citation, judgement, weight=1.0):
    card = descriptors.inventory()[name]
    return AcousticCue(
        name, card.title, value, card.unit, math.nan, math.nan, REFERENCES[0], usual, z,
        float(expected), citation, judgement, weight,
    )  # fmt: skip


def _by_hand():
    half, sure = Dimension(0.5, 0.25, 0.75), Dimension(0.79, 0.59, 0.98)
    emotion = Emotion(
        {"angry": 0.81, "fear": 0.12, "happy": 0.05, "sad": 0.02},
        {"angry": 0.45, "neutral": 0.38, "sad": 0.17},
        Dimensions(half, sure, half, PROXY),
        ("angry", "fear", "happy", "sad"),
        Verdict(("angry", "fear")),
    )
    described = Descriptors(
        {
            "f0_mean_st": Quantity(42.3, "st", True),
            "f0_mean_hz": Quantity(316.9, "Hz", True),
            "hnr_mean_db": Quantity(5.04, "dB", True),
        },
        {
            "f0_mean_st": Level("very high", 1.74, REFERENCES[0], "pitch"),
            "hnr_mean_db": Level("low", -0.8, REFERENCES[0], "harmonics over noise (HNR)"),
        },
        prominent=("f0_mean_st", "hnr_mean_db"),
    )

    def sounding(angry):
        return dataclasses.replace(emotion, categories={**emotion.categories, "angry": angry})

    both = "scherer_2003, juslin_laukka_2003"
    explanation = Explanation(
        effort="full",
        output="angry",
        runner_up="happy",
        segment=0,
        attributions=(),
        moments=(
            Moment(0.4, 0.61, 0.0, 317.4, 0.5, 0.2, ()),
            Moment(
                1.18, 1.62, 250.2, 2309.7, 2.1, 0.45,
                (
                    _cue("jitter_mean_percent", 2.1, 3.36, -0.9, 1, "juslin_laukka_2003",
                         "contradicts", weight=0.5),
                    _cue("f0_mean_st", 42.0, 37.9, 1.83, 2, both, "supports"),
                    _cue("h1_h2_mean_db", 4.8, 2.9, 0.4, 1, "eyben_2016", "neutral"),
                    _cue("f1_mean_hz", math.nan, 500.0, math.nan, 1, both, "not measurable"),
                ),
            ),
        ),
        cues=(),
        contrast=(
            _cue("f0_mean_st", 40.0, 37.9, 0.9, 1, both, "supports"),
            _cue("alpha_ratio_mean_db", -3.0, -15.2, 2.7, 1, "eyben_2016", "supports"),
            _cue("hnr_mean_db", 7.0, 6.0, 0.2, -1, "eyben_2016", "supports"),
        ),
        plausibility=Estimate(0.8, 0.6, 0.9),
        faithfulness=Faithfulness(
            "occlusion",
            (
                Removal("noise", 0.2, 0.81, 0.352, 0.6, 0.744, 0.6, 0.8, 0.97),
                Removal("local_mean", 0.2, 0.81, 0.797, 0.6, 0.75, 0.6, 0.8, 0.2),
            ),
        ),
        counterfactuals=(
            Counterfactual({"tempo": 0.85}, emotion, sounding(0.7), sounding(0.8), {}),
            Counterfactual({"f0_shift_st": -2.0}, emotion, sounding(0.55), sounding(0.8), {}),
            Counterfactual({"gain_db": 6.0}, emotion, sounding(0.805), sounding(0.8), {}),
            Counterfactual(
                {"tilt_db": -3.0, "gain_db": 6.0}, emotion, sounding(0.1), sounding(0.8), {}
            ),
        ),
        warnings=(),
    )  # fmt: skip
    segment = SegmentAnalysis(0.2, 2.8, None, emotion, described)
    return Analysis(
        "memo.wav", 3.0, 2.4, emotion, described, (segment,), (), {}, explanation=explanation
    )


def _with_words(analysis):
    text = "I told them. It was wonderful!"
    words = (
        Word("I", 0.3, 0.4, 0.9),
        Word("told", 0.4, 0.74, 0.9, 0.3, {"f0": 0.2, "duration": 0.8}),
        Word("them.", 0.74, 1.0, 0.9, 0.1, {"f0": -1.2, "duration": math.nan}),
        Word("It", 1.4, 1.5, 0.8, 0.05, {"f0": -0.5}),
        Word("was", 1.5, 1.7, 0.8, 0.7, {"f0": -0.2}),
        Word("wonderful!", 1.7, 2.36, 0.7, 0.912, {"f0": 1.84, "duration": 1.1, "tilt": 0.3}),
    )
    said = {"angry": 0.05, "fear": 0.02, "happy": 0.7, "sad": 0.03, "neutral": 0.2}
    scores = np.array([0.0, 0.1, -0.1, 0.0, 0.2, 2.1])
    names = tuple(word.text for word in words)
    return dataclasses.replace(
        analysis,
        transcript=Transcript(text, words, "en", "given", 0.85),
        roles=(Role("descriptive", 0, 13, 0.9), Role("expressive", 13, len(text), 0.8)),
        text_emotion=TextEmotion(
            said, None, None, Attribution("o", "happy", "word", scores, "left out", names=names)
        ),
        fusion=Fusion(
            {"angry": 0.62, "fear": 0.1, "happy": 0.25, "sad": 0.03},
            Verdict(("angry", "happy")),
            {"voice": 0.976, "words": 0.024},
            "conflict",
        ),
        semantic_fusion=SemanticFusion(
            Dimensions(
                Dimension(0.62, 0.37, 0.87),
                Dimension(0.78, 0.58, 0.97),
                Dimension(0.4, 0.2, 0.6),
                "",
            ),
            {
                "valence": {"emphasised": 0.09, "transcript": 0.04, "interpretation": -0.01},
                "arousal": {"emphasised": -0.02, "transcript": 0.01, "interpretation": 0.0},
                "dominance": {"emphasised": -0.02, "transcript": -0.06, "interpretation": -0.02},
            },
            {"emphasised": 0.5, "transcript": 0.3, "interpretation": 0.2},
            dict.fromkeys(("valence", "arousal", "dominance"), (0.7, 0.3)),
            emphasised=(1, 5),
            extended="A raised voice on a happy word.",
        ),
    )


VOCABULARY = ("never", "Wort,", "'tis", "naïve", "42", "angry", "🙂", "z", "من", "above.", "—")


def _words(draw, labels):
    """Parts of an analysis: what is said, or nothing."""
    if draw.random() < 0.3:
        return {}
    texts = draw.choices(VOCABULARY, k=draw.randint(1, 12))
    edges = sorted(draw.uniform(0, 15) for _ in range(2 * len(texts)))
    words = tuple(
        Word(text, start, end, draw.random(), draw.choice([math.nan, draw.random()]),
             {title: draw.gauss(0, 1) for title in draw.sample(["f0", "tilt", "pause", "odd"], 2)})
        for text, start, end in zip(texts, edges[::2], edges[1::2], strict=True)
    )  # fmt: skip
    text = " ".join(texts)
    cut = draw.randint(0, len(text))
    said = _shares(draw, [*labels, "surprise"])
    scores = np.array([draw.gauss(0, 1) for _ in texts])
    top = max(said, key=said.__getitem__)
    share, both = draw.random(), _emotion(draw, labels)
    return {
        "transcript": Transcript(text, words, "en", "given", draw.random()),
        "roles": (Role("expressive", 0, cut, 0.9), Role("descriptive", cut, len(text), 0.8)),
        "text_emotion": TextEmotion(
            said, None, None,
            Attribution("o", top, "word", scores, "left out", names=tuple(texts)),
        ),
        "fusion": Fusion(
            both.categories, both.verdict, {"voice": 1 - share, "words": share},
            draw.choice(["agreement", "conflict", "open"]),
        ),
        "semantic_fusion": draw.choice([None, _read(draw, len(words))]),
    }  # fmt: skip


def _read(draw, words):
    """Of one text or more, those that lift a dimension and those that lower it."""
    emphasised = tuple(sorted(draw.sample(range(words), draw.randint(0, min(5, words)))))
    texts = ["emphasised"] if emphasised else []
    texts += draw.sample(["transcript", "interpretation"], draw.randint(1, 2))
    points = [sorted(draw.random() for _ in range(3)) for _ in range(3)]
    names = ("valence", "arousal", "dominance")
    return SemanticFusion(
        Dimensions(*(Dimension(b, a, c) for a, b, c in points), proxy=""),
        {name: {text: draw.gauss(0, 0.1) for text in texts} for name in names},
        _shares(draw, texts),
        {},
        emphasised=emphasised,
    )


def _shares(draw, labels):
    weights = [draw.expovariate(1) ** 3 for _ in labels]
    return {label: one / sum(weights) for label, one in zip(labels, weights, strict=True)}


def _emotion(draw, labels):
    categories = _shares(draw, labels)
    ranked = sorted(labels, key=lambda label: -categories[label])
    count = next(n for n in range(1, 9) if sum(categories[one] for one in ranked[:n]) > 0.8)
    verdict = Verdict(tuple(ranked[:count])) if count < 4 else None
    points = [sorted(draw.random() for _ in range(3)) for _ in range(3)]
    dimensions = Dimensions(*(Dimension(b, a, c) for a, b, c in points), proxy=PROXY)
    return Emotion(
        categories,
        draw.choice([{}, _shares(draw, labels), _shares(draw, [*labels, "calm"])]),
        draw.choice([None, dimensions]),
        labels,
        verdict or Verdict((), f"{count} emotions are about equally likely"),
    )


def _descriptors(draw, reference):
    functionals, levels = {}, {}
    for name in {"f0_mean_hz": 1, **dict.fromkeys(draw.sample([*descriptors.inventory()], 9))}:
        card = descriptors.inventory()[name]
        z = draw.gauss(0, 1.5)
        value = draw.choice([math.nan, *[draw.gauss(0, 1) * 10 ** draw.randint(-2, 3)] * 9])
        functionals[name] = Quantity(value, card.unit, math.isfinite(value))
        if math.isfinite(value):
            levels[name] = Level(WORDS[round(max(0, min(4, 2 + z)))], z, reference, card.title)
    known = [name for name in levels if name != "f0_mean_st" or functionals["f0_mean_hz"].reliable]
    return Descriptors(functionals, levels, prominent=tuple(draw.sample(known, draw.randint(0, 5))))


def _cues(draw, reference, *, contrast=False):
    found = []
    for name in draw.sample([*descriptors.inventory()], draw.randint(0, 8)):
        card = descriptors.inventory()[name]
        usual, z = draw.gauss(0, 1) * 10 ** draw.randint(-2, 3), draw.gauss(0, 1.5)
        sd = draw.choice([math.nan, *[10 ** draw.uniform(-2, 2)] * 9])
        expected = draw.choice([-2, -1, 0, 1, 2, math.nan] if not contrast else [-3, -1, 1, 2])
        toward = z * expected if expected else 0.5 - abs(z)
        judged = "supports" if toward > 0.3 else "contradicts" if toward < -0.3 else "neutral"
        measured = math.isfinite(sd * expected)
        found.append(
            AcousticCue(
                descriptor=name,
                title=card.title,
                value=usual + z * sd,
                unit=card.unit,
                rest=usual,
                contrast=draw.choice([math.nan, draw.gauss(0, 1)]),
                reference=reference,
                usual=usual,
                z=z if measured else math.nan,
                expected=float(expected),
                citation=", ".join(draw.sample([*citations()], draw.randint(1, 3))),
                judgement=judged if measured else "not measurable",
                weight=draw.choice([0.25, 0.5, 1.0]),
            )
        )
    return tuple(found)


def _moments(draw, start, end, reference):
    edges = sorted(draw.uniform(start, end) for _ in range(2 * draw.randint(0, 4)))
    shares = _shares(draw, range(len(edges) // 2 + 1))
    for number, (first, last) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        low, high = sorted(draw.uniform(0, 8000) for _ in range(2))
        cues = _cues(draw, reference)
        yield Moment(first, last, low, high, draw.uniform(0, 3), shares[number], cues)


def _removal(draw, fill, before):
    salient, loudest, mean = (before * draw.random() for _ in range(3))
    return Removal(
        fill, draw.choice([0.1, 0.2]), before, salient, loudest, mean, mean / 2, 1.0, draw.random()
    )


def _changed(draw, labels, before):
    names = draw.sample([*EDITS], draw.choice([1, 1, 1, 2]))
    edit = {name: round(draw.uniform(*EDITS[name]), draw.randint(1, 3)) or 1.0 for name in names}
    other = draw.choice([_emotion(draw, labels), abstain("it sounds like noise", label_set=labels)])
    return Counterfactual(edit, before, other, draw.choice([before, _emotion(draw, labels)]), {})


def _explanation(draw, segments, reference):
    number = draw.randrange(len(segments))
    stretch = segments[number]
    label, rival = draw.sample(stretch.emotion.label_set, 2)
    fills = draw.sample(["noise", "local_mean", "silence"], draw.randint(0, 2))
    before = stretch.emotion.categories[label]
    return Explanation(
        effort="full",
        output=label,
        runner_up=rival,
        segment=number,
        attributions=(),
        moments=tuple(_moments(draw, stretch.start, stretch.end, reference)),
        cues=_cues(draw, reference),
        contrast=_cues(draw, reference, contrast=True),
        plausibility=Estimate(math.nan, 0.0, 1.0),
        faithfulness=Faithfulness("occlusion", tuple(_removal(draw, one, before) for one in fills)),
        counterfactuals=tuple(
            _changed(draw, stretch.emotion.label_set, stretch.emotion)
            for _ in range(draw.randint(0, 4))
        ),
        warnings=(),
    )


@functools.cache
def _generated(seed):
    draw = random.Random(seed)
    labels = draw.choice([EMBEDDED, CANONICAL, tuple(draw.sample(CANONICAL, 4))])
    reference = draw.choice(REFERENCES)
    parts = draw.choice([1, 1, 3])
    edges = sorted(draw.uniform(0, 15 * parts) for _ in range(2 * parts))
    segments = tuple(
        SegmentAnalysis(start, end, None, _emotion(draw, labels), _descriptors(draw, reference))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    )
    silent = draw.random() < 0.1
    return Analysis(
        source="memo.wav",
        duration=15.0 * parts,
        speech_duration=10.0,
        emotion=abstain(draw.choice(REASONS), label_set=labels)
        if silent
        else _emotion(draw, labels),
        descriptors=_descriptors(draw, reference),
        segments=() if silent else segments,
        warnings=(),
        provenance={},
        explanation=None
        if silent or draw.random() < 0.1
        else _explanation(draw, segments, reference),
        **_words(draw, labels),
    )


@pytest.fixture(scope="session")
def generated():
    """Seed -> an Analysis, the same each time."""
    return _generated


@pytest.fixture(scope="session")
def by_hand():
    """Sounds angry or fearful; explained is angry, against happy."""
    return _by_hand()


@pytest.fixture(scope="session")
def in_words():
    """The same in happy words, the last of them stressed."""
    return _with_words(_by_hand())
