"""Recipes: a YAML file becomes a frozen dataclass, and nothing in it is silently ignored."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from voxplain.errors import ConfigError, UnknownName

__all__ = ["build", "load_recipe"]

T = TypeVar("T")


def load_recipe(path: Path, kinds: Mapping[str, type]) -> Any:
    """Read a recipe; its key ``kind`` says which of the dataclasses it fills.

    Raises ConfigError (missing file, not YAML, wrong or missing key) or UnknownName (kind).
    """
    import yaml

    try:
        plain = yaml.load(path.read_text(encoding="utf-8"), _strict_loader())
    except OSError as error:
        raise ConfigError(f"recipe {path} can't be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {path} is not valid YAML: {error}") from error
    if not isinstance(plain, dict):
        raise ConfigError(f"recipe {path} must be a mapping of keys, not {type(plain).__name__}")
    kind = str(plain.pop("kind", ""))
    if kind not in kinds:
        raise UnknownName("recipe kind", kind, kinds)
    return build(kinds[kind], plain, where=str(path))


def _strict_loader() -> Any:
    """YAML's safe loader, but a key given twice is an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.YAMLError(f"the key {key!r} is given twice")
            return super().construct_mapping(node, deep)

    return Loader


def build(cls: type[T], plain: Mapping[str, Any], *, where: str) -> T:
    """Fill a dataclass of scalars and tuples, strictly.

    Raises ConfigError, naming the place and the key, for an unknown key (UnknownName's hint), a
    missing one or a value of the wrong type.
    """
    fields = {item.name: item for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    for name in plain:
        if name not in fields:
            raise ConfigError(f"{where}: {UnknownName('key', str(name), fields)}")
    for name, item in fields.items():
        required = (
            item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        )
        if required and name not in plain:
            raise ConfigError(f"{where}: the key {name!r} is missing")
    return cls(**{name: _typed(hints[name], v, f"{where}: {name}") for name, v in plain.items()})


def _typed(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list, not {value!r}")
        return tuple(_typed(typing.get_args(hint)[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {hint.__name__}, not {value!r}")
    return value
