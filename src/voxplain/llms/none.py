"""No language model: the default, so that nothing is sent anywhere unasked."""

from __future__ import annotations

from typing import Any, NoReturn

from voxplain.errors import ConfigError
from voxplain.llms import Card

__all__ = ["CARD", "load"]

CARD = Card(title="no language model", licence="", citation="", extra="", sends=False)


def load(**options: Any) -> NoReturn:
    """Raises ConfigError, which says how to choose a model."""
    raise ConfigError(
        "this needs a language model and none is chosen; choose openai_compatible (a server such "
        "as Ollama, vLLM or llama.cpp, or a hosted one) or local (a model folder, in process): "
        "see docs/llms.md"
    )
