"""Records of the log: an event and its fields, as one line of text or of JSON, whatever is in them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from ..secret import mask

FIELDS = "jackfield"
"""The attribute of a `logging.LogRecord` that holds its `Happening`."""

LONGEST = 20_000
"""Characters of one field; what is beyond is counted, not shown."""

# What ends a line, moves a cursor or turns text around, and what no file can hold.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_PLAIN = re.compile(r"[^\s\"'=\\]+")


def visible(text: str) -> str:
    """*text* on one line, with all that a terminal would obey made visible."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _shown(value: Any) -> Any:
    """*value* as it may stand in a log: keys masked, and of bounded length."""
    if value is None or isinstance(value, bool | int | float):
        return round(value, 6) if isinstance(value, float) else value
    if isinstance(value, list | tuple):
        return [_shown(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _shown(v) for k, v in value.items()}
    text = mask(str(value))
    more = len(text) - LONGEST
    return text if more <= 0 else f"{text[:LONGEST]}… ({more} more characters)"


@frozen
class Happening:
    """What happened, and its *fields*; it prints as text whose values cannot be taken for fields."""

    event: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join([self.event, *(f"{n}={_written(v)}" for n, v in self.shown.items())])

    @property
    def shown(self) -> dict[str, Any]:
        """The fields that are known, keys masked."""
        return {name: _shown(v) for name, v in self.fields.items() if v is not None and v != ()}


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and not _PLAIN.fullmatch(text):
        text = json.dumps(text, ensure_ascii=False)
    return visible(text)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """One line of text for each record: its time (UTC), level, logger and message, keys masked."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = mask(logging.Formatter.format(self, record))
        return visible(f"{_time(record)} {record.levelname} {record.name}: {text}")


class JSONFormatter(logging.Formatter):
    """One JSON object on a line for each record: time, level, logger, event and its fields.

    What does not come from `Logs` has ``message`` in the place of an event; it has
    ``exception`` where there was one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, of ASCII."""
        line = {"time": _time(record), "level": record.levelname, "logger": record.name}
        happening = getattr(record, FIELDS, None)
        if isinstance(happening, Happening):
            line |= {"event": happening.event, **happening.shown}
        else:
            line["message"] = _shown(record.getMessage())
        if record.exc_info:
            line["exception"] = _shown(self.formatException(record.exc_info))
        return json.dumps(line, default=str)
