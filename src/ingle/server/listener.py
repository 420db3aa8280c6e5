"""The socket that Ingle listens on, bound before anything else is opened."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket

from ingle.errors import ConfigurationError, Conflict

__all__ = ["ingle_at", "listen", "url_of"]

_ASK_S = 1.0


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes a free one.

    Raises:
        Conflict: something listens there already; says whether it is another Ingle.
        ConfigurationError: the host is unknown or not this machine's, or the port needs rights.
    """
    family, address = _resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # else a restart would wait for connections of the last run to die
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _explained(error, host, port) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Where this machine reaches the listener, such as `http://127.0.0.1:4645`."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- bound by whoever asked
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """The first address of a host; of a name with both, the IPv4 one, which all clients try."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(
            f"No address is known for the host {host!r} ({error.strerror}). Listen on 127.0.0.1 "
            "for this machine alone, or on 0.0.0.0 for all its networks."
        ) from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _explained(error: OSError, host: str, port: int) -> ConfigurationError | Conflict:
    if error.errno == errno.EADDRINUSE:
        free = "Stop it, or take another port with --port; --port 0 takes any free one."
        if version := ingle_at(host, port):
            return Conflict(f"Another Ingle ({version}) listens on {host}:{port} already. {free}")
        return Conflict(f"Another program listens on {host}:{port} already. {free}")
    if error.errno == errno.EACCES:
        return ConfigurationError(
            f"Port {port} on {host} needs rights that this user does not have. Take one above "
            "1023, such as 4645, with --port."
        )
    return ConfigurationError(
        f"{host}:{port} cannot be listened on ({error.strerror}). Listen on an address of this "
        "machine: 127.0.0.1, or 0.0.0.0 for all its networks."
    )


def ingle_at(host: str, port: int) -> str | None:
    """The version of the Ingle that answers there, if one does."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    asking = http.client.HTTPConnection(local, port, timeout=_ASK_S)
    try:
        asking.request("GET", "/health")
        told = json.loads(asking.getresponse().read(4096))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        asking.close()
    is_ingle = isinstance(told, dict) and told.get("name") == "ingle"
    return str(told.get("version")) if is_ingle else None
