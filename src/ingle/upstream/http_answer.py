"""Bytes of a connection -> one HTTP/1.1 answer: its head, its body, and whether it is whole.

The wire format is parsed by llhttp, as Node does it. Does no I/O and knows no clock.
"""

from __future__ import annotations

import httptools

__all__ = ["HttpAnswer", "HttpFault"]

_HEAD_BYTES = 64 * 1024


class HttpFault(Exception):
    """Why there is no answer, or not the whole of it, as a clause for a message.

    `may_pass` tells that nothing of an answer has come and that the same may work a moment later;
    `is_nonsense`, that what came is not HTTP or not what it announced.
    """

    def __init__(self, why: str, *, may_pass: bool = False, is_nonsense: bool = False) -> None:
        super().__init__(why)
        self.may_pass = may_pass
        self.is_nonsense = is_nonsense


class HttpAnswer:
    """The answer to one request with `method`: `feed` it what comes, and `end` it at the close.

    `headers` are as they came, `fields` the same by lower-case name, the last of several. `fault`
    is what is wrong with the answer; what had come of the body before that can be taken.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.fields: dict[str, str] = {}
        self.has_head = False
        self.is_whole = False
        self.is_kept_alive = False
        self.fault: HttpFault | None = None
        self._has_no_body = method == "HEAD"
        self._is_until_close = False
        self._announced_bytes: int | None = None
        self._fed_bytes = 0  # since the body was last taken from
        self._taken_bytes = 0
        self._parts: list[bytes] = []
        # What the parser calls for each part of the body. A stream has as many as it has pieces,
        # so it is the list's own method, not one of ours.
        self.on_body = self._parts.append
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if self.fault is not None:
            return
        self._fed_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fault = HttpFault("the server wants to leave HTTP (status 101)", is_nonsense=True)
        except httptools.HttpParserError as error:
            self._misheard(error)
        if not self.has_head and self.fault is None and self._fed_bytes > _HEAD_BYTES:
            why = f"the head of the answer is longer than {_HEAD_BYTES} bytes"
            self.fault = HttpFault(why, is_nonsense=True)

    def end(self, error: Exception | None) -> None:
        """The connection has closed, by `error` if it was not in good order."""
        if self.is_whole or self.fault is not None:
            return
        came = self._taken_bytes + sum(map(len, self._parts))
        how = "was reset" if error else "was closed"
        if not self.has_head:
            why = f"the connection {how} before an answer came"
            self.fault = HttpFault(why, may_pass=True)
        elif self._is_until_close and error is None:
            self.is_whole = True
        elif self._announced_bytes is not None:
            self.fault = HttpFault(
                f"the connection {how} after {came} of {self._announced_bytes} bytes",
                may_pass=error is not None and not came,
            )
        else:
            self.fault = HttpFault(
                f"the connection {how} before the end of the answer",
                may_pass=error is not None and not came,
            )

    def take(self) -> bytes:
        """What came of the body since this was last called."""
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._fed_bytes = 0
        self._taken_bytes += len(data)
        return data

    @property
    def has_more(self) -> bool:
        """Whether there is something to take."""
        return bool(self._parts)

    @property
    def waiting_bytes(self) -> int:
        """About how much there is to take, framing included."""
        return self._fed_bytes if self._parts else 0

    def _misheard(self, error: Exception) -> None:
        """The parser cannot go on: the peer does not speak HTTP, or says more than it announced."""
        if self.is_whole:
            self._overrun()
        elif self.has_head:
            self.fault = HttpFault(f"the body is not HTTP ({error})", is_nonsense=True)
        else:
            why = f"what answers there does not speak HTTP ({error})"
            self.fault = HttpFault(why, is_nonsense=True)

    def _overrun(self) -> None:
        announced = self._announced_bytes
        than = "it announced" if announced is None else f"the {announced} bytes that it announced"
        self.fault = HttpFault(f"the answer is longer than {than}", is_nonsense=True)
        self.is_kept_alive = False

    # -- what the parser calls ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Another answer begins; after the whole one that was asked for, that is one too many."""
        if self.is_whole:
            raise ValueError("an answer too many")  # which stops the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer, or of an interim one, or a trailer."""
        if not self.has_head:
            self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is there. An interim answer (1xx) is passed over."""
        status = self._parser.get_status_code()
        if self.has_head or 100 <= status < 200:
            if not self.has_head:
                self.headers.clear()
            return
        self.status = status
        self.has_head = True
        self.is_kept_alive = self._parser.should_keep_alive()
        self.fields = {name.lower(): value for name, value in self.headers}
        length = self.fields.get("content-length", "")
        self._announced_bytes = int(length) if length.isdecimal() else None
        self._is_until_close = not length and "transfer-encoding" not in self.fields
        if self._has_no_body:
            self.is_whole = True
            self.is_kept_alive = False  # the parser would take the next answer for the body

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self.has_head:
            self.is_whole = True
