"""Recipes: a YAML file becomes a frozen dataclass, and nothing in it is silently ignored."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from voxplain.errors import ConfigError, UnknownName

__all__ = ["build", "load_recipe"]

T = TypeVar("T")


def load_recipe(path: Path, kinds: Mapping[str, type], *, changes: Sequence[str] = ()) -> Any:
    """Read a recipe; its key ``kind`` says which of the dataclasses it fills.

    ``changes`` are ``key=value`` or, of a section, ``section.key=value``, with values in YAML.

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
    for change in changes:
        _change(plain, change)
    kind = str(plain.pop("kind", ""))
    if kind not in kinds:
        raise UnknownName("recipe kind", kind, kinds)
    return build(kinds[kind], plain, where=str(path))


def _change(plain: dict[str, Any], change: str) -> None:
    import yaml

    keys, equals, text = change.partition("=")
    *sections, key = keys.split(".")
    if not (equals and key):
        raise ConfigError(f"a change of a recipe is key=value, not {change!r}")
    for name in sections:
        plain = plain.setdefault(name, {})
        if not isinstance(plain, dict):
            raise ConfigError(f"{change}: {name!r} is no section of the recipe")
    try:
        plain[key] = yaml.load(text, _strict_loader())
    except yaml.YAMLError as error:
        raise ConfigError(f"{change}: the value is not valid YAML: {error}") from error


def _strict_loader() -> Any:
    """YAML's safe loader, but a key given twice is an error, and 1e-4 is a number."""
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.YAMLError(f"the key {key!r} is given twice")
            return super().construct_mapping(node, deep)

    powers = re.compile(r"[-+]?\d[\d_]*(\.\d*)?[eE][-+]?\d+")  # YAML 1.2; 1.1 asks for a point
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", powers, list("-+0123456789"))
    return Loader


def build(cls: type[T], plain: Mapping[str, Any], *, where: str) -> T:
    """Fill a dataclass of scalars, tuples, mappings and, as sections, other dataclasses, strictly.

    A field may be ``Literal`` (one of some values) or optional (``null``).

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
    if isinstance(hint, types.UnionType):  # X | None
        (hint,) = (one for one in typing.get_args(hint) if one is not types.NoneType)
        return None if value is None else _typed(hint, value, where)
    if typing.get_origin(hint) is typing.Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{where}: {UnknownName('value', str(value), typing.get_args(hint))}")
        return value
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a section of keys, not {value!r}")
        return build(hint, value, where=where)  # type: ignore[arg-type]
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list, not {value!r}")
        return tuple(_typed(typing.get_args(hint)[0], item, where) for item in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a mapping, not {value!r}")
        key_hint, item_hint = typing.get_args(hint)
        return {
            _typed(key_hint, key, where): _typed(item_hint, item, f"{where}: {key}")
            for key, item in value.items()
        }
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {hint.__name__}, not {value!r}")
    return value
