"""The events of a run as they go over HTTP: as server-sent events, or only the app's answer.

Each event is written with its number in the run as `id` and its kind as `event`, so that who lost
the connection says how far it got. It is encoded once, whoever listens.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from ingle.errors import Busy, Conflict, IngleError, RunCancelled
from ingle.runs.as_json import write_json
from ingle.runs.events import (
    Event,
    OutputPiece,
    RunEnded,
    RunFailed,
    RunStarted,
    StepEnded,
    Usage,
    error_of,
    is_last,
)
from ingle.runs.events import RunCancelled as CancelledEvent

__all__ = ["Answered", "as_server_sent", "text_of"]

_encoder = msgspec.json.Encoder()


def as_server_sent(event: Event) -> bytes:
    """The event as a server-sent event."""
    kind = event.__struct_config__.tag
    try:
        data = _encoder.encode(event)
    except (UnicodeError, OverflowError, msgspec.MsgspecError):
        data = write_json(event).encode()  # what msgspec cannot say, such as half a surrogate pair
    return f"id: {event.sequence}\nevent: {kind}\ndata: ".encode() + data + b"\n\n"


class Answered:
    """A run's answer, whole or as text that only grows, and what it took.

    A step that is tried again takes back what it wrote. Who was told it already cannot be told
    otherwise: if the new text goes on as the old one did, nothing is lost; else it is an error.
    """

    def __init__(self, run: str, events: AsyncGenerator[Sequence[Event], None]) -> None:
        self._run = run
        self._events = events
        self._anew: str | None = None
        """What is told again of the text, as long as it is shorter than what was told before."""
        self._parts: list[str] = []  # joined when need be: adding to a long text copies it
        self.output: Any = None
        self.prompt_tokens = 0
        self.completion_tokens = 0

    @property
    def told(self) -> str:
        """All text that was told."""
        return "".join(self._parts)

    async def whole(self) -> Any:
        """The output, once the run has ended.

        Raises:
            IngleError: what the run failed with.
            RunCancelled: someone stopped it.
            Busy: Ingle is about to stop; the run goes on once it runs again.
        """
        async with aclosing(self._heard()) as heard:
            async for _ in heard:
                pass
        return self.output

    async def texts(self) -> AsyncGenerator[str, None]:
        """What the answer goes on with, each time; then `output` is set, which need be no text.

        Raises:
            Conflict: what was told has been taken back.
            IngleError: as `whole` does.
        """
        async with aclosing(self._heard()) as heard:
            async for events in heard:
                before = len(self._parts)
                for event in events:
                    if text := self._grown(event):
                        self._parts.append(text)
                if len(self._parts) > before:
                    yield "".join(self._parts[before:])
        if isinstance(self.output, str):
            told = self.told
            if not self.output.startswith(told):
                raise self._taken_back()
            if rest := self.output[len(told) :]:
                self._parts.append(rest)
                yield rest

    async def _heard(self) -> AsyncGenerator[Sequence[Event], None]:
        """The events; what they tell beside text is known here then."""
        is_over = False
        async with aclosing(self._events) as batches:
            async for events in batches:
                yield events
                for event in events:
                    self._note(event)
                is_over = is_last(events[-1])
        if not is_over:
            raise Busy(
                f"Ingle is stopping. The run {self._run} goes on when it runs again; GET "
                f"/api/runs/{self._run} has its output then."
            )

    def _note(self, event: Event) -> None:
        match event:
            case StepEnded(usage=Usage(prompt_tokens=prompt, completion_tokens=completion)):
                self.prompt_tokens += prompt
                self.completion_tokens += completion
            case RunEnded(output=output):
                self.output = output
            case RunFailed(fault=fault):
                raise error_of(fault)
            case CancelledEvent():
                raise RunCancelled(f"The run {self._run} was cancelled.")

    def _grown(self, event: Event) -> str:
        """What the answer goes on with because of this event."""
        if type(event) is RunStarted:  # the run may begin again, and tells all of it again
            self._anew = "" if self._parts else None
        if type(event) is not OutputPiece:
            return ""
        if event.is_restart:
            self._anew = ""
        if self._anew is None:
            return event.text
        self._anew += event.text
        told = self.told
        if told.startswith(self._anew):
            if told == self._anew:
                self._anew = None
            return ""
        if not self._anew.startswith(told):
            raise self._taken_back()
        rest, self._anew = self._anew[len(told) :], None
        return rest

    def _taken_back(self) -> IngleError:
        return Conflict(
            "What was told of the answer does not hold: its step was tried again and wrote "
            f"something else. GET /api/runs/{self._run} has the right one; who follows the run's "
            "events is told what to take back."
        )


def text_of(output: Any) -> str:
    """The output of an app as text: as it is, or as JSON."""
    if output is None:
        return ""
    return output if isinstance(output, str) else write_json(output)
