"""Ranking: which models can, by what their files say, and what is refused before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jackfield import UnsupportedOperationError
from jackfield.operations import RerankRequest
from jackfield_llamacpp import LlamaCppProvider
from jackfield_llamacpp.engine import Scores
from jackfield_llamacpp.gguf import read_header
from jackfield_llamacpp.paths import demo_model
from jackfield_llamacpp.ranking import ranked


@pytest.mark.parametrize(("pooling", "ranks"), [(4, True), (1, False), (None, False)])
def test_a_file_says_by_its_pooling_that_its_model_ranks(
    write_gguf: Callable[..., Path], pooling: int | None, ranks: bool
) -> None:
    said = {} if pooling is None else {"bert.pooling_type": pooling}
    path = write_gguf("m.gguf", {"general.architecture": "bert", **said})
    assert read_header(path).ranks is ranks


def test_a_model_without_a_head_that_scores_is_not_asked(local: LlamaCppProvider) -> None:
    assert not read_header(demo_model().path).ranks
    with pytest.raises(UnsupportedOperationError, match="tiny-demo cannot rank"):
        local.rerank("tiny-demo", "who flies?", ["the gull", "a fish"])


def test_the_best_documents_come_first_and_no_more_than_were_asked_for() -> None:
    request = RerankRequest(model="m", query="who?", documents=["a", "b", "c"], top_n=2)
    answer = ranked(request, "m", Scores(scores=[0.5, 2.0, -1.0], tokens=9))
    assert [(r.index, r.score, r.document) for r in answer.results] == [
        (1, 2.0, "b"),
        (0, 0.5, "a"),
    ]
    assert answer.usage.input_tokens == 9
