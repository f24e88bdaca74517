"""Forms say what they were given, to anybody who reads them by the standard."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import InvalidRequestError
from jackfield.flow import HTTPRequest
from jackfield.operations.forms import FilePart, form_request

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


def read(request: HTTPRequest) -> list[tuple[Any, Any, str, Any]]:
    """The form's parts, by the standard library's reader: name, file name, type, bytes."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + (request.body or b""), policy=policy.HTTP)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type() if part.get_filename() else "",
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


@given(st.lists(st.tuples(NAMES, st.text(st.characters(codec="utf-8"))), min_size=1))
def test_values_come_in_their_order_and_names_may_repeat(fields: list[tuple[str, str]]) -> None:
    found = [(name, data.decode()) for name, _, _, data in read(form_request("/x", fields))]
    assert found == fields


@given(st.binary(), NAMES)
def test_a_file_comes_with_its_bytes_name_and_type(data: bytes, name: str) -> None:
    request = form_request("/x", [("file", FilePart(f"{name}.png", "image/png", data))])
    assert read(request) == [("file", f"{name}.png", "image/png", data)]


@given(st.binary())
def test_a_boundary_occurs_nowhere_else(data: bytes) -> None:
    request = form_request("/x", [("file", FilePart("a", "text/plain", data))])
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    assert (request.body or b"").count(boundary) == 2


@pytest.mark.parametrize(
    ("value", "written"),
    [(True, b"true"), (1.5, b"1.5"), (["a"], b'["a"]'), ({"a": 1}, b'{"a":1}')],
)
def test_values_that_are_no_text_are_written_as_json_has_them(value: Any, written: bytes) -> None:
    assert read(form_request("/x", [("v", value), ("left-out", None)])) == [
        ("v", None, "", written)
    ]


@given(st.text(st.characters(codec="utf-8")))
def test_a_name_does_not_break_out_of_its_quotes(name: str) -> None:
    request = form_request("/x", [(name, FilePart(name, "text/plain", b"1")), ("b", "2")])
    assert len(read(request)) == 2


@pytest.mark.parametrize("kind", ["image/png\r\nX-Evil: 1", "a\0b"])
def test_a_media_type_with_line_breaks_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRequestError, match="media type"):
        form_request("/x", [("file", FilePart("a", kind, b""))])
