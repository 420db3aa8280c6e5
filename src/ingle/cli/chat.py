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
    from ingle import library
    from ingle.cli.conversation import DEMO, Conversation
    from ingle.models.store import Models
    from ingle.settings import load_settings

    settings = load_settings()
    installed = {found.name for found in Models(settings).list()}
    if model and not prompt and " " in model and model not in installed:
        prompt, model = [model], None
    question = _question(" ".join(prompt or []))
    conversation = Conversation(model or settings.default_model or DEMO, system, installed)
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


def _question(prompt: str) -> str:
    """The prompt, and below it what was piped in."""
    from ingle.cli.values import read_stdin

    piped = "" if sys.stdin.isatty() else read_stdin().strip()
    return "\n\n".join(part for part in (prompt, piped) if part)
