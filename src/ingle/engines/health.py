"""When a server that knows nothing of Ingle is ready: it answers well on its health path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ingle.errors import EngineStartFailed

__all__ = ["wait_for_health"]

_EVERY_S = 0.2
_ANSWER_S = 10.0  # a server that is busy loading may take its time
_LINE_BYTES = 4096
_NOT_THERE = frozenset({404, 405, 501})
_KEYED = "/v1/models"
_KEY_REFUSED = frozenset({401, 403})


async def wait_for_health(
    port: int, paths: Sequence[str], *, key: str, within_s: float, name: str
) -> None:
    """Return once the first of `paths` that the server on 127.0.0.1 has answers with 2xx.

    No connection, no answer and any other status, such as vLLM's 503 while it loads, mean "not
    yet".

    Raises:
        EngineStartFailed: it did not get ready in time, or does not know the key.
    """
    until = time.monotonic() + within_s
    said = "nothing answered"
    while time.monotonic() < until:
        for path in paths:
            status = await _status(port, path, key)
            if status is None:
                break
            said = f"{path} answered with status {status}"
            if 200 <= status < 300:
                # Many ask for no key on their health path, and would refuse every call then.
                _check_key(await _status(port, _KEYED, key), _KEYED, name)
                return
            _check_key(status, path, name)
            if status not in _NOT_THERE:
                break
        await asyncio.sleep(_EVERY_S)
    raise EngineStartFailed(
        f"The server of the model {name!r} was not ready after {within_s:g} s: at "
        f"http://127.0.0.1:{port}, {said}. Check `health` in its manifest and that the command "
        "listens on `{port}` of 127.0.0.1, or raise `start_s` if it is only slow to load."
    )


def _check_key(status: int | None, path: str, name: str) -> None:
    if status in _KEY_REFUSED:
        raise EngineStartFailed(
            f"The server of the model {name!r} refuses the key that Ingle made for it: {path} "
            f"answered with status {status}. Hand it on in the manifest, as `{{key}}` in "
            "`environment` or `command`, or run the server without a key."
        )


async def _status(port: int, path: str, key: str) -> int | None:
    """The status of a GET; None if there was no answer like HTTP's."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LINE_BYTES)
            try:
                writer.write(request.encode())
                version, code, *_ = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):  # ValueError: no status line, or one without end
        return None
    return int(code) if version.startswith(b"HTTP/") and code.isdigit() else None
