"""`ingle up`: the server."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

__all__ = ["up"]


def up(
    host: Annotated[
        str | None, typer.Option(metavar="HOST", show_default=False, help="Listen on this address.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", show_default=False, help="Listen on this port.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Start Ingle and serve its API until Ctrl-C.

    Without options it listens where the settings say: by default only this machine reaches it,
    on port 4645, and no key is asked for.
    """
    from ingle.settings import load_settings

    load_settings(overrides={"host": host, "port": port})
