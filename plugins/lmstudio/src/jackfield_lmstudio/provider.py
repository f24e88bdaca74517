"""LM Studio: the dialect, and the models of the machine with their states."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import frozen

from jackfield import HTTPConfig, ModelListRequest, ProviderInfo
from jackfield.exchange import Procedure
from jackfield.http import Exchanges
from jackfield.operations import LoadRequest, UnloadRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op

from .models import list_models, load, unload


@frozen(kw_only=True)
class LMStudioConfig(HTTPConfig):
    """The server's address; the key is a token of its own, where it wants one.

    *api* is which of OpenAI's two APIs chats go through.
    """

    base_url: str = "http://localhost:1234/v1"
    api: Literal["chat", "responses"] = "chat"


class LMStudioProvider(OpenAICompatibleProvider):
    """Models that LM Studio runs. https://lmstudio.ai/docs/developer."""

    info = ProviderInfo(
        name="lmstudio",
        display_name="LM Studio",
        docs_url="https://lmstudio.ai/docs/developer",
        api_key_env="LM_API_TOKEN",
        api_key_required=False,
    )
    Config = LMStudioConfig
    params: ClassVar[ParamTable] = {**PARAMS, **SAMPLING}
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **op.COMPLETIONS,
        ModelListRequest: Procedure(perform=list_models),
        LoadRequest: Procedure(perform=load),
        UnloadRequest: Procedure(perform=unload),
    }
    reasoning_history = "reasoning_content"
