"""A file on any web server that is a model: GGUF, with its other parts if it is one of several; a
model of whisper.cpp (`ggml-*.bin`); or a voice of Piper (`*.onnx`), with what describes it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from ingle.errors import InvalidRequest
from ingle.models.pull.names import check_file_name, is_model_file, model_name, refuse_code
from ingle.models.pull.plan import Digest, Plan, PlannedFile
from ingle.models.pull.source import UrlSource

__all__ = ["resolve"]

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_MOST_PARTS = 500


def resolve(source: UrlSource) -> Plan:
    """The file, or all parts of a split one; sizes are told by the server when they are fetched.

    Raises:
        InvalidRequest: the address names no file of such a kind.
        ModelFileInvalid: it names a pickle or an archive, or what no file may be called.
    """
    parts = urlsplit(source.url)
    folder, _, last = parts.path.rpartition("/")
    name = unquote(last)
    if not is_model_file(name):
        refuse_code(name)
        raise InvalidRequest(
            f"{source} names no .gguf file, nor a model that listens (ggml-*.bin) or speaks "
            "(*.onnx). Give the address of the file itself.",
            param="source",
        )
    check_file_name(name.replace("/", "\\"))  # an encoded slash is a part of the name, not a folder
    names = _all_parts(name)
    if len(names) > 1 and source.sha256:
        raise InvalidRequest(
            f"{source} is one of {len(names)} files, so one #sha256=… cannot stand for them all. "
            "Leave it out.",
            param="source",
        )
    digest = Digest("sha256", source.sha256) if source.sha256 else None
    files = tuple(
        PlannedFile(
            name=part,
            origin=source.url
            if part == name
            else parts._replace(path=f"{folder}/{quote(part)}").geturl(),
            digest=digest,
            role="other" if part.endswith(".json") else "weights",
        )
        for part in names
    )
    stem = PurePosixPath(names[0]).stem.partition("-00001-of-")[0]
    return Plan(name=model_name(stem), source=str(source), files=files)


def _all_parts(name: str) -> list[str]:
    """The names of a split model's files, in order; of a voice its two; of another the one."""
    if name.lower().endswith(".onnx"):
        return [name, f"{name}.json"]
    split = _SPLIT.fullmatch(name)
    if not split:
        return [name]
    count = int(split["count"])
    if not 1 <= int(split["number"]) <= count <= _MOST_PARTS:
        raise InvalidRequest(
            f"{name!r} cannot be a part of a split model: it says it is number "
            f"{int(split['number'])} of {count}.",
            param="source",
        )
    return [f"{split['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
