"""`ingle/template`: a text, as an app's template rendered it, or the items of a list as one text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic_core import to_json

from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.pieces import Piece

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = ["TEMPLATE", "TemplateConfiguration", "TemplateInput", "TemplateOutput"]

Json = Any  # Any: a JSON value has no narrower type


class TemplateInput(Input):
    """What the text is made of."""

    text: Json = Field(
        description="The text, in an app with variables such as {{ input.name }}; or a list, whose "
        "items are joined. What is no text is written as JSON."
    )


class TemplateConfiguration(Configuration):
    """How the items of a list are joined."""

    separator: str = Field("\n\n", description="What stands between two items of a list.")
    numbered: bool = Field(
        False, description="Whether each item of a list begins with its number, as in `1. …`."
    )


class TemplateOutput(Output):
    """The text."""

    text: str = Field(description="The text.")


async def _run(
    input: TemplateInput,  # noqa: A002
    configuration: TemplateConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | TemplateOutput, None]:
    if isinstance(input.text, list):
        items = [_written(item) for item in input.text]
        if configuration.numbered:
            items = [f"{number}. {item}" for number, item in enumerate(items, start=1)]
        text = configuration.separator.join(items)
    else:
        text = _written(input.text)
    yield Piece(("text",), value=text)
    yield TemplateOutput(text=text)


def _written(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else to_json(value).decode()


TEMPLATE = Processor(
    slug="ingle/template",
    name="Template",
    description="Makes one text of values and lists.",
    input=TemplateInput,
    configuration=TemplateConfiguration,
    output=TemplateOutput,
    result=("text",),
    run=_run,
)
