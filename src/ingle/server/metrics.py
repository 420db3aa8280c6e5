"""What `/metrics` tells Prometheus: requests, times, tokens, engines.

All of it is counted once a request, when it is over; a streamed piece costs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ingle.engines.supervisor import EngineStatus, Supervisor
from ingle.server.told_tokens import TokenCounts

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counts what one server does."""

    def __init__(self, supervisor: Supervisor) -> None:
        # They are a second series for each one and tell nothing of use.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's omission
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ingle_requests_total",
            "Requests answered; status 499: the caller left before the end.",
            ["route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "ingle_request_seconds",
            "From a request's arrival to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._first = Histogram(
            "ingle_first_byte_seconds",
            "From a request's arrival to the first byte of its answer: the first token of a stream.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "ingle_tokens_total",
            "Tokens of prompts and completions, where the answer told them.",
            ["kind"],
            registry=self._registry,
        )
        self._running = Gauge(
            "ingle_requests_running", "Requests being answered.", registry=self._registry
        )
        self._registry.register(_Engines(supervisor))

    def began(self) -> None:
        """Count a request that came in."""
        self._running.inc()

    def ended(self, route: str, status: int, seconds: float, first_s: float | None) -> None:
        """Count its answer. `route` is a closed set of names, never what a caller wrote."""
        self._running.dec()
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if first_s is not None:
            self._first.labels(route).observe(first_s)

    def count_tokens(self, told: TokenCounts) -> None:
        """Count the tokens that an answer told of."""
        if told.prompt is not None:
            self._tokens.labels("prompt").inc(told.prompt)
        if told.completion is not None:
            self._tokens.labels("completion").inc(told.completion)

    def exposition(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)


class _Engines(Collector):
    """The engines as they are when Prometheus asks."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """A family for each thing told of the engines."""
        engines: Sequence[EngineStatus] = self._supervisor.status()
        running = GaugeMetricFamily("ingle_engines", "Engines by state.", labels=["state"])
        for state in sorted({engine.state for engine in engines}):
            running.add_metric([state], sum(engine.state == state for engine in engines))
        memory = GaugeMetricFamily(
            "ingle_engine_memory_bytes", "Memory that an engine holds.", labels=["model"]
        )
        calls = GaugeMetricFamily(
            "ingle_engine_calls", "Calls that an engine is answering.", labels=["model"]
        )
        for engine in engines:
            memory.add_metric([engine.name], engine.memory_bytes or 0)
            calls.add_metric([engine.name], engine.leases)
        evictions = CounterMetricFamily(
            "ingle_engine_evictions", "Engines that had to leave for others."
        )
        evictions.add_metric([], self._supervisor.evictions)
        yield from (running, memory, calls, evictions)
