"""Who may call: hosts and pages on loopback, keys on a network."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.server.conftest import Caller, running, settings_for

from ingle.server.serve import Serving


@pytest.fixture(scope="module")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Serving, None, None]:
    """A server that listens on every network."""
    home = tmp_path_factory.mktemp("networked")
    settings = settings_for(
        home, host="0.0.0.0", allowed_origins="http://page.example", allowed_hosts="x.example"
    )
    with running(settings) as serving:
        yield serving


def test_on_loopback_no_key_is_asked_for_and_none_is_made(call: Caller) -> None:
    """Whatever key comes is let be: clients cannot go without one."""
    assert call("GET", "/v1/models").status == 200
    assert call("GET", "/v1/models", headers={"Authorization": "Bearer any"}).status == 200
    # The server is shared: other tests make keys with names of their own.
    assert "first key" not in [key["name"] for key in call("GET", "/api/keys").json]


def test_on_loopback_a_foreign_host_is_refused(call: Caller) -> None:
    """To read and to write."""
    for method, path in (("GET", "/v1/models"), ("GET", "/health"), ("POST", "/v1/completions")):
        answer = call(method, path, headers={"Host": "evil.example"})
        assert (answer.status, answer.error["code"]) == (403, "not_allowed")


def test_a_foreign_page_is_refused_before_its_body_is_read(call: Caller) -> None:
    """On `/v1` and `/api`; and it is never told that it might."""
    for path in ("/v1/chat/completions", "/api/keys"):
        answer = call("POST", path, b"{", headers={"Origin": "http://evil.example"})
        assert answer.status == 403
        assert "INGLE_ALLOWED_ORIGINS=http://evil.example" in answer.error["message"]
        preflight = call(
            "OPTIONS",
            path,
            headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
        )
        assert "access-control-allow-origin" not in preflight.headers


def test_on_a_network_a_first_key_is_made_and_shown_once(networked: Serving) -> None:
    """It is not in the representation, which may be logged."""
    assert networked.new_api_key is not None
    assert networked.new_api_key.startswith("ik-")
    assert networked.new_api_key not in repr(networked)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/metrics"),
        ("GET", "/api/settings"),
        ("GET", "/nowhere"),
    ],
)
def test_on_a_network_a_key_is_asked_for(networked: Serving, method: str, path: str) -> None:
    """Without one, and with a wrong one, nothing is told."""
    call = Caller(networked.url)
    for headers in ({}, {"Authorization": "Bearer ik-wrong"}, {"Authorization": "Basic eA=="}):
        answer = call(method, path, headers=headers)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", ["/health", "/readyz", "/"])
def test_health_and_the_page_are_open(networked: Serving, path: str) -> None:
    """Whoever watches over the server has no key."""
    assert Caller(networked.url)("GET", path).status == 200


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "api-key"])
def test_the_key_opens_however_clients_send_it(networked: Serving, header: str) -> None:
    """OpenAI's, Anthropic's and Azure's; under any name of the host."""
    key = f"Bearer {networked.new_api_key}" if header == "Authorization" else networked.new_api_key
    headers = {header: str(key), "Host": "anything.example"}
    assert Caller(networked.url)("GET", "/v1/models", headers=headers).status == 200


def test_a_revoked_key_is_refused_at_once(networked: Serving) -> None:
    """By the very next request."""
    call = Caller(networked.url)
    owner = {"Authorization": f"Bearer {networked.new_api_key}"}
    made = call("POST", "/api/keys", {"name": "second"}, headers=owner).json
    mine = {"Authorization": f"Bearer {made['key']}"}
    assert call("GET", "/v1/models", headers=mine).status == 200
    assert call("DELETE", f"/api/keys/{made['id']}", headers=owner).status == 200
    assert call("GET", "/v1/models", headers=mine).status == 401


def test_a_second_start_makes_no_second_key(tmp_path: Path) -> None:
    """The first one goes on."""
    settings = settings_for(tmp_path, host="0.0.0.0")
    with running(settings) as first:
        assert first.new_api_key is not None
    with running(settings) as second:
        assert second.new_api_key is None


def test_a_listed_page_may_call_from_a_browser(networked: Serving) -> None:
    """Its preflight is answered, without a key, and its calls carry what CORS asks for."""
    call = Caller(networked.url)
    origin = {"Origin": "http://page.example"}
    preflight = call(
        "OPTIONS",
        "/v1/chat/completions",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "http://page.example"
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
    answer = call("POST", "/v1/chat/completions", {}, headers=origin)
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == "http://page.example"
