"""How long a call may take and how much it may bring."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one call, all its tries together.

    `connect_s` is the longest that a connection (name, TCP, TLS) may take to come about, `idle_s`
    the longest silence of the server, before its first byte too, and `total_s` the longest that
    the whole call may take. The model's load time is not part of it: an engine is ready first.

    `tries` bounds the attempts that are made before the first piece has come; between them lies a
    random pause of at most `backoff_s`, doubled each time.

    `body_bytes` bounds a whole answer and `stream_bytes` a stream, both unfolded where the server
    compressed them; `line_bytes` bounds one event of a stream.
    """

    connect_s: float = 10
    idle_s: float = 60
    total_s: float = 3600
    tries: int = 3
    backoff_s: float = 0.5
    body_bytes: int = 64 * 1024 * 1024
    stream_bytes: int = 512 * 1024 * 1024
    line_bytes: int = 1024 * 1024
