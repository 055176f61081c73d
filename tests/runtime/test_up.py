"""`noren up`: starts, survives each child's death, stops without a trace, starts again on the same data."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from noren.runtime import databases, env
from noren.runtime.record import started_at
from tests.environment import TOP
from tests.ports import free_port
from tests.runtime.up import Up, descendants, gone
from tests.servers import wait_for

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="process trees are read from /proc"),
]


def _system() -> Up:
    folder = Path(tempfile.mkdtemp(dir=TOP))
    folder.chmod(0o755)
    return Up(folder / "var", free_port())


def _words(up: Up) -> dict[str, str]:
    return databases.app(env.read({"NOREN_VAR": str(up.var)}), "owner")


def _remember(up: Up, value: int) -> None:
    with psycopg.connect(**_words(up), autocommit=True) as conn:  # type: ignore[arg-type]
        conn.execute("SET ROLE noren_owner")
        conn.execute("CREATE TABLE IF NOT EXISTS remembered (value int)")
        conn.execute("INSERT INTO remembered VALUES (%s)", [value])


def _remembered(up: Up) -> list[int]:
    with psycopg.connect(**_words(up)) as conn:  # type: ignore[arg-type]
        return [value for (value,) in conn.execute("SELECT value FROM remembered ORDER BY value")]


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    """One system that the tests of kills share: each leaves it healed."""
    system = _system().start()
    assert system.opens(), system.text()
    yield system
    system.end()


@pytest.fixture
def system() -> Iterator[Up]:
    """A system that has not been started yet."""
    made = _system()
    yield made
    made.end()


@pytest.mark.parametrize("name", ["web", "worker", "vault", "app database", "vault database", "mail catcher"])
def test_it_starts_a_killed_child_again(running: Up, name: str) -> None:
    before = running.child(name)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: running.children().get(name, before) != before, 60)
    wait_for(lambda: f"{name} is back." in running.said, 60)
    wait_for(running.opens, 60)


def test_it_serves_on_when_a_process_of_the_web_server_is_killed(running: Up) -> None:
    workers = descendants(running.child("web"))
    os.kill(workers[-1], signal.SIGKILL)
    wait_for(lambda: len(descendants(running.child("web"))) >= len(workers), 60)
    wait_for(running.opens, 60)


def test_it_lets_no_second_system_onto_the_same_data(running: Up) -> None:
    second = Up(running.var, free_port()).start()
    assert second.wait() == 1
    assert f"noren: Noren is already running on {running.var}" in second.text()
    assert running.opens()


def test_it_refuses_a_port_that_somebody_has(running: Up) -> None:
    second = _system()
    second.port = running.port
    second.start()
    assert second.wait() == 1
    assert f"Port {running.port} cannot be used" in second.text()


def test_it_gives_each_side_its_own_user(running: Up) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can start two users' processes")
    uid = {name: Path(f"/proc/{pid}").stat().st_uid for name, pid in running.children().items()}
    assert uid["vault"] == uid["vault database"]
    assert uid["web"] == uid["worker"] == uid["app database"]
    assert uid["web"] != uid["vault"]
    assert [name for name, one in uid.items() if one == 0] == ["doors"]  # it reads both databases' logs


def test_it_keeps_the_vaults_secrets_from_the_app(running: Up) -> None:
    """The web process's environment names no database of the vault and no mail server."""
    given = Path(f"/proc/{running.child('web')}/environ").read_bytes()
    assert b"NOREN_DATABASE_URL" not in given
    assert b"VAULT" not in given
    assert b"SMTP" not in given


def test_it_stops_without_an_orphan_and_without_a_loss(system: Up) -> None:
    system.start()
    _remember(system, 1)
    assert system.process is not None
    everybody = descendants(system.process.pid)
    assert system.stop(signal.SIGINT) == 0
    assert system.said[-1] == "Stopped."
    assert [pid for pid in everybody if started_at(pid)] == []
    moved = system.var.with_name("moved")
    system.var.rename(moved)
    system.var = moved
    system.start()
    assert system.opens(), system.text()
    assert _remembered(system) == [1]
    everybody = descendants(system.process.pid)
    assert system.stop(signal.SIGTERM) == 0
    assert [pid for pid in everybody if started_at(pid)] == []


def test_it_starts_again_after_a_kill_of_itself(system: Up) -> None:
    system.start()
    _remember(system, 2)
    assert system.process is not None
    everybody = descendants(system.process.pid)
    system.stop(signal.SIGKILL)
    gone(everybody)
    system.start()
    assert system.opens(), system.text()
    assert _remembered(system) == [2]


def test_it_stops_in_the_middle_of_its_start(system: Up) -> None:
    starting = Up(system.var, system.port)
    thread = threading.Thread(target=starting.start)
    thread.start()
    wait_for(lambda: (system.var / "run" / "children.json").exists() and "vault" in starting.children(), 60)
    assert starting.process is not None
    everybody = descendants(starting.process.pid)
    assert starting.stop() == 0
    thread.join(30)
    gone(everybody)


def test_it_goes_on_without_a_vault_whose_ledger_is_not_whole(system: Up) -> None:
    system.start()
    assert system.stop() == 0
    segments = sorted((system.var / "ledger" / "segments").iterdir())
    segments[-1].write_bytes(b"")
    system.start()
    assert "The vault refuses to run:" in system.said, system.text()
    assert "vault" not in system.children()
    assert system.opens(), system.text()


def test_it_fills_an_empty_system_and_prints_the_addresses(system: Up) -> None:
    system.words = ()
    for filled in (True, False):
        system.start()
        assert ("Putting in the example shops ..." in system.said) is filled, system.text()
        for path in ("clinic/", "cottage/", "court/", "salon/", "yoga/", "console/", "operations/"):
            assert f"http://localhost:{system.port}/{path}" in system.text()
            assert system.opens(f"/{path}")
        assert f"http://localhost:{system.port + 1}/" in system.text()
        assert system.stop() == 0


def test_it_runs_as_an_ordinary_user(system: Up) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests of this file run as an ordinary user then")
    folder = system.var.parent
    os.chown(folder, 65534, 65534)
    system.prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    system.start()
    assert "One user: process separation only." in system.text()
    assert system.opens(), system.text()
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in system.children().values()} == {65534}
    assert system.stop() == 0
    shutil.rmtree(folder)
