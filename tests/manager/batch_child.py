"""Batches that are killed: forks a child for each, kills it at a moment of a seed, and tells what it saw.

``python batch_child.py FOLDER KILLS`` prints a line of JSON for each batch: what was asked before and after, what had
been handed out, and what came of it in the end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from jackfield import ChatRequest, ChatResponse, Message
from jackfield.manager.batch import aiter_batch, iter_batch

COUNT, CONCURRENCY = 40, 6


class Logging:
    """Answers with the prompt, and leaves a byte pair in a file for each question."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _asked(self, request: Any) -> str:
        text: str = request.messages[-1].text
        os.write(self._log, f"{text}\n".encode())
        return text

    def run(self, request: Any) -> ChatResponse:
        text = self._asked(request)
        time.sleep(0.001)
        return ChatResponse(message=Message("assistant", text * 2000))

    async def arun(self, request: Any) -> ChatResponse:
        text = self._asked(request)
        await anyio.sleep(0.001)
        return ChatResponse(message=Message("assistant", text * 2000))


def work_off(folder: Path, on_a_loop: bool) -> list[str]:
    """One batch, from where it was left."""
    requests = [ChatRequest(model="m", messages=f"{n:02}") for n in range(COUNT)]
    options: Any = {"checkpoint": folder / "checkpoint", "concurrency": CONCURRENCY}
    call, texts = Logging(folder / "asked"), []
    given = os.open(folder / "given", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hand_out(result: Any) -> None:
        os.write(given, f"{result.index:02}\n".encode())
        text = result.response.text
        texts.append(text[:2] if text == text[:2] * 2000 else text)

    async def main() -> None:
        async with aiter_batch(call, requests, ordered=True, **options) as results:
            async for result in results:
                hand_out(result)

    if on_a_loop:
        anyio.run(main)
    else:
        for result in iter_batch(call, requests, ordered=True, **options):
            hand_out(result)
    return texts


def forked(do: Callable[[], object]) -> int:
    """The process that does it, and nothing else."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            do()
            os._exit(0)
        os._exit(1)
    return child


def lines(path: Path) -> list[int]:
    return list(map(int, path.read_text().split())) if path.exists() else []


def killed(folder: Path, on_a_loop: bool, chance: random.Random) -> bool:
    """Whether the batch was on its way when it was killed, at some moment after some question."""
    path, before = folder / "asked", len(lines(folder / "asked"))
    moment, pause = before + chance.randrange(1, COUNT // 2), chance.random() / 300
    child = forked(lambda: work_off(folder, on_a_loop))
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if path.exists() and path.stat().st_size >= 3 * moment:
            time.sleep(pause)
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return False


def main(root: Path, kills: int) -> None:
    """Batch after batch, until so many were killed."""
    seed = 0
    while kills > 0:
        seed += 1
        chance, folder = random.Random(seed), root / str(seed)
        folder.mkdir()
        on_a_loop, rounds = bool(seed % 2), []
        for _ in range(chance.randrange(1, 4)):
            died = killed(folder, on_a_loop, chance)
            kills -= died
            rounds.append({"asked": lines(folder / "asked"), "given": lines(folder / "given")})
            if not died:
                break
        (folder / "given").unlink(missing_ok=True)
        texts = work_off(folder, on_a_loop)
        end = {"asked": lines(folder / "asked"), "given": lines(folder / "given"), "texts": texts}
        sys.stdout.write(json.dumps({"seed": seed, "rounds": [*rounds, end]}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
