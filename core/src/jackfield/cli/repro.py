"""``jackfield repro``: a call for a bug report, recorded without secrets, played again offline, made into a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import LLMError
from ..requests import ChatRequest
from ..types import Message, Role
from .base import State, app, common
from .call import Call, Target, call_options, prepare, read_prompt
from .chat import answer, tell, typed
from .errors import write_error
from .terminal import known_secrets, note, write, write_json
from .whom import House, Meant

if TYPE_CHECKING:  # imported when a call is recorded or replayed
    from ..testing.repro import Recorder, Seen

FILE = "jackfield-repro.json"
RECORD_HELP = """Make a call like `chat` and write what passed into a file, whatever comes of it.

The file has the request, the answer's bytes with the times at which they came, and what the program
saw. Keys, cookies, accounts and your own host are not in it; what you asked and what the model said
is, unless you say --redact-text. Read it before you give it away.

\b
Examples:
  jackfield repro -m work/some-model "Hi"                 writes jackfield-repro.json
  jackfield repro -m work/some-model --redact-text -o bug.json "My private question"
  jackfield repro replay bug.json                         what the program saw, offline
  jackfield repro test bug.json > test_bug.py             a test for pytest
"""


class _Recording(click.Group):
    """A group whose own command is the one that records."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what begins with no command for a call to record."""
        if args and args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = ["record", *args]
        return super().parse_args(ctx, args)


@app.group("repro", cls=_Recording, invoke_without_command=True, help=RECORD_HELP)
@common
@click.pass_context
def repro(context: click.Context) -> None:
    """Show the help where nothing is asked."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@repro.command("record", help=RECORD_HELP)
@call_options
@click.option(
    "-o", "--output", metavar="FILE", default=FILE, show_default=True, help="Where to write."
)
@click.option("-f", "--force", is_flag=True, help="Write over a file that is there.")
@click.option("--stream/--no-stream", default=True, help="Ask for a stream (the default), or not.")
@click.option("--redact-text", is_flag=True, help="Filler of the same size in place of all texts.")
@click.option(
    "--redact-ids",
    is_flag=True,
    help="Stars for the numbers by which the provider finds the call again.",
)
@common
@click.pass_obj
def record_(state: State, /, **given: Any) -> None:
    """Record one call."""
    from ..testing.repro import record

    path, streamed = Path(given["output"]), given["stream"]
    if path.exists() and not given["force"]:
        raise click.UsageError(f"{path} is there already: name another with -o, or say --force")
    question = Message(Role.USER, read_prompt(given["prompt"]))
    call = prepare(_Alone(state.settings), given)
    options = {name: given[name] for name in ("redact_text", "redact_ids")}
    with (
        record(call.target.provider, secrets=known_secrets()) as recorder,
        _written(recorder, path, options),
    ):
        tell(answer(call, call.request([question]), as_json=False, stream=streamed))


@contextmanager
def _written(recorder: Recorder, path: Path, options: Mapping[str, bool]) -> Iterator[None]:
    """Write what was recorded inside, however that ends; nothing where nothing was sent."""
    try:
        yield
    finally:
        if recorder.sent:
            written = recorder.save(path, **options)
            for said in written.notes:
                note(f"Warning: {said}", 33)
            kept = "texts are filler" if options["redact_text"] else "your texts are in it"
            turns = written.document["interactions"]
            sent = "1 request" if len(turns) == 1 else f"{len(turns)} requests"
            note(f"{path}: {sent}, no keys; {kept}. Read it before you give it away.")


class _Alone(House):
    """Providers with nothing around their calls: cache, limits and routes are no provider's."""

    def _is_plain(self, name: str) -> bool:
        if name in self.settings.routes:
            fix = f"record one that it leads to ({', '.join(self.kinds(name))}): -m PROVIDER/MODEL"
            raise click.UsageError(f"{name} is a route: {fix}")
        return True


@repro.command()
@click.argument("file")
@click.option("--timing", is_flag=True, help="At the pace that it had.")
@click.option(
    "--provider", default="", metavar="NAME", help="Whose it is, if the file does not say."
)
@click.option("--json", "as_json", is_flag=True, help="What the program saw, as one JSON object.")
@common
def replay(file: str, timing: bool, provider: str, as_json: bool) -> None:
    """Show what the program saw of a recorded call, offline: its answer, or its error and exit code."""
    from ..testing.repro import load_one, play, player

    recording = load_one(file)
    if as_json:
        _as_json(play(recording, provider=provider, timing=timing))
        return
    made = player(recording, provider=provider, timing=timing)
    target = Target(made, Meant(made.name, recording.model))
    request = recording.request(made)
    if not isinstance(request, ChatRequest):
        write(f"{made.run(request)}\n")
        return
    tell(answer(Call(target, {}, {}), request, as_json=False, stream=recording.streamed))


def _as_json(seen: Seen) -> None:
    if isinstance(seen.error, LLMError):
        write_error(seen.error, lines=False)
        raise seen.error
    events = [typed(event) for event in seen.events]
    write_json({"events": events, "result": seen.result})


@repro.command("test")
@click.argument("file")
@click.option("-o", "--output", metavar="FILE", help="Where to write; without it, standard output.")
@common
def test(file: str, output: str | None) -> None:
    """Write a recorded call as a test for pytest: it gives what it gives now."""
    from ..testing.repro import as_test

    folder = Path(output).parent if output else Path()
    text = as_test(file, folder)
    if output is None:
        write(text)
        return
    Path(output).write_text(text, "utf-8")
    note(f"{output}: run it with pytest {output}")


test.__test__ = False  # type: ignore[attr-defined]  # a command, whatever pytest thinks of its name
