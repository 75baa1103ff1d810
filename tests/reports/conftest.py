"""An analysis of a real recording with every part of an explanation, made by hand."""

import dataclasses

import numpy as np
import pytest

import voxplain
from voxplain.audio.read import read
from voxplain.types import (
    AcousticCue,
    Attribution,
    Claim,
    Counterfactual,
    Dimension,
    Dimensions,
    Estimate,
    Explanation,
    Faithfulness,
    Fusion,
    Moment,
    Quantity,
    Removal,
    Role,
    SemanticFusion,
    TextEmotion,
    Transcript,
    Verdict,
    Word,
)

SOURCES = "scherer_2003, juslin_laukka_2003"
CUES = (  # descriptor, title, value, unit, rest, contrast, usual, z, expected, citation, judgement
    ("f0_mean_st", "pitch", 43.1, "st", 40.9, 1.4, 36.4, 2.1, 2, SOURCES, "supports"),
    ("alpha_ratio_mean_db", "high-frequency energy (alpha)", -2.9, "dB", -6.8, 1.1, -12.6, 2.9, 2,
     "juslin_laukka_2003", "supports"),
    ("articulation_rate", "articulation rate", 3.1, "syllables/s", 4.2, -0.6, 4.6, -1.2, 1,
     "juslin_laukka_2003", "contradicts"),
    ("h1_h2_mean_db", "harmonic balance (H1-H2)", 4.8, "dB", 4.6, 0.1, 2.9, 0.4, 0,
     "scherer_2003", "neutral"),
    ("jitter_mean_percent", "unevenness of periods (jitter)", np.nan, "%", np.nan, np.nan, 3.3,
     np.nan, 1, "juslin_laukka_2003", "not measurable"),
)  # fmt: skip


def cue(descriptor, title, value, unit, rest, contrast, usual, z, expected, citation, judgement):
    return AcousticCue(
        descriptor, title, value, unit, rest, contrast, "adults (CREMA-D, EMO-DB; acted)", usual,
        z, float(expected), citation, judgement, weight=0.8,
    )  # fmt: skip


def attribution(method, axis, **where):
    rows = len(where.get("hz", [0, 0])) - 1
    columns = len(where.get("times", [0, 0])) - 1
    scores = np.sin(np.arange(rows * columns) * 0.7).reshape(rows, columns)
    shaped = scores if axis == "time_frequency" else scores.ravel()
    return Attribution(method, "angry", axis, shaped, "noise", **where)


def dimensions():
    point = Dimension(0.62, 0.5, 0.74)
    return Dimensions(point, point, Dimension(0.4, 0.3, 0.55), "learned from EmoBank's raters")


SAID = {
    "transcript": Transcript(
        "That is, exactly what happened.",
        (
            Word("That", 0.52, 0.71, 0.93, 0.31, {"pitch": -0.4}, 0.2),
            Word("is,", 0.71, 0.84, 0.4, np.nan, {}, 0.2),
            Word("exactly", 0.9, 1.52, 0.97, 0.88, {"pitch": 1.62, "duration": 0.9}, 0.7),
            Word("what", 1.52, 1.7, 0.96, 0.12, {"pitch": -0.8}, 0.7),
            Word("happened.", 1.7, 2.35, 0.95, 0.7, {"pitch": 0.1}, 0.6),
        ),
        "en",
        "pocketsphinx",
        0.84,
        ("one word could not be placed",),
    ),
    "roles": (Role("descriptive", 0, 9, 0.8), Role("expressive", 9, 31, 0.66)),
    "text_emotion": TextEmotion(
        {"happy": 0.55, "neutral": 0.4, "angry": 0.05},
        dimensions(),
        dimensions(),
        Attribution("occlusion", "happy", "word", np.array([0.1, 0.0, 0.93, -0.2, 0.31]),
                    "left out", names=("That", "is,", "exactly", "what", "happened.")),
    ),
    "fusion": Fusion(
        {"angry": 0.77, "happy": 0.21, "neutral": 0.02},
        Verdict(("angry",)),
        {"voice": 0.98, "words": 0.02},
        "conflict",
    ),
    "semantic_fusion": SemanticFusion(
        Dimensions(
            Dimension(0.36, 0.2, 0.52), Dimension(0.9, 0.74, 1.0), Dimension(0.7, 0.5, 0.9), "",
        ),
        {
            "valence": {"emphasised": 0.09, "transcript": 0.02, "interpretation": -0.04},
            "arousal": {"emphasised": 0.03, "transcript": 0.0, "interpretation": 0.01},
            "dominance": {"emphasised": 0.0, "transcript": 0.01, "interpretation": -0.07},
        },
        {"emphasised": 0.5, "transcript": 0.3, "interpretation": 0.2},
        {"valence": (0.7, 0.3), "arousal": (0.52, 0.48), "dominance": (0.1, 0.9)},
        emphasised=(2,),
        extended="A raised voice; the speaker tells <what> happened.",
    ),
}  # fmt: skip


def explained(analysis):
    """The analysis with an explanation that has everything, and claims that stand on it."""
    start, end = analysis.segments[0].start, analysis.segments[0].end
    times = np.linspace(start, end, 25)
    hz = np.array([0.0, 250, 500, 1000, 2000, 4000, 8000])
    cues = tuple(cue(*one) for one in CUES)
    moments = (
        Moment(0.52, 0.71, 250, 2000, 1.2, 0.22, cues[:3]),
        Moment(1.18, 1.52, 1000, 4000, 2.6, 0.41, cues),
        Moment(2.3, 2.5, 500, 8000, 0.8, 0.13, cues[1:4]),
    )
    softer = dataclasses.replace(
        analysis.emotion,
        categories={**analysis.emotion.categories, "angry": 0.61, "happy": 0.38},
        verdict=dataclasses.replace(analysis.emotion.verdict, labels=("angry", "happy")),
    )
    explanation = Explanation(
        effort="full",
        output="angry",
        runner_up="happy",
        segment=0,
        attributions=(
            attribution("occlusion", "time", times=times),
            attribution("occlusion", "frequency", hz=hz),
            attribution("occlusion", "time_frequency", times=times, hz=hz),
            Attribution("shapley", "angry", "descriptor", np.array([1.4, -0.3, 0.2]), "the usual",
                        names=("pitch", "articulation rate", "spectral tilt")),
        ),
        moments=moments,
        cues=cues,
        contrast=(cues[2], dataclasses.replace(cues[1], expected=1.0)),
        plausibility=Estimate(0.71, 0.55, 0.86),
        faithfulness=Faithfulness(
            "occlusion",
            (
                Removal("noise", 0.2, 0.998, 0.41, 0.78, 0.95, 0.84, 0.99, 0.97),
                Removal("local mean", 0.2, 0.998, 0.52, 0.81, 0.96, 0.88, 0.99, 0.95),
            ),
            np.linspace(0, 1, 6),
            np.array([0.998, 0.41, 0.3, 0.22, 0.2, 0.17]),
            np.array([0.17, 0.7, 0.9, 0.96, 0.99, 0.998]),
            {"noise at 20 dB": 0.83, "shift by 10 ms": 0.91},
            {"occlusion in bands": 0.64},
        ),
        counterfactuals=(
            Counterfactual({"f0_shift_st": -4.0}, analysis.emotion, softer, analysis.emotion,
                           {"f0_mean_st": Quantity(37.98, "st", True)}),
            Counterfactual({"tempo": 0.85, "gain_db": -6.0}, analysis.emotion, analysis.emotion,
                           analysis.emotion, {}),
        ),
        warnings=("the stretch is short: 2.4 s",),
    )  # fmt: skip
    claims = (
        Claim("Pitch is very high from 1.18 to 1.52 s.", ("explanation.moments.1.cues.0",)),
        Claim(
            "Much energy lies at high frequencies.",
            ("explanation.moments.1.cues.1", "descriptors.levels.alpha_ratio_mean_db"),
        ),
        Claim(
            "With the pitch 4 st lower it sounds less angry.", ("explanation.counterfactuals.0",)
        ),
        Claim("The jitter is as usual.", ("descriptors.levels.jitter_mean_percent", "no.where")),
    )
    return dataclasses.replace(analysis, explanation=explanation, claims=claims, **SAID)


@pytest.fixture(scope="session")
def unsaid():
    """Changes to an analysis of which there is no transcript."""
    return {**dict.fromkeys(SAID), "roles": ()}


@pytest.fixture(scope="session")
def audio(angry):
    return read(angry)


@pytest.fixture(scope="session")
def analysis(angry):
    """Without an explanation, as the model makes it."""
    return voxplain.analyze(angry, explain=None)


@pytest.fixture(scope="session")
def full(analysis):
    """With everything."""
    return explained(analysis)


@pytest.fixture(scope="session")
def hostile(full):
    """Names that are markup, quotes, commands or written from right to left."""
    attack = "</script><script>window.hacked = 1</script>"
    image = """50% "><img src=x onerror='window.hacked = 1'>"""
    emotion = dataclasses.replace(
        full.emotion,
        categories={**full.emotion.categories, image: 0.2},
        perceived={},
        label_set=(*full.emotion.label_set, image),
    )
    part = dataclasses.replace(full.segments[0], speaker="\u202eעמית <b>", emotion=emotion)
    return dataclasses.replace(
        full,
        source=f"تسجيل & {attack} 'x'.wav",
        emotion=emotion,
        segments=(part, part),
        warnings=(attack,),
        claims=(Claim(attack, (f"emotion.categories.{image}",)), *full.claims),
        provenance={**full.provenance, image: "<i>&amp;"},
        transcript=Transcript(
            f"{attack} שלום",
            (Word(attack, 0.52, 0.9, 0.9, 0.9, {image: 1.0}), Word("שלום", 0.9, 1.3, 0.9)),
            image,
            attack,
            0.9,
            (attack,),
        ),
        roles=(Role("expressive", 0, len(attack) + 5, 0.9),),
        semantic_fusion=dataclasses.replace(
            full.semantic_fusion, emphasised=(0,), extended=f"{attack} שלום"
        ),
    )
