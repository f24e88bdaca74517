"""The base of all objects that calls return: fields as attributes, and as a dict or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec


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
        mode: str = "python",  # both modes are JSON here
        exclude: set[str] | None = None,
        exclude_unset: bool = False,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """The fields as a dict, nested ones too; *exclude* names some of this object."""
        how = {"exclude_unset": exclude_unset, "exclude_none": exclude_none}
        told = {n: _dumped(v, how) for n, v in self._told(unset=not exclude_unset).items()}
        left_out = exclude or set()
        return {
            name: value
            for name, value in told.items()
            if name not in left_out and not (exclude_none and value is None)
        }

    def _told(self, *, unset: bool) -> dict[str, Any]:
        """The declared fields in their order, then the others; with *unset*, those of no value too."""
        kind, told = type(self), self.__dict__
        named = [n for n in self._fields if n in told or (unset and hasattr(kind, n))]
        return {**{n: getattr(self, n) for n in named}, **told}

    def to_dict(self, *, exclude_unset: bool = True, exclude_none: bool = False) -> dict[str, Any]:
        """The fields that the answer had, as a dict."""
        return self.model_dump(exclude_unset=exclude_unset, exclude_none=exclude_none)

    def model_dump_json(self, *, indent: int | None = None, **how: Any) -> str:
        """`model_dump` as JSON."""
        return _json(self.model_dump(**how), indent)

    def to_json(self, *, indent: int | None = 2, **how: Any) -> str:
        """`to_dict` as JSON."""
        return _json(self.to_dict(**how), indent)

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


def _dumped(value: Any, how: Mapping[str, bool]) -> Any:
    if isinstance(value, list):
        return [_dumped(item, how) for item in value]
    return value.model_dump(**how) if hasattr(value, "model_dump") else value


def _json(value: Any, indent: int | None) -> str:
    encoded = msgspec.json.encode(value)
    return (encoded if indent is None else msgspec.json.format(encoded, indent=indent)).decode()
