"""The short form of `make crash`, and its control: each verdict sees the fault that it is there for."""

import copy
import threading
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from tests.crash import facts, run, verdicts
from tests.crash.clients import Load, Lost
from tests.crash.conftest import Crashed
from tests.crash.spoil import DUE, FAULTS, HELD, NOT_KEPT, spoiled
from tests.crash.system import System
from tests.crash.trouble import GRACE, Trouble

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]


def test_it_loses_nothing_and_books_nothing_twice_when_everything_is_killed(crashed: Crashed) -> None:
    outcome = crashed.outcome
    assert outcome.good, "\n".join(outcome.lines())
    assert len(outcome.faults) == len(verdicts.VERDICTS) + 3
    assert len(outcome.told) > 20
    assert {told.status for told in outcome.told} == {"confirmed", "cancelled"}


# -- the control


@pytest.mark.parametrize("fault", FAULTS)
def test_its_verdicts_see_rows_that_were_changed(crashed: Crashed, fault: str) -> None:
    verdict, statement = FAULTS[fault]
    with spoiled(crashed.system, crashed.outcome.told, statement) as found:
        assert verdict(found) != []


def test_its_verdicts_are_content_with_rows_that_were_not(crashed: Crashed) -> None:
    with spoiled(crashed.system, crashed.outcome.told) as found:
        assert [verdict(found) for verdict in verdicts.VERDICTS] == [[] for _ in verdicts.VERDICTS]


def test_its_verdicts_see_a_customer_whom_the_vault_does_not_keep(crashed: Crashed) -> None:
    with spoiled(crashed.system, crashed.outcome.told, vault=NOT_KEPT) as found:
        assert len(verdicts.every_customer_is_kept(found)) == 1


def test_its_verdicts_see_a_promise_made_twice(crashed: Crashed) -> None:
    with spoiled(crashed.system, crashed.outcome.told) as found:
        told = next(
            each
            for each in found.told
            if each.status == "confirmed" and found.bookings[facts.booking_of(each.token)].service == "cut"
        )
        other = copy.copy(told)
        other.start += timedelta(minutes=30)
        found.told = [*found.told, other]
        assert len(verdicts.no_double_booking(found)) == 1


def test_its_verdicts_see_who_was_not_told_or_twice(crashed: Crashed) -> None:
    with spoiled(crashed.system, crashed.outcome.told) as found:
        told = list(found.told)
        found.told = told[1:]
        assert len(verdicts.nothing_untold(found)) == 1
        found.told = [*told, told[0]]
        assert len(verdicts.nothing_untold(found)) == 1


def test_its_verdicts_see_a_mail_that_is_missing_came_twice_or_went_astray(crashed: Crashed) -> None:
    with spoiled(crashed.system, crashed.outcome.told) as found:
        mails = list(found.mails)
        states = {verdicts.mark(message): message.state for message in found.messages}
        sent = next(m for m in mails if states[verdicts.mark_of(m)] == "sent")
        found.mails = [mail for mail in mails if mail is not sent]
        assert len(verdicts.every_mail_has_its_booking(found)) == 1
        found.mails = [*mails, sent]
        assert len(verdicts.every_mail_has_its_booking(found)) == 1
        astray = copy.deepcopy(sent)
        astray.replace_header("To", "somebody.else@crash.example")
        found.mails = [*(mail for mail in mails if mail is not sent), astray]
        assert len(verdicts.every_mail_has_its_booking(found)) == 1


def test_it_waits_for_holds_and_jobs(crashed: Crashed) -> None:
    assert facts.rested(crashed.system, 60)
    for statement in (HELD, DUE):
        with spoiled(crashed.system, crashed.outcome.told, statement):
            assert not facts.rested(crashed.system, 1)


def test_it_sees_a_deadlock(crashed: Crashed) -> None:
    """Two transactions, each of which wants the row that the other has."""
    system = crashed.system
    resources = [
        number for (number,) in system.rows("SELECT min(id) FROM shops_resource GROUP BY kind LIMIT 2")
    ]
    gate = threading.Barrier(2)
    done = [
        threading.Thread(target=_lock, args=(system, order, gate)) for order in (resources, resources[::-1])
    ]
    for thread in done:
        thread.start()
    for thread in done:
        thread.join()
    assert len(verdicts.no_deadlock(facts.read(system, []))) == 1


def _lock(system: System, order: list[int], gate: threading.Barrier) -> None:
    with system.app() as connection, suppress(psycopg.errors.DeadlockDetected), connection.transaction():
        connection.execute("SELECT FROM shops_resource WHERE id = %s FOR UPDATE", order[:1])
        gate.wait(20)
        connection.execute("SELECT FROM shops_resource WHERE id = %s FOR UPDATE", order[1:])


def test_it_excuses_an_answer_only_by_what_was_down() -> None:
    trouble = Trouble()
    window = trouble.opened("vault")
    begin = window.begin
    trouble.closed(window)
    assert window.end is not None
    assert trouble.excuses(503, begin - 1, begin + 1)
    assert not trouble.excuses(500, begin - 1, begin + 1)
    assert not trouble.excuses(503, begin - 2, begin - 1)
    assert not trouble.excuses(503, window.end + GRACE + 1, window.end + GRACE + 2)
    load = Load(0, 0, trouble, ())
    load.lost = [Lost(begin - 1, begin + 1, 503, "POST"), Lost(begin - 1, begin + 1, 0, "GET")]
    told = ["0 GET without a reason (1)", "GET took 2.0 s, before anything was down"]
    assert verdicts.answers(load) == told
    load.lost, load.wrong = [], ["told otherwise"]
    assert verdicts.answers(load) == ["told otherwise"]


def test_its_doctor_sees_a_bit_and_mends_it(crashed: Crashed) -> None:
    system = crashed.system
    with system.app() as connection:
        connection.execute("UPDATE booking_sheet SET padded = set_bit(padded, 1439, 1)")
    assert run.doctor(system)[-1].startswith("1 shops examined, ")
    assert system.noren("doctor", "--repair").returncode == 0
    assert run.doctor(system) == []
