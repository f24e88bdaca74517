"""L5 and L6: what a fault may make a client tell: to other origins, to logs, to people."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest

from faults.callers import on
from faults.cases import COLOURS, KEY, MODEL, PROMPT, PROVIDERS, Case
from faults.outcomes import told
from jackfield import LLMError, create_provider
from jackfield.testing.faults import CATALOGUE, DIALECTS, FaultServer

TIMEOUT = {"connect": 1.0, "first_chunk": 1.5, "idle": 1.5, "total": 3.0}
REDIRECTS = [name for name in CATALOGUE if name.startswith("redirect_")]


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that any library logs while the test runs, at DEBUG."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


def survive(server: FaultServer, case: Case, colour: str, tag: str) -> None:
    """One call, whatever it comes to."""
    backend = create_provider(PROVIDERS[case.dialect], case.config(server, tag, timeout=TIMEOUT))

    async def call() -> None:
        with suppress(LLMError):
            if case.stream:
                await backend.astream_execute(MODEL, PROMPT).drain()
            else:
                await backend.aexecute(MODEL, PROMPT)

    if colour != "sync":
        on(colour, call)
        return
    with suppress(LLMError):
        if case.stream:
            backend.stream_execute(MODEL, PROMPT).drain()
        else:
            backend.execute(MODEL, PROMPT)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("colour", COLOURS)
def test_debug_logs_of_all_libraries_hold_no_key(
    server: FaultServer, everything_logged: io.StringIO, dialect: str, colour: str
) -> None:
    names = ["ok", "cut_clean", "401", "key_echoed", "redirect_307", "rst_in_head", "ssh_banner"]
    for name in names:
        for stream in (True, False):
            case = Case(CATALOGUE[name], dialect, stream)
            survive(server, case, colour, f"logs-{dialect}-{colour}-{name}-{stream}")
    logged = everything_logged.getvalue()
    assert KEY not in logged


@pytest.mark.parametrize("name", REDIRECTS)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_redirect_is_refused_and_nothing_reaches_the_other_origin(
    server: FaultServer, dialect: str, colour: str, name: str
) -> None:
    before = [len(server.log.connections(origin)) for origin in ("other", "tls")]
    for stream in (True, False):
        tag = f"away-{dialect}-{colour}-{name}-{stream}"
        survive(server, Case(CATALOGUE[name], dialect, stream), colour, tag)
        assert len(server.log.requests(tag)) == 1
    assert [len(server.log.connections(origin)) for origin in ("other", "tls")] == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_redirected_model_list_stays_home_too(server: FaultServer, dialect: str) -> None:
    config = {"base_url": server.url(dialect, "redirect_307"), "api_key": KEY}
    before = len(server.log.connections("other"))
    with pytest.raises(LLMError, match="redirect"):
        create_provider(PROVIDERS[dialect], config).list_models()
    assert len(server.log.connections("other")) == before


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["key_echoed", "key_echoed_midstream"])
def test_a_key_that_the_server_repeats_is_struck_out(
    server: FaultServer, dialect: str, name: str
) -> None:
    config = {"base_url": server.url(dialect, name), "api_key": KEY, "retry": {"attempts": 1}}
    with pytest.raises(LLMError, match=r"\*\*\*") as caught:
        create_provider(PROVIDERS[dialect], config).stream_execute(MODEL, PROMPT).drain()
    assert KEY not in told(caught.value)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["login_page", "html_502", "html_in_stream"])
def test_a_page_of_html_is_not_shown(server: FaultServer, dialect: str, name: str) -> None:
    config = {"base_url": server.url(dialect, name), "api_key": KEY, "retry": {"attempts": 1}}
    with pytest.raises(LLMError) as caught:
        create_provider(PROVIDERS[dialect], config).stream_execute(MODEL, PROMPT).drain()
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_excerpt_of_a_body_is_short_and_escaped(server: FaultServer, dialect: str) -> None:
    config = {"base_url": server.url(dialect, "body_cut"), "api_key": KEY}
    with pytest.raises(LLMError) as caught:
        create_provider(PROVIDERS[dialect], config).execute(MODEL, PROMPT)
    message = str(caught.value)
    assert len(message) < 400
    assert message.isascii()
    assert message.isprintable()
