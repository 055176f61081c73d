"""Django's PostgreSQL, with one thing of our own: a pooled connection's health is seen at its socket.

Django's check asks the server and waits, once for each request; a month of free times asks it only once more.
"""

import select
from typing import Any

from django.db.backends.postgresql import base

from noren.runtime import doorkey


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes connections from the pool until one is whole, so that a restarted server costs no request."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            raw = super().get_new_connection(doorkey.marked(conn_params))
            if self.pool is None or _is_quiet(raw.fileno()):
                return raw
            # The pool takes a closed connection for lost, and makes another.
            raw.close()
            self.pool.putconn(raw)


def _is_quiet(descriptor: int) -> bool:
    """Nothing comes unasked: what is readable between two questions is the end, or a last word before it."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)
