"""Ingle: open models on your own machine, and the AI apps built on them.

    import ingle

    answer = ingle.run("localai/chatgpt", {"messages": [{"role": "user", "content": "Hello!"}]})
    print(answer.choices[0].content)
    print(ingle.run("app.yaml", {"question": "Why is the sky blue?"}).output)

Importing this package loads nothing heavy: the functions come from `ingle.library` at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingle._version import __version__
from ingle.errors import IngleError

if TYPE_CHECKING:
    from ingle.library import arun, astream, close, run, stream
    from ingle.processors.pieces import Piece, fold

__all__ = [
    "IngleError",
    "Piece",
    "__version__",
    "arun",
    "astream",
    "close",
    "fold",
    "run",
    "stream",
]


def __getattr__(name: str) -> Any:  # Any: whatever the public name stands for
    if name in {"arun", "astream", "close", "run", "stream"}:
        from ingle import library

        return getattr(library, name)
    if name in {"Piece", "fold"}:
        from ingle.processors import pieces

        return getattr(pieces, name)
    raise AttributeError(f"module 'ingle' has no attribute {name!r}")
