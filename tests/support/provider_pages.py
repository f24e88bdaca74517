"""A page for each provider, made from its tables: settings, parameters, capabilities, and each operation with a snippet.

python tests/support/provider_pages.py      writes docs/providers/NAME.md, and the list in docs/providers/index.md
"""

import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.provider_flows import FLOWS, HERE
from support.reference import ROOT, _placed, _prose, _settings, first_line, providers, table

FOLDER = ROOT / "docs" / "providers"

# How each operation is asked for: its verb, and the arguments of its request.
ASKED: dict[str, tuple[str, str]] = {
    "ChatRequest": ("execute", 'model="a-model", messages=[Message("user", "Name a pelican")]'),
    "EmbeddingRequest": ("embed", 'model="a-model", inputs=["pelican", "gull"]'),
    "TokenCountRequest": ("count_tokens", 'model="a-model", messages=[Message("user", "Hi")]'),
    "ModelListRequest": ("list_models", ""),
    "ModelInfoRequest": ("run", 'model="a-model"'),
    "PullRequest": ("pull", 'model="a-model"'),
    "DeleteRequest": ("delete", 'model="a-model"'),
    "CompletionRequest": ("complete", 'model="a-model", prompt="Once upon a time"'),
    "TokenizeRequest": ("tokenize", 'model="a-model", text="Once upon a time"'),
    "DetokenizeRequest": ("detokenize", 'model="a-model", ids=[1, 2, 3]'),
    "RerankRequest": ("rerank", 'model="a-model", query="Who flies?", documents=["A hen", "A gull"]'),
    "ImageRequest": ("generate_image", 'model="a-model", prompt="A pelican"'),
    "SpeechRequest": ("speak", 'model="a-model", text="Hello", voice="a-voice"'),
    "TranscriptionRequest": (
        "transcribe", 'model="a-model", audio=MediaPart("audio/wav", b"RIFF", name="a.wav"), language="en"'),
    "ModerationRequest": ("moderate", 'model="a-model", inputs="Hello"'),
    "FileUploadRequest": ("upload_file", 'data=b"Hello", name="a.txt"'),
    "FileListRequest": ("list_files", ""),
    "FileInfoRequest": ("get_file", 'file_id="file-1"'),
    "FileContentRequest": ("download_file", 'file_id="file-1"'),
    "FileDeleteRequest": ("delete_file", 'file_id="file-1"'),
    "BatchCreateRequest": (
        "create_batch", 'items=[ChatRequest(model="a-model", messages=[Message("user", "Hi")])]'),
    "BatchInfoRequest": ("get_batch", 'job_id="batch-1"'),
    "BatchListRequest": ("list_batches", ""),
    "BatchCancelRequest": ("cancel_batch", 'job_id="batch-1"'),
    "BatchDeleteRequest": ("delete_batch", 'job_id="batch-1"'),
    "BatchResultsRequest": ("batch_results", 'job_id="batch-1"'),
    "FineTuneCreateRequest": ("create_fine_tune", 'model="a-model", training_file="file-1"'),
    "FineTuneInfoRequest": ("get_fine_tune", 'job_id="job-1"'),
    "FineTuneListRequest": ("list_fine_tunes", ""),
    "FineTuneCancelRequest": ("cancel_fine_tune", 'job_id="job-1"'),
    "LoadRequest": ("load", 'model="a-model"'),
    "UnloadRequest": ("unload", 'model="a-model"'),
    "RunningModelsRequest": ("running", ""),
    "CreditsRequest": ("credits", ""),
    "GenerationRequest": ("generation", 'generation_id="gen-1"'),
    "ScoreRequest": ("run", 'model="a-model", first="Who flies?", second=["A hen", "A gull"]'),
    "TaskRequest": ("run", 'model="a-model", inputs="Pelicans are great"'),
    "PropsRequest": ("run", ""),
    "SlotsRequest": ("run", ""),
    "SlotRequest": ("run", 'slot=0, action="erase"'),
    "TemplateRequest": ("run", 'model="a-model", messages=[Message("user", "Hi")]'),
}  # fmt: skip

WIDTH = 100  # of a line of code, as in pyproject.toml

# What a provider cannot be made without.
MADE = {
    "azure": '{"base_url": "https://my-resource.openai.azure.com", "api_key": "a-key"}',
    "openai-compatible": '{"base_url": "http://127.0.0.1:8080/v1"}',
}


def made(name: str, cls: type[Any]) -> str:
    """How a page makes its provider."""
    given = settings_of(name, cls)
    return _call("provider = create_provider", f'"{name}"{", " + given if given else ""}')


def settings_of(name: str, cls: type[Any]) -> str:
    """What a page's provider is told, as Python."""
    return MADE.get(name) or ('{"api_key": "a-key"}' if cls.info.api_key_env else "")


def distribution(cls: type[Any]) -> str:
    """The distribution that brings *cls*."""
    module = cls.__module__.partition(".")[0]
    for path in ROOT.glob("plugins/*/pyproject.toml"):
        if (path.parent / "src" / module).is_dir():
            return str(tomllib.loads(path.read_text("utf-8"))["project"]["name"])
    return "jackfield"


def page(name: str, cls: type[Any]) -> str:
    """The page of the provider *name*."""
    info = cls.info
    named = " or ".join(f"`{n}`" for n in (info.api_key_env, *info.other_key_envs) if n)
    key = f"{named} in the environment, or `api_key`" if named else "none"
    about: list[list[object]] = [
        ["install", f"`pip install {distribution(cls)}`"],
        ["key", key],
        ["its own documentation", f"[{info.docs_url}]({info.docs_url})" if info.docs_url else ""],
    ]
    if cls.batch_share is not None:
        about.append(
            ["an answer of a batch", f"{cls.batch_share:.0%} of the price of a single call"]
        )
    parts = [
        f"# {info.display_name}",
        f"<!-- Made by tests/support/provider_pages.py from the tables of {cls.__name__}. -->",
        inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0].replace("``", "`"),
        table(["", f"`{name}`"], iter(about)),
        *_configured(cls),
        *_parameters(cls),
        *_operations(name, cls),
        *_proved(cls),
    ]
    return "\n\n".join(parts) + "\n"


def _configured(cls: type[Any]) -> Iterator[str]:
    from jackfield import Config, HTTPConfig

    shared = HTTPConfig if issubclass(cls.Config, HTTPConfig) else Config
    rows = list(_settings(cls.Config, shared))
    yield "## Settings"
    if rows:
        yield _prose(cls.Config)
        yield table(["setting", "type", "default"], iter(rows))
    yield "Those of every provider are in [the reference](../reference/configuration.md)."


def _parameters(cls: type[Any]) -> Iterator[str]:
    from jackfield.params import NAMES

    if cls.params:
        rows: list[list[object]] = [
            [f"`{n}`", _placed(cls.params.get(n)) or "not taken: a warning"] for n in NAMES
        ]
        yield "## Parameters"
        yield table(["common name", "on its wire"], iter(rows))


def _operations(name: str, cls: type[Any]) -> Iterator[str]:
    from jackfield.exchange import Exchange

    yield "## Operations"
    kinds = sorted(operations(name, cls), key=lambda k: str(k.__name__))
    how = getattr(cls, "exchanges", {})
    if shown := [k for k in kinds if isinstance(how.get(k), Exchange)]:
        yield "What each would send, without sending it:"
        yield _snippet(name, cls, shown)
    if flows := FLOWS.get(name):
        yield "Those of several requests, with a stand-in for the service so that they run here:"
        yield _printing(_flows(name, cls, flows))
    if name in HERE:
        yield _printing(HERE[name].strip())
    rows: list[list[object]] = [[f"`{k.__name__}`", _verb(cls, k), first_line(k)] for k in kinds]
    yield table(["request", "verb", "asks"], iter(rows))


def operations(name: str, cls: type[Any]) -> Any:
    """The request types of a provider."""
    from jackfield import HTTPProvider, create_provider

    return cls.exchanges if issubclass(cls, HTTPProvider) else create_provider(name).operations


def _verb(cls: type[Any], kind: type[Any]) -> str:
    named = ASKED[kind.__name__][0]
    return f"`{named if hasattr(cls, named) else 'run'}(…)`"


ANSWERING = """
def answering(*answers, headers=None, **config):
    \"\"\"The provider, whose service gives *answers*, one a request.\"\"\"
    bodies = [json.dumps(answer).encode() for answer in answers]
    driver = ReplayDriver([Recorded(headers=headers or {}, chunks=[body]) for body in bodies])
    settings = {SETTINGS**config}
    return create_provider("NAME", settings, driver=driver)
"""


def _flows(name: str, cls: type[Any], flows: Mapping[str, str]) -> str:
    """The operations of several requests, each with what its service answers."""
    import ast

    own = ast.literal_eval(settings_of(name, cls) or "{}")
    told = "".join(f'"{key}": "{value}", ' for key, value in own.items())
    helper = ANSWERING.replace("NAME", name).replace("SETTINGS", told)
    needed = sorted(
        k for k in ("LoadRequest", "UnloadRequest") if f"{k}(" in "".join(flows.values())
    )
    imports = ["import json", "", "from jackfield import create_provider"]
    imports.append("from jackfield.drivers.replay import Recorded, ReplayDriver")
    imports += [_import("jackfield.operations", needed)] if needed else []
    steps = "\n\n".join(flow.strip() for flow in flows.values())
    return "\n".join(imports) + f"\n\n{helper}\n\n{steps}"


def _snippet(name: str, cls: type[Any], kinds: list[type[Any]]) -> str:
    """Each operation that is one request, asked for without sending it, and where it would go."""
    homes: dict[str, set[str]] = {"jackfield": {"create_provider"}}
    lines = []
    for kind in kinds:
        home = _home(kind)
        homes.setdefault(home, set()).add(kind.__name__)
        arguments = ASKED[kind.__name__][1]
        homes["jackfield"] |= {
            n for n in ("ChatRequest", "Message", "MediaPart") if f"{n}(" in arguments
        }
        lines.append(_call(kind.__name__, arguments, ",", indent="    "))
    imports = [_import(home, sorted(names)) for home, names in sorted(homes.items())]
    source = "\n".join(
        [*imports, "", made(name, cls), "for request in [", *lines, "]:",
         "    plan = provider.explain(request)",
         "    print(type(request).__name__, plan.method, plan.url)"]
    )  # fmt: skip
    return _printing(source)


def _home(kind: type[Any]) -> str:
    """Where users import *kind* from."""
    if kind.__module__ == "jackfield.requests":
        return "jackfield"
    package = kind.__module__.partition(".")[0]
    return "jackfield.operations" if package == "jackfield" else package


def _printing(source: str) -> str:
    """*source* and what it prints."""
    return f"```python\n{source}\n```\n\n```output\n{_run(source)}```"


def _import(home: str, names: list[str]) -> str:
    """An import, on as many lines as the formatter of this repository gives it."""
    line = f"from {home} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {home} import (", *(f"    {name}," for name in names), ")"])


def _call(start: str, arguments: str, end: str = "", indent: str = "") -> str:
    """A call, likewise."""
    line = f"{indent}{start}({arguments}){end}"
    if len(line) <= WIDTH:
        return line
    return f"{indent}{start}(\n{indent}    {arguments}\n{indent}){end}"


def _run(source: str) -> str:
    import contextlib
    import io

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(source, {})  # noqa: S102  # what was made above
    return printed.getvalue()


def _proved(cls: type[Any]) -> Iterator[str]:
    from jackfield.capabilities import proofs

    told = {n: p for n, p in proofs(cls).items() if p.get("result") != "untested"}
    if told:
        rows: list[list[object]] = [
            [n.replace("_", " "), p["result"], f"`{p['proof']}`"] for n, p in told.items()
        ]
        yield "## Proved"
        yield table(["capability", "result", "recording, or call"], iter(rows))


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    found = {name: cls for name, cls in providers().items() if cls.__module__ != "jackfield"}
    made_pages = {f"{name}.md": page(name, cls) for name, cls in found.items()}
    rows: list[list[object]] = [
        [f"[`{name}`]({name}.md)", cls.info.display_name] for name, cls in found.items()
    ]
    listed = table(["name", "talks to"], iter(rows))
    intro = "What each provider takes, how each of its operations is asked for, and what it was proved to do."
    made_pages["index.md"] = f"# Providers\n\n{intro}\n\n{listed}\n"
    return made_pages


if __name__ == "__main__":
    assert importlib.util.find_spec("jackfield"), "install the packages first"
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text, "utf-8")
