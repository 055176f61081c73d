"""Containing, killed at the worst moment: the snapshot is there, and the deed is said to be unknown."""

import hashlib
import os
import signal

import pytest
from django.conf import settings

from noren import errors, people
from noren.incidents import book, containing
from noren.incidents.book import Kind, Workspace
from noren.incidents.containing import Done, Wanted
from noren.people import containment, incidents, wire
from noren.runtime.paths import Paths
from noren.shops import directory
from tests.servers import AppDatabase, VaultProcess


@pytest.fixture(scope="module")
def shop_id(module_app_db: AppDatabase, module_vault: VaultProcess) -> int:
    found = directory.found("salon")
    people.import_rows(found, [people.Row("c0", {"name": "客"})])
    return found


@pytest.fixture
def incident(shop_id: int) -> str:
    return incidents.open_one(None, book.say(Kind.OPENED, title="夜中の閲覧"))


def _now(incident: str) -> Workspace:
    return book.workspace(incidents.read(None, incident).records)


def _killed(incident: str, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do it in a child that dies by SIGKILL when it comes to the deed itself."""

    def die(*_: object) -> Done:
        os.kill(os.getpid(), signal.SIGKILL)
        return Done(0)

    monkeypatch.setattr(containing, "_connections", dict)
    wire.close()
    child = os.fork()
    if child == 0:
        containing._DO[wanted.deed] = die  # type: ignore[index]
        try:
            containing.contain(None, incident, wanted)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def test_it_writes_what_stood_before_then_does_it_then_says_so(incident: str, shop_id: int) -> None:
    log = Paths.of(settings.ENV).log
    log.mkdir(parents=True, exist_ok=True)
    (log / "web.log").write_bytes(b"a line\n")
    containing.contain(None, incident, Wanted("freeze", "速く", "salon", shop_id=shop_id))
    (deed,) = _now(incident).deeds
    assert (deed.state, deed.line.text, deed.line.said["on"]) == ("done", "速く", "salon")
    assert set(deed.line.said["before"]) == {
        "checkpoint",
        "grants",
        "named",
        "vault_connections",
        "app_connections",
        "logs",
    }
    logs = deed.line.said["before"]["logs"]
    assert logs["web.log"] == {"sha256": hashlib.sha256(b"a line\n").hexdigest(), "bytes": 7}
    (freeze,) = containment.contained(None, incident)[1]
    containing.contain(None, incident, Wanted("thaw", "", of=freeze.freeze))
    assert [one.state for one in _now(incident).deeds] == ["done", "done"]


@pytest.mark.embedded
def test_the_servers_own_logs_are_hashed_too(incident: str, shop_id: int) -> None:
    """Of a server that somebody else runs there is no log here."""
    containing.contain(None, incident, Wanted("freeze", "", "salon", shop_id=shop_id))
    (deed,) = _now(incident).deeds
    logs = deed.line.said["before"]["logs"]
    assert any(name.startswith("connections-") and name.endswith(".json") for name in logs)
    (freeze,) = containment.contained(None, incident)[1]
    containing.contain(None, incident, Wanted("thaw", "", of=freeze.freeze))


def test_what_fails_is_in_the_book_too(incident: str) -> None:
    with pytest.raises(errors.NoSuchHold):
        containing.contain(None, incident, Wanted("release", "", of="0" * 16))
    (deed,) = _now(incident).deeds
    assert (deed.state, deed.since[-1].said["why"]) == ("failed", "no_such_hold")


def test_killed_before_the_deed_it_is_unknown(
    incident: str, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book has the snapshot and no end; nothing was frozen, and it is done anew by hand."""
    _killed(incident, Wanted("freeze", "", "salon", shop_id=shop_id), monkeypatch)
    (deed,) = _now(incident).deeds
    assert deed.state == "open"
    assert deed.line.said["before"]["checkpoint"].startswith("noren/")
    assert containment.contained(None, incident) == ([], [])
    containing.contain(None, incident, Wanted("freeze", "", "salon", shop_id=shop_id))
    assert [one.state for one in _now(incident).deeds] == ["open", "done"]
