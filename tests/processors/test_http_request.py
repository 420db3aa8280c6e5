"""`ingle/http_request`: what an address answers, and nothing that a stranger must not reach."""

from __future__ import annotations

import gzip
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ingle.errors import (
    IngleError,
    InvalidRequest,
    NotAllowed,
    UpstreamCut,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from ingle.processors.catalogue import run_processor
from ingle.processors.http_request import HttpRequestOutput
from ingle.routing import Router
from ingle.testing import Answer, ScriptedUpstream, error, hang_up, page, redirect, silence
from ingle.upstream.reach import Reach

SECRET = "s3cret-s3cret"


def answer(content: bytes, mime: str = "text/plain", **how: Any) -> Answer:
    """An answer of this kind."""
    return Answer((content,), headers=(("Content-Type", mime),), **how)


async def ask(
    router: Router,
    url: str,
    *,
    config: dict[str, Any] | None = None,
    **fields: Any,  # Any: JSON values, twice
) -> HttpRequestOutput:
    """What one run gives."""
    run = run_processor("ingle/http_request", {"url": url, **fields}, config or {}, router)
    *_, output = [item async for item in run]
    assert isinstance(output, HttpRequestOutput)
    return output


@pytest.fixture
async def strict(router: Router) -> Router:
    """A router as it is by default: only public addresses may be called."""
    router.reach = Reach()
    return router


async def test_request_is_sent_as_given(router: Router) -> None:
    """Method, query, headers and body; a body that is no text is JSON."""
    async with ScriptedUpstream(answer(b"done")) as upstream:
        await ask(
            router,
            f"{upstream.url}/a?b=1",
            query={"c": "ä&", "d": [1, "2"], "e": True},
            headers={"Authorization": f"Bearer {SECRET}"},
            body={"n": 1},
            config={"method": "PUT"},
        )
    (request,) = upstream.requests
    assert (request.method, request.path) == ("PUT", "/a?b=1&c=%C3%A4%26&d=1&d=2&e=true")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {"n": 1}


@pytest.mark.parametrize(
    ("given", "text", "data", "file"),
    [
        (answer(b"caf\xe9", "text/plain; charset=latin-1"), "café", None, None),
        (answer(b"\xff", "text/plain; charset=idna"), "\ufffd", None, None),
        (answer(b'{"a": 1}', "application/problem+json"), '{"a": 1}', {"a": 1}, None),
        (answer(b'{"a": ', "application/json"), '{"a": ', None, None),
        (answer(b'["\\ud800"]', "application/json"), '["\\ud800"]', None, None),
        (answer(b"[" * 5000, "application/json"), "[" * 5000, None, None),
        (answer(b"\x89PNG", "image/png"), "", None, "data:image/png;base64,iVBORw=="),
        (Answer((b"x",)), "x", None, None),
        (Answer((b"x\0",)), "", None, "data:application/octet-stream;base64,eAA="),
    ],
)
async def test_answer_in_the_form_that_it_has(
    given: Answer, text: str, data: object, file: str | None, router: Router
) -> None:
    """Text is text, JSON is also a value, anything else a file; each can be passed on."""
    async with ScriptedUpstream(given) as upstream:
        output = await ask(router, upstream.url)
    assert (output.text, output.data, output.file) == (text, data, file)
    assert output.model_dump_json()


async def test_other_status_is_an_error_or_an_output(router: Router) -> None:
    """A status beyond 2xx fails with the server's words, unless it is wanted."""
    async with ScriptedUpstream(error(404, "No such page.")) as upstream:
        with pytest.raises(UpstreamRefused, match=r"status 404: No such page\.") as caught:
            await ask(router, f"{upstream.url}/x?key={SECRET}")
        output = await ask(router, upstream.url, config={"fail_on_status": False})
    assert caught.value.http_status == 404
    assert SECRET not in str(caught.value)
    assert output.status == 404


async def test_redirect_is_followed(router: Router) -> None:
    """Within a server everything goes along; a POST that is redirected becomes a GET."""
    here = redirect("/b", status=302)
    async with ScriptedUpstream(here, answer(b"there")) as upstream:
        output = await ask(
            router,
            f"{upstream.url}/a",
            headers={"X-Key": SECRET},
            body="hello",
            config={"method": "POST"},
        )
    assert output.text == "there"
    first, second = upstream.requests
    assert (first.method, second.method, second.body) == ("POST", "GET", b"")
    assert second.headers["x-key"] == SECRET
    assert "content-type" not in second.headers


async def test_no_secret_goes_to_another_server(router: Router) -> None:
    """Of what was given for one server, only what is harmless reaches another."""
    async with ScriptedUpstream(answer(b"there")) as other:
        async with ScriptedUpstream(redirect(f"{other.url}/b")) as upstream:
            headers = {"Authorization": SECRET, "X-Key": SECRET, "Cookie": SECRET, "Accept": "a/b"}
            await ask(router, upstream.url, headers=headers)
        (request,) = other.requests
    assert request.headers["accept"] == "a/b"
    assert SECRET not in str(request.headers)


async def test_no_body_goes_to_another_server(router: Router) -> None:
    """Neither does what was sent."""
    async with ScriptedUpstream(answer(b"there")) as other:
        async with ScriptedUpstream(redirect(f"{other.url}/b", status=308)) as upstream:
            with pytest.raises(UpstreamInvalid, match="what was sent was not sent on"):
                await ask(router, upstream.url, body=SECRET, config={"method": "POST"})
        assert other.requests == []


async def test_redirects_end(router: Router) -> None:
    """A server that redirects for ever is left."""
    async with ScriptedUpstream(redirect("/again")) as upstream:
        with pytest.raises(UpstreamInvalid, match="more than 10 redirects"):
            await ask(router, upstream.url)
    assert len(upstream.requests) == 11


async def test_redirect_can_be_the_answer(router: Router) -> None:
    """Who wants to see where it leads does not go there."""
    async with ScriptedUpstream(redirect("/b")) as upstream:
        config = {"follow_redirects": False, "fail_on_status": False}
        output = await ask(router, upstream.url, config=config)
    assert (output.status, output.headers["location"]) == (307, "/b")


# -- what may not be called ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "2130706433",  # 127.0.0.1 as one number
        "0x7f.1",
        "017700000001",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
    ],
)
async def test_this_machine_is_not_called(host: str, strict: Router) -> None:
    """However its address is written, nothing arrives at a server on loopback."""
    async with ScriptedUpstream(answer(b"secret")) as upstream:
        port = upstream.url.rpartition(":")[2]
        with pytest.raises(IngleError) as caught:
            await ask(strict, f"http://{host}:{port}/")
    assert upstream.connections == 0
    # What aiohttp takes for no address at all is refused even before.
    assert isinstance(caught.value, NotAllowed | InvalidRequest | UpstreamUnreachable)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "[fe80::1]"])
async def test_private_networks_are_not_called(host: str, strict: Router) -> None:
    """Neither is a cloud's metadata, nor the network around; the error says what would allow it."""
    with pytest.raises(NotAllowed, match="is not a public address") as caught:
        await ask(strict, f"http://{host}/latest")
    assert f"add {host.strip('[]')} to the setting `http_allow`" in str(caught.value)


async def test_redirect_into_this_machine_is_not_followed(router: Router) -> None:
    """Each hop is checked: what may be called cannot lead to what may not."""
    async with ScriptedUpstream(answer(b"secret"), host="127.0.0.2") as inner:
        async with ScriptedUpstream(redirect(inner.url)) as upstream:
            with pytest.raises(NotAllowed, match=r"127\.0\.0\.2 is not a public address"):
                await ask(router, upstream.url)
        assert inner.connections == 0


async def test_allowed_name_may_be_called(strict: Router) -> None:
    """The setting allows hosts by name, whatever address they have."""
    strict.reach = Reach.allowing(["localhost"])
    async with ScriptedUpstream(answer(b"hello")) as upstream:
        url = upstream.url.replace("127.0.0.1", "LOCALHOST")
        assert (await ask(strict, url)).text == "hello"


# -- bad input, bad answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "ftp://example.com"}, "is not an address of the web"),
        ({"url": "file:///etc/passwd"}, "is not an address of the web"),
        ({"url": "http://[::1"}, "is not an address of the web|is none"),
        ({"url": "http://a:b"}, "is not an address of the web"),
        ({"url": "http://127.0.0.1/", "body": "x"}, "a GET sends none"),
        ({"url": "http://127.0.0.1/", "headers": {"Host": "x"}}, "'Host' cannot be set here"),
        ({"url": "http://127.0.0.1/", "headers": {"a b": "x"}}, "'a b' cannot be set here"),
        ({"url": "http://127.0.0.1/", "headers": {"A": f"{SECRET}\r\nB: c"}}, "holds a line break"),
    ],
)
async def test_what_cannot_be_asked_is_an_error(
    fields: dict[str, Any], message: str, router: Router
) -> None:
    """It is said which field is wrong, without what may be secret in it."""
    with pytest.raises(InvalidRequest, match=message) as caught:
        await ask(router, **fields)
    assert SECRET not in str(caught.value)


async def test_answer_that_is_too_long_is_an_error(router: Router) -> None:
    """It is not cut in silence, and not read on."""
    async with ScriptedUpstream(answer(b"x" * 2000)) as upstream:
        with pytest.raises(UpstreamInvalid, match="longer than 1,000 bytes"):
            await ask(router, upstream.url, config={"max_bytes": 1000})


async def test_answer_that_unfolds_is_an_error(router: Router) -> None:
    """The bound holds for what a compressed answer unfolds to."""
    folded = gzip.compress(b"\0" * (64 * 1024 * 1024))
    bomb = answer(folded).with_headers({"Content-Encoding": "gzip"})
    async with ScriptedUpstream(bomb) as upstream:
        with pytest.raises(UpstreamInvalid, match="longer than 1,000,000 bytes"):
            await ask(router, upstream.url, config={"max_bytes": 1_000_000})


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (silence(), UpstreamTimeout, r"did not come within 0\.2 s"),
        (hang_up(), UpstreamUnreachable, "no answer came"),
        (Answer((b"nonsense\r\n\r\n",), framing="none"), UpstreamInvalid, "does not speak HTTP"),
        (answer(b"x" * 100).cut_after(0), UpstreamCut, "broke off"),
    ],
)
async def test_broken_answers_are_errors(
    given: Answer, kind: type[IngleError], message: str, router: Router
) -> None:
    """Each fault is one of ours, with the address and without its query."""
    async with ScriptedUpstream(given) as upstream:
        with pytest.raises(kind, match=message) as caught:
            await ask(router, f"{upstream.url}/?k={SECRET}", config={"timeout": 0.2})
    assert upstream.url in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_server_that_is_not_there(router: Router) -> None:
    """A refused connection and an unknown name are told apart."""
    async with ScriptedUpstream(page("")) as upstream:
        gone = upstream.url
    with pytest.raises(UpstreamUnreachable, match=r"refused"):
        await ask(router, gone)
    with pytest.raises(UpstreamUnreachable, match=r"'nowhere\.invalid' is not known"):
        await ask(router, "http://nowhere.invalid/")


async def test_certificate_that_is_not_valid(router: Router, tmp_path: Path) -> None:
    """Nothing is sent to who cannot prove to be the one that was named."""
    async with ScriptedUpstream(answer(b"hello"), tls=_own_certificate(tmp_path)) as upstream:
        with pytest.raises(UpstreamUnreachable, match=r"self.signed"):
            await ask(router, upstream.url)
    assert upstream.requests == []


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that no one has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    plain = serialization.NoEncryption()
    pem = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
