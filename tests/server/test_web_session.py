"""The sign-in of the web page: a key becomes a cookie, with the rights of the key and no more."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from tests.server.conftest import Caller, Reply, running, settings_for

from ingle.server.serve import Serving


@pytest.fixture(scope="module")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Serving, None, None]:
    """A server that asks for keys."""
    with running(settings_for(tmp_path_factory.mktemp("signed"), host="0.0.0.0")) as serving:
        yield serving


@pytest.fixture(scope="module")
def ask(networked: Serving) -> Caller:
    """Calls it."""
    return Caller(networked.url)


@pytest.fixture(scope="module")
def key(networked: Serving) -> str:
    """Its first key."""
    assert networked.new_api_key is not None
    return networked.new_api_key


def signed_in(ask: Caller, key: str) -> Reply:
    """The answer to a sign-in."""
    return ask.post("/api/session", {"key": key})


def cookie_of(reply: Reply) -> dict[str, str]:
    """The header that a browser sends from then on."""
    return {"Cookie": reply.headers["set-cookie"].partition(";")[0]}


def test_a_key_becomes_a_cookie_that_opens_the_api(ask: Caller, key: str) -> None:
    """No script can read it, no other site sends it, and the key is not to be read in it."""
    assert ask("GET", "/api/models").status == 401
    assert ask("GET", "/api/session").json["is_signed_in"] is False
    reply = signed_in(ask, key)
    assert reply.status == 204
    value, *attributes = reply.headers["set-cookie"].split("; ")
    assert attributes == ["Path=/", "Max-Age=2592000", "HttpOnly", "SameSite=Strict"]
    assert key not in value
    cookie = cookie_of(reply)
    assert ask("GET", "/api/models", headers=cookie).status == 200
    assert ask("GET", "/v1/models", headers=cookie).status == 200
    assert ask("GET", "/api/session", headers=cookie).json == {
        "needs_key": True,
        "is_signed_in": True,
        "key_name": "first key",
        "key_has_limits": False,
    }


def test_behind_https_the_cookie_is_for_https_alone(ask: Caller, key: str) -> None:
    """Also where a proxy speaks it: the page's own origin tells."""
    host, port = ask.address
    told = {"Origin": f"https://{host}:{port}"}
    reply = ask("POST", "/api/session", {"key": key}, headers=told)
    assert reply.headers["set-cookie"].endswith("; SameSite=Strict; Secure")


def test_what_is_no_key_begins_nothing(ask: Caller) -> None:
    """And says what would."""
    reply = signed_in(ask, "ik-wrong")
    assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
    assert "ingle keys create" in reply.error["message"]
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "cookie", ["ingle_session=", "ingle_session=gAAAA", "=;;", "ingle_session"]
)
def test_a_cookie_that_is_not_ours_opens_nothing(ask: Caller, cookie: str) -> None:
    """Made up, of another Ingle on this host, or broken."""
    assert ask("GET", "/api/models", headers={"Cookie": cookie}).status == 401


def test_a_revoked_key_ends_its_sessions(ask: Caller, key: str) -> None:
    """A session has the rights of its key: its limits, and its end."""
    first = cookie_of(signed_in(ask, key))
    wanted = {"name": "limited", "requests_per_minute": 5}
    made = ask("POST", "/api/keys", wanted, headers=first).json
    limited = cookie_of(signed_in(ask, made["key"]))
    assert ask("GET", "/api/session", headers=limited).json["key_has_limits"] is True
    assert ask("GET", "/api/keys", headers=limited).error["code"] == "not_allowed"
    ask("DELETE", f"/api/keys/{made['id']}", headers=first)
    assert ask("GET", "/v1/models", headers=limited).status == 401


def test_signing_out_forgets_the_cookie(ask: Caller, key: str) -> None:
    """The browser is told to drop it."""
    reply = ask("DELETE", "/api/session", headers=cookie_of(signed_in(ask, key)))
    assert reply.status == 204
    assert reply.headers["set-cookie"].startswith("ingle_session=; Path=/; Max-Age=0;")


def test_a_foreign_page_cannot_sign_in(ask: Caller, key: str) -> None:
    """Nor with a key that it knows: the page would then be someone else's session."""
    told = {"Origin": "https://evil.example"}
    assert ask("POST", "/api/session", {"key": key}, headers=told).status == 403
