"""Which hosts and web pages may reach a server that asks for no key."""

from __future__ import annotations

import pytest

from ingle.errors import NotAllowed
from ingle.server.asgi import Request
from ingle.server.border import Border, is_loopback


def _request(method: str = "POST", **headers: str) -> Request:
    async def receive() -> dict[str, object]:
        raise AssertionError

    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"method": method, "headers": told}, receive)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:4645",
        "app.localhost:1",
        "127.0.0.1:4645",
        "127.9.9.9",
        "[::1]:80",
        "localhost.",
    ],
)
def test_names_of_loopback_are_let_in(host: str) -> None:
    """With and without a port, in any case of letters."""
    Border(checks_host=True).check(_request(host=host))


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.com",
        "evil.com:4645",
        "localhost.evil.com",
        "127.0.0.1.evil.com",
        "10.0.0.1",
        "[::2]",
        "0.0.0.0",
    ],
)
def test_a_foreign_host_is_refused_even_to_read(host: str) -> None:
    """A page that made its own name lead to 127.0.0.1 gets nothing."""
    with pytest.raises(NotAllowed, match="DNS rebinding"):
        Border(checks_host=True).check(_request("GET", host=host))


def test_a_listed_host_is_let_in_and_no_host_matters_where_keys_are_asked_for() -> None:
    """A reverse proxy's name can be listed; a key protects the rest."""
    Border(checks_host=True, allowed_hosts=("ingle.example",)).check(
        _request(host="ingle.example:80")
    )
    Border(checks_host=False).check(_request(host="anything.example"))


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("http://evil.com", "cross-site"),
        ("http://localhost:3000", "same-site"),
        ("null", "cross-site"),
        ("", "cross-site"),
        ("", "same-site"),
    ],
)
def test_a_foreign_page_changes_nothing(origin: str, site: str) -> None:
    """Not even one on another port of this machine; the error names the setting that lets it."""
    headers = {"host": "localhost:4645", "sec_fetch_site": site}
    if origin:
        headers["origin"] = origin
    with pytest.raises(NotAllowed, match="allowed_origins"):
        Border(checks_host=True).check(_request(**headers))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_foreign_page_may_link_here(method: str) -> None:
    """The browser does not let it read the answer."""
    Border(checks_host=True).check(
        _request(method, host="localhost:4645", sec_fetch_site="cross-site")
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:4645", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_programs_and_own_pages_are_let_in(headers: dict[str, str]) -> None:
    """A program sends neither header; a page of Ingle's own is of the same origin."""
    Border(checks_host=True).check(_request(host="localhost:4645", **headers))


@pytest.mark.parametrize("listed", ["http://localhost:3000", "*"])
def test_a_listed_page_is_let_in(listed: str) -> None:
    """By its origin, or because all are."""
    border = Border(checks_host=True, allowed_origins=(listed,))
    border.check(_request(host="localhost:4645", origin="http://localhost:3000"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("myhost", False),
    ],
)
def test_only_loopback_goes_without_keys(address: str, expected: bool) -> None:
    """A name that is not known to be loopback counts as the network."""
    assert is_loopback(address) is expected
