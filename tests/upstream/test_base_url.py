"""However a person writes an address, the right base URL is among what is tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.errors import ConfigurationError
from ingle.upstream.base_url import candidates, names_the_api

LOCAL = ["http://localhost:8080/v1", "http://localhost:8080"]


@pytest.mark.parametrize(
    "text",
    [
        "localhost:8080",
        "localhost:8080/",
        "//localhost:8080",
        "http://localhost:8080",
        "http://localhost:8080/",
        "http://localhost:8080//",
        "http:/localhost:8080",
        "http:localhost:8080",
        "HTTP://LocalHost:8080",
        "http://localhost.:8080",
        "http://localhost:8080/v1",
        "http://localhost:8080/v1/",
        "http://localhost:8080/V1",
        "http://localhost:8080/./v1/../v1",
        "localhost:8080/v1/models",
        "http://localhost:8080/v1/chat/completions",
        "http://localhost:8080/v1/chat/completions/",
        "http://localhost:8080/v1/completions",
        "http://localhost:8080/v1/embeddings",
        "http://localhost:8080/v1/images/generations",
        "http://localhost:8080/v1/audio/transcriptions",
        "http://localhost:8080/v1/responses",
        "http://localhost:8080/v1/messages",
        "http://localhost:8080/v1/rerank",
        "  http://localhost:8080\n",
        '"http://localhost:8080"',
        "'http://localhost:8080/v1'",
        "<http://localhost:8080>",
        "`http://localhost:8080`.",
        "http://localhost:8080/v1,",
        "http:\\\\localhost:8080\\v1",
        "http://localhost:8080?",
        ":8080",
    ],
)
def test_root_version_and_endpoint_mean_the_same(text: str) -> None:
    """All ways to write one server's address lead to the same URLs."""
    assert candidates(text) == LOCAL


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("http://x/", "http://x/v1", "http://x"),
        ("http://x:80", "http://x/v1", "http://x"),
        ("https://x:443/v1", "https://x/v1", "https://x"),
        ("https://x:80", "https://x:80/v1", "https://x:80"),
        ("[::1]:8080", "http://[::1]:8080/v1", "http://[::1]:8080"),
        ("::1", "http://[::1]/v1", "http://[::1]"),
        ("http://[2001:DB8:0::1]/v1", "http://[2001:db8::1]/v1", "http://[2001:db8::1]"),
        ("2001:db8::5:1", "http://[2001:db8::5:1]/v1", "http://[2001:db8::5:1]"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::]:8080", "http://[::1]:8080/v1", "http://[::1]:8080"),
        # A path prefix, as a reverse proxy gives it.
        ("https://host/prefix", "https://host/prefix/v1", "https://host/prefix"),
        ("https://host/a/b/v1/models", "https://host/a/b/v1", "https://host/a/b"),
        ("https://host/ü%20", "https://host/%C3%BC%20/v1", "https://host/%C3%BC%20"),
        # Another version, or an endpoint without one, was written for a reason.
        ("https://host/api/v4", "https://host/api/v4", "https://host/api/v4/v1"),
        (
            "https://host/v1beta/openai/",
            "https://host/v1beta/openai/v1",
            "https://host/v1beta/openai",
        ),
        ("https://host/v1beta", "https://host/v1beta", "https://host/v1beta/v1"),
        ("http://host/chat/completions", "http://host", "http://host/v1"),
        # Any script.
        ("bücher.example", "https://xn--bcher-kva.example/v1", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example/v1", "https://xn--fa-hia.example"),
    ],
)
def test_an_address_gives_its_candidates(text: str, first: str, second: str) -> None:
    """With `/v1` first, unless what was written says otherwise."""
    assert candidates(text) == [first, second]


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("localhost", "http"),
        ("gpu-box:9000", "http"),
        ("127.0.0.1:1", "http"),
        ("10.1.2.3", "http"),
        ("172.16.0.9:80", "http"),
        ("192.168.1.5:11434", "http"),
        ("169.254.1.1", "http"),
        ("[fd00::1]:80", "http"),
        ("fe80::1", "http"),
        ("nas.local:8080", "http"),
        ("box.lan", "http"),
        ("api.internal", "http"),
        ("x.home.arpa", "http"),
        ("nas.local:8443", "https"),
        ("localhost:443", "https"),
        ("api.openai.com", "https"),
        ("example.com:8080", "https"),
        ("8.8.8.8", "https"),
        ("[2606:4700::1]", "https"),
        ("localhost.example.com", "https"),
    ],
)
def test_a_missing_scheme_is_http_only_nearby(text: str, scheme: str) -> None:
    """A key goes over the internet in the open only if that was written."""
    assert {url.partition("://")[0] for url in candidates(text)} == {scheme}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ('""', "is empty"),
        ("http://", "names no host"),
        ("http:///v1", "'v1'"),
        ("http://host/openai/v1?api-version=secret", "no query"),
        ("http://host/#secret", "no fragment"),
        ("http://user:secret@host/v1", "user name or password"),
        ("user:secret@host", "user name or password"),
        ("http://user:sec/ret@host", "not a number"),
        ("ftp://host", "ftp:// is not spoken"),
        ("ws://host", "ws:// is not spoken"),
        ("file:///etc/passwd", "file:// is not spoken"),
        ("ftp://user:secret@host", "ftp:// is not spoken"),
        ("http://http://host", "two addresses"),
        ("http://ho st", "a space"),
        ("http://host\nhttp://other", "a line break"),
        ("http://host\x00", "or another such character"),
        ("curl http://host", "a space"),
        ("host:99999", "not a number from 1 to 65535"),
        ("host:0", "not a number"),
        ("host:http", "not a number"),
        ("http://host:80:80", "not an IPv6 address"),
        ("http://[::1", "brackets"),
        ("http://[::1]8080", "brackets"),
        ("http://[not-six]", "not an IPv6 address"),
        ("::1:8080", "[::1:8080] or [::1]:8080"),
        ("8080", "neither a name nor an IPv4 address"),
        ("256.1.1.1", "neither a name nor an IPv4 address"),
        ("http://-host", "not a valid host name"),
        ("http://a..b", "not a valid host name"),
        ("http://" + "a" * 64, "not a valid host name"),
        ("http://\u2603.example", "not a valid host name"),
        ("http://host%2fpath", "not a valid host name"),
    ],
)
def test_what_is_no_address_is_told_why(text: str, why: str) -> None:
    """The error says what is wrong and how to write it, and shows no secret."""
    if text == "http:///v1":  # three slashes are one too many, and then v1 is the host
        assert candidates(text)[0] == "http://v1/v1"
        return
    with pytest.raises(ConfigurationError) as caught:
        candidates(text)
    assert why in caught.value.message
    assert "Write it like http://localhost:8080" in caught.value.message
    assert "secret" not in caught.value.message
    assert "ret@" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("host", False),
        ("host/prefix", False),
        ("host/v1", True),
        ("host/api/v4/", True),
        ("host/chat/completions", True),
        ("host/v1/models", True),
    ],
)
def test_whether_the_api_was_named(text: str, is_named: bool) -> None:
    """A version or an endpoint says where the API is; a host alone does not."""
    assert names_the_api(text) == is_named


@given(st.text(max_size=60) | st.text("htps:/[]@?#.v1 \\%0", max_size=30))
def test_any_text_gives_urls_or_a_reason(text: str) -> None:
    """Nothing that a person may write is an exception of another kind, or changes when repeated."""
    try:
        urls = candidates(text)
    except ConfigurationError:
        return
    for url in urls:
        if url[-1] not in ".,;":  # which would be taken for the end of a sentence
            assert set(candidates(url)) == set(urls)
        assert url.isascii()
        assert url.isprintable()
