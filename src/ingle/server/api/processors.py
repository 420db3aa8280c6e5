"""`/api/processors`: list them, describe one, run one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ingle.processors.catalogue import PROCESSORS, get_processor, run_processor
from ingle.runtime import Runtime
from ingle.server.api.run_reply import RunReply
from ingle.server.exchange import Exchange

__all__ = ["routes"]


class ProcessorSummary(BaseModel):
    """A processor in a list."""

    slug: str
    name: str
    description: str


class ProcessorDescription(ProcessorSummary):
    """A processor and the JSON Schemas of what goes in and comes out."""

    input: dict[str, Any]
    configuration: dict[str, Any]
    output: dict[str, Any]


class RunRequest(BaseModel):
    """What to run a processor with."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(description="The processor's input, by its schema.")
    config: dict[str, Any] = Field({}, description="Its configuration; defaults for the rest.")
    stream: bool = Field(False, description="Answer with a stream of events.")


class RunAnswer(BaseModel):
    """What a run made."""

    output: dict[str, Any]


def routes(runtime: Runtime) -> APIRouter:
    """The routes of this room."""
    router = APIRouter(prefix="/processors", tags=["processors"])

    @router.get("")
    def list_processors() -> list[ProcessorSummary]:
        """All processors."""
        return [
            ProcessorSummary(slug=one.slug, name=one.name, description=one.description)
            for one in PROCESSORS.values()
        ]

    @router.get("/{provider}/{processor}")
    def describe_processor(provider: str, processor: str) -> ProcessorDescription:
        """One processor, with the JSON Schemas of its input, configuration and output."""
        found = get_processor(f"{provider}/{processor}")
        return ProcessorDescription.model_validate(found.schema())

    @router.post(
        "/{provider}/{processor}/run",
        response_model=RunAnswer,
        responses={
            200: {
                "description": "The output; or, with `stream`, events: `piece` any number of times "
                "and then one `output` or one `error`, each with its number as `id`.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    async def run(provider: str, processor: str, wanted: RunRequest, request: Request) -> Response:
        """Run one. When the caller leaves, the work stops."""
        found = get_processor(f"{provider}/{processor}")
        exchange: Exchange = request.scope["ingle"]
        can_stream = "stream" in found.configuration.model_fields
        config = {"stream": wanted.stream, **wanted.config} if can_stream else wanted.config
        exchange.caller.admit(exchange.answer)
        pieces = run_processor(found.slug, wanted.input, config, exchange.router)
        return RunReply(pieces, exchange, is_stream=wanted.stream)

    return router
