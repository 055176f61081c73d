"""The same request again, and a request that only says who asks."""

import contextlib
import secrets
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from noren import errors, people
from noren.people import Purpose, wire
from tests.servers import VaultProcess
from tests.vault.cast import Cast, in_parallel, sql


def _ask(grant: str, persons: list[UUID], **more: Any) -> dict[str, Any]:
    wanted = {
        "grant": grant,
        "purpose": "today",
        "persons": [str(one) for one in persons],
        "fields": ["name"],
    }
    return wire.call(str(settings.VAULT_SOCKET), "reveal", {**wanted, **more}, seconds=10)


def _noted(vault: VaultProcess, note: str) -> list[tuple[Any, ...]]:
    people.doctor()
    query = "SELECT actor, credential FROM vault.ledger_entry WHERE kind = 'refused' AND note = %s"
    return sql(vault, query, note)


def test_it_refuses_the_same_nonce_again(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A request sent again is refused, on record, after a restart too; another actor's same nonce is not."""
    nonce, persons = secrets.token_hex(8), fresh_cast.customers[:2]
    assert len(_ask(fresh_cast.staff.grant, persons, nonce=nonce)["persons"]) == 2
    with pytest.raises(errors.Replayed):
        _ask(fresh_cast.staff.grant, persons, nonce=nonce)
    assert _ask(fresh_cast.owner.grant, persons, nonce=nonce)["persons"]
    vault.kill()
    vault.start()
    with pytest.raises(errors.Replayed):
        _ask(fresh_cast.staff.grant, persons[:1], nonce=nonce)
    assert [row[0] for row in _noted(vault, "replay")] == ["ren.salon"] * 2


def test_it_answers_one_of_many_at_once(cast: Cast) -> None:
    """Twenty copies of one request at the same time: one answer."""
    nonce, answers = secrets.token_hex(8), []

    def send(_: int) -> None:
        with contextlib.suppress(errors.Replayed):
            answers.append(_ask(cast.staff.grant, cast.customers[:1], nonce=nonce))

    in_parallel(20, send)
    assert len(answers) == 1


def test_it_records_each_request_without_a_nonce(cast: Cast) -> None:
    """Without one, each is a new reveal with its own entry: never a silent second one."""
    first, second = (_ask(cast.staff.grant, cast.customers[:1])["entry"] for _ in range(2))
    assert second > first


@pytest.mark.parametrize("claim", [{}, {"actor": "aoi.salon"}, {"user": "aoi.salon", "role": "owner"}])
def test_it_takes_no_word_for_who_asks(fresh_cast: Cast, vault: VaultProcess, claim: dict[str, str]) -> None:
    """The app says whom it asks for, without a grant: refused, and recorded as the app's own asking."""
    wanted = {"purpose": "today", "persons": [str(fresh_cast.customers[0])], "fields": ["name"]}
    people.doctor()  # until the index holds what went before
    before = sql(vault, "SELECT count(*) FROM vault.ledger_entry WHERE actor = 'aoi.salon'")
    with pytest.raises(errors.GrantExpired):
        wire.call(str(settings.VAULT_SOCKET), "reveal", {**wanted, **claim}, seconds=10)
    [(actor, credential)] = _noted(vault, "grant")
    assert (actor, credential[:4]) == ("app", "uid:")
    assert sql(vault, "SELECT count(*) FROM vault.ledger_entry WHERE actor = 'aoi.salon'") == before


def test_it_records_what_the_app_does_itself_as_the_apps(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Taking a booking's person and sending a mail name no user, whichever session the app claims."""
    person = people.put(
        1, "hold:1", {"name": "花子", "mail": "hanako@example.jp"}, session=fresh_cast.owner.session
    )
    people.send(1, person, "m1", subject="s", text="{name}")
    people.doctor()
    rows = sql(
        vault,
        "SELECT DISTINCT actor FROM vault.ledger_entry WHERE kind IN ('put', 'send') AND shop_id = 1 "
        "AND note = '' AND entry IN (SELECT entry FROM vault.ledger_person WHERE person = %s)",
        person,
    )
    assert rows == [("app",)]
    with pytest.raises(errors.PurposeRefused):
        people.reveal(fresh_cast.owner.grant, Purpose.MESSAGE, [person], ["name"])
