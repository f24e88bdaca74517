"""Plain text: completions without roles, and a model's own tokens."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from ..requests import AnswerRequest, Request
from ..types import Json


@frozen(kw_only=True)
class CompletionRequest(AnswerRequest):
    """Ask a model to write on after *prompt*; with *suffix*, to write what stands between."""

    prompt: str
    suffix: str | None = None


@frozen(kw_only=True)
class Tokens:
    """The tokens of a text: their numbers in the model's vocabulary, and their texts if told."""

    ids: tuple[int, ...]
    texts: tuple[str, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.ids)


@frozen(kw_only=True)
class TokenizeRequest(Request[Tokens]):
    """Ask how *model* cuts *text* into tokens."""

    text: str


def _ids(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(ids)


@frozen(kw_only=True)
class DetokenizeRequest(Request[str]):
    """Ask for the text that *ids* stand for."""

    ids: tuple[int, ...] = field(converter=_ids)
