"""Attachments: files, bytes and URLs become media parts, or a complaint that names them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from core_toy import make

from jackfield import InvalidRequestError, MediaPart, Message
from jackfield.attachments import MAX_ATTACHMENT, attachment, sniff

PNG = b"\x89PNG\r\n\x1a\n0000"
TOY = make()

MAGIC = [
    (PNG, "image/png"),
    (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
    (b"GIF89a", "image/gif"),
    (b"GIF87a", "image/gif"),
    (b"RIFF1234WEBPVP8 ", "image/webp"),
    (b"RIFF1234WAVEfmt ", "audio/wav"),
    (b"%PDF-1.7", "application/pdf"),
    (b"ID3\x04", "audio/mpeg"),
]


@pytest.mark.parametrize(("data", "kind"), MAGIC)
def test_bytes_are_known_by_how_they_begin(data: bytes, kind: str) -> None:
    assert sniff(data) == kind
    assert attachment(data) == MediaPart(kind, data)


def test_a_file_is_read_and_keeps_its_name(tmp_path: Path) -> None:
    picture = tmp_path / "dot.png"
    picture.write_bytes(PNG)
    wanted = MediaPart("image/png", PNG, name="dot.png")
    assert attachment(picture) == attachment(str(picture)) == wanted


def test_a_files_type_may_come_from_its_name(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Hello")
    assert attachment(note).media_type == "text/plain"


def test_a_url_is_passed_on_unread() -> None:
    assert attachment("https://x.example/a.png?size=1") == MediaPart(
        "image/png", url="https://x.example/a.png?size=1"
    )
    assert attachment("https://x.example/picture").media_type == "image/*"


def test_attachments_join_the_last_user_message_before_its_text() -> None:
    request = TOY.chat_request("m", "What is this?", attachments=[PNG])
    assert request.messages == (
        Message("user", [MediaPart("image/png", PNG), *Message("user", "What is this?").content]),
    )


@pytest.mark.parametrize("lone", [PNG, MediaPart("image/png", PNG), "https://x.example/a.png"])
def test_one_attachment_needs_no_list(lone: Any) -> None:
    assert len(TOY.chat_request("m", "Hi", attachments=lone).messages[0].content) == 2


def refused(given: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        TOY.chat_request("m", "Hi", attachments=given)
    assert caught.value.param == "attachments"
    return str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "nothing.png does not exist" in refused([tmp_path / "nothing.png"])


def test_a_folder_is_no_attachment(tmp_path: Path) -> None:
    assert "is a directory" in refused([tmp_path])


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert "has 0 bytes" in refused([tmp_path / "empty.png"])


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(MAX_ATTACHMENT + 1)
    assert f"1 to {MAX_ATTACHMENT} can be sent" in refused([tmp_path / "big.png"])


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"<html>")
    assert "is named like image/png, but is something else" in refused([tmp_path / "page.png"])
    (tmp_path / "photo.jpg").write_bytes(PNG)
    assert "but is image/png" in refused([tmp_path / "photo.jpg"])


def test_a_file_of_no_known_type_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "thing").write_bytes(b"\x00\x01\x02")
    assert "pass MediaPart(media_type, data)" in refused([tmp_path / "thing"])
    assert "pass MediaPart(media_type, data)" in refused([b"\x00\x01\x02"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe.png" in refused([tmp_path / "pipe.png"])


@pytest.mark.parametrize(
    "given", [[5], [None], 5, [["a.png"]], [{"path": "a.png"}], ["a\0b.png"], [""]]
)
def test_what_is_no_attachment_at_all_is_refused(given: Any) -> None:
    assert "attachment" in refused(given)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x.example/a.png"])
def test_other_schemes_are_not_fetched(url: str) -> None:
    assert "does not exist" in refused([url])


def test_attachments_need_a_user_message_to_join() -> None:
    with pytest.raises(InvalidRequestError, match="end with one that is"):
        TOY.chat_request(
            "m", [Message("user", "Hi"), Message("assistant", "Yes")], attachments=[PNG]
        )


def test_a_media_part_has_data_or_a_url_and_a_short_repr() -> None:
    for wrong in ({}, {"data": b"x", "url": "https://x.example"}):
        with pytest.raises(ValueError, match="either data or url"):
            MediaPart("image/png", **wrong)  # type: ignore[arg-type]  # that is the claim
    assert "<12 bytes>" in repr(MediaPart("image/png", PNG))
