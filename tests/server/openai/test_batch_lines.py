"""Journals of answers after a cut, and lines that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.storage.test_database import full_disk

from ingle.errors import StorageError
from ingle.server.openai.batch_lines import MAX_LINES, Ask, Journal, answer_line, check_asks

ENDPOINT = "/v1/chat/completions"


def ask(custom_id: str) -> Ask:
    return Ask(custom_id=custom_id, method="POST", url=ENDPOINT, body=b"{}")  # type: ignore[arg-type]  # raw JSON


def line(custom_id: str, tokens: int = 2) -> bytes:
    body = {"usage": {"prompt_tokens": 3, "completion_tokens": tokens, "total_tokens": 3 + tokens}}
    return answer_line(ask(custom_id), status=200, body=body)


def test_a_torn_line_is_taken_off(tmp_path: Path) -> None:
    """The next one begins on a line of its own, and what was whole counts."""
    path = tmp_path / "output.jsonl"
    path.write_bytes(line("a") + line("b", 5) + line("c")[:40])
    journal = Journal.open(path)
    assert journal.done == {"a", "b"}
    assert journal.usage == {"input_tokens": 6, "output_tokens": 7, "total_tokens": 13}
    journal.append(line("c"))
    assert Journal.open(path).done == {"a", "b", "c"}
    assert path.read_bytes().count(b"\n") == 3


def test_a_full_disk_tears_no_line(tmp_path: Path) -> None:
    """The error says so; once there is room the journal goes on."""
    journal = Journal.open(tmp_path / "output.jsonl")
    journal.append(line("a"))
    whole = journal.path.read_bytes()
    with full_disk(after_bytes=len(whole) + 10), pytest.raises(StorageError, match=r"full|large"):
        journal.append(line("b"))
    assert journal.done == {"a"}
    journal.append(line("b"))
    assert Journal.open(journal.path).done == {"a", "b"}


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    """It is never in memory as a whole."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"custom_id": "' + b"x" * 10_000)
    total, [fault] = check_asks(path, ENDPOINT, 1000)
    assert (total, fault["code"], fault["line"]) == (1, "line_too_long", 1)


def test_more_lines_than_may_be(tmp_path: Path) -> None:
    """OpenAI's bound."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"{}\n" * (MAX_LINES + 1))
    _, [fault] = check_asks(path, ENDPOINT, 1000)
    assert fault["code"] == "too_many_tasks"
