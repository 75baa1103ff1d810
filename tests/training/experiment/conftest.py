"""A corpus of 36 short sounds under names of CREMA-D, and recipes for it that take a second."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from voxplain.testing.backbones import tiny_checkpoint
from voxplain.testing.checkpoints import save_text_encoder
from voxplain.training import scoring
from voxplain.training.experiment.recipe import (
    Data,
    EncoderPlan,
    ExperimentRecipe,
    HeadPlan,
    Lora,
    SplitPlan,
    Tasks,
    TrainPlan,
)
from voxplain.training.experiment.run import train

PITCHES = {"ANG": 400, "NEU": 200, "SAD": 100}


@pytest.fixture(scope="session", autouse=True)
def one_thread_and_few_draws():
    """The same bits in every process. A thousand draws of each figure would take most of the time.

    What other processes are begun with is told by the environment.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setitem(scoring.scores.__kwdefaults__, "draws", 20)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Six speakers, three emotions that differ in pitch, two sentences."""
    folder = tmp_path_factory.mktemp("cremad")
    random = np.random.default_rng(0)
    for speaker in range(1001, 1007):
        for emotion, pitch in PITCHES.items():
            for sentence in ("DFA", "IEO"):
                time = np.arange(round(16_000 * random.uniform(0.3, 0.5))) / 16_000
                sound = np.sign(np.sin(2 * np.pi * (pitch + random.normal(0, 5)) * time))
                sound = 0.1 * sound + 0.01 * random.normal(size=len(time))
                soundfile.write(folder / f"{speaker}_{sentence}_{emotion}_XX.wav", sound, 16_000)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny", "whisper", encoder_layers=2)


WORDS = {
    "ANG": "I hate every word of this",
    "NEU": "The train leaves at nine o'clock",
    "SAD": "Nobody came to see her again",
}
RATED = {"ANG": (0.1, 0.9, 0.8), "NEU": (0.5, 0.4, 0.5), "SAD": (0.2, 0.2, 0.2)}


@pytest.fixture(scope="session")
def told(corpus, tmp_path_factory):
    """A table of the corpus with words and ratings: ``told(name, changed)``.

    ``changed`` are, by row, columns that are otherwise; ``folder`` is where copies of it lie.
    """
    labels = {"ANG": "angry", "NEU": "neutral", "SAD": "sad"}

    def table(name="told", changed=None, *, folder=corpus):
        place = tmp_path_factory.mktemp("tables") / f"{name}.csv"
        columns = ("file", "speaker", "emotion", "text", "valence", "arousal", "dominance")
        with place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for number, path in enumerate(sorted(folder.glob("*.wav"))):
                speaker, _, emotion, _ = path.stem.split("_")
                valence, arousal, dominance = (one + number / 1000 for one in RATED[emotion])
                row = [path, f"{name}_{speaker}", labels[emotion], WORDS[emotion]]
                row += [valence, arousal, dominance]
                own = dict(zip(columns, row, strict=True))
                writer.writerow(own | (changed or {}).get(number, {}))
        return place

    return table


@pytest.fixture(scope="session")
def text_encoder(tmp_path_factory):
    return save_text_encoder(tmp_path_factory.mktemp("texts") / "tiny-bert")


@pytest.fixture(scope="session")
def fused(recipe, text_encoder):
    """A recipe with texts, for the tables of ``told``."""

    def made(**changes):
        sections = {
            "data": {"corpora": ("told",)},
            "texts": {"encoder": str(text_encoder), "les": "random"},
            "fusion": {"width": 8, "experts": 2},
            "targets": {"categories": 1.0, "dimensions": 1.0},
        }
        for name, change in changes.items():
            sections[name] = sections.get(name, {}) | change
        return recipe(**sections)

    return made


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def recipe(checkpoint):
    """A recipe with changes of its sections: ``recipe(train={"epochs": 3})``."""
    plain = ExperimentRecipe(
        name="small",
        data=Data(corpora=("cremad",), labels=("angry", "neutral", "sad")),
        split=SplitPlan(by="speaker", folds=2, dev=0.3),
        encoder=EncoderPlan(checkpoint=str(checkpoint), lora=Lora(rank=2)),
        train=TrainPlan(epochs=2, batch=8, learning_rate=0.01),
        head=HeadPlan(hidden=8),
        targets=Tasks(),
    )

    def made(**changes):
        sections = {
            name: replace(getattr(plain, name), **change) if isinstance(change, dict) else change
            for name, change in changes.items()
        }
        return replace(plain, **sections)

    return made


@pytest.fixture(scope="session")
def trained(corpus, cache):
    """Train into a folder: ``trained(recipe, out)``."""

    def run(recipe, out, *, roots=None):
        roots = {"cremad": corpus} if roots is None else roots
        train(recipe, roots=roots, checkpoint=None, out=Path(out), cache=cache, jobs=1)
        return out

    return run


@pytest.fixture(scope="session")
def run(recipe, trained, tmp_path_factory):
    """The folder of a probe of two folds and two seeds."""
    plan = recipe(train={"seeds": (0, 1), "epochs": 3})
    return trained(plan, tmp_path_factory.mktemp("runs") / "probe")
