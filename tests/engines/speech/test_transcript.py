"""How what was heard is written down: exact texts for each format."""

from __future__ import annotations

from ingle.engines.speech.transcript import Segment, Transcript, Word, written

HEARD = Transcript(
    [
        Segment(" Good day.", 0.0, 1.25, (1, 2), (Word("Good", 0.0, 0.5), Word("day.", 0.6, 1.2)), -0.5),
        Segment(" A --> B", 3661.5, 3662.0, (3,), (), -1.0),
    ],
    "en",
    3662.4,
)  # fmt: skip


def as_written(form: str, **options: object) -> object:
    usual: dict[str, object] = {
        "task": "transcribe",
        "temperature": 0.0,
        "granularities": frozenset({"segment"}),
    }
    return written(HEARD, form, **{**usual, **options})  # type: ignore[arg-type]  # options vary


def test_text_is_a_line() -> None:
    """Without the space before its first word."""
    assert as_written("text") == "Good day. A --> B\n"


def test_subtitles_have_numbers_and_times() -> None:
    """With a comma, also after an hour; nothing said looks like the arrow."""
    assert as_written("srt") == (
        "1\n00:00:00,000 --> 00:00:01,250\nGood day.\n\n"
        "2\n01:01:01,500 --> 01:01:02,000\nA -> B\n\n"
    )


def test_web_subtitles_have_their_head() -> None:
    """And times with a point."""
    assert as_written("vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nGood day.\n\n"
        "01:01:01.500 --> 01:01:02.000\nA -> B\n\n"
    )


def test_json_is_the_text_and_what_it_counts_as() -> None:
    """Seconds, rounded up."""
    assert as_written("json") == {
        "text": "Good day. A --> B",
        "usage": {"type": "duration", "seconds": 3663},
    }


def test_verbose_json_tells_what_was_asked_for() -> None:
    """Words without segments."""
    told = as_written("verbose_json", granularities=frozenset({"word"}), task="translate")
    assert told == {
        "task": "translate",
        "language": "en",
        "duration": 3662.4,
        "text": "Good day. A --> B",
        "usage": {"type": "duration", "seconds": 3663},
        "words": [
            {"word": "Good", "start": 0.0, "end": 0.5},
            {"word": "day.", "start": 0.6, "end": 1.2},
        ],
    }
