"""What is heard in a corpus: the stretch of speech that ``analyze`` would judge, of each clip."""

from __future__ import annotations

import functools
import hashlib
import inspect
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.audio.listening import Listener
from voxplain.audio.log_mel import SAMPLING_RATE
from voxplain.backbones.embedded import EmbeddedBackbone
from voxplain.errors import ConfigError
from voxplain.plugins import find, require
from voxplain.training.conditions import Condition, Voices
from voxplain.training.corpora._reading import Utterance
from voxplain.training.sounds import SOUNDS, sound
from voxplain.types import Audio

__all__ = [
    "States",
    "backbone",
    "companions",
    "digest",
    "hear",
    "hear_sounds",
    "of_each",
    "read_corpora",
]

T = TypeVar("T")
Item = TypeVar("Item")
States = NDArray[np.float16]
"""(frames, width) of the encoder."""


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
    measure: Callable[..., T],
    items: Sequence[Item],
    *,
    cache: Path,
    jobs: int,
    network: Path | None = None,
) -> list[T]:
    """A measurement of each item, by several processes; in ``cache``, so that it is made once.

    An item is the path of a recording, an utterance, or a tuple with such. Where recordings lie
    does not matter; it is made again when one of them changes, the code that hears or measures, or
    the ``network`` that it is given to measure with.
    """
    joblib = require("joblib", extra="train")
    memory = joblib.Memory(cache, verbose=0)
    once = functools.cache(digest)  # a recording is in many items, as company of others
    fingerprint = (_fingerprint(measure, network), [_content(item, once) for item in items])
    found: list[T] = memory.cache(_of_each, ignore=["items", "network", "jobs"])(
        measure, list(items), fingerprint, network=network, jobs=jobs
    )
    return found


def _of_each(
    measure: Callable[..., T],
    items: Sequence[Item],
    fingerprint: tuple[str, list[Any]],
    *,
    network: Path | None,
    jobs: int,
) -> list[T]:
    del fingerprint  # part of the cache's key
    joblib = require("joblib", extra="train")
    given = {"network": str(network)} if network else {}
    found: list[T] = joblib.Parallel(jobs)(joblib.delayed(measure)(item, **given) for item in items)
    return found


def _fingerprint(measure: Any, network: Path | None) -> str:
    """Of the code that a measurement may depend on, and of its network."""
    package = Path(__file__).parents[1]
    code = getattr(measure, "func", measure)  # of a partial function
    files = [Path(inspect.getfile(code))]
    for room in ("audio", "descriptors"):
        files += sorted((package / room).rglob("*.py"))
    files += [package / "backbones/embedded.py"]
    files += [package / "training/conditions.py", package / "training/sounds.py"]
    files += [network] if network else []
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _content(item: Any, once: Callable[[str], str]) -> Any:
    """The item, with the name and the content of a recording (conditions go by its name)."""
    if isinstance(item, tuple):
        return tuple(_content(part, once) for part in item)
    if isinstance(item, Utterance):
        return once(str(item.path)), replace(item, path=Path(item.path.name))
    found = once(item) if isinstance(item, str) else ""
    return (found, Path(item).name) if found else item


def digest(path: str) -> str:
    """SHA-256 of a file; of what is none, nothing."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (OSError, ValueError):  # another text of the item, or to be told when it is read
        return ""


def hear(
    utterances: Sequence[Utterance],
    *,
    encoder: Path,
    cache: Path,
    jobs: int,
    condition: Condition | None = None,
    folds: Mapping[str, int] | None = None,
) -> list[States | None]:
    """The encoder's states for the first stretch of speech of each, None where there is none.

    With a ``condition``, each recording has gone through it first. Babble is made of other speakers
    of the same fold (``folds``: speaker -> fold), so that no voice is on both sides.
    """
    paths = [str(utterance.path) for utterance in utterances]
    others = companions(utterances, folds or {}) if condition else [()] * len(paths)
    measure = functools.partial(_states, condition=condition)
    return of_each(
        measure, list(zip(paths, others, strict=True)), cache=cache, jobs=jobs, network=encoder
    )


def hear_sounds(
    utterances: Sequence[Utterance],
    *,
    each: int,
    folds: Mapping[str, int],
    encoder: Path,
    cache: Path,
    jobs: int,
) -> list[tuple[str, int, States]]:
    """(kind, fold, states) of made-up sounds that are no single voice, so many of each kind.

    The folds take turns; babble is made of voices of its fold.
    """
    number = max(folds.values()) + 1
    by_fold = [[str(u.path) for u in utterances if folds[u.speaker] == f] for f in range(number)]
    wanted = []
    for kind in SOUNDS[1:]:
        for turn in range(each):
            generator = np.random.default_rng(zlib.crc32(f"{kind} {turn}".encode()))
            drawn = generator.choice(by_fold[turn % number], int(generator.integers(4, 9)))
            wanted.append((kind, turn, tuple(drawn.tolist())))
    found = of_each(_sound_states, wanted, cache=cache, jobs=jobs, network=encoder)
    return [(kind, turn % number, s) for (kind, turn, _), s in zip(wanted, found, strict=True)]


_VOICES = 6


def companions(utterances: Sequence[Utterance], folds: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Six recordings by other speakers of the same fold for each utterance, drawn by its name."""
    paths = np.array([str(utterance.path) for utterance in utterances])
    speakers = np.array([utterance.speaker for utterance in utterances])
    fold = np.array([folds.get(speaker, 0) for speaker in speakers])
    found = []
    for path, speaker, own in zip(paths, speakers, fold, strict=True):
        others = paths[(fold == own) & (speakers != speaker)]
        generator = np.random.default_rng(zlib.crc32(Path(path).stem.encode()))
        drawn = generator.choice(others, min(_VOICES, len(others)), replace=False)
        found.append(tuple(drawn.tolist()))
    return found


def _states(
    item: tuple[str, tuple[str, ...]], *, network: str, condition: Condition | None
) -> States | None:
    path, voices = item
    for _, audio in Listener().stretches(_worsened(path, voices, condition), source=path):
        return backbone(network).embed(audio).frames
    return None


def _sound_states(item: tuple[str, int, tuple[str, ...]], *, network: str) -> States:
    kind, turn, voices = item
    waveform = sound(kind, np.random.default_rng(turn), _reading(voices))
    audio = Audio(waveform, SAMPLING_RATE, kind)
    return backbone(network).embed(audio).frames


def _reading(paths: Sequence[str]) -> Voices:
    return lambda: [read.read(path).waveform for path in paths]


def _worsened(
    path: str, voices: Sequence[str], condition: Condition | None
) -> Iterator[NDArray[np.float32]]:
    if condition is None:
        yield from read.blocks(path)
        return
    seed = zlib.crc32(f"{Path(path).stem} {condition!r}".encode())
    generator = np.random.default_rng(seed)
    yield condition(read.read(path).waveform, generator, _reading(voices))


def backbone(network: str) -> EmbeddedBackbone:
    """The encoder of an ONNX file, for measurements of ``of_each``."""
    return _loaded(network, Path(network).stat().st_mtime_ns)


@functools.cache
def _loaded(network: str, written: int) -> EmbeddedBackbone:
    """Once in each process, and again when the file was written anew."""
    del written  # part of the cache's key
    return EmbeddedBackbone(Path(network).read_bytes(), name=network)
