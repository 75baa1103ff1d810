"""What the layers of any encoder make of recordings; each is heard once and kept on disk."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import logging
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain import backbones
from voxplain.audio import log_mel, read
from voxplain.backbones._encoder import SpeechEncoder
from voxplain.errors import ArtifactError, ConfigError
from voxplain.training.corpora._reading import Utterance, sound
from voxplain.training.hearing import digest

__all__ = ["layer_states"]

log = logging.getLogger(__name__)

States = NDArray[np.float16] | NDArray[np.float32]


def layer_states(
    utterances: Sequence[Utterance],
    *,
    encoder: Path | str,
    cache: Path,
    jobs: int,
    layers: Sequence[int] | None = None,
    pooled: bool = False,
) -> list[States]:
    """States (layers, frames, width) of each utterance in half precision.

    ``pooled`` gives (layers, 2, width) in single precision instead: mean and standard deviation
    over the frames. ``layers`` are numbers of states: 0 is the input of the first layer, n the
    output of the n-th; None is all. The ``encoder`` is a checkpoint folder or a hub id.

    Each utterance is encoded alone, by ``jobs`` threads that share the encoder (on a GPU where
    there is one), and what was encoded before is read from ``cache``: its key are the bytes of the
    recording, start and end, the encoder's own, the options and the code.

    Raises ConfigError for layers that can't be, what ``backbones.load`` raises, and AudioError.
    """
    if layers is not None and (not layers or min(layers) < 0):
        raise ConfigError(f"layers are numbers from 0 up, at least one; got {list(layers)}")
    folder = backbones.find_checkpoint(encoder)
    place = "cuda" if torch.cuda.is_available() else "cpu"
    options = {"layers": None if layers is None else list(layers), "pooled": pooled, "on": place}
    shelf = cache / _setting(folder, options)
    digests = {path: digest(str(path)) for path in {one.path for one in utterances}}
    wanted = [_key(one, digests[one.path]) for one in utterances]
    found = {key: states for key in set(wanted) if (states := _taken(shelf / key)) is not None}
    missing = {key: one for key, one in zip(wanted, utterances, strict=True) if key not in found}
    log.info("%d of %d recordings were heard before", len(found), len(found) + len(missing))
    if missing:
        deepest = None if layers is None else max(*layers, 1)
        network = backbones.load(encoder, layers=deepest).eval().to(place)
        hear = functools.partial(_heard, network=network, layers=layers, pooled=pooled)
        found |= _each(hear, missing, shelf, jobs=jobs)
    return [found[key] for key in wanted]


def _heard(
    utterance: Utterance, *, network: SpeechEncoder, layers: Sequence[int] | None, pooled: bool
) -> States:
    waveform = torch.tensor(sound(utterance).waveform)
    with torch.inference_mode():
        states = network([waveform])[0][:, 0].float()
    chosen = states if layers is None else states[list(layers)]
    if pooled:
        moments = torch.stack([chosen.mean(1), chosen.std(1, correction=0)], 1)
        found: States = moments.cpu().numpy()
    else:
        found = chosen.half().cpu().numpy()
    if not np.isfinite(found).all():
        raise ArtifactError(
            f"{utterance.path}: states of {network.name} reach {chosen.abs().max():.3g}, more than "
            "half precision holds; ask for pooled ones, or leave the upper layers out"
        )
    return found


def _each(
    hear: Callable[[Utterance], States], missing: dict[str, Utterance], shelf: Path, *, jobs: int
) -> dict[str, States]:
    """Hear what is missing and keep each at once, so that nothing is heard twice after a stop."""
    shelf.mkdir(parents=True, exist_ok=True)
    found: dict[str, States] = {}
    began, threads = time.monotonic(), torch.get_num_threads()

    def heard(key: str) -> None:
        found[key] = hear(missing[key])
        _put(shelf / key, found[key])

    # One thread to a recording: the sums are the same, whatever the number of jobs.
    pool = ThreadPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for number, _ in enumerate(pool.map(heard, missing), 1):
            if number % 200 == 0 or number == len(missing):
                left = (time.monotonic() - began) / number * (len(missing) - number)
                log.info("heard %d of %d recordings, %.0f s left", number, len(missing), left)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
    return found


def _setting(folder: Path, options: dict[str, Any]) -> str:
    """Of all that states depend on beside the recording."""
    plugin = inspect.getfile(backbones.plugin_of(folder))
    code = [__file__, plugin, read.__file__, log_mel.__file__]
    code += sorted(map(str, Path(backbones.__file__).parent.glob("_*.py")))
    source = hashlib.sha256(b"".join(Path(file).read_bytes() for file in code))
    source.update(inspect.getsource(sound).encode())
    versions = [metadata.version(package) for package in ("torch", "transformers")]
    return _sum([backbones.digest(folder), options, source.hexdigest(), versions])


def _key(utterance: Utterance, content: str) -> str:
    return _sum([content, utterance.start, utterance.end])


def _sum(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _taken(path: Path) -> States | None:
    """What was kept; None if there is nothing, or nothing whole: a zip knows its checksums."""
    try:
        with np.load(path.with_suffix(".npz")) as kept:
            states: States = kept["states"]
            return states
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _put(path: Path, states: States) -> None:
    """All or nothing: a file that is there is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez(file, states=states)
    Path(file.name).replace(path.with_suffix(".npz"))
