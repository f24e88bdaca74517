"""`usage`: the ledger as tables, JSON and CSV; estimates marked, the unknown told apart."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jackfield import Cost, Finish, StreamInterruptedError, StreamStart, TextDelta, Usage
from jackfield.cli.app import app
from jackfield.cli.usage import parse_time
from jackfield.errors import InvalidRequestError
from jackfield.manager.settings import LedgerSettings
from jackfield.middleware.ledger import Ledger
from jackfield.plugins import PluginManager
from jackfield.testing import Answer, ScriptedProvider
from jackfield.types import ProviderInfo
from support.commandline import Cli, Start


class Elsewhere(ScriptedProvider):
    """Answers from a script, but does not run at home."""

    info = ProviderInfo(name="elsewhere", display_name="Elsewhere", api_key_required=False)


def costing(amount: str | None) -> Answer:
    cost = Cost(amount=Decimal(amount), source="provider") if amount else None
    usage = Usage(input_tokens=1000, output_tokens=200)
    return Answer(events=(StreamStart(model="m"), TextDelta("Hi"), Finish(usage=usage, cost=cost)))


def book(path: Path, name: str, model: str, amount: str | None, *tags: str, days: int = 0) -> None:
    """Write an attempt of so many *days* ago into the ledger at *path*."""
    then = datetime.now(UTC) - timedelta(days=days)
    place = LedgerSettings(path=path, durability="process")
    ledger = Ledger(place, multipliers={"cheap": Decimal("0.5")}, clock=lambda: then)
    hooks = PluginManager()
    hooks.register(ledger)
    provider = Elsewhere.of(costing(amount))
    provider.name, provider._hook = name, hooks.hook
    provider.execute(model, "Hi", metadata={"tags": tags})
    ledger.close()


@pytest.fixture
def file(cli: Cli) -> Path:
    """A ledger in the state folder of the command line's user."""
    path = cli.folder / "home" / ".local" / "state" / "jackfield" / "ledger.sqlite"
    book(path, "work", "large", "1234.5", "research")
    book(path, "work", "small", "0.00000012", "research", "tests")
    book(path, "cheap", "small", "0.25", days=3)
    book(path, "work", "mystery", None, days=3)
    book(path, "work", "large", "7", days=300)
    return path


@pytest.mark.usefixtures("file")
def test_the_usual_tables_are_by_provider_model_day_and_tag(cli: Cli) -> None:
    done = cli("usage")
    assert done.returncode == 0
    tables = [block.splitlines() for block in done.stdout.split("\n\n") if block.strip()]
    heads = [lines[0].split()[0] for lines in tables]
    assert heads == ["provider", "model", "day", "tag"]
    told = {line.split()[0]: line for table in tables for line in table}
    assert told["large"].endswith("$1,234.50")
    assert told["small"].endswith("$0.25")
    assert told["tests"].endswith("<$0.000001")
    assert told["mystery"].endswith("unknown")
    assert told["work"].endswith("$1,234.50 + 1 unknown")
    assert tables[0][-1].split() == "in all 4 0 4,000 800 $1,234.75 + 1 unknown".split()
    assert "nobody said what these 1 attempts cost" in done.stderr
    assert "multipliers: $1,234.625" in done.stderr


@pytest.mark.usefixtures("file")
def test_json_and_csv_have_exact_money_as_text(cli: Cli) -> None:
    told = json.loads(cli("usage", "--json", "--by", "model").stdout)
    costs = {group["model"]: group["cost"] for group in told["groups"]}
    assert costs == {"large": "1234.5", "small": "0.25000012", "mystery": "0"}
    assert [(t["cost"], t["unknown"]) for t in told["totals"]] == [("1234.75000012", 1)]
    rows = list(csv.DictReader(io.StringIO(cli("usage", "--csv", "-", "--by", "model").stdout)))
    assert {row["model"]: row["cost"] for row in rows} == costs
    assert cli("usage", "--csv", "out.csv").returncode == 0
    assert (cli.folder / "out.csv").read_text().startswith("provider,model,attempts,")


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("arguments", "attempts"),
    [
        ((), 4),
        (("--since", "400d"), 5),
        (("--since", "24h"), 2),
        (("--since", "7d", "--until", "2d"), 2),
        (("--provider", "cheap"), 1),
        (("--model", "small"), 2),
        (("--tag", "tests"), 1),
        (("--tag", "nobody's"), 0),
    ],
)
def test_what_is_shown_can_be_chosen(cli: Cli, arguments: tuple[str, ...], attempts: int) -> None:
    told = json.loads(cli("usage", "--json", *arguments).stdout)
    assert sum(group["attempts"] for group in told["groups"]) == attempts


def test_estimates_are_marked_and_explained(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    hooks, ledger = PluginManager(), Ledger(LedgerSettings(path=path))
    hooks.register(ledger)
    cut = Answer("Once upon a time", cut_after=2)
    with pytest.raises(StreamInterruptedError):
        ScriptedProvider({"answers": [cut]}, hook=hooks.hook).stream_execute("m", "Hi").drain()
    ledger.close()
    done = cli("usage", "--file", str(path), "--by", "model")
    assert "~" in done.stdout.splitlines()[1]
    assert "~ is estimated" in done.stderr


def test_an_empty_ledger_says_how_to_turn_it_on(cli: Cli) -> None:
    done = cli("usage")
    assert (done.returncode, done.stdout) == (0, "")
    assert "[ledger]" in done.stderr
    assert json.loads(cli("usage", "--json").stdout)["groups"] == []
    assert cli("usage", "--csv", "-").stdout.startswith("provider,model,")


@pytest.mark.parametrize("there", [False, True])
def test_an_empty_ledger_that_is_on_says_that_nothing_was_booked_yet(cli: Cli, there: bool) -> None:
    cli.configure('[ledger]\npath = "mine.sqlite"\n')
    if there:
        Ledger(LedgerSettings(path=cli.folder / "mine.sqlite")).close()
    done = cli("usage")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing was booked yet" in done.stderr
    assert str(cli.folder / "mine.sqlite") in done.stderr
    assert "turned on" not in done.stderr


@pytest.mark.usefixtures("file")
def test_nothing_of_what_is_asked_for_is_no_empty_ledger(cli: Cli) -> None:
    done = cli("usage", "--model", "nobody's")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing is booked of what you ask for" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "'yesterday' is no time: write 7d"),
        (("--since", "9999999d"), "is no time"),
        (("--by", "colour"), "colour"),
        (("--file", "absent"), "absent is no ledger"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    done = cli("usage", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_file_that_is_no_ledger_is_said_to_be_none(cli: Cli) -> None:
    (cli.folder / "notes").write_text("notes " * 1000)
    done = cli("usage", "--file", "notes")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a database" in done.stderr


def test_the_file_of_the_configuration_is_read(cli: Cli) -> None:
    book(cli.folder / "mine.sqlite", "work", "large", "2")
    cli.configure('[ledger]\npath = "mine.sqlite"\n')
    assert "$2.00" in cli("usage").stdout


@pytest.mark.usefixtures("file")
def test_a_terminal_of_any_width_shows_it(terminal: Start) -> None:
    for width in (40, 80, 200):
        shown = terminal("usage", "--by", "model", width=width, env={"NO_COLOR": "1"})
        assert shown.end() == 0
        assert "$1,234.50" in shown.screen
        assert "\x1b[" not in shown.screen


def test_names_are_shown_harmless(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    book(path, "work", "m", "1", "=cmd()", "evil\x1b[31m")
    done = cli("usage", "--file", str(path), "--by", "tag")
    assert "\x1b" not in done.stdout
    exported = cli("usage", "--file", str(path), "--by", "tag", "--csv", "-").stdout
    assert "\n'=cmd(),1," in exported


def test_times_are_utcs_unless_they_say_otherwise() -> None:
    assert parse_time("2026-11-01") == datetime(2026, 11, 1, tzinfo=UTC)
    assert parse_time("2026-11-01T12:00+02:00") == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert datetime.now(UTC) - parse_time("2w") - timedelta(weeks=2) < timedelta(minutes=5)
    with pytest.raises(InvalidRequestError):
        parse_time("soon")


def test_help_fits_eighty_columns() -> None:
    shown: Any = CliRunner().invoke(app, ["usage", "--help"])
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80


def test_two_forms_at_once_are_refused(cli: Cli) -> None:
    done = cli("usage", "--json", "--csv", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "one of the two" in done.stderr
