"""Zip archives of strangers, looked over before they are unpacked, and the XML in them."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = ["check_package"]

_MOST_BYTES = 512 * 1024 * 1024
_MOST_FILES = 20_000
_MOST_XML_BYTES = 256 * 1024 * 1024


def check_package(package: zipfile.ZipFile) -> None:
    """Go on if the archive unfolds to something in reason, and its XML defines no entities.

    Python's zipfile unpacks no more of a file than the archive's list says, so that what is
    counted here is a bound.

    Raises:
        InvalidRequest: it is too much, or its XML holds what can blow up or read other files.
        UnsupportedInput: it is encrypted.
    """
    files = package.infolist()
    size = sum(file.file_size for file in files)
    if size > _MOST_BYTES or len(files) > _MOST_FILES:
        raise InvalidRequest(
            f"it unfolds to {len(files):,} files of {size:,} bytes; {_MOST_FILES:,} files and "
            f"{_MOST_BYTES:,} bytes are read at most. Give a part of it."
        )
    if any(file.flag_bits & 1 for file in files):
        raise UnsupportedInput("it is encrypted. Save it without a password.")
    for file in files:
        if file.filename.lower().endswith((".xml", ".rels")):
            if file.file_size > _MOST_XML_BYTES:
                raise InvalidRequest(
                    f"{file.filename} in it has {file.file_size:,} bytes. Give a part of it."
                )
            _check_xml(package, file)


def _check_xml(package: zipfile.ZipFile, file: zipfile.ZipInfo) -> None:
    """Read the XML up to its first element: a type declaration, in which entities are defined,
    stands before that, and no office program writes one."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    has_begun = []
    parser.StartElementHandler = lambda *_: has_begun.append(True)
    with package.open(file) as xml:
        while not has_begun and (part := xml.read(16 * 1024)):
            parser.Parse(part)


def _refuse(*_: object) -> None:
    raise InvalidRequest(
        "its XML declares a document type, which can be made to unfold without end. Save it anew "
        "in an office program."
    )
