"""The mark on each of this process's database sessions: made for one session, proved by a key of this start.

    noren:PID.START:SECONDS.NONCE:MAC

Whoever watches the database's connection log knows by it that the session is the vault's own.
"""

import base64
import hmac
import os
import secrets
import time
from pathlib import Path
from typing import Final

SETTING: Final = "NOREN_VAULT_DOOR_KEY"
_MAC: Final = 16  # characters of base64: 96 bits
_START: Final = 19  # in /proc/self/stat, counted after the command's closing bracket


def name() -> str:
    """Return the application_name of one session; without a key a plain one."""
    key = os.environ.get(SETTING, "").partition("=")[2]
    if not key:
        return "noren-vault"
    told = f"noren:{os.getpid()}.{_start()}:{int(time.time())}.{_text(secrets.token_bytes(6))}"
    return f"{told}:{_text(hmac.digest(bytes.fromhex(key), told.encode(), 'sha256'))[:_MAC]}"


def _start() -> str:
    try:
        told = Path("/proc/self/stat").read_text("ascii", errors="replace")
    except OSError:
        return "0"
    return told.rpartition(")")[2].split()[_START]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
