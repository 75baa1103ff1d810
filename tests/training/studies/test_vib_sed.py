"""The study of VIB-Emo: rows resolve, tables are those of the runs, probes and edits tell."""

import contextlib
import csv
import io
import json
import math
import sys
import xml.etree.ElementTree as Tree
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from voxplain.cli import main
from voxplain.config import load_recipe
from voxplain.descriptors.backends.voxplain import Measurement
from voxplain.errors import ConfigError, MissingExtra, UnknownName
from voxplain.models import decoder
from voxplain.models.description import ATTRIBUTES, Description, spoken
from voxplain.models.levels import Cuts, Thresholds
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.training import scoring
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.experiment.said import Said
from voxplain.training.statistics import Interval
from voxplain.training.studies.grid.telling import WIDTH
from voxplain.training.studies.vib_sed import captions, following, models, probes
from voxplain.training.studies.vib_sed.recipe import VibSedStudyRecipe, edited, resolve
from voxplain.training.vib_sed import run
from voxplain.training.vib_sed import scoring as spoken_scoring
from voxplain.training.vib_sed.loop import Fit
from voxplain.training.vib_sed.trained import LATENTS, Trained
from voxplain.types import Transcript, Word

LABELS = ("angry", "neutral", "sad")
SPEAKERS, SENTENCES = range(1001, 1005), ("DFA", "IEO")

BASE = """
kind: vib_sed
name: small
data: {corpora: [cremad], labels: [angry, neutral, sad]}
split: {by: speaker, folds: 2, dev: 0.3}
encoder: {checkpoint: nowhere}
llm: {size: 0.5M}
network: {latent: 4, hidden: 8, stack: 4}
train: {epochs: 1, batch: 8, learning_rate: 0.01}
"""
STUDY = """
kind: vib_sed_study
name: a small study
base: base.yaml
changes: ["only=[fold_0]", "train.seeds=[0, 3]"]
tables:
  published:
    both: []
    neither: [network.disentangled=false, network.compression=none, tasks.asr=joint]
  descriptors:
    with: []
    without: [tasks.descriptors=false]
reference: {published: both, descriptors: with}
curves: [published]
clips: 3
note: Nothing is to be found
"""


def said(utterance):
    """Values of every descriptor, and stress on the first word, without listening."""
    random = np.random.default_rng(list(utterance.path.stem.encode()))
    words = tuple(
        Word(text, float(n), n + 1.0, 1.0, prominence=0.9 if n == 0 else 0.1)
        for n, text in enumerate(utterance.text.split())
    )
    measured = {one.descriptor: random.normal(scale=5) for one in ATTRIBUTES}
    transcript = Transcript(utterance.text, words, "en", "given", 1.0)
    return Said(transcript, (math.nan,) * len(words), measured)


@pytest.fixture(scope="module", autouse=True)
def small():
    """A decoder of a few thousand weights, few draws, and nobody who listens."""
    with pytest.MonkeyPatch.context() as patch:
        size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
        patch.setitem(decoder.SIZES, "0.5M", size)
        for function in (
            scoring.scores,
            spoken_scoring.agreement,
            spoken_scoring.hallucination,
            spoken_scoring.word_error_rate,
            probes.bootstrap,
        ):
            patch.setitem(function.__kwdefaults__, "draws", 20)
        for place in (run, models):
            patch.setattr(
                place, "listen", lambda utterances, **_: [said(one) for one in utterances]
            )
        yield patch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of noise, an encoder and the two recipes."""
    root = tmp_path_factory.mktemp("study")
    random = np.random.default_rng(0)
    (root / "cremad").mkdir()
    for speaker in SPEAKERS:
        for emotion in ("ANG", "NEU", "SAD"):
            for sentence in SENTENCES:
                noise = 0.1 * random.normal(size=random.integers(3000, 6000))
                name = f"{speaker}_{sentence}_{emotion}_XX.wav"
                soundfile.write(root / "cremad" / name, noise, 16_000)
    tiny_checkpoint(root / "tiny", "whisper", encoder_layers=1)
    (root / "base.yaml").write_text(BASE, encoding="utf-8")
    (root / "study.yaml").write_text(STUDY, encoding="utf-8")
    return root


# Rows -------------------------------------------------------------------------------------------


def rows(folder, *changes, of_runs=()):
    recipe = load_recipe(
        folder / "study.yaml", {"vib_sed_study": VibSedStudyRecipe}, changes=changes
    )
    return recipe, resolve(recipe, beside=folder, changes=of_runs)


def test_rows_are_versions_and_edits_are_tried_on_the_first_reference(folder):
    recipe, found = rows(folder, "reference.descriptors=without")
    told = {row.name: row for row in found}
    assert not told["neither"].recipe.network.disentangled
    assert told["without"].recipe.train.seeds == (0, 3)
    assert told["with"].folder == told["both"].folder == "published/both"
    assert edited(recipe, found) is found[0]
    recipe, found = rows(folder, "reference={descriptors: with}")
    assert edited(recipe, found) is None


@pytest.mark.parametrize(
    ("changes", "of_runs", "error", "message"),
    [
        (["curves=[size]"], [], UnknownName, "table of the study 'size'.*descriptors, published"),
        (["clips=0"], [], ConfigError, "clips must be above 0, not 0"),
        (
            [],
            ["tasks.levels=given"],
            ConfigError,
            "published, both: tasks.levels is given; set it to measured",
        ),
        (
            [],
            ["tasks.descriptors=false"],
            ConfigError,
            "published, both: edits are followed by descriptors, and tasks.descriptors is false",
        ),
        ([], ["network.stack=0"], ConfigError, "published, both: network.stack must be above 0"),
    ],
)
def test_what_could_not_be_followed_is_refused_at_once(folder, changes, of_runs, error, message):
    with pytest.raises(error, match=message):
        rows(folder, *changes, of_runs=of_runs)


# Captions ---------------------------------------------------------------------------------------


def test_captions_are_those_of_a_kept_library():
    sacrebleu = pytest.importorskip("sacrebleu", reason="sacrebleu is not installed")
    spoken, measured = ["a b c d e", "x y"], ["a b c d f", "x y"]
    found = captions.captions(spoken, measured, speakers=["one", "two"])
    # Right of said, by the length of the n-grams: 4 + 2 of 5 + 2, 3 + 1 of 4 + 1, 2 of 3, 1 of 2.
    by_hand = (6 / 7 * 4 / 5 * 2 / 3 * 1 / 2) ** 0.25
    assert found["BLEU"].value == pytest.approx(by_hand)
    assert found["BLEU"].value == pytest.approx(
        sacrebleu.corpus_bleu(spoken, [measured]).score / 100
    )
    first = sacrebleu.sentence_chrf(spoken[0], [measured[0]]).score / 100
    assert found["chrF"].value == pytest.approx((first + 1) / 2)
    assert found["chrF"].draws.max() == pytest.approx(1)  # both times the second speaker


def test_captions_without_their_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.delitem(sys.modules, "sacrebleu.metrics", raising=False)
    with pytest.raises(MissingExtra, match=r"needs sacrebleu.*pip install 'voxplain\[train\]'"):
        captions.captions(["a"], ["a"], speakers=["one"])


# Probes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planted():
    """Six speakers, who say two sentences four times in each of three emotions."""
    utterances = [
        Utterance(
            Path(f"{speaker}_{sentence}_{emotion}_{n}.wav"),
            "made",
            f"made_{speaker}",
            "",
            emotion,
            sentence,
            text="it is",
        )
        for speaker in range(6)
        for sentence in ("first", "second")
        for emotion in LABELS
        for n in range(4)
    ]
    material = SimpleNamespace(utterances=utterances)
    return models.Tested(material, [said(one) for one in utterances], "fold_0")


def test_probes_tell_what_lies_in_the_features(planted):
    speakers = np.array([one.speaker for one in planted.utterances])
    sentences = np.array([one.sentence == "first" for one in planted.utterances], float)
    pitch = np.array([one.measured["f0_mean_st"] for one in planted.said])
    noise = np.random.default_rng(0).normal(size=(len(pitch), 3))
    features = np.column_stack([5 * sentences, pitch, noise])
    wanted = probes.known(planted)
    assert list(wanted) == ["sentence", "speaker", "emotion", "pitch", "loudness", "tempo"]
    found = probes.told(features, wanted, speakers)
    assert found["sentence"].value == 1
    assert found["pitch"].value == pytest.approx(1, abs=0.01)
    assert abs(found["tempo"].value) < 0.3
    assert found["emotion"].value == pytest.approx(1 / 3, abs=0.15)
    own = np.column_stack([speakers == one for one in np.unique(speakers)]).astype(float)
    assert probes.told(own, wanted, speakers)["speaker"].value == 1
    assert (found["speaker"].n, found["speaker"].speakers) == (144, 6)


# Edits ------------------------------------------------------------------------------------------

CUTS = {"pitch": "f0_mean_st", "loudness": "intensity_mean_db"}


@pytest.fixture(scope="module")
def heard(angry):
    """A clip under two names, and thresholds by which it is in the middle of two attributes."""
    one = Utterance(angry, "made", "made_1", "", "angry", "TIE", text="that is")
    functionals = Measurement(sound(one).waveform, sampling_rate=16_000).functionals()
    values = {name: functionals[descriptor].value for name, descriptor in CUTS.items()}
    cuts = {n: Cuts(CUTS[n], value - 2, value + 2, 0.1) for n, value in values.items()}
    utterances = [one, replace(one, speaker="made_2")]
    clips = models.Tested(SimpleNamespace(utterances=utterances), [said(one)] * 2, "fold_0")
    return clips, Thresholds(cuts)


def test_a_voice_is_edited_until_the_measured_level_moves(heard):
    clips, thresholds = heard
    for row, way in ((0, -1), (1, 1)):
        found = following.moved(row, clips.utterances[row], thresholds, attributes=("pitch",))
        (one,) = found
        assert (one.attribute, one.way, one.first, one.clear) == ("pitch", way, True, True)
        assert raised(clips.utterances[row], one) == pytest.approx(4.4 * way, abs=1)  # a usual step


def raised(clip, one):
    """Semitones."""
    before, after = (
        Measurement(audio.waveform, sampling_rate=16_000).functionals()["f0_mean_st"].value
        for audio in (sound(clip), one.audio)
    )
    return after - before


def test_an_edit_that_leaves_doubt_is_followed_by_one_that_does_not(heard):
    clips, thresholds = heard
    pitch = thresholds.cuts["pitch"]
    clip = clips.utterances[0]
    middle = (pitch.low + pitch.high) / 2

    def found(low, band):
        cuts = {"pitch": Cuts("f0_mean_st", middle - low, middle + 9, band)}
        return following.moved(0, clip, Thresholds(cuts), attributes=("pitch",))

    near, far = found(low=4, band=1)  # a usual step down is 4.4 semitones
    assert [(one.first, one.clear) for one in (near, far)] == [(True, False), (False, True)]
    assert raised(clip, near) == pytest.approx(-4.4, abs=1)
    assert raised(clip, far) == pytest.approx(-8.8, abs=2)
    (only,) = found(low=4, band=6)  # where it begins is doubtful already
    assert (only.first, only.clear) == (True, False)


def test_what_can_not_be_moved_is_left_out(heard, folder):
    clips, thresholds = heard
    far = Thresholds({"loudness": Cuts("intensity_mean_db", -300.0, 300.0, 0.1)})
    assert following.moved(0, clips.utterances[0], far, attributes=("loudness",)) == []
    assert following.moved(0, clips.utterances[0], thresholds, attributes=("tempo",)) == []
    noise = replace(clips.utterances[0], path=folder / "cremad/1001_DFA_ANG_XX.wav")
    assert following.moved(0, noise, thresholds, attributes=("pitch",)) == []


@dataclass
class Listener:
    """Says what is measured, or always the middle."""

    thresholds: Thresholds
    deaf: bool
    slots: tuple[str, ...] = ("pitch", "loudness", "emotion")

    def describe(self, utterances, words):
        assert list(words) == [["that", "is"]] * len(utterances)
        return [Description(self._levels(one)) for one in utterances]

    def _levels(self, one):
        if self.deaf:
            return dict.fromkeys(self.thresholds.cuts, 0)
        measured = Measurement(sound(one).waveform, sampling_rate=16_000).functionals()
        values = {name: one.value for name, one in measured.items()}
        return self.thresholds.labels(values).measured.levels


def test_who_says_what_is_measured_follows_and_who_is_deaf_does_not(heard, tmp_path, monkeypatch):
    clips, thresholds = heard
    seeds = [Listener(thresholds, deaf=False), Listener(thresholds, deaf=True)]
    monkeypatch.setattr(following, "models", lambda *_: seeds)
    following.measure(tmp_path, None, clips, lambda sounds: sounds, most=9, jobs=1)
    found = following.stored(tmp_path, most=9)
    assert list(found) == [*following.EDITS, "all"]
    for name, moved in (("pitch", "2 of 2"), ("loudness", "2 of 2"), ("all", "4 of 10")):
        for share in ("follows", "follows where clear"):
            assert found[name][share] == Interval(0.5, 0.5, 0.5, int(moved[0]), 2)
        assert found[name]["moved"] == moved
    assert found["tempo"]["moved"] == "0 of 2"
    assert math.isnan(found["tempo"]["follows"].value)


# By one command ---------------------------------------------------------------------------------


def command(folder, out):
    told = ["study", str(folder / "study.yaml"), "--root", f"cremad={folder / 'cremad'}"]
    told += ["--encoder", str(folder / "tiny"), "--out", str(out)]
    return [*told, "--cache", str(folder / "cache"), "--jobs", "1"]


@pytest.fixture(scope="module")
def studied(folder):
    pytest.importorskip("sacrebleu", reason="sacrebleu is not installed")
    out = folder / "out"
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert main(command(folder, out)) == 0
    return out, told.getvalue()


def told(place):
    return json.loads(place.read_text(encoding="utf-8"))


def test_tables_are_those_of_the_runs(studied):
    out, text = studied
    found = told(out / "figures.json")
    for row in ("both", "neither"):
        metrics = told(out / f"published/{row}/metrics.json")
        means, words = metrics["mean_of_seeds"]["all"], metrics["words"]["all"]
        columns = found["published"][row]
        for name, other in (
            ("WA",) * 2,
            ("UAR",) * 2,
            ("descriptors",) * 2,
            ("false", "hallucinated"),
        ):
            assert columns[name]["value"] == pytest.approx(means[other]["value"])
        assert columns["WER, closed set"]["value"] == words["word error rate"]["value"]
        seeds = [metrics["by_seed"][seed]["all"]["UAR"]["value"] for seed in "03"]
        assert columns["SD of UAR"] == f"{np.std(seeds, ddof=1):.3f}"
        passed = {f"nats a frame of {n}": f"{v:.2f}" for n, v in metrics["nats_a_frame"].items()}
        assert {n: v for n, v in columns.items() if "nats" in n} == passed
    gap = found["published"]["neither"]["UAR"]["value"] - found["published"]["both"]["UAR"]["value"]
    assert found["published, above both"]["neither"]["UAR"]["value"] == pytest.approx(gap)
    assert "descriptors" not in found["descriptors, above with"]["without"]
    captioned = "descriptors, guessed texts as captions of the measured ones"
    assert found[captioned].keys() == {"with"}
    assert found["descriptors, runs"]["with"]["run"] == "published/both"
    assert found["levels that follow an edit (published, both)"]["all"]["moved"] == "0 of 15"
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "WER, closed set" in text


def test_probes_of_both_latents_stand_beside_chance(studied):
    found = told(studied[0] / "figures.json")
    both, neither = (
        [found[f"published, probes of the latent of {latent}"][row] for latent in LATENTS]
        for row in ("both", "neither")
    )
    assert both[0] != both[1]
    assert neither[0] == neither[1]  # one block serves both
    names = ["sentence", "speaker", "emotion", "pitch", "loudness", "tempo"]
    chances = ["0.5", "0.5", "0.333", "0", "0", "0"]
    expected = [f"{one} (chance {chance})" for one, chance in zip(names, chances, strict=True)]
    assert list(both[0]) == expected
    assert both[0]["emotion (chance 0.333)"]["n"] == 12


def test_what_was_found_is_drawn_and_written_down(studied):
    out, _ = studied
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# a small study\n\n> Nothing is to be found.")
    assert "**A word error rate of a closed set says nothing" in readme
    names = [f"published_{one}.svg" for one in ("accuracy", "nats", "leakage")]
    for file in ("figures.svg", *names):
        assert f"]({file})" in readme
    said = [Tree.parse(out / file).getroot().get("aria-label") for file in names]
    found = told(out / "figures.json")["published"]
    shares = [f"{found[row]['UAR']['value']:.2f} at {row}" for row in ("both", "neither")]
    assert said[0].startswith(f"published: share. UAR: {', '.join(shares)}; descriptors: ")
    nats = math.log10(float(found["both"]["nats a frame of content"]))
    assert f"content: {nats:.2f} at both; " in said[1]  # and none of the other
    assert ". sentence: " in said[2]


def test_a_model_says_what_it_said_when_it_was_trained(studied, folder):
    out, _ = studied
    recipe = resolve(
        load_recipe(folder / "study.yaml", {"vib_sed_study": VibSedStudyRecipe}),
        beside=folder,
        changes=[f"encoder.checkpoint={folder / 'tiny'}"],
    )[0].recipe
    where = {"cache": folder / "cache", "jobs": 1}
    clips = models.tested(recipe, roots={"cremad": folder / "cremad"}, **where)
    states = models.hear(recipe, clips, clips.utterances, **where)
    model = Trained(out / "published/both/fold_0/seed_3")
    words = [one.text.split() for one in clips.utterances]
    with (out / "published/both/fold_0/seed_3/spoken.csv").open(encoding="utf-8") as file:
        rows = {Path(row["file"]).name: row["spoken"] for row in csv.DictReader(file)}
    names = [one.path.name for one in clips.utterances]
    assert dict(zip(names, map(spoken, model.describe(states, words)), strict=True)) == rows
    latents = model.latents(states)
    one = torch.from_numpy(states.copies[0][5].astype(np.float32))[:, None]
    alone = model.network.latents(one, torch.ones(one.shape[1:3], dtype=torch.bool))
    for name in LATENTS:
        assert latents[name][5] == pytest.approx(alone[name][0].mean(0).detach().numpy(), abs=1e-5)


def test_a_study_goes_on_with_what_is_there(studied, folder, monkeypatch, capsys):
    def never(*_, **__):
        raise AssertionError("it was done already")

    monkeypatch.setattr(Fit, "run", never)
    monkeypatch.setattr(probes, "told", never)
    monkeypatch.setattr(following, "moved", never)
    out, text = studied
    assert main(command(folder, out)) == 0
    assert capsys.readouterr().out == text
