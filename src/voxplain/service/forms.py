"""Fields of a form, as a dataclass names them."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_type_hints

from fastapi import Form

__all__ = ["form"]

_Asked = TypeVar("_Asked")


def form(kind: Callable[..., _Asked]) -> Callable[..., _Asked]:
    """A dependency of FastAPI that reads a dataclass from a form.

    What a field may hold stands in its metadata, as ``Form`` takes it.
    """

    def read(**given: Any) -> _Asked:
        return kind(**given)

    hints = get_type_hints(kind)
    read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                one.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=one.default,
                annotation=Annotated[hints[one.name], Form(**one.metadata)],
            )
            for one in dataclasses.fields(kind)  # type: ignore[arg-type]
        ]
    )
    return read
