"""The stores of the cache: bounded, forgetful in time, shared where they say so, and never in the way."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.manager.settings import CacheSettings
from jackfield.middleware import cache_stores
from jackfield.middleware.cache_stores import REST, DiskStore, MemoryStore, Store

NOW = 1_000_000.0
Make = Callable[..., Store]


@pytest.fixture(params=["memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    made: list[Store] = []

    def store(**settings: Any) -> Store:
        given = CacheSettings(**settings)
        path = tmp_path / f"{len(made)}.sqlite3"
        made.append(MemoryStore(given) if request.param == "memory" else DiskStore(path, given))
        return made[-1]

    yield store
    for one in made:
        one.close()


def test_what_was_put_is_there_until_its_time_is_over(make: Make) -> None:
    store = make(ttl=60)
    assert store.get(b"key", NOW) is None
    assert store.put(b"key", b"one", NOW)
    assert store.put(b"key", b"two", NOW)
    assert store.get(b"key", NOW + 59.9) == b"two"
    assert store.get(b"key", NOW + 60) is None


def test_the_least_recently_used_go_first(make: Make) -> None:
    store = make(entries=3)
    for key in (b"a", b"b", b"c"):
        store.put(key, key, NOW)
    store.get(b"a", NOW)
    store.put(b"d", b"d", NOW)
    assert [store.get(key, NOW) for key in (b"a", b"b", b"c", b"d")] == [b"a", None, b"c", b"d"]


def test_there_are_never_more_bytes_than_allowed(make: Make) -> None:
    store, big = make(megabytes=1), bytes(400_000)
    for key in (b"a", b"b", b"c"):
        assert store.put(key, big, NOW)
    assert [store.get(key, NOW) is not None for key in (b"a", b"b", b"c")] == [False, True, True]
    store.put(b"d", bytes(1_000_001), NOW)
    assert store.get(b"d", NOW) is None


@given(
    st.lists(st.tuples(st.sampled_from("pg"), st.integers(0, 5)), max_size=40), st.integers(1, 4)
)
def test_both_stores_are_the_same_book(steps: list[tuple[str, int]], entries: int) -> None:
    """The memory's order is the definition of the disk's."""
    settings = CacheSettings(entries=entries)
    memory, disk = MemoryStore(settings), DiskStore(Path(":memory:"), settings)
    file = sqlite3.connect(":memory:", isolation_level=None)
    disk._open = (os.getpid(), file, cache_stores._prepared(file))
    for number, (what, key) in enumerate(steps):
        name = bytes([key])
        if what == "p":
            assert memory.put(name, b"%d" % number, NOW)
            assert disk.put(name, b"%d" % number, NOW)
        else:
            assert memory.get(name, NOW) == disk.get(name, NOW)
    disk.close()


# The disk.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "cache.sqlite3"


@pytest.fixture
def open_store(path: Path) -> Iterator[Callable[..., DiskStore]]:
    made: list[DiskStore] = []

    def store(**settings: Any) -> DiskStore:
        made.append(DiskStore(path, CacheSettings(**settings)))
        return made[-1]

    yield store
    for one in made:
        one.close()


Open = Callable[..., DiskStore]


def test_a_file_outlives_its_store_and_is_shared_by_several(open_store: Open) -> None:
    one, other = open_store(), open_store()
    assert one.put(b"key", b"kept", NOW)
    assert one.salt(NOW) == other.salt(NOW)
    assert other.get(b"key", NOW) == b"kept"
    one.close()
    assert one.get(b"key", NOW) == open_store().get(b"key", NOW) == b"kept"


def test_only_the_owner_can_read_the_file(open_store: Open, path: Path) -> None:
    before = os.umask(0)
    try:
        open_store().put(b"key", b"kept", NOW)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert (modes, stat.S_IMODE(path.parent.stat().st_mode)) == ({0o600}, 0o700)
    path.chmod(0o644)
    open_store().get(b"key", NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


PUTS = """
import sys
from pathlib import Path
from jackfield.manager.settings import CacheSettings
from jackfield.middleware.cache_stores import DiskStore
store, now = DiskStore(Path(sys.argv[1]), CacheSettings()), NOW
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    assert store.put(b"%d" % number, b"%d" % number, now)
store.close()
"""


def test_processes_that_open_the_file_at_once_write_to_one(open_store: Open, path: Path) -> None:
    code = PUTS.replace("NOW", repr(NOW))
    starts = [[sys.executable, "-c", code, str(path), str(100 * n)] for n in range(3)]
    workers = [subprocess.Popen(start) for start in starts]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    store = open_store()
    wrote = [100 * n + i for n in range(3) for i in range(20)]
    assert [store.get(b"%d" % number, NOW) for number in wrote] == [b"%d" % n for n in wrote]


def test_an_answer_from_the_future_is_none(open_store: Open) -> None:
    """The clock was a day ahead, and was set right."""
    store = open_store(ttl=60)
    store.put(b"key", b"kept", NOW + 86_400)
    assert store.get(b"key", NOW) is None


def test_a_damaged_row_is_not_found(open_store: Open, path: Path) -> None:
    store = open_store()
    for key in (b"a", b"b", b"c"):
        store.put(key, key * 10, NOW)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE answers SET answer = x'00' WHERE key = ?", (b"a",))
        row = "(SELECT answer, seal FROM answers WHERE key = ?)"
        file.execute(f"UPDATE answers SET (answer, seal) = {row} WHERE key = ?", (b"c", b"b"))  # noqa: S608  # no value in it
    file.close()
    assert [store.get(key, NOW) for key in (b"a", b"b", b"c")] == [None, None, b"c" * 10]
    assert store.put(b"a", b"new", NOW)
    assert store.get(b"a", NOW) == b"new"


def no_file(path: Path) -> None:
    path.write_bytes(b"This is a text, and no database. " * 100)


def another_program(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE answers (question TEXT)")
    file.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [no_file, another_program, folder])
def test_a_file_that_is_no_cache_is_left_as_it_is_with_a_warning(
    spoil: Callable[[Path], None], open_store: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    spoil(path)
    store = open_store()
    assert store.salt(NOW) is None
    assert store.get(b"key", NOW) is None
    assert not store.put(b"key", b"kept", NOW)
    assert str(path) in caplog.text
    assert {r.levelno for r in caplog.records} == {logging.WARNING}


def test_a_file_that_failed_is_left_alone_for_a_while(
    open_store: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir(parents=True)
    store = open_store()
    for second in range(int(REST)):
        store.get(b"key", NOW + second)
    assert len(caplog.records) == 1
    path.rmdir()
    assert store.get(b"key", NOW + REST) is None
    assert store.put(b"key", b"kept", NOW + REST)
    assert store.get(b"key", NOW + REST) == b"kept"
    assert len(caplog.records) == 1


def test_a_file_that_another_process_locks_can_still_be_read(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cache_stores, "BUSY", 0.01)
    store = open_store()
    store.put(b"key", b"kept", NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not store.put(b"key", b"new", NOW)
    assert store.get(b"key", NOW) == b"kept"
    other.close()
    assert store.put(b"key", b"new", NOW + REST)
    assert "locked" in caplog.text


def test_so_can_one_on_a_disk_that_is_full(
    open_store: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    store.put(b"key", b"kept", NOW)
    assert store._open
    store._open[1].execute("PRAGMA max_page_count = 1")  # no file may grow: as a full disk
    assert not store.put(b"other", bytes(1_000_000), NOW)
    assert store.get(b"key", NOW) == b"kept"
    assert "full" in caplog.text


def test_a_folder_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    store = DiskStore(Path("/dev/null/cache.sqlite3"), CacheSettings())
    assert not store.put(b"key", b"kept", NOW)
    assert "calls go on without it" in caplog.text


def _read(store: DiskStore, found: Any) -> None:
    found.send(store.get(b"key", NOW))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_the_file_for_itself(open_store: Open) -> None:
    store = open_store()
    store.put(b"key", b"kept", NOW)
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    worker = fork.Process(target=_read, args=(store, theirs))
    worker.start()
    assert ours.recv() == b"kept"
    worker.join()
    assert store.put(b"key", b"new", NOW)
