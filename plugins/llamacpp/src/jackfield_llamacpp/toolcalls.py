"""Tool calls that a model writes as text: the formats, and the JSON inside read as it arrives."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any

from attrs import frozen

Delta = dict[str, Any]
"""The `delta` of an OpenAI chunk."""


@frozen(kw_only=True)
class ToolFormat:
    """How a family of models writes tool calls.

    Attributes:
        name: what messages call it.
        hint: text in a chat template that shows that the model was trained on this format.
        start: the mark before a call; "" when calls are bare JSON at the start of the answer.
        end: the mark after a call; "" when calls last until the end of the answer.
        argument_key: the key beside "name" in a call.
        tagged: a call is no JSON but `<function=…>` with a `<parameter=…>` for each argument.
    """

    name: str
    hint: str
    start: str
    end: str
    argument_key: str = "arguments"
    tagged: bool = False


FORMATS = (
    ToolFormat(
        name="qwen coder",
        hint="<function=",
        start="<tool_call>",
        end="</tool_call>",
        tagged=True,
    ),
    ToolFormat(name="hermes", hint="<tool_call>", start="<tool_call>", end="</tool_call>"),
    ToolFormat(name="mistral", hint="[TOOL_CALLS]", start="[TOOL_CALLS]", end=""),
    ToolFormat(
        name="llama 3",
        hint="<|python_tag|>",
        start="<|python_tag|>",
        end="",
        argument_key="parameters",
    ),
    ToolFormat(
        name="llama 3 (bare)", hint='"parameters":', start="", end="", argument_key="parameters"
    ),
)
"""In the order in which a template's text is searched for their hints."""


def tool_format(template: str) -> ToolFormat | None:
    """The format that the models of *template* write, or None when the template has no tools."""
    if "tools" not in template:
        return None
    return next((form for form in FORMATS if form.hint in template), None)


_HEAD = re.compile(
    r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=[^\s"])'
)


class CallReader:
    """Reads what stands between the marks of tool calls, and streams the arguments of the common form.

    The common form is `{"name": …, "arguments": {…}}`; others (a list, the arguments first or as a
    string) are read when they are complete.
    """

    def __init__(self, first_index: int) -> None:
        self.count = 0
        self._next = first_index
        self._raw = ""
        self._value: _JSONValue | None = None

    def feed(self, text: str) -> list[Delta]:
        """The deltas that *text* makes certain."""
        self._raw += text
        if self._value is not None:
            return self._arguments(text)
        head = _HEAD.match(self._raw)
        if head is None:
            return []
        self._value = _JSONValue()
        rest = self._raw[head.end() :]
        return [self._open(json.loads(head[1], strict=False)), *self._arguments(rest)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing but white space was fed yet."""
        return not self._raw.strip()

    def close(self) -> tuple[list[Delta], str]:
        """The last deltas; and the text as the model wrote it if it turned out to be no call."""
        if self._value is not None:
            return [], ""
        try:
            calls = parse_tagged(self._raw) or parse_calls(json.loads(self._raw, strict=False))
        except ValueError:
            calls = []
        if not calls:
            return [], self._raw
        return [
            delta
            for name, arguments in calls
            for delta in (self._open(name), _arguments(self._next - 1, arguments))
        ], ""

    def _open(self, name: str) -> Delta:
        function = {"name": name, "arguments": ""}
        call = {
            "index": self._next,
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": function,
        }
        self._next += 1
        self.count += 1
        return {"tool_calls": [call]}

    def _arguments(self, text: str) -> list[Delta]:
        assert self._value is not None
        part = self._value.feed(text)
        return [_arguments(self._next - 1, part)] if part else []


def _arguments(index: int, part: str) -> Delta:
    return {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


class _JSONValue:
    """Finds the end of one JSON object or array in text that arrives in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = self._escaped = self._done = False

    def feed(self, text: str) -> str:
        """What of *text* belongs to the value."""
        if self._done:
            return ""
        for at, char in enumerate(text):
            if self._in_text:
                if self._escaped or char == "\\":
                    self._escaped = not self._escaped
                elif char == '"':
                    self._in_text = False
            elif char == '"':
                self._in_text = True
            elif char in "{[":
                self._depth += 1
            elif char in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    self._done = True
                    return text[: at + 1] if self._depth == 0 else text[:at]
        return text


_FUNCTION = re.compile(r"<function=([^>\n]+)>(.*?)</function>", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>\n?(.*?)\n?</parameter>", re.DOTALL)


def parse_tagged(text: str) -> list[tuple[str, str]]:
    """The (name, arguments as JSON text) of every `<function=…>` in *text*.

    A value is read as JSON where it is some, and otherwise as the text that it is.
    """
    calls = []
    for name, inside in _FUNCTION.findall(text):
        arguments = {key.strip(): _untagged(value) for key, value in _PARAMETER.findall(inside)}
        calls.append((name.strip(), json.dumps(arguments)))
    return calls


def _untagged(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_calls(value: Any) -> list[tuple[str, str]]:
    """The (name, arguments as JSON text) of every call in *value*; empty when it holds none."""
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    calls = []
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("function"), dict):
            item = item["function"]  # noqa: PLW2901 - OpenAI's own nesting, which some models copy
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            return []
        arguments = item.get("arguments", item.get("parameters", {}))
        calls.append(
            (item["name"], arguments if isinstance(arguments, str) else json.dumps(arguments))
        )
    return calls
