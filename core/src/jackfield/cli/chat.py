"""``jackfield chat`` and ``jackfield explain``: one question and its answer, or a conversation."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import click
from attrs import asdict, mutable

from ..errors import LLMError, StreamInterruptedError
from ..events import PartAdded, ReasoningDelta, ResponseBuilder, StreamEvent
from ..requests import ChatRequest
from ..types import (
    ChatResponse,
    ContentPart,
    FinishReason,
    Json,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    Role,
)
from .base import State, app, common
from .call import Call, Target, call_options, prepare, read_prompt
from .errors import FAILED, write_error
from .terminal import hide, is_terminal, note, safe, styled, table, write, write_json
from .whom import House

CHAT_HELP = """Ask a model; without a prompt, at a terminal, talk with it.

The answer goes to standard output as it comes, everything else to standard error. What comes
through standard input follows the prompt. Ctrl-C stops the generation at once.

\b
Examples:
  jackfield chat "Tell me a story"
  jackfield chat                                        a conversation; /help lists its commands
  jackfield chat -m claude/claude-sonnet-4-5 -s "Be brief" "Why is the sky blue?"
  jackfield chat --attach photo.jpg "What is on it?"
  git diff | jackfield chat -p temp=0 "Review this change" > review.md
  jackfield chat --schema '{"type": "object"}' "A cat, in JSON" | jq .
  jackfield chat --json "Hello" | jq .usage
"""
EXPLAIN_HELP = """Show what `chat` would send, without sending it.

Takes the options of `chat`. Keys are masked; what the provider cannot do as asked is listed as a compromise.

\b
Examples:
  jackfield explain -m openai/gpt-5 -p temp=3 "Hello"
  jackfield explain --json -m claude/claude-sonnet-4-5 --attach photo.jpg "What is on it?"
"""


@mutable
class Screen:
    """Writes an answer as it comes, *notice* before it, and its thinking dim and on a terminal only."""

    notice: str = ""
    thinking: bool = False
    last: str = ""

    def show(self, event: StreamEvent) -> None:
        """Write what is to be seen of *event*."""
        if self.notice:
            note(self.notice)
            self.notice = ""
        thought = _thought(event) if is_terminal(sys.stdout) else ""
        if thought:
            dim = styled(safe(thought), sys.stdout)
            plain = dim == safe(thought) and not self.thinking
            sys.stdout.write(("(thinking) " if plain else "") + dim)
            sys.stdout.flush()
            self.thinking, self.last = True, thought
        elif text := str(event):
            write(("\n\n" if self.thinking else "") + text)
            self.thinking, self.last = False, text

    def end(self) -> None:
        """End the line."""
        if self.last and not self.last.endswith("\n"):
            write("\n")
        self.last = ""


def _thought(event: StreamEvent) -> str:
    """The thinking in *event*."""
    if isinstance(event, ReasoningDelta) and event.choice == 0:
        return event.text
    whole = event.part if isinstance(event, PartAdded) else None
    return whole.text if isinstance(whole, ReasoningPart) else ""


def stream_answer(target: Target, request: ChatRequest, built: ResponseBuilder) -> ChatResponse:
    """Stream the answer to the screen; *built* keeps what had come if it does not end well."""
    screen = Screen(target.notice)
    try:
        with target.provider.stream(request) as stream:
            for event in stream:
                built.extend((event,))
                screen.show(event)
        return stream.response
    finally:
        screen.end()


def totals(answers: Sequence[ChatResponse]) -> str:
    """Tokens and costs of *answers*; what is unknown is said to be unknown."""
    said = []
    for word in ("input", "output", "cache_read", "reasoning"):
        known = [n for a in answers if (n := getattr(a.usage, f"{word}_tokens")) is not None]
        if known:
            said.append(f"{sum(known)} {word.replace('_', ' ')} tokens")
    costs: dict[str, Decimal] = {}
    for cost in (a.cost for a in answers):
        if cost.amount is not None:
            costs[cost.currency] = costs.get(cost.currency, Decimal()) + cost.amount
    priced = sum(a.cost.amount is not None for a in answers)
    amounts = " + ".join(f"{amount:f} {currency}" for currency, amount in costs.items())
    partly = f" for {priced} of {len(answers)} answers" if 0 < priced < len(answers) else ""
    return ", ".join([*said, f"cost {amounts or 'unknown'}{partly}"])


def tell(response: ChatResponse) -> None:
    """Say what is worth knowing about *response* beside its text."""
    for warning in response.warnings:
        note(f"Warning: {warning}", 33)
    if response.refusal:
        note(f"The model declined: {response.refusal}", 33)
    for call in response.tool_calls:
        note(f"The model asks for the tool {call.name} with {call.arguments}")
    for part in response.message.content:
        if isinstance(part, MediaPart | ProviderPart):
            what = getattr(part, "media_type", "a block of the provider's own")
            note(f"The answer also holds {what}: --json shows it")
    if response.finish_reason is FinishReason.LENGTH:
        note("Cut off at the token limit: raise it with -p max_tokens=N")
    elif response.finish_reason is FinishReason.CONTENT_FILTER and not response.refusal:
        note("The provider's filter stopped the answer", 33)


def response_json(target: Target, response: ChatResponse) -> dict[str, Any]:
    """*response* in the shape that ``--json`` promises."""
    other = [p for p in response.message.content if isinstance(p, MediaPart | ProviderPart)]
    return {
        "provider": response.provider_metadata.get("jackfield", {}).get("provider", target.meant.name),
        "model": response.model or target.meant.model,
        "id": response.id,
        "text": response.text,
        "reasoning": response.reasoning,
        "refusal": response.refusal,
        "tool_calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in response.tool_calls],
        "other": [typed(part) for part in other],
        "finish_reason": response.finish_reason,
        "raw_finish_reason": response.raw_finish_reason,
        "usage": response.usage,
        "cost": response.cost,
        "warnings": response.warnings,
        "provider_metadata": response.provider_metadata,
    }  # fmt: skip


def typed(value: StreamEvent | ContentPart) -> Json:
    """An event or part as an object that tells its ``type``."""
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(value, enc_hook=str)
    if isinstance(value, PartAdded):
        fields["part"] = typed(value.part)
    return {"type": type(value).__name__, **fields}


def _answer_json(target: Target, request: ChatRequest, lines: bool) -> ChatResponse:
    try:
        if not lines:
            response = target.provider.run(request)
            write_json(response_json(target, response))
            return response
        with target.provider.stream(request) as stream:
            for event in stream:
                write_json(typed(event), lines=True)
        return stream.response
    except LLMError as error:
        write_error(error, lines=lines)
        raise


def _answer_whole(target: Target, request: ChatRequest) -> ChatResponse:
    try:
        response = target.provider.run(request)
    except StreamInterruptedError as error:
        write(error.partial_text + "\n")
        raise
    if response.text:
        write(response.text.removesuffix("\n") + "\n")
    return response


def answer(call: Call, request: ChatRequest, *, as_json: bool, stream: bool | None) -> ChatResponse:
    """Have *request* answered on standard output, in the form that the options ask for."""
    if not as_json and stream is not False:
        return stream_answer(call.target, request, ResponseBuilder())
    give = partial(_answer_json, lines=bool(stream)) if as_json else _answer_whole
    response = give(call.target, request)
    call.target.announce()
    return response


@app.command(help=CHAT_HELP)
@call_options
@click.option("--json", "as_json", is_flag=True,
              help="One JSON object; with --stream, the events as JSON lines.")  # fmt: skip
@click.option(
    "--stream/--no-stream", default=None, help="Text as it comes (the default), or whole."
)
@click.option("--usage", is_flag=True, help="Tokens, cost and time, on standard error.")
@common
@click.pass_obj
def chat(state: State, /, as_json: bool, stream: bool | None, usage: bool, **given: Any) -> None:
    """Ask once, or start a conversation."""
    talking = not given["prompt"] and sys.stdin is not None and not as_json
    if talking and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        from .talk import talk

        raise click.exceptions.Exit(talk(state.house, prepare(state.house, given), usage))
    question = Message(Role.USER, read_prompt(given["prompt"]))
    call = prepare(state.house, given)
    request = call.request([question])
    started = time.monotonic()
    response = answer(call, request, as_json=as_json, stream=stream)
    if not as_json:
        tell(response)
    if usage:
        note(f"{totals([response])}, {time.monotonic() - started:.1f} s")
    if response.refusal or response.finish_reason is FinishReason.CONTENT_FILTER:
        raise click.exceptions.Exit(FAILED)


def _shortened(value: Any) -> Any:
    """*value* without the middle of texts that are too long to look at."""
    if isinstance(value, dict):
        return {k: _shortened(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shortened(v) for v in value]
    if isinstance(value, str) and len(value) > 2000:
        return f"{value[:200]} … ({len(value) - 200} more characters)"
    return value


def _masked(house: House, facts: dict[str, Any]) -> dict[str, Any]:
    """*facts* of what would be sent, and of a route's candidates, without what is in headers of one's own."""
    maker = getattr(house.provider(facts["provider"]), "config", None)
    own = {name.lower() for name in getattr(maker, "headers", ())}
    headers = facts["headers"].items()
    facts["url"] = hide(facts["url"])
    facts["headers"] = {k: "*" * 10 if k.lower() in own else hide(v) for k, v in headers}
    for told in facts.get("considered", ()):
        told["explanation"] = told["explanation"] and _masked(house, told["explanation"])
    return facts


def _candidates(facts: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """A row for each of a route's candidates, those of routes inside further in."""
    for told in facts.get("considered", ()):
        yield "kept" if told["kept"] else "dropped", "  " * depth + told["target"], told["reason"]
        yield from _candidates(told["explanation"] or {}, depth + 1)


@app.command(help=EXPLAIN_HELP)
@call_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@common
@click.pass_obj
def explain(state: State, /, as_json: bool, **given: Any) -> None:
    """Show what would be sent."""
    question = Message(Role.USER, read_prompt(given["prompt"]))
    call, house = prepare(state.house, given), state.house
    meant, provider = call.target.meant, call.target.provider
    found = provider.explain(call.request([question]))
    facts = _masked(house, asdict(found))
    call.target.announce()
    if as_json:
        write_json({**facts, "how": meant.how})
        return
    if meant.how != "exact":
        note(f"{meant.how}: {meant}")
    if rows := [*_candidates(facts)]:
        table([("", f"{provider.name} asks", ""), *rows, ("", "", "")])
    process = f"{found.provider}/{found.model}, in this process"
    where = " ".join(filter(None, (found.method, found.url))) or process
    write(hide(where) + "\n" + "".join(f"{k}: {v}\n" for k, v in facts["headers"].items()))
    if found.body is not None:
        write("\n" + json.dumps(_shortened(found.body), indent=2, ensure_ascii=False) + "\n")
    for warning in found.warnings:
        write(f"Compromise: {warning}\n")
    for issue in house.issues(meant.name):
        note(f"Not ready to be sent: {issue}", 33)
