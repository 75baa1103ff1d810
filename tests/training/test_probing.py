"""Probing studies: what is planted in states is found where it is, and nowhere else."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score, recall_score

from voxplain.errors import ConfigError, CorpusNotFound, UnknownName, WeightsMissing
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training.corpora._reading import Utterance
from voxplain.training.statistics import speaker_interval
from voxplain.training.studies.probing import (
    cues,
    layers,
    material,
    probes,
    regions,
    speakers,
    strength,
    words,
)
from voxplain.types import Word

EMOTIONS = ("angry", "happy", "neutral")
RNG = np.random.default_rng


def clips_of(people=8, sentences=4, repeats=2, folds=4, **more):
    """Every speaker says every sentence in every emotion."""
    told = [
        Utterance(
            Path(f"{person}_{sentence}_{emotion}_{take}.wav"), "made", f"made_{person}",
            ("female", "male")[person % 2], emotion, f"s{sentence}", **more,
        )
        for person in range(people)
        for sentence in range(sentences)
        for emotion in EMOTIONS
        for take in range(repeats)
    ]  # fmt: skip
    fold = np.array([int(one.speaker.removeprefix("made_")) % folds for one in told])
    return material.Clips(tuple(told), fold)


def code(labels, width=6, seed=1):
    """(n, width) a random vector of length 3 for each label."""
    _, place = np.unique(labels, return_inverse=True)
    vectors = RNG(seed).normal(size=(place.max() + 1, width))
    return (3 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[place]


def noise(clips, width, size=0.3, seed=2):
    return size * RNG(seed).normal(size=(len(clips.folds), width))


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    """Fewer samples and shuffles than usual: as right, but less sharp."""
    for room in (probes, strength, words):
        monkeypatch.setattr(room, "speaker_interval", partial(speaker_interval, draws=50))
    for room in (speakers, words):
        monkeypatch.setattr(room, "SHUFFLES", 6)


# Probes -----------------------------------------------------------------------------------------


def test_labels_and_log_odds_are_told_by_probes_of_the_other_folds():
    clips = clips_of()
    truth = clips["emotion"]
    features = np.hstack([code(truth), code(clips["speaker"])]) + noise(clips, 12)
    told = probes.labels(features, truth, clips.folds)
    figure = probes.recall(told == truth, truth, clips["speaker"])
    assert figure.value == pytest.approx(recall_score(truth, told, average="macro"))
    assert (figure.value, figure.n, figure.speakers) == (1.0, len(truth), 8)
    odds = probes.odds(features, truth, clips.folds)
    assert (np.unique(truth)[odds.argmax(1)] == told).all()
    chances = 1 / (1 + np.exp(-odds))
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-6)
    # A speaker of another fold was never met.
    met = probes.labels(features, clips["speaker"], clips.folds)
    assert not (met == clips["speaker"]).any()


def test_a_recall_above_another_is_the_difference_of_both():
    clips = clips_of()
    truth, people = clips["emotion"], clips["speaker"]
    one, other = RNG(3).random((2, len(truth))) < [[0.8], [0.5]]
    difference = probes.recall(one, truth, people, above=other).value
    alone = [probes.recall(right, truth, people).value for right in (one, other)]
    assert difference == pytest.approx(alone[0] - alone[1])


def test_numbers_are_told_and_unknown_ones_neither_learned_nor_counted():
    clips = clips_of()
    features = noise(clips, 5, size=1.0)
    truth = features @ RNG(4).normal(size=(5, 2))
    gaps = truth.copy()
    gaps[::7, 0] = np.nan
    told = probes.numbers(features, gaps, clips.folds)
    known = np.isfinite(gaps[:, 0])
    figure = probes.r2(gaps[:, 0], told[:, 0], clips["speaker"])
    assert figure.n == known.sum()
    assert figure.value == pytest.approx(r2_score(gaps[known, 0], told[known, 0]))
    assert figure.value > 0.9
    assert probes.r2(truth[:, 1], told[:, 1], clips["speaker"]).value > 0.99


def test_rank_correlation_is_spearmans_and_partial_with_more_columns():
    a, b = RNG(5).normal(size=(2, 80))
    values = a + 2 * b + 0.1 * RNG(6).normal(size=80)
    assert probes.rank_correlation(a[:, None], values) == pytest.approx(spearmanr(a, values)[0])
    by_b = b + 0.1 * RNG(7).normal(size=80)  # goes with the values by way of b alone
    assert probes.rank_correlation(by_b[:, None], values) > 0.7
    partial = probes.rank_correlation(np.column_stack([by_b, b]), values)
    r = spearmanr(np.column_stack([by_b, values, b])).statistic
    formula = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert partial == pytest.approx(formula)
    assert abs(partial) < 0.3
    assert probes.rank_correlation(np.ones((80, 1)), values) == 0.0


def test_shuffled_values_stay_in_their_group_and_centred_ones_have_mean_0():
    groups, values = np.repeat(["a", "b"], 50), np.arange(100.0)
    found = probes.shuffled(values, groups, seed=0)
    assert (found != values).any()
    assert set(found[:50]) == set(values[:50])
    values[3] = np.nan
    found = probes.centred(values, groups)
    assert np.isnan(found[3])
    assert np.nanmean(found[:50]) == pytest.approx(0)
    assert found[99] == pytest.approx(24.5)


# Material ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("encoder") / "tiny", "whisper")


def given(encoder, roots=None):
    return material.Given(roots or {}, encoder, Path(), 1, Path())


@pytest.fixture
def corpus(monkeypatch):
    """What the corpus ``made`` holds."""
    held = []
    monkeypatch.setattr(material, "read_corpora", lambda *_, **__: held)
    return held


def test_speakers_are_drawn_and_dealt_to_folds(corpus):
    corpus += clips_of(people=9).utterances
    section = material.Material(corpora=("made",), seed=0, speakers=4, folds=2)
    found = material.drawn(section, {})["made"]
    people = found["speaker"]
    assert len(set(people)) == 4
    assert {len(set(found.folds[people == one])) for one in set(people)} == {1}
    assert set(found.folds) == {0, 1}
    other = material.drawn(material.Material(("made",), 1, 4, 2), {})["made"]
    assert set(other["speaker"]) != set(people)
    some = found.of(people == people[0])
    assert set(some["speaker"]) == {people[0]}
    assert len(some.folds) == len(some.utterances)


@pytest.mark.parametrize(
    ("spoil", "every", "message"),
    [
        ({"speaker": ""}, False, r"0\.wav: nobody knows who speaks"),
        ({"emotion": "sad"}, False, "all who portray 'sad' are in one fold"),
        ({"emotion": "sad"}, True, "holds one emotion alone"),
    ],
)
def test_what_cannot_be_probed_is_refused(corpus, spoil, every, message):
    corpus += clips_of(people=4).utterances
    for row in range(len(corpus) if every else 1):
        corpus[row] = replace(corpus[row], **spoil)
    with pytest.raises(ConfigError, match=message):
        material.drawn(material.Material(("made",), 0, folds=2), {})


def test_an_unlearned_encoder_has_the_same_values_in_another_order(encoder, tmp_path):
    out = material.unlearned(encoder, tmp_path / "shuffled", seed=0)
    before, after = (load_file(place / "model.safetensors") for place in (encoder, out))
    assert before.keys() == after.keys()
    assert (out / "config.json").read_bytes() == (encoder / "config.json").read_bytes()
    for name, one in before.items():
        assert after[name].shape == one.shape
        assert sorted(after[name].flatten().tolist()) == sorted(one.flatten().tolist())
    large = max(before, key=lambda name: before[name].numel())
    assert (before[large] != after[large]).any()
    again = material.unlearned(encoder, tmp_path / "again", seed=0) / "model.safetensors"
    assert again.read_bytes() == (out / "model.safetensors").read_bytes()


def test_what_a_recipe_names_must_be_there(encoder):
    assert (
        material.check(given(encoder), layers=[0, 3], descriptors=["f0_mean_st"]).frame_shift
        == 0.02
    )
    with pytest.raises(ConfigError, match="tiny has layers 0 to 3, the recipe names 4"):
        material.check(given(encoder), layers=[0, 4])
    with pytest.raises(UnknownName, match="unknown descriptor 'f0_mean'"):
        material.check(given(encoder), descriptors=["f0_mean"])


# 1. Layers --------------------------------------------------------------------------------------


def test_each_layer_tells_what_was_planted_in_it():
    clips = clips_of(folds=3)
    blank = np.stack([noise(clips, 6, seed=seed) for seed in (8, 9)])
    states = blank + np.stack([code(clips["emotion"]), code(clips["speaker"])])
    pitch = states[1, :, 0] - noise(clips, 6, seed=9)[:, 0]  # of the speaker's vector
    known = layers.traits(clips, pitch[:, None], ["pitch"])
    assert known["emotion"].chance == pytest.approx(1 / 3)
    found = layers.by_layer(known, clips["speaker"], states, blank, noise(clips, 4))

    def told(view):
        return {name: round(one.value, 1) for name, one in found[view].items()}

    first, second = (told(f"layer {place}, learned weights") for place in (0, 1))
    assert (first["emotion"], second["speaker"]) == (1.0, 1.0)
    assert second["emotion"] < 0.5
    assert first["speaker"] < 0.3
    assert second["pitch"] > 0.7
    assert first["pitch"] <= 0.1
    for control in ("shuffled weights", "shuffled labels"):
        for place in (0, 1):
            row = told(f"layer {place}, {control}")
            assert max(row["emotion"] - 1 / 3, row["sentence"] - 1 / 4, row["pitch"]) < 0.15
    above = layers.differences(known["emotion"], clips["speaker"], states, blank, noise(clips, 4))
    assert above["layer 0"]["above shuffled weights"].low > 0.4
    assert above["layer 0"]["above last"].low > 0.4


def test_a_trait_without_two_values_is_not_told():
    clips = clips_of(sentences=1)
    told = layers.traits(clips, np.zeros((len(clips.folds), 0)), [])
    assert told.keys() == {"emotion", "sex"}  # one sentence: speakers can't be told in another

    men_apart = material.Clips(clips.utterances, (clips["sex"] == "male").astype(int))
    assert layers.traits(men_apart, np.zeros((len(clips.folds), 0)), []).keys() == {"emotion"}


# 2. Cues ----------------------------------------------------------------------------------------


def test_what_is_erased_has_no_covariance_with_the_concepts_and_the_rest_stays():
    clips = clips_of(people=20)
    concepts = np.hstack([code(clips["emotion"], width=2), noise(clips, 1, size=1.0)])
    states = concepts @ RNG(1).normal(size=(3, 10)) + noise(clips, 10, size=1.0)
    erasing = cues.Erasing(states, clips["emotion"])
    projection = erasing.projection(concepts)
    rest = erasing.states - erasing.states @ projection
    np.testing.assert_allclose(rest.T @ (concepts - concepts.mean(0)), 0, atol=1e-8)
    assert LinearRegression().fit(rest, concepts).score(rest, concepts) == pytest.approx(0)
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-8)
    assert np.linalg.matrix_rank(projection) == 3
    # Theorem 4.3: of all affine maps that do so it moves the states least, whatever the map.
    moved = np.sum((rest - erasing.states) ** 2)
    basis = np.linalg.qr(erasing.states.T @ (concepts - concepts.mean(0)))[0]
    orthogonal = erasing.states @ basis @ basis.T
    assert moved <= np.sum(orthogonal**2) * 1.02  # its covariance is shrunk


def test_uncorrelated_states_are_projected_at_right_angles():
    states = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T.astype(float)
    states = np.tile(states, (20, 1))
    erasing = cues.Erasing(states, np.where(states[:, 0] > 0, "a", "b"))
    np.testing.assert_allclose(erasing.projection(states[:, :1]), np.diag([1, 0, 0]), atol=1e-6)


def test_only_the_family_that_carries_the_emotion_costs_anything():
    clips = clips_of(people=8)
    emotion = code(clips["emotion"], width=2)
    other = noise(clips, 2, size=1.0, seed=10)
    states = np.hstack([emotion, other]) @ RNG(11).normal(size=(4, 30)) + noise(clips, 30, 0.1)
    families = {"carrying": emotion + noise(clips, 2, 0.05), "other": other}
    families["other"][5, 0] = np.nan
    found = cues.carried(
        states, clips["emotion"], clips.folds, clips["speaker"],
        families=families, draws=3, seed=0,
    )  # fmt: skip
    assert found["nothing"]["UAR, anew"].value == 1.0
    for way in cues.WAYS:
        assert found["carrying"][f"above random, {way}"].low > 0.3
        assert found["other"][f"above random, {way}"].low < 0.05
        assert found["other"][f"UAR, {way}"].value > 0.8
        for all_of_it in (cues.ALL, cues.EMOTION):
            assert found[all_of_it][f"UAR, {way}"].value < 0.5
    assert "above random, anew" not in found[cues.EMOTION]
    assert found["2 random read-outs"]["lost, anew"].value < 0.7


def test_descriptors_are_told_by_layer_over_all_clips_and_within_speakers():
    clips = clips_of()
    by_speaker, by_emotion = (
        RNG(0).normal(size=9)[np.unique(clips[name], return_inverse=True)[1]][:, None]
        for name in ("speaker", "emotion")
    )
    values = np.hstack([by_speaker + by_emotion, noise(clips, 1)])
    states = np.stack([by_emotion, by_speaker]) + 0.05 * RNG(0).normal(size=(2, len(values), 3))
    found = cues.predicted(states, values, clips.folds, clips["speaker"], names=["pitch", "chaff"])
    pitch = found["pitch"]
    assert pitch["layer 0, within"].low > 0.9
    assert pitch["layer 0"].value < 0.2
    assert pitch["layer 1"].value > 0.6
    assert pitch["layer 1, within"].value < 0.1
    assert max(one.value for one in found["chaff"].values()) < 0.1
    assert max(row["shuffled"].value for row in found.values()) < 0.1


def test_families_must_be_alike_in_size():
    families = {"a": ("f0_mean_st",), "b": ()}
    with pytest.raises(ConfigError, match="as many descriptors each"):
        cues.study(cues.CuesRecipe(material.Material(("made",), 0), 0, families, 1), None)


# 3. Speakers ------------------------------------------------------------------------------------


def test_an_embedding_of_speakers_keeps_them_and_loses_what_varies_within_them():
    clips = clips_of(people=16, repeats=1)
    states = 2 * code(clips["speaker"], 12) + code(clips["emotion"], 12, seed=2)
    states += noise(clips, 12)
    found = speakers.separable(states, clips)
    plain, embedding, null = (
        found[v] for v in (speakers.STATES, speakers.EMBEDDING, speakers.NULL)
    )
    own, across, apart = speakers.COLUMNS
    assert plain[own].value > 0.95
    assert plain[apart].value > plain[across].value
    assert plain["silhouette"].value > 0.5
    assert embedding["speaker"].value > 0.9
    assert embedding["speaker, by chance"] == "0.250"
    assert embedding["silhouette"].value < 0.2
    assert null[own].value == pytest.approx(1 / 3, abs=0.1)
    assert null[apart].low < 1 / 3 < null[apart].high


def test_a_speaker_is_mistaken_where_emotion_moves_the_voice_to_another():
    clips = clips_of(people=4, sentences=6)
    another = np.array([f"made_{(int(one[5:]) + 1) % 4}" for one in clips["speaker"]])
    voices = (code(another, 16), code(clips["speaker"], 16))
    states = np.where((clips["emotion"] == "angry")[:, None], *voices) + noise(clips, 16, 0.05)
    found = speakers.disturbed(states, clips)
    assert found["neutral"]["known"].value == 1.0
    assert found["happy"]["known"].value == 1.0
    assert found["angry"]["known"].value == 0.0
    assert found["neutral above the others"]["known"].value == pytest.approx(0.5)
    null = found["neutral above the others"]["shuffled labels"]
    assert null.low < 0 < null.high


def test_a_corpus_without_neutral_clips_is_refused(corpus, encoder):
    corpus += [one for one in clips_of().utterances if one.emotion != "neutral"]
    recipe = speakers.SpeakersRecipe(material.Material(("made",), 0, folds=4), 0)
    with pytest.raises(ConfigError, match="made has no neutral clips"):
        speakers.study(recipe, given(encoder))


# 4. Regions -------------------------------------------------------------------------------------

LABLAUT = """signal x
nfields 1
#
    0.100000   -1 ?\t+eng
    0.150000   -1 aI\t\t2
    0.200000   -1 \t-sth
    0.300000   -1 !t\t+sth
    0.350000   -1 n
    0.400000   -1 (gef
    0.500000   -1 2
    0.600000   -1 .
"""


def test_phones_are_read_from_the_labels_of_emodb(tmp_path):
    (tmp_path / "lablaut").mkdir()
    (tmp_path / "lablaut/03a01Waxx.lablaut").write_text(LABLAUT, "latin-1")
    found = regions.phones(tmp_path, "03a01Wa")
    assert [(one.start, one.end, one.kind) for one in found] == [
        (0.1, 0.15, "obstruents"), (0.15, 0.3, "vowels"), (0.3, 0.35, "obstruents"),
        (0.35, 0.4, "sonorants"), (0.4, 0.5, "pauses"), (0.5, 0.6, "vowels"),
        (0.6, math.inf, "pauses"),
    ]  # fmt: skip
    assert regions.phones(tmp_path, "03a01Wb") == []
    with pytest.raises(CorpusNotFound, match="holds no folder lablaut; give the labels of EMO-DB"):
        regions.phones(tmp_path / "lablaut", "03a01Wa")


def test_regions_are_where_the_voice_and_the_phones_are():
    at = np.arange(0.005, 1, 0.01)
    voice = ((at > 0.1) & (at < 0.3)) | ((at > 0.5) & (at < 0.7))
    said = [regions.Phone(0.1, 0.3, "vowels"), regions.Phone(0.85, math.inf, "pauses")]
    found = regions.masks(50, 0.02, voiced=(at, voice), phones=said)
    inside = {name: np.flatnonzero(one.inside).tolist() for name, one in found.items()}
    assert inside["voiced"] == [*range(5, 15), *range(25, 35)]
    assert inside["unvoiced"] == list(range(15, 25))
    assert [inside[name] for name in regions.THIRDS] == [
        list(range(5, 15)), list(range(15, 25)), list(range(25, 35))
    ]  # fmt: skip
    assert inside["vowels"] == list(range(5, 15))
    assert inside["pauses"] == list(range(42, 50))
    assert found["vowels"].among.sum() == 30
    assert found["pauses"].among.all()
    drawn = found["vowels"].drawn(RNG(0))
    assert len(set(drawn.tolist())) == 10
    assert found["vowels"].among[drawn].all()
    assert regions.masks(50, 0.02, voiced=(at, voice & False), phones=said) == {}


def test_the_emotion_is_found_in_the_region_where_it_lies():
    clips = clips_of(sentences=3)
    vectors = code(clips["emotion"], 5)
    states, where = [], []
    for row, vector in enumerate(vectors):
        frames = RNG(row).normal(size=(40, 5))
        inside = np.arange(40) % 8 == 0
        frames[inside] += 0.7 * vector
        states.append(frames.astype(np.float16))
        everywhere = np.ones(40, bool)
        where.append({"here": regions.Region(inside, everywhere)})
        if row % 2:
            where[-1]["elsewhere"] = regions.Region(~inside, everywhere)
        where[-1]["short"] = regions.Region(np.arange(40) < 2, everywhere)
    found = regions.by_region(states, where, clips, draws=2, seed=0)
    assert set(found) == {"here", "elsewhere"}
    assert found["here"]["UAR"].value > 0.95
    assert found["here"]["difference"].low > 0.1
    assert found["elsewhere"]["difference"].high < 0
    assert found["elsewhere"]["UAR"].n == len(vectors) // 2
    assert found["here"]["shuffled labels"].value < 0.5


def test_states_are_pooled_in_single_precision():
    states = RNG(0).normal(size=(9, 4)).astype(np.float16)
    found = regions.pool(states)
    exact = states.astype(float)
    np.testing.assert_allclose(found, np.concatenate([exact.mean(0), exact.std(0)]), rtol=1e-5)


# 5. Strength ------------------------------------------------------------------------------------


def test_only_what_rises_within_speakers_and_emotions_counts():
    clips = clips_of(people=10, sentences=1, repeats=6)
    takes = np.tile(np.arange(6.0), 30)
    takes[clips["emotion"] == "neutral"] = 0.0  # as RAVDESS has it
    people = 10 * code(clips["speaker"], 1)[:, 0]
    sure = people + np.where(clips["emotion"] == "angry", takes, 0) + noise(clips, 1)[:, 0]
    loud = takes.copy()
    loud[:7] = np.nan
    found = strength.rising(takes, sure, loud, clips)
    assert set(found) == {strength.ALL, "angry", "happy"}
    assert found["angry"]["log-odds"].low > 0.9
    assert found["happy"]["log-odds"].low < 0 < found["happy"]["log-odds"].high
    assert found["happy"]["loudness"].value == pytest.approx(1)
    assert found[strength.ALL]["log-odds"].n == 120
    assert found[strength.ALL]["loudness"].n == 113
    assert abs(found["angry"]["shuffled strength"].value) < 0.35


def test_a_strength_that_the_recipe_does_not_name(corpus, encoder):
    corpus += clips_of(strength="lowish").utterances
    recipe = strength.StrengthRecipe(material.Material(("made",), 0, folds=4), 0, ("low",))
    with pytest.raises(ConfigError, match="made has the strength 'lowish'; add it to 'strengths'"):
        strength.study(recipe, given(encoder))


def test_where_nothing_differs_in_strength_nothing_can_rise(corpus, encoder, monkeypatch):
    clips = clips_of(strength="low")
    flat = np.zeros(len(clips.folds))
    assert strength.rising(flat, flat, flat, clips) == {}
    corpus += clips.utterances
    states = noise(clips, 4)[None]
    monkeypatch.setattr(strength, "pooled", lambda *_: states)
    monkeypatch.setattr(strength, "measured", lambda *_, **__: states[0, :, :1])
    recipe = strength.StrengthRecipe(material.Material(("made",), 0, folds=4), 0, ("low",))
    with pytest.raises(ConfigError, match="no speaker is known to portray an emotion in two stre"):
        strength.study(recipe, given(encoder))


# 6. Words ---------------------------------------------------------------------------------------


def test_surprisal_is_minus_log2_of_the_share():
    bits = words.surprisals(["The cat don\u2019t", "the CAT, the end!"])
    assert bits["the"] == pytest.approx(-math.log2(4 / (7 + 4 + 1)))  # seen three times, plus one
    assert bits["don't"] == pytest.approx(-math.log2(2 / 12))
    assert bits[""] == pytest.approx(-math.log2(1 / 12))


def spoken(text, starts, end):
    ends = [*starts[1:], end]
    return [Word(w, s, e, 1.0) for w, s, e in zip(text.split(), starts, ends, strict=True)]


def test_tokens_are_words_with_frames_enough():
    clips = clips_of(people=2, sentences=1, repeats=1, folds=2)
    some = clips.of(np.arange(len(clips.folds)) < 2)
    said = [spoken("The cat, o'clock.", [0.1, 0.2, 0.24], 0.5), ()]
    states = [np.zeros((30, 1)), np.zeros((30, 1))]
    bits = {"the": 1.0, "o'clock": 9.0, "": 12.0}
    own = words.tokens(said, some, states, 0.02, bits=bits, function=["the"])
    assert own.clip.tolist() == [0, 0]  # "cat" has two frames alone
    assert own.surprisal.tolist() == [1.0, 9.0]
    assert own.content.tolist() == [False, True]
    assert own.position.tolist() == [0.0, 1.0]
    assert (own.start.tolist(), own.end.tolist()) == ([5, 12], [10, 25])
    assert own.kind.tolist() == ["s0 0", "s0 2"]


def test_where_no_word_is_found_nothing_can_be_said():
    clips = clips_of(people=2, sentences=1, repeats=1, folds=2)
    states = [np.zeros((30, 1))] * len(clips.folds)
    with pytest.raises(ConfigError, match="in none of the 6 recordings could a word be found"):
        words.tokens([()] * 6, clips, states, 0.02, bits={"": 1.0}, function=[])


@pytest.fixture(scope="module")
def uttered():
    """Five words a clip, of which the surprising ones carry the emotion in their frames."""
    clips = clips_of(people=8, sentences=4, repeats=2)
    bits = {"a": 2.0, "of": 3.0, "tree": 9.0, "boat": 10.0, "is": 2.5, "": 20.0}
    texts = ("a tree of boat is", "tree a is of boat", "is of tree a boat", "of boat a tree is")
    vectors, states, said = code(clips["emotion"], 5), [], []
    for row, (vector, one) in enumerate(zip(vectors, clips.utterances, strict=True)):
        text = texts[int(one.sentence[1:])].split()
        lengths = RNG(row).integers(4, 9, size=5)
        edges = np.concatenate([[2], 2 + np.cumsum(lengths)])
        frames = RNG(row).normal(size=(edges[-1] + 3, 5))
        for word, start, end in zip(text, edges, edges[1:], strict=False):
            frames[start:end] += vector * (bits[word] > 5)
        states.append(frames)
        said.append(spoken(" ".join(text), (edges[:-1] * 0.02).tolist(), edges[-1] * 0.02))
    own = words.tokens(said, clips, states, 0.02, bits=bits, function=["a", "of", "is"])
    return states, own, clips


def test_informative_words_are_found_where_they_carry_the_emotion(uttered):
    found, by_kind = words.informative(*uttered, seed=0)
    for way in (words.SINGLE, words.WITHOUT):
        row = found[way]
        assert row["with surprisal"].low > 0.15
        assert row["with surprisal"].value > row["shuffled surprisals"].high
        assert row["content minus function"].low > 0
        assert abs(row["shuffled labels"].value) < 0.15
    assert by_kind["content words"]["UAR"].value > by_kind["function words"]["UAR"].value + 0.2
    assert by_kind["surprisal, quarter 4"]["UAR"].value > 0.6
    for row in by_kind.values():
        assert row["shuffled labels"].value == pytest.approx(1 / 3, abs=0.12)


def test_words_that_carry_nothing_show_nothing(uttered):
    states, own, clips = uttered
    empty = [RNG(row).normal(size=one.shape) for row, one in enumerate(states)]
    found, _ = words.informative(empty, own, clips, seed=0)
    for row in found.values():
        assert row["with surprisal"].low < 0 < row["with surprisal"].high


@pytest.mark.parametrize(
    ("roots", "message"),
    [
        ({}, "give --root goemotions=FOLDER"),
        ({"goemotions": Path()}, "nobody knows what is said; words need a text"),
    ],
)
def test_words_need_a_norm_and_texts(corpus, encoder, roots, message):
    corpus += clips_of().utterances
    recipe = words.WordsRecipe(material.Material(("made",), 0, folds=4), (0,), ())
    with pytest.raises(ConfigError, match=message):
        words.study(recipe, given(encoder, roots))


def test_an_encoder_without_weights_is_an_error(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
    with pytest.raises(WeightsMissing, match="holds no weights"):
        material.unlearned(tmp_path, tmp_path / "out", seed=0)
