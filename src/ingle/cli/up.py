"""`ingle up`: the server."""

from __future__ import annotations

import logging
import os
import sys
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.terminal import note, write

if TYPE_CHECKING:
    from ingle.server.serve import Serving

__all__ = ["up"]


def up(
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", show_default=False, help="The address to listen on."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", show_default=False, help="The port; 0 takes any free one."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a web browser.")
    ] = False,
) -> None:
    """Start Ingle and serve its API until Ctrl-C.

    Unless the settings say otherwise it listens on port 4645, only this machine reaches it, and
    no key is asked for. On any other address every caller needs one: see `ingle keys`.

    Ctrl-C (or SIGTERM) lets running answers finish; a second one does not.
    """
    from ingle.server.serve import serve
    from ingle.settings import load_settings

    settings = load_settings(overrides={"host": host, "port": port})
    _log_to_stderr(settings.log_level)

    def tell(serving: Serving) -> None:
        write(f"Ingle is running at {serving.url}\n")
        if serving.new_api_key:
            write(f"API key, shown this once: {serving.new_api_key}\n")
            note(
                "Callers send it as `Authorization: Bearer KEY`. `ingle keys create NAME` makes more."
            )
        if sys.stdout.isatty():
            note("Ctrl-C stops it.")
            if not no_browser and _has_display():
                _open_browser(serving.url)

    serve(settings, ready=tell)
    if sys.stdout.isatty():
        note("\nStopped.")


def _log_to_stderr(level: str) -> None:
    """Log what Ingle does at this level; what its libraries do only if it warns, or to debug."""
    logging.basicConfig(
        level="DEBUG" if level == "debug" else "WARNING",
        format="%(asctime)s %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    logging.getLogger("ingle").setLevel(level.upper())


def _has_display() -> bool:
    """Whether there is a screen for a browser; without one, some would open in the terminal."""
    if sys.platform in {"win32", "darwin"}:
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    """Open the page in a thread: starting a browser can take seconds."""
    import webbrowser

    Thread(target=webbrowser.open, args=[url], name="browser", daemon=True).start()
