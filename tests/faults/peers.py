"""The official SDKs against the same faults, for comparison: ``python -m faults.peers`` in ``tests/``.

Prints one row for each: cases, silent losses, hangs, leaks (the key in an error's text, a second
origin reached), untyped errors, and keys that its pickle, its facts or a traceback with variables would show. Timeouts and
retries are set as for ourselves. No test: what others do is theirs, but a judge that finds nothing
anywhere is no judge.
"""

# ruff: noqa: T201  # it prints its table

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import cohere
import httpx
import ollama
import openai
from cohere.core.api_error import ApiError

from faults.callers import parted
from faults.cases import DIALECTS, KEY, MARGIN, PACE, TIMEOUT, TOOL, Case, cases
from faults.outcomes import Outcome, shown, told
from jackfield.testing.faults import FaultServer

ASK: Any = [{"role": "user", "content": ""}]


def read_openai(case: Case, url: str, outcome: Outcome) -> str | None:
    """One call with OpenAI's SDK; the finish reason."""
    tools: Any = [{"type": "function", "function": TOOL}]
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=TIMEOUT["idle"]) as client:
        made: Any = client.chat.completions.create(
            model="m", messages=asked(case), tools=tools, stream=case.stream
        )
        if not case.stream:
            outcome.streamed = made.choices[0].message.content
            return str(made.choices[0].finish_reason)
        reason: str | None = None
        for chunk in made:
            for choice in chunk.choices:
                outcome.streamed += (choice.delta.content if choice.delta else None) or ""
                reason = choice.finish_reason or reason
        return reason


def read_anthropic(case: Case, url: str, outcome: Outcome) -> str | None:
    """One call with Anthropic's SDK; the finish reason."""
    tools: Any = [{"name": TOOL["name"], "input_schema": TOOL["parameters"]}]
    with anthropic.Anthropic(
        base_url=url, api_key=KEY, max_retries=0, timeout=TIMEOUT["idle"]
    ) as client:
        ask: Any = {"model": "m", "max_tokens": 9, "messages": asked(case), "tools": tools}
        if not case.stream:
            made = client.messages.create(**ask)
            outcome.streamed = "".join(b.text for b in made.content if b.type == "text")
            return str(made.stop_reason)
        with client.messages.stream(**ask) as stream:
            for text in stream.text_stream:
                outcome.streamed += text
            return stream.get_final_message().stop_reason


def read_ollama(case: Case, url: str, outcome: Outcome) -> str | None:
    """One call with Ollama's SDK; the finish reason."""
    tools: Any = [{"type": "function", "function": TOOL}]
    with ollama.Client(host=url, timeout=TIMEOUT["idle"]) as client:
        made: Any = client.chat("m", asked(case), tools=tools, stream=case.stream)
        reason: str | None = None
        for part in made if case.stream else [made]:
            outcome.streamed += part.message.content or ""
            reason = part.done_reason or reason
        return reason


def read_cohere(case: Case, url: str, outcome: Outcome) -> str | None:
    """One call with Cohere's SDK; the finish reason."""
    tools: Any = [{"type": "function", "function": TOOL}]
    client = cohere.ClientV2(KEY, base_url=url, timeout=TIMEOUT["idle"])
    ask: Any = {"model": "m", "messages": asked(case), "tools": tools}
    if not case.stream:
        made: Any = client.chat(**ask, request_options={"max_retries": 0})
        texts = [b.text for b in made.message.content or () if b.type == "text"]
        outcome.streamed = "".join(texts)
        return str(made.finish_reason)
    reason: str | None = None
    for event in client.chat_stream(**ask, request_options={"max_retries": 0}):
        told: Any = event
        if told.type == "content-delta":
            outcome.streamed += told.delta.message.content.text or ""
        elif told.type == "message-end":
            reason = told.delta.finish_reason
    return reason


def asked(case: Case) -> Any:
    """The messages of the call."""
    return [{"role": "user", "content": case.prompt}]


KINDS = ("silent loss", "hang", "leak", "untyped", "in dumps")
Reader = Callable[[Case, str, Outcome], str | None]
PEERS: dict[str, tuple[str, Reader, tuple[type[BaseException], ...]]] = {
    "openai": (f"openai {openai.__version__}", read_openai, (openai.OpenAIError,)),
    "anthropic": (
        f"anthropic {anthropic.__version__}",
        read_anthropic,
        (anthropic.AnthropicError,),
    ),
    "cohere": (f"cohere {cohere.__version__}", read_cohere, (ApiError, httpx.TransportError)),
    "ollama": (
        "ollama",
        read_ollama,
        (ollama.ResponseError, ollama.RequestError, ConnectionError, httpx.TransportError),
    ),
}


def meet(case: Case, server: FaultServer) -> list[str]:
    """What one SDK makes of one case: the classes of what went wrong."""
    _, reader, typed = PEERS[case.dialect]
    url = server.url(case.dialect, case.fault.name, tag=f"peer-{case.dialect}-{case}")
    outcome, began, reason = Outcome(), time.monotonic(), None
    try:
        reason = reader(case, url, outcome)
    except Exception as error:  # noqa: BLE001  # anything: what it is is the question
        outcome.error = error
    outcome.seconds = time.monotonic() - began
    found = ["hang"] if outcome.seconds > TIMEOUT["total"] + MARGIN else []
    if outcome.error is None:
        return found + lost(case, outcome, reason, server)
    if not isinstance(outcome.error, typed):
        found.append("untyped")
    if KEY in said(spoken, outcome.error):
        found.append("leak")
    if KEY in said(told, outcome.error) or KEY in said(shown, outcome.error):
        found.append("in dumps")
    return found


def lost(case: Case, outcome: Outcome, reason: str | None, server: FaultServer) -> list[str]:
    """Whether a success hides something; an unfinished stream that says so by its reason does not."""
    text = case.answer(server).text
    whole = outcome.streamed in (text, text.replace("São", "S\ufffdo"), case.prompt)
    filtered = "filtered" in case.expected
    promised = {"equal", "replaced", "echo"} & case.expected
    return [] if (whole and promised) or filtered else ["silent loss"]


def spoken(error: BaseException) -> str:
    """What a log has of *error*."""
    return f"{error} {error!r} " + "".join(traceback.format_exception(error))


def said(view: Callable[[BaseException], str], error: BaseException) -> str:
    """What *view* shows of *error*; some cannot be pickled or represented."""
    try:
        return view(error)
    except Exception:  # noqa: BLE001  # that is not the question here
        return str(error)


def main(dialects: Sequence[str]) -> None:
    """Print the rows."""
    print(f"{'client':<20}{'cases':>6}" + "".join(f"{kind:>13}" for kind in KINDS))
    with FaultServer(pace=PACE) as server:
        for dialect in dialects:
            counts: Counter[str] = Counter()
            met: list[tuple[Case, list[str]]] = []
            for abreast, part in parted(cases(dialect)):
                with ThreadPoolExecutor(abreast) as pool:
                    met += zip(part, pool.map(lambda c: meet(c, server), part), strict=True)
            for case, found in met:
                counts.update(found)
                if found:
                    print(f"  {case}: {', '.join(found)}", file=sys.stderr)
            strays = {r.path for r in server.log.requests() if r.connection.origin == "other"}
            counts["leak"] += len([r for r in server.log.connections("other") if r.received])
            row = "".join(f"{counts[kind]:>13}" for kind in KINDS)
            print(f"{PEERS[dialect][0]:<20}{len(met):>6}{row}   other origin: {sorted(strays)}")


if __name__ == "__main__":
    main(sys.argv[1:] or DIALECTS)
