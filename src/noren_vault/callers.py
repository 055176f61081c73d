"""What each part of the app side may ask, where a certificate says which part asks.

On the machine itself the kernel names a user, and web and worker are one user; over the network each part has
a certificate of its own, so that each can be held to what it needs.
"""

from enum import StrEnum
from typing import Final


class Caller(StrEnum):
    """For whom a client's certificate was made."""

    WEB = "web"
    WORKER = "worker"
    ADMIN = "admin"


# What the worker needs, and nothing else: a method that is new must be put here to be asked by it.
_WORKER: Final = frozenset(
    {"keep", "send", "owners", "team", "merge_state", "checkpoint", "health"}
    | {"notices_said", "notice_late", "tell_readers", "step_import"}
)
# What the pages never ask. Who takes over a web process shall send no mail, and keep nobody, nor bring any in
# without a shop's own people agreeing to it.
_NOT_WEB: Final = frozenset(
    {"keep", "send", "owners", "team", "import", "step_import", "notice_late", "tell_readers"}
)


def may(caller: Caller, method: str) -> bool:
    """Whether a certificate for this part may ask the method; what is an administrator's is asked besides."""
    if caller is Caller.WORKER:
        return method in _WORKER
    return caller is Caller.ADMIN or method not in _NOT_WEB
