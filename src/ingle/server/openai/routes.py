"""Which of these handlers answers at which path; `{id}` stands for one part of a path."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from ingle.server.exchange import Exchange, Handler
from ingle.server.openai import batches, chats, files, responses

__all__ = ["KEPT", "KEPT_NAMED", "find_named"]

Named = Callable[[str, Exchange], Coroutine[Any, Any, None]]  # Any: as every coroutine function
"""Answers for the object of an id."""

KEPT: Mapping[str, Mapping[str, Handler]] = MappingProxyType(
    {
        "chat/completions": {"GET": chats.list_chats, "POST": chats.create_chat},
        "responses": {"POST": responses.create_response},
        "responses/input_tokens": {"POST": responses.count_input_tokens},
        "files": {"GET": files.list_files, "POST": files.create_file},
        "batches": {"GET": batches.list_batches, "POST": batches.create_batch},
    }
)
"""Paths under `/v1` with what answers there, by method."""

KEPT_NAMED: Mapping[str, Mapping[str, Named]] = MappingProxyType(
    {
        "chat/completions/{id}": {
            "GET": chats.show_chat,
            "POST": chats.change_chat,
            "DELETE": chats.remove_chat,
        },
        "chat/completions/{id}/messages": {"GET": chats.list_messages},
        "responses/{id}": {"GET": responses.show_response, "DELETE": responses.remove_response},
        "responses/{id}/cancel": {"POST": responses.cancel_response},
        "responses/{id}/input_items": {"GET": responses.list_input_items},
        "files/{id}": {"GET": files.show_file, "DELETE": files.remove_file},
        "files/{id}/content": {"GET": files.show_content},
        "batches/{id}": {"GET": batches.show_batch},
        "batches/{id}/cancel": {"POST": batches.cancel_batch},
    }
)
"""The same for objects with an id."""


def find_named(path: str) -> tuple[str, Mapping[str, Handler]] | None:
    """The pattern that a path under `/v1` has, and what answers for the object that it names."""
    for pattern, handlers in KEPT_NAMED.items():
        before, _, after = pattern.partition("{id}")
        if path.startswith(before) and path.endswith(after):
            name = path[len(before) : len(path) - len(after)]
            if name and "/" not in name:
                return pattern, {method: partial(h, name) for method, h in handlers.items()}
    return None
