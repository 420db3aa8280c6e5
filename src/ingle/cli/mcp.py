"""`ingle mcp`: the published apps as tools for a desktop client, over stdin and stdout."""

from __future__ import annotations

__all__ = ["mcp"]


def mcp() -> None:
    """Serve your published apps as MCP tools over stdin and stdout.

    A desktop client starts this by itself: give it the command `ingle` with the argument `mcp`. A
    running `ingle up` has the same tools at /mcp.
    """
    import asyncio

    from ingle.server.mcp_stdio import serve_stdio
    from ingle.settings import load_settings

    asyncio.run(serve_stdio(load_settings()))
