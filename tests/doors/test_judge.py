"""Known or not, by the mark alone; and a log's lines, as the server writes them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noren.doors import log
from noren.doors.judge import FRESH_SECONDS, Judge
from noren.doors.log import Place, Session
from noren.doors.walk import proved, walk
from noren.people import answers
from noren.people.doors import Digest
from noren.runtime import doorkey
from noren_vault import doormark

LOGIN = "noren_app"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The keys of a system that has just started, in its data folder."""
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "door-keys.json"
    monkeypatch.setenv("NOREN_VAR", str(tmp_path))
    doorkey.make(path)
    yield path
    doorkey._own.cache_clear()


def _mark(login: str = LOGIN) -> str:
    return str(doorkey.marked({"user": login})["application_name"])


def _session(application: str, name: str = "a.1", login: str = LOGIN, later: int = 0) -> Session:
    made = int(application.split(":")[2].split(".", maxsplit=1)[0]) if application.count(":") == 3 else 0
    return Session(name, 1, login, "noren", "[local]", made + later, application)


def test_it_knows_a_mark_once(keys: Path) -> None:
    judge, mark = Judge(doorkey.read(keys)), _mark()
    assert len(mark) <= 63
    assert judge.why(_session(mark)) == ""
    assert judge.why(_session(mark)) == "", "the same line read again"
    assert judge.why(_session(mark, "a.2")) == "replayed"


@pytest.mark.parametrize("application", ["", "psql", "noren", "noren-web", "pg_dump"])
def test_it_does_not_know_who_has_none(keys: Path, application: str) -> None:
    assert Judge(doorkey.read(keys)).why(_session(application)) in ("stranger", "forged")


def test_it_takes_no_mark_for_another_login_time_or_key(keys: Path, tmp_path: Path) -> None:
    judge, mark = Judge(doorkey.read(keys)), _mark()
    assert judge.why(_session(mark, login="noren_vault")) == "forged"
    assert judge.why(_session(mark, later=FRESH_SECONDS + 1)) == "stale"
    assert judge.why(_session(mark, later=-60)) == "stale"
    for at in range(len("noren:"), len(mark)):
        if mark[at] not in ":.":
            other = mark[:at] + ("1" if mark[at] == "0" else "0") + mark[at + 1 :]
            assert judge.why(_session(other)) == "forged", other
    doorkey.make(tmp_path / "elsewhere.json")
    assert Judge(doorkey.read(tmp_path / "elsewhere.json")).why(_session(mark)) == "forged"


def test_it_lets_a_key_count_for_its_own_time_alone(keys: Path) -> None:
    [(since, key)] = doorkey.read(keys)
    mark = _mark()
    assert Judge([(since - 100, key), (since - 50, b"x" * 32)]).why(_session(mark)) == "forged"
    assert Judge([(since + 50, key)]).why(_session(mark)) == "forged"
    assert Judge([(since - 100, b"x" * 32), (since, key)]).why(_session(mark)) == ""


def test_it_knows_the_vaults_own_way_of_making_them(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(doormark.SETTING, doorkey.given_to_child(keys, ["noren_vault"]))
    judge, mark = Judge(doorkey.read(keys)), doormark.name()
    assert judge.why(_session(mark, login="noren_vault")) == ""
    assert judge.why(_session(doormark.name(), "a.2", login="noren_vault")) == ""
    assert judge.why(_session(doormark.name(), "a.3", login=LOGIN)) == "forged"


def test_it_gives_a_child_the_keys_of_its_logins_alone(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOREN_DOOR_KEY", doorkey.given_to_child(keys, ["noren_worker"]))
    doorkey._own.cache_clear()
    assert doorkey.marked({"user": LOGIN}) == {"user": LOGIN}
    assert Judge(doorkey.read(keys)).why(_session(_mark("noren_worker"), login="noren_worker")) == ""
    doorkey._own.cache_clear()


def test_it_keeps_the_keys_from_everybody_else(keys: Path) -> None:
    assert keys.stat().st_mode & 0o777 == 0o600
    doorkey.make(keys)
    assert len(doorkey.read(keys)) == 2
    assert doorkey.read(keys.with_name("missing.json")) == []


# -- the log


def _line(number: int, message: str, **more: Any) -> bytes:
    told = {
        "timestamp": "2026-11-27 06:20:11.694 UTC",
        "user": "su",
        "dbname": "postgres",
        "pid": 10033,
        "remote_host": "[local]",
        "session_id": f"6b09211b.{number:x}",
        "session_start": "2026-11-27 06:20:11 UTC",
        "error_severity": "LOG",
        "message": message,
        "backend_type": "client backend",
    }
    return json.dumps(told | more).encode() + b"\n"


OPENED = "connection authorized: user=su database=postgres application_name={}"
FILE = "connections-20261127-062008.json"


def _folder(tmp_path: Path, *lines: bytes, name: str = FILE) -> Path:
    folder = tmp_path / "pg-log"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"".join(lines))
    return folder


def _whats(folder: Path, place: Place | None = None) -> list[str]:
    return [event.what for event in log.read(folder, place)]


def test_it_reads_what_the_server_says(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path,
        _line(1, "starting PostgreSQL 18.4 on x86_64", backend_type="postmaster"),
        _line(2, OPENED.format("a database=x application_name=noren:1") + " SSL enabled (protocol=TLSv1.3)"),
        _line(3, "replication connection authorized: user=su application_name=pg_basebackup"),
        _line(4, "disconnection: session time: 0:00:00.007 user=su database=postgres host=[local]"),
        _line(5, 'role "x" does not exist', error_severity="FATAL", state_code="28000"),
        _line(6, "connection authorized: user=su", error_severity="ERROR"),
        b"not a line\n",
    )
    events = list(log.read(folder, None))
    what = ["restarted", "opened", "opened", "ended", "refused", "other", "unreadable"]
    assert [event.what for event in events] == what
    applications = [event.session.application for event in events[1:3] if event.session]
    assert applications == ["a database=x application_name=noren:1", "pg_basebackup"]
    assert events[1].session
    assert events[1].session.started == 1795760411


def test_it_reads_on_from_its_place_over_half_lines_and_new_files(tmp_path: Path) -> None:
    first, second = _line(1, OPENED.format("a")), _line(2, OPENED.format("b"))
    folder = _folder(tmp_path, first, second[:20])
    [event] = log.read(folder, None)
    assert event.place.size == len(first)
    assert _whats(folder, event.place) == []
    _folder(tmp_path, first, second)
    assert _whats(folder, event.place) == ["opened"]
    _folder(tmp_path, first, second[:20])
    _folder(tmp_path, _line(3, OPENED.format("c")), name="connections-20261128-000000.json")
    # What a killed server left half written is the end of its file.
    assert _whats(folder, event.place) == ["other", "opened"]


def test_it_follows_no_link_and_reads_no_pipe(tmp_path: Path) -> None:
    folder = _folder(tmp_path, _line(1, OPENED.format("a")))
    (folder / "connections-20261128-000000.json").symlink_to(folder / FILE)
    os.mkfifo(folder / "connections-20261129-000000.json")
    assert _whats(folder) == ["opened"]


def _digest(place: Place, note: str = "opened:1.refused:0.strange:0") -> Digest:
    return Digest(answers.instant(1), "app", place.file, place.size, place.chain, note)


def _amiss(folder: Path, *digests: Digest) -> list[tuple[str, str]]:
    found = walk(folder, Judge([]), digests).strangers
    return [(one.why, one.session.id) for one in found if one.why.startswith("log_")]


def test_it_finds_a_log_that_was_edited_cut_or_taken_away(tmp_path: Path) -> None:
    lines = [_line(number, OPENED.format(f"psql{number}")) for number in range(4)]
    folder = _folder(tmp_path, *lines)
    places = [event.place for event in log.read(folder, None)]
    digests = [_digest(places[1]), _digest(places[3])]
    assert _amiss(folder, *digests) == []
    assert proved(folder, places[3])
    edited = [lines[0], lines[1].replace(b"psql1", b"noren"), *lines[2:]]
    for changed in (edited, lines[1:], lines[:3], [], [lines[1], lines[0], *lines[2:]]):
        _folder(tmp_path, *changed)
        assert _amiss(folder, *digests) == [("log_changed", FILE)], changed
        assert not proved(folder, places[3])
    (folder / FILE).unlink()
    assert _amiss(folder, *digests) == [("log_missing", FILE)]
    assert _amiss(folder, *digests, _digest(Place(FILE), "retired")) == []


def test_it_finds_a_line_that_was_added_before_the_place(tmp_path: Path) -> None:
    lines = [_line(number, OPENED.format("x")) for number in range(2)]
    folder = _folder(tmp_path, *lines)
    *_, event = log.read(folder, None)
    _folder(tmp_path, lines[0], _line(9, OPENED.format("x")), lines[1])
    assert _amiss(folder, _digest(event.place)) == [("log_changed", FILE)]
