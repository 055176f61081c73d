"""One statement in a shop, in one round trip: for what is read most often.

`with shop(id):` asks the server four times around each statement. Here the beginning, the shop, the statement
and the end are sent together, and the answer is waited for once. The statement is planned once a connection,
its values go apart from it, and its rows come in binary.
"""

from collections.abc import Generator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, errors, sql
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.waiting import Ready, Wait

from noren.shops.tenancy import inside

Value = int | str | bytes | datetime | Sequence[int] | None
Row = tuple[Any, ...]

# The names of the statements that each connection has planned. Used by the thread that holds the connection.
_planned: "WeakKeyDictionary[Connection[Any], dict[str, bytes]]" = WeakKeyDictionary()
# A name is never used twice, so one that was lost with an error stands in nobody's way.
_numbers: Final = count(1)


def read_in(shop_id: int, statement: str, values: Sequence[Value]) -> list[Row]:
    """Run a statement that only reads, with `values` for $1, $2 and so on (each with its type, `$1::bigint`).

    Outside of a shop it is a transaction of its own; inside the same shop it belongs to the transaction that
    is open, and sees what that has written.
    """
    where = inside()
    if where not in (None, shop_id):
        raise RuntimeError(f"Shop {shop_id} cannot be read inside shop {where}.")
    if where is None and connection.in_atomic_block:
        raise RuntimeError("A shop cannot be entered inside another transaction.")
    connection.ensure_connection()
    trip = _Trip(connection.connection, shop_id if where is None else None)
    try:
        with CursorWrapper(trip, connection) as cursor:
            # What a cursor takes is said more narrowly by Django than its wrappers need.
            cursor.execute(statement, cast("Any", values))
    finally:
        if where is None and trip.raw.closed:
            connection.close()
    return trip.rows


class _Trip:
    """What Django's wrappers take for a cursor. With `entered` it makes a transaction in that shop."""

    def __init__(self, raw: "Connection[Any]", entered: int | None) -> None:
        self.raw, self.entered = raw, entered
        self.rows: list[Row] = []

    def execute(self, statement: str, values: Sequence[Value]) -> None:
        planned = _planned.setdefault(self.raw, {})
        name = planned.pop(statement, None)
        prepares = name is None
        name = name or b"noren_%d" % next(_numbers)
        result = self._exchanged(statement if prepares else None, name, values)
        planned[statement] = name
        loader = Transformer(self.raw)
        loader.set_pgresult(result)
        self.rows = loader.load_rows(0, result.ntuples, tuple)

    def close(self) -> None:
        """There is nothing to close: the rows have been fetched."""

    def _exchanged(self, text: str | None, name: bytes, values: Sequence[Value]) -> Any:
        """Send everything, and return the result of the statement. The connection is clean afterwards."""
        pgconn = self.raw.pgconn
        try:
            pgconn.enter_pipeline_mode()
            if self.entered is not None:
                pgconn.send_query_params(b"BEGIN READ ONLY", None)
                pgconn.send_query_params(_enter(self.entered), None)
            if text is not None:
                pgconn.send_prepare(name, text.encode())
            plain = [_plain(value) for value in values]
            formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in values]
            pgconn.send_query_prepared(name, plain, formats, Format.BINARY)
            if self.entered is not None:
                pgconn.send_query_params(b"COMMIT", None)
            pgconn.pipeline_sync()
            results = self.raw.wait(_results(pgconn))
            pgconn.exit_pipeline_mode()
        except BaseException:
            # What is on its way on this connection would be taken for the answer to the next question.
            self.raw.close()
            raise
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                if self.entered is not None and pgconn.transaction_status != TransactionStatus.IDLE:
                    self.raw.rollback()
                raise errors.error_from_result(result)
        return next(result for result in results if result.status == ExecStatus.TUPLES_OK)


@lru_cache(maxsize=4096)
def _enter(shop_id: int) -> bytes:
    # A literal, as in `shop`: on a cluster the setting reaches every machine.
    return sql.SQL("SET LOCAL noren.shop = {}").format(sql.Literal(str(int(shop_id)))).as_bytes()


def _plain(value: Value) -> bytes | None:
    """Write a value as PostgreSQL reads it."""
    match value:
        case None | bytes():
            return value
        case int() | str():
            return str(value).encode()
        case datetime():
            return value.isoformat().encode()
    return ("{" + ",".join(map(str, value)) + "}").encode()


def _results(pgconn: Any) -> Generator[Wait, Ready | int, list[Any]]:
    """Send what is left, and collect the results up to the pipeline's end."""
    while pgconn.flush():
        ready = yield Wait.RW
        if ready & Ready.R:
            pgconn.consume_input()
    found: list[Any] = []
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            continue
        if result.status == ExecStatus.PIPELINE_SYNC:
            return found
        found.append(result)
