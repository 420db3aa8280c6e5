"""Batches as they are kept: which moves there are, what is unfinished, whose they are."""

from __future__ import annotations

import pytest

from ingle.errors import NotFound
from ingle.storage.database import Database
from ingle.storage.openai_batches import OpenAIBatch, OpenAIBatches
from ingle.storage.pages import Paging


@pytest.fixture
def batches(each_database: Database) -> OpenAIBatches:
    """None yet; it is always the same moment."""
    return OpenAIBatches(each_database, now=lambda: 2000.0)


def batch(batch_id: str, key_id: str | None = None) -> OpenAIBatch:
    return OpenAIBatch(
        id=batch_id,
        key_id=key_id,
        endpoint="/v1/chat/completions",
        input_file_id="file-in",
        output_file_id="file-out",
        error_file_id="file-err",
        completion_window="24h",
        expires_at=90_000.0,
        output_expires_s=None,
        metadata={"a": "b"},
        moments={"created_at": 1000.0},
    )


def test_a_batch_comes_back_as_it_was(batches: OpenAIBatches) -> None:
    """All of it."""
    batches.add(batch("b1"))
    assert batches.get("b1") == batch("b1")


def test_a_batch_moves_only_from_where_it_may(batches: OpenAIBatches) -> None:
    """Whoever comes too late changes nothing; each state has its moment."""
    batches.add(batch("b1"))
    moved = batches.move("b1", "cancelling", "validating", "in_progress")
    assert (moved.state, moved.moments) == (
        "cancelling",
        {"created_at": 1000.0, "cancelling_at": 2000.0},
    )
    assert batches.move("b1", "in_progress", "validating").state == "cancelling"
    fault = {"code": "x", "line": 1, "message": "m", "param": None}
    ended = batches.move("b1", "failed", "cancelling", errors=[fault])
    assert (ended.is_over, ended.errors) == (True, [fault])


def test_what_is_unfinished(batches: OpenAIBatches) -> None:
    """The oldest first, without those that are over."""
    for batch_id in ("b3", "b1", "b2"):
        batches.add(batch(batch_id))
    batches.move("b1", "failed", "validating")
    assert [one.id for one in batches.unfinished()] == ["b2", "b3"]


def test_how_far_a_batch_has_come(batches: OpenAIBatches) -> None:
    """It is written over what was there."""
    batches.add(batch("b1"))
    batches.count("b1", total=5, completed=2, failed=1, usage={"total_tokens": 9})
    now = batches.get("b1")
    assert (now.total, now.completed, now.failed, now.usage) == (5, 2, 1, {"total_tokens": 9})


def test_a_batch_is_its_keys(batches: OpenAIBatches) -> None:
    """Another key neither finds nor moves nor lists it."""
    batches.add(batch("b1", "k1"))
    with pytest.raises(NotFound, match="No batch found"):
        batches.get("b1", "k2")
    with pytest.raises(NotFound, match="No batch found"):
        batches.move("b1", "cancelling", "validating", key_id="k2")
    assert batches.list(Paging(10), key_id="k2").items == []
    assert [one.id for one in batches.list(Paging(10), key_id="k1").items] == ["b1"]
