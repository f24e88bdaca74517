"""`models`, `providers` and `doctor`: what there is, and what keeps it from working."""

import json
import stat

import attrs
import pytest

from jackfield.capabilities import proved
from jackfield.plugins import KNOWN, plugin_manager
from support.commandline import Cli, Peer

MODELS = json.dumps({"object": "list", "data": [{"id": "small"}, {"id": "large"}]}).encode()
UP = {"/v1/models": (200, [MODELS])}
DENIED = {
    "/v1/models": (401, [b'{"error": {"message": "bad key", "type": "invalid_request_error"}}'])
}


def box(name: str, url: str, **more: str) -> str:
    """A table of the configuration: an OpenAI-compatible server under *name*."""
    lines = {"provider": "openai-compatible", "base_url": f"{url}/v1", **more}
    return f"[providers.{name}]\n" + "".join(f'{k} = "{v}"\n' for k, v in lines.items())


def verdicts(printed: str) -> dict[str, str]:
    """The doctor's word on each name."""
    rows = [line.split() for line in printed.splitlines()[1:]]
    return {row[1]: row[0] for row in rows if row[0] in {"ok", "FAIL", "warn", "--"}}


@pytest.mark.live
def test_models_of_all_configured_providers_are_listed_by_the_names_that_chat_takes(
    cli: Cli,
) -> None:
    with Peer(UP) as one, Peer(UP) as two:
        cli.configure(box("one", one.url) + box("two", two.url))
        listed = cli("models").stdout.split()
    assert {"one/small", "one/large", "two/small", "two/large"} <= set(listed)


@pytest.mark.live
def test_a_failing_provider_stands_beside_the_others_models(cli: Cli) -> None:
    with Peer(UP) as up, Peer(DENIED) as denied:
        cli.configure(
            box("up", up.url) + box("denied", denied.url, api_key="none-of-your-business")
        )
        done = cli("models")
        as_json = cli("models", "--json")
    assert done.returncode == as_json.returncode == 1
    assert "up/small" in done.stdout
    assert "denied: bad key" in done.stderr
    told = json.loads(as_json.stdout)
    assert {"up/small", "up/large"} <= {m["model"] for m in told["models"]}
    assert "bad key" in told["failures"]["denied"]


@pytest.mark.live
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('api_key = "some-key-0"', "; key from the configuration"),
        ('api_keys = ["some-key-1"]', "; key from the configuration"),
        ('api_keys = ["some-key-1", "some-key-2"]', "; 2 keys from the configuration"),
        ("", "; no key needed"),
    ],
)
def test_the_doctor_tells_how_many_keys_a_provider_has(cli: Cli, setting: str, said: str) -> None:
    with Peer(UP) as up:
        cli.configure(box("up", up.url) + setting)
        done = cli("doctor", "up")
    assert said in done.stdout
    assert "some-key" not in done.stdout


@pytest.mark.live
def test_models_of_one_provider(cli: Cli) -> None:
    with Peer(UP) as up:
        cli.configure(box("up", up.url) + box("down", "http://127.0.0.1:9"))
        done = cli("models", "up")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split() == ["up/small", "up/large"]
    done = cli("models", "down")
    assert (done.returncode, done.stdout) == (1, "")
    assert "127.0.0.1:9" in done.stderr


@pytest.mark.parametrize("name", ["nonesuch", "openai"])
def test_models_of_what_is_not_there_or_not_configured_is_exit_code_2(cli: Cli, name: str) -> None:
    done = cli("models", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr


def test_providers_tells_ready_not_configured_and_not_installed(cli: Cli) -> None:
    cli.configure(
        '[providers.fake]\nprovider = "scripted"\n[providers.work]\nprovider = "openai-compatible"\n'
        "[providers.gone]\nprovider = 'gemini'\n"
    )
    cli.environment["JACKFIELD_BLOCK"] = "gemini"
    listed = {p["name"]: p for p in json.loads(cli("providers", "--json").stdout)}
    assert listed["fake"]["status"] == "ready"
    assert listed["work"]["status"] == "not configured"
    assert "base_url" in listed["work"]["detail"]
    assert listed["gone"]["status"] == "not installed"
    assert "pip install jackfield-gemini" in listed["gone"]["detail"]
    assert listed["openai"]["status"] == "not configured"
    assert "OPENAI_API_KEY" in listed["openai"]["detail"]
    plain = cli("providers")
    assert plain.returncode == 0
    assert all(name in plain.stdout for name in listed)


def test_providers_tells_what_each_was_proved_to_do_configured_or_not(cli: Cli) -> None:
    listed = {p["name"]: p["capabilities"] for p in json.loads(cli("providers", "--json").stdout)}
    classes = {name: plugin_manager().provider_class(name) for name in listed.keys() & KNOWN.keys()}
    told = {name: attrs.asdict(proved(kind)) for name, kind in classes.items()}
    assert {name: listed[name] for name in told} == told
    assert {proof for able in told.values() for proof in able.values()} >= {True, None}


def test_a_provider_that_is_not_installed_has_unknown_capabilities(cli: Cli) -> None:
    done = cli("providers", "--json", env={"JACKFIELD_BLOCK": "claude"})
    listed = {p["name"]: p for p in json.loads(done.stdout)}
    assert listed["claude"]["status"] == "available"
    assert set(listed["claude"]["capabilities"].values()) == {None}


def test_providers_with_a_name_shows_that_one_and_sorts_its_capabilities_by_what_is_known(
    cli: Cli,
) -> None:
    cli.configure('[providers.fake]\nprovider = "scripted"\n')
    able = attrs.asdict(proved(plugin_manager().provider_class("scripted")))
    done = cli("providers", "fake")
    assert done.returncode == 0
    rows = dict(line.split(None, 1) for line in done.stdout.splitlines() if line)
    assert (rows["name"], rows["kind"], rows["status"]) == ("fake", "scripted", "ready")
    for title, verdict in (("proved", True), ("untested", None)):
        expected = [name.replace("_", " ") for name, proof in able.items() if proof is verdict]
        assert rows[title].split(", ") == expected
    (one,) = json.loads(cli("providers", "fake", "--json").stdout)
    assert one["capabilities"] == able


def test_providers_with_a_name_that_nobody_has_is_exit_code_2(cli: Cli) -> None:
    done = cli("providers", "nonesuch")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonesuch" in done.stderr


@pytest.mark.parametrize(
    "command", ["", "chat", "explain", "models", "providers", "doctor", "pull"]
)
def test_the_help_shows_examples_a_line_each(cli: Cli, command: str) -> None:
    done = cli(*filter(None, [command]), "--help")
    assert done.returncode == 0
    assert "\\b" not in done.stdout
    lines = done.stdout.splitlines()
    example = lines[lines.index("  Examples:") + 1]
    assert example.startswith(f"    jackfield {command}".rstrip())


def test_providers_sends_nothing(cli: Cli) -> None:
    with Peer(UP) as up:
        cli.configure(box("up", up.url))
        assert cli("providers").returncode == 0
    assert up.requests == []


@pytest.mark.live
def test_the_doctor_is_content_with_what_works(cli: Cli) -> None:
    with Peer(UP) as up:
        cli.configure(
            'default_model = "up/small"\n' + box("up", up.url, api_key="sk-canary-0123456789abcdef")
        )
        done = cli("doctor")
    assert done.returncode == 0, done.stdout
    assert verdicts(done.stdout)["up"] == "ok"
    assert "key from the configuration" in done.stdout
    assert "jackfield 0.1.0, Python 3" in done.stdout
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.live
def test_the_doctor_names_what_fails_why_and_what_to_do(cli: Cli) -> None:
    with Peer(DENIED) as denied:
        cli.configure(
            'default_model = "nowhere"\n' + box("denied", denied.url) + box("down", "http://127.0.0.1:9")
            + '[providers.unset]\nprovider = "openai"\napi_key = "${NOWHERE_SET}"\n'
        )  # fmt: skip
        done = cli("doctor")
    assert done.returncode == 1
    told = verdicts(done.stdout)
    assert {told[name] for name in ("denied", "down", "unset", "default")} == {"FAIL"}
    assert "bad key" in done.stdout
    assert "127.0.0.1:9" in done.stdout
    assert "the environment has no NOWHERE_SET (set NOWHERE_SET)" in done.stdout
    assert "nobody serves the model 'nowhere'" in done.stdout


@pytest.mark.live
def test_the_doctor_looks_at_the_named_providers_alone(cli: Cli) -> None:
    with Peer(UP) as up:
        cli.configure(box("up", up.url) + box("down", "http://127.0.0.1:9"))
        assert cli("doctor", "up").returncode == 0
        done = cli("doctor", "down")
    assert done.returncode == 1
    assert "up" not in verdicts(done.stdout)


def test_the_doctor_reports_a_broken_file_and_goes_on(cli: Cli) -> None:
    cli.configure("default_model = \n")
    done = cli("doctor")
    assert done.returncode == 1
    assert "jackfield.toml:1: is not TOML" in done.stdout
    assert "line 1" in done.stdout


def test_the_doctor_counts_a_key_in_the_environment_as_meant(cli: Cli) -> None:
    done = cli(
        "doctor",
        env={"OPENAI_API_KEY": "sk-canary-0123456789abcdef", "HTTPS_PROXY": "http://127.0.0.1:9"},
    )
    assert verdicts(done.stdout)["openai"] == "FAIL"
    assert "key from OPENAI_API_KEY" in done.stdout
    assert done.returncode == 1
    assert "canary" not in done.stdout


def test_the_doctor_is_content_without_any_configuration(cli: Cli) -> None:
    done = cli("doctor", env={"OLLAMA_HOST": "127.0.0.1:9"})
    assert done.returncode == 0, done.stdout
    assert "no file" in done.stdout


def test_the_doctor_warns_of_a_key_in_a_file_that_others_can_read(cli: Cli) -> None:
    path = cli.configure('[providers.fake]\nprovider = "openai"\napi_key = "canary-in-a-file"\n')
    path.chmod(0o644)
    assert f"chmod 600 {path.name}" in cli("doctor", "scripted").stdout
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert "chmod" not in cli("doctor", "scripted").stdout
