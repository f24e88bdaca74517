"""One library doing one job, in a process of its own: prints the CPU seconds that it took.

    python benchmarks/clients.py LIBRARY JOB URL COUNT      {"cpu": 0.123, "units": 1000}

A job is `plain` (COUNT calls) or `stream` (COUNT streamed answers, read event by event to their end).
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

PROMPT = "Name a pelican"
MESSAGES = [{"role": "user", "content": PROMPT}]
Call = Callable[[], Any]
Stream = Callable[[], Iterable[Any]]


def bare(url: str) -> tuple[Call, Stream]:
    """The HTTP library alone: what a careful program would write by hand."""
    import httpx2

    client = httpx2.Client(base_url=url, trust_env=False)
    body = {"model": "bench", "messages": MESSAGES}

    def call() -> str:
        answer = client.post("/chat/completions", json=body).json()
        return str(answer["choices"][0]["message"]["content"])

    def stream() -> Iterable[str]:
        with client.stream("POST", "/chat/completions", json=body | {"stream": True}) as response:
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    for choice in json.loads(line[6:])["choices"]:
                        yield choice["delta"].get("content") or ""

    return call, stream


def jackfield(url: str) -> tuple[Call, Stream]:
    """Jackfield, as its README shows it."""
    from jackfield import create_provider

    provider = create_provider("openai", {"api_key": "sk-bench", "base_url": url})
    return (
        lambda: provider.execute("bench", PROMPT).text,
        lambda: (str(event) for event in provider.stream_execute("bench", PROMPT)),
    )


def openai(url: str) -> tuple[Call, Stream]:
    """OpenAI's own SDK."""
    from openai import OpenAI

    client = OpenAI(api_key="sk-bench", base_url=url)
    create: Any = client.chat.completions.create

    def stream() -> Iterable[str]:
        for chunk in create(model="bench", messages=MESSAGES, stream=True):
            for choice in chunk.choices:
                yield choice.delta.content or ""

    return lambda: create(model="bench", messages=MESSAGES).choices[0].message.content, stream


def litellm(url: str) -> tuple[Call, Stream]:
    """LiteLLM, its start-up download switched off."""
    from litellm import completion

    def create(**options: Any) -> Any:
        return completion(
            model="openai/bench", messages=MESSAGES, api_key="sk-bench", api_base=url, **options
        )

    def stream() -> Iterable[str]:
        for chunk in create(stream=True):
            for choice in chunk.choices:
                yield choice.delta.content or ""

    return lambda: create().choices[0].message.content, stream


CLIENTS = {"bare": bare, "jackfield": jackfield, "openai": openai, "litellm": litellm}


def measure(library: str, job: str, url: str, count: int) -> dict[str, float]:
    """Do *job* *count* times after a warm-up; CPU seconds of this process, and the units done."""
    call, stream = CLIENTS[library](url)

    def once() -> int:
        if job == "plain":
            assert call()
            return 1
        return sum(1 for text in stream() if text)

    once()
    units, start = 0, time.process_time()
    for _ in range(count):
        units += once()
    return {"cpu": time.process_time() - start, "units": units}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))
