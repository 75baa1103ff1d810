"""Accounts as they were spoken: their words with times, and what a speech encoder hears."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from voxplain.audio import read
from voxplain.errors import ConfigError
from voxplain.models.embedded import EmbeddedModel
from voxplain.plugins import find, names, require
from voxplain.text.alignment import align
from voxplain.training.studies.roles.accounts import Account
from voxplain.training.words.agreement import KINDS
from voxplain.types import Audio, Role, Transcript

__all__ = ["AUDIO", "heard", "transcribed"]

AUDIO = ("audio", "audio, expressive")

Item = tuple[str, tuple[tuple[float, float, str], ...]]
"""A recording, and the stretches of it that are expressive, in seconds."""


def transcribed(accounts: Sequence[Account], *, asr: str | None, language: str) -> list[Account]:
    """The accounts with their words, and with the words' times where there is a recording.

    What nobody has written down is recognised by the transcriber ``asr``, the rest aligned.

    Raises ConfigError without a transcriber where one is needed, UnknownName, MissingExtra,
    TextError or AudioError.
    """
    return [_transcribed(account, asr, language) for account in accounts]


def _transcribed(account: Account, asr: str | None, language: str) -> Account:
    if account.audio is None or account.timed:
        return account
    sound = read.read(account.audio)
    if account.transcript:
        return replace(account, transcript=align(sound, account.text, language=language))
    if asr is None:
        raise ConfigError(
            f"{account.audio} has no transcript; write it into the table, or have it recognised "
            f"with --asr {'|'.join(names('transcribers')) or 'NAME'}"
        )
    return replace(account, transcript=_transcriber(asr, language)(sound))


@functools.cache
def _transcriber(name: str, language: str) -> Callable[[Audio], Transcript]:
    found: Callable[[Audio], Transcript] = find("transcribers", name).load(language=language)
    return found


def heard(
    accounts: Sequence[Account],
    roles: Sequence[Sequence[Role]],
    *,
    model: str,
    jobs: int,
) -> dict[str, NDArray[np.float64]]:
    """View of ``AUDIO`` -> (n, 2 * width) mean and deviation of the speech encoder's states.

    Of the whole recording, and of the expressive parts in it, NaN where there are none. No views
    where an account has no recording.
    """
    items = [
        (str(account.audio), tuple(part for part in account.stretches(own) if part[2] == KINDS[1]))
        for account, own in zip(accounts, roles, strict=True)
        if account.audio
    ]
    if len(items) < len(accounts):
        return {}
    joblib = require("joblib", extra="train")
    found = np.array(joblib.Parallel(jobs)(joblib.delayed(_summaries)(one, model) for one in items))
    return {name: found[:, place] for place, name in enumerate(AUDIO)}


def _summaries(item: Item, model: str) -> NDArray[np.float64]:
    """(2, 2 * width)"""
    path, stretches = item
    states = EmbeddedModel.load(model).embed(read.read(path))
    times = (np.arange(len(states.frames)) + 0.5) * states.frame_shift
    inside = np.zeros(len(times), bool)
    for start, end, _ in stretches:
        inside |= (start <= times) & (times < end)
    return np.stack([_summary(states.frames), _summary(states.frames[inside])])


def _summary(frames: NDArray[np.float16]) -> NDArray[np.float64]:
    if not len(frames):
        return np.full(2 * frames.shape[1], np.nan)
    return np.concatenate([frames.mean(0, dtype=np.float64), frames.std(0, dtype=np.float64)])
