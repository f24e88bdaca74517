"""The provider contract: five verbs, their async twins, and typed requests below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import pluggy
from attrs import evolve, fields, frozen

from .capabilities import proved
from .closing import AsyncClosing, Closing
from .config import Config, load_config, total_timeout, wrong_timeouts
from .drivers.concurrent import AsyncDriver
from .drivers.seam import Outcome
from .drivers.sync import SyncDriver
from .errors import ConfigError, InvalidRequestError, LLMError, UnsupportedOperationError
from .events import StreamEvent
from .flow import NOW, Flow, HTTPRequest, tap
from .hookspecs import hookspec, results
from .params import ALIASES, NAMES, GenerationParams, ParamTable, normalize, parse_params
from .prompts import Prompt, check_options, parse_choice, parse_format, parse_prompt, parse_tools
from .requests import (
    ChatRequest,
    ModelListRequest,
    Request,
    Timeout,
    TokenCountRequest,
    guess_tokens,
)
from .retrying import Budget, RetryQuota, retrying
from .streams import AsyncEventStream, EventStream
from .types import (
    CallWarning,
    ChatResponse,
    ConfigIssue,
    Json,
    ModelInfo,
    Pricing,
    ProviderInfo,
    TokenCount,
)
from .verbs import OperationVerbs

if TYPE_CHECKING:
    from .manifests.guard import ProviderGuard

R = TypeVar("R")
Params = Mapping[str, Any] | GenerationParams | None

_SYNC, _ASYNC = SyncDriver(), AsyncDriver()


@frozen(kw_only=True)
class Explanation:
    """What a call would send, and every compromise it would make; credentials are masked."""

    provider: str
    model: str
    method: str = ""
    url: str = ""
    headers: Mapping[str, str] = {}
    body: Any = None
    warnings: tuple[CallWarning, ...] = ()

    def told_as(self, kind: type[R], **more: Any) -> R:
        """The same as a *kind* of explanation that tells *more*."""
        return kind(**{f.name: getattr(self, f.name) for f in fields(Explanation)}, **more)


class LLMProvider(OperationVerbs, Closing, AsyncClosing):
    """One configured backend.

    Users call the verbs; authors derive from `HTTPProvider` or `LocalProvider`, or
    override `flow` and `operations`.
    """

    info: ClassVar[ProviderInfo]
    params: ClassVar[ParamTable] = {}
    Config: ClassVar[type[Any]] = Config
    prefill: ClassVar[Mapping[str, Any] | None] = None
    """Fields with which the backend goes on with a last assistant message; None: it cannot."""
    batch_share: ClassVar[Decimal | None] = None
    """The part of a single call's price that an answer of its own batches costs, if published."""

    def __init__(
        self,
        config: Any = None,
        *,
        name: str | None = None,
        hook: pluggy.HookRelay | None = None,
        driver: SyncDriver | None = None,
        async_driver: AsyncDriver | None = None,
    ) -> None:
        self.name = name or self.info.name  # first: a traceback from below shows the repr
        given = isinstance(config, self.Config)
        self.config: Any = config if given else load_config(self.Config, config or {})
        self._hook = hook
        self._driver, self._async_driver = driver or _SYNC, async_driver or _ASYNC
        self._quota = RetryQuota()
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # The five verbs: hook specifications, with an implementation to inherit.

    @hookspec
    def list_models(self) -> Sequence[ModelInfo]:
        """The models that this backend offers now."""
        return self.run(ModelListRequest())

    @hookspec
    def execute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """One whole answer of *model* to *prompt*.

        *prompt* is a text, a `Message`, or a sequence of messages (typed, or
        OpenAI-style dicts). *parameters* are common ones under any of their names.
        Options: ``system``, ``tools``, ``tool_choice``, ``response_format``,
        ``attachments``, ``provider_options``, ``timeout``, ``metadata``, ``strict``.
        """
        return self.run(self.chat_request(model, prompt, parameters, **options))

    @hookspec
    def stream_execute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> EventStream[StreamEvent, ChatResponse]:
        """The answer as it comes; ``str(event)`` is its text. Takes what `execute` takes."""
        return self.stream(self.chat_request(model, prompt, parameters, **options))

    @hookspec
    def validate_config(self, probe: bool = False) -> Sequence[ConfigIssue]:
        """What is wrong with the configuration; *probe* asks the backend too."""
        issues = list(self.check_config())
        if probe and not issues:
            try:
                self.list_models()
            except LLMError as error:
                issues.append(_probe_issue(error))
        return issues

    @hookspec
    def get_info(self) -> ProviderInfo:
        """Who this is, and what it was proved to do; what ``info`` claims of that does not count."""
        names = tuple(sorted(r.__name__ for r in self.operations))
        return evolve(self.info, operations=names, capabilities=proved(type(self)))

    async def alist_models(self) -> Sequence[ModelInfo]:
        """`list_models`, on the event loop."""
        return await self.arun(ModelListRequest())

    async def aexecute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """`execute`, on the event loop."""
        return await self.arun(self.chat_request(model, prompt, parameters, **options))

    def astream_execute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> AsyncEventStream[StreamEvent, ChatResponse]:
        """`stream_execute`, on the event loop."""
        return self.astream(self.chat_request(model, prompt, parameters, **options))

    async def avalidate_config(self, probe: bool = False) -> Sequence[ConfigIssue]:
        """`validate_config`, on the event loop."""
        issues = list(self.check_config())
        if probe and not issues:
            try:
                await self.alist_models()
            except LLMError as error:
                issues.append(_probe_issue(error))
        return issues

    async def aget_info(self) -> ProviderInfo:
        """`get_info`, for symmetry: it does no I/O."""
        return self.get_info()

    # Typed requests: what the verbs are made of.

    def run(self, request: Request[R]) -> R:
        """Perform *request* and return its result."""
        return self._driver.run(self.call(request))

    def stream(self, request: Request[R]) -> EventStream[Any, R]:
        """Perform *request*, handing out its events; the stream's ``response`` is its result."""
        outcome: Outcome[R] = Outcome()
        flow = self.call(request, stream=True)
        return EventStream(self._driver.drive(flow, outcome), outcome)

    async def arun(self, request: Request[R]) -> R:
        """`run`, on the event loop."""
        return await self._async_driver.run(self.call(request))

    def astream(self, request: Request[R]) -> AsyncEventStream[Any, R]:
        """`stream`, on the event loop."""
        outcome: Outcome[R] = Outcome()
        flow = self.call(request, stream=True)
        return AsyncEventStream(self._async_driver.drive(flow, outcome), outcome)

    def chat_request(
        self, model: str, prompt: Prompt, parameters: Params = None, /, **options: Any
    ) -> ChatRequest:
        """The typed request for what `execute` takes.

        Raises:
            InvalidRequestError: something in it is misshapen; ``param`` says what.
        """
        check_options(options, (*NAMES, *ALIASES))
        own = options.get("provider_options") or {}
        if not isinstance(own, Mapping) or not all(isinstance(v, Mapping) for v in own.values()):
            fix = f'write {{"{self.info.name}": {{…}}}}'
            message = f"provider_options must map providers' names to fields: {fix}"
            raise InvalidRequestError(message, param="provider_options", phase="build")
        tools = parse_tools(options.get("tools"))
        return ChatRequest(
            model=_model(model),
            messages=parse_prompt(
                prompt,
                system=options.get("system"),
                attachments=options.get("attachments") or (),
            ),
            params=parse_params(parameters),
            tools=tools,
            tool_choice=parse_choice(options.get("tool_choice"), tools),
            response_format=parse_format(options.get("response_format")),
            provider_options=cast("Mapping[str, Json]", own),
            timeout=_timeout(options.get("timeout")),
            strict=options.get("strict"),
            metadata=options.get("metadata") or {},
        )

    def explain(
        self,
        model: str | Request[Any],
        prompt: Prompt = (),
        parameters: Params = None,
        **options: Any,
    ) -> Explanation:
        """What a call would send and every compromise, without sending it."""
        if isinstance(model, Request):
            return self.preview(model)
        return self.preview(self.chat_request(model, prompt, parameters, **options))

    # What authors write, or inherit from the bases.

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        """The request types that this provider performs."""
        return frozenset()

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*; *deadline* is a time of the driver's clock."""
        raise NotImplementedError

    def check_config(self) -> Sequence[ConfigIssue]:
        """What is wrong with the configuration, without I/O."""
        return ()

    def conceal(self, error: LLMError) -> None:
        """Take our own secrets out of what *error* says."""

    def preview(self, request: Request[Any]) -> Explanation:
        """What *request* would send."""
        _, warnings = normalize(self.params, getattr(request, "params", None) or GenerationParams())
        return Explanation(provider=self.name, model=request.model, warnings=tuple(warnings))

    # What the core adds around every call.

    def call(
        self, request: Request[R], *, stream: bool = False, budget: Budget | None = None
    ) -> Flow[R]:
        """The whole flow of *request*: attempts inside middleware. Routes run their targets' calls.

        With the *budget* of a layer around it, the call does not retry by itself.

        Raises:
            UnsupportedOperationError: the provider has no such operation.
        """
        if self._closed:
            raise ConfigError(f"{self.name} is closed: make a new provider", provider=self.name)
        nested = budget is not None
        told = {"provider": self, "nested": nested}
        for prepare in reversed([*results(self._hook, "prepare_call", request=request, **told)]):
            request = prepare(request)  # who wraps further out comes first here, too
        if type(request) not in self.operations:
            if isinstance(request, TokenCountRequest) and ChatRequest in self.operations:
                return cast("Flow[R]", self._estimate(request))
            can = ", ".join(sorted(r.__name__ for r in self.operations))
            message = f"{self.name} has no {type(request).__name__}; it has {can or 'nothing'}"
            raise UnsupportedOperationError(message, provider=self.name)
        flow = self.attempts(request, stream, budget)
        for wrap in list(results(self._hook, "wrap_call", request=request, **told)):
            flow = wrap(flow)
        return flow

    def attempts(self, request: Request[R], stream: bool, budget: Budget | None) -> Flow[R]:
        """*request*, tried as often as our own retry policy allows; once, where *budget* is another's."""
        timeout = request.timeout or self.config.timeout
        deadline = (yield NOW) + timeout.total
        start, own = partial(self._attempt, request, stream), partial(self._own, request)
        if budget is None:
            tries = (partial(start, deadline), self.config.retry, self._quota, deadline, own)
            return (yield from retrying(*tries))
        try:
            return (yield from start(min(deadline, budget.deadline)))
        except LLMError as error:
            own(error)
            raise

    def _own(self, request: Request[Any], error: LLMError) -> None:
        """Have *error* say whose it is, and none of our secrets."""
        self.conceal(error.add(provider=self.name, model=request.model or None))

    def _attempt(self, request: Request[R], stream: bool, deadline: float) -> Flow[R]:
        """One attempt, inside its middleware."""
        flow = tap(self.flow(request, stream=stream, deadline=deadline), change=self._stamped)
        told = {"provider": self, "request": request, "deadline": deadline}
        for wrap in list(results(self._hook, "wrap_attempt", **told)):
            flow = wrap(flow)
        return flow

    @cached_property
    def guard(self) -> ProviderGuard:
        """Says which hosts may be reached, and keeps the credentials of a request out of sight."""
        from .manifests.guard import ProviderGuard

        return ProviderGuard(self)

    def _stamped(self, step: Any) -> Any:
        """*step*; a request under our `guard`, and by the transports that we were given, whoever drives."""
        if type(step) is not HTTPRequest:
            return step
        via = self._driver.own or step.via[0], self._async_driver.own or step.via[1]
        step = self.guard.admit(step)
        return step if via == step.via else evolve(step, via=via)

    def strictly(self, request: Request[Any], warnings: Sequence[CallWarning]) -> None:
        """Raise an `InvalidRequestError` for *warnings* where *request*, or the configuration, is strict."""
        if warnings and (self.config.strict if request.strict is None else request.strict):
            listed = "; ".join(map(str, warnings))
            message = f"{self.name} cannot do this as asked: {listed}"
            raise InvalidRequestError(message, param=warnings[0].subject, phase="build")

    def pricing(self, model: str) -> Pricing | None:
        """What *model* costs here, where a plugin knows."""
        return next(results(self._hook, "price_model", provider=self.info.name, model=model), None)

    def _estimate(self, request: TokenCountRequest) -> Flow[TokenCount]:
        """A count by a tokenizer plugin, else a guess that says so."""
        yield from ()
        asked = {"provider": self.info.name, "model": request.model, "request": request}
        for counted in results(self._hook, "count_tokens", **asked):
            return TokenCount(input_tokens=counted)
        warning = CallWarning("emulated", "count_tokens", "guessed at four bytes a token")
        return TokenCount(input_tokens=guess_tokens(request), estimated=True, warnings=(warning,))

    def join(self, name: str, hook: pluggy.HookRelay) -> None:
        """Go by *name* and call *hook* from now on: a manager takes the provider in."""
        self.name, self._hook = name, hook

    def close(self) -> None:
        """Refuse further calls and let go of what the provider holds; the pools are shared."""
        self._closed = True

    async def aclose(self) -> None:
        """`close`, on the event loop."""
        self.close()


def _probe_issue(error: LLMError) -> ConfigIssue:
    return ConfigIssue("backend", str(error), "check base_url, the key and the network")


def _model(model: Any) -> str:
    if (
        not isinstance(model, str)
        or not model.strip()
        or len(model) > 500
        or not model.isprintable()
    ):
        message = f"model: {str(model)[:60]!r} is not a model's name; list_models() has them"
        raise InvalidRequestError(message, param="model", phase="build")
    return model


def _timeout(given: Any) -> Timeout | None:
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = total_timeout(given)
    if not isinstance(given, Timeout) or wrong_timeouts(given):
        fix = "pass seconds above 0 and at most a week, or a Timeout of such"
        raise InvalidRequestError(f"timeout: {fix}", param="timeout", phase="build")
    return given
