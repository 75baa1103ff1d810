"""A trained model as a folder that ``models.listening`` reads without torch, and its proof."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from voxplain import __version__
from voxplain.audio.listening import Listener
from voxplain.errors import ArtifactError, ConfigError
from voxplain.models.describing import Shape
from voxplain.models.description import spoken
from voxplain.models.listening import CARD, PARTS, ListeningModel, encoder_digest
from voxplain.models.vib_sed import INSTRUCTIONS, VibSed
from voxplain.training.vib_sed.trained import Trained
from voxplain.types import Audio

__all__ = ["LARGEST", "Packed", "is_trained", "pack"]

LARGEST = 0.02
"""How far any probability may lie from that of the network."""

WEIGHTS, TOKENS, LABELS = PARTS
_WORDS = ("It's", "eleven", "o'clock.")  # one of which is the stressed one, whatever is said


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written, and what was checked."""

    folder: Path
    megabytes: float
    stretches: int
    difference: float
    """The largest of any probability in any of the stretches of speech."""


def is_trained(folder: Path) -> bool:
    """Whether ``training.vib_sed.run`` left it: a run, or one of its models."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(card, dict) and card.get("format") == "vib_sed"


def pack(trained: Path, folder: Path, *, clips: Sequence[Audio]) -> Packed:
    """Write what ``ListeningModel`` reads, of a model or of the first one of a run.

    Weights are in half precision. The copy must say the same as the network of every stretch of
    speech in the clips (16 kHz), with probabilities that differ by no more than ``LARGEST``; else
    nothing is written.

    Raises ConfigError (an encoder or a language model that the package has not, levels that are
    not measured, no speech in the clips, a folder that exists) and ArtifactError for a copy that
    says something else.
    """
    if folder.exists():
        raise ConfigError(f"{folder} exists already; give a new folder")
    card = run = _card(trained)
    if "default" in run:
        trained = trained / run["default"]
        card = _card(trained)
    _check(trained, card)
    model = Trained(trained)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place until it is checked, so that nobody meets a model that differs.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        place = Path(name)
        told = _write(place, model, card) | {"figures": run.get("figures", {})}
        _write_card(place, told)
        copy = ListeningModel(place)
        found = [_difference(model, copy, speech) for clip in clips for speech in _speech(clip)]
        if not found:
            raise ConfigError("a copy is checked on real recordings of speech: give --clips")
        told["checked"] = {
            "stretches": len(found),
            "largest_difference": float(f"{max(found):.1g}"),
        }
        _write_card(place, told)
        megabytes = sum(one.stat().st_size for one in place.iterdir()) / 1e6
        place.chmod(0o755)  # made for one user alone
        place.rename(folder)
        place.mkdir()  # for the context to remove
    return Packed(folder, megabytes, len(found), max(found))


def _card(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return found


def _check(trained: Path, card: Mapping[str, Any]) -> None:
    encoder, llm = card["encoder"], card["llm"]["checkpoint"]
    if encoder["sha256"] != encoder_digest(encoder["checkpoint"]):
        raise ConfigError(
            f"{trained} hears through {encoder['checkpoint']} ({encoder['sha256'][:12]}…), which "
            "is no encoder of this package; train it with encoder.checkpoint=speech"
        )
    if llm:
        raise ConfigError(
            f"{trained} speaks through {llm}, and only a decoder that is made from nothing runs "
            "without torch; train it with llm.size instead of llm.checkpoint"
        )
    if not (trained / LABELS).is_file():
        raise ConfigError(
            f"{trained} has no {LABELS}: its levels are those that a corpus gave; train it with "
            "tasks.levels=measured, so that what it hears can be held to what is measured"
        )


def _write(place: Path, model: Trained, card: Mapping[str, Any]) -> dict[str, Any]:
    """All but the card, which is given back."""
    network = model.network
    stored = io.BytesIO()
    np.savez_compressed(stored, **_weights(network))  # type: ignore[arg-type]
    (place / WEIGHTS).write_bytes(stored.getvalue())
    pairs = json.loads(network.tokenizer.backend_tokenizer.to_str())["model"]
    known = {"model": {name: pairs[name] for name in ("vocab", "merges")}}
    (place / TOKENS).write_text(json.dumps(known) + "\n", encoding="utf-8")
    model.thresholds.save(place / LABELS)
    config, encoder = network.llm.config, card["encoder"]
    shape = Shape(
        branches=network.heard["sed"],
        stack=card["network"]["stack"],
        heads=config.num_attention_heads,
        epsilon=config.rms_norm_eps,
        theta=config.rope_parameters["rope_theta"],
        begin=network.tokenizer.bos_token_id,
        end=network.tokenizer.eos_token_id,
    )
    files = b"".join((place / part).read_bytes() for part in PARTS)
    kept = ("name", "labels", "slots", "temperature", "middles", "least")
    origin = ("sha256", "recipe_sha256", "version", "speakers")
    return {name: card[name] for name in kept} | {
        "version": __version__,
        "sha256": hashlib.sha256(files).hexdigest(),
        "encoder": {"name": encoder["checkpoint"], "sha256": encoder["sha256"]},
        "instruction": INSTRUCTIONS["sed"],
        "decision": INSTRUCTIONS["decide"] if network.concept else "",
        "shape": shape._asdict(),
        "notes": card["notes"],
        "trained": {name: card[name] for name in origin},
    }


def _weights(network: VibSed) -> dict[str, NDArray[np.floating]]:
    """What describing reads, in half precision but for the moments of the states."""
    found = {
        name: one.numpy()
        for name, one in network.state_dict().items()
        if name.startswith(("blocks.", "adapters.", "llm.model."))
    }
    return {name: one.astype(np.float16) for name, one in found.items()} | {
        "mean": network.mean.numpy(),
        "deviation": network.deviation.numpy(),
    }


def _write_card(place: Path, card: Mapping[str, Any]) -> None:
    (place / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _speech(clip: Audio) -> Iterator[Audio]:
    return (speech for _, speech in Listener().stretches([clip.waveform], source=clip.source))


def _difference(model: Trained, copy: ListeningModel, speech: Audio) -> float:
    """Of any probability. Raises ArtifactError for too large a one, and for other words."""
    states = copy.states(copy.embed(speech))
    (wanted,) = model.network.describe(
        torch.from_numpy(states.astype(np.float32))[:, None],
        torch.ones(1, states.shape[1], dtype=torch.bool),
        words=[_WORDS],
        labels=model.labels,
        taught=model.slots,
        middles=model.middles,
    )
    found = copy.describer.describe(states, words=_WORDS)
    softer = 1 / copy.describer.temperature
    emotion = {label: chance**softer for label, chance in wanted.probabilities["emotion"].items()}
    calibrated = {label: one / sum(emotion.values()) for label, one in emotion.items()}
    chances = wanted.probabilities | {"emotion": calibrated}
    difference = max(
        abs(found.probabilities[slot][word] - chance)
        for slot, own in chances.items()
        for word, chance in own.items()
    )
    if found.description != wanted.description or not difference <= LARGEST:
        raise ArtifactError(
            f"the copy says {spoken(found.description)!r} of {speech.source}, the network "
            f"{spoken(wanted.description)!r}; their probabilities differ by up to "
            f"{difference:.2g} (at most {LARGEST:g}): nothing was written"
        )
    return difference
