"""Frozen dataclasses that go over the wire as JSON and come back equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, get_args, get_origin, get_type_hints


class Told:
    """Goes over the wire as JSON and comes back equal."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, nested."""
        return {name: _plain(getattr(self, name)) for name in _hints(type(self))}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read it back; what is missing has its default. Raises ``TypeError`` for a name that is not known."""
        hints = _hints(cls)
        if unknown := data.keys() - hints.keys():
            raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
        return cls(**{name: _made(hints[name], value) for name, value in data.items()})


_known: dict[type, dict[str, Any]] = {}


def _hints(kind: type[Told]) -> dict[str, Any]:
    """Names and types of the fields; looked up once, because it takes long."""
    if kind not in _known:
        _known[kind] = get_type_hints(kind)
    return _known[kind]


def _plain(value: Any) -> Any:
    if isinstance(value, Told):
        return value.as_json()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _made(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Told):
        return kind.of(value)
    inner = get_args(kind)
    if get_origin(kind) is tuple and inner[1:] == (Ellipsis,):
        return tuple(_made(inner[0], one) for one in value)
    if get_origin(kind) is dict:
        return {name: _made(inner[1], one) for name, one in value.items()}
    return value
