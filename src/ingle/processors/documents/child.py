"""The child process that reads one file: a line of JSON and the file on stdin, JSON on stdout.

It bounds itself before it looks at the file. What it knows of the outside is nothing.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec

from ingle.errors import IngleError, InvalidRequest
from ingle.processors.documents.kinds import open_document

__all__ = ["main"]


class _Order(msgspec.Struct, frozen=True):
    mime: str
    memory_bytes: int
    cpu_s: int
    max_characters: int
    max_pages: int
    name: str | None = None


def main() -> None:
    """Read the file, and say what is in it or why that cannot be said."""
    logging.disable()  # libraries tell of every oddity in a PDF
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=_Order)
    _bound(order)
    content = sys.stdin.buffer.read()
    try:
        said = {"document": _read(content, order)}
    except IngleError as error:
        said = {"fault": {"code": error.code, "message": error.message}}
    except MemoryError:
        said = _damaged(f"reading it takes more than {order.memory_bytes // 1024**2:,} MiB")
    except RecursionError:
        said = _damaged("its parts are nested too deeply")
    except Exception as error:  # noqa: BLE001 -- whatever a library raises at a broken file
        said = _damaged(f"it is damaged ({type(error).__name__}: {str(error)[:200]})")
    sys.stdout.buffer.write(msgspec.json.encode(said))


def _read(content: bytes, order: _Order) -> dict[str, Any]:  # Any: JSON values
    found = open_document(content, mime=order.mime, name=order.name, max_pages=order.max_pages)
    parts: list[str] = []
    left = order.max_characters
    is_cut = False
    for part in found.parts:
        parts.append(part[:left])
        is_cut = len(part.rstrip()) > left
        left -= min(left, len(part))
        if is_cut:
            break
    text = "".join(parts).replace("\0", "").strip()
    # A half of a pair of UTF-16, as PDFs have at times, is no character.
    text = text.encode("utf-8", "replace").decode("utf-8")
    title = " ".join((found.title() or "").split())[:500] or None
    return {
        "text": text,
        "mime": found.mime,
        "title": title,
        "pages": found.pages,
        "is_cut": is_cut or (found.pages or 0) > order.max_pages,
    }


def _damaged(why: str) -> dict[str, Any]:  # Any: JSON values
    message = f"{why}. Save it anew in the program that made it, or give a part of it."
    return {"fault": {"code": InvalidRequest.code, "message": message}}


def _bound(order: _Order) -> None:
    """Take no more memory and time of a processor than that, where the system has such bounds."""
    try:
        import resource
    except ImportError:  # Windows: the parent's clock alone ends us
        return
    for limit, most in (
        (resource.RLIMIT_AS, order.memory_bytes),
        (resource.RLIMIT_CPU, order.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # it writes no files
    ):
        _, hard = resource.getrlimit(limit)
        lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (lowest, hard))
        except (ValueError, OSError):  # macOS knows some of them by name only
            continue


if __name__ == "__main__":
    main()
