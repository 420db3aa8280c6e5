"""`ingle models verify`: whether the files of models still are what they should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.completion import complete_model
from ingle.cli.terminal import AsJson, print_json, print_table, spinner

if TYPE_CHECKING:
    from ingle.models.manifest import Model

__all__ = ["verify"]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What was compared of a model, and the sentences that say what is wrong."""

    name: str
    compared: str
    faults: list[str]


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
    from ingle.errors import ModelFileInvalid
    from ingle.models.store import Models
    from ingle.settings import load_settings

    store = Models(load_settings())
    verdicts = [_verdict(model) for model in ([store.get(name)] if name else store.list())]
    if name is None:
        verdicts += [
            _Verdict(file.name, "header", [file.error.message]) for file in store.damaged()
        ]
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


def _verdict(model: Model) -> _Verdict:
    """The store has read each GGUF header already, and that no file is shorter than it says."""
    import asyncio

    from ingle.engines.images.model_folder import read_model_folder
    from ingle.errors import ModelFileInvalid
    from ingle.models.pull.record import read_record
    from ingle.models.pull.verify import verify as compare

    folder = model.path if model.header is None else model.path.parent
    record = read_record(folder)
    has_record = record is not None and (
        model.header is None or model.path.name in {file.name for file in record.files}
    )
    if has_record:
        with spinner(f"Reading {model.name}"):
            return _Verdict(model.name, "sha256", asyncio.run(compare(folder)))
    if model.header is None:
        try:
            read_model_folder(model.path)
        except ModelFileInvalid as error:
            return _Verdict(model.name, "files", [error.message])
        return _Verdict(model.name, "files", [])
    return _Verdict(model.name, "header", [])
