"""The conversation that ``jackfield chat`` is at a terminal."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import evolve, field, mutable

from ..errors import LLMError
from ..events import ResponseBuilder
from ..middleware.folders import make_private, user_folder
from ..types import ChatResponse, Message, Role
from .call import Call, find_target
from .chat import stream_answer, tell, totals
from .errors import STOPPED, report
from .terminal import note
from .whom import House

HELP = '''/help                    this list
/model [MODEL]           who answers; without a name, say who does
/system [TEXT]           the instructions; without a text, show them ("-" removes them)
/clear                   forget the conversation
/save FILE               write it to a new file: messages if it ends in .json, else Markdown
/usage                   tokens and costs so far
/exit                    leave (or Ctrl-D, or Ctrl-C twice)
A \\ at the end of a line goes on in the next; """ begins and ends a text of several lines.
Ctrl-C stops an answer. Begin with a blank to send a text that starts with /.'''


@mutable
class Talk:
    """A conversation: who answers, what was said, what it took."""

    house: House
    call: Call
    usage: bool
    messages: list[Message] = field(factory=list)
    answers: list[ChatResponse] = field(factory=list)

    def say(self, text: str) -> None:
        """Send *text* and stream the answer; a stopped answer stays as far as it came.

        Raises:
            LLMError: the call failed; the conversation is as it was.
            KeyboardInterrupt: the user stopped it.
        """
        request = self.call.request([*self.messages, Message(Role.USER, text)])
        said = [m for m in request.messages if m.role is not Role.SYSTEM]
        built = ResponseBuilder()
        try:
            response = stream_answer(self.call.target, request, built)
        except KeyboardInterrupt:
            if partial := built.build().text:
                self.messages = [*said, Message(Role.ASSISTANT, partial)]
            raise
        tell(response)
        self.messages = [*said, response.message]
        self.answers.append(response)
        self.call = evolve(self.call, attachments=())
        if self.usage:
            note(totals([response]))

    def command(self, name: str, rest: str) -> None:
        """Do what the command *name* says with what stands behind it."""
        options = self.call.options
        match name:
            case "/help" | "/?":
                note(HELP)
            case "/model":
                if rest:
                    self.call = evolve(self.call, target=find_target(self.house, rest))
                note(f"{self.call.target} answers.")
            case "/system":
                if rest:
                    options = {**options, "system": None if rest == "-" else rest}
                    self.call = evolve(self.call, options=options)
                note(f"Instructions: {options['system'] or 'none'}")
            case "/clear":
                self.messages = []
                note("Forgotten.")
            case "/save" if rest:
                self.save(rest)
            case "/usage":
                note(totals(self.answers))
            case _:
                note(f"{name} is no command, or lacks something; /help lists them", 31)

    def save(self, path: str) -> None:
        """Write what was said to a new file, readable by the user alone."""
        system = self.call.options["system"]
        said = [*([Message(Role.SYSTEM, system)] if system else []), *self.messages]
        if path.endswith(".json"):
            plain = [{"role": m.role.value, "content": m.text} for m in said]
            text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
        else:
            text = "".join(f"**{m.role.value}**\n\n{m.text}\n\n" for m in said)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(Path(path).expanduser(), flags, 0o600), "wb") as file:
            file.write(text.encode("utf-8", "replace"))
        note(f"{len(said)} messages are in {path}")


def read_text() -> str:
    """What the user types: a line, lines that end in a backslash, or a block in triple quotes."""
    line = input("> ")
    if line.lstrip().startswith('"""'):
        text = line.lstrip()[3:]
        while not text.rstrip().endswith('"""'):
            text += "\n" + input(". ")
        return text.rstrip()[:-3].strip("\n")
    while line.endswith("\\"):
        line = line[:-1] + "\n" + input(". ")
    return line


@contextlib.contextmanager
def history() -> Iterator[None]:
    """Line editing with a history that outlives the process, in a file only the user can read."""
    folder = user_folder("state")
    try:
        import readline
    except ImportError:  # there is none on Windows
        yield
        return
    path = folder and folder / "history"
    if folder and path:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_private(path)
            path.chmod(0o600)
            readline.read_history_file(path)
    readline.set_history_length(1000)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if path:
                readline.write_history_file(path)


def talk(house: House, call: Call, usage: bool) -> int:
    """Converse until the user leaves; return the exit code."""
    call.request([Message(Role.USER, "?")])  # raises what no question could mend
    who = call.target.notice or f"{call.target} answers."
    note(f"{who} /help lists the commands; Ctrl-D leaves.")
    conversation = Talk(house, evolve(call, target=evolve(call.target, notice="")), usage)
    stopped = False
    with history():
        while True:
            try:
                text = read_text()
                stopped = False
                if text.strip() in ("/exit", "/quit"):
                    return 0
                _take(conversation, text)
            except EOFError:
                note("")
                return 0
            except KeyboardInterrupt:
                if stopped:
                    note("")
                    return STOPPED
                stopped = True
                note("\nCtrl-C again, or Ctrl-D, leaves.")


def _take(conversation: Talk, text: str) -> None:
    """Do what *text* asks for; an error is a message and not the end."""
    try:
        if text.startswith("/"):
            name, _, rest = text.partition(" ")
            conversation.command(name, rest.strip())
        elif text.strip():
            conversation.say(text.strip())
    except (LLMError, OSError, click.ClickException) as error:
        report(error)
