"""The configuration file: where it is found, what it may say, and how its mistakes are told."""

import json
import os
from typing import Any

import pytest

from support.commandline import Cli


def text_of(cli: Cli, *arguments: str, **options: Any) -> str:
    done = cli("chat", *arguments, "Hi", **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def echo(text: str) -> str:
    return (
        f'default_model = "who/any"\n[providers.who]\nprovider = "scripted"\nanswers = ["{text}"]\n'
    )


def test_the_file_of_the_working_directory_comes_before_the_users_own(cli: Cli) -> None:
    own = cli.folder / "home" / ".config" / "jackfield"
    own.mkdir(parents=True)
    (own / "jackfield.toml").write_text(echo("from home"))
    assert text_of(cli) == "from home"
    cli.configure(echo("from here"))
    assert text_of(cli) == "from here"


def test_the_users_folder_moves_with_xdg_config_home(cli: Cli) -> None:
    moved = cli.folder / "moved" / "jackfield"
    moved.mkdir(parents=True)
    (moved / "jackfield.toml").write_text(echo("moved"))
    assert text_of(cli, env={"XDG_CONFIG_HOME": str(moved.parent)}) == "moved"


def test_a_named_file_comes_before_any_other_and_before_or_behind_the_command(cli: Cli) -> None:
    cli.configure(echo("from here"))
    cli.configure(echo("named"), "other.toml")
    assert text_of(cli, "--config", "other.toml") == "named"
    assert cli("--config", "other.toml", "chat", "Hi").stdout == "named\n"
    assert text_of(cli, env={"JACKFIELD_CONFIG": "other.toml"}) == "named"


def test_the_model_comes_from_the_option_then_the_environment_then_the_file(cli: Cli) -> None:
    answers = [f'[providers.p{n}]\nprovider = "scripted"\nanswers = ["{n}"]\n' for n in (1, 2, 3)]
    cli.configure('default_model = "p3/any"\n' + "".join(answers))
    assert text_of(cli) == "3"
    assert text_of(cli, env={"JACKFIELD_MODEL": "p2/any"}) == "2"
    assert text_of(cli, "-m", "p1/any", env={"JACKFIELD_MODEL": "p2/any"}) == "1"


def test_providers_json_has_names_at_its_top_and_interpolates(cli: Cli) -> None:
    cli.configure('{"scripted": {"answers": ["Hello"], "models": ["${WHICH}"]}}', "providers.json")
    assert text_of(cli, "-m", "scripted/any", env={"WHICH": "mine"}) == "Hello"
    assert "scripted/mine" in cli("models", env={"WHICH": "mine"}).stdout


def test_a_table_under_an_alias_configures_the_provider_under_its_name(cli: Cli) -> None:
    cli.configure('[providers."llama.cpp"]\nmodels_dirr = "x"\n')
    done = cli("chat", "-m", "llamacpp/any", "Hi")
    assert done.returncode == 2
    assert "jackfield.toml:2: providers.llama.cpp.models_dirr: no such setting" in done.stderr


BROKEN = {
    "a syntax error": (b"default_model = \n", "line 1"),
    "a key twice": (b'default_model = "a/b"\ndefault_model = "a/b"\n', "line 2"),
    "YAML": (b"providers:\n  claude:\n", "is not TOML"),
    "INI": (b"[providers]\nclaude = yes please\n", "line 2"),
    "UTF-16": ("default_model = 'a/b'".encode("utf-16"), "is not UTF-8"),
    "bad UTF-8": (b"\n# \xff\n", "line 2 is not UTF-8"),
    "too much": (b"#" * 2_000_000, "1 MiB"),
    "an unknown key": (b'default_modell = "a/b"', "did you mean default_model?"),
    "a model that is no text": (b"default_model = 5", "default_model: must be text"),
    "providers that are no table": (b"providers = 5", "providers: must be a table"),
    "a provider that is no table": (b"[providers]\nclaude = 5", "providers.claude: must be a table"),
    "a kind that is no text": (b"[providers.x]\nprovider = 5", "providers.x.provider: must be text"),
    "a name with a slash": (b'[providers."a/b"]', "is no name"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_told_with_its_place(cli: Cli, case: str) -> None:
    content, said = BROKEN[case]
    (cli.folder / "jackfield.toml").write_bytes(content)
    for command in (["chat", "Hi"], ["models"], ["explain", "Hi"]):
        done = cli(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "jackfield.toml" in done.stderr
        assert said in done.stderr
        assert "Traceback (most" not in done.stderr


def test_a_byte_order_mark_is_no_mistake(cli: Cli) -> None:
    (cli.folder / "jackfield.toml").write_bytes(b"\xef\xbb\xbf" + echo("Hello").encode())
    assert text_of(cli) == "Hello"


def test_every_mistake_is_told_at_once(cli: Cli) -> None:
    cli.configure('modell = "x"\ndefault_model = 5\n[providers]\na = 1\nb = 2\n')
    told = cli("chat", "Hi").stderr
    places = ("1: modell", "2: default_model", "4: providers.a", "5: providers.b")
    assert all(f"jackfield.toml:{place}" in told for place in places)


def test_two_files_of_one_folder_that_define_the_same_provider_are_a_mistake(cli: Cli) -> None:
    cli.configure(echo("Hello"))
    cli.configure('{"other": {"provider": "scripted"}}', "providers.json")
    assert text_of(cli) == "Hello"
    cli.configure('{"who": {"provider": "scripted"}}', "providers.json")
    done = cli("chat", "Hi")
    assert done.returncode == 2
    assert "providers.json:1: who: the provider who is in jackfield.toml, too" in done.stderr
    assert text_of(cli, "--config", "jackfield.toml") == "Hello"


def test_a_broken_route_does_not_hinder_who_does_not_take_it(cli: Cli) -> None:
    cli.configure(echo("Hello") + '[routes.main]\ntargets = ["nobody"]\n[health]\nwindow = -1\n')
    assert text_of(cli) == "Hello"
    done = cli("chat", "-m", "main", "Hi")
    assert done.returncode == 2
    assert "jackfield.toml:6: routes.main.targets[0]: there is no provider" in done.stderr


def test_a_broken_limit_is_no_reason_to_go_without_limits(cli: Cli) -> None:
    cli.configure(echo("Hello") + "[limits]\nrequests = 5\n")
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert "jackfield.toml:6: limits.requests: must have a unit" in done.stderr


def test_the_managers_settings_of_a_provider_are_no_settings_of_its_own(cli: Cli) -> None:
    cli.configure(echo("Hello") + 'priority = 1\nmodels = ["any"]\nlimits = {requests = "9/s"}\n')
    assert text_of(cli) == "Hello"


def test_a_provider_may_come_from_the_tables_of_clouds_and_of_ones_own(cli: Cli) -> None:
    cli.configure('[providers.custom.scripted]\nanswers = ["Hello"]\n')
    assert text_of(cli, "-m", "custom.scripted/any") == "Hello"


def test_every_mistake_of_a_provider_is_told_with_its_line(cli: Cli) -> None:
    cli.configure(
        '[providers.other]\nbase_url = "x"\n\n[providers.box]\nprovider = "openai-compatible"\n'
        'base_url = "htp://nowhere"\ntimeout = -1\napi_key = "${NOWHERE_SET}"\napi_kee = "x"\n'
    )
    done = cli("chat", "-m", "box/any", "Hi")
    assert done.returncode == 2
    for line, said in {
        6: "base_url",
        7: "timeout",
        8: "api_key: the environment has no NOWHERE_SET",
        9: "api_kee: no such setting (did you mean api_key?)",
    }.items():
        assert f"jackfield.toml:{line}: providers.box.{said}" in done.stderr


def test_a_mistake_in_one_provider_leaves_the_others_working(cli: Cli) -> None:
    cli.configure(echo("Hello") + '[providers.claude]\napi_key = "${NOWHERE_SET}"\n')
    assert text_of(cli) == "Hello"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": ', "line 1"),
        ("[]", "not a JSON object"),
        ('{"a": {}, "a": {}}', "'a' twice"),
        ("[" * 100_000, "nested"),
    ],
)
def test_a_broken_json_file_is_told(cli: Cli, content: str, said: str) -> None:
    cli.configure(content, "providers.json")
    done = cli("chat", "Hi")
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("path", "said"), [("missing.toml", "does not exist"), (".", "is not a file")]
)
def test_a_named_file_must_be_a_file(cli: Cli, path: str, said: str) -> None:
    done = cli("chat", "--config", path, "Hi")
    assert done.returncode == 2
    assert f"{path}: {said}" in done.stderr


def test_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for(cli: Cli) -> None:
    os.mkfifo(cli.folder / "jackfield.toml")
    assert "is not a file" in cli("chat", "Hi").stderr


def test_what_the_file_names_and_is_not_installed_is_told_with_the_command_that_installs_it(
    cli: Cli,
) -> None:
    cli.configure(json.dumps({"gemini": {}}), "providers.json")
    done = cli("chat", "-m", "gemini/any", "Hi", env={"JACKFIELD_BLOCK": "gemini"})
    assert done.returncode == 2
    assert "pip install jackfield-gemini" in done.stderr


HOMELESS = """
import sys
from pathlib import Path
def home():
    raise RuntimeError("no home")
Path.home = home
from jackfield.cli import main
sys.argv[1:] = ["chat", "-m", "scripted/any", "Hi"]
main()
"""


def test_no_home_directory_is_no_reason_to_crash(cli: Cli) -> None:
    cli.program[1:] = ["-c", HOMELESS]
    assert cli().stdout == "Hi\n"
