"""VIB-Emo from its recipe to its folder: check, hear, fit each fold and seed, tell."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from accelerate import Accelerator
from numpy.typing import NDArray
from safetensors.torch import save

from voxplain import __version__
from voxplain.backbones._encoder import quiet
from voxplain.errors import ConfigError, UnknownName
from voxplain.files import write
from voxplain.models import decoder
from voxplain.models.calibration import Calibration, fit_mass, fit_temperature, softmax
from voxplain.models.decoder import Decoder
from voxplain.models.description import SLOTS, Described, Description, confident, parts, spoken
from voxplain.models.levels import Labels, Thresholds
from voxplain.models.vib_sed import INSTRUCTIONS, TASKS, Target, VibSed
from voxplain.training import targets
from voxplain.training.assessment.recordings import duration
from voxplain.training.corpora._reading import Utterance
from voxplain.training.experiment import account
from voxplain.training.experiment.encoders import deepest
from voxplain.training.experiment.figures import table
from voxplain.training.experiment.loop import Found
from voxplain.training.experiment.material import Material, gather
from voxplain.training.experiment.recipe import digest
from voxplain.training.experiment.run import accelerated, carry_out, claim
from voxplain.training.experiment.said import Said, listen
from voxplain.training.experiment.sources import StateSource
from voxplain.training.predictions import FILE, Predictions
from voxplain.training.splits import Split
from voxplain.training.vib_sed import ears
from voxplain.training.vib_sed.edits import edited
from voxplain.training.vib_sed.figures import SPOKEN, Spoken, sentence, tell, write_spoken
from voxplain.training.vib_sed.labels import given
from voxplain.training.vib_sed.loop import Fit, Told
from voxplain.training.vib_sed.recipe import (
    LlmPlan,
    NetworkPlan,
    TaskPlan,
    VibSedRecipe,
    check_recipe,
)
from voxplain.training.vib_sed.scoring import agreement, balanced, surest
from voxplain.training.vib_sed.sources import LiveSource, checkpoint_digest, hear_layers, shape

__all__ = ["train"]

log = logging.getLogger(__name__)

Labelled = tuple[Thresholds | None, Sequence[Labels]]
"""How the recordings sound, and by which thresholds, if not by what the corpus says."""


def train(
    recipe: VibSedRecipe,
    *,
    roots: Mapping[str, Path],
    checkpoint: Path | None,
    out: Path,
    cache: Path,
    jobs: int,
) -> None:
    """Fill a run folder, or go on with one that the same recipe began.

    ``roots`` corpus -> its place; ``checkpoint`` takes the place of the recipe's encoder. The
    folder is that of an experiment, but its models are ``network.safetensors`` with ``llm/``, the
    thresholds of the levels (``labels.json``) and ``card.json``; ``spoken.csv`` holds what was
    spoken of each clip that ``predictions.csv`` judges.

    Raises, before anything is trained, ConfigError, UnknownName, CorpusNotFound, WeightsMissing or
    AudioError; OutputError for a folder that can't be written to.
    """
    if checkpoint is not None:
        recipe = replace(recipe, encoder=replace(recipe.encoder, checkpoint=str(checkpoint)))
    check_recipe(recipe)
    sha256s = {}
    for name, one in (("encoder", recipe.encoder.checkpoint), ("llm", recipe.llm.checkpoint)):
        if one:
            sha256s[f"{name}_sha256"] = checkpoint_digest(one)
    if recipe.llm.checkpoint:  # what is wrong with it is told before anything long begins
        speaker = _speaker(recipe.llm, ())
        VibSed(speaker.llm, speaker.tokenizer, depth=1, width=1, **_options(recipe.network))
        del speaker
    accelerator = accelerated(recipe.experiment)
    if not accelerator.is_main_process:
        logging.getLogger("voxplain").setLevel(logging.WARNING)
    material = _chosen(gather(recipe.experiment, roots=roots), recipe.only)
    with accelerator.main_process_first():  # what one has cached, the others read
        claim(out, recipe, material, accelerator, encoders=sha256s)
        recorded = len(material.utterances)
        learned = _with_edits(material, copies=recipe.train.edited, cache=cache, jobs=jobs)
        plan = recipe.tasks
        said = listen(
            learned.utterances,
            transcripts=plan.transcripts,
            model=plan.transcriber_model,
            cache=cache,
            jobs=jobs,
        )
        labels = {
            split.name: _labels(recipe, learned, said, split, recorded=recorded)
            for split in learned.splits
        }
        heard = hear_layers(recipe, learned, device=accelerator.device, cache=cache, jobs=jobs)
    work = Work(recipe, learned, said, labels, heard, sha256s, accelerator)

    def told() -> None:
        tell(recipe, material, out=out, cache=cache, jobs=jobs)

    carry_out(work, tell=told, out=out)


def _chosen(material: Material, only: Sequence[str]) -> Material:
    """With the splits that are named alone."""
    by_name = {split.name: split for split in material.splits}
    for name in only:
        if name not in by_name:
            raise UnknownName("split", name, by_name)
    return replace(material, splits=[by_name[name] for name in only or by_name])


def _with_edits(material: Material, *, copies: int, cache: Path, jobs: int) -> Material:
    """With edited copies of what any split learns from, behind all recordings."""
    if not copies:
        return material
    rows = np.unique(np.concatenate([split.train for split in material.splits])).tolist()
    chosen = [material.utterances[row] for row in rows]
    utterances, found = list(material.utterances), {}
    for row, of_one in zip(
        rows, edited(chosen, copies=copies, cache=cache, jobs=jobs), strict=True
    ):
        found[row] = range(len(utterances), len(utterances) + len(of_one))
        utterances += of_one
    splits = []
    for split in material.splits:
        more = [copy for row in split.train.tolist() for copy in found[row]]
        splits.append(replace(split, train=np.append(split.train, np.array(more, int))))
    seconds = [*material.seconds, *map(duration, utterances[len(material.utterances) :])]
    return replace(material, utterances=utterances, seconds=seconds, splits=splits)


def _labels(
    recipe: VibSedRecipe, material: Material, said: Sequence[Said], split: Split, *, recorded: int
) -> Labelled:
    """How each recording sounds, by thresholds of those of the ``recorded`` first ones that are
    learned from: what comes after was edited.

    Raises ConfigError where there is nothing to be learned.
    """
    rows = [row for row in split.train.tolist() if row < recorded]
    if recipe.tasks.asr != "none" and not any(said[row].transcript.text.strip() for row in rows):
        raise ConfigError(
            f"{split.name}: not one of {len(rows)} recordings of the training has a transcript; "
            "name a transcriber in tasks.transcripts, or set tasks.asr to none"
        )
    if recipe.tasks.levels == "measured":
        thresholds = Thresholds.fitted([said[row].measured for row in rows])
        return thresholds, [
            thresholds.labels(own.measured, own.transcript.words, emotion=one.emotion)
            for one, own in zip(material.utterances, said, strict=True)
        ]
    found = [given(one) for one in material.utterances]
    if recipe.tasks.descriptors and not any(found[row].measured.levels for row in rows):
        raise ConfigError(
            f"{split.name}: not one of {len(rows)} recordings of the training comes with levels of "
            "descriptors; set tasks.levels to measured, or tasks.descriptors to false"
        )
    return None, found


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """All that a fold and a seed need to be fitted."""

    recipe: VibSedRecipe
    material: Material
    said: Sequence[Said]
    labels: Mapping[str, Labelled]
    """Of each split."""
    heard: StateSource | LiveSource
    sha256s: Mapping[str, str]
    """Of the encoder and, where there was one before, of the language model."""
    accelerator: Accelerator

    def fit(self, split: Split, seed: int, *, folder: Path, after: int) -> None:
        """Write a model folder; its card comes last, so that what has one is whole."""
        thresholds, labels = self.labels[split.name]
        told = self._told(labels)
        network = self._network(split, seed, told)
        state = folder / "state.safetensors"
        if self.recipe.train.listening and not state.is_file():
            rows = split.train.tolist()
            targets = {row: told.targets[row] for row in rows}
            places = {row: labels[row].places for row in rows}
            ears.teach(network, self.heard, targets, places, recipe=self.recipe, seed=seed)
        fit = Fit(
            network,
            self.heard,
            told,
            recipe=self.recipe,
            train=split.train,
            dev=split.dev,
            seed=seed,
            score=self._score(split, labels),
            accelerator=self.accelerator,
            state=state,
            name=f"{split.name}, seed {seed}",
            after=after,
        )
        fit.run()
        judged = [labels[row] for row in split.dev.tolist()]
        middles = balanced(fit.read(split.dev), judged)
        dev, tested = (fit.read(rows, middles=middles) for rows in (split.dev, split.test))
        asr = self.recipe.tasks.asr != "none"
        heard = fit.transcribe(split.test) if asr else [""] * len(tested)
        rates = {
            network.heard[task][-1]: fit.rate(split.test, task)
            for task in (TASKS if asr else TASKS[1:])
            if self.recipe.network.compression == "vib" and len(fit.known(task, split.test))
        }
        if self.accelerator.is_main_process:
            calibration = self._calibrate(split, dev)
            false = self.recipe.tasks.most_false
            least = surest(dev, judged, false=false)
            folder.mkdir(parents=True, exist_ok=True)
            self._write_tables(split, labels, calibration, tested, heard, least, folder=folder)
            if thresholds is not None:
                thresholds.save(folder / "labels.json")
            chosen = {"middles": middles, "least": least}
            self._keep(network, fit, split, seed, calibration, chosen, rates, folder=folder)
            state.unlink(missing_ok=True)
        self.accelerator.wait_for_everyone()

    def _told(self, labels: Sequence[Labels]) -> Told:
        transcripts = [one.transcript for one in self.said]
        return Told(
            transcripts=[one.text.strip() for one in transcripts],
            words=[[word.text for word in one.words] for one in transcripts],
            targets=[_target(one, self.recipe.tasks) for one in labels],
        )

    def _network(self, split: Split, seed: int, told: Told) -> VibSed:
        torch.manual_seed(seed)
        rows = split.train.tolist()
        texts = [told.transcripts[row] for row in rows] + [*INSTRUCTIONS.values()]
        texts += [spoken(told.targets[row].description) for row in rows]
        depth, width = shape(self.heard)
        usual = self.heard.usual(split.train) if isinstance(self.heard, StateSource) else None
        speaker = _speaker(self.recipe.llm, texts)
        return VibSed(
            speaker.llm,
            speaker.tokenizer,
            depth=depth,
            width=width,
            usual=usual,
            **_options(self.recipe.network),
        )

    def _score(
        self, split: Split, labels: Sequence[Labels]
    ) -> Callable[[Sequence[Described]], float]:
        """In dev: mean of the emotion's UAR and, where there are descriptors, their macro-F1."""
        truth = [labels[row].measured for row in split.dev.tolist()]
        speakers = [one.speaker for one in self._utterances(split.dev)]

        def score(found: Sequence[Described]) -> float:
            said = [one.description for one in found]
            told = agreement(said, truth, speakers=speakers, draws=0)
            return float(np.mean([told[n].value for n in ("UAR", "descriptors") if n in told]))

        return score

    def _calibrate(self, split: Split, dev: Sequence[Described]) -> Calibration:
        labels = self.recipe.data.labels
        truth = targets.portrayed(self._utterances(split.dev), labels)
        logits = _logits(dev, labels)
        temperature = fit_temperature(truth, logits)
        unfitted = Calibration.unfitted(labels, temperature=temperature)
        mass = fit_mass(truth, softmax(logits, temperature=temperature))
        return replace(unfitted, mass=mass, most_strange=sys.float_info.max)

    def _write_tables(
        self,
        split: Split,
        labels: Sequence[Labels],
        calibration: Calibration,
        tested: Sequence[Described],
        heard: Sequence[str],
        least: float,
        *,
        folder: Path,
    ) -> None:
        """What is said of each clip that is tested: the emotion, and every word."""
        folds = [name for name, part in split.tests.items() for _ in part]
        chosen = self._utterances(split.test)
        nothing = np.empty((len(tested), 0), np.float32)
        columns = table(
            chosen,
            Found(_logits(tested, calibration.labels), nothing, nothing, nothing),
            fold="",
            labels=calibration.labels,
            temperature=calibration.temperature,
        )
        Predictions({**columns, "fold": np.array(folds)}).write(folder / FILE)
        texts = [one.transcript.text for one in self.said]
        known = {sentence(texts[row]) for row in split.train.tolist()}
        rows = [
            Spoken(
                file=str(one.path),
                start=one.start,
                end=one.end,
                corpus=one.corpus,
                speaker=one.speaker,
                fold=fold,
                spoken=spoken(confident(said, least=least)),
                guessed=spoken(said.description),
                measured=spoken(labels[row].measured),
                certain=spoken(labels[row].certain),
                transcript=texts[row],
                heard=text,
                said_in_training=sentence(texts[row]) in known,
            )
            for row, one, fold, said, text in zip(
                split.test.tolist(), chosen, folds, tested, heard, strict=True
            )
        ]
        write_spoken(folder / SPOKEN, rows)

    def _utterances(self, rows: NDArray[np.int64]) -> list[Utterance]:
        return [self.material.utterances[row] for row in rows.tolist()]

    def _keep(
        self,
        network: VibSed,
        fit: Fit,
        split: Split,
        seed: int,
        calibration: Calibration,
        chosen: Mapping[str, Any],
        rates: Mapping[str, float],
        *,
        folder: Path,
    ) -> None:
        """Weights and card, with what dev has ``chosen``; of a language model that was adapted, the
        adapters.
        """
        recipe = self.recipe
        with quiet(transformers):
            network.llm.save_pretrained(folder / "llm")
            network.tokenizer.save_pretrained(folder / "llm")
        own = {
            name: one.cpu().contiguous()
            for name, one in network.state_dict().items()
            if not name.startswith("llm.")
        }
        weights = save(own)
        write(folder / "network.safetensors", weights)
        total = hashlib.sha256(weights + "".join(self.sha256s.values()).encode())
        for file in sorted((folder / "llm").iterdir()):
            total.update(file.read_bytes())
        depth, width = shape(self.heard)
        speakers = {
            side: sorted({one.speaker for one in self._utterances(rows)} - {""})
            for side, rows in (("train", split.train), ("dev", split.dev), ("test", split.test))
        }
        blocks: Any = network.blocks
        card = {
            "format": "vib_sed",
            "name": f"{recipe.name} {split.name} seed {seed}",
            "version": __version__,
            "recipe_sha256": digest(recipe),
            "encoder": {
                "checkpoint": recipe.encoder.checkpoint,
                "sha256": self.sha256s["encoder_sha256"],
                "layers": recipe.encoder.layers,
                "deepest": deepest(recipe.experiment.encoder),
            },
            "llm": asdict(recipe.llm) | {"sha256": self.sha256s.get("llm_sha256")},
            "network": {"depth": depth, "width": width, **_options(recipe.network)},
            "slots": [name for name in SLOTS if name in fit.taught],
            **chosen,
            "sha256": total.hexdigest(),
            "notes": account.notes(recipe.experiment, self.material),
            "speakers": speakers,
            "history": fit.history,
            "epoch": fit.chosen + 1,
            "nats_a_frame": rates,
            "layer_weights": {name: one.mix.tolist() for name, one in blocks.items()},
            "parameters": {
                "llm": sum(one.numel() for one in network.llm.parameters()),
                "learned": sum(one.numel() for one in network.parameters() if one.requires_grad),
            },
            **asdict(calibration),
        }
        write(folder / "card.json", (json.dumps(card, indent=2) + "\n").encode())


def _speaker(plan: LlmPlan, texts: Sequence[str]) -> Decoder:
    """The language model as it is before training; one that is made knows the words of texts."""
    if not plan.checkpoint:
        return decoder.build(texts, size=plan.size)
    lora = None
    if plan.lora is not None:
        lora = {
            "r": plan.lora.rank,
            "lora_alpha": plan.lora.alpha,
            "lora_dropout": plan.lora.dropout,
            "target_modules": list(plan.lora.targets),
        }
    return decoder.load(plan.checkpoint, lora=lora, four_bit=plan.four_bit)


def _options(plan: NetworkPlan) -> dict[str, Any]:
    """What ``VibSed`` is made with; the rest of the plan is for the loop."""
    return {n: one for n, one in asdict(plan).items() if n not in ("beta", "warm_up")}


def _target(labels: Labels, tasks: TaskPlan) -> Target:
    """All that is known is spoken; what is not certain does not count."""
    if not tasks.descriptors:
        return Target(Description(label=labels.measured.label))
    spoken_slots, certain = (
        {one.name for one in parts(side)} for side in (labels.measured, labels.certain)
    )
    return Target(labels.measured, frozenset(spoken_slots - certain), tasks.emotion)


def _logits(found: Sequence[Described], labels: Sequence[str]) -> NDArray[np.float32]:
    """(n, labels) logarithms of the probabilities of the emotion."""
    rows = [[one.probabilities["emotion"][label] for label in labels] for one in found]
    return np.log(np.array(rows, np.float64).clip(1e-12)).astype(np.float32)
