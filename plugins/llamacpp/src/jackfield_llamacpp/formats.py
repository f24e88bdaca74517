"""Chat templates by name, for models whose files carry none or a wrong one."""

from __future__ import annotations

from collections.abc import Mapping

_TURN = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m['role'] + '\\n' + m['content'] "
    "+ '<|im_end|>\\n' -}}{%- endfor -%}"
)
_SYSTEM_FIRST = (
    "{%- set ns = namespace(system='') -%}"
    "{%- for m in messages -%}{%- if m['role'] == 'system' -%}"
    "{%- set ns.system = ns.system + m['content'] -%}{%- endif -%}{%- endfor -%}"
    "{%- set first = namespace(yet=true) -%}"
)

FORMATS: Mapping[str, str] = {
    "chatml": _TURN
    + "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}",
    "llama-2": _SYSTEM_FIRST + "{%- for m in messages -%}{%- if m['role'] == 'user' -%}"
    "{{- bos_token + '[INST] ' -}}"
    "{%- if first.yet and ns.system -%}"
    "{{- '<<SYS>>\\n' + ns.system + '\\n<</SYS>>\\n\\n' -}}{%- endif -%}"
    "{%- set first.yet = false -%}{{- m['content'] + ' [/INST]' -}}"
    "{%- elif m['role'] == 'assistant' -%}{{- ' ' + m['content'] + ' ' + eos_token -}}"
    "{%- endif -%}{%- endfor -%}",
    "llama-3": "{{- bos_token -}}{%- for m in messages -%}"
    "{{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] "
    "+ '<|eot_id|>' -}}{%- endfor -%}{%- if add_generation_prompt -%}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}",
    "mistral": _SYSTEM_FIRST + "{{- bos_token -}}{%- for m in messages -%}"
    "{%- if m['role'] == 'user' -%}{{- '[INST] ' -}}"
    "{%- if first.yet and ns.system -%}{{- ns.system + '\\n\\n' -}}{%- endif -%}"
    "{%- set first.yet = false -%}{{- m['content'] + ' [/INST]' -}}"
    "{%- elif m['role'] == 'assistant' -%}{{- ' ' + m['content'] + eos_token -}}"
    "{%- endif -%}{%- endfor -%}",
    "gemma": _SYSTEM_FIRST + "{{- bos_token -}}{%- for m in messages -%}"
    "{%- if m['role'] != 'system' -%}"
    "{{- '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\\n' -}}"
    "{%- if first.yet and ns.system -%}{{- ns.system + '\\n\\n' -}}{%- endif -%}"
    "{%- set first.yet = false -%}{{- m['content'] + '<end_of_turn>\\n' -}}"
    "{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}",
    "phi-3": "{%- for m in messages -%}{{- '<|' + m['role'] + '|>\\n' + m['content'] "
    "+ '<|end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}",
    "zephyr": "{%- for m in messages -%}{{- '<|' + m['role'] + '|>\\n' + m['content'] + eos_token "
    "+ '\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}",
    "vicuna": "{%- for m in messages -%}{%- if m['role'] == 'system' -%}"
    "{{- m['content'] + '\\n\\n' -}}{%- elif m['role'] == 'assistant' -%}"
    "{{- 'ASSISTANT: ' + m['content'] + eos_token + '\\n' -}}"
    "{%- else -%}{{- 'USER: ' + m['content'] + '\\n' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}",
    "alpaca": "{%- for m in messages -%}{%- if m['role'] == 'system' -%}"
    "{{- m['content'] + '\\n\\n' -}}{%- elif m['role'] == 'assistant' -%}"
    "{{- '### Response:\\n' + m['content'] + eos_token + '\\n\\n' -}}"
    "{%- else -%}{{- '### Instruction:\\n' + m['content'] + '\\n\\n' -}}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- '### Response:\\n' -}}{%- endif -%}",
}
"""Jinja templates; none of them knows tools."""

CHATML = FORMATS["chatml"]
"""What llama.cpp takes for a model without a template, too."""
