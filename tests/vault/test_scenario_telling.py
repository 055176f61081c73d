"""Scenario 40: a telling whose vault is killed in the middle tells each once, or lists her as unknown."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from noren import people
from noren.incidents.telling_words import HOUSE
from noren.people import Purpose, incidents, tellings
from noren.people.tellings import Telling, Wanted
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault import operators
from tests.vault.cast import SALON, Cast, sql

PERSONS = 40
DOMAIN = "@tolds.example.jp"
# What a courier that remembered nothing would know after a crash: the control.
FORGET = "UPDATE vault.message SET state = 'deferred' WHERE message_key LIKE 'telling:%%'"


def _agreed(cast: Cast, vault: VaultProcess, mail: Sink) -> tuple[str, str]:
    """A telling of everybody a member has looked at, agreed to by two; gives an operator's grant and it."""
    platform = operators.found(vault, mail)
    rows = [
        people.Row(f"t{number}", {"name": f"客{number}", "mail": f"c{number}{DOMAIN}"})
        for number in range(PERSONS)
    ]
    persons = list(people.import_rows(SALON, rows).persons.values())
    since = datetime.now(UTC) - timedelta(minutes=1)
    people.reveal(cast.staff.grant, Purpose.TODAY, persons, ["name"])
    grant, other = platform.first, platform.second
    incident = incidents.open_one(grant.grant, '{"title": "名簿"}')
    incidents.change_member(grant.grant, incident, other.handle, "in")
    question = {
        "actor": cast.staff.handle,
        "since": since.timestamp(),
        "until": time.time() + 60,
    }
    made = tellings.make(grant.grant, incident, Wanted(question, "2026-leak", HOUSE, {}, a_minute=6_000))
    assert (made.scope, made.by) == (PERSONS, {"waiting": PERSONS})
    options = tellings.begin(other.grant, made.telling, alone=False)
    tellings.agree(other.grant, made.telling, other.passkey.get(options), alone=False)
    return grant.grant, made.telling


def _came(mail: Sink) -> Counter[str]:
    return Counter(str(one["To"]) for one in mail.messages if str(one["To"]).endswith(DOMAIN))


@pytest.mark.parametrize("forgets", [False, True])
def test_killed_in_the_middle_each_is_told_once_or_unknown(
    fresh_cast: Cast, vault: VaultProcess, mail: Sink, *, forgets: bool
) -> None:
    """Some mails were taken and not confirmed when it dies. A courier without a memory would tell twice."""
    grant, telling = _agreed(fresh_cast, vault, mail)
    wait_for(lambda: len(_came(mail)) >= 5)
    mail.hold = True
    held = len(_came(mail))
    wait_for(lambda: len(_came(mail)) > held)
    vault.kill()
    mail.hold = False
    assert len(_came(mail)) < PERSONS
    if forgets:
        sql(vault, FORGET)
    vault.start()

    def standing() -> Telling:
        return tellings.show(grant, telling)

    wait_for(lambda: not standing().number("waiting"), 60)
    came = _came(mail)
    if forgets:
        assert max(came.values()) > 1
        return
    found = list(tellings.people(grant, telling))
    states = Counter(one.state for one in found)
    assert states["unknown"] >= 1
    assert states["told"] + states["unknown"] == PERSONS == sum(standing().by.values())
    assert max(came.values()) == 1
    # Nobody counts as told to whom nothing came.
    assert states["told"] <= len(came) <= PERSONS
