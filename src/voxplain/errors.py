"""Every error this package raises on purpose.

    VoxplainError
    ├─ InputError (ValueError)        what was given can't be used
    │  ├─ AudioError                  missing, undecodable, empty or non-finite audio
    │  │  ├─ TooShort                 audio shorter than 0.1 s
    │  │  └─ TooLong                  audio longer than a service takes
    │  ├─ TextError                   a text or a transcript that can't be used
    │  ├─ ConfigError                 an option or a recipe is wrong
    │  └─ UnknownName                 a name that is not among the available ones
    ├─ OutputError (OSError)          a result could not be written
    ├─ MissingExtra (ImportError)     an optional part is not installed
    ├─ ArtifactError                  a model or a corpus is missing or wrong
    │  ├─ WeightsMissing
    │  ├─ ChecksumMismatch
    │  ├─ HeadNotLoaded               a checkpoint whose head, or its labels, are not those it needs
    │  └─ CorpusNotFound
    ├─ WorkerLost                     a process that shared the work was killed
    └─ BackendError                   a language model or its server
       ├─ BackendTimeout              did not answer in time
       ├─ BackendRefused              can't be reached, or would not answer
       └─ BadReply                    answered what can't be used

A message says what happened, the value seen and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "ArtifactError",
    "AudioError",
    "BackendError",
    "BackendRefused",
    "BackendTimeout",
    "BadReply",
    "ChecksumMismatch",
    "ConfigError",
    "CorpusNotFound",
    "HeadNotLoaded",
    "InputError",
    "MissingExtra",
    "OutputError",
    "Status",
    "TextError",
    "TooLong",
    "TooShort",
    "UnknownName",
    "VoxplainError",
    "WeightsMissing",
    "WorkerLost",
    "status",
]


class VoxplainError(Exception):
    """Root of the tree."""


class InputError(VoxplainError, ValueError):
    """What was given can't be used."""


class AudioError(InputError):
    """Audio that is missing, undecodable, empty or non-finite."""


class TooShort(AudioError):
    """Audio shorter than 0.1 s."""


class TooLong(AudioError):
    """Audio longer than a service takes."""


class TextError(InputError):
    """A text or a transcript that can't be used."""


class ConfigError(InputError):
    """An option or a recipe that can't be followed."""


class UnknownName(InputError):
    """A name that is not among the available ones; the message lists them."""

    def __init__(self, kind: str, name: str, available: Iterable[str]) -> None:
        super().__init__(kind, name, sorted(available))  # as given: errors travel by their args

    def __str__(self) -> str:
        kind, name, known = self.args
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"unknown {kind} {name!r}; available: {', '.join(known) or 'none'}.{hint}"


class OutputError(VoxplainError, OSError):
    """A result could not be written; whatever stood there before is untouched."""


class MissingExtra(VoxplainError, ImportError):
    """An optional part is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)

    def __str__(self) -> str:
        package, extra = self.args
        return (
            f"this needs {package}, which is not installed; "
            f"install it with: pip install 'voxplain[{extra}]'"
        )


class ArtifactError(VoxplainError):
    """A model or a corpus is missing or is not what it should be."""


class WeightsMissing(ArtifactError):
    """No model where one was expected."""


class ChecksumMismatch(ArtifactError):
    """A model file differs from the one its card describes."""


class HeadNotLoaded(ArtifactError):
    """A checkpoint without all weights of its head, or whose outputs are in an unknown order."""


class CorpusNotFound(ArtifactError):
    """A folder that does not hold the corpus it should."""


class WorkerLost(VoxplainError):
    """A process that shared the work was killed; what is done is kept."""


class BackendError(VoxplainError):
    """A language model, or the server behind it, did not do its work."""


class BackendTimeout(BackendError):
    """No answer in time."""


class BackendRefused(BackendError):
    """It can't be reached, or would not answer."""


class BadReply(BackendError):
    """An answer that can't be used."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the two kinds of doors answer an error."""

    http: int
    exit: int


# The one table; a class answers like its nearest ancestor in it.
STATUSES: dict[type[BaseException], Status] = {
    TooLong: Status(http=413, exit=2),
    InputError: Status(http=422, exit=2),
    MissingExtra: Status(http=501, exit=3),
    ArtifactError: Status(http=503, exit=4),
    BackendTimeout: Status(http=504, exit=5),
    BackendError: Status(http=502, exit=5),
    OutputError: Status(http=507, exit=6),
    WorkerLost: Status(http=500, exit=7),
    VoxplainError: Status(http=500, exit=1),
}


def status(error: BaseException | type[BaseException]) -> Status:
    """HTTP status and exit code of an error (500 and 1 for what is not ours)."""
    kind = error if isinstance(error, type) else type(error)
    for ancestor in kind.__mro__:
        if ancestor in STATUSES:
            return STATUSES[ancestor]
    return STATUSES[VoxplainError]
