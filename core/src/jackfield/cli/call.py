"""From the options of ``chat`` and ``explain`` to a provider, a model and what is to be sent."""

from __future__ import annotations

import contextlib
import json
import locale
import mimetypes
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import frozen

from ..attachments import MAX_ATTACHMENT, attachment
from ..errors import PluginError, UnknownProviderError
from ..plugins import canonical
from ..provider import LLMProvider
from ..requests import ChatRequest
from ..types import MediaPart, Message, ResponseFormat, TextPart
from .terminal import is_terminal, note, remember_secrets
from .whom import House, Meant

F = TypeVar("F", bound=Callable[..., Any])

_MEDIA = ("image/", "audio/", "video/", "application/pdf")
DEMO = "llamacpp/tiny-demo"
HOW = (
    "set JACKFIELD_MODEL or default_model in jackfield.toml, or say"
    " -m PROVIDER/MODEL; `jackfield providers` shows what there is"
)


TOY = f"{DEMO} answers, a toy: no model is configured. For a real one {HOW}."


def complete(context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """The routes, aliases, models and providers of the file, and the installed ones, that begin as *typed*."""
    from .base import State

    found = (context.find_object(State) or State()).found
    listed = ((name, t.get("models")) for name, t in found.providers.items())
    full = [f"{n}/{m}" for n, models in listed if isinstance(models, list) for m in models]
    names = [*found.routes, *found.aliases, *full, *(f"{name}/" for name in found.names)]
    return [name for name in names if name.startswith(typed)]


def call_options(command: F) -> F:
    """The options that say what is asked, of which model, and how."""
    for decorate in reversed(
        (
            click.argument("prompt", nargs=-1),
            click.option("-m", "--model", metavar="MODEL", envvar="JACKFIELD_MODEL",
                         shell_complete=complete, help="Whom to ask: PROVIDER/MODEL, a route, an alias,"
                         " or a model that one provider serves (also JACKFIELD_MODEL, or default_model"
                         f" in the configuration). Default: {DEMO}, a toy."),
            click.option("-s", "--system", metavar="TEXT", help="Instructions for the model."),
            click.option("--attach", multiple=True, metavar="FILE",
                         help="A picture, document, recording or text file, or a URL; repeatable."),
            click.option("-p", "--param", multiple=True, metavar="NAME=VALUE",
                         help="A parameter under any of its names (temp=0.2, max_tokens=50);"
                         " PROVIDER.NAME=VALUE for one that only that provider has. Repeatable."),
            click.option("--schema", metavar="FILE|JSON",
                         help="Answer in JSON that fits this JSON Schema."),
            click.option("--timeout", type=float, metavar="SECONDS", help="Wait no longer."),
            click.option("--strict", is_flag=True,
                         help="Refuse to send what the provider cannot do as asked."),
            click.option("--key", metavar="KEY",
                         help="An API key, for once; better in the environment or configuration."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


@frozen
class Target:
    """The provider or route that answers, and for which model; *notice* is to be said before it does."""

    provider: LLMProvider
    meant: Meant
    notice: str = ""

    def __str__(self) -> str:
        return str(self.meant)

    def announce(self) -> None:
        """Say the notice, if there is one."""
        if self.notice:
            note(self.notice)


@frozen
class Call:
    """A target, and everything about a call but its prompt."""

    target: Target
    params: Mapping[str, Any]
    options: Mapping[str, Any]
    attachments: Sequence[MediaPart | TextPart] = ()

    def request(self, messages: Sequence[Message]) -> ChatRequest:
        """The typed request for *messages*, the attachments in the last."""
        texts = [a for a in self.attachments if isinstance(a, TextPart)]
        media = [a for a in self.attachments if not isinstance(a, TextPart)]
        *before, last = messages
        prompt = [*before, Message(last.role, (*texts, *last.content))]
        options = {**self.options, "attachments": media}
        return self.target.provider.chat_request(
            self.target.meant.model, prompt, self.params, **options
        )


def attach(given: str) -> MediaPart | TextPart:
    """A text file as text, which every model reads; anything else as the core reads or refuses it."""
    kind = mimetypes.guess_type(given)[0] or ""
    path, text = Path(given), ""
    with contextlib.suppress(OSError, ValueError):
        if not kind.startswith(_MEDIA) and path.is_file() and path.stat().st_size <= MAX_ATTACHMENT:
            text = path.read_text("utf-8-sig")
    if text.strip() and "\0" not in text:
        return TextPart(f"{path.name}:\n\n{text}\n")
    return attachment(given)


def find_target(house: House, model: str | None, key: str | None = None) -> Target:
    """Who answers to *model*, or by default: the configured model, else the bundled demo.

    Raises:
        ConfigError: no such provider, or one that is not configured well.
    """
    wanted = model or house.settings.default_model
    if key:
        remember_secrets({"key": key})
        note("Warning: a key on the command line can be seen by others (ps) and stays in the"
             " shell's history; the environment or jackfield.toml is the better place", 33)  # fmt: skip
    meant = house.find(wanted or DEMO)
    if key:
        if meant.name in house.settings.routes:
            raise click.UsageError(f"--key is one provider's, and {meant.name} is a route")
        house.keys[meant.name] = key
        house.close()  # whoever was made to find out whom the model means has not that key
    try:
        provider = house.provider(meant.name)
    except (UnknownProviderError, PluginError) as error:
        if wanted:
            raise
        fix = f'install the demo, pip install "jackfield[llamacpp]", or {HOW}'
        raise click.UsageError(f"no model is configured, and there is no demo: {fix}") from error
    return Target(provider, meant, "" if wanted else TOY)


def parse_parameters(given: Sequence[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The common parameters in *given*, and each provider's own."""
    common: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {}
    for text in given:
        name, equals, raw = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="-p")
        provider, dot, rest = name.partition(".")
        table, key = (own.setdefault(provider, {}), rest) if dot else (common, name)
        value = _value(raw)
        if key in ("stop", "stop_sequences"):
            value = [*table.get(key, ()), *(value if isinstance(value, list) else [raw])]
        elif key in table:
            raise click.BadParameter(f"{name} is given twice", param_hint="-p")
        table[key] = value
    return common, own


def _value(raw: str) -> Any:
    """*raw* as JSON if it is JSON, else as the text it is."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def parse_schema(given: str) -> ResponseFormat:
    """The response format for a JSON Schema, given itself or as the name of a file."""
    text, source = given, "the schema"
    if not given.lstrip().startswith("{"):
        source = given
        try:
            text = Path(given).read_text("utf-8-sig")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8"
            raise click.BadParameter(f"{given}: {reason}", param_hint="--schema") from None
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{source} is not JSON: {error}", param_hint="--schema") from None
    if not isinstance(schema, dict):
        raise click.BadParameter(f"{source} is not a JSON object", param_hint="--schema")
    return ResponseFormat(type="json_schema", schema=schema)


def own_options(
    kinds: Mapping[str, str], own: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What of *own*, by a provider's name or kind, is for those of *kinds*; by kind."""
    meant = {name: kinds.get(name, canonical(name)) for name in own}
    options: dict[str, dict[str, Any]] = {}
    for name, fields in own.items():
        if meant[name] in kinds.values():
            options.setdefault(meant[name], {}).update(fields)
    return options


def prepare(house: House, given: Mapping[str, Any]) -> Call:
    """The call that the options *given* describe."""
    params, own = parse_parameters(given["param"])
    target = find_target(house, given["model"], given["key"])
    kinds = house.kinds(target.meant.name)
    for name in own:
        if not own_options(kinds, {name: {}}):
            who = " or ".join(kinds)
            fix = f"{who} answers: write {next(iter(kinds))}.NAME=VALUE"
            raise click.BadParameter(f"{name}.NAME is for another provider; {fix}", param_hint="-p")
    options: dict[str, Any] = {
        "system": given["system"],
        "provider_options": own_options(kinds, own),
        "timeout": given["timeout"],
        "strict": given["strict"] or None,
    }
    if given["schema"]:
        options["response_format"] = parse_schema(given["schema"])
    return Call(target, params, options, [attach(path) for path in given["attach"]])


def read_prompt(words: Sequence[str]) -> str:
    """The prompt: the arguments, then what comes through standard input."""
    argument = " ".join(words)
    if sys.stdin is None or (is_terminal(sys.stdin) and argument):
        piped = ""
    else:
        if is_terminal(sys.stdin):
            note("Type your prompt; Ctrl-D ends it.")
        piped = _decode(sys.stdin.buffer.read())
    prompt = "\n\n".join(part for part in (argument, piped.rstrip("\r\n")) if part.strip())
    if not prompt:
        fix = 'say something, as in jackfield chat "Hello"'
        raise click.UsageError(f"the prompt and standard input are empty: {fix}")
    return prompt


def _decode(data: bytes) -> str:
    """*data* as text: UTF-8, else in the encoding of the locale."""
    if b"\0" not in data:
        for encoding in ("utf-8-sig", locale.getpreferredencoding(do_setlocale=False)):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise click.UsageError("standard input is not text: pass a file with --attach FILE")
