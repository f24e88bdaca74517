"""Small programs written for the ``openai`` package, blocking and asynchronous: each tells what it saw."""

from __future__ import annotations

import json
from typing import Any

import openai

MODEL = "pelican-1"
ASKED = [
    {"role": "developer", "content": "You tell tales."},
    {"role": "user", "content": [{"type": "text", "text": "A tale of a pelican, please"}]},
]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}

Lines = list[Any]


def chat(client: Any) -> Lines:
    """One answer, and what it cost."""
    response = client.chat.completions.create(
        model=MODEL, messages=ASKED, max_tokens=500, temperature=0.5, n=1, stop=None
    )
    (choice,) = response.choices
    usage = response.usage
    dumped = json.loads(response.model_dump_json())
    return [
        response.object,
        response.model,
        choice.index,
        choice.finish_reason,
        choice.message.role,
        choice.message.content,
        choice.message.tool_calls,
        choice.message.refusal,
        getattr(choice.message, "reasoning_content", None),
        (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
        dumped["choices"][0]["message"]["content"] == choice.message.content,
        dumped["choices"][0]["message"]["tool_calls"],
        response.to_dict()["choices"][0]["finish_reason"],
        response.model_dump()["usage"]["total_tokens"],
        type(response.created),
    ]


def stream(client: Any) -> Lines:
    """The pieces of an answer, and its usage at the end."""
    text, thought, roles = "", "", set()
    finish: Any = None
    usage: Any = None
    with client.chat.completions.create(
        model=MODEL,
        messages=ASKED,
        max_tokens=500,
        stream=True,
        stream_options={"include_usage": True},
    ) as chunks:
        for chunk in chunks:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                thought += getattr(choice.delta, "reasoning_content", None) or ""
                roles |= {choice.delta.role} if choice.delta.role else set()
                finish = choice.finish_reason or finish
    return [text, thought, finish, roles, usage.total_tokens]


def tools(client: Any) -> Lines:
    """A loop that does what the model asks for, and hands its own message back to it."""
    messages: list[Any] = [*ASKED]
    seen: Lines = []
    for offered in ([WEATHER], openai.NOT_GIVEN):
        response = client.chat.completions.create(
            model=MODEL, messages=messages, max_tokens=500, tools=offered
        )
        message = response.choices[0].message
        seen += [response.choices[0].finish_reason, message.content]
        messages.append(message)
        for call in message.tool_calls or []:
            seen += [call.type, call.function.name, json.loads(call.function.arguments)]
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "Sunny"})
    return [*seen, len(messages)]


def streamed_tools(client: Any) -> Lines:
    """Tool calls put together from their pieces."""
    calls: dict[int, dict[str, str]] = {}
    for chunk in client.chat.completions.create(
        model=MODEL, messages=ASKED, max_tokens=500, tools=[WEATHER], stream=True
    ):
        for piece in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(piece.index, {"name": "", "arguments": ""})
            call["name"] += piece.function.name or ""
            call["arguments"] += piece.function.arguments or ""
    return [(at, c["name"], json.loads(c["arguments"])) for at, c in calls.items()]


def embeddings(client: Any) -> Lines:
    """Vectors for two texts."""
    response = client.embeddings.create(model=MODEL, input=["one", "two"])
    rows = [(row.object, row.index, list(row.embedding)) for row in response.data]
    return [response.object, *rows]


def models(client: Any) -> Lines:
    """What there is."""
    listed = client.models.list()
    return [[m.id for m in listed], [m.object for m in listed.data]]


def errors(client: Any) -> Lines:
    """What goes wrong, by its class."""
    try:
        client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=500)
    except Exception as error:  # noqa: BLE001  # its class is what is asked for
        return [type(error).__name__]
    return []


async def achat(client: Any) -> Lines:
    """`chat`, on the event loop."""
    response = await client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=500)
    return [response.choices[0].message.content, response.usage.total_tokens]


async def astream(client: Any) -> Lines:
    """`stream`, on the event loop."""
    pieces: list[str] = []
    async with await client.chat.completions.create(
        model=MODEL, messages=ASKED, max_tokens=500, stream=True
    ) as chunks:
        pieces += [chunk.choices[0].delta.content or "" async for chunk in chunks]
    return ["".join(pieces)]


async def aembeddings(client: Any) -> Lines:
    """`embeddings`, on the event loop."""
    response = await client.embeddings.create(model=MODEL, input="one")
    return [list(response.data[0].embedding)]


async def amodels(client: Any) -> Lines:
    """`models`, on the event loop, in both ways to write it."""
    page = await client.models.list()
    return [[m.id async for m in client.models.list()], [m.id for m in page.data]]


PROGRAMS = (chat, stream, tools, streamed_tools, embeddings, models)
ASYNC_PROGRAMS = (achat, astream, aembeddings, amodels)
