"""Which addresses may be called when a stranger names them: those of the public internet.

Whoever fills in an app's form, or a model that asks for a web page, must not get at this machine,
at the network that it stands in, or at a cloud's metadata. What is checked is the address that is
then connected to, so that a name that resolves to another one a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

__all__ = ["Reach"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses of version 6 that stand for one of version 4: RFC 6052 (NAT64) and RFC 4291, 2.5.5.1.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# What `is_global` lets through: the whole block of IETF's protocols (Oracle's cloud has metadata in
# it), the retired relays of 6to4, NAT64 of a network's own (RFC 8215), and Azure's host of a machine.
_NOT_PUBLIC = (
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be called: all that is public, and these hosts and networks besides.

    A host is a name in lower case; with a dot before it, all names below it.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[_Network, ...] = ()

    @classmethod
    def allowing(cls, words: Iterable[str]) -> Self:
        """With the words of the setting `http_allow`: addresses, networks, names, `*.names`.

        Raises:
            ValueError: a word is none of these, or a network with bits beyond its mask.
        """
        hosts: set[str] = set()
        networks: list[_Network] = []
        for word in words:
            if "/" in word or ":" in word or word.rpartition(".")[2].isdecimal():
                networks.append(ipaddress.ip_network(word.strip("[]")))
            else:
                hosts.add(word.lower().rstrip(".").removeprefix("*"))
        return cls(frozenset(hosts), tuple(networks))

    def admits(self, host: str, address: str) -> bool:
        """Whether `host`, as a URL names it, may be called at `address`, which it resolved to."""
        name = host.lower().rstrip(".")
        if name in self.hosts or any(name.endswith(h) for h in self.hosts if h.startswith(".")):
            return True
        there = ipaddress.ip_address(address.partition("%")[0])
        forms = [there, *_within(there)]
        if any(form in network for form in forms for network in self.networks):
            return True
        return all(_is_public(form) for form in forms)


def _within(address: _Address) -> list[_Address]:
    """The addresses of version 4 that one of version 6 stands for, or leads through."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _NAT64:
            return True  # as public as the address that it stands for, which is looked at too
        if address in _COMPATIBLE or address.is_site_local:
            return False
    is_special = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not is_special
