"""How connections are lent: what a server that was away costs after it is back."""

import threading
import time
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from noren.runtime import databases

AWAY = 16.0


class Found(Exception):
    """The server was asked, and was there."""


def test_it_finds_a_server_again_that_was_away_for_long() -> None:
    """Left to itself a pool tries after 1, 2, 4, 8, 16 ... seconds, and a request waits five."""
    back, found = threading.Event(), threading.Event()

    class Server(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, *_words: Any, **_named: Any) -> Any:
            if not back.is_set():
                raise psycopg.OperationalError("away")
            found.set()
            raise Found

    words = databases.django({"dbname": "noren"}, "web")["OPTIONS"]["pool"]
    pool = ConnectionPool("", open=False, **(words | {"connection_class": Server}))
    pool.open()
    begin = time.monotonic()
    while time.monotonic() - begin < AWAY:
        with pytest.raises(PoolTimeout):
            pool.getconn()
    back.set()
    with pytest.raises(PoolTimeout):
        pool.getconn()
    assert found.is_set()
    pool.close()
