"""The query over the inventory of secrets: all that is reached from here, and was it made anew since."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from noren.incidents import inventory, inventory_commands
from noren.incidents.inventory import Inventory, closure, verdict
from noren.incidents.secret_list import ONE_HOST, ONE_USER
from noren.people import inventory as door
from noren.people.inquiries import Pasted
from noren.people.inventory import Fact, Note, Told
from noren.runtime import env
from tests.servers import VaultProcess

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(hours=1)


def _note(kind: str, secret: str, **more: Any) -> Note:
    told: dict[str, Any] = {"place": "", "reaches": (), "rotated_at": None, "words": {"text": "x"}}
    told |= {"by": "aoi.operator", "at": AFTER, "gone_by": None, "gone_at": None}
    return Note(**{**told, "note": "0" * 16, "secret": secret, "kind": kind, **more})


def _held(*notes: Note, facts: dict[str, Fact] | None = None, pasted: tuple[Pasted, ...] = ()) -> Inventory:
    """As on two hosts, several users."""
    given = replace(env.read({"NOREN_VAULT_URL": "tls://vault.example.jp:7443"}), var=Path("/nonexistent"))
    told = Told(facts or {}, notes, pasted)
    return Inventory(told, inventory.rules(given, told))


def _names(held: Inventory, *starts: str) -> set[str]:
    return set(closure(starts, held.rules)) - set(starts)


def test_a_backup_alone_opens_nothing() -> None:
    """Its archives are sealed: with the identities it gives tables, and people with the keys besides."""
    held = _held()
    assert _names(held, "backups") == set()
    with_identities = _names(held, "backups", "backup-identities")
    assert {"app-database", "vault-tables", "ledger", "link-key", "own-pages"} <= with_identities
    assert not {"wrapped-keys", "people", "epoch-key", "passwords"} & with_identities
    assert "people" not in _names(held, "backups", "backup-identities", "epoch-key")
    assert "people" in _names(held, "backups", "backup-identities", "epoch-key", "backup-key")


def test_the_apps_host_reaches_no_key_of_the_vault() -> None:
    """The two sides do not trust each other; on one machine root has both."""
    two = _held()
    reached = _names(two, "app-host")
    assert {"app-password", "link-key", "own-pages", "grants", "people-of-shop"} <= reached
    assert not {"epoch-key", "people", "ledger-key", "vault-password"} & reached
    one = Inventory(two.told, (*two.rules, *ONE_HOST))
    assert {"epoch-key", "people", "ledger-key"} <= _names(one, "app-host")
    assert "people" not in _names(one, "app-side")
    assert "people" in _names(Inventory(one.told, (*one.rules, *ONE_USER)), "app-side")


def test_a_place_that_somebody_wrote_down_is_where_it_begins() -> None:
    """From the chat the password that was pasted there, and from a secret of elsewhere what it opens."""
    held = _held(
        _note("row", "own-00000001", reaches=("smtp-password",), words={"title": "DNS"}),
        _note("place", "own-00000001", place="chat"),
        _note("place", "epoch-key", place="wiki", gone_by="aoi.operator", gone_at=AFTER),
    )
    found = held.reached(["chat"], NOW)
    assert [(one.name, one.through) for one in found.rows] == [
        ("smtp-password", ("own-00000001",)),
        ("own-00000001", ("chat",)),
    ]
    assert found.stores == {"mail-as-us": ("smtp-password",)}
    assert held.reached(["wiki"], NOW).rows == ()


def test_what_there_is_none_of_leads_nowhere() -> None:
    """No alarm is set, no key of a shop is left: neither opens anything, and both are told as none."""
    held = _held(facts={"alarm-secret": Fact(count=0), "api-keys": Fact(count=0)})
    found = held.reached(["vault-side", "shop-program"], NOW)
    assert {"false-alarms", "people-of-shop"} & set(found.stores) == {"people-of-shop"}
    assert found.stores["people-of-shop"] == ("grants",)
    states = {one.name: one.verdict.state for one in found.rows}
    assert (states["alarm-secret"], states["api-keys"]) == ("none", "none")


def test_every_way_to_a_node_ends() -> None:
    """Two secrets that open each other."""
    held = _held(
        _note("row", "own-00000001", reaches=("own-00000002",), words={"title": "A"}),
        _note("row", "own-00000002", reaches=("own-00000001",), words={"title": "B"}),
    )
    assert _names(held, "own-00000001") == {"own-00000002"}
    assert held.leads_to("own-00000001") == ("own-00000002",)


@pytest.mark.parametrize(
    ("fact", "marks", "state"),
    [
        (Fact(count=1, since=AFTER), (), "yes"),
        (Fact(count=1, since=BEFORE), (), "no"),
        # What the system sees goes before what somebody says.
        (Fact(count=1, since=BEFORE), (AFTER,), "no"),
        (Fact(count=1, latest=BEFORE), (AFTER,), "no"),
        (Fact(count=1, latest=AFTER), (), "unknown"),
        (Fact(count=1, latest=AFTER), (AFTER,), "yes"),
        (Fact(), (), "unknown"),
        (Fact(), (BEFORE,), "no"),
        (Fact(), (BEFORE, AFTER), "yes"),
        (Fact(count=0), (), "none"),
    ],
)
def test_it_says_whether_it_was_made_anew(fact: Fact, marks: tuple[datetime, ...], state: str) -> None:
    notes = [_note("rotated", "smtp-password", rotated_at=at) for at in marks]
    found = verdict(fact, notes, NOW)
    assert found.state == state
    assert found.by == ("aoi.operator" if state == "yes" and marks else found.by)


def test_what_was_pasted_is_not_made_anew_before_somebody_has_done_it() -> None:
    open_ = Pasted(1, "0" * 16, "password", BEFORE, None, None)
    done = replace(open_, secret=2, done_by="kei.operator", done_at=AFTER)
    held = _held(pasted=(open_, done))
    found = {one.name: one.verdict.state for one in held.reached(["desk"], NOW).rows}
    assert found == {"pasted-1": "no", "pasted-2": "yes"}


@pytest.fixture
def english() -> Iterator[None]:
    """As `noren` speaks on a terminal."""
    with translation.override("en"):
        yield


def test_the_command_answers_for_the_system_that_runs(
    vault: VaultProcess, english: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand a mark where nothing is seen, by fact where it is; 1 while something is left."""
    assert inventory_commands.secrets(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {one["name"]: one for one in told["secrets"]}
    assert rows["epoch-key"]["since"] is not None
    assert rows["epoch-key"]["used"] is None
    assert "people" not in rows["epoch-key"]["opens"]
    assert rows["api-keys"]["count"] == 0

    secret = door.add_row(None, {"title": "DNS", "how": "by hand"}, ["mail-as-us"])
    door.add_place(None, secret, "chat", "in the team's chat")
    asked = ["--reachable-from", "chat", "--since", "1h"]
    assert inventory_commands.secrets(asked) == 1
    out = capsys.readouterr().out
    assert f"{secret}: DNS" in out
    assert "reached by: chat" in out
    assert "A chat: in the team's chat" in out
    door.rotated(None, secret, datetime.now(UTC) - timedelta(minutes=1), "after the leak")
    inventory_commands.secrets([*asked, "--json"])
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["secrets"]}
    assert (found[secret]["state"], found[secret]["by"]) == ("yes", "admin")
    assert inventory_commands.secrets(["--reachable-from", "nowhere"]) == 2
    assert inventory_commands.secrets(["--since", "whenever"]) == 2
