"""Conformance: bad configurations and bad input are refused with what, where, and what to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from ...errors import ConfigError, InvalidRequestError
from ...http import HTTPProvider
from .base import Base, http_only
from .observe import require

BAD_CONFIG: dict[str, Any] = {
    "no_such_setting": 1,
    "timeout": "soon",
    "retry": {"attempts": "many"},
    "strict": "yes",
}

BAD_HTTP_CONFIG: dict[str, Any] = {"base_url": "ftp://example.com", "headers": {"a b": "c"}}

BAD_INPUT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("prompt", {"prompt": []}),
    ("prompt", {"prompt": None}),
    ("prompt", {"prompt": {"role": "user", "content": "Hi"}}),
    ("prompt[0].role", {"prompt": [{"role": "System", "content": "Hi"}]}),
    ("prompt[0].role", {"prompt": [{"content": "Hi"}]}),
    ("prompt[0].content", {"prompt": [{"role": "user", "content": 1}]}),
    ("prompt[0].content", {"prompt": [{"role": "user", "content": b"Hi"}]}),
    ("prompt[0].content[0]", {"prompt": [{"role": "user", "content": [{"type": "smell"}]}]}),
    ("prompt[0]", {"prompt": [{"role": "tool", "tool_call_id": "never", "content": "x"}]}),
    ("model", {"model": ""}),
    ("model", {"model": "m" * 10_000}),
    ("model", {"model": "a\x00b"}),
    ("system", {"system": 1}),
    ("temprature", {"parameters": {"temprature": 1}}),
    ("temperature", {"parameters": {"temperature": "0.7"}}),
    ("temperature", {"parameters": {"temperature": float("nan")}}),
    ("max_tokens", {"parameters": {"max_tokens": 0}}),
    ("max_tokens", {"parameters": {"max_tokens": 1.5}}),
    ("max_tokens", {"parameters": {"max_tokens": True}}),
    ("max_tokens", {"parameters": {"max_tokens": 2**63}}),
    ("seed", {"parameters": {"seed": "7"}}),
    ("stop", {"parameters": {"stop": [""]}}),
    ("max_length", {"parameters": {"max_tokens": 1, "max_length": 2}}),
    ("tools[0]", {"tools": [{"description": "nameless"}]}),
    ("tools[0].name", {"tools": [{"name": "two words"}]}),
    ("tools[1].name", {"tools": [{"name": "twice"}, {"name": "twice"}]}),
    ("tools[0].parameters", {"tools": [{"name": "f", "parameters": "no schema"}]}),
    ("response_format", {"response_format": 7}),
    ("attachments", {"attachments": ["/no/such/file.png"]}),
    ("timeout", {"timeout": 0}),
    ("timeout", {"timeout": (1, 2, 3, 4, 5)}),
    ("temperature", {"temperature": 1}),
    ("atachments", {"atachments": []}),
)
"""What nobody can send: the parameter that the error names, and the call."""

TRICKY_MODELS = ("../../admin", "a/../b", "a?b=c", "a#b", "a%2fb", "a:b", "a b", "ä/ö", "..")


def _id(value: Any) -> str:
    return ascii(value)[:60] if isinstance(value, dict) else str(value)


class InputTests(Base):
    """Bad input never leaves the program."""

    def test_every_configuration_problem_is_reported_at_once(self) -> None:
        """One `ConfigError` names each wrong setting by its path."""
        http = issubclass(self.provider, HTTPProvider)
        bad = {**BAD_CONFIG, **(BAD_HTTP_CONFIG if http else {})}
        try:
            self.provider({**self.config, **bad})
        except ConfigError as error:
            issues = error.issues
        else:
            pytest.fail(f"this configuration was accepted: {bad}. Use load_config for the Config")
        paths = " ".join(i.path for i in issues)
        missing = [name for name in bad if name not in paths]
        told = "\n".join(map(str, issues))
        todo = "declare every setting in the Config class, with its type, and leave loading to the core"
        require(not missing, f"the error says nothing about {missing}:\n{told}", todo)
        mute = [i.path for i in issues if not i.problem.strip()]
        require(not mute, f"no problem is told for {mute}", "say what is wrong")

    @pytest.mark.parametrize(("param", "call"), BAD_INPUT, ids=_id)
    def test_bad_input_is_refused_with_its_name_before_anything_is_sent(
        self, param: str, call: dict[str, Any]
    ) -> None:
        """An `InvalidRequestError` whose ``param`` says what is wrong."""
        provider = self.silent()
        self.needs_chat(provider)
        given: dict[str, Any] = {"model": self.model, "prompt": "Hi", **call}
        todo = "leave execute() and chat_request() to the core"
        for verb in (provider.execute, provider.stream_execute, provider.explain):
            try:
                verb(**given)
            except InvalidRequestError as error:
                said = f"{verb.__name__} blames {error.param!r}, not {param!r}: {error}"
                require(error.param == param, said, todo)
                require(error.phase == "build", f"its phase is {error.phase!r}, not 'build'", todo)
            else:
                require(False, f"{verb.__name__} accepted {call}", todo)

    @http_only
    @pytest.mark.parametrize("model", TRICKY_MODELS)
    def test_a_models_name_stays_where_it_belongs(self, model: str) -> None:
        """Whatever a model is called, it is one segment of the path, or a value of the body."""
        self.needs_chat_exchange()
        provider = self.silent()
        plain = urlsplit(provider.explain("plain", "Hi").url)
        try:
            plan = provider.explain(model, "Hi")
        except InvalidRequestError:
            return  # refused is safe
        parts = urlsplit(plan.url)
        todo = "quote it with jackfield.exchange.segment"
        same = (plain.scheme, plain.netloc, plain.query) == (
            parts.scheme,
            parts.netloc,
            parts.query,
        )
        require(same and not parts.fragment, f"{model!r} changed the URL to {plan.url}", todo)
        ours = [unquote(s) for s in parts.path.split("/")]
        # Some write what is to be done behind it: models/NAME:generate.
        pairs = [s.partition(":") for s in plain.path.split("/")]
        kept = [f"{model if name == 'plain' else name}{mark}{do}" for name, mark, do in pairs]
        if any(name == "plain" for name, _, _ in pairs):
            require(ours == kept, f"{model!r} became {parts.path}", todo)
        else:
            require(parts.path == plain.path, f"{model!r} changed the path to {parts.path}", todo)
