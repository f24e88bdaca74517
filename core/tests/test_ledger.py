"""The ledger: each attempt has its row before it is sent, and the row is true however the attempt ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import anyio
import pytest
from core_ledger import PRICE, Elsewhere, booked
from core_toy import BACKENDS, aio
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatResponse,
    Cost,
    Finish,
    InvalidRequestError,
    Message,
    ServerError,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    Usage,
    operations,
    requests,
)
from jackfield.flow import Sleep
from jackfield.manager.settings import BudgetSettings, LedgerSettings
from jackfield.middleware.costs import FREE_REQUESTS, left
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.ledger_file import LedgerError
from jackfield.middleware.ledger_rows import Attempt
from jackfield.middleware.usage import attempts, cost_analysis, usage
from jackfield.testing import Answer, ScriptedProvider

NOON = datetime(2026, 11, 26, 12, 0, 0, 250_000, tzinfo=UTC)


def scripted(
    ledger: Ledger, *answers: Any, kind: type[ScriptedProvider] = ScriptedProvider, **config: Any
) -> ScriptedProvider:
    return booked(kind, ledger, answers, **config)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    place = LedgerSettings(path=tmp_path / "ledger.sqlite3", durability="process")
    made = Ledger(place, clock=lambda: NOON)
    yield made
    made.close()


def only(ledger: Ledger) -> dict[str, Any]:
    (row,) = attempts(ledger.store)
    return row


WHOLE = {
    "status": "ok",
    "input_tokens": 1,
    "output_tokens": 2,
    "estimated": 0,
    "source": "computed",
}


def told(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def test_a_row_says_who_what_when_and_what_it_cost(ledger: Ledger) -> None:
    metadata = {"tags": ["x", "y", "x"], "tenant": "acme", "call_id": "c-1"}
    scripted(ledger, "Hello there").execute("m", "Hi", metadata=metadata)
    row = only(ledger)
    assert told(row, *WHOLE) == WHOLE
    assert told(row, "provider", "kind", "model", "answered", "operation") == {
        "provider": "work",
        "kind": "scripted",
        "model": "m",
        "answered": "m",
        "operation": "ChatRequest",
    }
    assert (row["tags"], row["tenant"], row["call_id"]) == ('["x", "y"]', "acme", "c-1")
    assert (row["started"], row["price"]) == ("2026-11-26T12:00:00.250000Z", "a table")
    assert Decimal(row["amount"]) == (PRICE.input + 2 * PRICE.output) / 1_000_000
    assert (row["response_id"], row["currency"], row["multiplier"]) == ("scripted-1", "USD", "1")


@pytest.mark.parametrize("backend", BACKENDS)
def test_blocking_streamed_and_asynchronous_calls_leave_the_same_row(
    ledger: Ledger, backend: str
) -> None:
    provider = scripted(ledger, "Hello there")
    provider.execute("m", "Hi")
    provider.stream_execute("m", "Hi").drain()

    async def main() -> None:
        await provider.aexecute("m", "Hi")
        await provider.astream_execute("m", "Hi").drain()

    aio(main, backend)
    own = ("id", "seconds", "response_id", "owner")
    rows = [{k: v for k, v in row.items() if k not in own} for row in attempts(ledger.store)]
    assert rows == [rows[0]] * 4


def test_the_row_is_there_before_the_attempt_is_made(ledger: Ledger) -> None:
    seen: list[dict[str, Any]] = []

    def look(_request: Any) -> str:
        seen.extend(attempts(ledger.store))
        return "Hello"

    scripted(ledger, look).execute("m", "Hi", {"max_tokens": 100})
    (row,) = seen
    assert (row["status"], row["amount"]) == ("started", None)
    assert Decimal(row["reserved"]) > 100 * PRICE.output / 1_000_000
    assert only(ledger)["status"] == "ok"


def test_each_attempt_has_a_row_of_its_own(ledger: Ledger) -> None:
    broken = Answer(error=ServerError("down"))
    provider = scripted(ledger, broken, broken, "Hello", retry={"attempts": 3, "initial": 0.0})
    provider.execute("m", "Hi")
    assert sorted(row["status"] for row in attempts(ledger.store)) == ["error", "error", "ok"]


def test_what_failed_before_it_ran_cost_nothing(ledger: Ledger) -> None:
    refused = InvalidRequestError("no", status=400, code="bad", request_id="req-1")
    with pytest.raises(InvalidRequestError):
        scripted(ledger, Answer(error=refused)).execute("m", "Hi")
    row = only(ledger)
    assert told(
        row, "status", "amount", "source", "input_tokens", "output_tokens", "estimated"
    ) == {
        "status": "error",
        "amount": "0",
        "source": "computed",
        "input_tokens": 0,
        "output_tokens": 0,
        "estimated": 0,
    }
    assert told(row, "error", "code", "request_id") == {
        "error": "InvalidRequestError",
        "code": "bad",
        "request_id": "req-1",
    }


@pytest.mark.parametrize(
    "error",
    [ServerError("broke", status=500, maybe_executed=True), ZeroDivisionError("a bug")],
    ids=["typed", "untyped"],
)
def test_what_may_have_run_is_uncertain_at_the_estimated_cost_of_its_input(
    ledger: Ledger, error: Exception
) -> None:
    with pytest.raises(type(error)):
        scripted(ledger, kind=_failing(error)).execute("m", "Tell me a story")
    row = only(ledger)
    assert (row["status"], row["estimated"], row["output_tokens"]) == ("uncertain", 1, None)
    assert row["input_tokens"] > 0
    assert Decimal(row["amount"]) == row["input_tokens"] * PRICE.input / 1_000_000


def _failing(error: Exception) -> type[ScriptedProvider]:
    class Failing(ScriptedProvider):
        def flow(self, request: Any, *, stream: bool, deadline: float) -> Any:
            yield Sleep(0.001)
            raise error

    return Failing


STORY = "Once upon a time there was a pelican"


def test_a_broken_stream_is_counted_by_what_had_come(ledger: Ledger) -> None:
    provider = scripted(ledger, Answer(STORY, cut_after=4))
    with pytest.raises(StreamInterruptedError) as caught:
        provider.stream_execute("m", "Hi").drain()
    row = only(ledger)
    assert (row["status"], row["estimated"], row["source"]) == ("error", 1, "estimated")
    assert row["output_tokens"] == -(-len(caught.value.partial_text.encode()) // 4) > 0
    assert Decimal(row["amount"]) > row["output_tokens"] * PRICE.output / 1_000_000


def test_what_a_broken_stream_had_reported_counts(ledger: Ledger) -> None:
    start = StreamStart(model="m", usage=Usage(input_tokens=500, output_tokens=1))
    provider = scripted(ledger, Answer(events=(start, TextDelta(STORY)), cut_after=1))
    with pytest.raises(StreamInterruptedError):
        provider.stream_execute("m", "Hi").drain()
    row = only(ledger)
    assert (row["input_tokens"], row["output_tokens"]) == (500, 9)


def test_a_caller_who_leaves_is_charged_for_what_came(ledger: Ledger) -> None:
    with scripted(ledger, STORY).stream_execute("m", "Hi") as stream:
        next(stream), next(stream)
    row = only(ledger)
    assert (row["status"], row["estimated"], row["output_tokens"]) == ("cancelled", 1, 2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_call_is_settled(ledger: Ledger, backend: str) -> None:
    async def main() -> None:
        under_way = anyio.Event()

        def answer(_request: Any) -> Answer:
            under_way.set()
            return Answer(STORY, delay=60.0)

        async with anyio.create_task_group() as group:
            group.start_soon(scripted(ledger, answer).aexecute, "m", "Hi")
            await under_way.wait()
            group.cancel_scope.cancel()

    aio(main, backend)
    row = only(ledger)
    assert (row["status"], row["estimated"]) == ("cancelled", 1)
    assert Decimal(row["amount"]) > 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_call_that_is_cancelled_while_its_row_is_written_leaves_no_open_row(
    ledger: Ledger, backend: str
) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def hold_up(_store: Any) -> None:
        writing.set()
        go_on.wait(30)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(provider.aexecute, "m", "Hi")
            while not ledger.store._jobs:  # noqa: ASYNC110  # the thread that is to write it has come
                await anyio.sleep(0.001)
            threading.Timer(0.05, go_on.set).start()
            group.cancel_scope.cancel()

    provider = scripted(ledger, "Hello")
    other = threading.Thread(target=ledger.store.write, args=(hold_up,))
    other.start()
    writing.wait(30)
    aio(main, backend)
    other.join()
    assert [row["status"] for row in attempts(ledger.store)] in ([], ["cancelled"])
    assert provider.requests == []


@pytest.mark.parametrize("stream", [False, True])
def test_unknown_usage_is_estimated_and_never_zero(ledger: Ledger, stream: bool) -> None:
    start, end = StreamStart(model="m"), Finish()
    provider = scripted(ledger, Answer(events=(start, TextDelta(STORY), end)))
    provider.stream_execute("m", "Hi").drain() if stream else provider.execute("m", "Hi")
    row = only(ledger)
    assert (row["status"], row["estimated"], row["source"]) == ("ok", 1, "estimated")
    assert (row["output_tokens"], row["input_tokens"] > 0) == (9, True)
    assert Decimal(row["amount"]) > 0


def test_what_the_provider_says_it_cost_beats_what_we_compute(ledger: Ledger) -> None:
    cost = Cost(amount=Decimal("0.00000000123"), source="provider")
    used = Usage(input_tokens=1, output_tokens=1)
    events = (StreamStart(model="m"), TextDelta("Hi"), Finish(usage=used, cost=cost))
    scripted(ledger, Answer(events=events)).stream_execute("m", "Hi").drain()
    assert told(only(ledger), "amount", "source") == {
        "amount": "0.00000000123",
        "source": "provider",
    }


def test_an_amount_that_is_no_money_is_unknown(ledger: Ledger) -> None:
    for odd in ("NaN", "Infinity", "-1"):
        cost = Cost(amount=Decimal(odd), source="provider")
        events = (StreamStart(model="mystery"), TextDelta("Hi"), Finish(cost=cost))
        provider = scripted(ledger, Answer(events=events), kind=Elsewhere)
        provider.stream_execute("mystery", "Hi").drain()
    assert [row["amount"] for row in attempts(ledger.store)] == [None] * 3
    assert cost_analysis(ledger.store).unknown_calls == 3


def whole(**facts: Any) -> ChatResponse:
    return ChatResponse(model="m", message=Message("assistant", "Hi"), **facts)


@pytest.mark.parametrize("amount", ["1e20000", "1e-12000"])
def test_an_amount_of_no_magnitude_is_reckoned_anew(ledger: Ledger, amount: str) -> None:
    cost = Cost(amount=Decimal(amount), source="provider")
    scripted(ledger, whole(cost=cost), kind=Elsewhere).execute("mystery", "Hi")
    assert told(only(ledger), "status", "source") == {"status": "ok", "source": "estimated"}
    assert 0 < cost_analysis(ledger.store).total_cost < 1


def test_counts_that_are_none_lose_no_row(ledger: Ledger) -> None:
    usage = Usage(input_tokens=-(2**70), output_tokens=2**70)
    scripted(ledger, whole(usage=usage)).execute("m", "Hi")
    row = only(ledger)
    assert (row["input_tokens"], row["output_tokens"]) == (0, 2**63 - 1)


def test_who_is_cancelled_before_anything_is_reserved_costs_nothing(ledger: Ledger) -> None:
    """The thread that writes has not begun."""
    provider = scripted(ledger)
    attempt = Attempt(ledger, provider, provider.chat_request("m", "Hi"))
    attempt.settle(left(attempt.request, attempt.seen, attempt.pricing), 0.0, leaving=True)
    ledger.store.flush()
    assert list(attempts(ledger.store)) == []


def test_who_is_cancelled_before_the_row_of_its_journal_is_written_is_settled(
    ledger: Ledger,
) -> None:
    """While another ledger of the file begins to keep a budget."""
    provider = scripted(ledger)
    provider.execute("m", "warm")
    budget = BudgetSettings(limit=Decimal(5), per="day")
    other = Ledger(ledger.settings, [budget])
    attempt = Attempt(ledger, provider, provider.chat_request("m", "Hi"))
    append = ledger.store._presence.append

    def cancelled(lines: Any, **how: Any) -> None:
        append(lines, **how)
        attempt.settle(left(attempt.request, attempt.seen, attempt.pricing), 0.0, leaving=True)
        scripted(other).execute("m", "other")

    ledger.store._presence.append = cancelled  # type: ignore[method-assign]  # the moment that is meant
    attempt.reserve()
    ledger.store.flush()
    assert {row["status"] for row in attempts(ledger.store)} == {"ok", "cancelled"}
    other.close()


def test_what_runs_at_home_without_a_price_costs_nothing(ledger: Ledger) -> None:
    scripted(ledger, "Hello").execute("mystery", "Hi")
    row = only(ledger)
    assert (row["amount"], row["price"]) == ("0", "runs at home")


def test_looking_costs_nothing(ledger: Ledger) -> None:
    scripted(ledger).list_models()
    row = only(ledger)
    assert told(row, "operation", "status", "amount", "price") == {
        "operation": "ModelListRequest",
        "status": "ok",
        "amount": "0",
        "price": "free of charge",
    }


def test_what_is_free_are_requests_that_there_are() -> None:
    known = {**vars(requests), **vars(operations)}
    assert [name for name in FREE_REQUESTS if not isinstance(known.get(name), type)] == []


def test_the_file_is_the_users_alone_and_holds_no_prompt_answer_or_key(ledger: Ledger) -> None:
    refused = ServerError("the secret-pelican prompt was sk-canary-0123456789abcdef")
    provider = scripted(ledger, "answer-canary", Answer(error=refused))
    provider.execute("m", "prompt-canary", system="system-canary")
    with pytest.raises(ServerError):
        provider.execute("m", "prompt-canary")
    path = ledger.settings.path
    assert path is not None
    ledger.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = b"".join(p.read_bytes() for p in path.parent.iterdir())
    assert b"scripted" in written
    assert b"canary" not in written
    assert b"secret-pelican" not in written


@pytest.mark.parametrize("tags", [5, ["a", 5], {"a": "b"}])
def test_tags_that_are_none_are_refused_before_anything_is_sent(ledger: Ledger, tags: Any) -> None:
    provider = scripted(ledger, "Hello")
    with pytest.raises(InvalidRequestError, match="must be a list of texts"):
        provider.execute("m", "Hi", metadata={"tags": tags})
    assert provider.requests == []


def fill(ledger: Ledger, pages: int) -> None:
    """Let the disk of *ledger* have room for so many pages more."""

    def limit(store: Any) -> None:
        (count,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count = {count + pages}")

    ledger.store.write(limit)


def test_what_cannot_be_booked_is_not_sent(ledger: Ledger) -> None:
    ledger.budgets = (BudgetSettings(limit=Decimal(100), per="total"),)
    provider = scripted(ledger, "Hello there")
    provider.execute("m", "Hi")
    fill(ledger, 0)
    with pytest.raises(LedgerError, match=r"is full.*check its folder.* free space") as caught:
        list(itertools.starmap(provider.execute, itertools.repeat(("m", "Hi"))))
    assert (caught.value.code, caught.value.retryable) == ("ledger", False)
    rows = list(attempts(ledger.store))
    assert len(provider.requests) == len(rows)
    with ledger.store.reading() as connection:
        (spent,) = connection.execute("SELECT amount FROM counters").fetchone()
    assert Decimal(spent) == sum(Decimal(row["amount"] or row["reserved"]) for row in rows)
    fill(ledger, 1000)
    provider.execute("m", "Hi")
    assert {row["status"] for row in attempts(ledger.store)} == {"ok"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on this system")
def test_a_forked_process_books_beside_its_parent(ledger: Ledger) -> None:
    script = """
import os, sys
from pathlib import Path
from jackfield.manager.settings import LedgerSettings
from jackfield.middleware.ledger import Ledger
from jackfield.plugins import PluginManager
from jackfield.testing import ScriptedProvider
hooks = PluginManager()
hooks.register(Ledger(LedgerSettings(path=Path(sys.argv[1]))))
provider = ScriptedProvider(hook=hooks.hook)
provider.execute("before", "Hi")
child = os.fork()
for _ in range(20):
    provider.execute("parent" if child else "child", "Hi")
sys.exit(os.waitpid(child, 0)[1] if child else 0)
"""
    subprocess.run(
        [sys.executable, "-c", script, str(ledger.settings.path)], check=True, timeout=60
    )
    found = {row.group: row.attempts for row in usage(ledger.store, group_by=("model", "status"))}
    assert found == {("before", "ok"): 1, ("child", "ok"): 20, ("parent", "ok"): 20}


def test_a_settlement_that_finds_no_room_is_written_as_soon_as_there_is(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    def fill_up(_request: Any) -> str:
        ledger.store.flush()
        monkeypatch.setattr(ledger.store, "_open", refuse)
        return "Hi"

    provider = scripted(ledger, fill_up)
    provider.execute("m", "Hi")
    assert only(ledger)["status"] == "started"
    assert "not settled yet" in caplog.text
    monkeypatch.undo()
    ledger.close()
    assert only(ledger)["status"] == "ok"


def program(path: Path, text: str, *, fails: bool = False) -> None:
    """Run a program that has a `provider` whose calls are booked in the file at *path*."""
    script = """
import multiprocessing, os, signal, sys
from pathlib import Path
from core_ledger import Elsewhere, booked
from jackfield.manager.settings import LedgerSettings
from jackfield.middleware import ledger_store
from jackfield.middleware.ledger import Ledger
ledger = Ledger(LedgerSettings(path=Path(sys.argv[1])))
provider = booked(Elsewhere, ledger, ["Hello there"])
"""
    command = [sys.executable, "-c", script + text, str(path)]
    folder = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, check=False, timeout=60, env=folder)
    assert (done.returncode != 0) == fails


@pytest.mark.skipif(os.name == "nt", reason="processes are not killed like this on Windows")
def test_a_kill_between_the_answer_and_its_settlement_leaves_it_uncertain_and_counted_once(
    ledger: Ledger,
) -> None:
    path = ledger.settings.path
    assert path is not None
    kill = """
ledger_store.SOON = 60.0
provider.execute("m", "Hi", {"max_tokens": 100})
os.kill(os.getpid(), signal.SIGKILL)
"""
    program(path, kill, fails=True)
    before = usage(ledger.store)[0]
    assert ledger.store.write(lambda store: store.recover()) == 0  # opening it did
    row = only(ledger)
    assert (row["status"], row["source"], row["estimated"]) == ("uncertain", "estimated", 1)
    assert Decimal(row["amount"]) == Decimal(row["reserved"]) == before.cost
    assert usage(ledger.store)[0].cost == before.cost


@pytest.mark.skipif(os.name == "nt", reason="processes are not killed like this on Windows")
def test_a_line_that_a_crash_cut_short_is_no_attempt(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    path = ledger.settings.path
    assert path is not None
    kill = """
ledger_store.SOON = 60.0
provider.execute("m", "Hi")
os.kill(os.getpid(), signal.SIGKILL)
"""
    program(path, kill, fails=True)
    (journal,) = path.with_name(f"{path.name}-running").iterdir()
    line = journal.read_bytes()
    journal.write_bytes(line + b"{}\n" + line[:40])
    assert only(ledger)["status"] == "uncertain"
    assert "cannot be read" in caplog.text
    assert not journal.exists()
    assert only(ledger)["status"] == "uncertain"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits of a process's files")
def test_what_finds_no_room_in_the_journal_is_not_sent(ledger: Ledger) -> None:
    path = ledger.settings.path
    assert path is not None
    program(
        path,
        """
import resource
from jackfield.middleware.ledger_file import LedgerError
ledger_store.SOON = 60.0
provider.execute("m", "Hi")
(journal,) = Path(sys.argv[1] + "-running").iterdir()
room = journal.stat().st_size + 50
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
try:
    provider.execute("m", "Hi")
except LedgerError as error:
    assert len(provider.requests) == 1
    assert journal.stat().st_size == room - 50
else:
    sys.exit("it was sent")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
provider.execute("m", "Hi")
""",
    )
    assert [row["status"] for row in attempts(ledger.store)] == ["ok", "ok"]


ENDS = {
    "the program ends": "provider.execute('m', 'Hi')",
    "an error ends it": "provider.execute('m', 'Hi'); raise SystemExit(0)",
    "a worker ends": """
def work(): provider.execute('m', 'Hi')
child = multiprocessing.get_context('fork').Process(target=work)
child.start(); child.join(); sys.exit(child.exitcode)
""",
    "its parent forks and leaves": """
provider.execute('m', 'Hi')
if os.fork(): os._exit(0)
""",
    "nothing more comes": """
provider.execute('m', 'Hi')
import sqlite3, time
other = sqlite3.connect(sys.argv[1])
while other.execute("SELECT status FROM attempts").fetchall() != [("ok",)]: time.sleep(0.001)
os._exit(0)
""",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on this system")
@pytest.mark.parametrize("ends", ENDS)
def test_a_settlement_is_written_however(ledger: Ledger, ends: str) -> None:
    path = ledger.settings.path
    assert path is not None
    program(path, ENDS[ends])
    assert only(ledger)["status"] == "ok"


def test_who_reads_in_the_process_sees_every_settled_row_at_once(ledger: Ledger) -> None:
    provider = scripted(ledger, "Hello there")
    reader = Ledger(ledger.settings)
    for count in range(1, 51):
        provider.execute("m", "Hi")
        (row,) = usage(reader.store, group_by=("status",))
        assert (row.group, row.attempts) == (("ok",), count)


def test_threads_that_call_and_read_see_their_own_rows_settled(ledger: Ledger) -> None:
    provider = scripted(ledger, "Hello there")

    def caller(number: int) -> None:
        for count in range(1, 11):
            provider.execute(f"m{number}", "Hi")
            (row,) = usage(ledger.store, group_by=("status",), model=f"m{number}")
            assert (row.group, row.attempts) == (("ok",), count)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(caller, range(16)))


def test_one_attempt_that_cannot_be_settled_does_not_keep_others_from_it(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(_store: Any) -> None:
        raise ZeroDivisionError

    provider = scripted(ledger, "Hello there")
    provider.execute("m", "Hi")
    ledger.store.later(wrong)
    provider.execute("m", "Hi")
    ledger.store.flush()
    assert {row["status"] for row in attempts(ledger.store)} == {"ok"}
    assert "cannot be settled" in caplog.text


def test_a_ledger_from_before_batches_is_brought_up_to_date(ledger: Ledger) -> None:
    scripted(ledger, "Hello").execute("m", "Hi")
    ledger.close()
    with contextlib.closing(sqlite3.connect(str(ledger.settings.path))) as connection:
        connection.execute("DROP TABLE batches")
        connection.execute("PRAGMA user_version = 1")
    scripted(ledger, "Hello").execute("m", "Hi")
    with ledger.store.reading() as connection:
        assert connection.execute("SELECT * FROM batches").fetchall() == []
    assert len(list(attempts(ledger.store))) == 2


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("My notes, which are no database at all. " * 100)
    before = path.read_bytes()
    provider = scripted(Ledger(LedgerSettings(path=path)), "Hello")
    with pytest.raises(LedgerError, match=r"notes\.txt.*not a database.*another path"):
        provider.execute("m", "Hi")
    assert (path.read_bytes(), provider.requests) == (before, [])


def test_a_ledger_of_a_later_version_is_left_alone(ledger: Ledger) -> None:
    scripted(ledger, "Hello").execute("m", "Hi")
    ledger.close()
    with contextlib.closing(sqlite3.connect(str(ledger.settings.path))) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="a later Jackfield wrote it"):
        scripted(ledger, "Hello").execute("m", "Hi")


def test_a_place_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ledger = Ledger(LedgerSettings(path=tmp_path / "file" / "ledger"))
    with pytest.raises(LedgerError, match="cannot be used"):
        scripted(ledger, "Hello").execute("m", "Hi")


def test_a_clock_that_is_set_back_makes_no_negative_time(ledger: Ledger) -> None:
    times = iter(NOON - timedelta(days=n) for n in range(10))
    ledger.clock = lambda: next(times)
    provider = scripted(ledger, Answer("Hi", delay=0.001))
    for _ in range(3):
        provider.execute("m", "Hi")
    rows = list(attempts(ledger.store))
    assert [row["started"][:10] for row in rows] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    assert all(row["seconds"] > 0 for row in rows)


def test_dropping_a_stream_in_the_middle_of_a_write_does_not_hang(ledger: Ledger) -> None:
    """A finalizer may run at any moment, also in the thread that is writing just now."""
    stream = scripted(ledger, STORY).stream_execute("m", "Hi")
    next(stream)
    ledger.store.write(lambda _: stream.close())
    assert only(ledger)["status"] == "cancelled"


def test_a_row_that_was_given_up_too_early_is_settled_once_by_its_owner(ledger: Ledger) -> None:
    path = ledger.settings.path
    assert path is not None
    ledger.budgets = (BudgetSettings(limit=Decimal(100), per="total"),)
    stream = scripted(ledger, "Hello there").stream_execute("m", "Hi")
    next(stream)
    for mark in path.with_name(f"{path.name}-running").iterdir():
        mark.unlink()  # as if its process were dead
    other = Ledger(ledger.settings, ledger.budgets, clock=lambda: NOON)
    scripted(other, "Hello there").execute("m", "Hi")
    assert sorted(row["status"] for row in attempts(other.store)) == ["ok", "uncertain"]
    stream.drain()
    rows = list(attempts(other.store))
    assert [row["status"] for row in rows] == ["ok", "ok"]
    with other.store.reading() as connection:
        (spent,) = connection.execute("SELECT amount FROM counters").fetchone()
    assert Decimal(spent) == 2 * Decimal(rows[0]["amount"])
    other.close()


MONEY = st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=None)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=8))
def test_sums_are_exact(amounts: list[tuple[Decimal, Decimal]]) -> None:
    """Held against rational numbers; each provider has its multiplier."""
    with tempfile.TemporaryDirectory() as folder:
        place = LedgerSettings(path=Path(folder, "ledger"), durability="process")
        factors = {f"p{at}": factor for at, (_, factor) in enumerate(amounts)}
        ledger = Ledger(place, multipliers=factors, clock=lambda: NOON)
        for at, (amount, _) in enumerate(amounts):
            end = Finish(cost=Cost(amount=amount, source="provider"))
            provider = scripted(ledger, Answer(events=(StreamStart(), TextDelta("Hi"), end)))
            provider.name = f"p{at}"
            assert isinstance(provider.execute("m", "Hi"), ChatResponse)
        (row,) = usage(ledger.store)
        assert Fraction(row.cost) == sum(Fraction(a) for a, _ in amounts)
        assert Fraction(row.weighted_cost) == sum(Fraction(a) * Fraction(f) for a, f in amounts)
        analysis = cost_analysis(ledger.store)
        assert analysis.total_cost == row.cost
        assert Fraction(row.cost) == sum(map(Fraction, analysis.provider_costs.values()))
        ledger.close()


def test_usage_is_grouped_filtered_and_bounded(ledger: Ledger) -> None:
    days = iter([0, 0, 1, 2])
    ledger.clock = lambda: NOON + timedelta(days=next(days))
    provider = scripted(ledger, "Hello there")
    for model, tags in (("a", ["x"]), ("b", ["x", "y"]), ("a", []), ("a", ["y"])):
        provider.execute(model, "Hi", metadata={"tags": tags})

    def counted(*group: str, **given: Any) -> dict[Any, int]:
        return {row.group: row.attempts for row in usage(ledger.store, group_by=group, **given)}

    assert counted() == {(): 4}
    assert counted("model") == {("a",): 3, ("b",): 1}
    assert counted("tag") == {(None,): 1, ("x",): 2, ("y",): 2}
    assert counted("day", "model")["2026-11-26", "a"] == 1
    assert counted("tag", since=NOON + timedelta(days=1)) == {(None,): 1, ("y",): 1}
    assert counted(tag="y") == {(): 2}
    assert counted(model="a", tag="x", provider="work") == {(): 1}
    assert counted(since=NOON + timedelta(days=1)) == {(): 2}
    assert counted(since=NOON, until=NOON + timedelta(days=1)) == {(): 2}
    assert counted(provider="nobody") == {}
    with pytest.raises(InvalidRequestError, match="can by provider, kind"):
        counted("colour")
