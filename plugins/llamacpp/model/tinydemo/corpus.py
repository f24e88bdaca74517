"""The corpus: conversations in the proportions of the skills, and their text for training.

python -m tinydemo.corpus [COUNT] [SEED]      prints some
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .chat import hello_talk, self_talk, unknown_talk
from .grammar import Turn
from .skills import fact_talk, json_talk, repeat_talk, sum_talk
from .stories import story_talk
from .tools import Tool, tool_talk

SYSTEMS = (
    "You are a helpful assistant.",
    "You are a helpful assistant",
    "You are a friendly assistant.",
    "Answer briefly.",
    "You are Tiny.",
    "Be kind.",
)
# One of these, or a conversation with tools, is drawn by its weight. All but the last may follow
# each other in one conversation.
_TALKS: tuple[Callable[[random.Random], list[Turn]] | None, ...] = (
    story_talk, hello_talk, self_talk, sum_talk, fact_talk, repeat_talk, json_talk,
    None,  # tools
    unknown_talk,
)  # fmt: skip
_WEIGHTS = (18, 7, 5, 15, 7, 8, 6, 24, 10)
_FOLLOWING = 7

START, END = "<|im_start|>", "<|im_end|>"
_TOOLS_BEFORE = "You may call these tools:\n<tools>\n"
_TOOLS_AFTER = (
    '</tools>\nTo call one, answer with <tool_call>\n{"name": ..., "arguments": ...}\n</tool_call>'
)


def sample(r: random.Random) -> tuple[list[Turn], list[Tool] | None]:
    """One conversation: its turns, and the tools on offer."""
    tools: list[Tool] | None = None
    talk = r.choices(_TALKS, _WEIGHTS)[0]
    if talk is None:
        turns, tools = tool_talk(r)
    else:
        turns = talk(r)
        while r.random() < 0.2 and talk is not story_talk:
            talk = r.choices(_TALKS[:_FOLLOWING], _WEIGHTS[:_FOLLOWING])[0]
            assert talk is not None
            turns = turns + talk(r)
    if r.random() < 0.35:
        turns = [("system", r.choice(SYSTEMS)), *turns]
    return list(turns), tools


def render(
    turns: Sequence[Turn], tools: Sequence[Tool] | None = None, *, sort_keys: bool = False
) -> str:
    """The text that is trained on: what `CHAT_TEMPLATE` makes of the same messages."""
    turns = list(turns)
    system = turns.pop(0)[1] if turns and turns[0][0] == "system" else None
    out = []
    if system is not None or tools:
        text = system or ""
        if tools:
            listed = "".join(json.dumps(tool, sort_keys=sort_keys) + "\n" for tool in tools)
            text += ("\n" if text else "") + _TOOLS_BEFORE + listed + _TOOLS_AFTER
        out.append(f"{START}system\n{text}{END}\n")
    for role, text in turns:
        if role == "tool_call":
            out.append(f"{START}assistant\n<tool_call>\n{text}\n</tool_call>{END}\n")
        elif role == "tool":
            out.append(f"{START}user\n<tool_response>\n{text}\n</tool_response>{END}\n")
        else:
            out.append(f"{START}{role}\n{text}{END}\n")
    return "".join(out)


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The same turns as OpenAI's messages."""
    out: list[dict[str, Any]] = []
    for role, text in turns:
        if role == "tool_call":
            call = {"id": "call_0", "type": "function", "function": json.loads(text)}
            out.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif role == "tool":
            out.append({"role": "tool", "tool_call_id": "call_0", "content": text})
        else:
            out.append({"role": role, "content": text})
    return out


# The same as `render`, in Jinja, in the layout that llama.cpp knows as Hermes-style tool calling.
CHAT_TEMPLATE = (
    "{%- set ns = namespace(sys='') -%}"
    "{%- set loop_messages = messages -%}"
    "{%- if messages and messages[0]['role'] == 'system' -%}"
    "{%- set ns.sys = messages[0]['content'] -%}"
    "{%- set loop_messages = messages[1:] -%}{%- endif -%}"
    "{%- if tools or (messages and messages[0]['role'] == 'system') -%}"
    "{{- '<|im_start|>system\\n' + ns.sys -}}"
    "{%- if tools -%}"
    "{{- ('\\n' if ns.sys else '') + 'You may call these tools:\\n<tools>\\n' -}}"
    "{%- for t in tools -%}{{- (t | tojson) + '\\n' -}}{%- endfor -%}"
    "{{- '</tools>\\nTo call one, answer with <tool_call>\\n"
    '{"name": ..., "arguments": ...}\\n</tool_call>\' -}}'
    "{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for m in loop_messages -%}"
    "{%- if m['role'] == 'tool' -%}"
    "{{- '<|im_start|>user\\n<tool_response>\\n' + m['content']"
    " + '\\n</tool_response><|im_end|>\\n' -}}"
    "{%- elif m['tool_calls'] -%}"
    "{{- '<|im_start|>assistant\\n' -}}"
    "{%- for c in m['tool_calls'] -%}{%- set f = c['function'] if c['function'] else c -%}"
    "{{- '<tool_call>\\n{\"name\": \"' + f['name'] + '\", \"arguments\": ' -}}"
    "{%- if f['arguments'] is string -%}{{- f['arguments'] -}}"
    "{%- else -%}{{- f['arguments'] | tojson -}}{%- endif -%}"
    "{{- '}\\n</tool_call>' -}}{%- endfor -%}{{- '<|im_end|>\\n' -}}"
    "{%- else -%}"
    "{{- '<|im_start|>' + m['role'] + '\\n' + (m['content'] or '') + '<|im_end|>\\n' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def main() -> None:
    """Print COUNT conversations."""
    given = [int(word) for word in sys.argv[1:3]]
    count, seed = given + [5, 0][len(given) :]
    r = random.Random(seed)
    for _ in range(count):
        sys.stdout.write(render(*sample(r)) + "-----\n")


if __name__ == "__main__":
    main()
