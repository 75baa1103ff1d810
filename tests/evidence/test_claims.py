"""What is told of an analysis, in which words and in which order."""

import dataclasses
import math
import os
import re

import pytest

from voxplain.evidence.checking import check
from voxplain.evidence.claims import claims
from voxplain.evidence.grounds import STRESS
from voxplain.labels import CANONICAL
from voxplain.models.judgement import abstain
from voxplain.text.emphasis import CUES
from voxplain.types import Analysis, Descriptors, Emotion, Removal, Verdict

# More of them: VOXPLAIN_REPORTS=5000 python -m pytest tests/evidence
REPORTS = int(os.environ.get("VOXPLAIN_REPORTS", "100"))
ADULTS = "against adults (CREMA-D, EMO-DB; acted)"
PROXY = (
    "a proxy learned from votes of listeners, placed by coordinates of Russell & Mehrabian (1977)"
)
TOLD = {
    "explanation.moments.1": "Of all that points to angry, 45 % is heard from 1.2 to 1.6 s, "
    "between 250 and 2310 Hz.",
    "explanation.counterfactuals.1": "With the pitch 2 st lower, a synthetic voice, the "
    "probability of angry falls from 0.81 to 0.55; put together unchanged it is 0.80.",
    "explanation.moments.1.cues.1": f"From 1.2 to 1.6 s, pitch 4.1 st above the usual, z +1.8 "
    f"{ADULTS}, speaks for angry: experts expect higher values in angry speech (Scherer 2003; "
    "Juslin & Laukka 2003).",
    "explanation.contrast.1": f"High-frequency energy (alpha) 12 dB above the usual, z +2.7 "
    f"{ADULTS}, speaks for angry rather than happy: experts expect higher values in angry than in "
    "happy speech (Eyben 2016).",
    "explanation.moments.0": "Of all that points to angry, 20 % is heard from 0.4 to 0.6 s, "
    "between 0 and 317 Hz.",
    "explanation.counterfactuals.0": "With 0.85 times the tempo, a synthetic voice, the "
    "probability of angry falls from 0.81 to 0.70; put together unchanged it is 0.80.",
    "explanation.contrast.0": f"Pitch 2.1 st above the usual, z +0.9 {ADULTS}, speaks for angry "
    "rather than happy: experts expect higher values in angry than in happy speech (Scherer 2003; "
    "Juslin & Laukka 2003).",
    "explanation.moments.1.cues.0": "From 1.2 to 1.6 s, unevenness of periods (jitter) 1.3 "
    f"percentage points below the usual, z -0.9 {ADULTS}, speaks against angry: experts expect "
    "higher values in angry speech (Juslin & Laukka 2003).",
    "explanation.faithfulness.removals.0": "Without the most salient 20 % of the time, noise in "
    "its place, the probability of angry falls from 0.81 to 0.35; without random windows it is "
    "0.74, without the loudest 0.60.",
    "explanation.faithfulness.removals.1": "These moments matter no more than random windows: "
    "without the most salient 20 % of the time, local mean in its place, the probability of angry "
    "is 0.80, without random windows 0.75.",
    "emotion.verdict": "The voice sounds angry (probability 0.81) or fearful (0.12).",
    "emotion.perceived": "Listeners would disagree: 45 % would call the voice angry, 38 % neutral.",
    "descriptors.levels.f0_mean_st": f"Pitch is very high: 317 Hz, z +1.7 {ADULTS}.",
    "descriptors.levels.hnr_mean_db": "Harmonics over noise (HNR) is low: 5.0 dB, z -0.8 "
    f"{ADULTS}.",
    "emotion.dimensions.valence": f"Valence is 0.50 (0.25 to 0.75), {PROXY}.",
    "emotion.dimensions.arousal": f"Arousal is 0.79 (0.59 to 0.98), {PROXY}.",
    "emotion.dimensions.dominance": f"Dominance is 0.50 (0.25 to 0.75), {PROXY}.",
}


def with_explanation(analysis, **changes):
    explanation = dataclasses.replace(analysis.explanation, **changes)
    return dataclasses.replace(analysis, explanation=explanation)


def told(analysis):
    """First evidence -> text."""
    return {claim.evidence[0]: claim.text for claim in claims(analysis)}


def test_all_that_was_found_is_told_the_strongest_reasons_first(by_hand):
    found = claims(by_hand)
    assert [(claim.evidence[0], claim.text) for claim in found] == [*TOLD.items()]
    assert found[10].evidence == (
        "emotion.verdict", "emotion.categories.angry", "emotion.categories.fear"
    )  # fmt: skip
    assert found[12].evidence[1] == "descriptors.functionals.f0_mean_hz"


def test_every_cue_of_stress_has_a_name_in_sentences():
    assert STRESS.keys() == CUES.keys()


def test_what_is_said_follows_how_it_sounds(by_hand, in_words):
    before = claims(by_hand)
    after = [one for one in claims(in_words) if one not in before]
    assert [(claim.evidence[0], claim.text) for claim in after] == [
        ("fusion.relation", "Voice and words are in conflict."),
        (
            "fusion",
            "Voice and words together sound angry or happy; the probability of angry is 0.62, "
            "2 % of it from the words.",
        ),
        (
            "semantic_fusion.effects.valence",
            "With the words, valence rises from 0.50 to 0.62: 64 % of what they do comes from the "
            "emphasised words “told”, “wonderful” (+0.09), 29 % from the transcript as a whole "
            "(+0.04), 7 % from the interpretation (-0.01).",
        ),
        (
            "semantic_fusion.effects.dominance",
            "With the words, dominance falls from 0.50 to 0.40: 60 % of what they do comes from "
            "the transcript as a whole (-0.06), 20 % from the emphasised words “told”, “wonderful” "
            "(-0.02), 20 % from the interpretation (-0.02).",
        ),
        ("text_emotion.categories.happy", "The words alone sound happy (probability 0.70)."),
        ("text_emotion.attribution", "Of the words, “wonderful” speaks for happy most of all."),
        (
            "transcript.words.5",
            "“wonderful” is stressed from 1.7 to 2.4 s, with a prominence of 0.91, pitch z +1.8, "
            "length z +1.1 against the other words.",
        ),
        (
            "transcript.words.4",
            "“was” is stressed from 1.5 to 1.7 s, with a prominence of 0.70.",
        ),
        ("roles", "50 % of the words tell the speaker's own reaction."),
    ]
    assert [problem for claim in after for problem in check(claim, in_words)] == []


@pytest.mark.parametrize("label", CANONICAL)
def test_every_label_becomes_an_adjective(label, by_hand):
    other = "sad" if label != "sad" else "angry"
    emotion = Emotion({label: 1.0}, {label: 1.0}, None, (label,), Verdict((label,)))
    analysis = with_explanation(
        dataclasses.replace(by_hand, emotion=emotion), output=label, runner_up=other,
        counterfactuals=(),
    )  # fmt: skip
    found = " ".join(claim.text for claim in claims(analysis))
    adjective = {
        "disgust": "disgusted", "fear": "fearful", "surprise": "surprised", "boredom": "bored"
    }.get(label, label)  # fmt: skip
    assert f"The voice sounds {adjective} (probability 1.00)." in found
    assert f"100 % of listeners would call the voice {adjective}." in found
    assert f"in {adjective} than in" in found
    assert not re.search(rf"\b(is|feels) {adjective}\b", found)
    if adjective != label:
        assert not re.search(rf"\b{label}\b", found)


def test_where_nothing_is_named_the_reason_is_told(by_hand):
    silent = abstain("no speech found in 3.0 s of audio", label_set=("angry",))
    nothing = dataclasses.replace(
        by_hand, emotion=silent, descriptors=Descriptors({}), segments=(), explanation=None
    )
    (claim,) = claims(nothing)
    assert claim.text == (
        "There is not enough evidence to say how the voice sounds: "
        "no speech found in 3.0 s of audio."
    )
    assert claim.evidence == ("emotion.verdict",)


def test_of_several_stretches_the_one_explained_is_named(by_hand):
    first = by_hand.segments[0]
    later = dataclasses.replace(first, start=61.0, end=70.24)
    analysis = with_explanation(dataclasses.replace(by_hand, segments=(first, later)), segment=1)
    found = told(analysis)
    for name in ("faithfulness.removals.0", "counterfactuals.1", "contrast.1"):
        whole = TOLD[f"explanation.{name}"]
        expected = f"From 61.0 to 70.2 s, {whole[0].lower()}{whole[1:]}"
        assert found[f"explanation.{name}"] == expected
    assert found["explanation.moments.1"] == TOLD["explanation.moments.1"]


def test_where_the_usual_is_expected_the_nearest_is_the_strongest(by_hand):
    moment = by_hand.explanation.moments[1]
    pitch = moment.cues[1]
    near, far = (
        dataclasses.replace(pitch, value=37.9 + z, z=z, expected=0.0, judgement="supports")
        for z in (-0.06, 0.6)
    )
    moment = dataclasses.replace(moment, cues=(far, near))
    found = claims(with_explanation(by_hand, moments=(moment,), output="sad", contrast=()))
    texts = [claim.text for claim in found if "experts" in claim.text]
    assert "0.060 st below the usual, z -0.1" in texts[0]
    assert texts[0].endswith(
        "speaks for sad: experts expect usual values in sad speech (Scherer 2003; "
        "Juslin & Laukka 2003)."
    )
    assert "0.60 st above the usual, z +0.6" in texts[1]


def test_what_does_not_move_the_probability_is_told_so(by_hand):
    calm = Removal("silence", 0.2, 0.81, 0.8061, 0.9, 0.99, 0.9, 1.0, 1.0)
    tested = dataclasses.replace(by_hand.explanation.faithfulness, removals=(calm,))
    found = told(with_explanation(by_hand, faithfulness=tested))
    assert found["explanation.faithfulness.removals.0"] == (
        "Without the most salient 20 % of the time, silence in its place, the probability of angry "
        "stays at 0.81; without random windows it is 0.99, without the loudest 0.90."
    )


def test_what_the_resynthesis_does_by_itself_is_no_finding(by_hand):
    gain = by_hand.explanation.counterfactuals[2]  # 0.81, put together 0.80, changed 0.805
    assert gain.edit == {"gain_db": 6.0}
    assert not any("intensity" in claim.text for claim in claims(by_hand))
    louder = dataclasses.replace(gain, after=by_hand.explanation.counterfactuals[1].after)
    found = told(with_explanation(by_hand, counterfactuals=(louder,)))
    assert found["explanation.counterfactuals.0"].startswith("With the intensity 6 dB higher, ")


def test_what_is_not_measurable_is_not_told(by_hand):
    unknown = Removal("noise", 0.2, 0.81, math.nan, 0.6, 0.7, 0.6, 0.8, 1.0)
    tested = dataclasses.replace(by_hand.explanation.faithfulness, removals=(unknown,))
    assert "explanation.faithfulness.removals.0" not in told(
        with_explanation(by_hand, faithfulness=tested)
    )
    assert "formant F1" not in " ".join(claim.text for claim in claims(by_hand))


def test_every_claim_of_many_reports_holds(generated):
    seen = set()
    for seed in range(REPORTS):
        analysis = generated(seed)
        for claim in claims(analysis):
            assert check(claim, analysis) == (), (seed, claim)
            seen.add(re.sub(r"\d+", "0", claim.evidence[0]))
    assert seen >= {re.sub(r"\d+", "0", path) for path in TOLD if "levels" not in path}


def test_claims_survive_the_document(by_hand):
    analysis = dataclasses.replace(by_hand, claims=claims(by_hand))
    again = Analysis.from_dict(analysis.to_dict())
    assert again.claims == analysis.claims
    assert all(check(claim, again) == () for claim in again.claims)
