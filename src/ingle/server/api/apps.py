"""`/api/apps`: definitions come in and are checked, drafts become versions, one of which runs."""

from __future__ import annotations

import datetime as dt
from difflib import unified_diff
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.definition import schema
from ingle.apps.fields import fields_schema
from ingle.apps.problems import InvalidApp
from ingle.errors import Conflict, InvalidRequest
from ingle.runtime import Runtime
from ingle.server.api.app_description import (
    DEFINITION_BODY,
    AppRequest,
    AppSummary,
    Problem,
    file_name,
    read_definition,
    summary,
)
from ingle.server.app_names import slug_of

__all__ = ["routes"]

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}
}
_DIFF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A unified diff; empty where both are the same.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


class AppDescription(AppSummary):
    """An app, and what it asks."""

    has_draft: bool
    input_schema: dict[str, Any] | None = Field(
        description="The JSON Schema of its input: the published version's, else the draft's."
    )


class Draft(BaseModel):
    """What an app's author works on; null where all is published."""

    text: str | None


class VersionDescription(BaseModel):
    """A version of an app. Times are in UTC."""

    version: int
    note: str
    created_at: dt.datetime
    is_published: bool


class VersionText(BaseModel):
    """The definition of a version."""

    version: int
    text: str


class Checked(BaseModel):
    """Whether a definition is right, and all that is wrong with it."""

    is_valid: bool
    slug: str | None
    problems: list[Problem]
    input_schema: dict[str, Any] | None


class Note(BaseModel):
    """What to remember of a version."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=1000)


class Published(BaseModel):
    """The version that runs now."""

    version: int


class Restored(BaseModel):
    """Which version's text the draft shall be."""

    model_config = ConfigDict(extra="forbid")

    version: int


class Changed(BaseModel):
    """What to change of an app besides its definition."""

    model_config = ConfigDict(extra="forbid")

    is_listed: bool = Field(description="Whether GET /v1/models and the MCP server name it.")


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room. What blocks on the database runs in threads."""
    router = APIRouter(tags=["apps"])
    apps = runtime.apps

    def checked(text: str, slug: str | None) -> App:
        return load(text, file_name(slug), runtime.published.find_if_there)

    def save(wanted: AppRequest, slug: str, app: App) -> None:
        text = wanted.as_text()
        apps.save_draft(slug, text, name=app.name, type=app.type, description=app.description)
        if wanted.publish:
            apps.publish(slug, note=wanted.note)

    def described(slug: str) -> AppDescription:
        record = apps.get(slug)
        draft = apps.draft(slug)
        text = draft if record.published is None else apps.text(slug)
        try:
            asks = fields_schema(checked(text or "", slug).fields)
        except InvalidApp:  # such as one whose processor this Ingle has no more
            asks = None
        return AppDescription(
            **summary(record).model_dump(), has_draft=draft is not None, input_schema=asks
        )

    @router.get("/apps")
    def list_apps() -> list[AppSummary]:
        """All apps by slug, those with only a draft too."""
        return [summary(record) for record in apps.list()]

    @router.post("/apps", status_code=201, openapi_extra=DEFINITION_BODY)
    async def create_app(request: Request) -> AppDescription:
        """Make an app of a definition, in Ingle's form or LLMStack's. A wrong one is refused with all
        that is wrong, in `error.problems`. Without `publish` it is a draft."""
        wanted = await read_definition(request)

        def create() -> AppDescription:
            app = checked(wanted.as_text(), wanted.slug)
            slug = wanted.slug or app.slug
            if any(record.slug == slug for record in apps.list()):
                raise Conflict(
                    f"There is an app {slug!r} already. PUT /api/apps/{slug}/draft changes it; "
                    "`slug` gives the new one another name.",
                    param="slug",
                )
            save(wanted, slug, app)
            return described(slug)

        return await run_in_threadpool(create)

    @router.post("/apps/check", openapi_extra=DEFINITION_BODY)
    async def check_app(request: Request) -> Checked:
        """Check a definition, and keep nothing."""
        wanted = await read_definition(request)
        try:
            app = await run_in_threadpool(checked, wanted.as_text(), wanted.slug)
        except InvalidApp as error:
            found = [Problem.model_validate(one, from_attributes=True) for one in error.problems]
            return Checked(is_valid=False, slug=wanted.slug, problems=found, input_schema=None)
        asks = fields_schema(app.fields)
        slug = wanted.slug or app.slug
        return Checked(is_valid=True, slug=slug, problems=[], input_schema=asks)

    @router.get("/schemas/app")
    def show_schema() -> dict[str, Any]:
        """The JSON Schema of definitions, for editors."""
        return schema()

    @router.get("/apps/{slug}")
    def show_app(slug: str) -> AppDescription:
        """One app, by its slug or its UUID."""
        return described(slug_of(apps, slug))

    @router.patch("/apps/{slug}")
    def change_app(slug: str, wanted: Changed) -> AppDescription:
        """Say whether the app is listed for everyone."""
        apps.list_publicly(slug, is_listed=wanted.is_listed)
        return described(slug)

    @router.delete("/apps/{slug}", status_code=204)
    def remove_app(slug: str) -> None:
        """Remove an app with its draft and versions. Its runs stay."""
        apps.remove(slug)

    @router.get("/apps/{slug}/draft")
    def show_draft(slug: str) -> Draft:
        """The text that its author works on."""
        return Draft(text=apps.draft(slug))

    @router.put("/apps/{slug}/draft", openapi_extra=DEFINITION_BODY)
    async def save_draft(slug: str, request: Request) -> AppDescription:
        """Put another draft in place of the app's; what is published stays as it is."""
        wanted = await read_definition(request)

        def change() -> AppDescription:
            apps.get(slug)
            app = checked(wanted.as_text(), slug)
            if wanted.slug not in (None, slug):
                raise InvalidRequest(
                    f"The app is {slug!r}; its slug cannot become {wanted.slug!r}. POST /api/apps "
                    "makes another app of the definition.",
                    param="slug",
                )
            save(wanted, slug, app)
            return described(slug)

        return await run_in_threadpool(change)

    @router.post("/apps/{slug}/publish")
    def publish_app(slug: str, wanted: Note | None = None) -> Published:
        """Make a version of the draft, which runs from now on."""
        text = apps.draft(slug)
        if text is not None:
            checked(text, slug)
        return Published(version=apps.publish(slug, note=wanted.note if wanted else ""))

    @router.post("/apps/{slug}/unpublish")
    def unpublish_app(slug: str) -> AppDescription:
        """Let the app run no more. Its versions stay."""
        apps.unpublish(slug)
        return described(slug)

    @router.get("/apps/{slug}/versions")
    def list_versions(slug: str) -> list[VersionDescription]:
        """All versions, the newest first."""
        published = apps.get(slug).published
        return [
            VersionDescription(
                version=one.version,
                note=one.note,
                created_at=one.created_at,
                is_published=one.version == published,
            )
            for one in apps.versions(slug)
        ]

    @router.get("/apps/{slug}/versions/{version}")
    def show_version(slug: str, version: int) -> VersionText:
        """The text of one version."""
        return VersionText(version=version, text=apps.text(slug, version))

    @router.post("/apps/{slug}/restore")
    def restore_version(slug: str, wanted: Restored) -> Draft:
        """Make the text of an earlier version the draft; publishing it lets it run."""
        apps.restore(slug, wanted.version)
        return Draft(text=apps.draft(slug))

    @router.get("/apps/{slug}/text", response_class=Response, responses=_TEXT)
    def export_app(slug: str, version: int | None = None) -> Response:
        """The YAML of a version, else of what is published, else of the draft."""
        text = _text_of(runtime, slug, version or "published")
        return Response(text, media_type="application/yaml")

    @router.get("/apps/{slug}/diff", response_class=Response, responses=_DIFF)
    def compare_versions(
        slug: str,
        old: int | Literal["published"] = "published",
        new: int | Literal["draft"] = "draft",
    ) -> Response:
        """What has changed between two versions, or since the published one in the draft."""
        before, after = (
            _text_of(runtime, slug, which).splitlines(keepends=True) for which in (old, new)
        )
        told = "".join(unified_diff(before, after, f"{slug} {old}", f"{slug} {new}"))
        return Response(told, media_type="text/plain")

    return router


def _text_of(runtime: Runtime, slug: str, which: int | Literal["published", "draft"]) -> str:
    """A text of the app. Where the one asked for is not there, the draft is what was published,
    and what is published is nothing yet but the draft."""
    if isinstance(which, int):
        return runtime.apps.text(slug, which)
    draft = runtime.apps.draft(slug)
    is_published = runtime.apps.get(slug).published is not None
    if draft is not None and (which == "draft" or not is_published):
        return draft
    return runtime.apps.text(slug)
