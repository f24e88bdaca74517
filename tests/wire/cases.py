"""The recorded cases, and what becomes of each."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from support.recordings import WIRE, Turn, turns
from wire.takers import reason, takers

PLUGINS = {
    "anthropic": "claude",
    "azure_openai": "azure",
    "cohere": "cohere",
    "deepseek": "openai-compatible",
    "gemini": "gemini",
    "groq": "openai-compatible",
    "huggingface": "huggingface",
    "llamacpp": "llamacpp-server",
    "lmstudio": "lmstudio",
    "mistral": "openai-compatible",
    "nvidia_nim": "nvidia",
    "ollama": "ollama",
    "openai": "openai",
    "openrouter": "openrouter",
    "together": "together",
    "vllm": "vllm",
    "xai": "openai-compatible",
}
"""The services whose recordings are to be replayed, by their folder, and the plugin of each."""

NOBODYS = "a service that no plugin is for"

NAMED = (
    *("chat", "chat_stream", "responses_api", "tool_call", "tool_call_stream", "parallel_tools"),
    *("parallel_tools_stream", "tool_choice", "tool_result", "reasoning", "reasoning_stream"),
    *("completion_stream", "server_tools_stream", "stream_usage", "stream_without_done"),
    *("embeddings", "embeddings_multi", "embeddings_base64", "rerank", "err_in_stream"),
)
"""The recordings' words for chats, streams, tools, embeddings, rerankings: all of these are replayed."""


@frozen
class Case:
    """One recorded case: a file of turns."""

    provider: str
    name: str
    turns: tuple[Turn, ...]

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"

    @property
    def left_out(self) -> list[Turn]:
        """The turns that nobody replays."""
        return [turn for turn in self.turns if not takers(turn)]

    @property
    def taken(self) -> bool:
        """Whether every turn is replayed."""
        return self.provider in PLUGINS and not self.left_out

    @property
    def named(self) -> bool:
        """Whether it has a chat, a stream, a tool, an embedding or a reranking."""
        return any(turn.behaviours & set(NAMED) for turn in self.turns)

    @property
    def reasons(self) -> list[str | None]:
        """Why it is not replayed, or not all of it: each reason once; None where there is none."""
        if self.provider not in PLUGINS:
            return [NOBODYS]
        return list(dict.fromkeys(reason(turn) for turn in self.left_out))


def _cases() -> Iterator[Case]:
    folders = sorted(p.name for p in WIRE.iterdir() if p.is_dir()) if WIRE.is_dir() else []
    for provider in folders:
        found: dict[str, list[Turn]] = {}
        for turn in turns(provider):
            found.setdefault(turn.case, []).append(turn)
        yield from (Case(provider, name, tuple(made)) for name, made in found.items())


CASES = tuple(_cases())
"""Every case in the folder of recordings, whoever it is of."""
