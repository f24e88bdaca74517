"""The fault server: healthy for the official SDKs, broken as its catalogue says, honest in its log."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import anthropic
import httpx2
import ollama
import openai
import pytest

from jackfield.testing.faults import CATALOGUE, DIALECTS, VERDICTS, Fault, FaultServer, Pace
from jackfield.testing.faults.answers import answer
from jackfield.testing.faults.dialects import spoken
from jackfield.testing.faults.values import Situation

KEY = "sk-canary-0123456789"
ASK: Any = [{"role": "user", "content": "A tale, please"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
OPENAI_TOOL: Any = {"type": "function", "function": WEATHER}
CLAUDE_TOOL: Any = {"name": WEATHER["name"], "input_schema": WEATHER["parameters"]}
TEXT = answer("healthy").text
THINKING = answer("healthy").thinking
CALL = {"city": "Zürich", "days": 3}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=Pace(gap=0.02, drip=0.05, hold=3.0), limit=20) as running:
        yield running


class Clients:
    """Makes official clients for a test, and closes them after it; untyped, as their unions are wide."""

    def __init__(self, server: FaultServer, stack: ExitStack) -> None:
        self.server, self.stack = server, stack

    def openai(
        self, fault: str = "", tag: str = "", dialect: str = "openai", **options: Any
    ) -> Any:
        options = {"max_retries": 0, "timeout": 5.0} | options
        url = self.server.url(dialect, fault, tag=tag)
        return self.stack.enter_context(openai.OpenAI(base_url=url, api_key=KEY, **options))

    def claude(self, fault: str = "") -> Any:
        url = self.server.url("anthropic", fault)
        client = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
        return self.stack.enter_context(client)

    def ollama(self, fault: str = "") -> Any:
        return self.stack.enter_context(ollama.Client(host=self.server.url("ollama", fault)))


@pytest.fixture
def clients(server: FaultServer) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(server, stack)


# The official SDKs as witnesses --------------------------------------------------------------


def test_the_openai_sdk_reads_the_healthy_answer(clients: Clients) -> None:
    client = clients.openai()
    got = client.chat.completions.create(model="m", messages=ASK, tools=[OPENAI_TOOL])
    message = got.choices[0].message
    assert (message.content, got.choices[0].finish_reason) == (TEXT, "tool_calls")
    assert json.loads(message.tool_calls[0].function.arguments) == CALL
    assert message.reasoning_content == THINKING
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (21, 34)


def test_the_openai_sdk_reads_the_healthy_stream(clients: Clients) -> None:
    with clients.openai().chat.completions.stream(
        model="m", messages=ASK, tools=[OPENAI_TOOL], stream_options={"include_usage": True}
    ) as stream:
        stream.until_done()
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert (message.content, final.choices[0].finish_reason) == (TEXT, "tool_calls")
    assert json.loads(message.tool_calls[0].function.arguments) == CALL
    assert final.usage.total_tokens == 55


def test_the_openai_sdk_reads_models_and_embeddings(clients: Clients) -> None:
    client = clients.openai()
    assert next(iter(client.models.list())).id == "pelican-1"
    for form in ({}, {"encoding_format": "float"}):  # without one, the SDK asks for base64
        got = client.embeddings.create(model="m", input=["a", "b"], **form)
        assert [list(item.embedding) for item in got.data] == [[0.125, -0.5, 0.75, 1.0]] * 2


def test_the_openai_sdk_reads_the_healthy_response_and_its_stream(clients: Clients) -> None:
    client = clients.openai(dialect="responses")
    tool = {"type": "function", **OPENAI_TOOL["function"], "strict": False}
    asked: Any = {"model": "m", "input": "A tale", "tools": [tool]}
    whole = client.responses.create(**asked)
    with client.responses.stream(**asked) as stream:
        deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
        streamed = stream.get_final_response()
    assert whole.output_text == streamed.output_text == "".join(deltas) == TEXT
    for response in (whole, streamed):
        thinking, _, call = response.output
        assert thinking.content[0].text == THINKING
        assert json.loads(call.arguments) == CALL
        assert (response.status, response.usage.output_tokens) == ("completed", 34)


def test_the_anthropic_sdk_reads_the_healthy_answer(clients: Clients) -> None:
    message = clients.claude().messages.create(
        model="m", max_tokens=64, messages=ASK, tools=[CLAUDE_TOOL]
    )
    thinking, text, tool = message.content
    assert (thinking.thinking, text.text, tool.input) == (THINKING, TEXT, CALL)
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (16, 5)


def test_the_anthropic_sdk_reads_the_healthy_stream(clients: Clients) -> None:
    with clients.claude().messages.stream(
        model="m", max_tokens=64, messages=ASK, tools=[CLAUDE_TOOL]
    ) as stream:
        assert "".join(stream.text_stream) == TEXT
        message = stream.get_final_message()
    assert message.content[0].signature == answer("healthy").signature
    assert (message.content[2].input, message.usage.output_tokens) == (CALL, 34)


def test_the_anthropic_sdk_counts_tokens_and_lists_models(clients: Clients) -> None:
    client = clients.claude()
    assert client.messages.count_tokens(model="m", messages=ASK).input_tokens == 21
    assert next(iter(client.models.list())).id == "pelican-1"


def test_the_ollama_sdk_reads_the_healthy_answer(clients: Clients) -> None:
    client = clients.ollama()
    got = client.chat("m", ASK, tools=[OPENAI_TOOL], stream=False)
    assert (got.message.content, got.message.thinking) == (TEXT, THINKING)
    assert got.message.tool_calls[0].function.arguments == CALL
    assert (got.prompt_eval_count, got.eval_count, got.done_reason) == (21, 34, "stop")


def test_the_ollama_sdk_reads_the_healthy_stream(clients: Clients) -> None:
    client = clients.ollama()
    parts = list(client.chat("m", ASK, tools=[OPENAI_TOOL], stream=True))
    assert "".join(part.message.content for part in parts) == TEXT
    assert "".join(part.message.thinking or "" for part in parts) == THINKING
    assert parts[-1].done
    calls = [call for part in parts for call in part.message.tool_calls or ()]
    assert [call.function.arguments for call in calls] == [CALL]


def test_the_ollama_sdk_reads_models_show_embeddings_and_a_pull(clients: Clients) -> None:
    client = clients.ollama()
    assert client.list().models[0].model == "pelican-1"
    assert client.show("pelican-1").capabilities == ["completion", "tools", "thinking"]
    assert len(client.embed("m", ["a", "b"]).embeddings) == 2
    progress = list(client.pull("pelican-1", stream=True))
    assert progress[-1].status == "success"
    assert [p.completed for p in progress if p.total] == [0, 400_000, 1_000_000, 1_260_000]
    assert client.delete("pelican-1").status == "success"
    assert client.ps().models[0].model == "pelican-1"


# The catalogue -------------------------------------------------------------------------------


def test_every_row_that_concerns_a_library_has_an_entry() -> None:
    elsewhere = {72, 74, 75}  # scenarios of tests; sequences
    rows = {fault.row for fault in CATALOGUE.values()}
    assert rows == set(range(77)) - elsewhere


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=lambda fault: fault.name)
def test_an_entry_says_what_to_expect(fault: Fault) -> None:
    assert fault.description
    assert fault.stream or fault.plain
    for verdict in "|".join([fault.stream, fault.plain, *fault.special.values()]).split("|"):
        assert not verdict or re.sub(r"\d{3}$", "NNN", verdict) in VERDICTS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_script_is_deterministic(dialect: str) -> None:
    speaker = spoken()[dialect]
    situation = Situation(origins={"other": "http://other", "tls": "https://tls"})
    dated = {"retry_after_date", "reset_headers"}  # say a date
    for fault in (f for f in CATALOGUE.values() if dialect in f.dialects and f.name not in dated):
        for stream in (True, False):
            if not fault.concerns(dialect, stream=stream):
                continue
            body = json.dumps({"stream": stream, "tools": [OPENAI_TOOL]}).encode()
            reply = speaker.reply("chat", body, answer(fault.answer))
            first, second = (list(islice(fault.inject(reply, situation), 50)) for _ in range(2))
            assert first == second, fault.name
            assert first, fault.name


# Faults, as others meet them -----------------------------------------------------------------


def test_a_clean_cut_is_silent_for_who_does_not_look(clients: Clients) -> None:
    client = clients.openai("cut_clean")
    chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "".join(answer("healthy").pieces[:3])
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)


def test_a_sequence_gives_each_request_its_own_fault(clients: Clients, server: FaultServer) -> None:
    client = clients.openai("503,429,ok", "sequence", max_retries=2)
    got = client.chat.completions.create(model="m", messages=ASK)
    assert got.choices[0].message.content == TEXT
    assert len(server.log.requests("sequence")) == 3


def test_every_third_request_fails(clients: Clients) -> None:
    client = clients.openai("every=3:418", "third")
    statuses = []
    for _ in range(6):
        try:
            client.chat.completions.create(model="m", messages=ASK)
            statuses.append(200)
        except openai.APIStatusError as error:
            statuses.append(error.status_code)
    assert statuses == [200, 200, 418] * 2


def test_the_second_origin_records_what_follows_a_redirect(
    clients: Clients, server: FaultServer
) -> None:
    before = len(server.log.bytes_received("other"))
    client = clients.openai("redirect_307")
    assert client.chat.completions.create(model="m", messages=ASK).choices
    assert b"A tale, please" in server.log.bytes_received("other")[before:]


def test_the_log_notices_a_consumer_that_leaves(clients: Clients, server: FaultServer) -> None:
    client = clients.openai("endless", "leaver")
    stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
    next(iter(stream))
    stream.close()
    assert server.log.wait_gone("leaver", 5)
    (request,) = server.log.requests("leaver")
    assert (request.outcome, request.gone is None) == ("gone", False)
    assert (request.headers["authorization"], request.json["model"]) == (f"Bearer {KEY}", "m")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rst_no_head", httpx2.ReadError),
        ("fin_no_head", httpx2.RemoteProtocolError),
        ("no_head", httpx2.ReadTimeout),
        ("refused", httpx2.ConnectError),
        ("blackhole", httpx2.ConnectTimeout),
        ("dns", httpx2.ConnectError),
        ("reset_on_accept", httpx2.TransportError),
        ("tls_stall", httpx2.ConnectTimeout),
        ("tls_plain", httpx2.ConnectError),
        ("tls_untrusted", httpx2.ConnectError),
        ("tls_wrong_name", httpx2.ConnectError),
        ("ssh_banner", httpx2.RemoteProtocolError),
        ("length_too_long", httpx2.RemoteProtocolError),
        ("rst_in_body", httpx2.ReadError),
    ],
)
def test_a_connection_fails_as_the_entry_says(
    server: FaultServer, fault: str, error: type[Exception]
) -> None:
    context = ssl.create_default_context(cadata=server.ca_pem)
    url = server.url("openai", fault) + "/chat/completions"
    with httpx2.Client(verify=context, timeout=0.5) as client, pytest.raises(error):
        client.post(url, json={"model": "m"})


def test_tls_is_trusted_with_the_servers_own_authority(server: FaultServer) -> None:
    url = server.url("openai", origin="tls") + "/models"
    with httpx2.Client(verify=ssl.create_default_context(cafile=server.ca_file)) as client:
        assert client.get(url).json()["object"] == "list"
    with httpx2.Client() as client, pytest.raises(httpx2.ConnectError, match="CERTIFICATE"):
        client.get(url)


def test_an_early_413_arrives_before_the_upload_was_read(server: FaultServer) -> None:
    parts = urlsplit(server.url("openai", "early_413", tag="early") + "/chat/completions")
    with socket.create_connection((parts.hostname, parts.port), 5) as sock:
        sock.sendall(f"POST {parts.path} HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n".encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert server.log.requests("early")[0].body == b""


def test_slow_answers_use_the_servers_own_pace() -> None:
    with FaultServer(pace=Pace(drip=0.001)) as fast:
        got = httpx2.post(
            fast.url("openai", "loris_body") + "/chat/completions", json={}, timeout=20
        )
    assert got.json()["choices"][0]["message"]["content"] == TEXT


# The server itself ---------------------------------------------------------------------------


def test_an_unknown_fault_names_the_nearest() -> None:
    with FaultServer() as server:
        with pytest.raises(ValueError, match=r"no fault 'cut_claen'.*did you mean cut_clean"):
            server.url("openai", "503,cut_claen,ok")
        with pytest.raises(ValueError, match="no dialect 'klingon'; have openai"):
            server.url("klingon")


def test_an_unknown_route_is_a_404_of_the_dialect(server: FaultServer) -> None:
    got = httpx2.get(server.url("openai") + "/pelicans")
    assert (got.status_code, got.json()["error"]["code"]) == (404, "model_not_found")


def test_closing_ends_every_thread_and_connection() -> None:
    already = set(threading.enumerate())
    with FaultServer() as server:
        parts = urlsplit(server.url("openai", "no_head", tag="left") + "/models")
        sock = socket.create_connection((parts.hostname, parts.port), 5)
        sock.sendall(f"GET {parts.path} HTTP/1.1\r\n\r\n".encode())
        assert server.log.wait_requests("left", 1, 5)
    with sock:
        sock.settimeout(5)
        assert sock.recv(1) == b""
    others = {thread for thread in threading.enumerate() if thread.name.startswith("faults-")}
    assert others <= already
