"""The base of all objects that calls return: fields as attributes, and as a dict or JSON."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self

import msgspec

Names = Collection[str] | Mapping[str, Any] | None


class Shape:
    """Base of the objects; further fields than the declared ones are attributes, too."""

    _shapes: ClassVar[Mapping[str, type[Shape]]] = {}
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, shapes: Mapping[str, type[Shape]] | None = None) -> None:
        cls._shapes, cls._fields = shapes or {}, tuple(cls.__annotations__)

    def __init__(self, **told: Any) -> None:
        shapes = self._shapes
        self.__dict__.update(
            {n: _shaped(shapes[n], v) if n in shapes else v for n, v in told.items()}
        )

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Names = None,
        exclude: Names = None,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        **_same: Any,
    ) -> dict[str, Any]:
        """The fields as a dict, nested ones too.

        *include* and *exclude* name fields, or map names to what of them is meant. With the *mode*
        ``json`` objects of a caller's own class are JSON, too. pydantic's further options
        (``by_alias``, ``round_trip``, ``warnings``, …) change nothing here.
        """
        unset = not (exclude_unset or exclude_defaults)
        how = {"mode": mode, "exclude_unset": exclude_unset, "exclude_none": exclude_none}
        how["exclude_defaults"] = exclude_defaults
        told: dict[str, Any] = {}
        for name, value in self._told(unset=unset).items():
            kept, left_out = _part(include, name), _part(exclude, name)
            if (include is not None and not kept) or left_out is True:
                continue
            parts = {"include": kept, "exclude": left_out}
            parts = {k: v for k, v in parts.items() if v and v is not True}
            if not (exclude_none and value is None):
                told[name] = _dumped(value, {**how, **parts})
        return told

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Another one of the same fields, those of *update* exchanged."""
        made = copy.deepcopy(self) if deep else copy.copy(self)
        made.__dict__.update(update or {})
        return made

    def _told(self, *, unset: bool) -> dict[str, Any]:
        """The declared fields in their order, then the others; with *unset*, those of no value too."""
        kind, told = type(self), self.__dict__
        named = [n for n in self._fields if n in told or (unset and hasattr(kind, n))]
        return {**{n: getattr(self, n) for n in named}, **told}

    def to_dict(self, *, exclude_unset: bool = True, **how: Any) -> dict[str, Any]:
        """The fields that the answer had, as a dict; further options are those of `model_dump`."""
        return self.model_dump(exclude_unset=exclude_unset, **how)

    def model_dump_json(self, *, indent: int | None = None, **how: Any) -> str:
        """`model_dump` as JSON."""
        return _json(self.model_dump(**{**how, "mode": "json"}), indent)

    def to_json(self, *, indent: int | None = 2, **how: Any) -> str:
        """`to_dict` as JSON."""
        return _json(self.to_dict(**{**how, "mode": "json"}), indent)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    __hash__ = None  # type: ignore[assignment]  # they can be changed

    def __repr__(self) -> str:
        told = self._told(unset=True)
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in told.items())})"


def _shaped(shape: type[Shape], value: Any) -> Any:
    if isinstance(value, list):
        return [_shaped(shape, item) for item in value]
    return shape(**value) if isinstance(value, Mapping) else value


def _part(names: Names, name: str) -> Any:
    """What of the field *name* is meant: all (True), some of its own, or nothing."""
    if isinstance(names, Mapping):
        told = names.get(name)
        return True if told is ... else told
    return name in (names or ())


def _dumped(value: Any, how: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        each = {k: _every(v) if k in ("include", "exclude") else v for k, v in how.items()}
        return [_dumped(item, each) for item in value]
    return value.model_dump(**how) if hasattr(value, "model_dump") else value


def _every(names: Any) -> Any:
    """What is meant of each item of a list, which pydantic writes as ``{"__all__": …}``."""
    return names.get("__all__", names) if isinstance(names, Mapping) else names


def _json(value: Any, indent: int | None) -> str:
    encoded = msgspec.json.encode(value)
    return (encoded if indent is None else msgspec.json.format(encoded, indent=indent)).decode()
