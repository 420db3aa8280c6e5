"""Which addresses may be called when a stranger names them."""

from __future__ import annotations

import pytest

from ingle.upstream.reach import Reach


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_what_is_not_public_is_not_admitted(address: str) -> None:
    """This machine, networks around it, a cloud's metadata, and other ways to write them."""
    assert not Reach().admits("example.com", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_what_is_public_is_admitted(address: str) -> None:
    """The internet, by either version, also where one stands for the other."""
    assert Reach().admits("example.com", address)


@pytest.mark.parametrize(
    ("words", "host", "address", "is_admitted"),
    [
        (["10.0.0.0/8"], "a", "10.1.2.3", True),
        (["10.0.0.0/8"], "a", "::ffff:10.1.2.3", True),
        (["10.0.0.0/8"], "a", "192.168.0.1", False),
        (["127.0.0.1"], "localhost", "127.0.0.1", True),
        (["127.0.0.1"], "localhost", "127.0.0.2", False),
        (["fd00::/8"], "a", "fd00::1", True),
        (["[::1]"], "a", "::1", True),
        (["nas.local"], "NAS.local.", "192.168.0.5", True),
        (["nas.local"], "evil-nas.local", "192.168.0.5", False),
        (["*.lan"], "a.b.lan", "192.168.0.5", True),
        (["*.lan"], "lan", "192.168.0.5", False),
        (["*.lan"], "evillan", "192.168.0.5", False),
    ],
)
def test_what_is_allowed_is_admitted(
    words: list[str], host: str, address: str, is_admitted: bool
) -> None:
    """Addresses, networks, names and all names below one; and no other."""
    assert Reach.allowing(words).admits(host, address) is is_admitted
