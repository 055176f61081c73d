"""Over budget: a passkey, then a second person, then it is held. Each step is on record, none refills."""

import contextlib
from typing import Any
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import Purpose, Step
from tests.servers import VaultProcess
from tests.vault.cast import SALON, Cast, customers, in_parallel, invitation_of, join, member, sql


def _see(grant: str, persons: list[UUID]) -> people.Budget:
    return people.reveal(grant, Purpose.TODAY, persons, ["name"]).budget


def _use_up(grant: str, persons: list[UUID]) -> None:
    """See 300 new persons: a front desk's hour."""
    for start in (0, 150):
        _see(grant, persons[start : start + 150])


def _step_up(player: Any) -> people.Budget:
    return people.step_up_finish(player.grant, player.passkey.get(people.step_up_begin(player.grant)))


def _notes(vault: VaultProcess, kind: str) -> list[tuple[Any, ...]]:
    people.doctor()
    query = "SELECT actor, note FROM vault.ledger_entry WHERE kind = %s ORDER BY entry"
    return sql(vault, query, kind)


def test_it_goes_three_steps_and_remembers_them(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Passkey, second person twice, hold; all on record, and all as it was after a kill."""
    staff, persons = fresh_cast.staff, customers(SALON, 1000, 700)
    _use_up(staff.grant, persons)
    with pytest.raises(errors.StepUpNeeded) as refusal:
        _see(staff.grant, persons[300:301])
    assert refusal.value.facts == {"today": 300, "left": 0}
    assert _step_up(staff) == people.Budget(300, 100)
    assert _see(staff.grant, persons[300:400]).left == 0
    with pytest.raises(errors.BudgetHeld):
        people.step_up_begin(staff.grant)
    for number in range(2):
        with pytest.raises(errors.SecondPersonNeeded):
            _see(staff.grant, persons[400 + number * 50 : 401 + number * 50])
        request = people.ask_second(staff.grant, reason="名簿の確認", amount=50, minutes=30)
        [wish] = [one for one in people.standing(fresh_cast.manager.grant).wishes if one.request == request]
        assert (wish.handle, wish.reason, wish.amount, wish.minutes, wish.own) == (
            "ren.salon",
            "名簿の確認",
            50,
            30,
            False,
        )
        people.decide_second(fresh_cast.manager.grant, request, approve=True)
        assert _see(staff.grant, persons[400 + number * 50 : 450 + number * 50]).left == 0
    with pytest.raises(errors.BudgetHeld):
        _see(staff.grant, persons[500:501])
    with pytest.raises(errors.BudgetHeld):
        people.ask_second(staff.grant, reason="もっと", amount=50, minutes=30)
    vault.kill()
    vault.start()
    assert people.standing(staff.grant).next is Step.HOLD
    assert people.standing(staff.grant).budget == people.Budget(500, 0)
    with pytest.raises(errors.BudgetHeld):
        _see(staff.sign_in().grant, persons[500:501])
    assert [note for _, note in _notes(vault, "budget")] == ["step_up", *["asked", "approved"] * 2]
    assert [note for _, note in _notes(vault, "refused")] == [
        "budget:step_up",
        *["budget:second_person"] * 2,
        *["budget:hold"] * 2,
    ]
    dumped = str(sql(vault, "SELECT * FROM vault.allowance")) + str(
        sql(vault, "SELECT * FROM vault.ledger_entry")
    )
    assert "名簿の確認" not in dumped


def test_it_refills_nothing_by_a_new_passkey(fresh_cast: Cast) -> None:
    """Ended, added again and newly signed in, an actor has the budget that was left."""
    staff, owner, persons = fresh_cast.staff, fresh_cast.owner, customers(SALON, 1000, 301)
    _use_up(staff.grant, persons)
    people.end_member(owner.grant, "ren.salon")
    people.add_member(owner.grant, member("ren", "staff"))
    with pytest.raises(errors.StepUpNeeded):
        _see(staff.sign_in().grant, persons[300:])


def test_it_never_overspends_an_allowance_by_a_race(fresh_cast: Cast) -> None:
    """Ten answers of one passkey and two hundred reveals at once: one step-up, and as many as it gives."""
    staff, persons = fresh_cast.staff, customers(SALON, 1000, 500)
    _use_up(staff.grant, persons)
    answers = [staff.passkey.get(people.step_up_begin(staff.grant)) for _ in range(10)]

    def step(number: int) -> bool:
        try:
            people.step_up_finish(staff.grant, answers[number])
        except errors.BudgetHeld:
            return False
        return True

    assert sum(in_parallel(10, step)) == 1
    got: list[UUID] = []

    def drain(number: int) -> None:
        with contextlib.suppress(errors.BudgetExceeded):
            got.extend(people.reveal(staff.grant, Purpose.TODAY, [persons[300 + number]], ["name"]).persons)

    in_parallel(200, drain)
    assert len(got) == 100


def test_it_steps_up_by_ones_own_passkey_for_this_grant(cast: Cast) -> None:
    """Another's passkey, another grant's options and a sign-in's answer do not step anybody up."""
    options = people.step_up_begin(cast.staff.grant)
    with pytest.raises(errors.PasskeyRefused):
        people.step_up_finish(cast.staff.grant, cast.owner.passkey.get(options))
    with pytest.raises(errors.PasskeyRefused):
        people.step_up_finish(cast.staff.sign_in().grant, cast.staff.passkey.get(options))
    with pytest.raises(errors.PasskeyRefused):
        people.step_up_finish(cast.staff.grant, cast.staff.passkey.get(people.signin_begin()))
    answer = cast.staff.passkey.get(people.step_up_begin(cast.staff.grant))
    assert people.step_up_finish(cast.staff.grant, answer).left == 400
    with pytest.raises(errors.PasskeyRefused):
        people.signin_finish(answer["response"]["clientDataJSON"][:80], answer)


def test_it_takes_a_second_person(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Nobody decides on their own, staff on nobody's, another shop finds nothing; decided is decided."""
    manager, owner, staff = fresh_cast.manager, fresh_cast.owner, fresh_cast.staff
    request = people.ask_second(manager.grant, reason="x", amount=500, minutes=60)
    for grant, refusal in (
        (manager.grant, errors.GrantRefused),
        (staff.grant, errors.GrantRefused),
        (fresh_cast.outsider.grant, errors.NoSuchRequest),
    ):
        with pytest.raises(refusal):
            people.decide_second(grant, request, approve=True)
    assert people.standing(staff.grant).wishes == ()
    people.decide_second(owner.grant, request, approve=False)
    with pytest.raises(errors.NoSuchRequest):
        people.decide_second(owner.grant, request, approve=True)
    [wish] = people.standing(manager.grant).wishes
    assert (wish.state, wish.own) == ("declined", True)
    assert people.standing(manager.grant).budget.left == 400
    older = people.ask_second(manager.grant, reason="y", amount=1, minutes=1)
    newer = people.ask_second(manager.grant, reason="z", amount=1, minutes=1)
    with pytest.raises(errors.NoSuchRequest):
        people.decide_second(owner.grant, older, approve=True)
    sql(vault, "UPDATE vault.allowance SET expires_at = 1 WHERE request = %s", newer)
    with pytest.raises(errors.NoSuchRequest):
        people.decide_second(owner.grant, newer, approve=True)
    for amount, minutes in ((501, 60), (500, 61), (0, 5), (5, 0)):
        with pytest.raises(RuntimeError, match="BadRequest"):
            people.ask_second(manager.grant, reason="x", amount=amount, minutes=minutes)


def test_it_approves_once_of_many_at_once(fresh_cast: Cast) -> None:
    """Twenty approvals of one request at the same time: one allowance."""
    request = people.ask_second(fresh_cast.staff.grant, reason="x", amount=100, minutes=60)

    def approve(number: int) -> bool:
        grant = (fresh_cast.owner if number % 2 else fresh_cast.manager).grant
        try:
            people.decide_second(grant, request, approve=True)
        except errors.NoSuchRequest:
            return False
        return True

    assert sum(in_parallel(20, approve)) == 1
    assert people.standing(fresh_cast.staff.grant).budget.left == 400


def test_it_holds_who_has_no_second_person(fresh_cast: Cast) -> None:
    """Where nobody else decides, the step after the passkey is to wait, and it says so."""
    alone, persons = fresh_cast.outsider, customers(2, 1000, 534)
    for start in range(0, 400, 200):
        _see(alone.grant, persons[start : start + 200])
    assert _step_up(alone).left == 133
    _see(alone.grant, persons[400:533])
    assert people.standing(alone.grant).next is Step.HOLD
    with pytest.raises(errors.BudgetHeld):
        _see(alone.grant, persons[533:])
    with pytest.raises(errors.BudgetHeld):
        people.ask_second(alone.grant, reason="x", amount=1, minutes=1)


def test_it_meets_six_accounts_in_the_shops_total(fresh_cast: Cast) -> None:
    """Six accounts of one shop that share the work get the shop's hour together, not six times their own."""
    grants = [fresh_cast.owner.grant, fresh_cast.manager.grant, fresh_cast.staff.grant]
    for name in ("ume", "yui", "kai"):
        people.add_member(fresh_cast.owner.grant, member(name, "staff"))
        grants.append(join(invitation_of(fresh_cast.mail, f"{name}@staff.example.jp")).grant)
    persons, got = customers(SALON, 1000, 1300), 0
    for start in range(0, 1300, 50):
        with contextlib.suppress(errors.SecondPersonNeeded):
            _see(grants[start // 50 % 6], persons[start : start + 50])
            got += 50
    assert got == 1000
