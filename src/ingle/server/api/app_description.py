"""How `/api/apps` describes apps, and how it reads the definition that a request brings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import yaml
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingle.apps.definition import Slug
from ingle.errors import InvalidRequest
from ingle.server.app_names import app_uuid
from ingle.storage.apps import AppRecord

__all__ = [
    "DEFINITION_BODY",
    "AppRequest",
    "AppSummary",
    "Problem",
    "file_name",
    "read_definition",
    "summary",
]

_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_FILE = "app.yaml"


class Problem(BaseModel):
    """One thing that is wrong with a definition. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str


class AppSummary(BaseModel):
    """An app in a list. Times are in UTC."""

    slug: str
    uuid: str = Field(description="Its name in LLMStack's paths; the slug does as well.")
    name: str
    type: str
    description: str
    published: int | None = Field(description="The version that runs; null if none does.")
    is_listed: bool = Field(description="Whether GET /v1/models and the MCP server name it.")
    created_at: dt.datetime
    updated_at: dt.datetime


class AppRequest(BaseModel):
    """An app's definition, as its YAML or as the object that the YAML stands for."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(None, description="The definition as YAML.")
    definition: dict[str, Any] | None = Field(None, description="The definition as an object.")
    slug: Slug | None = Field(None, description="Its name in URLs; else as the definition says.")
    publish: bool = Field(False, description="Let it run at once.")
    note: str = Field("", max_length=1000, description="What to remember of this version.")

    def as_text(self) -> str:
        """The definition as YAML.

        Raises:
            InvalidRequest: there is none, or two.
        """
        if (self.text is None) == (self.definition is None):
            raise InvalidRequest(
                "Give the app's definition as `text` (YAML) or as `definition` (an object), and "
                "not both; or send the YAML itself with Content-Type: application/yaml.",
                param="text",
            )
        if self.text is not None:
            return self.text
        return yaml.safe_dump(self.definition, sort_keys=False, allow_unicode=True, width=100)


DEFINITION_BODY: dict[str, Any] = {  # Any: a piece of an OpenAPI description
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": AppRequest.model_json_schema()},
        },
    }
}
"""The description of a body that `read_definition` reads."""


async def read_definition(request: Request) -> AppRequest:
    """What the request says of an app.

    YAML comes as it is, and then `slug`, `publish` and `note` are parameters of the query.

    Raises:
        InvalidRequest: it is neither YAML in UTF-8 nor such an object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    try:
        if kind in _YAML:
            return AppRequest.model_validate({**request.query_params, "text": body.decode()})
        told = msgspec.json.decode(body, type=dict[str, Any])
        return AppRequest.model_validate({**request.query_params, **told})
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The YAML is not UTF-8 (byte {error.start:,}). Encode it so."
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(
            f"The body is not a JSON object: {error}. A definition in YAML needs the header "
            "Content-Type: application/yaml."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(map(str, first["loc"])) or None
        raise InvalidRequest(f"`{param}`: {first['msg']}.", param=param) from error


def file_name(slug: str | None) -> str:
    """What problems call a definition that came over HTTP."""
    return f"{slug}.yaml" if slug else _FILE


def summary(record: AppRecord) -> AppSummary:
    """The app as a list shows it."""
    return AppSummary(
        slug=record.slug,
        uuid=app_uuid(record.slug),
        name=record.name,
        type=record.type,
        description=record.description,
        published=record.published,
        is_listed=record.is_listed,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
