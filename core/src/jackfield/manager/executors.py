"""Where the work of a batch is done: in threads here, or wherever an executor takes it."""

from __future__ import annotations

import contextvars
import pickle
import threading
from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, ClassVar, Protocol

from ..errors import ConfigError, LLMError
from ..provider import LLMProvider
from ..requests import ChatRequest, Request
from ..types import ProviderInfo


class BatchExecutor(Protocol):
    """Applies a function to many things at once."""

    remote: bool
    """Whether it does so elsewhere: then the function and the things are pickled."""

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], concurrency: int
    ) -> Generator[tuple[int, Any], None, None]:
        """The place of each of *items* and what *function* makes of it, as they end.

        At most *concurrency* are taken from *items* and not yet handed out. What
        kept the function from being called at all is handed out in its result's
        place, an `Exception`.
        """
        ...


class ThreadExecutor:
    """Works in threads of this process; one that is left early does not wait for them."""

    remote = False

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], concurrency: int
    ) -> Generator[tuple[int, Any], None, None]:
        """See `BatchExecutor`."""
        todo: SimpleQueue[Any] = SimpleQueue()
        ended: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        threads, busy = 0, 0
        try:
            for number, item in enumerate(items):
                todo.put((number, contextvars.copy_context(), item))
                busy += 1
                if threads < min(busy, concurrency):
                    threading.Thread(
                        target=_serve, args=(function, todo, ended), daemon=True
                    ).start()
                    threads += 1
                while busy == concurrency or not ended.empty():
                    yield ended.get()
                    busy -= 1
            for _ in range(busy):
                yield ended.get()
        finally:
            for _ in range(threads):
                todo.put(None)


def _serve(
    function: Callable[[Any], Any], todo: SimpleQueue[Any], ended: SimpleQueue[tuple[int, Any]]
) -> None:
    """Do what comes through *todo*, until None does."""
    while (given := todo.get()) is not None:
        number, context, item = given
        try:
            outcome = context.run(function, item)
        except BaseException as error:  # noqa: BLE001  # whoever takes it out is told
            outcome = error
        ended.put((number, outcome))


class Recipe:
    """What makes a provider or a manager wherever the work is done.

    *make* is a function or class at the top of a module; it is called with the
    arguments once in each process::

        Recipe(create_provider, "openai", {"api_key": "${OPENAI_API_KEY}"})

    ``${NAME}`` is replaced there, so that no key travels.

    Raises:
        ConfigError: something in it cannot be pickled.
    """

    def __init__(self, make: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            self._pickled = pickle.dumps((make, args, kwargs))
        except Exception as error:  # noqa: BLE001  # whatever a class does when it is pickled
            fix = "give a function at the top of a module, and plain data"
            raise ConfigError(f"a recipe must travel, and cannot: {error}; {fix}") from None

    def resolve(self, request: Request[Any]) -> tuple[Any, Request[Any]]:
        """Who performs *request* here, and the request for it."""
        return resolve(_made(self._pickled), request)


@lru_cache(maxsize=16)
def _made(pickled: bytes) -> Any:
    make, args, kwargs = pickle.loads(pickled)  # noqa: S301  # it was pickled by who runs this
    return make(*args, **kwargs)


def resolve(call: Any, request: Request[Any]) -> tuple[Any, Request[Any]]:
    """The provider that performs *request* for *call*, a provider or what chooses among some."""
    choose = getattr(call, "resolve", None)
    return (call, request) if choose is None else choose(request)


async def aresolve(call: Any, request: Request[Any]) -> tuple[Any, Request[Any]]:
    """`resolve`, which may ask providers for their models, on the event loop."""
    choose = getattr(call, "aresolve", None)
    found: tuple[Any, Request[Any]] = (
        resolve(call, request) if choose is None else await choose(request)
    )
    return found


class _Anyone(LLMProvider):
    """Stands for whoever will answer while a request is made."""

    info: ClassVar = ProviderInfo(name="PROVIDER", display_name="Any provider")


@lru_cache(maxsize=1)
def _anyone() -> LLMProvider:
    return _Anyone()


def chat_request(model: str, prompt: Any, parameters: Any = None, /, **options: Any) -> ChatRequest:
    """The typed request for what `LLMProvider.execute` takes, whoever answers it."""
    return _anyone().chat_request(model, prompt, parameters, **options)


def work(call: Any, request: Request[Any] | None) -> Any:
    """What became of *request*: its response, or an error.

    With *call* bound this is the unit of work of a batch, and can be pickled if
    *call* is a `Recipe`.
    """
    if request is None:
        return None
    try:
        provider, wanted = resolve(call, request)
        return provider.run(wanted)
    except Exception as error:  # noqa: BLE001  # failures stand beside results
        return as_error(error)


async def awork(call: Any, request: Request[Any] | None) -> Any:
    """`work`, on the event loop."""
    if request is None:
        return None
    try:
        provider, wanted = await aresolve(call, request)
        return await provider.arun(wanted)
    except Exception as error:  # noqa: BLE001  # failures stand beside results
        return as_error(error)


def as_error(error: Exception) -> LLMError:
    """*error*, or one of ours that says what it was; without its frames, which hold much."""
    if not isinstance(error, LLMError):
        said = f"unexpected {type(error).__name__}: {error}"
        return LLMError(said, code="unexpected")
    return error.with_traceback(None)


def find_executor(given: BatchExecutor | str | None) -> BatchExecutor:
    """The executor *given*, the installed one of that name, or threads.

    Raises:
        ConfigError: none of that name is installed.
    """
    if given is None or given == "threads":
        return ThreadExecutor()
    if not isinstance(given, str):
        return given
    if given not in (have := executor_names()):
        raise ConfigError(f"no executor {given!r} is installed; have {', '.join(have)}")
    from ..manifests import admitted

    made: BatchExecutor = admitted(_installed()[given], "executors")()
    return made


def executor_names() -> list[str]:
    """The names of the executors that there are."""
    return ["threads", *sorted(_installed())]


def _installed() -> dict[str, Any]:
    from ..manifests import entries

    return dict(entries("executors"))
