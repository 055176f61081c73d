"""Where the vault may go outside: https, by a name, at an address of the internet; looked at when connecting.

A shop's owner types the address, and the vault goes there: without this it could be sent to whatever answers
inside. `private` names the hosts that may be anywhere, by the one who runs the installation.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from noren_vault.errors import SsoAway

LONGEST: Final = 300
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fits(address: str, private: frozenset[str]) -> bool:
    """Whether a provider may have this address: an issuer's, or that of one of its ends."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or len(address) > LONGEST or parts.username is not None or parts.fragment:
        return False
    if not all(33 <= ord(sign) < 127 for sign in address):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host == "localhost" and host in private)


class Backend(httpcore.AsyncNetworkBackend):
    """Connects to what a name stands for, unless that is an address of no internet's.

    It is the address itself that is connected to: a name cannot mean another one a moment later.
    """

    def __init__(self, private: frozenset[str]) -> None:
        """Keep the hosts that may be anywhere."""
        self._private = private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of its addresses that answers. Raises SsoAway for a forbidden one."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if host not in self._private and not all(_public(one) for one in addresses):
            raise SsoAway("an address inside")
        fault: Exception = SsoAway("no address")
        for one in addresses:
            try:
                return await self._backend.connect_tcp(one, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as again:
                fault = again
        raise fault

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks."""
        await asyncio.sleep(seconds)


def _public(text: str) -> bool:
    address: _Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
