"""Batches as files of JSON lines: requests in OpenAI's form or a short one, and what came of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import asdict

from ..errors import ConfigError, InvalidRequestError
from ..operations.jobs import BatchItem
from ..requests import Request
from ..types import ChatResponse, ConfigIssue
from .batching import BatchItemResult
from .executors import chat_request

MOST_ISSUES = 100
"""Lines that an error lists; further ones are counted."""

_OPTIONS = frozenset(
    "system tools tool_choice response_format provider_options metadata timeout strict".split()
)
_SHORT = _OPTIONS | {"id", "model", "prompt", "messages", "parameters"}
_LONG = frozenset({"custom_id", "method", "url", "body"})
_FORMS = 'write {"id": …, "model": …, "prompt": …}, or a line of OpenAI\'s batches'

Prepare = Callable[[Request[Any]], Request[Any]]


class BatchLines:
    """The requests in the file at *path*, read again and again rather than kept.

    A line is ``{"id", "model", "prompt" or "messages", "parameters", …}`` with the
    options of `execute`, or ``{"custom_id", "method", "url", "body"}`` for
    ``/v1/chat/completions`` or ``/v1/embeddings``. *prepare* is given each request,
    and returns what is to be sent. *model* is asked where a line names none.

    Raises:
        ConfigError: some lines are no requests; they are listed, with their numbers.
    """

    def __init__(
        self, path: Path, *, model: str = "", prepare: Prepare = lambda request: request
    ) -> None:
        self.path, self._model, self._prepare = path, model, prepare
        self.warnings: Counter[str] = Counter()
        """What of the lines is not sent on, and how often."""
        issues, self._count, seen = list[ConfigIssue](), 0, dict[str, int]()
        for number, line in self._lines():
            try:
                name = self._item(line, self._count).custom_id
            except InvalidRequestError as error:
                issues.append(ConfigIssue(f"{path}:{number}", error.message))
            else:
                if (first := seen.setdefault(name, number)) != number:
                    problem = f"{name!r} is the id of line {first} too"
                    issues.append(ConfigIssue(f"{path}:{number}", problem, "give each its own"))
            self._count += 1
        if more := issues[MOST_ISSUES:]:
            issues[MOST_ISSUES:] = [ConfigIssue(str(path), f"{len(more)} further lines")]
        if issues:
            raise ConfigError("nothing was sent, for there are lines that are no requests:", issues)
        if not self._count:
            raise ConfigError(f"{path} holds no requests: {_FORMS}")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[BatchItem]:
        """The requests, in their order."""
        for index, (_, line) in enumerate(self._lines()):
            yield self._item(line, index)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    yield number, text

    def _item(self, line: bytes, index: int) -> BatchItem:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError(f"is not JSON: {error}") from None
        if not isinstance(told, dict):
            raise InvalidRequestError(f"is not a JSON object: {_FORMS}")
        known, word = (_LONG, "custom_id") if "body" in told else (_SHORT, "id")
        if strange := sorted(told.keys() - known):
            raise InvalidRequestError(f"{', '.join(strange)}: no such field; {_FORMS}")
        name = told.get(word, f"request-{index}")
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise InvalidRequestError(f"{word} must be a text")
        request = self._long(told) if known is _LONG else self._short(told)
        return BatchItem(custom_id=str(name), request=self._prepare(request))

    def _long(self, told: Mapping[str, Any]) -> Request[Any]:
        try:
            from jackfield_dialect_openai import server
        except ImportError:
            fix = 'pip install "jackfield[openai-compatible]"'
            raise InvalidRequestError(f"OpenAI's form needs its dialect: {fix}") from None
        given = told["body"]
        body = {**given, "model": self._named(given)} if isinstance(given, dict) else given
        where = str(told.get("url", "/v1/chat/completions")).rstrip("/")
        if where.endswith("/chat/completions"):
            parsed: Any = server.parse_chat_body(body)
        elif where.endswith("/embeddings"):
            parsed = server.parse_embedding_body(body)
        else:
            have = "there are /v1/chat/completions and /v1/embeddings"
            raise InvalidRequestError(f"url: nothing answers at {where!r}; {have}")
        self.warnings.update(map(str, parsed.warnings))
        wanted: Request[Any] = parsed.request
        return wanted

    def _named(self, told: Mapping[str, Any]) -> Any:
        """The model that *told* names, or the one for all."""
        if model := told.get("model") or self._model:
            return model
        raise InvalidRequestError('names no model: add "model", or pass one for all lines')

    def _short(self, told: Mapping[str, Any]) -> Request[Any]:
        if ("prompt" in told) == ("messages" in told):
            raise InvalidRequestError(f"give either prompt or messages: {_FORMS}")
        prompt = told["prompt"] if "prompt" in told else told["messages"]
        options = {name: value for name, value in told.items() if name in _OPTIONS}
        return chat_request(self._named(told), prompt, told.get("parameters"), **options)


def render(result: BatchItemResult) -> dict[str, Any]:
    """*result* as a line of output: ``id``, and ``response`` or ``error``."""
    if result.error is not None:
        facts = {name: getattr(result.error, name) for name in ("message", "code", "status")}
        return {"id": result.key, "error": {"class": type(result.error).__name__, **facts}}
    response: Any = result.response
    if not isinstance(response, ChatResponse):
        return {"id": result.key, "response": msgspec.to_builtins(response, enc_hook=str)}
    told = {
        "model": response.model,
        "text": response.text,
        "finish_reason": response.finish_reason.value,
        "tool_calls": [
            {"id": c.id, "name": c.name, "arguments": c.arguments} for c in response.tool_calls
        ],
        "usage": {k: v for k, v in asdict(response.usage).items() if k != "raw" and v is not None},
        "cost": {**asdict(response.cost), "amount": _amount(response)},
        "warnings": [str(warning) for warning in response.warnings],
    }
    return {"id": result.key, "response": told}


def _amount(response: ChatResponse) -> str | None:
    return None if response.cost.amount is None else f"{response.cost.amount:f}"
