"""The options that choose a language model."""

from __future__ import annotations

import argparse
import inspect

from voxplain import plugins
from voxplain.errors import ConfigError
from voxplain.llms import LLM

__all__ = ["add_language_model", "language_model"]


def add_language_model(parser: argparse.ArgumentParser, option: str, *, does: str) -> None:
    """An option that names a backend and a model, and where the server of it is."""
    backends = ", ".join(plugins.names("llms"))
    parser.add_argument(option, metavar="BACKEND:MODEL", help=f"{does}; backends: {backends}")
    parser.add_argument("--base-url", metavar="URL", help="of the server that runs it")


def language_model(said: str, *, option: str, base_url: str | None) -> LLM:
    """The model that BACKEND:MODEL names.

    Raises UnknownName (backend), ConfigError for options that the backend does not take, and what
    loading the model raises.
    """
    backend, _, model = said.partition(":")
    plugin = plugins.find("llms", backend)
    given = {"model": model or None, "base_url": base_url}
    options = {name: value for name, value in given.items() if value is not None}
    try:
        inspect.signature(plugin.load).bind(**options)
    except TypeError as error:
        raise ConfigError(f"{option} {said} wants other options: {error}") from error
    loaded: LLM = plugin.load(**options)
    return loaded
