"""`ingle chat`: a conversation with a model, in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.errors import InvalidRequest

__all__ = ["chat"]


def chat(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            autocompletion=complete_model,
            help="Who answers: an installed model, or CONNECTION/MODEL.",
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", show_default=False, help="Ask just this."),
    ] = None,
    system: Annotated[
        str, typer.Option(metavar="TEXT", show_default=False, help="Tell the model how to answer.")
    ] = "",
) -> None:
    """Talk to a model.

    With a PROMPT, or with something piped in, it answers once: the piped text comes after the
    PROMPT. Else a conversation begins; /help lists what can be typed in it.

    \b
    ingle chat
    ingle chat demo "What is the capital of France?"
    cat notes.txt | ingle chat demo "Sum this up:"
    """
    if model and not prompt and len(model.split()) > 1:  # no model's name has a space in it
        prompt, model = [model], None
    asked = [" ".join(prompt or [])]
    if not sys.stdin.isatty():
        asked.append(sys.stdin.read().strip())
    question = "\n\n".join(part for part in asked if part)

    from ingle import library
    from ingle.cli.conversation import Conversation

    conversation = Conversation(model, system)
    try:
        if question:
            conversation.ask(question)
        elif sys.stdin.isatty():
            conversation.hold()
        else:
            raise InvalidRequest(
                "There is nothing to answer: no prompt was given and stdin is empty. "
                'Write `ingle chat demo "Hello!"`.'
            )
    finally:
        library.close()
