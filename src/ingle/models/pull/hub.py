"""Hugging Face: what a repository holds, and which of its files are the model.

One request lists a repository at a commit, with each file's size and digest; the files are then
fetched at exactly that commit. API: https://huggingface.co/docs/hub/api.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import msgspec

from ingle.errors import InvalidRequest
from ingle.models.pull.answer import Advice, decode
from ingle.models.pull.caches import hub_blob
from ingle.models.pull.names import check_file_name, model_name, refuse_code
from ingle.models.pull.pipeline import INDEX, pipeline_files
from ingle.models.pull.plan import Digest, Plan, PlannedFile, Role
from ingle.models.pull.quantisation import Listed, choose, projector, variants
from ingle.models.pull.source import HubSource
from ingle.models.pull.web import Web
from ingle.settings import Settings

__all__ = ["resolve"]


class _Lfs(msgspec.Struct):
    size: int
    sha256: str | None = None
    oid: str | None = None


class _File(msgspec.Struct, rename={"name": "rfilename", "blob": "blobId"}):
    name: str
    size: int | None = None
    blob: str | None = None
    lfs: _Lfs | None = None


class _Repository(msgspec.Struct, rename={"files": "siblings", "card": "cardData"}):
    sha: str
    files: list[_File] = []
    # Any: the front matter of a README, where people write anything.
    card: Any = None


async def resolve(
    source: HubSource, web: Web, settings: Settings, memory_bytes: int | None
) -> Plan:
    """The files of the repository that are the model, chosen for this machine's memory.

    Raises:
        InvalidRequest: there is no model in it that can be told, or not what was asked for.
        ModelTooLarge: none of its quantisations fits.
        ModelFileInvalid: it holds only pickles, or a name that no file may have.
        UpstreamError: the hub cannot be asked, or does not let us.
    """
    base = settings.huggingface_url
    token = settings.huggingface_token
    revision = quote(source.revision, safe="")
    url = f"{base}/api/models/{source.repository}/revision/{revision}?blobs=true"
    body = await web.ask(url, bearer=token, advice=_advice(source, base, has_token=bool(token)))
    repository = decode(body, _Repository, url)
    wanted = source.wanted
    if wanted is not None:
        refuse_code(wanted)
    at_commit = f"{base}/{source.repository}/resolve/{repository.sha}"
    chosen, why = _gguf(repository, source, memory_bytes) or _no_gguf(repository, source)
    if not chosen:
        index = f"{at_commit}/{INDEX}"
        told = await web.ask(
            index, bearer=token, advice=_advice(source, base, has_token=bool(token))
        )
        chosen = _pipeline(repository, decode(told, dict[str, object], index))
    files = []
    for file, name, role in chosen:
        place = quote(check_file_name(file.name), safe="/")
        digest = _digest(file)
        files.append(
            PlannedFile(
                name=check_file_name(name),
                origin=f"{at_commit}/{place}",
                size_bytes=file.lfs.size if file.lfs else file.size,
                digest=digest,
                role=role,
                bearer=token,
                at_hand=hub_blob(settings, source.repository, digest),
            )
        )
    first = PurePosixPath(files[0].name)
    is_gguf = first.suffix.lower() == ".gguf"
    stem = first.stem if is_gguf else source.repository.partition("/")[2]
    return Plan(
        name=model_name(stem.partition("-00001-of-")[0]),
        source=str(source),
        files=tuple(files),
        why=why,
        licence=_licence(repository.card),
        revision=repository.sha,
    )


_Chosen = list[tuple[_File, str, Role]]


def _gguf(
    repository: _Repository, source: HubSource, memory_bytes: int | None
) -> tuple[_Chosen, str] | None:
    """The files of a GGUF model to fetch, by what name and for what, and why these; None if it has
    none."""
    by_name = {file.name: file for file in repository.files}
    listed = [Listed(name, _size(file)) for name, file in by_name.items()]
    found = variants(listed)
    if not found:
        return None
    choice = choose(found, source.wanted, memory_bytes)
    # A folder in the repository is the publisher's way to sort; parts of a model share theirs.
    chosen: _Chosen = [
        (by_name[part.name], PurePosixPath(part.name).name, "weights")
        for part in choice.variant.files
    ]
    why = choice.why
    if eyes := projector(listed):
        chosen.append((by_name[eyes.name], PurePosixPath(eyes.name).name, "projector"))
        why += f" With {PurePosixPath(eyes.name).name}, so that it sees images."
    return chosen, why


def _no_gguf(repository: _Repository, source: HubSource) -> tuple[_Chosen, str]:
    """Nothing yet, if the repository is an image pipeline, whose index tells what to fetch.

    Raises:
        InvalidRequest: it is none.
        ModelFileInvalid: its weights are pickles.
    """
    names = {file.name for file in repository.files}
    if INDEX in names and source.wanted is None:
        return [], ""
    _refuse_pickles_only(names)
    raise InvalidRequest(
        f"{source.repository} holds no GGUF file{_other_formats(names)}. Look for a repository "
        f"of the same model with GGUF in its name.",
        param="source",
    )


def _pipeline(repository: _Repository, index: dict[str, object]) -> _Chosen:
    """The files of an image pipeline to fetch.

    Raises:
        InvalidRequest, ModelFileInvalid: see `pipeline_files`.
    """
    by_name = {file.name: file for file in repository.files}
    return [(by_name[one.listed], one.name, one.role) for one in pipeline_files([*by_name], index)]


def _refuse_pickles_only(names: set[str]) -> None:
    weights = sorted(name for name in names if _looks_like_weights(name))
    if weights and not any(name.endswith(".safetensors") for name in weights):
        refuse_code(weights[0])


def _looks_like_weights(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in {".bin", ".ckpt", ".pt", ".pth", ".safetensors"}


def _other_formats(names: set[str]) -> str:
    has_safetensors = any(name.endswith(".safetensors") for name in names)
    return ", only safetensors, which no engine here runs yet" if has_safetensors else ""


def _digest(file: _File) -> Digest | None:
    if file.lfs is not None:
        sha256 = file.lfs.sha256 or file.lfs.oid
        return Digest("sha256", sha256.lower()) if sha256 else None
    return Digest("git-sha1", file.blob.lower()) if file.blob else None


def _size(file: _File) -> int:
    return file.lfs.size if file.lfs else file.size or 0


def _licence(card: Any) -> str | None:
    licence = card.get("license") if isinstance(card, dict) else None
    return licence[:100] if isinstance(licence, str) else None


def _advice(source: HubSource, base: str, *, has_token: bool) -> Advice:
    page = f"{base}/{source.repository}"
    hidden = f"The repository is private, asks for consent at {page} first, or is not there. "
    if has_token:
        hidden += "Check whether `huggingface_token` is right and may read it."
    else:
        hidden += (
            f"Check the name; or agree at {page}, make a token at {base}/settings/tokens and put "
            "it into the setting `huggingface_token`."
        )
    return {
        401: hidden,
        403: hidden,
        404: f"Check the name at {page} and the revision {source.revision!r}.",
        429: "The hub has had enough requests from here. Try again in some minutes.",
    }
