"""Whether an answer continues what is here, begins anew, or is about something else.

The rules are those of RFC 9110, sections 13 (validators) and 14 (ranges). No file is touched here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingle.errors import UpstreamInvalid
from ingle.models.pull.answer import Answer
from ingle.models.pull.plan import PlannedFile

__all__ = ["Agreement", "agree", "range_headers", "validator"]

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an answer brings: the file from `start` on, which is 0 or what was asked for.

    `start` is None if what is here cannot be continued. `total` is the whole file's size, if told;
    if it equals `start`, nothing is missing and no body is to be read.
    """

    start: int | None
    total: int | None


def range_headers(file: PlannedFile, have: int, known_validator: str | None) -> dict[str, str]:
    """What asks for the rest only; nothing where it could be the rest of something else."""
    if have == 0 or (file.digest is None and known_validator is None):
        return {}
    headers = {"Range": f"bytes={have}-"}
    # With a digest the end shows whether both halves belong together, even over two mirrors.
    return headers if file.digest else headers | {"If-Range": known_validator or ""}


def validator(answer: Answer) -> str | None:
    """What tells whether the file is still the same: a strong ETag, else when it was changed."""
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified")


def agree(file: PlannedFile, answer: Answer, have: int, known_validator: str | None) -> Agreement:
    """Where in the file an answer with status 200, 206 or 416 begins.

    Raises:
        UpstreamInvalid: it is not about this file, or not about what was asked for.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise _invalid(answer, f"it came compressed ({encoding!r}), which was not asked for")
    if answer.status == 200:
        length = answer.headers.get("Content-Length")
        return _checked(file, answer, Agreement(0, None if length is None else int(length)))
    header = answer.headers.get("Content-Range", "").strip()
    found = _CONTENT_RANGE.fullmatch(header)
    total = int(found[3]) if found and found[3] != "*" else None
    if answer.status == 416:
        # All is here, if it is of the same file: some servers say so whatever If-Range asks.
        is_same = file.digest is not None or validator(answer) == known_validator is not None
        return Agreement(have if total == have and is_same else None, total)
    if found is None or found[1] is None or int(found[1]) != have:
        raise _invalid(answer, f"bytes from {have} on were asked for, and {header!r} was answered")
    if total is not None and int(found[2]) != total - 1:
        raise _invalid(answer, f"it is only a part of what was asked for ({header!r})")
    if file.digest is None and validator(answer) not in (None, known_validator):
        return Agreement(None, total)  # a server that knows no If-Range: the file is another one
    return _checked(file, answer, Agreement(have, total))


def _checked(file: PlannedFile, answer: Answer, agreement: Agreement) -> Agreement:
    total = agreement.total
    if file.size_bytes is not None and total is not None and total != file.size_bytes:
        raise _invalid(answer, f"it has {total} bytes where the listing says {file.size_bytes}")
    return agreement


def _invalid(answer: Answer, why: str) -> UpstreamInvalid:
    return UpstreamInvalid(
        f"GET {answer.url}: the server's answer is wrong: {why}. Try again later, or get it from "
        "somewhere else.",
        url=answer.url,
        status=answer.status,
    )
