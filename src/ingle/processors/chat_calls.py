"""The function calls of one chat message, as they come bit by bit: parts in, pieces out.

A call comes as a `tool_calls` item or, from servers of the old form, as `function_call`. Where the
old form was asked for, the first tool call is shown as `function_call`, which is the only one it
has room for; `response` keeps all.
"""

from __future__ import annotations

from typing import Any

from ingle.processors.messages import CalledFunction, ToolCall
from ingle.processors.pieces import Path, Piece
from ingle.upstream import wire

__all__ = ["ChatCalls"]

Json = dict[str, Any]  # Any: a JSON value has no narrower type


class ChatCalls:
    """The calls in the message at `path` of the output."""

    def __init__(self, path: Path, *, in_old_form: bool) -> None:
        self._path = path
        self._in_old_form = in_old_form
        self._tool_calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._native: _Call | None = None  # what the server itself called `function_call`
        self._shown: _Call | None = None  # what the output calls `function_call`

    def __len__(self) -> int:
        return len(self._tool_calls) + (self._native is not None)

    def take(self, delta: wire.ChatDelta) -> list[Piece]:
        """The pieces that a delta with calls adds."""
        pieces: list[Piece] = []
        for part in delta.tool_calls or ():
            call = self._of(part) or self._begin(part)
            pieces += call.take(part.id, part.function or wire.FunctionDelta())
        if delta.function_call:
            if self._native is None:
                self._native = self._show(_Call())
            pieces += self._native.take(None, delta.function_call)
        return pieces

    def tool_calls(self) -> list[ToolCall] | None:
        """The calls of the output in the new form, if there are any."""
        if self._in_old_form:
            return None
        return [ToolCall.model_validate(call.as_tool()) for call in self._tool_calls] or None

    def function_call(self) -> CalledFunction | None:
        """The call of the output in the old form, if there is one."""
        return CalledFunction(**self._shown.function()) if self._shown else None

    def response(self) -> Json:
        """The calls as the server would have sent them in one message."""
        said: Json = {}
        if self._tool_calls:
            said["tool_calls"] = [call.as_tool() for call in self._tool_calls]
        if self._native:
            said["function_call"] = self._native.function()
        return said

    def _of(self, part: wire.ToolCallDelta) -> _Call | None:
        """The call that `part` goes on with, or none if it begins one.

        Some servers give no index and some (Ollama) the same one to every call: then a part with
        a name and another id begins a call, and so does one with a name and neither.
        """
        name = part.function.name if part.function else None
        if part.index is None:
            known = next(
                (call for call in self._tool_calls if part.id and call.id == part.id), None
            )
            return known or (self._tool_calls[-1] if self._tool_calls and not name else None)
        call = self._by_index.get(part.index)
        is_other = call and name and part.id and call.id and part.id != call.id
        return None if is_other else call

    def _begin(self, part: wire.ToolCallDelta) -> _Call:
        if self._in_old_form:
            call = self._show(_Call())
        else:
            call = _Call((*self._path, "tool_calls", len(self._tool_calls)), is_tool=True)
        self._tool_calls.append(call)
        if part.index is not None:
            self._by_index[part.index] = call
        return call

    def _show(self, call: _Call) -> _Call:
        """The call, shown as the `function_call` of the output unless another one is."""
        if self._shown is None:
            call.path = (*self._path, "function_call")
            self._shown = call
        return call


class _Call:
    """One call, as far as it has come. Without a path it makes no pieces."""

    def __init__(self, path: Path | None = None, *, is_tool: bool = False) -> None:
        self.path = path
        self.id: str | None = None
        self._is_tool = is_tool
        self._name = ""
        self._arguments: list[str] = []
        self._has_begun = False

    def take(self, identifier: str | None, function: wire.FunctionDelta) -> list[Piece]:
        """The pieces of a further part. A whole name that comes again is no longer name."""
        has_new_id = bool(identifier) and self.id is None
        self.id = self.id or identifier or None
        name = "" if function.name == self._name else function.name or ""
        self._name += name
        pieces = self._pieces(name, has_new_id=has_new_id) if self.path else []
        if function.arguments:
            self._arguments.append(function.arguments)
            if self.path:
                pieces.append(Piece((*self._function_path(), "arguments"), function.arguments))
        return pieces

    def _pieces(self, name: str, *, has_new_id: bool) -> list[Piece]:
        """The call as a whole when it begins, later what is new of its id and its name."""
        assert self.path is not None, "a call that is not shown makes no pieces"
        if not self._has_begun:
            self._has_begun = True
            return [Piece(self.path, value=self.as_tool() if self._is_tool else self.function())]
        pieces = []
        if has_new_id and self._is_tool:
            pieces.append(Piece((*self.path, "id"), value=self.id))
        if name:
            pieces.append(Piece((*self._function_path(), "name"), name))
        return pieces

    def _function_path(self) -> Path:
        path = self.path or ()
        return (*path, "function") if self._is_tool else path

    def function(self) -> dict[str, str]:
        """The name and the arguments so far."""
        return {"name": self._name, "arguments": "".join(self._arguments)}

    def as_tool(self) -> Json:
        """An item of `tool_calls`, as far as it has come."""
        identified = {"id": self.id} if self.id else {}
        return {**identified, "type": "function", "function": self.function()}
