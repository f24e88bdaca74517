"""``jackfield config``: all mistakes, what counts and whence, a file to start with, a schema for editors."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from support.commandline import Cli

KEY = "sk-canary-0123456789abcdef"
FINE = """default_model = "main"
[providers.work]
provider = "openai"
api_key = "${WORK_KEY}"
priority = 1
[providers.here]
provider = "scripted"
[routes.main]
targets = ["work/gpt", "here"]
[cache]
"""


def test_a_file_that_is_fine_is_told_in_a_line(cli: Cli) -> None:
    cli.configure(FINE)
    done = cli("config", "check", env={"WORK_KEY": KEY})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "jackfield.toml is fine: 2 providers, 1 route, cache\n"


def test_every_mistake_is_told_with_its_line_and_exit_code_2(cli: Cli) -> None:
    cli.configure(FINE.replace("priority = 1", "prioritty = 1").replace('"here"]', '"there"]'))
    done = cli("config", "check")
    assert (done.returncode, done.stdout) == (2, "")
    for line, said in {
        4: "providers.work.api_key: the environment has no WORK_KEY (set WORK_KEY)",
        5: "providers.work.prioritty: no such setting (did you mean priority?)",
        9: "routes.main.targets[1]: there is no provider, route or alias 'there' (did you mean here?)",
    }.items():
        assert f"jackfield.toml:{line}: {said}" in done.stderr


def test_another_file_in_another_form_can_be_named(cli: Cli) -> None:
    cli.configure('[provider.cloud.openai]\napi_key = "OPENAI_API_KEY"\n', "provider.config.toml")
    for arguments in (["config", "check", "provider.config.toml"], ["--config", "provider.config.toml", "config", "check"]):  # fmt: skip
        assert cli(*arguments, env={"OPENAI_API_KEY": KEY}).stdout.endswith("fine: 1 provider\n")


@pytest.mark.parametrize("command", ["check", "show"])
def test_where_there_is_no_file_the_command_that_writes_one_is_named(
    cli: Cli, command: str
) -> None:
    done = cli("config", command)
    assert done.returncode == 2
    assert "jackfield config init" in done.stderr


def test_a_doubtful_key_is_a_warning(cli: Cli) -> None:
    cli.configure('[providers.claude]\napi_key = "sk-proj-0123456789abcdefgh"\n')
    done = cli("config", "check")
    assert done.returncode == 0
    assert "jackfield.toml:2: providers.claude.api_key: looks like a key of openai" in done.stderr
    assert "0123456789" not in done.stderr


def test_what_counts_is_shown_with_its_source_and_without_keys(cli: Cli) -> None:
    cli.configure(FINE)
    env = {"WORK_KEY": KEY}
    done = cli("config", "show", "--json", env=env)
    rows = {row["setting"]: (row["value"], row["source"]) for row in json.loads(done.stdout)}
    assert rows["providers.work.api_key"] == ("**********", "jackfield.toml:4")
    assert rows["providers.work.priority"] == (1, "jackfield.toml:5")
    assert rows["providers.work.base_url"] == ("https://api.openai.com/v1", "default")
    assert rows["routes.main.targets[1].target"] == ("here", "jackfield.toml:9")
    assert rows["routes.main.targets[1].weight"] == (1.0, "default")
    assert rows["cache.ttl"] == (3600.0, "default")
    shown = cli("config", "show", env=env).stdout
    assert all(name in shown for name in rows)
    assert KEY not in shown + done.stdout


def test_declared_guards_stand_around_calls_and_are_checked(cli: Cli) -> None:
    file = """default_model = "fake/any"
[providers.fake]
provider = "scripted"
then = "echo"
[[guardrails.before]]
guard = "redact"
patterns = ["kiwi"]
replacement = "bird"
"""
    cli.configure(file)
    assert cli("chat", "a kiwi").stdout == "a bird\n"
    assert "is fine: 1 provider, guardrails" in cli("config", "check").stdout
    shown = cli("config", "show").stdout
    assert re.search(r"guardrails\.before\[0\]\.patterns +kiwi +jackfield\.toml:7", shown)
    cli.configure(file.replace('"kiwi"', '"("'))
    done = cli("config", "check")
    assert done.returncode == 2
    assert (
        "jackfield.toml:7: guardrails.before[0].patterns[0]: is no regular expression"
        in done.stderr
    )
    assert "is no regular expression" in cli("chat", "a kiwi").stderr


def test_a_key_that_comes_from_the_providers_own_variable_is_told_so(cli: Cli) -> None:
    cli.configure("[providers.claude]\n")
    done = cli("config", "show", env={"ANTHROPIC_API_KEY": KEY})
    assert "ANTHROPIC_API_KEY in the environment" in done.stdout
    assert KEY not in done.stdout


def test_a_file_to_start_with_is_fine_has_no_key_and_is_written_once(cli: Cli) -> None:
    env = {"OPENAI_API_KEY": KEY}
    done = cli("config", "init", env=env)
    assert (done.returncode, done.stdout) == (0, "jackfield.toml\n")
    text = (cli.folder / "jackfield.toml").read_text("utf-8")
    assert '\n[providers.openai]\napi_key = "${OPENAI_API_KEY}"\n' in text
    assert '\n# [providers.claude]\n# api_key = "${ANTHROPIC_API_KEY}"\n' in text
    assert KEY not in text
    assert cli("config", "check", env=env).stdout.endswith("fine: 1 provider\n")
    again = cli("config", "init", env=env)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert (cli.folder / "jackfield.toml").read_text("utf-8") == text


def test_what_the_starter_has_as_comments_is_right_once_it_is_none(cli: Cli) -> None:
    cli("config", "init", "all.toml")
    path = cli.folder / "all.toml"
    settings = [
        line.removeprefix("# ")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith(
            (
                "# [",
                "# fast",
                "# targets",
                "# requests",
                "# limit",
                "# per",
                "# api_key",
                "# guard",
                "# patterns",
            )
        )
    ]
    path.write_text("\n".join(settings).replace("[providers.azure]", '[providers.azure]\nbase_url = "https://a.example"').replace("[providers.openai-compatible]", '[providers.openai-compatible]\nbase_url = "https://a.example"'))  # fmt: skip
    names = {line[13:-2] for line in settings if line.startswith('api_key = "')}
    done = cli("config", "check", "all.toml", env=dict.fromkeys(names, "any-key-0123456789"))
    assert done.returncode == 0, done.stderr


def test_the_schema_is_one_and_accepts_a_file_that_is_fine(cli: Cli) -> None:
    import tomllib

    schema = json.loads(cli("config", "schema").stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(tomllib.loads(FINE))
    assert schema["properties"]["default_model"]["description"]


def test_without_a_command_the_help_is_shown(cli: Cli) -> None:
    done = cli("config")
    assert done.returncode == 0
    assert "jackfield config init" in done.stdout


def test_no_form_of_what_counts_shows_a_key_that_stands_in_an_address(cli: Cli) -> None:
    cli.configure(
        '[providers.g]\nprovider = "openai-compatible"\nbase_url = "https://gw.example/${GW_TOKEN}/v1"\n'
    )
    env = {"GW_TOKEN": KEY}
    for arguments in (
        *(("config", "show"), ("config", "show", "--json")),
        *(("explain", "-m", "g/x", "Hi"), ("explain", "--json", "-m", "g/x", "Hi")),
    ):
        done = cli(*arguments, env=env)
        assert done.returncode == 0, done.stderr
        assert KEY not in done.stdout + done.stderr
        assert "gw.example" in done.stdout


def test_a_file_to_start_with_is_fine_whatever_keys_are_set(cli: Cli) -> None:
    env = {"AZURE_OPENAI_API_KEY": KEY, "OPENAI_COMPATIBLE_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    assert cli("config", "init", "new.toml", env=env).returncode == 0
    done = cli("config", "check", "new.toml", env=env)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["new.json", "", " "])
def test_a_file_to_start_with_has_a_name_that_says_what_it_is(cli: Cli, name: str) -> None:
    done = cli("config", "init", name)
    assert done.returncode == 2
    assert ".toml" in done.stderr
    assert not (cli.folder / "new.json").exists()


@pytest.mark.parametrize("value", ["false", 0, "no"])
def test_a_switch_that_is_neither_on_nor_off_is_told(cli: Cli, value: object) -> None:
    listed = {"a": {"provider_type": "scripted", "enabled": value}}
    cli.configure(json.dumps(listed), "providers.json")
    done = cli("config", "check", "providers.json")
    assert done.returncode == 2
    assert "enabled: is neither true nor false" in done.stderr
