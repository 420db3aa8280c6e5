"""A processor's output as people read it: streamed, printed whole, or saved to files."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from rich.text import Text

from ingle.cli.terminal import console, size, visible, write
from ingle.errors import InvalidRequest, StorageError
from ingle.processors.base import Output
from ingle.processors.chat_completions import ChatCompletionsOutput
from ingle.processors.completions import CompletionsOutput
from ingle.processors.data_uri import File, is_data_uri, read_data_uri
from ingle.processors.image_generations import ImageGenerationsOutput
from ingle.processors.messages import ChatMessage
from ingle.processors.pieces import Path, Piece

__all__ = ["AnswerText", "check_writable", "save"]

_ANSWER_PATHS = frozenset({("choices", 0), ("choices", 0, "content")})
_REASONING_PATH = ("choices", 0, "reasoning_content")
_BETWEEN_CHOICES = "\n\n---\n\n"
_SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif"}


class AnswerText:
    """Prints an answer, as far as it is known, and at its end what is still missing.

    What a model thinks before it answers goes to stderr, dimmed, and only to a terminal.
    """

    def __init__(self, result: Path = ()) -> None:
        self._result = result
        self.text = ""
        """What was printed of the answer itself."""
        self._is_thinking = False

    def add(self, piece: Piece) -> None:
        """Print the piece, if it continues the first choice. The others wait for the end."""
        if not piece.text:
            return
        if piece.path == _REASONING_PATH:
            self._think(piece.text)
        elif piece.path in _ANSWER_PATHS or piece.path == self._result:
            self._end_thought()
            self.text += piece.text
            write(piece.text)

    def end(self, output: Output) -> None:
        """Print the rest of the output, and end the line."""
        if not self.text and not self._is_thinking:
            self._think(_thought(output))
        self._end_thought()
        text = as_text(output, self._result)
        write(text.removeprefix(self.text))
        if not text.endswith("\n"):
            write("\n")

    def cut(self) -> None:
        """End the line of an answer that goes no further."""
        self._end_thought()
        if self.text and not self.text.endswith("\n"):
            write("\n")

    def _think(self, text: str) -> None:
        if text and sys.stderr.isatty():
            console(sys.stderr).print(Text(visible(text), style="dim"), end="", soft_wrap=True)
            self._is_thinking = True

    def _end_thought(self) -> None:
        if self._is_thinking:
            sys.stderr.write("\n\n")
            self._is_thinking = False


def as_text(output: Output, result: Path = ()) -> str:
    """The output as text: the choices one below the other, or a word on the images.

    Of other processors it is what stands at `result`.
    """
    match output:
        case CompletionsOutput():
            return _BETWEEN_CHOICES.join(output.choices)
        case ChatCompletionsOutput():
            return _BETWEEN_CHOICES.join(_message(message) for message in output.choices)
        case ImageGenerationsOutput():
            return "\n".join(_about_images(output))
    if files := _files(output, result):
        return "\n".join(f"{file.mime}, {size(len(file.content))}" for file in files)
    value = _at(output, result)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _at(output: Output, path: Path) -> Any:  # Any: a JSON value
    value: Any = output.model_dump(mode="json")
    for key in path:
        value = value[key]
    return value


def _files(output: Output, result: Path) -> list[File]:
    """What `result` and its neighbours in a list are, if they are files as data URIs."""
    is_item = bool(result) and isinstance(result[-1], int)
    found = _at(output, result[:-1]) if is_item else [_at(output, result)]
    if not all(isinstance(one, str) and is_data_uri(one) for one in found):
        return []
    return [read_data_uri(one, param="output") for one in found]


def _message(message: ChatMessage) -> str:
    """What the message says, and each call that it asks for as a line of JSON."""
    parts = [message.content if isinstance(message.content, str) else ""]
    parts.append(message.refusal or "")
    calls = [call.function for call in message.tool_calls or []]
    if message.function_call:
        calls.append(message.function_call)
    parts += [json.dumps(call.model_dump(), ensure_ascii=False) for call in calls]
    return "\n".join(part for part in parts if part)


def _thought(output: Output) -> str:
    if isinstance(output, ChatCompletionsOutput) and output.choices:
        return output.choices[0].reasoning_content or ""
    return ""


def _about_images(output: ImageGenerationsOutput) -> Iterator[str]:
    for number, image in enumerate(_images(output), start=1):
        kind = _suffix(image).lstrip(".").upper() or "unknown format"
        yield f"Image {number}: {kind}, {size(len(image))}"


def _images(output: ImageGenerationsOutput) -> list[bytes]:
    return [base64.b64decode(data) for data in output.data]


def _suffix(image: bytes) -> str:
    kinds = (suffix for start, suffix in _SIGNATURES.items() if image.startswith(start))
    return next(kinds, "")


def check_writable(path: FilePath) -> None:
    """Find out before the work whether its result can be saved.

    Raises:
        InvalidRequest: the path is a folder, or in one that is not there.
    """
    if path.is_dir():
        raise InvalidRequest(f"`--output {path}` is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise InvalidRequest(
            f"`--output {path}` cannot be written: there is no folder {path.parent}. Make it first."
        )


def save(output: Output, path: FilePath, result: Path = ()) -> str:
    """Write the images, files or text of the output to files; what was written, for people.

    Of several images the second goes to `name-2.png`, and so on.

    Raises:
        StorageError: a file cannot be written.
    """
    if isinstance(output, ImageGenerationsOutput):
        contents = _images(output)
    elif files := _files(output, result):
        contents = [file.content for file in files]
    else:
        contents = [f"{as_text(output, result)}\n".encode()]
    saved = []
    for number, content in enumerate(contents, start=1):
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        try:
            target.write_bytes(content)
        except OSError as error:
            raise StorageError(
                f"{target} cannot be written: {error.strerror}. Run it again with another "
                "`--output`, or with `--json` to get the data."
            ) from error
        saved.append(f"{target} ({size(len(content))})")
    return f"Saved {', '.join(saved)}"
