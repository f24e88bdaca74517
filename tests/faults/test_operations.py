"""Operations other than chat meet the same faults: what comes back is whole, or a typed error."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from faults.cases import KEY, MODEL, PROVIDERS, TIMEOUT, Case
from faults.outcomes import PHASES, told
from jackfield import LLMError, LLMProvider, PullRequest, create_provider
from jackfield.operations import CompletionRequest
from jackfield.testing.faults import CATALOGUE, FaultServer

Operation = Callable[[LLMProvider], Any]


def models(backend: LLMProvider) -> list[str]:
    return [model.id for model in backend.list_models()]


def vectors(backend: LLMProvider) -> Any:
    return backend.embed(MODEL, ["one", "zwei"]).vectors


def many_vectors(backend: LLMProvider) -> Any:
    """More than some services take at once: several requests of theirs."""
    return backend.embed(MODEL, [str(at) for at in range(101)]).vectors


def tokens(backend: LLMProvider) -> int:
    return backend.count_tokens(MODEL, "How many?").input_tokens


def ranking(backend: LLMProvider) -> Any:
    return backend.rerank(MODEL, "birds", ["a stone", "a pelican"]).results


def written(backend: LLMProvider) -> str:
    return backend.complete(MODEL, "Once").text


def streamed(backend: LLMProvider) -> str:
    stream = backend.stream(CompletionRequest(model=MODEL, prompt="Once"))
    return "".join(map(str, stream))


def pulled(backend: LLMProvider) -> list[str]:
    return [progress.status for progress in backend.stream(PullRequest(model=MODEL))]


TEXTS = {written, streamed}

OPERATIONS: list[tuple[str, Operation]] = [
    ("openai", models),
    ("openai", vectors),
    ("anthropic", models),
    ("anthropic", tokens),
    ("cohere", vectors),
    ("cohere", ranking),
    ("cohere", tokens),
    ("gemini", models),
    ("gemini", vectors),
    ("gemini", many_vectors),
    ("gemini", tokens),
    ("ollama", models),
    ("ollama", vectors),
    ("ollama", written),
    ("ollama", streamed),
    ("ollama", pulled),
]


def backend(server: FaultServer, dialect: str, fault: str, tag: str) -> LLMProvider:
    case = Case(CATALOGUE[fault], dialect, stream=False)
    config = case.config(server, tag, timeout=SHORT, retry={"attempts": 1})
    return create_provider(PROVIDERS[dialect], config)


def met(server: FaultServer, dialect: str, operation: Operation, healthy: Any, fault: str) -> str:
    """What is wrong with what *operation* made of *fault*; ``""`` if nothing."""
    try:
        result = operation(backend(server, dialect, fault, f"{operation.__name__}-{dialect}"))
    except LLMError as error:
        if KEY in told(error):
            return f"{fault}: shows the key"
        return "" if error.provider and error.phase in PHASES else f"{fault}: {error!r} lacks facts"
    except Exception as error:  # noqa: BLE001  # the question is whether there is any
        return f"{fault}: untyped {error!r}"
    if operation in TEXTS:
        # What the fault's own answer says; bytes that are no UTF-8 may come as U+FFFD.
        said = server.answer(fault).text
        healthy = next((t for t in (said, said.replace("São", "S\ufffdo")) if t == result), said)
    return "" if result == healthy else f"{fault}: {result!r:.100} is not {healthy!r:.100}"


SHORT = {**TIMEOUT, "total": 3.0}
TOLERATED = {
    ("openai", models, "shape_list"),  # some servers list models without an object around them
    ("ollama", pulled, "number_for_text"),  # a line of chat is a step of unknown kind
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dialect", "operation"), OPERATIONS, ids=lambda value: getattr(value, "__name__", value)
)
def test_an_operation_is_whole_or_a_typed_error(
    server: FaultServer, dialect: str, operation: Operation
) -> None:
    stream = operation in {pulled, streamed}
    faults = [
        name
        for name, fault in CATALOGUE.items()
        if fault.concerns(dialect, stream=stream) and not (fault.big or fault.upload)
        if (dialect, operation, name) not in TOLERATED and name != "echo"
        # A pull may be silent for minutes, while the server checks a large file.
        if not (operation is pulled and "timeout" in fault.expected(dialect, stream=True))
    ]
    healthy = operation(backend(server, dialect, "ok", "healthy"))
    with ThreadPoolExecutor(24) as pool:
        wrong = list(pool.map(partial(met, server, dialect, operation, healthy), faults))
    assert [why for why in wrong if why] == [], "\n".join(wrong)
