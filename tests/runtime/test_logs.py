"""Logs hold codes and places, never what somebody typed."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from noren.errors import SlotTaken
from noren.runtime import logs
from noren.runtime.logfile import LogFile
from tests.servers import AppDatabase


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(stream: io.StringIO) -> logging.Logger:
    made = logging.getLogger("noren.test")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter())
    made.handlers = [handler]
    made.propagate = False
    made.setLevel(logging.INFO)
    return made


def test_it_writes_one_json_object_a_line(logger: logging.Logger, stream: io.StringIO) -> None:
    structlog.get_logger("noren.test").info("booked", shop_id=3)
    (line,) = _lines(stream)
    assert (line["event"], line["shop_id"], line["level"]) == ("booked", 3, "info")
    assert line["timestamp"].endswith("Z")


def test_it_leaves_out_the_values_of_a_librarys_message(logger: logging.Logger, stream: io.StringIO) -> None:
    logger.error("Internal Server Error: %s", "/b/secret-token", extra={"status_code": 500})
    assert "secret-token" not in stream.getvalue()
    assert _lines(stream)[0]["status"] == 500


def test_it_tells_an_exception_without_its_words(logger: logging.Logger, stream: io.StringIO) -> None:
    try:
        try:
            int("暖簾 花子")
        except ValueError as error:
            raise SlotTaken(nearest=[]) from error
    except SlotTaken:
        logger.exception("failed")
    (line,) = _lines(stream)
    assert "花子" not in stream.getvalue()
    assert line["error"]["code"] == "slot_taken"
    assert line["error"]["cause"]["class"] == "builtins.ValueError"
    assert "test_it_tells_an_exception" in line["error"]["at"][0]


def _causes(line: dict[str, Any]) -> int:
    told, number = line["error"], 0
    while told := told.get("cause"):
        number += 1
    return number


def test_it_ends_where_causes_do_not(logger: logging.Logger, stream: io.StringIO) -> None:
    """A connection's fault that is kept and raised again: its own cause, or one of a thousand."""
    one, other = OSError(), OSError()
    one.__context__, other.__context__ = other, one
    logger.error("failed", exc_info=one)
    kept = first = OSError()
    for _ in range(2000):
        kept.__context__ = OSError()
        kept = kept.__context__
    logger.error("failed", exc_info=first)
    assert [_causes(line) for line in _lines(stream)] == [1, 9]


def test_it_names_the_databases_code_and_constraint(
    app_db: AppDatabase, logger: logging.Logger, stream: io.StringIO
) -> None:
    with app_db.connect("owner") as conn:
        conn.execute("CREATE TABLE t (mail text CONSTRAINT one_mail UNIQUE)")
        conn.execute("INSERT INTO t VALUES ('hana@example.jp')")
        try:
            conn.execute("INSERT INTO t VALUES ('hana@example.jp')")
        except psycopg.errors.UniqueViolation:
            logger.exception("failed")
        conn.rollback()
    assert "hana@" not in stream.getvalue()
    error = _lines(stream)[0]["error"]
    assert (error["sqlstate"], error["constraint"]) == ("23505", "one_mail")


def test_it_puts_a_large_log_aside(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "web.log", largest=100)
    for number in range(40):
        log.write(f"line {number:03} of some length\n".encode())
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["web.log", "web.log.1", "web.log.2", "web.log.3", "web.log.4"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    assert "line 039" in (tmp_path / "web.log").read_text()


def test_it_gives_whole_lines_only(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "vault.log")
    assert log.write(b"rea") == []
    assert log.write(b"dy\nmore") == ["ready"]
    assert log.tail().strip() == "ready"
    log.close()
