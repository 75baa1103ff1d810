"""Are the explanations faithful? Of correctly recognised clips of speakers the model never heard.

    python benchmarks/faithfulness.py --model src/voxplain/assets/models/speech \
        --root cremad=DIR --root ravdess=DIR

From each log-mel spectrogram the most salient 20 % of the time are taken away, in windows of 0.12 s
that no explainer uses, filled with noise and with the local mean, which none uses either. Printed
is in how many clips that lowers the probability of the label more than random windows do (the mean
of ten draws), and more than the loudest windows do, with 95 % intervals clustered by speaker. Null
versions: random scores, and the saliency of the same network with the values of each weight tensor
shuffled. Of CREMA-D every other speaker is counted; the method was chosen on the others.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.audio.log_mel import FRAME_SHIFT, log_mel
from voxplain.cli.train import add_data, roots
from voxplain.evidence import faithfulness
from voxplain.evidence.explanation import saliency
from voxplain.explainers import Grid, successive_occlusion
from voxplain.models.embedded import EmbeddedModel
from voxplain.training.corpora._reading import Utterance
from voxplain.training.hearing import read_corpora
from voxplain.training.statistics import speaker_interval
from voxplain.training.studies.subjects import shuffle

Scores = NDArray[np.float64]
FILLS = ("noise", "local_mean")
CLIPS = {"cremad": 6, "ravdess": 9}  # of each speaker


def main() -> None:
    """Explain, take away and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, metavar="DIR")
    add_data(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        shuffled = Path(place)
        shuffle(arguments.model, shuffled, seed=0)
        for corpus, root in roots(arguments).items():
            report(corpus, root, arguments.model, shuffled)


def report(corpus: str, root: Path, folder: Path, shuffled: Path) -> None:
    """Print the figures of a corpus."""
    rows: dict[str, list[Scores]] = {}
    speakers = []
    for utterance, model, null, waveform in chosen(corpus, root, folder, shuffled):
        inputs = log_mel(waveform)
        output = model.calibration.labels.index(utterance.emotion)
        speakers.append(utterance.speaker)
        scores = explained(model, null, inputs, output)
        told: dict[str, list[list[bool]]] = {name: [] for name in scores}
        for fill in FILLS:
            first = next(iter(scores.values()))
            usual = faithfulness.removal(
                model.log_odds, inputs, first, output=output, fill=fill, seed=len(speakers)
            )
            for name, score in scores.items():
                left = faithfulness.without(model.log_odds, inputs, score, output=output, fill=fill)
                told[name].append([left < usual.random, left < usual.loudest])
        for name, found in told.items():
            rows.setdefault(name, []).append(np.array(found, float).T)
    print(f"\n{corpus}: {len(speakers)} clips of {len(set(speakers))} speakers")
    print(f"{'':34}{'more than random':>38}{'more than the loudest':>38}")
    print(f"{'':34}{'noise':>19}{'local mean':>19}{'noise':>19}{'local mean':>19}")
    for name, told in rows.items():
        cells = np.array(told).reshape(len(told), 4).T
        print(f"{name:34}" + "".join(f"{interval(cell, speakers):>19}" for cell in cells))


def chosen(
    corpus: str, root: Path, folder: Path, shuffled: Path
) -> Iterator[tuple[Utterance, EmbeddedModel, EmbeddedModel, NDArray[np.float32]]]:
    """Clips that are recognised, in one stretch, with the model that never heard the speaker."""
    whole = EmbeddedModel(folder)
    folds = dict[str, int]()
    for number, fold in enumerate(whole.card["folds"]):
        # The others are those that the method was chosen on.
        folds |= dict.fromkeys(sorted(fold["speakers"])[1::2], number)
    labels = whole.calibration.labels
    utterances = read_corpora((corpus,), roots={corpus: root}, labels=labels, left_out=())
    by_speaker: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        by_speaker.setdefault(utterance.speaker, []).append(utterance)
    for number, speaker in enumerate(sorted(by_speaker)):
        if corpus == "cremad" and speaker not in folds:
            continue
        model = EmbeddedModel(folder, fold=folds.get(speaker))
        null = EmbeddedModel(shuffled, fold=folds.get(speaker))
        order = np.random.default_rng(number).permutation(len(by_speaker[speaker]))
        found = 0
        for utterance in (by_speaker[speaker][i] for i in order):
            stretches = list(Listener().stretches(read.blocks(utterance.path), source=speaker))
            if found == CLIPS[corpus]:
                break
            if len(stretches) != 1 or stretches[0][1].duration < 0.5:
                continue
            waveform = stretches[0][1].waveform
            (told,) = model.log_odds(log_mel(waveform)[None])
            if labels[told.argmax()] == utterance.emotion:
                found += 1
                yield utterance, model, null, waveform


def explained(
    model: EmbeddedModel, null: EmbeddedModel, inputs: NDArray[np.float32], output: int
) -> dict[str, Scores]:
    """Name of an explainer -> its scores (frames,)."""
    times = (np.arange(inputs.shape[1]) + 0.5) * FRAME_SHIFT

    def scores(forward: Callable[..., Scores], **options: str) -> Scores:
        found = saliency(forward, inputs, output=output, **options)
        return faithfulness.on_frames(found, times)

    successive = successive_occlusion.attribute(
        model.log_odds, inputs, output=output, grid=Grid(0.0, FRAME_SHIFT)
    )
    rng = np.random.default_rng(len(times))
    return {
        "occlusion in time": scores(model.log_odds),
        "successive occlusion": faithfulness.on_frames(successive, times),
        "occlusion in time and frequency": scores(model.log_odds, axis="time_frequency"),
        "null: shuffled weights": scores(null.log_odds),
        "null: random scores": rng.random(len(times) // 10 + 1).repeat(10)[: len(times)],
    }


def interval(told: Scores, speakers: list[str]) -> str:
    """A share with its interval."""
    one = speaker_interval(
        lambda truth, found: float(np.mean(found)), told, told, speakers=speakers
    )
    return f"{one.value:.3f} [{one.low:.2f},{one.high:.2f}]"


if __name__ == "__main__":
    main()
