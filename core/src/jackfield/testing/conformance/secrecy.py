"""Conformance: a key appears in no text whatsoever, and explaining a call sends nothing."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from typing import Any

import msgspec
from attrs import fields

from ...config import conceal
from ...drivers.replay import Recorded, ReplayDriver
from ...errors import ConfigError, LLMError
from .base import Base, http_only
from .observe import NoTransport, refused, require, silent

CANARY = "sk-canary-0123456789abcdefghijklmnop"
"""A key that is nobody's, and easy to find."""

_BODY = msgspec.json.encode(
    {"error": {"message": f"Incorrect API key provided: {CANARY}", "type": "invalid", "code": 401}}
)


class SecrecyTests(Base):
    """Keys stay where they belong."""

    def _keyed(self, driver: Any = None) -> Any:
        """A provider with the canary as its key; no frame holds it as plain text."""
        hidden = conceal({**self.config, "api_key": CANARY})
        if driver is None:
            return silent(self.provider, hidden)
        return self.provider(hidden, driver=driver)

    @staticmethod
    def _clean(where: str, text: str) -> None:
        todo = "keep it in a Secret, call reveal() where the header is written, and nowhere else"
        require(CANARY not in text, f"{where} shows the key", todo)

    @http_only
    def test_the_key_is_in_no_representation(self) -> None:
        """Not in repr, str or format of the provider, its configuration or its attributes."""
        provider = self._keyed()
        for thing in (provider, provider.config, vars(provider), provider.get_info()):
            for shown in (repr(thing), str(thing), f"{thing}"):
                self._clean(f"a representation of {type(thing).__name__}", shown)
        for attribute in fields(type(provider.config)):
            value = getattr(provider.config, attribute.name)
            self._clean(f"config.{attribute.name}", f"{value} {value!r}")

    @http_only
    def test_explaining_sends_nothing_and_masks_the_key(self) -> None:
        """`explain` builds the request, shows it without the key, and stays silent."""
        self.needs_chat_exchange()
        provider = self._keyed()
        plan = provider.explain(self.model, "Hi", {"temperature": 0.5})
        self._clean("explain()", repr(plan))
        self._clean("the URL of explain()", plan.url)
        for name, value in plan.headers.items():
            self._clean(f"the header {name} of explain()", value)
        transport = provider._driver._transport  # noqa: SLF001  # ours, put there by silent()
        assert isinstance(transport, NoTransport)
        require(not transport.requests, "explain() sent a request", "build it only")

    @http_only
    def test_the_key_goes_into_a_header(self) -> None:
        """Not into the URL or the body, where logs of servers and proxies would keep it."""
        self.needs_chat_exchange()
        driver = ReplayDriver([Recorded(status=401, chunks=[b"{}"])])
        provider = self._keyed(driver)
        with refused(LLMError, "leave reading statuses to the core"):
            provider.execute(self.model, "Hi")
        (sent,) = driver.transport.requests
        self._clean("the URL", sent.url)
        self._clean("the body", (sent.body or b"").decode("utf-8", "replace"))
        carried = any(CANARY in value for value in sent.headers.values())
        require(carried, "no header carries the key", "return it from auth_headers()")
        self._clean("the request's repr", repr(sent))

    @http_only
    def test_an_error_that_quotes_the_key_is_masked(self) -> None:
        """A server's 401 that echoes the key shows it in no message, pickle or traceback."""
        self.needs_chat_exchange()
        provider = self._keyed(ReplayDriver([Recorded(status=401, chunks=[_BODY])]))
        with refused(LLMError, "leave reading statuses to the core") as caught:
            provider.execute(self.model, "Hi")
        self._check_error(caught[0])

    @http_only
    def test_a_configuration_error_does_not_quote_the_key(self) -> None:
        """Nor does its traceback, values of local variables included."""
        hidden = conceal({**self.config, "api_key": f"{CANARY}\n", "no_such_setting": 1})
        with refused(ConfigError, "leave loading the configuration to the core") as caught:
            self.provider(hidden)
        self._check_error(caught[0])

    def _check_error(self, error: LLMError) -> None:
        self._clean("the message of an error", f"{error} {error!r} {vars(error)}")
        self._clean("a pickled error", pickle.dumps(error).decode("latin-1"))
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(told.format())
        at = max(0, text.find(CANARY) - 300)
        self._clean(f"a traceback (…{text[at : at + 300]}…)", text)

    @http_only
    def test_the_key_is_in_no_log(self) -> None:
        """Nor in what any library logs at DEBUG while a call runs."""
        self.needs_chat_exchange()
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            provider = self._keyed(ReplayDriver([Recorded(status=401, chunks=[_BODY])]))
            with refused(LLMError, "leave reading statuses to the core"):
                provider.execute(self.model, "Hi")
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
        self._clean("the log", written.getvalue())
