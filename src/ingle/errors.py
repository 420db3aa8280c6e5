"""Every error that Ingle raises, as one tree.

    class                     code                     HTTP  exit  retryable
    IngleError                internal_error            500     1
    ├─ InvalidRequest         invalid_request           400     2
    │  ├─ ContextTooLong      context_length_exceeded   400     2
    │  ├─ UnsupportedInput    unsupported_input         400     2
    │  ├─ AppInvalid          invalid_app               400     2
    │  ├─ PreviousResponseNotFound previous_response_not_found 400 2
    │  ├─ TemplateError       template_error            400     2
    │  │  └─ TemplateSyntaxError template_syntax_error  400     2
    │  └─ MethodNotAllowed    method_not_allowed        405     2
    ├─ ConfigurationError     invalid_configuration     500     3
    ├─ NotAuthenticated       invalid_api_key           401     4
    ├─ NotAllowed             not_allowed               403     4
    ├─ NotFound               not_found                 404     5
    │  ├─ ModelNotFound       model_not_found           404     5
    │  ├─ ProcessorNotFound   processor_not_found       404     5
    │  ├─ ConnectionNotFound  connection_not_found      404     5
    │  ├─ AppNotFound         app_not_found             404     5
    │  ├─ RunNotFound         run_not_found             404     5
    │  └─ SessionNotFound     session_not_found         404     5
    ├─ Conflict               conflict                  409     2
    ├─ StepFailed             step_failed               502     6
    ├─ RunCancelled           run_cancelled             409     6
    ├─ RequestTooSlow         request_timeout           408     2
    ├─ RequestTooLarge        request_too_large         413     2
    ├─ Busy                   server_busy               503     6   yes
    │  └─ QueueFull           queue_full                429     6   yes
    ├─ RateLimited            rate_limit_exceeded       429     6   yes
    ├─ RouteFailed            route_failed              502     7   yes
    ├─ EngineError            engine_error              502     6
    │  ├─ EngineMissing       engine_missing            501     6
    │  ├─ ModelFileInvalid    model_file_invalid        500     6
    │  ├─ ModelTooLarge       model_too_large           507     6
    │  ├─ EngineStartFailed   engine_start_failed       503     6   yes
    │  └─ EngineCrashed       engine_crashed            502     6   yes
    ├─ UpstreamError          upstream_error            502     7
    │  ├─ UpstreamUnreachable upstream_unreachable      502     7   yes
    │  ├─ CircuitOpen         circuit_open              503     7   yes
    │  ├─ UpstreamRefused     upstream_refused            *     7     *
    │  ├─ UpstreamTimeout     upstream_timeout          504     7
    │  ├─ UpstreamInvalid     upstream_invalid          502     7
    │  └─ UpstreamCut         upstream_cut              502     7
    ├─ ToolServerFailed       tool_server_failed        502     7   yes
    └─ StorageError           storage_error             500     8

A star stands for "as the server that answered said". A message has three parts: what failed,
with its values; why; and what to do next. No message ever holds a secret.

This module knows nothing about HTTP servers, the terminal or any library: those translate at
their own border.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

__all__ = [
    "AppInvalid",
    "AppNotFound",
    "Busy",
    "CircuitOpen",
    "ConfigurationError",
    "Conflict",
    "ConnectionNotFound",
    "ContextTooLong",
    "EngineCrashed",
    "EngineError",
    "EngineMissing",
    "EngineStartFailed",
    "IngleError",
    "InvalidRequest",
    "MethodNotAllowed",
    "ModelFileInvalid",
    "ModelNotFound",
    "ModelTooLarge",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "PreviousResponseNotFound",
    "ProcessorNotFound",
    "QueueFull",
    "RateLimited",
    "RequestTooLarge",
    "RequestTooSlow",
    "RouteFailed",
    "RunCancelled",
    "RunNotFound",
    "SessionNotFound",
    "StepFailed",
    "StorageError",
    "TemplateError",
    "TemplateSyntaxError",
    "ToolServerFailed",
    "UnsupportedInput",
    "UpstreamCut",
    "UpstreamError",
    "UpstreamInvalid",
    "UpstreamRefused",
    "UpstreamTimeout",
    "UpstreamUnreachable",
]


class IngleError(Exception):
    """The root: catch it to catch everything that Ingle raises.

    `param` names the field of the request that is wrong, where one is.
    """

    code: str = "internal_error"
    http_status: int = 500
    exit_code: ClassVar[int] = 1
    is_retryable: bool = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class InvalidRequest(IngleError):
    """The request cannot be right as it is; sending it again will not help."""

    code = "invalid_request"
    http_status = 400
    exit_code = 2


class ContextTooLong(InvalidRequest):
    """The prompt holds more tokens than the model's context window."""

    code = "context_length_exceeded"


class UnsupportedInput(InvalidRequest):
    """The model cannot take this kind of input, such as an image on a text model."""

    code = "unsupported_input"


class AppInvalid(InvalidRequest):
    """The definition of an app is wrong; the message has a line for each thing that is."""

    code = "invalid_app"


class PreviousResponseNotFound(InvalidRequest):
    """The response that a new one shall go on from is not kept here, or is someone else's."""

    code = "previous_response_not_found"


class TemplateError(InvalidRequest):
    """A template cannot be rendered with these values, or would take more than it may.

    `offset` is where in the template's source, in characters; None where that is not known.
    """

    code = "template_error"

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class TemplateSyntaxError(TemplateError):
    """A template cannot be read: its Liquid is wrong, or more than a template may hold."""

    code = "template_syntax_error"


class MethodNotAllowed(InvalidRequest):
    """The path is right, but not for this HTTP method."""

    code = "method_not_allowed"
    http_status = 405


class ConfigurationError(IngleError):
    """A setting is wrong. It is never replaced by a default."""

    code = "invalid_configuration"
    exit_code = 3


class NotAuthenticated(IngleError):
    """No key came, or not one that is known."""

    code = "invalid_api_key"
    http_status = 401
    exit_code = 4


class NotAllowed(IngleError):
    """Who asks is known (or need not be), but may not do this."""

    code = "not_allowed"
    http_status = 403
    exit_code = 4


class NotFound(IngleError):
    """The thing that was named is not there."""

    code = "not_found"
    http_status = 404
    exit_code = 5


class ModelNotFound(NotFound):
    """No installed model and no connection's model has this name."""

    code = "model_not_found"


class ProcessorNotFound(NotFound):
    """No processor has this slug."""

    code = "processor_not_found"


class ConnectionNotFound(NotFound):
    """No connection has this name."""

    code = "connection_not_found"


class AppNotFound(NotFound):
    """No app has this slug."""

    code = "app_not_found"


class RunNotFound(NotFound):
    """No run has this id, or it is someone else's."""

    code = "run_not_found"


class SessionNotFound(NotFound):
    """No chat session has this id, or it is someone else's."""

    code = "session_not_found"


class Conflict(IngleError):
    """The thing is in a state, or a name is taken, that forbids this."""

    code = "conflict"
    http_status = 409
    exit_code = 2


class StepFailed(IngleError):
    """A step of a run failed; `error_code` is the code of what happened in it."""

    code = "step_failed"
    http_status = 502
    exit_code = 6

    def __init__(self, message: str, *, step: str, error_code: str) -> None:
        super().__init__(message)
        self.step = step
        self.error_code = error_code


class RunCancelled(IngleError):
    """The run was stopped by someone before it ended."""

    code = "run_cancelled"
    http_status = 409
    exit_code = 6


class RequestTooSlow(IngleError):
    """The caller took too long to send the request."""

    code = "request_timeout"
    http_status = 408
    exit_code = 2


class RequestTooLarge(IngleError):
    """The request is larger than the server takes."""

    code = "request_too_large"
    http_status = 413
    exit_code = 2


class Busy(IngleError):
    """The server is full or about to stop; later it can work."""

    code = "server_busy"
    http_status = 503
    exit_code = 6
    is_retryable = True


class QueueFull(Busy):
    """As many calls wait for this model as may; others can be asked."""

    code = "queue_full"
    http_status = 429


class RateLimited(IngleError):
    """The caller's key has used up what it may ask for; `retry_after_s` from now it has more."""

    code = "rate_limit_exceeded"
    http_status = 429
    exit_code = 6
    is_retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RouteFailed(IngleError):
    """None of the models that a route leads to answered; `failures` says of each how it failed."""

    code = "route_failed"
    http_status = 502
    exit_code = 7
    is_retryable = True

    def __init__(self, message: str, *, failures: Sequence[tuple[str, IngleError]]) -> None:
        super().__init__(message, param="model")
        self.failures = tuple(failures)


class EngineError(IngleError):
    """A model could not be run on this machine."""

    code = "engine_error"
    http_status = 502
    exit_code = 6


class EngineMissing(EngineError):
    """The library that runs this kind of model is not installed."""

    code = "engine_missing"
    http_status = 501


class ModelFileInvalid(EngineError):
    """A model's file is missing, cut short, or not what its name says."""

    code = "model_file_invalid"
    http_status = 500


class ModelTooLarge(EngineError):
    """The model does not fit in the memory that it may use."""

    code = "model_too_large"
    http_status = 507


class EngineStartFailed(EngineError):
    """The engine's process ended, or did not get healthy in time, before it could serve."""

    code = "engine_start_failed"
    http_status = 503
    is_retryable = True


class EngineCrashed(EngineError):
    """The engine's process ended while this call was in flight; the next call starts a new one."""

    code = "engine_crashed"
    is_retryable = True


class UpstreamError(IngleError):
    """A call to an OpenAI-compatible server failed.

    `url` is the exact URL called, `status` the HTTP status if one came, `server_message` what
    the server itself said, and `partial` what had arrived of an answer, if any (its type is the
    caller's: text for a stream of text, bytes for a body).
    """

    code = "upstream_error"
    http_status = 502
    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        server_message: str | None = None,
        partial: object = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message, param=param)
        self.url = url
        self.status = status
        self.server_message = server_message
        self.partial = partial


class UpstreamUnreachable(UpstreamError):
    """No connection came about: refused, reset, no such host, a certificate that is not valid."""

    code = "upstream_unreachable"
    is_retryable = True


class CircuitOpen(UpstreamError):
    """The connection failed time after time and is left alone for `retry_after_s`."""

    code = "circuit_open"
    http_status = 503
    is_retryable = True

    def __init__(self, message: str, *, url: str, retry_after_s: float) -> None:
        super().__init__(message, url=url)
        self.retry_after_s = retry_after_s


class UpstreamRefused(UpstreamError):
    """The server answered with an error, as a status or inside a stream.

    What the caller got wrong (400, 404, 409, 413, 422, 429) keeps its status. A refused key (401,
    403) is the connection's fault, not the caller's, and becomes 502, as all others do.
    """

    code = "upstream_refused"
    _CALLERS_FAULT = frozenset({400, 404, 409, 413, 422, 429})
    _PASSING = frozenset({429, 500, 502, 503, 504})

    def __init__(
        self,
        message: str,
        *,
        url: str,
        status: int | None = None,
        server_message: str | None = None,
        partial: object = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(
            message,
            url=url,
            status=status,
            server_message=server_message,
            partial=partial,
            param=param,
        )
        self.retry_after_s = retry_after_s
        self.is_retryable = status in self._PASSING
        if status in self._CALLERS_FAULT:
            self.http_status = status


class UpstreamTimeout(UpstreamError):
    """Nothing came for the idle limit, or the whole answer took longer than the total limit."""

    code = "upstream_timeout"
    http_status = 504


class UpstreamInvalid(UpstreamError):
    """What came is not what the protocol says: HTML, broken JSON, a wrong shape, a line too long."""

    code = "upstream_invalid"


class UpstreamCut(UpstreamError):
    """The answer ended before it was whole; `partial` holds what had arrived."""

    code = "upstream_cut"


class ToolServerFailed(IngleError):
    """An MCP server, whose tools a model may call, did not start or does not answer."""

    code = "tool_server_failed"
    http_status = 502
    exit_code = 7
    is_retryable = True


class StorageError(IngleError):
    """The disk or the database failed: full, locked, not writable, damaged."""

    code = "storage_error"
    exit_code = 8
