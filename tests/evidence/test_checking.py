"""The checker believes what the evidence says, in other words too, and nothing else."""

import random
from dataclasses import replace

import pytest

from voxplain.errors import UnknownName
from voxplain.evidence.checking import check
from voxplain.evidence.claims import claims
from voxplain.evidence.grounds import resolve
from voxplain.testing.tampering import TAMPERINGS
from voxplain.types import Claim

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
    # numbers in words
    ("Two in five listeners would call the voice neutral.", "emotion.perceived"),
]  # fmt: skip


def claim(text, evidence):
    return Claim(text, (evidence,) if isinstance(evidence, str) else evidence)


@pytest.mark.parametrize(("text", "evidence"), TRUE)
def test_other_words_may_say_the_same(text, evidence, by_hand):
    assert check(claim(text, evidence), by_hand) == ()


@pytest.mark.parametrize(("text", "evidence"), FALSE)
def test_the_right_words_may_say_something_else(text, evidence, by_hand):
    assert check(claim(text, evidence), by_hand) != ()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_noticed(name, generated):
    choose, found = random.Random(name), 0
    for seed in range(150):
        analysis = generated(seed)
        for true in claims(analysis):
            false = list(TAMPERINGS[name](true, analysis))
            for one in choose.sample(false, min(2, len(false))):
                assert one != true
                assert check(one, analysis), (seed, one)
                found += 1
        if found > 100:
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
