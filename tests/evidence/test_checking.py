"""The checker believes what the evidence says, in other words too, and nothing else."""

import os
import random
from dataclasses import replace

import pytest

from voxplain.errors import UnknownName
from voxplain.evidence.checking import check
from voxplain.evidence.claims import claims
from voxplain.evidence.grounds import resolve
from voxplain.testing.tampering import TAMPERINGS
from voxplain.types import Claim

# More of them: VOXPLAIN_REPORTS=5000 python -m pytest tests/evidence
REPORTS = int(os.environ.get("VOXPLAIN_REPORTS", "100"))
PITCH = "explanation.moments.1.cues.1"
JITTER = "explanation.moments.1.cues.0"
MOMENT = "explanation.moments.1"
ENERGY = "explanation.contrast.1"
LOWER = "explanation.counterfactuals.1"
SLOWER = "explanation.counterfactuals.0"
REMOVED = "explanation.faithfulness.removals.0"
FAILED = "explanation.faithfulness.removals.1"
VERDICT = ("emotion.verdict", "emotion.categories.angry", "emotion.categories.fear")
ADULTS = "adults (CREMA-D, EMO-DB; acted)"

TRUE = [
    (f"Between 1.2 and 1.6 s the pitch lies 4.1 semitones above the usual, z +1.8 against "
     f"{ADULTS}, and experts expect higher values in angry speech (Scherer 2003).", PITCH),
    (f"In angry speech experts expect a higher pitch (Juslin and Laukka 2003), and from 1.18 to "
     f"1.62 s it is 4.10 st higher than the usual of {ADULTS}.", PITCH),
    (f"Against {ADULTS} the unevenness of periods (jitter) is 1.3 percentage points lower than "
     "the usual from 1.2 to 1.6 s; this speaks against angry, for which experts expect higher "
     "values (Juslin & Laukka 2003).", JITTER),
    ("45 percent of all that points to angry is heard from 1.2–1.6 s at 250 to 2310 Hz.", MOMENT),
    ("The probability of angry drops from 0.81 to 0.55 with the pitch 2 semitones lower; "
     "unchanged, the synthetic voice has 0.80.", LOWER),
    ("With noise in its place, the probability of anger is 0.352 without the most salient 20 % of "
     "the time, but 0.744 without random windows.", REMOVED),
    ("The voice sounds fearful with a probability of 0.12 or angry with 0.81.", VERDICT),
    ("Listeners disagree: 38 % call it neutral, 45 % angry.", "emotion.perceived"),
    (f"The pitch is very high at 316.9 Hz, with z +1.74 against {ADULTS}.",
     ("descriptors.levels.f0_mean_st", "descriptors.functionals.f0_mean_hz")),
]  # fmt: skip

FALSE = [
    # what is measured is told as what is expected, and the other way round
    (f"From 1.2 to 1.6 s, experts expect a pitch 4.1 st above the usual of {ADULTS} in angry "
     "speech (Scherer 2003).", PITCH),
    (f"From 1.2 to 1.6 s, unevenness of periods (jitter), z -0.9 against {ADULTS}, is below the "
     "usual: experts expect lower values in angry speech (Juslin & Laukka 2003).", JITTER),
    # of another moment, or of none
    (f"From 0.4 to 0.6 s, pitch is 4.1 st above the usual, z +1.8 against {ADULTS}: experts expect "
     "higher values in angry speech (Scherer 2003).", PITCH),
    (f"Pitch is 4.1 st above the usual, z +1.8 against {ADULTS}: experts expect higher values in "
     "angry speech (Scherer 2003).", PITCH),
    # a difference of expectations is told as an expectation
    (f"High-frequency energy (alpha) 12 dB above the usual of {ADULTS} speaks for angry: experts "
     "expect higher values in angry speech (Eyben 2016).", ENERGY),
    # right numbers in the wrong place
    ("Of all that points to angry, 45 % is heard from 250 to 2310 s, between 1.2 and 1.6 Hz.",
     MOMENT),
    ("Of all that points to angry, 45 % is heard from 1.2 to 2310 s.", MOMENT),
    ("With the pitch 2 st lower, a synthetic voice, the probability of angry falls from 0.81 to "
     "0.80; put together unchanged it is 0.55.", LOWER),
    ("Without random windows, noise in its place, the probability of angry falls from 0.81 to "
     "0.35; without the most salient 20 % of the time it is 0.74.", REMOVED),
    ("With the most salient 20 % of the time, noise in its place, the probability of angry falls "
     "from 0.81 to 0.35.", REMOVED),
    ("With the tempo 0.85 times higher, a synthetic voice, the probability of angry falls from "
     "0.81 to 0.70; put together unchanged it is 0.80.", SLOWER),
    ("The voice sounds angry (probability 0.12) or fearful (0.81).", VERDICT),
    ("45 % would call the voice neutral, 38 % of listeners angry.", "emotion.perceived"),
    # what was failed is told as passed, what was passed as failed
    ("Without the most salient 20 % of the time, local mean in its place, the probability of angry "
     "falls from 0.81 to 0.75; without random windows it is 0.80.", FAILED),
    ("These moments matter no more than random windows: without the most salient 20 % of the time, "
     "noise in its place, the probability of angry is 0.35, without random windows 0.74.", REMOVED),
    # so coarse that nothing is told
    ("The voice sounds angry (probability 1) or fearful (0).", VERDICT),
    ("Of all that points to angry, 45 % is heard from 1 to 2 s.", MOMENT),
    # emotions
    ("The voice is angry (probability 0.81) or fearful (0.12).", VERDICT),
    ("The voice sounds angry (probability 0.81).", VERDICT[:2]),
    ("The voice sounds fearful (probability 0.12).", VERDICT[::2]),
    ("The voice sounds happy (probability 0.05).", ("emotion.verdict", "emotion.categories.happy")),
    ("The voice sounds angry (probability 0.81).", "emotion.categories.angry"),
    ("Listeners would call the voice sad: 45 % angry.", "emotion.perceived"),
    ("38 % of listeners would call the voice neutral, which is sad.", "emotion.perceived"),
    # that it was not measured by itself
    ("Arousal is 0.79 (0.59 to 0.98).", "emotion.dimensions.arousal"),
    # what is compared, said, stressed or counted is something else
    (f"The usual is 4.1 st above the pitch from 1.2 to 1.6 s, z +1.8 against {ADULTS}: experts "
     "expect higher values in angry speech (Scherer 2003).", PITCH),
    (f"Above the pitch lies the usual from 1.2 to 1.6 s, by 4.1 st, z +1.8 against {ADULTS}: "
     "experts expect higher values in angry speech (Scherer 2003).", PITCH),
    (f"High-frequency energy (alpha) 12 dB above the usual, z +2.7 against {ADULTS}, speaks for "
     "angry rather than happy: experts expect higher values in angry speech (Eyben 2016).", ENERGY),
    ("The words sounds angry (probability 0.81) or fearful (0.12).", VERDICT),
    ("Listeners would call 45 % of this voice angry.", "emotion.perceived"),
    ("Of all that points to angry, 45 % of the words is heard from 1.2 to 1.6 s.", MOMENT),
    ("Of all that points to angry is heard from 1.2 to 1.6 s.", MOMENT),
    ("Without the most salient 20 % of the time, local mean in its place, the probability of angry "
     "falls from 0.81 to 0.80.", FAILED),
    # numbers in words
    ("Two in five listeners would call the voice neutral.", "emotion.perceived"),
]  # fmt: skip


LEVEL = ("descriptors.levels.f0_mean_st", "descriptors.functionals.f0_mean_hz")
WORD = ("transcript.words.5", "transcript.words.5.cues")
LAY_TRUE = [
    ("From 1.2 to 1.6 s, the pitch is higher than usual, which speaks for angry.", PITCH),
    ("At one moment, a higher pitch than usual speaks for angry, as experts expect.", PITCH),
    ("High-frequency energy is above the usual; this speaks for angry rather than happy.", ENERGY),
    ("With the pitch 2 st lower, a synthetic voice, the probability of angry falls.", LOWER),
    ("These moments matter no more than random windows.", FAILED),
    ("The voice sounds angry or fearful.", VERDICT),
    ("Listeners would disagree.", "emotion.perceived"),
    ("The voice has a very high pitch.", LEVEL),
    ("The pitch is higher than average.", LEVEL),
    ("Arousal is 0.79, a proxy.", "emotion.dimensions.arousal"),
    ("The word “wonderful” is emphasised.", WORD),
    ("By themselves, the words sound happy.", "text_emotion.categories.happy"),
]  # fmt: skip
LAY_FALSE = [
    # a number left out would say that it is all, or hide that it is little
    ("The words tell the speaker's own reaction.", "roles"),
    ("Of the words tell the speaker's own reaction.", "roles"),
    ("Of all that points to angry is heard from 1.2 to 1.6 s.", MOMENT),
    ("Listeners would call the voice angry.", "emotion.perceived"),
    ("Arousal is a proxy.", "emotion.dimensions.arousal"),
    ("The pitch.", LEVEL),
    ("With the words, valence rises: of what they do comes from the interpretation.",
     "semantic_fusion.effects.valence"),
    ("“wonderful” is stressed from 1.7 to 2.4 s, pitch z +1.8, length against the other words.",
     WORD),
    # what must still be told
    ("The pitch is higher than usual, which speaks for angry.", PITCH),
    ("High-frequency energy is above the usual, which speaks for angry.", ENERGY),
    ("With the pitch 2 st lower, the probability of angry falls.", LOWER),
    ("Without the most salient 20 % of the time, the probability of angry falls.", FAILED),
    ("The voice sounds angry.", VERDICT),
    ("Arousal is 0.79.", "emotion.dimensions.arousal"),
    ("The voice sounds happy.", "text_emotion.categories.happy"),
    ("Voice and words together sound angry or angry; the probability of happy is 0.25.", "fusion"),
    # directions, degrees, emotions, cues
    ("From 1.2 to 1.6 s, the pitch is lower than usual, which speaks for angry.", PITCH),
    ("From 1.2 to 1.6 s, the usual is higher, which speaks for angry: pitch.", PITCH),
    ("From 1.2 to 1.6 s, it is higher than usual, which speaks for angry.", PITCH),
    ("From 1.2 to 1.6 s, the pitch is much higher than usual.", PITCH),
    ("From 1.2 to 1.6 s, the pitch is higher than usual, which speaks for adults.", PITCH),
    ("From 1.2 to 1.6 s, the unevenness of periods is below the usual, as experts expect.", JITTER),
    ("The pitch is high.", LEVEL),
    ("The pitch is lower than usual.", LEVEL),
    ("The pitch range is very high.", LEVEL),
    ("With a lower probability of angry, a synthetic voice, the pitch falls.", LOWER),
    ("When the pitch is 2 st lower, a synthetic voice, the probability of angry rises.", LOWER),
    ("The voice is stressed from 1.7 to 2.4 s: “wonderful”.", WORD),
    ("The word “told” is stressed.", WORD),
    ("The voice and the words alone sound happy.", "text_emotion.categories.happy"),
    ("The voice sounds angry and fearful.", VERDICT),
    ("The voice sounds angry or probably fearful.", VERDICT),
    # numbers that stay must be right
    ("The voice sounds angry (probability 0.8) or fearful.", VERDICT),
    ("The pitch is very high: 300 Hz.", LEVEL),
    ("When the pitch is 3 st lower, a synthetic voice, the probability of angry falls.", LOWER),
]  # fmt: skip


def claim(text, evidence):
    return Claim(text, (evidence,) if isinstance(evidence, str) else evidence)


@pytest.mark.parametrize(("text", "evidence"), TRUE)
def test_other_words_may_say_the_same(text, evidence, by_hand):
    assert check(claim(text, evidence), by_hand) == ()


@pytest.mark.parametrize(("text", "evidence"), FALSE)
def test_the_right_words_may_say_something_else(text, evidence, by_hand):
    assert check(claim(text, evidence), by_hand) != ()


@pytest.mark.parametrize(("text", "evidence"), LAY_TRUE)
def test_a_lay_reader_may_be_told_less(text, evidence, in_words):
    assert check(claim(text, evidence), in_words, lay=True) == ()
    assert check(claim(text, evidence), in_words) != ()


@pytest.mark.parametrize(("text", "evidence"), LAY_FALSE)
def test_a_lay_reader_is_told_nothing_else(text, evidence, in_words):
    assert check(claim(text, evidence), in_words, lay=True) != ()


def test_what_is_nearly_usual_is_told_by_how_much(by_hand):
    cue = replace(by_hand.explanation.moments[1].cues[1], expected=0.0, z=0.2, value=38.4)
    moment = replace(by_hand.explanation.moments[1], cues=(cue,))
    explanation = replace(by_hand.explanation, moments=(moment,))
    analysis = replace(by_hand, explanation=explanation)
    near, bare = (
        f"From 1.2 to 1.6 s, pitch is above the usual{by}, which speaks for angry: experts expect "
        "usual values in angry speech."
        for by in (", z +0.2", "")
    )
    path = "explanation.moments.0.cues.0"
    assert check(claim(near, path), analysis, lay=True) == ()
    assert check(claim(bare, path), analysis, lay=True) == (f"of {path} is not told: z",)
    as_expected = "From 1.2 to 1.6 s, pitch is above the usual, z +0.2, as experts expect."
    assert check(claim(as_expected, path), analysis, lay=True) != ()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_noticed(name, generated):
    choose, found = random.Random(name), 0
    for seed in range(REPORTS):
        analysis = generated(seed)
        for true in claims(analysis):
            false = list(TAMPERINGS[name](true, analysis))
            for one in choose.sample(false, min(2, len(false))):
                assert one != true
                assert check(one, analysis), (seed, one)
                found += 1
        if found > REPORTS / 2:
            break
    assert found > 10


def test_a_claim_stands_on_something(by_hand):
    said = claims(by_hand)[0]
    assert check(replace(said, evidence=()), by_hand) == ("no evidence is cited",)
    (problem,) = check(replace(said, evidence=("explanation.momentz.1",)), by_hand)
    assert problem.startswith("unknown part of the evidence 'explanation.momentz.1' 'momentz'")
    assert "Did you mean 'moments'?" in problem
    more = replace(said, evidence=(*said.evidence, "emotion.categories.happy"))
    assert check(more, by_hand) == ("nothing is said of emotion.categories.happy",)
    # what is said of a stretch is not said of the whole
    parts = [f"segments.0.{path}" for path in VERDICT]
    assert check(claim("The voice sounds angry (probability 0.81).", tuple(parts)), by_hand)


def test_a_problem_says_what_is_wrong(by_hand):
    def problems(text, evidence):
        return "; ".join(check(claim(text, evidence), by_hand))

    assert "'shouting' is not in the evidence" in problems("The voice is shouting.", VERDICT)
    found = problems("Valence is 0.51 (0.25 to 0.75).", "emotion.dimensions.valence")
    assert "'0.51' is not what the evidence gives there" in found
    assert "of emotion.dimensions.valence is not told: proxy" in found
    assert "'angry' must be said of how a voice sounds" in problems("It is angry.", VERDICT)
    assert "the verdict is not told in full: angry, fear" in problems("It sounds angry.", VERDICT)
    assert "'rises' is not the direction that the evidence gives" in problems(
        "The probability of angry rises from 0.81 to 0.55.", LOWER
    )
    assert "'sad' is not the emotion that the evidence gives there" in problems(
        "It sounds sad.", VERDICT
    )
    assert "'usual' has no direction" in problems("Pitch is usual.", PITCH)
    assert "it is not clear what is taken away" in problems("Without it.", REMOVED)


def test_what_stands_at_a_path(by_hand):
    assert resolve(by_hand, "explanation.moments.1.share") == 0.45
    assert resolve(by_hand, "emotion.categories.angry") == 0.81
    for path in ("", "explanation.moments.2", "explanation.moments.-1", "duration.seconds"):
        with pytest.raises(UnknownName, match=f"part of the evidence {path!r}"):
            resolve(by_hand, path)
