"""The parts of the study beyond saliency: each against what is known by hand."""

import dataclasses
import hashlib
import json
import math
import xml.etree.ElementTree as Tree

import numpy as np
import onnx
import pytest
import soundfile
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score

from voxplain import descriptors
from voxplain.audio.listening import Listener
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.evidence.references import expectations
from voxplain.evidence.voice import AXES, Edit, Voice
from voxplain.explainers import Grid
from voxplain.models.embedded import EmbeddedModel
from voxplain.models.saliency_cnn import SaliencyCNN
from voxplain.training.corpora._reading import Utterance
from voxplain.training.statistics import Interval
from voxplain.training.studies import dose, maps, outcomes, regions, tables
from voxplain.training.studies.charts import dots
from voxplain.training.studies.defects import at_24_khz, in_cuts, zeroed
from voxplain.training.studies.detection import errors
from voxplain.training.studies.explained import (
    CUTS,
    FORGOTTEN,
    ZEROS,
    Explained,
    Measured,
    Plain,
)
from voxplain.training.studies.findings import Findings
from voxplain.training.studies.recordings import Neutral, cues_in, drawn, record
from voxplain.training.studies.repairs import defects
from voxplain.training.studies.subjects import Network, Seen, shuffle
from voxplain.types import Attribution, Audio, Segment

CUES = ("f0_mean_st", "intensity_mean_db", "hnr_mean_db", "f1_mean_hz")
OPTIONS = maps.Options(cues=CUES, patch=0.15, stride=0.045, width=0.15, window=0.1, draws=3, seed=0)


@pytest.fixture(scope="module")
def recording(angry):
    return record(str(angry))


def spans(found):
    return [(round(one.start, 6), round(one.end, 6)) for one in found]


# Recordings and cues


def test_a_clip_is_measured_as_a_whole_in_the_time_of_its_file(recording, angry):
    assert recording.audio.duration == pytest.approx(3.0, abs=0.01)
    assert 0 < recording.stretch.start < recording.stretch.end < 3.01
    assert recording.tracks["f0_hz"].times[0] == pytest.approx(recording.stretch.start, abs=0.02)


def test_a_clip_with_too_little_speech_is_none(tmp_path):
    place = tmp_path / "silence.wav"
    soundfile.write(place, np.zeros(32_000), 16_000)
    assert record(str(place)) is None


def test_cues_of_one_region_are_the_functionals_within_it(recording):
    region = Segment(1.0, 1.6)
    within = descriptors.functionals(recording.tracks, within=region)
    np.testing.assert_allclose(
        cues_in(recording, [region], CUES), [within[name].value for name in CUES], rtol=1e-6
    )


def test_cues_of_two_regions_are_those_of_their_frames_together(recording):
    parts = [Segment(1.0, 1.3), Segment(1.5, 2.0)]
    track = recording.tracks["f0_hz"]
    inside = track.voiced & regions.frames_in(track.times, parts)
    spoken = Listener()  # every one of these frames is speech
    list(spoken.stretches([recording.audio.waveform], source=""))
    assert spoken.activity(Segment(1.0, 2.0)).values.min() > 0.3
    wanted = np.mean(12 * np.log2(track.values[inside] / 27.5))
    assert cues_in(recording, parts, CUES)[0] == pytest.approx(wanted)
    assert np.isnan(cues_in(recording, [], CUES)).all()


def test_z_is_against_the_other_neutral_clips_of_the_speaker():
    cues = np.array([[10.0], [12.0], [14.0], [20.0], [24.0]])
    neutral = Neutral(np.array(list("abcde")), np.array(["x", "x", "x", "y", "y"]), cues)
    # Within speakers: (4 + 0 + 4) + (4 + 4) over 2 + 1 degrees of freedom.
    deviation = math.sqrt(16 / 3)
    assert neutral.z(np.array([15.0]), speaker="x", path="other") == pytest.approx(3 / deviation)
    assert neutral.z(np.array([14.0]), speaker="x", path="c") == pytest.approx(3 / deviation)
    assert np.isnan(neutral.z(np.array([14.0]), speaker="y", path="d"))  # one clip is left
    assert np.isnan(neutral.z(np.array([np.nan]), speaker="x", path="other"))


def test_so_many_clips_of_each_speaker_and_emotion_are_drawn_the_same_each_time():
    utterances = [
        Utterance(f"{s}{e}{n}", "cremad", s, "female", e, "")
        for s in ("s1", "s2")
        for e in ("angry", "sad")
        for n in range(5 if e == "angry" else 1)
    ]
    found = drawn(utterances, each=2, seed=0)
    counts = [(one.speaker, one.emotion) for one in found]
    assert [counts.count(kind) for kind in sorted(set(counts))] == [2, 1, 2, 1]
    assert found == drawn(utterances, each=2, seed=0) != drawn(utterances, each=2, seed=1)


# Regions


def test_the_published_windows_are_those_with_the_highest_sums():
    scores = np.zeros((2, 35))
    scores[0, 12], scores[1, 31], scores[0, 5] = 3.0, 2.0, 1.0
    scores[:, 20:30] = -5.0  # counts as 0
    found = regions.top_windows(scores, Grid(1.0, 0.01), width=10, most=3)
    assert spans(found) == [(1.1, 1.2), (1.3, 1.35), (1.0, 1.1)]


def test_scores_between_edges_come_to_every_frame():
    attribution = Attribution(
        "occlusion", "", "time", np.array([1.0, 2.0]), "", times=np.array([0.0, 0.3, 0.4])
    )
    assert regions.on_cells(attribution, Grid(0.0, 0.1)).tolist() == [[1, 1, 1, 2]]


def test_what_is_outside_of_regions_is_the_rest():
    sound = Segment(1.0, 2.0)
    parts = [Segment(1.5, 1.7), Segment(0.8, 1.1)]
    assert spans(regions.within(parts, sound)) == [(1.5, 1.7), (1.0, 1.1)]
    assert spans(regions.outside(parts, sound)) == [(1.1, 1.5), (1.7, 2.0)]
    assert regions.overlap(parts, [sound]) == pytest.approx(0.3 / 0.5)
    assert math.isnan(regions.overlap([], [sound]))


def test_random_stretches_fit_do_not_overlap_and_go_everywhere():
    sound, generator = Segment(1.0, 2.0), np.random.default_rng(0)
    parts = [Segment(0.0, 0.3), Segment(0.5, 0.6)]
    hit = np.zeros(100)
    for _ in range(500):
        found = sorted(regions.random_stretches(parts, sound, generator), key=lambda s: s.start)
        assert sorted(round(one.duration, 6) for one in found) == [0.1, 0.3]
        assert 1.0 <= found[0].start <= found[0].end <= found[1].start <= found[1].end <= 2 + 1e-9
        hit += regions.frames_in(np.arange(1.005, 2, 0.01), found)
    assert hit.min() > 0
    assert hit[10:-10].min() > 100


def test_stretches_that_fill_the_sound_fill_it():
    sound = Segment(1.0, 2.0)
    (found,) = regions.random_stretches([sound], sound, np.random.default_rng(0))
    assert (found.start, found.end) == (1.0, 2.0)


# Maps: a model that hears nothing but a band of a stretch


def seen(where, *, network=None):
    """134 frames from 0.5 s on, quiet but for ``where`` (bands, frames), which speaks for 1."""
    inputs = np.full((128, 134), -60.0, np.float32)
    inputs[where] = -10.0

    def forward(batch):
        told = batch[:, where[0], where[1]].mean((1, 2)) / 10
        return np.stack([-told, told], 1)

    return Seen(
        inputs=inputs,
        grid=Grid(0.5, 0.015, tuple(np.linspace(0, 8000, 129))),
        sound=Segment(0.5, 2.5),
        power=10 ** (inputs / 10.0),
        forward=forward,
        logits=forward,
        network=network,
    )


def test_every_method_points_at_what_the_model_hears():
    where = np.s_[40:52, 60:70]  # 1.4 to 1.55 s, 2.5 to 3.25 kHz
    clip = seen(where)
    found = dict(maps.pointed_at(clip, clip, 1, OPTIONS, every_band=False))
    assert spans(found[maps.PUBLISHED])[0] == (1.4, 1.55)
    assert spans(found[maps.LOUDEST])[0] == (1.4, 1.55)
    assert spans(found[maps.WHOLE]) == [(0.5, 2.5)]
    (ours,) = found[maps.OURS]
    assert ours.start <= 1.41
    assert ours.end >= 1.54
    assert ours.duration < 0.35
    assert found[maps.SHUFFLED] == found[maps.PUBLISHED]  # it is the same model
    low, high = maps.salient_band(clip, 1, OPTIONS)
    assert low <= 2500
    assert 3250 <= high < 4500


def test_the_published_fill_is_the_loudest_value():
    clip, given = seen(np.s_[0:128, 60:70]), []

    def logits(batch):
        given.append(batch.max((1, 2)))
        return clip.forward(batch)

    clip = dataclasses.replace(clip, logits=logits, network=SaliencyCNN(labels=2).eval())
    inputs = clip.inputs.copy()
    found = dict(maps.pointed_at(clip, clip, 1, OPTIONS, every_band=False))
    np.testing.assert_array_equal(clip.inputs, inputs)
    np.testing.assert_allclose(np.concatenate(given), -10.0)
    # Where it is loud there is nothing to see: the fill is what is there.
    assert (1.4, 1.55) not in spans(found[maps.LOUD_FILL])[:1]


def test_one_channel_passes_its_own_relevance_and_what_leads_past_it():
    torch.manual_seed(0)
    network = SaliencyCNN(labels=3).eval()
    torch.nn.init.zeros_(network.layer1.shortcut.weight)
    x = torch.randn(1, 1, 128, 134, requires_grad=True)
    alone = maps._through(network, 35)
    torch.testing.assert_close(alone(x), network(x))
    (gradient,) = torch.autograd.grad(alone(x)[0, 0], x)
    network.layer1.conv1.weight.data[35] = 0
    network.layer1.norm1.bias.data[35] = -1  # the channel is silent
    (without,) = torch.autograd.grad(maps._through(network, 35)(x)[0, 0], x)
    assert gradient.abs().sum() > 0
    assert without.abs().sum() == 0


# Defects


def test_zeros_where_unvoiced_pull_the_pitch_down(recording):
    region = [Segment(1.0, 2.5)]
    pitch = recording.tracks["f0_hz"]
    inside = regions.frames_in(pitch.times, region)
    activity = recording.tracks["speech_activity"]
    nearest = np.abs(pitch.times[inside][:, None] - activity.times).argmin(1)
    spoken = activity.values[nearest] >= 0.3
    semitones = np.nan_to_num(12 * np.log2(pitch.values[inside] / 27.5))
    found = cues_in(zeroed(recording), region, CUES)[0]
    assert found == pytest.approx(semitones[spoken].mean())
    assert found < cues_in(recording, region, CUES)[0]


def test_cuts_are_measured_by_themselves(recording):
    cut = in_cuts(recording, width=0.15, start=1.0)
    times = cut.tracks["f0_hz"].times
    assert times[0] == pytest.approx(1.005, abs=0.006)
    piece = Audio(recording.audio.waveform[16_000:18_400], 16_000, "cut")
    alone = descriptors.tracks(piece, start=1.0)["f0_hz"]
    first = regions.frames_in(times, [Segment(1.0, 1.15)])
    np.testing.assert_array_equal(cut.tracks["f0_hz"].values[first], alone.values)


# Outcomes


def test_plausibility_is_the_weighted_share_of_expected_signs():
    signs, weights = np.array([[1, -1, 1, 0]]), np.array([[1.0, 0.5, 0.25, 0.0]])
    z = np.array([[2.0, 0.3, np.nan, 9.0]])
    assert outcomes.plausibility(z, signs, weights) == pytest.approx(1 / 1.5)
    assert outcomes.plausibility(z, signs, weights, dead_band=0.5) == pytest.approx(1.0)
    assert np.isnan(outcomes.plausibility(z * np.nan, signs, weights))


def test_the_expected_signs_are_those_of_the_cue_table():
    found = outcomes.Expected(["sad", "neutral"], ["intensity_mean_db", "flux_mean"])
    assert found.signs.tolist() == [[-1, 0], [0, 0]]
    agreement = expectations("sad")["intensity_mean_db"].agreement
    assert found.weights.tolist() == [[agreement, 0], [0, 0]]


def slowly(statistic, speakers, rows, *, level=0.95):
    """The bootstrap step by step: speakers are drawn, all their rows come."""
    names = np.unique(speakers[rows])
    generator, values = np.random.default_rng(5), []
    for _ in range(400):
        chosen = generator.choice(names, len(names))
        values.append(statistic(np.concatenate([rows[speakers[rows] == one] for one in chosen])))
    return statistic(rows), *np.quantile(values, [(1 - level) / 2, (1 + level) / 2])


def test_means_are_resampled_by_speaker():
    generator = np.random.default_rng(1)
    speakers = np.repeat([f"s{n:02}" for n in range(12)], 10)
    kinds = np.tile(["a", "b"], 60)
    values = np.repeat(generator.normal(0.3, 1, 12), 10) + (kinds == "a") * 0.5
    values[::7] = np.nan
    found = outcomes.clustered_mean(values, kinds, speakers)
    known = np.flatnonzero(np.isfinite(values))
    wanted = slowly(
        lambda rows: np.mean([values[rows[kinds[rows] == kind]].mean() for kind in "ab"]),
        speakers,
        known,
    )
    assert (found.value, found.low, found.high) == pytest.approx(wanted, abs=0.08)
    assert (found.n, found.speakers) == (len(known), 12)
    wide = outcomes.clustered_mean(values, kinds, speakers, level=0.9875)
    assert wide.low < found.low < found.high < wide.high


def test_auroc_is_that_of_another_tool_and_is_resampled_by_speaker():
    generator = np.random.default_rng(0)
    speakers = np.repeat([f"s{n:02}" for n in range(20)], 10)
    wrong = generator.random(200) < 0.3
    scores = np.round(wrong + generator.normal(0, 1, 200), 1)  # with ties
    scores[:5] = np.nan
    found = outcomes.clustered_auroc(scores, wrong, speakers)
    wanted = slowly(
        lambda rows: roc_auc_score(wrong[rows], scores[rows]), speakers, np.arange(5, 200)
    )
    assert found.value == pytest.approx(wanted[0])
    assert (found.low, found.high) == pytest.approx(wanted[1:], abs=0.02)
    other = np.where(np.isnan(scores), np.nan, -scores)
    gain = outcomes.clustered_auroc(scores, wrong, speakers, minus=other)
    assert gain.value == pytest.approx(2 * found.value - 1)
    nobody = outcomes.clustered_auroc(scores, np.zeros(200, bool), speakers)
    assert math.isnan(nobody.value)


def test_a_difference_of_means_is_over_the_kinds_that_have_both():
    speakers, kinds = np.array(["x", "x", "y", "y", "y"]), np.array(list("aabba"))
    one = np.array([1.0, np.nan, 5.0, np.nan, 2.0])
    other = np.array([np.nan, 0.5, np.nan, np.nan, np.nan])
    found = outcomes.clustered_mean(one, kinds, speakers, minus=other)
    assert found.value == pytest.approx(1.5 - 0.5)


def test_nothing_to_average_is_nan():
    nothing = outcomes.clustered_mean(
        np.full(3, np.nan), np.array(list("abc")), np.array(["x"] * 3)
    )
    assert math.isnan(nothing.value)
    assert nothing.n == nothing.speakers == 0


def test_the_sign_test_gives_each_speaker_one_vote():
    speakers = np.array(["a"] * 100 + ["b", "c", "d", "e", "f"])
    values = np.array([1.0] * 100 + [2.0, 0.5, 1.0, 1.0, -1.0])
    # 5 of 6: twice (6 + 1) / 64
    assert outcomes.sign_test(values, speakers) == pytest.approx(14 / 64)
    assert math.isnan(outcomes.sign_test(np.zeros(3), np.array(["a", "b", "c"])))


def test_errors_are_detected_by_what_holds_for_other_speakers():
    generator = np.random.default_rng(0)
    speakers = np.repeat([f"s{n}" for n in range(10)], 30)
    wrong = generator.random(300) < 0.4
    told = (wrong + generator.normal(0, 0.3, 300))[:, None]
    assert roc_auc_score(wrong, outcomes.detected(told, wrong, speakers)) > 0.95
    # Where a speaker's own errors look the other way, the others mislead.
    own = speakers == "s0"
    told[own] *= -1
    assert roc_auc_score(wrong[own], outcomes.detected(told, wrong, speakers)[own]) < 0.1


# Tables: clips of which all is known

NAMES = ("f0_mean_st", "intensity_mean_db")
LABELS = ("angry", "neutral", "sad")
USUAL = np.array([30.0, 60.0])


def measured(z, random_z, *, start=1.0):
    """Cues so many standard deviations above the neutral clips, whose deviation is 1."""
    return Measured(
        regions=(Segment(start, start + 0.5),),
        beyond=0.1,
        inside=USUAL + z,
        rest=USUAL.copy(),
        random=USUAL + np.array([random_z, -np.array(random_z)]),
    )


def clip(speaker, number, emotion, predicted, agrees):
    """Ours agrees with the experts or not; random stretches do half of the time."""
    sign = {"angry": 1.0, "sad": -1.0, "neutral": 0.0}[predicted] * (1 if agrees else -1)
    methods = {
        name: measured([sign, 2 * sign], [0.5, 0.5]) for name in (maps.OURS, maps.PUBLISHED)
    } | {
        name: measured([0.5, -0.5], [0.5, 0.5])
        for name in (maps.LOUDEST, maps.SHUFFLED, maps.SHUFFLED_OURS)
    }
    log_odds = np.full(3, -2.0)
    log_odds[LABELS.index(predicted)] = 2.0 + number / 100
    return Explained(
        utterance=Utterance(f"{speaker}{number}", "cremad", speaker, "female", emotion, ""),
        log_odds=log_odds,
        at_24_khz=None,
        methods=methods,
        defects={
            FORGOTTEN: USUAL - np.array([sign, 2 * sign]),
            ZEROS: USUAL + np.array([-9.0, 2 * sign]),
            CUTS: USUAL + np.array([1.5 * sign, 2 * sign]),
        },
        voiced={"": 0.8, FORGOTTEN: 0.8, ZEROS: 1.0, CUTS: 0.5},
        offset=0.2,
        band=slice(0, 1),
        levels=np.array([10.0 ** (6 + 0.1 * sign), 10.0 ** (6 - sign)]),
    )


@pytest.fixture(scope="module")
def findings():
    """Six speakers; rightly recognised clips agree, errors do not."""
    clips, usual = [], {}
    for speaker in "abcdef":
        for number, shift in enumerate((-1.0, 0.0, 1.0)):  # deviation 1
            usual[f"{speaker} neutral {number}", speaker] = Plain(
                dict.fromkeys(("", ZEROS, CUTS), USUAL + shift),
                10.0 ** (6 + np.array([0.1, 0.1]) * shift),
            )
        for number in range(12):
            emotion, predicted = [("angry", "angry"), ("sad", "sad"), ("neutral", "sad")][
                number % 3
            ]
            clips.append(clip(speaker, number, emotion, predicted, emotion == predicted))
    return Findings(clips, usual, labels=LABELS, cues=NAMES)


def test_the_main_table_compares_with_all_that_is_no_explanation(findings):
    row = tables.agreement(findings)[maps.OURS]
    assert (row["plausibility"].value, row["plausibility"].n) == (1.0, 48)
    assert row["plausibility"].speakers == 6
    assert row["beyond 0.5 SD"].value == 1.0
    assert row["above random"].value == pytest.approx(0.5)
    # Loud windows have the pitch of anger and the intensity of sadness.
    pitch, intensity = (expectations("sad")[name].agreement for name in NAMES)
    wrong = (1 / 2 + pitch / (pitch + intensity)) / 2
    assert row["above loudest"].value == pytest.approx(wrong)
    assert row["above shuffled"].value == pytest.approx(wrong)
    assert row["sign test against 1/2"] == f"p {2 / 64:.2g}"


def test_magnitudes_are_in_the_units_of_neutral_clips(findings):
    table = tables.magnitudes(findings, maps.OURS)
    row = table["sad: intensity"]
    assert row["in regions"].value == pytest.approx(-2.0)
    assert row["random"].value == pytest.approx(0.0)
    assert row["rest"].value == pytest.approx(0.0)
    assert row["expected"] == "-"
    assert table["angry: pitch"]["in regions"].value == pytest.approx(1.0)
    assert math.isnan(table["neutral: pitch"]["in regions"].value)  # nobody was taken for neutral


def test_regions_lie_further_by_what_they_lie_beyond_random_stretches(findings):
    row = tables.further(findings)[maps.OURS]
    # Random stretches are at 0 on average; pitch lies 1 SD off, intensity 2.
    pitch, intensity = (expectations("sad")[name].agreement for name in NAMES)
    assert row["angry"].value == pytest.approx(1.5)
    assert row["sad"].value == pytest.approx((pitch + 2 * intensity) / (pitch + intensity))
    assert row["mean over emotions"].value == pytest.approx(
        (row["angry"].value + row["sad"].value) / 2
    )


def test_right_and_wrong_are_compared_where_both_were_predicted(findings):
    row = tables.right_and_wrong(findings)[maps.OURS]
    assert (row["right"].value, row["wrong"].value) == (1.0, 0.0)
    assert row["difference"].value == 1.0


def test_plausibility_detects_errors_that_confidence_does_not(findings):
    table = errors(findings)
    row = table[maps.OURS]
    assert row["plausibility"].value == row["both"].value == 1.0
    assert row["gain"].value == pytest.approx(1 - row["confidence"].value)
    assert row["gain"].n == 72
    # Loud windows agree as much, right or wrong.
    assert table[maps.LOUDEST]["gain"].high < row["gain"].low
    null = table["null: plausibility dealt out anew"]["gain"]
    assert null.low < 0.1


def test_the_null_versions_show_nothing_or_how_rare_it_is(findings):
    table = tables.nulls(findings)
    assert table["random against random"]["above random"].value == pytest.approx(0.0)
    dealt = table["signs dealt out anew"]
    assert abs(dealt["above random"].value) < 0.1
    # All four signs come out true in one table of 16.
    share = float(dealt["share that reaches the true ones"])
    assert share == pytest.approx(1 / 16, abs=0.04)


def test_defects_say_what_they_change(findings):
    table = defects(findings)
    assert list(table) == [
        "2 offset forgotten", "3 zeros where unvoiced", "4 tracks of cuts",
        "7 summed over frequency",
    ]  # fmt: skip
    offset = table["2 offset forgotten"]
    assert offset["clips with an offset"].value == 1.0
    assert offset["salient time that stays"].value == pytest.approx(0.6)
    assert offset["change of plausibility"].value == pytest.approx(-1.0)
    zeros = table["3 zeros where unvoiced"]
    assert zeros["pitch with zeros, st"].value == pytest.approx(21.0)
    weights = [expectations(label)[name].agreement for label in ("angry",) for name in NAMES]
    lost = weights[0] / sum(weights) / 2  # of anger the pitch; of sadness nothing
    assert zeros["change of plausibility"].value == pytest.approx(-lost)
    cuts = table["4 tracks of cuts"]
    assert cuts["error of pitch, SD"].value == pytest.approx(0.5)
    assert cuts["voiced frames in cuts"].value == pytest.approx(0.5)
    bands = table["7 summed over frequency"]
    assert bands["agreement of intensity in the band"].value == pytest.approx(1.0)
    assert bands["over all bands"].value == pytest.approx(0.0)


# Dose and response


class ByLevel:
    """Takes what is loud for anger, or takes nothing for anything."""

    labels = ("angry", "sad")
    unseen = frozenset(("cremad_1089",))

    def __init__(self, per_db):
        self.per_db = per_db

    def see(self, audio, stretch, *, speaker):
        level = 10 * np.log10(np.mean(np.square(audio.waveform, dtype=float)))
        odds = self.per_db * level * np.array([[1.0, -1.0]])
        return dataclasses.replace(seen(np.s_[0:1, 0:1]), forward=lambda batch: odds)


@pytest.fixture(scope="module")
def responses(angry):
    steps = (-1.0, 1.0, 2.0)
    one = Utterance(angry, "cremad", "cremad_1089", "female", "angry", "")
    return dose.respond(one, subject=ByLevel(0.1), shuffled=ByLevel(0.0), steps=steps), steps


def test_the_response_is_that_to_the_cue_that_is_changed(responses):
    found, _ = responses
    # A usual step of intensity is 6 dB.
    np.testing.assert_allclose(found.curves["gain_db"], [-0.6, 0.6, 1.2], atol=1e-6)
    assert np.isnan(found.curves["breathiness"]).tolist() == [True, False, False]
    np.testing.assert_allclose(found.shuffled["gain_db"], 0)
    assert np.abs(found.curves["f0_shift_st"][:2]).max() < 0.3  # the level stays about the same


def test_curves_and_slopes_are_told_by_emotion_and_cue(responses):
    found, steps = responses
    table = dose.curves([found], steps)
    assert table["angry: gain_db"]["+2 steps"].value == pytest.approx(1.2)
    row = dose.agreement([found], steps)["angry: gain_db"]
    assert row["log-odds per step"].value == pytest.approx(0.6)
    assert row["goes the expected way"].value == 1.0
    assert math.isnan(row["shuffled weights"].value)  # it hears nothing


def test_slopes_go_through_the_clip_as_it_is():
    steps = np.array([-1.0, 1.0, 2.0])
    curves = np.array([[-2.0, 2.0, 4.0], [np.nan, 1.0, 2.0], [np.nan, np.nan, 3.0]])
    np.testing.assert_allclose(dose.slopes(curves, steps), [2.0, 1.0, np.nan])


@pytest.mark.parametrize("name", dose.EXPECTED_BY)
def test_each_axis_moves_the_descriptor_that_is_expected_of_it(name, angry, recording):
    """A step up, and the descriptor goes where the table of signs is read from."""
    descriptor, direction = dose.EXPECTED_BY[name]
    axis = AXES[name]
    edited = Voice(recording.audio).edited(Edit(**{name: axis.at(1)}))
    before, after = (
        Measurement(sound.waveform, sampling_rate=16_000).functionals()[descriptor].value
        for sound in (recording.audio, edited)
    )
    assert (after - before) * direction > 0


# Models


def test_shuffled_weights_are_the_same_values_elsewhere(tiny_model, tmp_path):
    shuffle(tiny_model.folder, tmp_path / "shuffled", seed=0)
    model = EmbeddedModel(tmp_path / "shuffled", fold=1)  # its sums are right
    assert model.name == "tiny"
    moved = 0
    for place in ("encoder.onnx", "head.onnx", "folds/head_1.onnx"):
        before, after = (
            onnx.load(folder / place).graph.initializer
            for folder in (tiny_model.folder, tmp_path / "shuffled")
        )
        for one, other in zip(before, after, strict=True):
            values, others = map(onnx.numpy_helper.to_array, (one, other))
            np.testing.assert_array_equal(np.sort(values, None), np.sort(others, None))
            moved += not np.array_equal(values, others)
    assert moved > 20


def test_the_network_sees_the_sound_where_it_lies(recording, small_network):
    clip = Network(small_network).see(recording.audio, recording.stretch, speaker="cremad_1089")
    assert clip.inputs.shape == (128, 134)
    assert clip.sound.start == pytest.approx(0.709, abs=0.001)
    assert clip.grid.times(0) == pytest.approx(clip.sound.start - 0.0075)
    assert clip.forward(clip.inputs[None]).shape == (1, 3)
    assert at_24_khz(recording, clip).shape == (3,)


@pytest.fixture
def small_network(tmp_path):
    torch.manual_seed(0)
    save_file(SaliencyCNN(labels=3).state_dict(), tmp_path / "network.safetensors")
    digest = hashlib.sha256((tmp_path / "network.safetensors").read_bytes()).hexdigest()
    card = {"labels": ["angry", "neutral", "sad"], "sha256": digest}
    (tmp_path / "card.json").write_text(json.dumps(card | {"recipe": {"test": ["cremad_1001"]}}))
    return tmp_path


# Figures


def test_a_point_stands_where_its_value_is():
    rows = {"a < b": [Interval(0.5, 0.25, 1.0, 9, 3), Interval(math.nan, 0, 0, 0, 0)]}
    picture = Tree.fromstring(
        dots(rows, title="t", series=("one", "two"), span=(0.0, 1.0), chance=0.25)
    )
    name = "{http://www.w3.org/2000/svg}"
    texts = {one.text: float(one.get("x")) for one in picture.iter(f"{name}text")}
    *_, point = picture.iter(f"{name}circle")
    assert float(point.get("cx")) == pytest.approx((texts["0"] + texts["1"]) / 2)
    *_, line = picture.iter(f"{name}line")
    assert float(line.get("x1")) == texts["0.25"]
    assert float(line.get("x2")) == texts["1"]
    assert "a < b" in texts
