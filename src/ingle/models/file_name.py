"""The name of a file in the folder of whoever names it, never a way to another folder."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

__all__ = ["FileName"]


def _beside(file: str) -> str:
    if file in {"", ".", ".."} or any(c in "/\\" or not c.isprintable() for c in file):
        raise ValueError(f"{file!r} is no file name; the file lies beside the manifest")
    return file


FileName = Annotated[str, AfterValidator(_beside)]
