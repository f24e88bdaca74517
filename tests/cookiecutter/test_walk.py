"""A stranger's walk: bake, write a provider for an API that has none, pass, install beside the core, use it.

The files that the stranger wrote are in `infinity`. The API is Infinity's, after its own description.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from support.baking import Environment, bake, environment, run, succeeds
from support.infinity import KEY, MODEL, Infinity, infinity
from support.specs import needs_specs, request_errors, response_errors

WRITTEN = Path(__file__).with_name("infinity")

PROVIDER = """
import asyncio, json, sys
from jackfield import InvalidRequestError, create_provider
from jackfield_infinity import ClassifyRequest

url, model = sys.argv[1:]
server = create_provider("infinity", {"base_url": url})
birds = ["A kiwi walks at night.", "A pelican dives for fish."]
ranked = server.rerank(model, "which pelican dives", birds, top_n=1)
labels = server.run(ClassifyRequest(model=model, inputs=birds))
told = {
    "models": [m.id for m in server.list_models()],
    "vectors": server.embed(model, birds).vectors,
    "async": asyncio.run(server.aembed(model, birds)).vectors,
    "best": ranked.results[0].document,
    "labels": [one[0][0] for one in labels.labels],
    "issues": list(map(str, server.validate_config(probe=True))),
}
try:
    server.embed("another", birds)
except InvalidRequestError as error:
    told["error"] = str(error)
print(json.dumps(told))
"""
MANAGER = """
import json, sys
from jackfield import EmbeddingRequest, ProviderManager
from jackfield.operations import RerankRequest

url, model = sys.argv[1:]
manager = ProviderManager({
    "providers": {
        "birds": {"provider": "infinity", "base_url": url},
        "gone": {"provider": "infinity", "base_url": "http://127.0.0.1:9", "retry": {"attempts": 1}},
    },
    "routes": {"vectors": {"kind": "fallback", "targets": [f"gone/{model}", f"birds/{model}"]}},
})
named = manager.run(EmbeddingRequest(model=f"birds/{model}", inputs=["A kiwi."]))
routed = manager.run(EmbeddingRequest(model="vectors", inputs=["A kiwi."]))
ranked = manager.run(RerankRequest(model=f"birds/{model}", query="kiwi", documents=["a", "a kiwi"]))
print(json.dumps([named.vectors, routed.vectors, ranked.results[0].index]))
"""


@frozen
class Walk:
    """Where the stranger has come to: the package, installed, and a server for it."""

    folder: Path
    environment: Environment
    server: Infinity

    def python(self, code: str) -> str:
        """What *code* prints, given the server's address and model."""
        there = [self.environment.program("python"), "-W", "error", "-c", code]
        return succeeds(self.folder, *there, self.server.url, MODEL, INFINITY_API_KEY=KEY)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    package = bake(
        folder,
        name="infinity",
        shape="http",
        base_url="http://localhost:7997",
        docs_url="https://michaelfeil.github.io/infinity",
    )
    shutil.rmtree(package / "tests" / "recordings")  # of the API that the template made up
    shutil.copytree(WRITTEN, package, dirs_exist_ok=True)
    made = environment(folder)
    made.add(package)
    with infinity() as server:
        yield Walk(package, made, server)


def test_what_was_written_keeps_the_contract(walk: Walk) -> None:
    options = ["-q", "-p", "no:cacheprovider", "-W", "error"]
    printed = succeeds(walk.folder, walk.environment.program("pytest"), *options)
    assert " passed" in printed
    assert "no such recording" not in printed


def test_it_is_typed_and_in_order_by_its_own_rules(walk: Walk) -> None:
    succeeds(walk.folder, sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    succeeds(walk.folder, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")
    there = ["--python-executable", walk.environment.program("python")]
    succeeds(walk.folder, sys.executable, "-m", "mypy", *there, "--cache-dir", "../types")


def test_it_is_used_by_its_name(walk: Walk) -> None:
    told = json.loads(walk.python(PROVIDER))
    assert told == {
        "models": [MODEL],
        "vectors": [[0, 1, 0, 1], [1, 0, 1, 0]],
        "async": [[0, 1, 0, 1], [1, 0, 1, 0]],
        "best": "A pelican dives for fish.",
        "labels": ["kiwi", "pelican"],
        "issues": [],
        "error": told["error"],
    }
    assert "Invalid model: another" in told["error"]


def test_it_is_used_from_the_manager(walk: Walk) -> None:
    assert json.loads(walk.python(MANAGER)) == [[[0, 1, 0, 0]], [[0, 1, 0, 0]], 1]


def test_it_is_used_from_the_command_line(walk: Walk, tmp_path: Path) -> None:
    settings = {"provider": "infinity", "base_url": walk.server.url}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (tmp_path / "jackfield.toml").write_text("\n".join(["[providers.birds]", *lines]), "utf-8")
    jackfield = walk.environment.program("jackfield")
    listed = json.loads(
        succeeds(tmp_path, jackfield, "models", "birds", "--json", INFINITY_API_KEY=KEY)
    )
    assert [one["model"] for one in listed["models"]] == [f"birds/{MODEL}"]
    shown = succeeds(tmp_path, jackfield, "providers", "infinity")
    assert "embeddings, rerank" in shown
    refused = run(tmp_path, jackfield, "models", "birds", INFINITY_API_KEY="a-wrong-key-0123456789")
    assert refused.returncode == 1
    assert "Unauthorized" in refused.stdout + refused.stderr
    assert "a-wrong-key" not in refused.stdout + refused.stderr


@needs_specs
def test_what_is_sent_and_answered_is_as_infinity_describes_it(walk: Walk) -> None:
    """The server's answers, too: else the provider would be tried with somebody else's API."""
    walk.python(PROVIDER)
    found = [
        (path, error)
        for path, status, asked, told in walk.server.seen
        if status == 200
        for error in [
            *(request_errors("infinity", "POST", path, asked, undeclared=True) if asked else []),
            *response_errors("infinity", "POST" if asked else "GET", path, told),
        ]
    ]
    assert found == []
    paths = {path for path, status, *_ in walk.server.seen if status == 200}
    assert paths == {"/classify", "/embeddings", "/models", "/rerank"}
