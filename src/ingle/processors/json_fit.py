"""Whether a JSON value fits a JSON Schema, and what is wrong if it does not.

No other file is fetched, and patterns are of the kind whose time has a bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic_core import to_json

from ingle.upstream.explain import printable

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

__all__ = ["misfits", "validator_of"]

_LISTED_ERRORS = 8


def _no_other_file(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is another file, and none is fetched")


def validator_of(schema: dict[str, Any]) -> Validator:
    """What checks values by the schema.

    Raises:
        ValueError: it is none.
    """
    import jsonschema_rs

    try:
        # Of the two kinds of regular expressions, the one whose time has a bound.
        patterns = jsonschema_rs.RegexOptions()
        return jsonschema_rs.validator_for(
            schema, retriever=_no_other_file, pattern_options=patterns
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        said = printable(str(getattr(error, "message", error)).partition("\n")[0], 300)
        raise ValueError(f"it is no JSON Schema that can be used: {said.rstrip('.')}.") from error


def misfits(value: Any, schema: dict[str, Any]) -> str:
    """The first things that are wrong, each with its place: `$.a: "x" is not …`; "" if it fits.

    Raises:
        ValueError: the schema is none.
    """
    faults = list(islice(validator_of(schema).iter_errors(value), _LISTED_ERRORS + 1))
    lines = [f"{_place(fault.instance_path)}: {_said(fault)}" for fault in faults]
    more = "; and more" if len(lines) > _LISTED_ERRORS else ""
    return f"{'; '.join(lines[:_LISTED_ERRORS])}{more}"


def _said(fault: ValidationError) -> str:
    """What is wrong, with the value if that is short, and with the rule in any case."""
    shown = printable(str(fault.instance), 60)
    return printable(fault.message.replace(to_json(fault.instance).decode(), shown), 200)


def _place(path: Iterable[str | int]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return printable("$" + "".join(steps), 120)
