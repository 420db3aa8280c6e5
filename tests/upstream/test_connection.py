"""Connections: kept, replaced, watched, and closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingle.errors import UpstreamTimeout, UpstreamUnreachable
from ingle.testing import Answer, Fault, ScriptedUpstream, json_answer, models
from ingle.upstream.client import Client
from ingle.upstream.limits import Limits
from ingle.upstream.target import Target

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Handler], Awaitable[Target]]

WELL = json_answer({})


async def test_a_server_that_takes_no_request_is_not_waited_for(
    client: Client, serve: Serve
) -> None:
    """Silence is also to stop reading in the middle of a large request."""

    async def answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.Event().wait()

    target = await serve(answer)
    limits = Limits(idle_s=0.2, tries=1)
    with pytest.raises(UpstreamTimeout, match=r"silent for 0\.2 s"):
        await client.post(target, "x", b"x" * 30_000_000, into=bytes, limits=limits)


async def test_an_early_answer_to_a_large_request_is_heard(client: Client, serve: Serve) -> None:
    """A server that refuses a body before it has read it is not talked over."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.Event().wait()

    target = await serve(answer)
    async with client.relay("POST", target, "x", b"x" * 30_000_000) as relayed:
        assert relayed.status == 413
        assert [part async for part in relayed] == []


async def test_a_connection_that_never_comes_about_is_not_waited_for(client: Client) -> None:
    """A host that does not answer runs into the connect limit, not the idle limit."""
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # TLS that is never answered, for nobody accepts the connection.
        target = Target(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        with pytest.raises(UpstreamUnreachable, match=r"no connection came about within 0\.2 s"):
            await client.get(target, "models", into=bytes, limits=Limits(connect_s=0.2))
    assert time.monotonic() - began < 2


async def test_a_name_with_several_addresses_is_reached(client: Client) -> None:
    """`localhost` may stand for ::1 first, where nobody listens."""
    async with ScriptedUpstream(models("a")) as upstream:
        target = Target(upstream.url.replace("127.0.0.1", "localhost") + "/v1")
        assert b'"a"' in await client.get(target, "models", into=bytes)
        assert upstream.requests[0].headers["host"].startswith("localhost:")


async def test_ipv6_is_spoken(client: Client) -> None:
    """An address in brackets is called, and named so to the server."""
    try:
        async with ScriptedUpstream(WELL, host="::1") as upstream:
            await client.get(upstream.target(), "models", into=bytes)
            assert upstream.url.startswith("http://[::1]:")
            assert upstream.requests[0].headers["host"] == upstream.url.removeprefix("http://")
    except OSError:
        pytest.skip("This machine has no IPv6.")


async def test_what_comes_unasked_ends_a_kept_connection(client: Client) -> None:
    """An answer that nobody asked for is never given to the next request."""
    is_over = asyncio.Event()
    unasked = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    evil = Answer((answer, is_over, unasked, Fault.STALL), framing="none")
    async with ScriptedUpstream(evil, WELL) as upstream:
        assert await client.get(upstream.target(), "x", into=bytes) == b"{}"
        is_over.set()
        await asyncio.wait_for(upstream.requests[0].left.wait(), 1)
        assert await client.get(upstream.target(), "x", into=bytes) == b"{}"
        assert upstream.connections == 2


async def test_closing_a_client_closes_its_connections() -> None:
    """Nothing is left open, not even a connection that waits to be used again."""
    async with ScriptedUpstream(WELL) as upstream:
        async with Client() as client:
            await client.get(upstream.target(), "x", into=bytes)
        async with Client() as client:
            await client.get(upstream.target(), "x", into=bytes)
        assert upstream.connections == 2


async def test_servers_do_not_share_connections(client: Client) -> None:
    """Each host and port has its own."""
    async with ScriptedUpstream(WELL) as one, ScriptedUpstream(WELL) as other:
        for upstream in (one, other, one, other):
            await client.get(upstream.target(), "x", into=bytes)
        assert (one.connections, other.connections) == (1, 1)
        assert (len(one.requests), len(other.requests)) == (2, 2)


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("models/a b", "/v1/models/a%20b"),
        ("models/ü", "/v1/models/%C3%BC"),
        ("models/a%2Fb", "/v1/models/a%2Fb"),
        ("x?q=ü&r=1 2", "/v1/x?q=%C3%BC&r=1%202"),
    ],
)
async def test_a_path_is_escaped(client: Client, endpoint: str, path: str) -> None:
    """What cannot stand in a request's first line is escaped; what is escaped stays so."""
    async with ScriptedUpstream(WELL) as upstream:
        await client.get(upstream.target(), endpoint, into=bytes)
        assert upstream.requests[0].path == path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody else has signed, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scripted")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def test_a_certificate_is_checked(client: Client, certificate: Path) -> None:
    """A server whose certificate nobody vouches for gets no request, and no key."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with ScriptedUpstream(WELL, tls=tls) as upstream:
        with pytest.raises(UpstreamUnreachable, match="the certificate is not valid") as caught:
            await client.get(upstream.target("sk-key"), "models", into=bytes)
        assert upstream.requests == []
    assert "SSL_CERT_FILE" in caught.value.message
    assert isinstance(caught.value.__cause__, Exception)


async def test_an_authority_of_ones_own_is_trusted(
    client: Client, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SSL_CERT_FILE names is trusted, as by any program that uses OpenSSL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with ScriptedUpstream(WELL, tls=tls) as upstream:
        for _ in range(2):
            assert await client.get(upstream.target(), "models", into=bytes) == WELL.body
        assert upstream.connections == 1
        async with client.relay("POST", upstream.target(), "x", b"x" * 500_000) as relayed:
            assert relayed.status == 200
        assert len(upstream.requests[2].body) == 500_000
