"""What is written to stdout and stderr, into a pipe."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from ingle.cli.terminal import (
    moment,
    note,
    print_json,
    print_pairs,
    print_table,
    size,
    spinner,
    visible,
    write,
)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4_471_232, "4.5 MB"),
        (123_456_789, "123 MB"),
        (999_600_000, "1.0 GB"),
        (5_000_000_000_000, "5.0 TB"),
    ],
)
def test_size_is_short(size_bytes: int, text: str) -> None:
    """A number of bytes has two or three digits and a unit of thousands."""
    assert size(size_bytes) == text


def test_moment_is_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time is told by this machine's clock."""
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert moment(datetime(2026, 11, 23, 23, 40, tzinfo=UTC)) == "2026-11-24 01:40"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_table_in_a_pipe_has_a_row_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrapped, cut, coloured, taken as markup or filled up with spaces at the end."""
    print_table(
        {"NAME": "bold", "WHAT": "dim"},
        [("demo", "x" * 300), ("[bold]a[/bold]", "\x1b[31mred\x07"), ("🔥", "")],
    )
    out, err = capsys.readouterr()
    assert (
        out == f"NAME            WHAT\ndemo            {'x' * 300}\n[bold]a[/bold]  [31mred\n🔥\n"
    )
    assert err == ""


def test_pairs_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and values stand below each other."""
    print_pairs([("name", "demo"), ("context", "2,048")])
    assert capsys.readouterr().out == "name     demo\ncontext  2,048\n"


def test_json_is_indented_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON keeps letters of all languages as they are."""
    print_json({"name": "Zoë", "sizes": [1, 2]})
    assert capsys.readouterr().out == ('{\n  "name": "Zoë",\n  "sizes": [\n    1,\n    2\n  ]\n}\n')


def test_notes_and_spinners_stay_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """A note goes to stderr, and a spinner is nothing where stderr is no terminal."""
    with spinner("Waiting") as stop:
        note("Saved.")
        stop()
    assert capsys.readouterr() == ("", "Saved.\n")


def test_pipe_gets_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A model's text is not touched on its way into a pipe; a terminal gets no control characters."""
    write("a\x1b[31mb\r\n")
    assert capsys.readouterr().out == "a\x1b[31mb\r\n"
    assert visible("a\x1b]52;c;evil\x07\x9bb\tc\n\x7f") == "a]52;c;evilb\tc\n"
