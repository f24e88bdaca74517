"""Services with batches of their own, simulated in virtual time: what they take, and when they are done."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from jackfield import LLMProvider, create_provider
from jackfield.drivers.virtual import Scripted, Server, VirtualDriver
from jackfield.flow import Flow, HTTPRequest

T = TypeVar("T")
HOUR = 3600.0


class OneAtATime(VirtualDriver):
    """Batches are watched in threads, and virtual time is of one thread."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._lock = threading.Lock()

    def run(self, flow: Flow[T]) -> T:
        """Drive *flow* when no other is driven."""
        with self._lock:
            return super().run(flow)


class Service:
    """A service whose batches take three hours; single calls and batches give the same answers.

    Texts in *failing* are refused, those in *lost* have no result. *ends* is how
    batches end, *outages* how many of the next questions about them fail.
    """

    name = ""

    def __init__(self, *, failing: set[str] = frozenset(), lost: set[str] = frozenset()) -> None:  # type: ignore[assignment]  # never changed
        self.failing, self.lost = failing, lost
        self.jobs: dict[str, tuple[float, list[Any]]] = {}
        self.polls: list[float] = []
        self.ends, self.outages, self.singles = "", 0, 0
        self.driver = OneAtATime(self._answer)

    def provider(self) -> LLMProvider:
        """A new provider of this service, on its clock."""
        given = {"api_key": "made-up", "retry": {"attempts": 1}}
        driver: Any = self.driver
        return create_provider(self.name, given, driver=driver)

    def _answer(self, request: HTTPRequest, now: float) -> Scripted:
        path = request.url.partition("://")[2].partition("/")[2].partition("?")[0]
        status, body = self.serve(request.method, path, request, now)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Scripted(status=status, pieces=((0.0, data),))

    def serve(self, method: str, path: str, request: HTTPRequest, now: float) -> tuple[int, Any]:
        raise NotImplementedError

    def taken(self, items: list[Any], now: float) -> str:
        """The id of a new batch of *items*."""
        name = f"batch_{len(self.jobs) + 1}"
        self.jobs[name] = (now + 3 * HOUR, items)
        return name

    def asked_about(self, now: float) -> bool:
        """Whether a question about a batch is answered."""
        self.polls.append(now)
        self.outages -= 1
        return self.outages < 0


class OpenAI(Service):
    """Files go up, and come down."""

    name = "openai"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.file: list[Any] = []

    def chat(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        text = body["messages"][-1]["content"]
        if text in self.failing:
            return 429, {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}
        said = {"role": "assistant", "content": f"{text}!"}
        return 200, {"id": f"c-{text}", "model": body["model"],
                     "choices": [{"index": 0, "finish_reason": "stop", "message": said}],
                     "usage": {"prompt_tokens": 2, "completion_tokens": 3}}  # fmt: skip

    def told(self, name: str, now: float) -> Any:
        until, _ = self.jobs[name]
        status = (self.ends or "completed") if now >= until else "in_progress"
        job = {"id": name, "object": "batch", "status": status, "created_at": 1}
        if status == "completed":
            job |= {"output_file_id": f"out-{name}"}
        if status == "failed":
            job |= {"errors": {"data": [{"message": "line 1: no such model"}]}}
        return job

    def serve(self, method: str, path: str, request: HTTPRequest, now: float) -> tuple[int, Any]:
        match method, path.removeprefix("v1/").split("/"):
            case "POST", ["chat", "completions"]:
                self.singles += 1
                return self.chat(json.loads(request.body or b""))
            case "POST", ["files"]:
                lines = (request.body or b"").decode().splitlines()
                self.file = [json.loads(line) for line in lines if line.startswith("{")]
                return 200, {"id": "file-1", "object": "file", "filename": "batch.jsonl"}
            case "POST", ["batches"]:
                return 200, self.told(self.taken(self.file, now), now)
            case "GET", ["batches", name]:
                return (200, self.told(name, now)) if self.asked_about(now) else (503, {})
            case "GET", ["files", file, "content"]:
                return 200, b"".join(self.lines(self.jobs[file.removeprefix("out-")][1]))
        return 404, {"error": {"message": path}}

    def lines(self, items: list[Any]) -> list[bytes]:
        told = []
        for item in reversed(items):
            if item["body"]["messages"][-1]["content"] not in self.lost:
                status, body = self.chat(item["body"])
                answer = {"status_code": status, "request_id": "r", "body": body}
                line = {"custom_id": item["custom_id"], "response": answer, "error": None}
                told.append(json.dumps(line).encode() + b"\n")
        return told


class Claude(Service):
    """Requests go up with the batch, results come from an address of their own."""

    name = "claude"

    def chat(self, body: Mapping[str, Any]) -> tuple[int, Any]:
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[-1]["text"]
        if text in self.failing:
            error = {"type": "rate_limit_error", "message": "Slow down"}
            return 429, {"type": "error", "error": error}
        return 200, {"id": f"m-{text}", "type": "message", "role": "assistant",
                     "model": body["model"], "content": [{"type": "text", "text": f"{text}!"}],
                     "stop_reason": "end_turn",
                     "usage": {"input_tokens": 2, "output_tokens": 3}}  # fmt: skip

    def serve(self, method: str, path: str, request: HTTPRequest, now: float) -> tuple[int, Any]:
        match method, path.removeprefix("v1/messages").strip("/").split("/"):
            case "POST", [""]:
                self.singles += 1
                return self.chat(json.loads(request.body or b""))
            case "POST", ["batches"]:
                name = self.taken(json.loads(request.body or b"")["requests"], now)
                return 200, {"id": name, "processing_status": "in_progress"}
            case "GET", ["batches", name]:
                if not self.asked_about(now):
                    return 529, {"type": "error", "error": {"type": "overloaded_error"}}
                if now < self.jobs[name][0]:
                    return 200, {"id": name, "processing_status": "in_progress"}
                url = f"https://api.anthropic.com/v1/messages/batches/{name}/results"
                return 200, {"id": name, "processing_status": "ended", "results_url": url}
            case "GET", ["batches", name, "results"]:
                return 200, b"".join(self.lines(self.jobs[name][1]))
        return 404, {"type": "error", "error": {"type": "not_found_error", "message": path}}

    def lines(self, items: list[Any]) -> list[bytes]:
        told = []
        for item in reversed(items):
            status, body = self.chat(item["params"])
            kind = {"type": "succeeded", "message": body}
            if status != 200:
                kind = {"type": "errored", "error": body}
            if f"{item['custom_id']}" not in self.lost:
                line = {"custom_id": item["custom_id"], "result": kind}
                told.append(json.dumps(line).encode() + b"\n")
        return told
