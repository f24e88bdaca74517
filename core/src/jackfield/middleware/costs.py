"""What an attempt costs: how large it is, what it could cost at most, and what it came to, however it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact
from typing import Any, Literal

import msgspec
from attrs import evolve, field, frozen

from ..errors import LLMError, ResponseFormatError, StreamInterruptedError
from ..events import (
    Finish,
    PartAdded,
    ReasoningDelta,
    RefusalDelta,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ..failures import request_id
from ..flow import HTTPRequest, HTTPResponse, Invoke, Read, Sleep
from ..params import ALIASES
from ..requests import AnswerRequest, EmbeddingRequest, Request
from ..secret import mask
from ..types import ChatResponse, Cost, MediaPart, Pricing, ToolResult, Usage

Status = Literal["started", "ok", "error", "cancelled", "uncertain"]
Source = Literal["provider", "computed", "estimated", "unknown"]

EXACT = Context(prec=10_000, traps=[Inexact])
"""Sums of money are exact, or an error."""

BYTES_A_TOKEN = 4
"""The guess for text that nobody counted."""

MEDIA_TOKENS, MEDIA_BYTES = 1600, 20
"""Tokens of a picture, or one for so many bytes of larger media: an assumption."""

TIERS = 50_000
"""Prices by size begin far above so many tokens."""

MAGNITUDE = 1000
"""Digits before or after the point of an amount of money; what has more is none."""

AT_HOME = frozenset({"llamacpp", "llamacpp_server", "lmstudio", "ollama", "scripted", "vllm"})
"""Providers whose models run on one's own machines: without a price, they cost nothing."""

HOME = Pricing(input=Decimal(0), output=Decimal(0), source="runs at home")
FREE = Pricing(input=Decimal(0), output=Decimal(0), source="free of charge")

FREE_REQUESTS = (
    *("ModelListRequest", "ModelInfoRequest", "TokenCountRequest", "TokenizeRequest"),
    *("DetokenizeRequest", "PullRequest", "DeleteRequest", "LoadRequest", "UnloadRequest"),
    *("FileUploadRequest", "FileListRequest", "FileInfoRequest", "FileContentRequest"),
    *("FileDeleteRequest", "BatchInfoRequest", "BatchListRequest", "BatchCancelRequest"),
    *("BatchDeleteRequest", "BatchResultsRequest", "FineTuneInfoRequest", "FineTuneListRequest"),
    "FineTuneCancelRequest",
)
"""Requests that nobody charges for: they look, count, or move files."""


@frozen(kw_only=True)
class Settlement:
    """How an attempt ended: what was used, what it cost, and who says so.

    *amount* is None where the cost is unknown; *estimated* says that tokens were
    guessed; *price* names where and when the price was read.
    """

    status: Status
    usage: Usage = field(factory=Usage)
    estimated: bool = False
    amount: Decimal | None = None
    currency: str = "USD"
    source: Source = "unknown"
    price: str = ""
    model: str = ""
    error: str = ""
    code: str = ""
    request_id: str = ""
    response_id: str = ""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of *amounts*."""
    found = Decimal(0)
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def dollars(amount: Decimal) -> str:
    """*amount* for a person: at least two places, at most six; never a cost that looks like none."""
    if 0 < amount < Decimal("0.0000005"):
        return "<$0.000001"
    whole, _, places = f"{round(amount, 6):f}".partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}${int(whole):,}.{places.rstrip('0').ljust(2, '0')}"


def named(pricing: Pricing | None) -> str:
    """The name of a price: where it was read, and when."""
    return " ".join(str(x) for x in (pricing.source, pricing.as_of) if x) if pricing else ""


def known_price(kind: str, request: Request[Any], pricing: Pricing | None) -> Pricing | None:
    """*pricing*, or that of what is free: some requests, and what runs at home."""
    if type(request).__name__ in FREE_REQUESTS:
        return FREE
    return HOME if pricing is None and kind.replace("-", "_") in AT_HOME else pricing


# How large a request is.


def _media(part: MediaPart) -> int:
    return max(MEDIA_TOKENS, len(part.data or b"") // MEDIA_BYTES)


def _texts(value: Any) -> int:
    """Bytes of text in *value*, whatever it is made of; a token of media counts as one."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, MediaPart):
        return _media(value)
    if isinstance(value, Mapping):
        return sum(_texts(k) + _texts(v) + 4 for k, v in value.items())
    if isinstance(value, list | tuple):
        return sum(_texts(item) + 2 for item in value)
    if hasattr(type(value), "__attrs_attrs__"):
        return sum(_texts(getattr(value, a.name)) for a in type(value).__attrs_attrs__)
    return 0 if value is None or isinstance(value, bytes) else 8


def bytes_of(part: Any) -> int:
    """Bytes of text in *part* of a message; media, in it too, have none."""
    if isinstance(part, MediaPart):
        return 0
    if isinstance(part, ToolResult):
        return sum(map(bytes_of, part.content))
    return _texts(part)


_ASIDE = ("model", "provider_options", "timeout", "strict", "metadata", "params")


def size(request: Request[Any]) -> int:
    """Bytes of what *request* gives the model to read: more than its tokens can be."""
    fields = [a.name for a in type(request).__attrs_attrs__ if a.name not in _ASIDE]
    return 16 + sum(_texts(getattr(request, name)) for name in fields)


def guessed_input(request: Request[Any]) -> int:
    """About how many tokens *request* holds."""
    return -(-size(request) // BYTES_A_TOKEN)


def most_output(kind: str, request: Request[Any], assumed: int) -> int:
    """The most tokens that *request* lets the model write; *assumed* where it sets no limit."""
    own = request.provider_options.get(kind, {})
    if not isinstance(request, AnswerRequest):
        writes = any(w in type(request).__name__ for w in ("Embedding", "Rerank", "Moderation"))
        return 0 if writes else assumed
    names = {"max_tokens", *(a for a, name in ALIASES.items() if name == "max_tokens")}
    limits = [v for name in names if isinstance(v := own.get(name), int)]
    limit = max([0, request.params.max_tokens or 0, *limits]) or assumed
    answers = own.get("n")
    return limit * (answers if isinstance(answers, int) and answers > 1 else 1)


def worst(
    request: Request[Any], kind: str, pricing: Pricing | None, assumed: int
) -> Decimal | None:
    """The most that *request* can cost: each byte of its input a token, all of its output used."""
    if pricing is None or pricing is HOME or pricing is FREE:
        return None if pricing is None else Decimal(0)
    read, written = size(request), most_output(kind, request, assumed)
    dearest = max(pricing.input, pricing.cache_write or pricing.input)
    amount = (read * dearest + written * pricing.output) / 1_000_000
    if read + written < TIERS:
        return amount
    tiered = pricing.cost(Usage(input_tokens=read, output_tokens=written)).amount
    return max(amount, tiered or amount)


# What passed.


_SENDING = frozenset({HTTPRequest, Invoke, Sleep})
"""Effects after which the backend may have been asked."""


class Seen:
    """What passed of one attempt: whether it was sent, what the answer's head and events told."""

    __slots__ = ("at", "finish", "request_id", "sent", "start", "told", "usage", "written")

    def __init__(self) -> None:
        self.sent = False
        self.told = False
        """Whether the backend said anything of the answer."""
        self.written = 0
        """Bytes of the answer that came as events."""
        self.start = StreamStart()
        self.usage = Usage()
        self.finish: Finish | None = None
        self.request_id = ""
        self.at = 0.0
        """The driver's clock when the last bytes came; 0 for never."""

    def sending(self, step: Any) -> None:
        """Note the effect *step* before it happens."""
        if not self.sent and type(step) in _SENDING:
            self.sent = True

    def came(self, step: Any, outcome: Any) -> None:
        """Note the *outcome* of *step*."""
        if type(step) is Read:
            self.at = step.response.at
        elif type(outcome) is HTTPResponse:
            self.at = outcome.at
            self.request_id = request_id(outcome.headers) or ""

    def events(self, events: list[Any]) -> None:
        """Note a batch of *events* before it is delivered."""
        self.told = True
        for event in events:
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta or kind is RefusalDelta:
                self.written += _texts(event.text)
            elif kind is ToolCallDelta:
                self.written += _texts(event.name) + _texts(event.arguments)
            elif kind is PartAdded:
                self.written += _texts(event.part)
            elif kind is StreamStart:
                self.start, self.usage = event, event.usage or self.usage
            elif kind is Finish and event.choice == 0:
                self.finish = event


def _completed(usage: Usage, request: Request[Any], written: int) -> tuple[Usage, bool]:
    """*usage* with a guess for what nobody counted, where there is something to guess from."""
    if not isinstance(request, AnswerRequest | EmbeddingRequest):
        return usage, False
    guesses: dict[str, Any] = {}
    if usage.input_tokens is None:
        guesses["input_tokens"] = guessed_input(request)
    if usage.output_tokens is None and (written or isinstance(request, EmbeddingRequest)):
        guesses["output_tokens"] = -(-written // BYTES_A_TOKEN)
    estimated = bool(guesses) or usage.output_tokens is None
    return evolve(usage, **guesses) if guesses else usage, estimated


def _sane(cost: Cost | None) -> Cost:
    """*cost*, or an unknown one where it is no amount of money."""
    if cost is None or cost.amount is None or not cost.amount.is_finite() or cost.amount < 0:
        return Cost()
    return cost if abs(cost.amount.adjusted()) <= MAGNITUDE else Cost()


def _charged(usage: Usage, estimated: bool, cost: Cost, pricing: Pricing | None) -> dict[str, Any]:
    """The money of a settlement: what the provider says, else what *pricing* makes of *usage*."""
    facts: dict[str, Any] = {"usage": usage, "estimated": estimated}
    if cost.amount is None:
        # What was written before a break is unknown where nothing came: the input has its price.
        counted = evolve(usage, output_tokens=usage.output_tokens or 0) if estimated else usage
        cost = _sane(pricing.cost(counted)) if pricing else cost
        if cost.amount is None and (pricing is FREE or pricing is HOME):
            cost = Cost(amount=Decimal(0), source="computed")
        source = "unknown" if cost.amount is None else "estimated" if estimated else "computed"
    else:
        source = cost.source if cost.source != "unknown" else "provider"
    price = named(pricing) if source in ("computed", "estimated") else ""
    return {
        **facts,
        "amount": cost.amount,
        "currency": cost.currency,
        "source": source,
        "price": price,
    }


def finished(request: Request[Any], result: Any, seen: Seen, pricing: Pricing | None) -> Settlement:
    """The settlement of an attempt that gave *result*."""
    usage = getattr(result, "usage", None) or Usage()
    cost = _sane(getattr(result, "cost", None))
    written = seen.written or _written(result)
    usage, estimated = _completed(usage, request, written)
    return Settlement(
        status="ok",
        model=str(getattr(result, "model", "") or ""),
        request_id=seen.request_id,
        response_id=str(getattr(result, "id", "") or ""),
        **_charged(usage, estimated, cost, pricing),
    )


def _written(result: Any) -> int:
    """Bytes of the answers in *result*."""
    if not isinstance(result, ChatResponse):
        return 0
    messages = (result.message, *(a.message for a in result.alternatives))
    return sum(_texts(part) for message in messages for part in message.content)


def failed(
    request: Request[Any], error: Exception, seen: Seen, pricing: Pricing | None
) -> Settlement:
    """The settlement of an attempt that *error* ended."""
    facts: dict[str, Any] = {"error": type(error).__name__, "request_id": seen.request_id}
    if isinstance(error, LLMError):
        facts["code"] = mask(error.code or "")[:200]
        facts["request_id"] = error.request_id or seen.request_id
    if not (seen.told or _may_have_run(error, seen)):
        nothing = Usage(input_tokens=0, output_tokens=0)
        return Settlement(
            status="error", usage=nothing, amount=Decimal(0), source="computed", **facts
        )
    partial = error.partial_usage if isinstance(error, StreamInterruptedError) else Usage()
    settled = _broken_off(request, seen, partial, pricing)
    return evolve(settled, status="error" if seen.told else "uncertain", **facts)


def _may_have_run(error: Exception, seen: Seen) -> bool:
    if not isinstance(error, LLMError):
        return seen.sent
    answered = isinstance(error, ResponseFormatError | StreamInterruptedError)
    return error.maybe_executed or answered or 200 <= (error.status or 0) < 300


def left(request: Request[Any], seen: Seen, pricing: Pricing | None) -> Settlement:
    """The settlement of an attempt whose caller went away, or was cancelled."""
    if not seen.sent and not seen.told:
        nothing = Usage(input_tokens=0, output_tokens=0)
        return Settlement(status="cancelled", usage=nothing, amount=Decimal(0), source="computed")
    settled = _broken_off(request, seen, Usage(), pricing)
    return evolve(settled, status="cancelled", request_id=seen.request_id)


def _broken_off(
    request: Request[Any], seen: Seen, partial: Usage, pricing: Pricing | None
) -> Settlement:
    """What an attempt came to that did not come to its end: what was told, and guesses for the rest."""
    end = seen.finish
    whole = end is not None and end.usage is not None
    told = (end.usage if end else None) or (partial if partial != Usage() else seen.usage)
    usage, estimated = _completed(told, request, seen.written)
    if not whole and isinstance(request, AnswerRequest):  # a count before the end is no total
        guess = -(-seen.written // BYTES_A_TOKEN)
        written = max(usage.output_tokens or 0, guess) or None
        usage, estimated = evolve(usage, output_tokens=written), True
    charged = _charged(usage, estimated, _sane(end.cost if end else None), pricing)
    head: dict[str, Any] = {"model": seen.start.model, "response_id": seen.start.id}
    return Settlement(status="error", **head, **charged)


def raw(usage: Usage) -> str | None:
    """The provider's own counts as JSON; None where there are none, or too many."""
    if not usage.raw:
        return None
    try:
        text = mask(msgspec.json.encode(usage.raw, enc_hook=str).decode())
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return text if len(text) <= 4096 else None
