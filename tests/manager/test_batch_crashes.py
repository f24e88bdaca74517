"""A batch that is killed a hundred times loses nothing, and asks nothing again but what was on its way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from manager.batch_child import CONCURRENCY, COUNT

KILLS = 100


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_hundred_kills(tmp_path: Path) -> None:
    script = Path(__file__).with_name("batch_child.py")
    command = [sys.executable, str(script), str(tmp_path), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    batches = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(batches) >= KILLS / 3
    for batch in batches:
        *before, end = batch["rounds"]
        seed = f"seed {batch['seed']}"
        assert end["texts"] == [f"{n:02}" for n in range(COUNT)], seed
        assert end["given"] == list(range(COUNT)), seed
        asked = Counter(end["asked"])
        assert sorted(asked) == list(range(COUNT)), seed
        assert asked.total() - COUNT <= CONCURRENCY * len(before), seed
        for part in before:
            later = end["asked"][len(part["asked"]) :]
            assert set(later) & set(part["given"]) == set(), seed
