"""Recorded answers of every dialect, as the provider that speaks it gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from attrs import frozen

from jackfield import ChatRequest, ChatResponse, LLMError, Message
from jackfield.drivers.replay import ReplayDriver
from support.everyone import made
from support.recordings import Turn, turns

CHAT, RESPONSES = r"/chat/completions$", r"/responses$"

SPEAKERS: dict[str, tuple[tuple[str, str], ...]] = {
    "azure": (("azure_openai", CHAT),),
    "azure api=responses": (("azure_openai", RESPONSES),),
    "claude": (("anthropic", r"/v1/messages$"),),
    "cohere": (("cohere", r"/v2/chat$"),),
    "cohere api=v1": (("cohere", r"/v1/chat$"),),
    "gemini": (("gemini", r":(generateContent|streamGenerateContent)$"),),
    "huggingface": (("huggingface", CHAT),),
    "llamacpp-server": (("llamacpp", CHAT),),
    "lmstudio": (("lmstudio", r"/v1/chat/completions$"),),
    "nvidia": (("nvidia_nim", CHAT),),
    "ollama": (("ollama", r"/api/chat$"),),
    "openai": (("openai", CHAT),),
    "openai api=responses": (("openai", RESPONSES),),
    "openai-compatible": tuple((name, CHAT) for name in ("deepseek", "groq", "mistral", "xai")),
    "openai-compatible api=responses": (("deepseek", RESPONSES), ("xai", RESPONSES)),
    "openrouter": (("openrouter", CHAT),),
    "openrouter api=responses": (("openrouter", RESPONSES),),
    "together": (("together", CHAT),),
    "vllm": (("vllm", CHAT),),
}
"""Whose recorded answers each way to speak reads, and at which path."""

ASKED = ChatRequest(model="a-model", messages=[Message("user", "Go on")])


@frozen
class Said:
    """An answer, and the recording that it is of."""

    turn: Turn
    answer: ChatResponse

    def __str__(self) -> str:
        return str(self.turn)


@cache
def said(way: str) -> tuple[Said, ...]:
    """Every recorded answer that *way* reads as a whole."""
    return tuple(_said(way))


def _said(way: str) -> Iterator[Said]:
    for folder, path in SPEAKERS[way]:
        for turn in turns(folder):
            if turn.request["method"] != "POST" or not re.search(path, turn.path):
                continue
            if turn.status == 200 and (answer := _read(way, turn)) is not None:
                yield Said(turn, answer)


def _read(way: str, turn: Turn) -> ChatResponse | None:
    driver = ReplayDriver([turn.recorded()])
    with made(way, driver=driver, retry={"attempts": 1}) as provider:
        try:
            return provider.stream(ASKED).drain() if turn.streamed else provider.run(ASKED)
        except LLMError:  # an error inside of a success, or an answer without its end
            return None
