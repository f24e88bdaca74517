"""What a recorded form holds, read by the standard library's own reader of messages."""

from __future__ import annotations

from email import message_from_string, policy
from typing import Any


def _parts(text: str) -> list[Any]:
    boundary = text.partition("\r\n")[0].removeprefix("--")
    head = f'content-type: multipart/form-data; boundary="{boundary}"\r\n\r\n'
    return list(message_from_string(head + text, policy=policy.HTTP).iter_parts())


def _name(part: Any) -> str:
    return str(part.get_param("name", header="content-disposition"))


def form_fields(text: Any) -> dict[str, str]:
    """The fields that are no files; empty where *text* is no form."""
    if not isinstance(text, str) or not text.startswith("--"):
        return {}
    return {
        _name(p): p.get_payload().removesuffix("\r\n")
        for p in _parts(text)
        if p.get_filename() is None
    }


def form_files(text: str) -> list[tuple[str, str]]:
    """Name and media type of each file."""
    return [(p.get_filename(), p.get_content_type()) for p in _parts(text) if p.get_filename()]
