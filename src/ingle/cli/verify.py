"""`ingle models verify`: whether the files of models still are what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.cli.terminal import AsJson, print_json, print_table, spinner

if TYPE_CHECKING:
    from ingle.engines.verdict import Verdict
    from ingle.models.manifest import Model

__all__ = ["verify"]


def verify(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Else all.", autocompletion=complete_model),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that models' files are whole.

    Each byte of pulled and imported ones is compared with its sha256; of the others it is looked
    at whether they are complete. Ends with exit code 6 if something is wrong.
    """
    from ingle.engines.verdict import Verdict
    from ingle.errors import ModelFileInvalid
    from ingle.models.store import Models
    from ingle.settings import load_settings

    store = Models(load_settings())
    verdicts = [_verdict(model) for model in ([store.get(name)] if name else store.list())]
    if name is None:
        verdicts += [Verdict(file.name, "header", [file.error.message]) for file in store.damaged()]
    if as_json:
        print_json(verdicts)
    else:
        rows = [(one.name, one.compared, " ".join(one.faults) or "ok") for one in verdicts]
        print_table({"MODEL": "", "COMPARED": "dim", "FOUND": ""}, rows)
    if wrong := [one.name for one in verdicts if one.faults]:
        raise ModelFileInvalid(
            f"Not whole: {', '.join(wrong)}. Pull such a model again with `--fresh`, or remove it "
            "with `ingle models rm NAME`."
        )


def _verdict(model: Model) -> Verdict:
    import asyncio

    from ingle.engines.verdict import verdict

    with spinner(f"Reading {model.name}"):
        return asyncio.run(verdict(model))
