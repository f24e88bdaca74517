"""The group of commands behind ``jackfield``: its options, its help, and plugins' commands."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import click

from .. import __version__
from ..errors import ConfigError
from ..plugins import plugin_manager
from . import errors, settings
from .terminal import hide, note, safe
from .whom import House

F = TypeVar("F", bound=Callable[..., Any])


class State:
    """What the options common to all commands say; commands get it as their first argument."""

    config: str | None = None

    @cached_property
    def found(self) -> settings.Settings:
        """The configuration file as it is, whatever is wrong with it."""
        return settings.load(self.config)

    @property
    def settings(self) -> settings.Settings:
        """The configuration file.

        Raises:
            ConfigError: with everything that is wrong with it.
        """
        if self.found.issues:
            raise ConfigError("the configuration file has problems:", self.found.issues)
        logging.getLogger("jackfield.cli").debug("configuration: %s", self.found.path or "none")
        return self.found

    @cached_property
    def house(self) -> House:
        """Who answers, as the file says."""
        return House(self.settings)


def in_a_folder(_context: click.Context, _option: click.Parameter, path: Any) -> Any:
    """*path* of a file to write, whose folder is there: what was paid for is not lost for want of one."""
    if path is not None and not path.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}: make it first")
    return path


class _Masked(logging.Formatter):
    """One line for each record, and no secret in it."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(hide(super().format(record))).replace("\n", "\n  ")


def _verbose(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        handler = logging.StreamHandler()
        handler.setFormatter(_Masked("%(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)


def _config(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        context.ensure_object(State).config = value


def common(command: F) -> F:
    """Options that stand before a command's name or after it."""
    command.__doc__ = (command.__doc__ or "").replace("\\b\n", "\b\n")  # as raw docstrings spell it
    variable = "JACKFIELD_CONFIG"
    for decorate in (
        click.option("--debug", is_flag=True, expose_value=False, help="Tracebacks for errors."),
        click.option(
            "-v", "--verbose", is_flag=True, expose_value=False, callback=_verbose,
            help="Debug logs on standard error, keys masked.",
        ),
        click.option(
            "--config", metavar="FILE", envvar=variable, expose_value=False, callback=_config,
            help=f"Configuration file (also {variable}). Default: jackfield.toml or providers.json"
            " here, then in your configuration folder.",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command


class Program(click.Group):
    """The group of commands: in sections, with those of plugins, which cannot replace ours."""

    sections: ClassVar = {
        "Talk to a model": ("chat", "explain", "compare", "batch"),
        "Look around": ("models", "providers", "doctor", "health", "usage", "simulate", "repro"),
        "Models on this machine": ("pull",),
        "Set up": ("config", "plugins"),
    }
    broken: tuple[str, ...] | None = None
    """What plugins failed to do, once they have been loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, plugins' commands included."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command *cmd_name*, be it of a plugin."""
        if cmd_name != "plugins":  # which tells of them without importing any
            self._load()
        return super().get_command(ctx, cmd_name)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add *cmd*; a name that is taken stays with its command."""
        name = name or cmd.name or ""
        if name in self.commands:
            raise ValueError(f"there is a command {name!r} already")
        super().add_command(cmd, name)

    def _load(self) -> None:
        """Load plugins and let them add commands; a broken one is a warning and no more."""
        if self.broken is not None:
            return
        manager = plugin_manager()
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("always")
            try:
                manager.load_plugins()
            except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a plugin does
                warnings.warn(f"plugins are left out: {error!r}", RuntimeWarning, stacklevel=1)
            plugins = manager.get_plugins()
            for plugin in plugins:
                register = manager.subset_hook_caller("register_commands", plugins - {plugin})
                try:
                    register(cli=self)
                except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it does
                    said = f"commands of plugin {manager.get_name(plugin)} are left out: {error!r}"
                    warnings.warn(said, RuntimeWarning, stacklevel=1)
        self.broken = tuple(str(warning.message) for warning in caught)
        for said in self.broken:
            note(f"Warning: {said}", 33)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, in sections."""
        names = self.list_commands(ctx)
        known = [name for section in self.sections.values() for name in section]
        sections = {**self.sections, "From plugins": [n for n in names if n not in known]}
        for title, members in sections.items():
            shown = [(n, self.commands[n].get_short_help_str(90)) for n in members if n in names]
            if shown:
                with formatter.section(title):
                    formatter.write_dl(shown)


HELP = f"""Talk to language models, whoever runs them: one command line, one plugin for each backend.

\b
Examples:
  jackfield chat "Tell me a story"                the bundled demo model answers
  jackfield chat -m claude/claude-sonnet-4-5      a conversation
  git diff | jackfield chat "Review this change"
  jackfield models                                what there is to talk to
  jackfield doctor                                what is wrong, and what to do

\b
A model is written PROVIDER/MODEL, or by the name of a route or an alias. Set one for
good in jackfield.toml, here or in your configuration folder:
  default_model = "claude/claude-sonnet-4-5"
  [providers.claude]
  api_key = "${{ANTHROPIC_API_KEY}}"

{errors.EXIT_CODES}

\b
Completion for your shell (bash, zsh or fish):
  eval "$(_JACKFIELD_COMPLETE=bash_source jackfield)"
"""


@click.group(
    cls=Program,
    help=HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="jackfield %(version)s")
@common
@click.pass_context
def app(context: click.Context) -> None:
    """Show the help where no command is given."""
    context.ensure_object(State)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
