"""Any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, a hosted one.

Text leaves the machine unless the server stands on it. Then a notice says so, once for each base
URL, before the first text is sent.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voxplain.errors import BackendError, BackendRefused, BackendTimeout, BadReply, ConfigError
from voxplain.llms import LLM, Card, Message, Schema, checked, spelled_out
from voxplain.llms._cache import remembered
from voxplain.plugins import require

__all__ = ["CARD", "load"]

CARD = Card(
    title="a server that speaks OpenAI's chat completions",
    licence="of the model and of who serves it; the client: Apache-2.0",
    citation="https://github.com/openai/openai-python",
    extra="llm",
    sends=True,
)

log = logging.getLogger(__name__)

_WRONG_ADDRESS = "check the name of the model, and that the base URL ends as it should (often /v1)"
_REMEDIES = {
    401: "give its key in OPENAI_API_KEY",
    403: "give a key in OPENAI_API_KEY that may use this model",
    404: _WRONG_ADDRESS,
    413: "ask less at once",
    429: "ask less at once, wait, or see to the account",
}
_NO_KEY = "none"  # the client wants one, servers of one's own do not
_told: set[str] = set()
_telling = threading.Lock()


def load(
    *,
    model: str,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout: float = 60.0,
    retries: int = 2,
    cache: Path | None = None,
    notice: Callable[[str], None] = log.warning,
) -> LLM:
    """A model on a server; nothing is sent before it is asked.

    ``base_url`` is else OPENAI_BASE_URL or OpenAI's own, ``api_key`` OPENAI_API_KEY (servers of
    one's own need none). ``timeout``, in seconds, holds for each of 1 + ``retries`` attempts,
    between which the client waits longer and longer, or as long as the server asks for. Answers
    are kept in the folder ``cache``. A ``notice`` that raises keeps the text here.

    Raises ConfigError for a base URL or a key that can't be one, MissingExtra.
    """
    openai = require("openai", extra="llm")
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
    here = _stands_here(base_url)
    key = (api_key or os.environ.get("OPENAI_API_KEY") or _NO_KEY).strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("the API key has characters that no key has; see OPENAI_API_KEY")
    client = openai.OpenAI(
        base_url=base_url,
        api_key=key,
        timeout=timeout,
        max_retries=retries,
        # Text goes to this host and no further; to one on this machine also past any proxy.
        http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not here),
    )
    return _Server(
        client, model=model, base_url=base_url, cache=cache, notice=None if here else notice
    )


class _Server:
    def __init__(
        self,
        client: Any,
        *,
        model: str,
        base_url: str,
        cache: Path | None,
        notice: Callable[[str], None] | None,
    ) -> None:
        self.name = f"{model} at {base_url}"
        self._client, self._model, self._base_url = client, model, base_url
        self._cache, self._notice = cache, notice
        weakref.finalize(self, client.close)

    def complete(
        self, messages: Sequence[Message], *, schema: Schema | None = None, max_tokens: int = 1024
    ) -> str:
        import openai

        question = {
            "model": self._model,
            "messages": [dict(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
        }

        def ask() -> str:
            if self._notice is not None:
                _tell(self._notice, self._base_url)
            try:
                return self._fitting(question, schema)
            except openai.APIError as error:
                raise self._explained(error) from None  # its own words may hold the key

        if self._cache is None:
            return ask()
        return remembered(self._cache, {"at": self.name, **question, "schema": schema}, ask)

    def _fitting(self, question: Mapping[str, Any], schema: Schema | None) -> str:
        import openai

        if schema is None:
            return self._reply(question)
        form = {"name": "reply", "schema": schema, "strict": True}
        wanted = {"type": "json_schema", "json_schema": form}
        try:
            reply = self._reply({**question, "response_format": wanted})
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            # It takes no schemas; or something else is wrong, which then shows again.
            asked = spelled_out(question["messages"], schema)
            reply = self._reply({**question, "messages": asked})
        return checked(reply, schema)

    def _reply(self, question: Mapping[str, Any]) -> str:
        try:
            choice = self._client.chat.completions.create(**question).choices[0]
            reason, reply = choice.finish_reason, choice.message.content
        except (AttributeError, LookupError, TypeError, ValueError):
            raise BadReply(
                f"{self._base_url} answers, but with no chat completion; {_WRONG_ADDRESS}"
            ) from None
        refusal = getattr(choice.message, "refusal", None)
        if refusal or reason == "content_filter":
            raise BackendRefused(f"{self.name} would not answer: {refusal or reason}")
        if not reply or reason == "length":
            raise BadReply(
                f"{self.name} {'broke off' if reply else 'gave no answer'} (at most "
                f"{question['max_tokens']} tokens); allow more, or ask less at once"
            )
        return str(reply)

    def _explained(self, error: Exception) -> BackendError:
        import openai

        if isinstance(error, openai.APITimeoutError):
            return BackendTimeout(
                f"{self.name} gave no answer within {self._client.timeout:g} s, "
                f"{1 + self._client.max_retries} times; allow more time, or ask less at once"
            )
        if isinstance(error, openai.APIStatusError):
            said = f"status {error.status_code}, {error.response.text}"
            remedy = _REMEDIES.get(error.status_code, "its log may say more")
            return BackendRefused(f"{self.name} refused: {self._repeatable(said)}; {remedy}")
        why = self._repeatable(str(error.__cause__ or error))
        return BackendRefused(
            f"{self.name} can't be reached: {why}; start the server, or check the base URL"
        )

    def _repeatable(self, text: str) -> str:
        """In brief, and without the key."""
        key = self._client.api_key
        text = text if key == _NO_KEY else text.replace(key, "…")
        return " ".join(text.split())[:300]


def _stands_here(base_url: str) -> bool:
    """Whether a server stands on this machine."""
    try:
        parts = urlsplit(base_url)
        host, plain = parts.hostname, "@" not in parts.netloc and not parts.query
    except ValueError:
        host, plain = None, False
    if not host or not plain or parts.scheme not in ("http", "https"):
        # It may hold a key, so it is not repeated.
        raise ConfigError(
            f"the base URL (host {host}) must be http(s)://host[:port]/path, without a name, "
            "a password or a query; a key goes into OPENAI_API_KEY"
        )
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tell(notice: Callable[[str], None], base_url: str) -> None:
    with _telling:  # so that nobody sends before it is told
        if base_url not in _told:
            plainly = ", unencrypted" if base_url.startswith("http:") else ""
            notice(
                f"text, such as the words of recordings, leaves this machine: it is sent to "
                f"{base_url}{plainly}; to keep it here, use a server on this machine or a local "
                "model (docs/llms.md)"
            )
            _told.add(base_url)
