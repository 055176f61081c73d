"""The sites in whose pages a shop's booking pages may be shown, each written as its origin."""

import re
from urllib.parse import urlsplit

MOST = 20
HOW = "write only the beginning of its address, like https://www.salon.example"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_LOCAL = ("localhost", "127.0.0.1")
_PORTS = {"https": 443, "http": 80}


def origin(text: str) -> str:
    """Return a site's origin as browsers write it. Raises ValueError for what is none.

    Plain http is for a site on this very machine: anybody on the way could be another.
    """
    parts = urlsplit(text.strip())
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port
    plain = parts.scheme == "http" and host in _LOCAL
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if not (parts.scheme == "https" or plain) or rest or not _HOST.fullmatch(host):
        raise ValueError(text)
    usual = port is None or port == _PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"
