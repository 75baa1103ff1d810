"""What is heard in a corpus: the stretch of speech that ``analyze`` would judge, of each clip."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.activity import speech_probabilities
from voxplain.audio.windows import speech_stretches
from voxplain.errors import ConfigError
from voxplain.models.log_mel import log_mel
from voxplain.plugins import find, require
from voxplain.training.corpora._reading import Utterance

__all__ = ["Heard", "hear", "of_each", "read_corpora"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """An utterance and what the network is shown of it."""

    utterance: Utterance
    log_mel: NDArray[np.float16]
    """(80, frames) of its first stretch of speech."""


def read_corpora(
    names: Sequence[str],
    *,
    roots: Mapping[str, Path],
    labels: Sequence[str],
    left_out: Sequence[str] = (),
) -> list[Utterance]:
    """The utterances of some corpora whose emotion is among the labels, without some speakers.

    Raises ConfigError for a corpus without a root, UnknownName or CorpusNotFound.
    """
    for name in names:
        if name not in roots:
            raise ConfigError(f"the corpus {name!r} has no root; give --root {name}=FOLDER")
    found = [utterance for name in names for utterance in find("corpora", name).read(roots[name])]
    return [
        utterance
        for utterance in found
        if utterance.emotion in labels and utterance.speaker not in left_out
    ]


def of_each(
    measure: Callable[[str], T | None], paths: Sequence[Path], *, cache: Path, jobs: int
) -> list[T | None]:
    """A measurement of each recording, by several processes; in ``cache``, so that it is made once.

    Made again when the code changes that hears or measures.
    """
    joblib = require("joblib", extra="train")
    memory = joblib.Memory(cache, verbose=0)
    found: list[T | None] = memory.cache(_of_each, ignore=["jobs"])(
        measure, [str(path) for path in paths], _code(measure), jobs=jobs
    )
    return found


def _of_each(
    measure: Callable[[str], T | None],
    paths: Sequence[str],
    code: str,
    *,
    jobs: int,
) -> list[T | None]:
    del code  # part of the cache's key
    joblib = require("joblib", extra="train")
    found: list[T | None] = joblib.Parallel(jobs)(joblib.delayed(measure)(path) for path in paths)
    return found


def _code(measure: Callable[[str], T | None]) -> str:
    """Fingerprint of the code that a measurement may depend on."""
    package = Path(__file__).parents[1]
    files = [Path(inspect.getfile(measure))]
    for room in ("audio", "descriptors", "models"):
        files += sorted((package / room).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def hear(utterances: Sequence[Utterance], *, cache: Path, jobs: int) -> list[Heard]:
    """The utterances in which there is speech."""
    paths = [utterance.path for utterance in utterances]
    found = of_each(_first_stretch, paths, cache=cache, jobs=jobs)
    return [
        Heard(utterance, mel)
        for utterance, mel in zip(utterances, found, strict=True)
        if mel is not None
    ]


def _first_stretch(path: str) -> NDArray[np.float16] | None:
    for _, audio in speech_stretches(speech_probabilities(read.blocks(path)), source=path):
        return log_mel(audio.waveform).astype(np.float16)
    return None
