"""More callers of one model than may wait, over HTTP, and models that are loaded at the start."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.server.conftest import Caller, Reply, running, settings_for

CHAT = {"messages": [{"role": "user", "content": "hi"}], "ignore_eos": True, "max_tokens": 100}


def test_a_caller_beyond_the_queue_is_told_when_to_come_again(home: Path) -> None:
    """Of five callers of one slot with a queue of two, three are answered and two get 429."""
    with (
        running(settings_for(home, slots=1, queue=2)) as serving,
        ThreadPoolExecutor(5) as pool,
    ):
        call = Caller(serving.url)
        replies: list[Reply] = list(
            pool.map(lambda _: call.post("/v1/chat/completions", CHAT), range(5))
        )

    refused = [reply for reply in replies if reply.status == 429]
    assert [reply.status for reply in replies].count(200) == 3
    assert len(refused) == 2
    assert refused[0].headers["retry-after"] == "1"
    assert (refused[0].error["code"], refused[0].error["type"]) == (
        "queue_full",
        "rate_limit_error",
    )
    assert "2 calls wait for the model 'demo' already" in refused[0].error["message"]


def test_what_is_preloaded_is_ready_and_what_is_not_is_told(home: Path) -> None:
    """The server answers while it loads; of a model that cannot be loaded its list tells why."""
    with running(settings_for(home, preload="nonesuch,demo", pinned_models="demo")) as serving:
        call = Caller(serving.url)
        until = time.monotonic() + 20
        while True:
            told = {engine["name"]: engine for engine in call("GET", "/api/engines").json}
            if told.get("demo", {}).get("state") == "ready" or time.monotonic() > until:
                break
            asyncio.run(asyncio.sleep(0.01))

        metrics = call("GET", "/metrics").body

    assert b"ingle_engine_evictions_total 0.0" in metrics
    assert (told["demo"]["state"], told["demo"]["is_pinned"]) == ("ready", True)
    assert (told["demo"]["slots_used"], told["demo"]["context_used_tokens"]) == (0, 0)
    assert told["nonesuch"]["state"] == "failed"
    assert "Model 'nonesuch' is not installed" in told["nonesuch"]["last_error"]


def test_the_memory_that_a_model_takes_is_told_before(home: Path) -> None:
    """All its parts, which add up; of one that does not fit, what would."""
    with running(settings_for(home, memory_limit_bytes="64MiB")) as serving:
        fitting = Caller(serving.url)("GET", "/api/models/demo").json["estimate"]
    with running(settings_for(home, memory_limit_bytes="50MiB")) as serving:
        refused = Caller(serving.url)("GET", "/api/models/demo").json["estimate"]

    assert fitting["fits"]
    assert fitting["gpu_bytes"] == fitting["gpu_limit_bytes"] == 0
    assert sum(fitting["parts"].values()) == fitting["total_bytes"] < 64 * 2**20
    assert fitting["parts"]["context"] == 2 * 512 * 2560
    assert not refused["fits"]
    assert "engines may take 50 MiB. " in refused["reason"]
