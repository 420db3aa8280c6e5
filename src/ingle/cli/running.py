"""The Ingle that runs on this machine, asked over HTTP: engines live in it, not in a command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ingle.errors import IngleError
    from ingle.settings import Settings

__all__ = ["RunningKey", "ask", "path_of", "read_key"]

Json = Any  # a JSON value has no narrower type

RunningKey = Annotated[
    bool,
    typer.Option(
        "--key-stdin", help="Read a key for the running Ingle from stdin, if it asks for one."
    ),
]

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not listened on


def read_key(key_stdin: bool) -> str | None:
    """The key for the running Ingle, from stdin if it is to come from there."""
    from ingle.cli.values import read_stdin

    return read_stdin().strip() or None if key_stdin else None


def ask(method: str, path: str, *, key: str | None = None, idle_s: float = 600) -> Json:
    """What the running Ingle answers under `/api`; None for an empty answer.

    It is looked for where the settings say that `ingle up` listens, and may be silent for `idle_s`:
    a large model takes long to load.

    Raises:
        NotFound: no Ingle runs there.
        IngleError: its own refusal, of the same kind and in its words.
    """
    import asyncio

    from ingle.settings import load_settings

    return asyncio.run(_ask(load_settings(), key, method, path, idle_s))


def path_of(room: str, name: str, verb: str = "") -> str:
    """A path under `/api`, such as `models/NAME/load`, for a name that may have any characters."""
    from urllib.parse import quote

    return "/".join(part for part in (room, quote(name, safe=""), verb) if part)


async def _ask(settings: Settings, key: str | None, method: str, path: str, idle_s: float) -> Json:
    from contextlib import AsyncExitStack

    import msgspec

    from ingle.errors import NotFound, UpstreamInvalid, UpstreamUnreachable
    from ingle.upstream.client import Client
    from ingle.upstream.limits import Limits
    from ingle.upstream.target import Target

    host = _ANY_ADDRESS.get(settings.host, settings.host)
    address = f"http://[{host}]" if ":" in host else f"http://{host}"
    target = Target(f"{address}:{settings.port}/api", key, "Ingle")
    limits = Limits(idle_s=idle_s, tries=1)  # what refuses on this machine is not there
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client())
        try:
            reply = await stack.enter_async_context(
                client.relay(method, target, path, limits=limits)
            )
        except UpstreamUnreachable as error:
            raise NotFound(
                f"No Ingle runs at {address}:{settings.port}, and engines run inside it. Start one "
                "with `ingle up`, or set `host` and `port` to where it listens."
            ) from error
        body = b"".join([data async for data in reply])
        try:
            told: Json = msgspec.json.decode(body) if body else None
        except msgspec.DecodeError as error:
            raise UpstreamInvalid(
                f"What listens at {address}:{settings.port} does not answer like Ingle. Is "
                "another program on this port? `ingle config` shows which one is set.",
                url=target.url(path),
            ) from error
    if reply.status >= 400:
        raise _refusal(told)
    return told


def _refusal(told: Json) -> IngleError:
    """The error that the running Ingle told, as it was raised there."""
    from ingle.errors import IngleError

    said = told.get("error") if isinstance(told, dict) else None
    said = said if isinstance(said, dict) else {}
    message = str(said.get("message") or "Ingle refused this without saying why. See its log.")
    kinds = {kind.code: kind for kind in _kinds(IngleError) if kind.__init__ is IngleError.__init__}
    kind = kinds.get(str(said.get("code")), IngleError)
    return kind(message)


def _kinds(kind: type[IngleError]) -> Iterator[type[IngleError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
