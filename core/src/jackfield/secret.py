"""Secrets that do not print themselves, and the masking of anything that looks like one."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

MASK = "**********"
KEYLIKE = re.compile(
    r"\b(?:sk|rk|pk|key|gsk|xai|hf|nvapi|pplx|r8|AIza)[-_]?[A-Za-z0-9][A-Za-z0-9_\-]{14,}"
    r"|(?<=[Bb]earer )[^\s\"',]+"
)
_HARMLESS = frozenset({"accept", "content-type", "user-agent"})
HIDDEN = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"})


class Secret:
    """Text that prints as stars; only `reveal` gives it away.

    It can be compared (in constant time) and hashed, never pickled, copied into
    JSON or formatted: the code that writes the header calls `reveal`.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | Secret) -> None:
        self.__value = value.reveal() if isinstance(value, Secret) else str(value)

    def reveal(self) -> str:
        """The secret itself."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret('{MASK}')" if self.__value else "Secret('')"

    def __str__(self) -> str:
        return MASK if self.__value else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__bytes(), other.__bytes())

    def __bytes(self) -> bytes:
        return self.__value.encode(errors="surrogatepass")

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied; pass the configuration instead")

    def __deepcopy__(self, memo: Any) -> Secret:
        return self


class Headers(dict[str, str]):
    """HTTP headers by lower-case name; any may be a credential, so the repr shows only harmless ones."""

    def __repr__(self) -> str:
        return repr({k: v if k.lower() in _HARMLESS else MASK for k, v in self.items()})

    __str__ = __repr__


def mask(text: str) -> str:
    """*text* with everything that looks like a key replaced by stars."""
    return KEYLIKE.sub(MASK, text)


def masked_headers(headers: Mapping[str, str], secret: Collection[str] = ()) -> dict[str, str]:
    """A copy of *headers* that may be shown; *secret* are the names of further credentials."""
    hidden = HIDDEN.union(name.lower() for name in secret)
    return {k: MASK if k.lower() in hidden else mask(v) for k, v in headers.items()}
