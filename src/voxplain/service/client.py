"""Asking a service of somebody's own for an analysis."""

from __future__ import annotations

import dataclasses
import io
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx2

from voxplain.audio.read import source_name
from voxplain.errors import AudioError, BackendRefused, BackendTimeout, BadReply, InputError
from voxplain.types import Analysis

__all__ = ["Client"]

_LOOK = 0.5
"""Seconds between two looks at a job."""
_TIMEOUT = httpx2.Timeout(30.0, read=None)  # how long an answer may take is up to the service


class Client:
    """A service, and the key that it knows us by."""

    def __init__(self, url: str, *, key: str | None = None) -> None:
        """Raises InputError for what is no URL of a service."""
        if not url.startswith(("http://", "https://")):
            raise InputError(
                f"a service is asked by its URL, http://... or https://..., not {url!r}"
            )
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url = url.rstrip("/")
        self._http = httpx2.Client(base_url=self._url, headers=headers, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def analyze(
        self,
        source: str | Path,
        *,
        progress: Callable[[float], None] = lambda seconds: None,
        **options: str | bool | None,
    ) -> Analysis:
        """What the service makes of a recording: a path, or "-" for standard input.

        ``options`` are the fields that it takes (docs/serve.md). A recording that is too long to
        be answered at once is given as a job, which is deleted in the end.

        Raises AudioError for a file that can't be read, InputError for what the service can't use,
        BackendTimeout, BackendRefused, and BadReply for an answer that is no analysis.
        """
        fields = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in options.items()
            if value is not None
        }
        with ExitStack() as stack:
            file = _opened(source, stack)
            answer = self._send("/v1/analyze", file, source, fields)
            if answer.status_code == 413:
                file.seek(0)
                found = self._job(file, source, fields, progress)
            else:
                found = _analysis(self._checked(answer))
        return dataclasses.replace(found, source=source_name(source))

    def _job(
        self,
        file: BinaryIO,
        source: str | Path,
        fields: Mapping[str, str],
        progress: Callable[[float], None],
    ) -> Analysis:
        job = self._checked(self._send("/v1/jobs", file, source, fields)).json()
        links = job["links"]
        try:
            while job["state"] in ("queued", "running"):
                time.sleep(_LOOK)
                job = self._checked(self._ask("GET", links["self"])).json()
                progress(job["progress"]["seconds"])
            return _analysis(self._checked(self._ask("GET", links["result"])))
        finally:
            self._ask("DELETE", links["self"])

    def _send(
        self, path: str, file: BinaryIO, source: str | Path, fields: Mapping[str, str]
    ) -> httpx2.Response:
        name = "<stdin>" if source == "-" else Path(source).name
        return self._ask("POST", path, files={"file": (name, file)}, data=fields)

    def _ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx2.TimeoutException as error:
            raise BackendTimeout(f"{self._url} does not answer; try again later") from error
        except httpx2.TransportError as error:
            raise BackendRefused(
                f"{self._url} can't be reached ({error}); check the URL, and whether voxplain "
                "serve runs there"
            ) from error

    def _checked(self, answer: httpx2.Response) -> httpx2.Response:
        if answer.is_success:
            return answer
        try:
            told = str(answer.json()["detail"])
        except (ValueError, KeyError, TypeError):
            told = f"it answers {answer.status_code} {answer.reason_phrase}"
        if answer.status_code in (413, 422):
            raise InputError(told)
        if answer.status_code == 504:
            raise BackendTimeout(f"{self._url}: {told}")
        raise BackendRefused(f"{self._url}: {told}")


def _opened(source: str | Path, stack: ExitStack) -> BinaryIO:
    if source == "-":
        return io.BytesIO(sys.stdin.buffer.read())
    try:
        return stack.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise AudioError(f"{source} can't be opened ({error.strerror}); check the path") from error


def _analysis(answer: httpx2.Response) -> Analysis:
    try:
        return Analysis.from_dict(answer.json())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadReply(f"{answer.url} answers what is no analysis; check the URL") from error
