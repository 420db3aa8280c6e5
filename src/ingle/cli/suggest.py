"""`ingle models suggest`: good open models that fit this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from ingle.cli.terminal import AsJson, note, print_json, print_table, size
from ingle.errors import InvalidRequest

__all__ = ["suggest"]


def suggest(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK",
            show_default=False,
            help="What it is for: chat, code, vision, embeddings or rerank; else anything.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List good open models that fit this machine's memory, the most capable first.

    The list comes with Ingle and needs no network; its sizes are approximate.
    """
    from typing import get_args

    from ingle.engines.memory import engines_limit_bytes
    from ingle.models.curated import Task
    from ingle.models.curated import suggest as suggest_models
    from ingle.settings import load_settings

    tasks: tuple[Task, ...] = get_args(Task)
    wanted = next((known for known in tasks if known == task), None)
    if task is not None and wanted is None:
        raise InvalidRequest(f"There is no task {task!r}. There are: {', '.join(tasks)}.")
    memory_bytes = load_settings().memory_limit_bytes or engines_limit_bytes()
    found = suggest_models(memory_bytes, wanted)
    if as_json:
        print_json(
            [
                {**each.model.model_dump(), "quant": each.quant, "size_bytes": each.size_bytes}
                for each in found
            ]
        )
        return
    print_table(
        {"MODEL": "", "SIZE": "", "FOR": "", "LICENCE": "dim"},
        [
            (
                each.model.name,
                f"~{size(each.size_bytes)} {each.quant}",
                each.model.purpose,
                each.model.licence,
            )
            for each in found
        ],
    )
    note(f"`ingle models pull NAME` installs one. {size(memory_bytes)} are for engines here.")
