"""The record of children: leftovers are stopped, and nobody else."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from noren.runtime.record import Record, started_at

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)",
]


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(SLEEP, process_group=0) as made:
        yield made
        made.kill()


def test_it_stops_what_a_killed_supervisor_left(tmp_path: Path, process: "subprocess.Popen[bytes]") -> None:
    Record(tmp_path / "children.json").add("web", process.pid, signal.SIGTERM)
    assert Record(tmp_path / "children.json").stop_leftovers() == ["web"]
    assert process.wait(10) == -signal.SIGTERM


def test_it_kills_who_does_not_listen(tmp_path: Path) -> None:
    with subprocess.Popen(DEAF, process_group=0, stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        Record(tmp_path / "children.json").add("web", deaf.pid, signal.SIGTERM)
        assert Record(tmp_path / "children.json").stop_leftovers(seconds=0.3) == ["web"]
        assert deaf.wait(10) == -signal.SIGKILL


def test_it_spares_another_process_with_the_same_id(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    path = tmp_path / "children.json"
    path.write_text(json.dumps({"web": [process.pid, "another boot 12345", signal.SIGTERM]}))
    assert Record(path).stop_leftovers() == []
    assert process.poll() is None


def test_it_forgets_who_has_ended(tmp_path: Path, process: "subprocess.Popen[bytes]") -> None:
    record = Record(tmp_path / "children.json")
    record.add("web", process.pid, signal.SIGTERM)
    record.remove("web")
    assert Record(tmp_path / "children.json").stop_leftovers() == []
    assert process.poll() is None


def test_it_survives_a_record_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "children.json").write_text("{half")
    assert Record(tmp_path / "children.json").stop_leftovers() == []


def test_it_knows_no_start_of_a_process_that_is_gone(process: "subprocess.Popen[bytes]") -> None:
    assert started_at(process.pid) == started_at(process.pid) is not None
    process.kill()
    process.wait()
    assert started_at(process.pid) is None
