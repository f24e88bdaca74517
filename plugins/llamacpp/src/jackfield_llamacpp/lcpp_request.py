"""What llama-cpp-python must be told for an OpenAI request: prompt, sampling, grammar, format of tool calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from . import schema as schemas
from .answer import THINK
from .engine import Body, Limit
from .errors import EngineError
from .formats import CHATML
from .lcpp_schema import gbnf
from .messages import chosen_tools, prepare, usual_tool
from .toolcalls import ToolFormat, tool_format

# The defaults of llama.cpp's own server, so that both engines sample alike.
SAMPLING = {
    "temperature": ("temp", 0.8),
    "top_k": ("top_k", 40),
    "top_p": ("top_p", 0.95),
    "min_p": ("min_p", 0.05),
    "typical_p": ("typical_p", 1.0),
    "repeat_penalty": ("repeat_penalty", 1.0),
    "presence_penalty": ("presence_penalty", 0.0),
    "frequency_penalty": ("frequency_penalty", 0.0),
    "mirostat": ("mirostat_mode", 0),
    "mirostat_tau": ("mirostat_tau", 5.0),
    "mirostat_eta": ("mirostat_eta", 0.1),
}
_UNDERSTOOD = frozenset({
    *SAMPLING, "chat_template_kwargs", "grammar", "logit_bias", "max_completion_tokens", "max_tokens", "messages",
    "model", "parallel_tool_calls", "response_format", "seed", "stop", "stream", "stream_options", "tool_choice", "tools",
})  # fmt: skip


@frozen(kw_only=True)
class Sampling:
    """How tokens are chosen: arguments for `Llama.generate`, and what it does not take itself."""

    arguments: Mapping[str, Any]
    seed: int | None
    grammar: str | None
    bias: Mapping[int, float]

    def bias_processor(self) -> Callable[[Any, Any], Any]:
        """A logits processor that adds *bias*; the library offers none at this level."""
        bias = self.bias

        def add(_tokens: Any, scores: Any) -> Any:
            for token, value in bias.items():
                if 0 <= token < len(scores):
                    scores[token] += value
            return scores

        return add


@frozen(kw_only=True)
class ChatCall:
    """One request, read: the *prompt* as text, and what to do with the tokens that follow it."""

    prompt: str
    sampling: Sampling
    stops: Sequence[str]
    max_tokens: int | None
    tools: ToolFormat | None
    thinking: bool
    body: Body

    def opened(self) -> Sampling | None:
        """How to go on once a tool call was opened, so that it fits its tool; None as before."""
        grammar = None
        if self.tools is not None and self.sampling.grammar is None:
            grammar = opened_grammar(self.tools, self.body)
        return None if grammar is None else evolve(self.sampling, grammar=grammar)


@frozen(kw_only=True)
class Reader:
    """Reads requests for one model: its chat *template*, and the text of its first and last tokens."""

    template: str
    bos: str
    eos: str

    def read(self, body: Body) -> ChatCall:
        """*body* as llama-cpp-python needs it.

        Raises:
            EngineError: `invalid_request` when the template or the grammar refuses it.
        """
        tools = self._tools(body)
        prompt = self.render(body, tools)
        stop = body.get("stop") or ()
        arguments = {
            name: default if body.get(key) is None else body[key]
            for key, (name, default) in SAMPLING.items()
        }
        bias = {int(token): float(value) for token, value in (body.get("logit_bias") or {}).items()}
        return ChatCall(
            prompt=prompt,
            sampling=Sampling(
                arguments=arguments,
                seed=body.get("seed"),
                grammar=self._grammar(body, tools),
                bias=bias,
            ),
            stops=(stop,) if isinstance(stop, str) else tuple(stop),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            tools=tool_format(self.template) if tools else None,
            thinking=prompt.rstrip().endswith(THINK),
            body=body,
        )

    def render(self, body: Body, tools: Sequence[Any]) -> str:
        """The prompt that the chat template makes of *body*."""
        try:
            formatter = Jinja2ChatFormatter(self.template, eos_token=self.eos, bos_token=self.bos)
            extra = body.get("chat_template_kwargs") or {}
            answer = formatter(
                messages=prepare(body.get("messages")),
                tools=[usual_tool(tool) for tool in tools] or None,
                **extra,
            )
        except EngineError:
            raise
        except Exception as error:  # a template is somebody else's program
            raise EngineError(
                "invalid_request", f"the model's chat template refuses this conversation: {error}"
            ) from error
        return str(answer.prompt)

    def _tools(self, body: Body) -> Sequence[Any]:
        offered = body.get("tools") or ()
        known = body.get("tool_choice") != "none" and tool_format(self.template) is not None
        return offered if known else ()

    def _grammar(self, body: Body, tools: Sequence[Any]) -> str | None:
        if isinstance(grammar := body.get("grammar"), str) and grammar:
            return grammar
        form = tool_format(self.template)
        if tools and form is not None and _forced(body):
            return forced_grammar(form, body)
        schema = schemas.requested_schema(body)
        return None if schema is None else gbnf(schemas.for_grammar(schema), "response_format")


def limits(template: str | None, body: Body) -> list[Limit]:
    """What of *body* a model with *template* would not honour."""
    found = [
        Limit(kind="unsupported", what=key, message="llama-cpp-python does not take it here")
        for key in sorted(body)
        if key not in _UNDERSTOOD
    ]
    if body.get("tools") and tool_format(template or CHATML) is None:
        message = "the model's chat template has no tools"
        found.append(Limit(kind="unsupported", what="tools", message=message))
    schema = schemas.requested_schema(body)
    if schema is not None and body.get("tools") and body.get("tool_choice") != "none":
        what, message = "tools", "an answer in JSON calls no tool"
        if _forced(body):
            what, message = "response_format", "a forced tool call has the tool's own form"
        found.append(Limit(kind="unsupported", what=what, message=message))
    if not _forced(body):
        wanted = schemas.for_grammar(schema)
        found += schemas.limits(wanted, schemas.NEVER_ENFORCED | schemas.NUMBER_BOUNDS)
    return found


def _forced(body: Body) -> bool:
    choice = body.get("tool_choice")
    return bool(body.get("tools")) and (choice == "required" or isinstance(choice, Mapping))


def forced_grammar(form: ToolFormat, body: Body) -> str:
    """The grammar of an answer that calls one of *body*'s tools, or the one that it names.

    Raises:
        EngineError: `invalid_request` when `tool_choice` names no offered tool.
    """
    rules = _call_rules(form, chosen_tools(body))
    if form.name == "mistral":
        return f'root ::= "[TOOL_CALLS][" call "]"\n{rules}'
    if not form.end:
        return f"root ::= {json.dumps(form.start)} call\n{rules}"
    more = f' ("\\n" {_marked(form)})*' if body.get("parallel_tool_calls") else ""
    return f"root ::= {_marked(form)}{more}\n{rules}"


def opened_grammar(form: ToolFormat, body: Body) -> str | None:
    """The grammar of what follows the mark of a call: that call, perhaps more; None without one."""
    if not form.end or form.tagged:
        return None
    try:
        rules = _call_rules(form, chosen_tools(body))
    except EngineError:  # a schema without a grammar: the model is on its own
        return None
    more = "" if body.get("parallel_tool_calls") is False else f' ("\\n" {_marked(form)})*'
    return f'root ::= "\\n"? call "\\n"? {json.dumps(form.end)}{more}\n{rules}'


def _marked(form: ToolFormat) -> str:
    return f'{json.dumps(form.start)} "\\n" call "\\n"? {json.dumps(form.end)}'


def _call_rules(form: ToolFormat, tools: Sequence[Any]) -> str:
    """The grammar's rules for `call`: one call of one of *tools*."""
    calls = [_call_schema(tool.get("function", tool), form.argument_key) for tool in tools]
    rules = gbnf(calls[0] if len(calls) == 1 else {"anyOf": calls}, "tools")
    return re.sub(r"^root(?=[\s-])|(?<=[\s(])root(?=[\s)])", "call", rules, flags=re.MULTILINE)


def _call_schema(function: Mapping[str, Any], argument_key: str) -> dict[str, Any]:
    parameters = schemas.for_grammar(function.get("parameters") or {"type": "object"})
    kept = {key: parameters.pop(key) for key in ("$defs", "definitions") if key in parameters}
    return {
        **kept,  # references in the parameters start at the root
        "type": "object",
        "properties": {"name": {"const": function["name"]}, argument_key: parameters},
        "required": ["name", argument_key],
    }
