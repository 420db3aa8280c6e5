"""The tail of a log stays within its bounds."""

from __future__ import annotations

from ingle.engines.log import LogTail


def test_lines_are_joined_across_reads() -> None:
    """Where the reads are cut makes no difference, also inside a character."""
    log = LogTail()
    for byte in "één\ntwo\r\n\nthree".encode():
        log.feed(bytes([byte]))

    assert log.lines() == ["één", "two", "three"]
    assert log.lines(1) == ["three"]


def test_long_lines_and_many_lines_are_cut() -> None:
    """A line without end keeps 2,000 bytes, and of many lines the last 200 stay."""
    log = LogTail()
    for _ in range(100):
        log.feed(b"x" * 65_536)
    assert log.lines() == ["x" * 2_000]

    log.feed(b"\n" + b"".join(b"line %d\n" % number for number in range(100_000)))
    assert len(log.lines()) == 200
    assert log.lines()[-1] == "line 99999"


def test_nothing_moves_the_cursor() -> None:
    """Control characters and broken UTF-8 come out as harmless text."""
    log = LogTail()
    log.feed(b"\x1b[2Jred\x07 \xff\n")

    assert log.lines() == ["[2Jred  \N{REPLACEMENT CHARACTER}"]


def test_a_secret_is_not_shown() -> None:
    """A key that a program logs stands as a mark, however often."""
    log = LogTail(hidden="k3y")
    log.feed(b"key=k3y, again k3y\nno key\n")

    assert log.lines() == ["key=…, again …", "no key"]
