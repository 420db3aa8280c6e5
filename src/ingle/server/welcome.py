"""The page at `/`: that Ingle runs, and how to call it."""

from __future__ import annotations

from html import escape

from ingle._version import __version__
from ingle.server.exchange import Exchange

__all__ = ["show_welcome"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ingle</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
  body {{ max-width: 44rem; margin: 4rem auto; padding: 0 1rem; }}
  pre {{ padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: .5rem; }}
</style>
<h1>Ingle is running</h1>
<p>Version {version}. Any client of OpenAI's API can use it with this base URL:</p>
<pre>{origin}/v1</pre>
<p>For example, from a terminal:</p>
<pre>curl {origin}/v1/chat/completions \\
  -H 'Content-Type: application/json' \\
  -d '{{"messages": [{{"role": "user", "content": "Hello!"}}]}}'</pre>
<p><a href="/v1/models">Models</a> · <a href="/health">Health</a> ·
<a href="/api/openapi.json">Description of /api</a></p>
</html>
"""
_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
]


async def show_welcome(exchange: Exchange) -> None:
    """Answer with the page, with the address under which the caller came."""
    host = exchange.request.header(b"host") or "127.0.0.1"
    origin = f"{exchange.request.scope['scheme']}://{host}"
    page = _PAGE.format(version=escape(__version__), origin=escape(origin))
    await exchange.answer.whole(page.encode(), b"text/html; charset=utf-8", headers=_HEADERS)
