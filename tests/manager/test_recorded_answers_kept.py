"""Every recorded answer that is kept is given again as it was, whoever gave it and whatever is in it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from jackfield import Cost, FinishReason, fold
from jackfield.middleware.cache import Cache
from jackfield.plugins import PluginManager
from jackfield.testing.scripted import ScriptedProvider
from support.recordings import WIRE
from support.speakers import SPEAKERS, said

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}")

STOPPED = (FinishReason.CONTENT_FILTER, FinishReason.ERROR)


@pytest.mark.parametrize("way", SPEAKERS)
def test_a_hit_is_the_recorded_answer(way: str) -> None:
    for one in said(way):
        cache, manager = Cache(), PluginManager()
        manager.register(cache)
        provider = ScriptedProvider({"answers": [one.answer]}, hook=manager.hook)
        first = provider.execute("m", "Hi")
        stopped = first.finish_reason in STOPPED or first.refusal is not None
        assert bool(cache.statistics.stored) == (not stopped), str(one)
        if stopped:
            continue
        cost = first.cost.amount
        mark = {"cache": "hit", "saved": None if cost is None else str(cost)}
        known = {**first.provider_metadata, "jackfield": mark}
        free = Cost(amount=Decimal(0), currency=first.cost.currency, source="computed")
        expected = evolve(first, cost=free, provider_metadata=known)
        assert provider.execute("m", "Hi") == expected, str(one)
        assert fold(provider.stream_execute("m", "Hi")) == expected, str(one)
