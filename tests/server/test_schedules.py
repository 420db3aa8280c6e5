"""`/api/schedules`: added, shown, paused, resumed, removed."""

from __future__ import annotations

import time

import pytest
from tests.server.app_texts import ECHO, published
from tests.server.conftest import Caller


def test_a_schedule_over_http(call: Caller) -> None:
    """Its next time is told, and it rests while it is paused."""
    with published(call, "echo", ECHO):
        asked = {"app": "echo", "input": {"words": "hi"}, "every": "1h"}
        made = call("POST", "/api/schedules", asked)
        assert made.status == 201, made.body
        path = f"/api/schedules/{made.json['id']}"
        assert made.json["timing"]["every"] == 3600
        assert 3590 < made.json["next_at"] - time.time() <= 3600
        assert call("POST", f"{path}/pause").json["is_paused"]
        assert not call("POST", f"{path}/resume").json["is_paused"]
        assert made.json["id"] in [one["id"] for one in call("GET", "/api/schedules").json]
        assert call("DELETE", path).status == 204
        assert call("GET", path).status == 404


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 400),
        ({"every": "soon"}, 400),
        ({"every": "1h", "input": {"word": "x"}}, 400),
        ({"every": "1h", "app": "nope"}, 404),
    ],
)
def test_a_wrong_schedule_is_refused(call: Caller, wrong: dict[str, object], status: int) -> None:
    """Before it is due."""
    with published(call, "echo", ECHO):
        asked = {"app": "echo", "input": {"words": "hi"}, **wrong}
        assert call("POST", "/api/schedules", asked).status == status
