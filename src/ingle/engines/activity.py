"""What an engine of llama.cpp is doing now, as it says itself when somebody looks."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace

import msgspec

from ingle.errors import UpstreamError
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target

__all__ = ["Activity", "activity"]

_LIMITS = Limits(connect_s=1, idle_s=2, total_s=2, tries=1)
"""It answers between two batches, so within a second or so of a long prompt."""

_COUNTER = re.compile(rb"^llamacpp:tokens_predicted(_seconds)?_total ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Activity:
    """Slots at work; tokens that are kept in all slots together; tokens a second.

    `tokens_s` is what one answer got on average since the engine was started; None before the first.
    """

    slots_used: int
    context_used_tokens: int
    tokens_s: float | None


class _Slot(msgspec.Struct, frozen=True):
    is_processing: bool
    n_prompt_tokens: int = 0


async def activity(client: Client, target: Target) -> Activity | None:
    """What the engine at `target` does; None if it is no llama.cpp, or does not say in 2 s."""
    root = replace(target, base_url=target.base_url.removesuffix("/v1"))
    try:
        slots, metrics = await asyncio.gather(
            client.get(root, "slots", into=list[_Slot], limits=_LIMITS),
            client.get(root, "metrics", into=bytes, limits=_LIMITS),
        )
    except UpstreamError:
        return None
    return Activity(
        slots_used=sum(slot.is_processing for slot in slots),
        context_used_tokens=sum(slot.n_prompt_tokens for slot in slots),
        tokens_s=_rate(metrics),
    )


def _rate(metrics: bytes) -> float | None:
    """Tokens by the seconds that they took, from llama.cpp's counters for Prometheus."""
    found = {bool(seconds): float(number) for seconds, number in _COUNTER.findall(metrics)}
    seconds = found.get(True, 0.0)
    return found.get(False, 0.0) / seconds if seconds else None
