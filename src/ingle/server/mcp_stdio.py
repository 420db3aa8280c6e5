"""The MCP server over stdin and stdout, for clients that start it as a process of their own."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from ingle.runtime import open_runtime
from ingle.server.app_runs import AppCaller
from ingle.server.caller import Caller
from ingle.server.mcp_tools import mcp_server
from ingle.server.rates import Rates
from ingle.settings import Settings

__all__ = ["serve_stdio"]


async def serve_stdio(settings: Settings) -> None:
    """Answer until stdin ends. Who starts a process here may run every app, as on loopback.

    What else would be written to stdout goes to stderr.

    Raises:
        StorageError: the data folder or the database cannot be used.
    """
    async with open_runtime(settings) as runtime, stdio_server() as (reading, writing):
        caller = AppCaller(runtime, Caller(None, Rates(), runtime.key_usage))
        server = mcp_server(lambda _: caller)
        await server.run(reading, writing, server.create_initialization_options())
