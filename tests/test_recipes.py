"""Every recipe in the repository resolves, its plug-ins exist, and experiments make a step."""

import functools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from voxplain import descriptors, plugins
from voxplain.audio import read as audio
from voxplain.collection.protocol import Protocol
from voxplain.config import load_recipe
from voxplain.labels import CANONICAL, KNOWN
from voxplain.models import decoder
from voxplain.testing.backbones import tiny_checkpoint
from voxplain.testing.checkpoints import save_text_encoder
from voxplain.training import scoring
from voxplain.training.corpora._reading import Ratings, Utterance
from voxplain.training.embedded import EmbeddedRecipe
from voxplain.training.experiment import material
from voxplain.training.experiment.recipe import ExperimentRecipe, check_recipe
from voxplain.training.experiment.run import train
from voxplain.training.norms import NormsRecipe
from voxplain.training.profiles import ProfilesRecipe
from voxplain.training.saliency import SaliencyRecipe
from voxplain.training.studies.grid.recipe import GridRecipe, resolve
from voxplain.training.studies.probing import study as probing
from voxplain.training.studies.vib_sed import recipe as studies
from voxplain.training.study import StudyRecipe
from voxplain.training.vib_sed import recipe as vib_seds
from voxplain.training.vib_sed import run as vib_sed
from voxplain.training.vib_sed import scoring as spoken
from voxplain.training.words.emotion import TextEmotionRecipe, TextEncoderRecipe
from voxplain.training.words.emphasis import EmphasisRecipe
from voxplain.training.words.roles import SegmenterRecipe

ROOT = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(
    path
    for path in ROOT.rglob("*.yaml")
    if path.name != "cues.yaml"  # words for segmenter.yaml
)
GRIDS = [path for path in RECIPES if path.stem.endswith("_grid")]
EXPERIMENTS = [
    path for path in RECIPES if path.parent.name in ("experiments", "msf") and path not in GRIDS
]
VIB_SEDS = [
    path
    for path in RECIPES
    if path.parent.name == "vib_sed" and path.stem not in ("study", "sweeps", "following")
]
TABLES = ("planted",)
"""Corpora that are made by a script beside the recipe: a table and its sounds."""
KINDS = {
    "collection": Protocol,
    "embedded": EmbeddedRecipe,
    "emphasis": EmphasisRecipe,
    "experiment": ExperimentRecipe,
    "grid": GridRecipe,
    "norms": NormsRecipe,
    "profiles": ProfilesRecipe,
    "saliency": SaliencyRecipe,
    "segmenter": SegmenterRecipe,
    "study": StudyRecipe,
    "text_emotion": TextEmotionRecipe,
    "text_encoder": TextEncoderRecipe,
    "vib_sed": vib_seds.VibSedRecipe,
    "vib_sed_study": studies.VibSedStudyRecipe,
    **probing.KINDS,
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_it_resolves(path):
    recipe = load_recipe(path, KINDS)
    if isinstance(recipe, ExperimentRecipe | vib_seds.VibSedRecipe):
        check = check_recipe if isinstance(recipe, ExperimentRecipe) else vib_seds.check_recipe
        check(recipe)
        for corpus in (*recipe.data.corpora, *recipe.data.tested):
            if corpus not in TABLES:
                plugins.find("corpora", corpus)
        return
    if isinstance(recipe, GridRecipe | studies.VibSedStudyRecipe):
        find = resolve if isinstance(recipe, GridRecipe) else studies.resolve
        rows = len({row.folder for row in find(recipe, beside=path.parent)})
        assert rows == 1 if path.stem == "following" else rows > 1
        return
    if path.parent.name == "probing":  # nothing comes of it that could be shipped
        return
    # What a recipe makes may go into the package. Of an experiment that is not so: it is for labs
    # and for comparison, and the card of its run says what must not be shipped.
    for corpus in getattr(recipe, "corpora", ()):
        assert plugins.find("corpora", corpus).CARD.shippable
    assert set(getattr(recipe, "labels", ())) <= set(CANONICAL)
    if not isinstance(recipe, SegmenterRecipe):  # whose cues are words
        for names in ("cues", "descriptors", "gain_dependent"):
            assert set(getattr(recipe, names, ())) <= descriptors.inventory().keys()


def test_there_are_recipes():
    assert len(RECIPES) >= 2
    assert len(EXPERIMENTS) >= 13
    assert len(GRIDS) >= 4
    assert len(VIB_SEDS) >= 4


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks are so small that a second one only costs time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noises")
    random = np.random.default_rng(0)

    def made(name):
        place = folder / f"{name}.wav"
        if not place.is_file():
            soundfile.write(place, random.normal(size=1600 * random.integers(2, 4)) / 10, 16_000)
        return place

    return made


@pytest.fixture(scope="module")
def speech(tmp_path_factory, angry):
    """Five cuttings of a voice, in which there are words to be found and cues to be measured."""
    folder = tmp_path_factory.mktemp("cuttings")
    random = np.random.default_rng(0)
    waveform = audio.read(angry).waveform

    def made(name):
        place = folder / f"{name}.wav"
        if not place.is_file():
            start = 8_000 + 1_600 * random.integers(5)
            soundfile.write(place, waveform[start : start + 11_200], 16_000)
        return place

    return made


def miniature(corpus, labels, sound):
    """Ten speakers of five sessions who say each label once, with all that a corpus may tell."""
    found = []
    for speaker in range(10):
        for number, label in enumerate(labels):
            found.append(
                Utterance(
                    path=sound(f"{speaker}_{number}"),
                    corpus=corpus,
                    speaker=f"{corpus}_{speaker}",
                    sex=("female", "male")[speaker % 2],
                    emotion=label,
                    sentence="",
                    ratings=Ratings(votes={label: 3, "sad": 1}, intensity={}),
                    text=f"So {label}",
                    session=f"Ses0{speaker // 2}",
                    split=("train", "train", "train", "dev", "test1")[speaker // 2],
                    dimensions=dict.fromkeys(("valence", "arousal", "dominance"), number / 12),
                )
            )
    return found


def emobox(folder, utterances):
    """Two folds that share no speaker."""
    for fold in (0, 1):
        (folder / f"fold_{fold}").mkdir(parents=True)
        for side in ("train", "test"):
            lines = [
                f'{{"wav": "{one.path.name}", "emo": "{one.emotion}"}}\n'
                for one in utterances
                if (int(one.speaker[-1]) % 2 == fold) == (side == "test")
            ]
            place = folder / f"fold_{fold}/x_{side}_fold_{fold}.jsonl"
            place.write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """``weights(family)``: a tiny random checkpoint, made once."""

    @functools.cache
    def made(family, **layers):
        return tiny_checkpoint(tmp_path_factory.mktemp("weights") / family, family, **layers)

    return made


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_experiment_makes_a_step(path, noise, speech, weights, cache, tmp_path, monkeypatch):
    """On tiny random checkpoints of its families: sizes are made smaller, and what is said is told
    by the corpus.
    """
    monkeypatch.setitem(scoring.scores.__kwdefaults__, "draws", 20)
    recipe = load_recipe(path, KINDS, changes=["train.epochs=1", "train.seeds=[0]"])
    read = bool(recipe.texts.encoder)
    asked = tuple(label for label in recipe.data.labels if label in ("angry", "neutral", "sad"))
    left_out = next(label for label in KNOWN if label not in recipe.data.labels)
    labels = ("angry", "sad") if read else (*asked, left_out)
    sound = speech if read else noise
    corpora = {
        name: miniature(name, labels, lambda own, place=place: sound(f"{place}_{own}"))
        for place, name in enumerate((*recipe.data.corpora, *recipe.data.tested))
    }

    def recordings(argument):
        return SimpleNamespace(utterances=corpora[argument.partition("=")[0]])

    monkeypatch.setattr(material, "recordings", recordings)
    family = "wavlm" if "wavlm" in recipe.encoder.checkpoint else "whisper"
    layers = {"encoder_layers": 4} if family == "whisper" else {}  # as many as the recipes name
    listens = recipe.encoder.tune != "none"
    checkpoint = weights(family, **layers) if listens else None
    changes = {"folds": 2}
    if recipe.split.by == "emobox":
        first, *_ = corpora.values()
        changes["files"] = str(emobox(tmp_path / "folds", first))
    recipe = replace(
        recipe,
        data=replace(recipe.data, labels=asked),
        split=replace(recipe.split, **changes),
        train=replace(
            recipe.train,
            batch=32,
            accumulate=min(recipe.train.accumulate, 2),
            copies=min(recipe.train.copies, 1),
        ),
        head=replace(recipe.head, hidden=min(recipe.head.hidden, 4)),
    )
    if read:
        family = "roberta" if "roberta" in recipe.texts.encoder else "bert"
        place = save_text_encoder(tmp_path / "texts", family)
        texts = replace(recipe.texts, encoder=str(place), transcripts="given")
        recipe = replace(recipe, texts=texts)
    roots = dict.fromkeys(corpora, tmp_path)
    out = tmp_path / "run"
    train(recipe, roots=roots, checkpoint=checkpoint, out=out, cache=cache, jobs=1)
    assert (out / "README.md").is_file()
    assert recipe.note in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", VIB_SEDS, ids=lambda path: path.stem)
def test_a_network_that_speaks_makes_a_step(path, speech, weights, cache, tmp_path, monkeypatch):
    """On tiny random checkpoints of its encoder and of its language model."""
    for function in (
        scoring.scores,
        *(spoken.agreement, spoken.hallucination, spoken.word_error_rate),
    ):
        monkeypatch.setitem(function.__kwdefaults__, "draws", 20)
    size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
    monkeypatch.setitem(decoder.SIZES, "2M", size)
    recipe = load_recipe(path, KINDS, changes=["train.epochs=1", "train.seeds=[0]"])
    labels = recipe.data.labels
    corpora = {
        name: miniature(name, labels[:2], lambda own, place=place: speech(f"{place}_{own}"))
        for place, name in enumerate(recipe.data.corpora)
    }
    monkeypatch.setattr(
        material,
        "recordings",
        lambda argument: SimpleNamespace(utterances=corpora[argument.partition("=")[0]]),
    )
    family = "hubert" if "hubert" in recipe.encoder.checkpoint else "whisper"
    checkpoint = weights(family)
    llm = recipe.llm
    if llm.checkpoint:
        made = decoder.build(["So angry", "sounds sad"], size="2M")
        for part in made:
            part.save_pretrained(tmp_path / "llm")
        llm = replace(llm, checkpoint=str(tmp_path / "llm"))
    recipe = replace(
        recipe,
        llm=llm,
        data=replace(recipe.data, labels=labels[:2]),
        network=replace(recipe.network, latent=4, hidden=8),
        only=recipe.only or ("official" if recipe.split.by == "official" else "fold_0",),
    )
    out = tmp_path / "run"
    vib_sed.train(
        recipe,
        roots=dict.fromkeys(corpora, tmp_path),
        checkpoint=checkpoint,
        out=out,
        cache=cache,
        jobs=1,
    )
    assert recipe.note in (out / "README.md").read_text(encoding="utf-8")
    (folder,) = out.glob("*/seed_0")
    adapted = (folder / "llm/adapter_model.safetensors").is_file()
    assert adapted == bool(llm.checkpoint)
    if path.stem == "iemocap":  # the last of its five sessions is tested, and no other
        (corpus,) = corpora.values()
        last = {one.speaker for one in corpus if one.session == "Ses04"}
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        assert set(card["speakers"]["test"]) == last
