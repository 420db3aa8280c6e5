"""`ingle/http_request`: what a web address answers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from pydantic import AfterValidator, Field

from ingle.errors import InvalidRequest, UpstreamRefused
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.data_uri import File, data_uri
from ingle.processors.json_text import is_plain
from ingle.processors.pieces import Piece
from ingle.processors.web import WebAnswer, WebRequest, call_web
from ingle.upstream.explain import complaint, printable

if TYPE_CHECKING:
    from ingle.routing import Router

__all__ = [
    "HTTP_REQUEST",
    "HttpRequestConfiguration",
    "HttpRequestInput",
    "HttpRequestOutput",
]

Json = Any  # Any: a JSON value has no narrower type
Plain = str | int | float | bool

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
# What belongs to the connection is set by whoever makes it.
_NOT_YOURS = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "proxy-authorization", "proxy-connection", "expect"}
)
_TEXT = re.compile(r"text/|application/(.*\+)?(json|xml|x-ndjson|javascript|x-www-form-urlencoded)")


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _NOT_YOURS:
            raise ValueError(f"the header {name[:40]!r} cannot be set here")
        if not value.isprintable() or not value.isascii():
            raise ValueError(  # without the value, which may be secret
                f"the header {name!r} holds a line break or a character beyond ASCII"
            )
    return headers


class HttpRequestInput(Input):
    """What to ask, and of whom."""

    url: str = Field(
        min_length=1,
        max_length=8192,
        description="The address, beginning with http:// or https://.",
        json_schema_extra={"format": "uri"},
    )
    query: dict[str, Plain | list[Plain]] = Field(
        {}, description="Fields to add to the address, after its `?`."
    )
    headers: Annotated[dict[str, str], AfterValidator(_sendable)] = Field(
        {}, description="Headers to send, such as Authorization. Another server never gets them."
    )
    body: Json = Field(
        None, description="What to send: text as it is, anything else as JSON. Left out: nothing."
    )


class HttpRequestConfiguration(Configuration):
    """How to ask, and how much of an answer is wanted."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = Field(
        "GET", description="What is asked for."
    )
    timeout: float = Field(
        30, gt=0, le=3600, description="How many seconds the whole answer may take."
    )
    max_bytes: int = Field(
        5 * 1024 * 1024,
        ge=1,
        le=64 * 1024 * 1024,
        description="The longest answer that is taken; a longer one is an error.",
    )
    fail_on_status: bool = Field(
        True, description="Whether a status other than 2xx is an error instead of an output."
    )
    follow_redirects: bool = Field(True, description="Whether to go where a redirect leads.")


class HttpRequestOutput(Output):
    """The answer."""

    status: int = Field(description="The HTTP status, such as 200.")
    url: str = Field(description="The address that answered, after redirects, without its query.")
    headers: dict[str, str] = Field(description="The headers of the answer, in lower case.")
    text: str = Field(description="The answer, if it is text; else nothing.")
    data: Json = Field(alias="json", description="The answer as JSON, if it is that; else null.")
    file: str | None = Field(
        description="The answer as a data URI, if it is not text.",
        json_schema_extra={"format": "data-url"},
    )


async def _run(
    input: HttpRequestInput,  # noqa: A002
    configuration: HttpRequestConfiguration,
    router: Router,
) -> AsyncGenerator[Piece | HttpRequestOutput, None]:
    answer = await call_web(
        _request(input, configuration),
        reach=router.reach,
        timeout_s=configuration.timeout,
        max_bytes=configuration.max_bytes,
        follows=configuration.follow_redirects,
    )
    if configuration.fail_on_status and not 200 <= answer.status < 300:
        raise _refused(configuration.method, answer)
    output = _output(answer)
    for field, value in output.model_dump().items():
        yield Piece((field,), value=value)
    yield output


def _request(input: HttpRequestInput, configuration: HttpRequestConfiguration) -> WebRequest:  # noqa: A002
    headers = dict(input.headers)
    body: bytes | None = None
    try:
        if isinstance(input.body, str):
            body, kind = input.body.encode(), "text/plain; charset=utf-8"
        elif input.body is not None:
            body, kind = msgspec.json.encode(input.body), "application/json"
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"`input.body` can be sent neither as text nor as JSON: {error}.", param="input.body"
        ) from error
    if body is not None:
        if configuration.method in ("GET", "HEAD"):
            raise InvalidRequest(
                f"`input.body` is given, but a {configuration.method} sends none. Leave it out, or "
                "set `config.method` to POST.",
                param="input.body",
            )
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = kind
    return WebRequest(_with_query(input.url, input.query), configuration.method, headers, body)


def _with_query(url: str, query: Mapping[str, Json]) -> str:
    added = urlencode(
        [
            (name, str(one).lower() if isinstance(one, bool) else one)
            for name, value in query.items()
            for one in (value if isinstance(value, list) else [value])
        ]
    )
    if not added:
        return url.strip()
    try:
        place = urlsplit(url.strip())
    except ValueError:
        return url  # which is an error where it is called
    return urlunsplit(place._replace(query=f"{place.query}&{added}" if place.query else added))


def _output(answer: WebAnswer) -> HttpRequestOutput:
    is_text = _TEXT.match(answer.mime) or (not answer.mime and b"\0" not in answer.content)
    text = _decoded(answer) if is_text else ""
    data = None
    if "json" in answer.mime or text[:1] in ("{", "["):
        with suppress(msgspec.DecodeError, RecursionError):  # the text is there to be looked at
            data = msgspec.json.decode(text)
    kind = answer.mime or "application/octet-stream"
    is_file = not is_text and bool(answer.content)
    return HttpRequestOutput(
        status=answer.status,
        url=answer.url,
        headers=dict(answer.headers),
        text=text,
        data=data if is_plain(data) else None,
        file=data_uri(File(kind, answer.content)) if is_file else None,
    )


def _decoded(answer: WebAnswer) -> str:
    """The text; what is not valid in its encoding is replaced, as browsers do it."""
    try:
        return answer.content.decode(answer.charset or "utf-8-sig", "replace")
    except (LookupError, UnicodeError):  # an encoding that nobody knows, or that is none of text
        return answer.content.decode("utf-8", "replace")


def _refused(method: str, answer: WebAnswer) -> UpstreamRefused:
    said = complaint(answer.content[: 64 * 1024]) if _TEXT.match(answer.mime) else None
    words = f": {printable(said.message, 300).rstrip('.')}" if said else ""
    return UpstreamRefused(
        f"{method} {answer.url}: the server answered with status {answer.status}{words}. Check the "
        "address and what it wants; with `fail_on_status` false such an answer is an output.",
        url=answer.url,
        status=answer.status,
        server_message=printable(said.message, 300) if said else None,
    )


HTTP_REQUEST = Processor(
    slug="ingle/http_request",
    name="HTTP request",
    description="Asks a web address, and gives its answer as text and as JSON.",
    input=HttpRequestInput,
    configuration=HttpRequestConfiguration,
    output=HttpRequestOutput,
    result=("text",),
    run=_run,
)
