"""Conformance: the parameter table keeps its laws, so that nothing asked for is lost in silence."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from ...errors import InvalidRequestError, UnsupportedOperationError
from ...http import HTTPProvider
from ...params import NAMES, GenerationParams, normalize
from ...requests import ChatRequest
from ..strategies import params
from .base import Base, http_only
from .observe import refused, require

EXAMPLES: dict[str, Any] = {
    "max_tokens": 17,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 17,
    "min_p": 0.25,
    "seed": 17,
    "stop": ("###",),
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "repeat_penalty": 1.25,
    "reasoning_effort": "low",
    "context_length": 4321,
    "parallel_tool_calls": False,
}
"""A value for each common parameter that no table has as its default."""


class ParameterTests(Base):
    """Every common parameter is sent, changed with a warning, or refused with one."""

    @http_only
    @pytest.mark.parametrize("name", NAMES)
    def test_a_parameter_is_sent_or_warned_about(self, name: str) -> None:
        """Setting it changes the request's body, or rides on the answer as a warning."""
        self.needs_chat_exchange()
        provider = self.silent()
        # With a tool: some parameters say nothing without one.
        tools = [{"name": "add", "description": "Adds."}]
        bare = provider.explain(self.model, "Hi", tools=tools)
        asked = provider.explain(self.model, "Hi", {name: EXAMPLES[name]}, tools=tools)
        warned = [w.subject for w in asked.warnings]
        what = f"{name}={EXAMPLES[name]!r} changes nothing in the body and has no warning"
        todo = f'map it, "{name}": Param("its name on the wire"), or leave it out of the table'
        require(asked.body != bare.body or name in warned, what, todo)

    @http_only
    @pytest.mark.parametrize("name", NAMES)
    def test_with_strict_a_parameter_it_lacks_is_an_error(self, name: str) -> None:
        """``strict`` turns each warning into a refusal before anything is sent."""
        self.needs_chat_exchange()
        provider = self.silent()
        asked = {name: EXAMPLES[name]}
        if not provider.explain(self.model, "Hi", asked).warnings:
            return
        todo = "leave build() of the provider to the core"
        with refused(InvalidRequestError, todo) as caught:
            provider.explain(self.model, "Hi", asked, strict=True)
        (error,) = caught
        require(error.param == name, f"the error blames {error.param!r}", todo)

    def test_a_value_beyond_a_limit_is_clamped_with_a_warning(self) -> None:
        """The wire gets the limit, and the caller a word about it."""
        for name, spec in self.provider.params.items():
            for limit, beyond in ((spec.ge, -1), (spec.le, 1)):
                if limit is None:
                    continue
                value = type(EXAMPLES[name])(limit + beyond)
                told = self._warnings(name, value)
                what = f"{name}={value} is beyond {limit}, and the warnings are {told}"
                require(("clamped", name) in told, what, "leave normalizing to the core")

    def test_a_value_at_a_limit_is_no_compromise(self) -> None:
        """The limits are within: what is just allowed goes out without a warning."""
        for name, spec in self.provider.params.items():
            for limit in (spec.ge, spec.le):
                if limit is None:
                    continue
                told = self._warnings(name, type(EXAMPLES[name])(limit))
                what = f"{name}={limit} is at its limit, and the warnings are {told}"
                require(("clamped", name) not in told, what, "see that ge is at most le")

    def _warnings(self, name: str, value: Any) -> list[tuple[str, str]]:
        """What is told of *name* at *value*: by the table, and by a provider that has chats."""
        table = self.provider.params
        found = normalize(table, GenerationParams(**{name: value}))[1]
        provider = self.silent()
        if isinstance(provider, HTTPProvider) and ChatRequest in provider.operations:
            # Beyond what anybody may ask for, or of several requests: then the table speaks.
            with contextlib.suppress(InvalidRequestError, UnsupportedOperationError):
                found = list(provider.explain(self.model, "Hi", {name: value}).warnings)
        return [(w.kind, w.subject) for w in found]

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=params())
    def test_any_valid_parameters_make_a_body(self, asked: GenerationParams) -> None:
        """Normalizing never fails, and what it makes is JSON."""
        wire, warnings = normalize(self.provider.params, asked)
        msgspec.json.encode(wire)
        lost = [
            name
            for name in NAMES
            if getattr(asked, name) is not None
            and name not in self.provider.params
            and name not in {w.subject for w in warnings}
        ]
        require(not lost, f"{lost} were lost in silence", "leave normalizing to the core")
