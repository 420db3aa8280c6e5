"""One request of a processor to the server that answers for its model, whoever that is.

Finds the way, and a second time where the server's API has moved. It knows nothing about what is
asked and answered.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ingle.errors import IngleError, UpstreamRefused
from ingle.processors.chat_history import ChatHistory
from ingle.processors.in_one import CHUNKS, as_stream, in_one
from ingle.processors.llama_habits import meant_by
from ingle.processors.metering import counted
from ingle.upstream.form import Form, FormFile
from ingle.upstream.limits import Limits
from ingle.upstream.wire import Answer

if TYPE_CHECKING:  # to list the processors takes neither an HTTP client nor a database
    from ingle.routing import Capability, Route, Router
    from ingle.upstream.chunks import ChunkT

__all__ = ["Question", "Reply", "answered", "streamed"]

PROVIDER = "localai"

T = TypeVar("T")
Json = dict[str, Any]  # Any: a JSON value has no narrower type


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask of whom.

    `body` makes the request for the way that was found, but for its `model`. `conveniences` are
    fields of it that a server need not know: one that refuses them is asked without. With `files`
    the request is a form instead of JSON. `timeout_s` is the longest that the server may be silent.
    Of a `history` as much is sent as fits.
    """

    endpoint: str
    body: Callable[[Route], Json]
    model: str | None
    base_url: str | None
    timeout_s: float
    capability: Capability
    conveniences: frozenset[str] = frozenset()
    files: tuple[FormFile, ...] = ()
    history: ChatHistory | None = None

    @property
    def limits(self) -> Limits:
        """The bounds of the call."""
        return Limits(idle_s=self.timeout_s, total_s=max(Limits().total_s, self.timeout_s))

    def limits_on(self, route: Route) -> Limits:
        """The same; where another one may answer, nothing is tried twice."""
        return replace(self.limits, tries=1) if route.is_one_of_several else self.limits


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What came, and from where."""

    route: Route
    url: str
    items: AsyncGenerator[T, None]


@asynccontextmanager
async def streamed(
    router: Router, question: Question, into: type[ChunkT]
) -> AsyncGenerator[Reply[list[ChunkT]], None]:
    """A streamed answer; `items` are its chunks, a list for each read. Leaving stops the work.

    Raises:
        IngleError: as `Router.route` and `Client.stream`.
    """

    def ask(route: Route, body: Json) -> AsyncGenerator[list[ChunkT], None]:
        return router.client.stream(
            route.target, question.endpoint, body, into=into, limits=question.limits_on(route)
        )

    async with _asked(router, question, ask) as reply:
        yield reply


@asynccontextmanager
async def answered(
    router: Router, question: Question, into: type[T]
) -> AsyncGenerator[Reply[T], None]:
    """An answer in one; it is the only item. The way to the server is open inside the context.

    An engine of this machine is asked for a stream, which is put together here (`in_one`).

    Raises:
        IngleError: as `Router.route` and `Client.post`.
    """

    async def ask(route: Route, body: Json) -> AsyncGenerator[T, None]:
        endpoint = question.endpoint
        if route.is_local and (chunk := CHUNKS.get(endpoint)) is not None:
            chunks = router.client.stream(
                route.target,
                endpoint,
                as_stream(body),
                into=chunk,
                limits=question.limits_on(route),
            )
            async with aclosing(chunks):
                whole = await in_one(endpoint, route.target.url(endpoint), chunks)
            answer = msgspec.convert(whole, into)
            if isinstance(answer, Answer):
                answer.raw = whole
            yield answer
        else:
            sent = Form(body, question.files) if question.files else body
            yield await router.client.post(
                route.target, endpoint, sent, into=into, limits=question.limits_on(route)
            )

    async with _asked(router, question, ask) as reply:
        yield reply


@asynccontextmanager
async def _asked(
    router: Router, question: Question, ask: Callable[[Route, Json], AsyncGenerator[T, None]]
) -> AsyncGenerator[Reply[T], None]:
    """The reply, once its first item has come; until then another model of a route may answer."""
    has_begun = False
    tries = await router.tries(
        model=question.model,
        base_url=question.base_url,
        provider=PROVIDER,
        capability=question.capability,
    )
    for way in tries:
        try:
            async with way as route, _begun(router, question, ask, route) as reply:
                has_begun = True
                yield reply
                return
        except IngleError as error:
            if has_begun or not tries.goes_on(error):
                raise


@asynccontextmanager
async def _begun(
    router: Router,
    question: Question,
    ask: Callable[[Route, Json], AsyncGenerator[T, None]],
    route: Route,
) -> AsyncGenerator[Reply[T], None]:
    """The reply of one server, once its first item has come; a refusal may be met another way."""
    body = question.body(route) | ({"model": route.model} if route.model else {})
    if history := question.history:
        body = await history.fitted(route, body)
    while True:
        async with aclosing(ask(route, body)) as items:
            try:
                first = await anext(items)
            except UpstreamRefused as refused:
                if unknown := _unknown_conveniences(question, body, refused):
                    body = {name: body[name] for name in body.keys() - unknown}
                elif history and (shorter := history.shortened(body, refused)):
                    body = shorter
                elif again := await router.route_again(route, refused):
                    route = again
                elif route.is_local and (meant := meant_by(refused, route.model)):
                    raise meant from refused
                else:
                    raise
                continue
            route.answered()
            told = _from(first, items)
            async with aclosing(counted(told, router.used) if router.used else told) as all_items:
                yield Reply(route, route.target.url(question.endpoint), all_items)
            return


async def _from(first: T, others: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    yield first
    async for item in others:
        yield item


def _unknown_conveniences(question: Question, body: Json, refused: UpstreamRefused) -> set[str]:
    """The fields that the server complains about and that are not needed."""
    if refused.status not in (400, 422):
        return set()
    complaint = f"{refused.param} {refused.server_message}"
    return {name for name in question.conveniences & body.keys() if name in complaint}
