"""Free ports: each is given once, whoever else runs tests on this machine meanwhile."""

import socket
from itertools import count

_FIRST, _LAST = 21000, 32000
"""Below the ports that the system gives to whoever names none."""
_TOGETHER = 4
"""A house listens on its port and on the three above it."""
_tried = count(_FIRST, _TOGETHER + 1)
_kept: list[socket.socket] = []


def free_port() -> int:
    """Return a port on 127.0.0.1 that is free with the three above it.

    This process listens on the port below them until it ends: so another that looks passes them by, also
    while nobody listens on them yet.
    """
    for sign in _tried:
        if sign + _TOGETHER >= _LAST:
            break
        try:
            kept = socket.create_server(("127.0.0.1", sign))
        except OSError:
            continue
        _kept.append(kept)
        if all(_free(port) for port in range(sign + 1, sign + 1 + _TOGETHER)):
            return sign + 1
    raise AssertionError("no free ports")


def _free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
