"""Keys that stand in an app's text, where they do not belong: apps are shared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ingle.apps.document import Path
from ingle.apps.template import is_template

__all__ = ["LOOKS_LIKE_A_KEY", "secret_faults"]

_NAMED = re.compile(
    r"^(x[-_])?(api|access|secret|auth|private|bearer)?[-_]?(key|token|secret)$"
    r"|^(proxy-)?authorization$|passw(or)?d$|^credentials?$",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(?:sk|ik|pk|rk)-[A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{20,}"
    r"|\bgithub_pat_\w{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@{}]+:[^/\s@{}]+@"
)
"""What keys of well-known services look like, and a password in an address."""

LOOKS_LIKE_A_KEY = "looks like a key"
"""What each of these faults says, so that whoever shows them does not show the line."""

_WHAT_TO_DO = (
    f"{LOOKS_LIKE_A_KEY}, and an app is shared with others. Put the key of a model's server into a "
    "connection (`ingle connections add NAME URL`) and write `model: NAME/…`; for any other, ask "
    "for it in the app's `input`."
)


def secret_faults(values: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where in a definition something looks like a key, and what to do about it.

    A template is none: it says where the key comes from.
    """
    for path, text in _texts(values, ()):
        is_form_field = len(path) == 2 and path[0] == "input"
        if _KEY.search(text) or (
            _NAMED.search(_name(path)) and text and not is_template(text) and not is_form_field
        ):
            yield path, f"`{'.'.join(map(str, path))}` {_WHAT_TO_DO}"


def _name(path: Path) -> str:
    """What a value is called: its key, or the field's whose default it is."""
    names = [key for key in path if isinstance(key, str)]
    if len(names) > 1 and names[-1] == "default":
        names.pop()
    return names[-1] if names else ""


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
