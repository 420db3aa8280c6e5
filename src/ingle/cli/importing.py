"""`ingle models import`: models that this machine has already, as models of Ingle."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingle.cli.pull import bar, fetch
from ingle.cli.terminal import AsJson, note, print_json, size
from ingle.errors import Conflict, InvalidRequest

if TYPE_CHECKING:
    from ingle.models.pull.progress import Installed
    from ingle.settings import Settings

__all__ = ["import_models"]

_CACHES = {"hf": ("hf:",), "ollama": ("ollama:", "oci://")}


@dataclass(slots=True)
class _Report:
    """What was imported, what was not and why, and the fields that have no effect here."""

    installed: list[Installed] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)


def import_models(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH|hf|ollama",
            help="A .gguf file, a folder with one or with an image model, a model file of LocalAI "
            "(.yaml); or `hf` or `ollama` for all models in that program's cache.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it; else after its file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take over models of other programs.

    Files and folders are copied. Models of a cache are used where they lie, and are gone when
    their owner removes them. Of LocalAI's files it is told what has no effect here.
    """
    from ingle.models.image_folder import is_image_folder
    from ingle.settings import load_settings

    settings, given = load_settings(), Path(path).expanduser()
    if path in _CACHES and not given.exists():
        if name is not None:
            raise InvalidRequest(
                f"`--name` is for one model, and `{path}` may be many. Leave it out."
            )
        report = _from_cache(path, settings, as_json=as_json)
    elif given.suffix.lower() in {".yaml", ".yml"}:
        report = _from_localai(given, settings, name, as_json=as_json)
    else:
        if is_image_folder(given):
            from ingle.engines.images.model_folder import read_model_folder

            read_model_folder(given)
        report = _Report([_copy(str(given), settings, name, as_json=as_json)])
    _print(report, as_json=as_json)


def _copy(source: str, settings: Settings, name: str | None, *, as_json: bool) -> Installed:
    from ingle.models.pull.install import Options

    with nullcontext(lambda _: None) if as_json else bar() as show:
        return fetch(source, settings, Options(name=name), show)


def _from_cache(cache: str, settings: Settings, *, as_json: bool) -> _Report:
    """All models of a cache; one whose name is taken is left out."""
    import asyncio

    from ingle.models.pull.caches import find_cached
    from ingle.models.pull.in_place import use_in_place

    report = _Report()
    for cached in find_cached(settings):
        if not cached.source.startswith(_CACHES[cache]):
            continue
        try:
            done = asyncio.run(use_in_place(cached, settings))
        except Conflict as error:
            report.refused[cached.source] = error.message
            continue
        report.installed.append(done)
        if not as_json:
            note(f"{done.name} is there ({size(done.size_bytes)}).")
    return report


def _from_localai(path: Path, settings: Settings, name: str | None, *, as_json: bool) -> _Report:
    from ingle.models.localai_file import read_localai_file
    from ingle.models.manifest import read_manifest, update_manifest
    from ingle.models.pull.local import copy_into
    from ingle.models.pull.names import model_name

    told = read_localai_file(path)
    installed = _copy(told.source, settings, name or model_name(told.name), as_json=as_json)
    for part in told.parts:
        copy_into(part, installed.path)
    manifest = installed.path / f"{installed.name}.yaml"
    # Who called it in LocalAI goes on to.
    aliases = {"aliases": [told.name]} if name is None and told.name != installed.name else {}
    update_manifest(manifest, {**aliases, **told.fields})
    ignored = dict(told.ignored)
    if read_manifest(manifest).projector:  # a repository brings its own
        ignored.pop("mmproj", None)
    return _Report([installed], ignored=ignored)


def _print(report: _Report, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    for field_name, why in report.ignored.items():
        note(f"`{field_name}` has no effect: {why}.")
    for source, why in report.refused.items():
        note(f"{source} was left out. {why}")
    if not report.installed and not report.refused:
        note("Nothing was found.")
