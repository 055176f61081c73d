"""Shutting people out at once: whose grants end, what goes on, and that it bites within one person."""

import secrets
from typing import Any

import pytest
from django.conf import settings

from noren import errors, people
from noren.incidents import ending
from noren.people import Purpose, wire
from noren_vault.errors import GrantExpired
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Cast, Player, customer, invitation_of, join, sql
from tests.vault.conftest import Bench, ask


def _sees(player: Player, cast: Cast) -> bool:
    """Whether this grant still opens a name of its shop."""
    try:
        people.reveal(player.grant, Purpose.TODAY, cast.customers[:1], ["name"])
    except errors.NoSuchPerson:
        return True  # another shop's grant that holds finds nobody here
    except errors.GrantExpired:
        return False
    return True


def _again(player: Player) -> Player:
    session = secrets.token_hex(16)
    return Player(player.handle, player.passkey, player.sign_in(session).grant, session)


def _credential(player: Player, vault: VaultProcess) -> str:
    query = "SELECT name FROM vault.passkey JOIN vault.actor USING (actor) WHERE handle = %s"
    [(name,)] = sql(vault, query, player.handle)
    return str(name)


@pytest.mark.parametrize(
    ("whose", "left"),
    [
        ("session", {"other", "manager", "owner", "outsider", "operator"}),
        ("credential", {"manager", "owner", "outsider", "operator"}),
        ("actor", {"manager", "owner", "outsider", "operator"}),
        ("shop", {"outsider", "operator"}),
        ("operators", {"one", "other", "manager", "owner", "outsider"}),
        ("everybody", set()),
    ],
)
def test_it_ends_whom_it_names_and_nobody_else(
    fresh_cast: Cast, vault: VaultProcess, whose: str, left: set[str]
) -> None:
    """At the very next use, and after a restart; who was not named goes on, who was may sign in anew."""
    staff = fresh_cast.staff
    named: dict[str, Any] = {
        "session": staff.session,
        "credential": _credential(staff, vault),
        "actor": staff.handle,
        "shop": SALON,
    }
    everyone = {
        "one": staff,
        "other": _again(staff),
        "manager": fresh_cast.manager,
        "owner": fresh_cast.owner,
        "outsider": fresh_cast.outsider,
    }
    operator = join(people.invite_operator())
    assert people.end_grants(whose, named.get(whose)) == len(everyone) + 1 - len(left)
    for _ in range(2):
        assert {name for name, player in everyone.items() if _sees(player, fresh_cast)} == left - {"operator"}
        assert _holds(operator) == ("operator" in left)
        vault.kill()
        vault.start()
    assert _sees(_again(staff), fresh_cast)


def _holds(player: Player) -> bool:
    try:
        people.whoami(player.grant)
    except errors.GrantExpired:
        return False
    return True


def test_it_is_on_record_and_an_administrators(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Who was shut out by whom stands there before it is so; another process's user is refused."""
    people.end_grants("actor", "ren.salon")
    people.doctor()
    query = "SELECT actor, ref, note FROM vault.ledger_entry WHERE kind = 'signout' ORDER BY entry"
    assert sql(vault, query) == [("admin", "actor:ren.salon", "ended")]
    vault.stop()
    vault.settings = {**vault.settings, "NOREN_VAULT_ADMIN_UIDS": "4242"}
    vault.start()
    with pytest.raises(errors.GrantRefused):
        people.end_grants("everybody")
    assert _sees(fresh_cast.owner, fresh_cast)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"whose": "all"},
        {"whose": "shop", "name": "salon"},
        {"whose": "actor", "name": "山田"},
        {"whose": "actor"},
    ],
)
def test_it_refuses_what_names_nobody(cast: Cast, asked: dict[str, Any]) -> None:
    """A question that could mean somebody else ends nobody's grant, and writes no name into the record."""
    with pytest.raises(RuntimeError, match="BadRequest"):
        wire.call(str(settings.VAULT_SOCKET), "end_grants", asked, seconds=10)
    assert _sees(cast.owner, cast)


def test_it_ends_nothing_that_cannot_be_written_down(fresh_cast: Cast, vault: VaultProcess) -> None:
    """No ledger, no end; and nothing that the thief could see, either."""
    for path in (vault.ledger / "segments").iterdir():
        path.unlink()
    with pytest.raises(errors.LedgerUnavailable):
        people.end_grants("everybody")
    with pytest.raises(errors.LedgerUnavailable):
        people.reveal(fresh_cast.staff.grant, Purpose.TODAY, fresh_cast.customers[:1], ["name"])


def test_it_stops_a_list_within_one_person(bench: Bench, mail: Sink) -> None:
    """Ended while a list is opened: not one person more, and nothing of it is told."""

    async def act(vault: Vault) -> int:
        member = {
            "handle": "ren",
            "role": "staff",
            "staff": "ren",
            "name": "ren",
            "mail": "ren@staff.example.jp",
        }
        owner = member | {"handle": "aoi", "role": "owner", "mail": "aoi@staff.example.jp"}
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[owner, member])
        rows = [{"key": f"c{number}", "fields": customer(number)} for number in range(20)]
        persons = list((await ask(vault, "import", shop=SALON, rows=rows))["persons"].values())
        passkey, token = Passkey(), invitation_of(mail, "ren@staff.example.jp")
        options = (await ask(vault, "register_begin", invite=token))["options"]
        response = passkey.create(options)
        grant = (await ask(vault, "register_finish", invite=token, response=response))["grant"]
        opened: list[str] = []
        people_of, write = vault.records._people, vault.record.write
        inner = people_of.open

        async def write_then_end(kind: str, *args: Any, **kwargs: Any) -> int:
            entry = await write(kind, *args, **kwargs)
            if kind == "intent":
                assert (await ask(vault, "end_grants", whose="everybody"))["ended"] == 1
            return entry

        def counted(shop: int, sealed: Any, names: Any) -> Any:
            opened.append(sealed.person)
            return inner(shop, sealed, names)

        vault.record.write = write_then_end  # type: ignore[method-assign]
        people_of.open = counted  # type: ignore[method-assign, assignment]
        with pytest.raises(GrantExpired):
            await ask(vault, "reveal", grant=grant, purpose="today", persons=persons, fields=["name"])
        return len(opened)

    assert bench.run(act) == 0


def test_it_is_a_command(fresh_cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how many; a name that is nobody's is no success."""
    assert ending.end(["--actor", "ren.salon"]) == 0
    assert capsys.readouterr().out == "Ended 1 grant(s).\n"
    assert ending.end(["--actor", "ren.salon"]) == 1
    assert ending.end(["--operators"]) == 1
    assert _sees(fresh_cast.owner, fresh_cast)
    assert ending.end(["--everybody"]) == 0
    assert not _sees(fresh_cast.owner, fresh_cast)
    for words in ([], ["--everybody", "--operators"]):
        with pytest.raises(SystemExit):
            ending.end(words)
