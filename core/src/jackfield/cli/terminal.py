"""What the command line writes: answers to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from ..secret import mask

_KEY_NAME = re.compile(r"(keys?|token|secret|password|authorization)$", re.IGNORECASE)
_FROM_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")
_secrets: set[str] = set()

# What a terminal would obey instead of showing: control characters (tabs and line ends stay,
# carriage returns go) and the marks that change the direction of text.
_HARMLESS: dict[int, str | None] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"},
    **{code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)},
    **{code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F)},
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    13: None,
}


def safe(text: str) -> str:
    """*text* with everything that a terminal would obey made visible."""
    return text.translate(_HARMLESS)


def remember_secrets(values: Mapping[Any, Any], named: bool = False) -> None:
    """Never show what *values* hold under names that speak of keys; *named*: their table does."""
    for name, value in values.items():
        telling = named or _KEY_NAME.search(str(name)) is not None
        if isinstance(value, Mapping):
            remember_secrets(value, telling or name == "headers")
        elif telling and isinstance(value, list | tuple):
            remember_secrets(dict(enumerate(value)), named=True)
        elif telling and isinstance(value, str):
            used = _FROM_ENVIRONMENT.findall(value)
            texts = [os.environ.get(variable, "") for variable in used] if used else [value]
            _secrets.update(text for text in texts if len(text) >= 8)


def known_secrets() -> frozenset[str]:
    """What is never shown."""
    return frozenset(_secrets)


def hide(text: str) -> str:
    """*text* without anything that is known as a secret, or looks like a key."""
    for secret in _secrets:
        text = text.replace(secret, "**********")
    return mask(text)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads *stream*."""
    return stream.isatty()


def styled(text: str, stream: TextIO, code: int = 2) -> str:
    """*text* dim (or with another *code*) where *stream* shows colours and the user wants them."""
    wanted = text and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{code}m{text}\x1b[0m" if wanted and is_terminal(stream) else text


def note(text: str, code: int = 2) -> None:
    """Tell the person *text* on standard error, in one style; the answer is not here."""
    with contextlib.suppress(OSError):  # nobody listens any more
        print(styled(hide(safe(text)), sys.stderr, code), file=sys.stderr, flush=True)


def write(text: str) -> None:
    """Write *text* to standard output at once."""
    sys.stdout.write(safe(text) if is_terminal(sys.stdout) else text)
    sys.stdout.flush()


def write_json(value: Any, *, lines: bool = False) -> None:
    """Write *value* as JSON, on one line if it is one of many."""
    import msgspec

    plain = msgspec.to_builtins(value, enc_hook=str)
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    indent = None if lines else 2
    write(json.dumps(plain, ensure_ascii=not unicode, indent=indent) + "\n")


def width() -> int:
    """Columns of the terminal, 100 where there is none."""
    columns = shutil.get_terminal_size((100, 24)).columns
    return columns if is_terminal(sys.stdout) else max(columns, 100)


def table(rows: Iterable[Sequence[object]], colours: Mapping[str, int] | None = None) -> None:
    """Write *rows* in columns; the last one wraps below itself where there is room for it.

    *colours* are style codes by what the first column says.
    """
    cells = [[hide(safe(str(c))).replace("\n", " ") for c in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    indent = sum(sizes[:-1]) + 2 * len(sizes[:-1])
    for *head, last in cells:
        start = "  ".join(c.ljust(n) for c, n in zip(head, sizes, strict=False))
        if colours and (code := colours.get(head[0])) is not None:
            start = styled(head[0], sys.stdout, code) + start[len(head[0]) :]
        room = width() - indent
        wrap = is_terminal(sys.stdout) and room >= 20
        lines = textwrap.wrap(last, room, break_on_hyphens=False) if wrap else [last]
        joined = f"\n{' ' * indent}".join(lines)
        sys.stdout.write(f"{start}  {joined}".rstrip() + "\n")
