"""Every hook there is, beside the five verbs of `LLMProvider`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .flow import Wrapper
    from .provider import LLMProvider
    from .requests import Request
    from .types import Pricing

NAME = "jackfield"
hookspec = pluggy.HookspecMarker(NAME)
hookimpl = pluggy.HookimplMarker(NAME)


def results(hook: pluggy.HookRelay | None, name: str, **given: Any) -> Iterator[Any]:
    """What the implementations of the hook *name* return, but None, as pluggy orders it: one after the other.

    Each call of a model asks several hooks, and asking like this takes a quarter of the time.
    """
    if hook is None:
        return
    caller: pluggy.HookCaller = getattr(hook, name)
    found = caller.get_hookimpls()
    if found and (found[-1].hookwrapper or found[-1].wrapper):  # pluggy has those last
        whole = caller(**given)
        yield from whole if isinstance(whole, list) else [] if whole is None else [whole]
        return
    for each in reversed(found):
        result = each.function(*[given[argument] for argument in each.argnames])
        if result is not None:
            yield result


@hookspec(historic=True)
def register_providers() -> Iterable[type[LLMProvider]] | None:
    """Return provider classes that come with this plugin."""


@hookspec
def prepare_call(
    provider: LLMProvider, request: Request[Any], nested: bool
) -> Callable[[Request[Any]], Request[Any]] | None:
    """Return a function from request to request, applied to what this call is asked, or None.

    It may change the request, or raise an error in the call's place. *nested* is as in `wrap_call`.
    """


@hookspec
def wrap_call(provider: LLMProvider, request: Request[Any], nested: bool) -> Wrapper | None:
    """Return a function from flow to flow that goes around this call, or None.

    It sees blocking, async, plain and streamed calls alike, once a call (retries
    are inside), and may yield effects of its own. *nested* says that a route
    calls, whose own call was wrapped already. An implementation names the
    arguments that it needs::

        @hookimpl
        def wrap_call(provider, request):
            def logged(flow):
                response = yield from flow
                log.info("%s used %s", provider.name, response.usage)
                return response

            return logged
    """


@hookspec
def wrap_attempt(provider: LLMProvider, request: Request[Any], deadline: float) -> Wrapper | None:
    """Return a function from flow to flow that goes around each attempt, or None.

    As `wrap_call`, but inside retries, and only around providers that are no route:
    what counts, limits or books what a backend is really asked belongs here. The
    call ends at *deadline* of the driver's clock, however many attempts it makes.
    """


@hookspec(firstresult=True)
def price_model(provider: str, model: str) -> Pricing | None:
    """Return the price of a model, for answers whose provider does not say what they cost."""


@hookspec(firstresult=True)
def count_tokens(provider: str, model: str, request: Request[Any]) -> int | None:
    """Return how many tokens *request* holds, for providers without a way to count."""


@hookspec
def register_commands(cli: Any) -> None:
    """Add commands to *cli*, the click group behind ``jackfield``."""
