"""The settings, and which version of the API a call goes to.

Source: https://docs.cohere.com/reference/about
"""

from __future__ import annotations

import re
from typing import Any, Literal

from attrs import field, frozen

from jackfield import HTTPConfig

BASE_URL = "https://api.cohere.com"


def _root(url: str) -> str:
    """*url* without the version, which the paths bring: people write it both ways."""
    return re.sub(r"(/v[12])?/*$", "", url)


@frozen(kw_only=True)
class CohereConfig(HTTPConfig):
    """*api* is the version that chats, embeddings and rerank go through.

    One call goes another way with ``provider_options={"cohere": {"api": "v1"}}``.
    *input_type* says what embedded texts are for, where a call does not:
    ``"search_document"``, ``"search_query"``, ``"classification"`` or ``"clustering"``.
    """

    base_url: str = field(default=BASE_URL, converter=_root)
    api: Literal["v2", "v1"] = "v2"
    input_type: str = "search_document"


def version(call: Any) -> str:
    """The API's version that *call* goes to."""
    return str(call.memo.get("api") or call.config.api)
