"""What programs that use Ingle, and Ingle's own tests, run against: servers that answer by script.

Everything is real but the answers: a listening socket, HTTP, bytes. Nothing of Ingle is patched.
"""

from ingle.testing.answers import (
    Answer,
    Fault,
    Framing,
    chat_answer,
    chat_stream,
    completion_answer,
    completion_stream,
    error,
    events,
    hang_up,
    images,
    json_answer,
    models,
    page,
    redirect,
    reset,
    silence,
)
from ingle.testing.upstream import ReceivedRequest, ScriptedUpstream

__all__ = [
    "Answer",
    "Fault",
    "Framing",
    "ReceivedRequest",
    "ScriptedUpstream",
    "chat_answer",
    "chat_stream",
    "completion_answer",
    "completion_stream",
    "error",
    "events",
    "hang_up",
    "images",
    "json_answer",
    "models",
    "page",
    "redirect",
    "reset",
    "silence",
]
