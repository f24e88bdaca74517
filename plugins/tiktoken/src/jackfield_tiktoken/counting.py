"""How many tokens a conversation has: its texts by the vocabulary, what stands around them by rule.

OpenAI documents that each message has three tokens beside its role and its content, and each
answer three before it. How tools are shown to a model is not documented; they are counted as the
type declarations that models have repeated, and what stands around these is as measured on
recorded answers.
Source: https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from jackfield import Message, Role, Tool
from jackfield.types import MediaPart, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult

from .declarations import declared

if TYPE_CHECKING:
    from tiktoken import Encoding

AROUND_MESSAGE = 3


@frozen(kw_only=True)
class Rule:
    """Tokens beside those of texts: before an answer, around tools, around a call of one.

    *instructed* is what tools add beside them where a conversation has instructions already.
    """

    before: int = 3
    tools: int = 3
    instructed: int = -4
    call: int = 7


USUAL = Rule()
RULES: Mapping[str, Rule] = {"gpt-5": Rule(before=2, tools=84, instructed=0, call=16)}
"""Rules of models whose names start so."""


def rule_of(model: str) -> Rule:
    """The rule for *model*."""
    named = model.removeprefix("openai/")
    return next((rule for start, rule in RULES.items() if named.startswith(start)), USUAL)


def count(
    encoding: Encoding, rule: Rule, messages: Sequence[Message], tools: Sequence[Tool]
) -> int | None:
    """The tokens of *messages* and *tools*; None where there is something to see or to hear."""
    total = rule.before
    for message in messages:
        counted = [_part(encoding, rule, part) for part in message.content]
        if None in counted:
            return None
        results = sum(isinstance(part, ToolResult) for part in message.content)
        around = AROUND_MESSAGE + len(encoding.encode_ordinary(message.role.value))
        total += around * max(results, 1) + sum(filter(None, counted))
    if tools:
        total += rule.tools + len(encoding.encode_ordinary(declared(tools)))
        total += rule.instructed if any(m.role is Role.SYSTEM for m in messages) else 0
    return total


def _part(encoding: Encoding, rule: Rule, part: Any) -> int | None:
    match part:
        case TextPart(text) | RefusalPart(text):
            return len(encoding.encode_ordinary(text))
        case ToolCall(_, name, arguments):
            return rule.call + sum(len(encoding.encode_ordinary(t)) for t in (name, arguments))
        case ToolResult():
            media = any(isinstance(p, MediaPart) for p in part.content)
            return None if media else len(encoding.encode_ordinary(part.text))
        case ReasoningPart():
            return 0  # earlier thinking is not shown again
        case _:
            return None
