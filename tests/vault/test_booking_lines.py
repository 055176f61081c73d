"""Fields that hold a line for each booking: what a customer says once more loses nothing of before."""

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren import errors, people
from noren.people import Purpose
from noren.people.account import own_forget
from noren_vault import booking_lines
from noren_vault.fields import LONGEST
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.cast import SALON, Cast, customer, sql
from tests.vault.test_mydata import enter


def line(booking: int, answer: str = "長め") -> str:
    told = {"booking": booking, "asked": [["髪の長さ", answer]]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def under(new: str, stood: str, booking: int) -> str:
    return booking_lines.under(new, stood, field="answers", booking=booking)


def test_the_newest_booking_stands_first_and_once() -> None:
    """A line of the same booking takes its own place; what somebody wrote by hand stays behind."""
    two = under(line(2), line(1), 2)
    assert two.split("\n") == [line(2), line(1)]
    assert under(line(2), two, 2) == two
    assert under(line(1, "短め"), two, 1).split("\n") == [line(1, "短め"), line(2)]
    assert under("", two, 2) == line(1)
    assert under(line(3), "手書きのメモ", 3).split("\n") == [line(3), "手書きのメモ"]


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3_900)), min_size=1, max_size=12))
def test_it_never_outgrows_its_field_and_loses_the_oldest_only(said: list[tuple[int, int]]) -> None:
    """After any history the last line is there, what stands is whole, and newer than all that fell out."""
    text = ""
    told: list[str] = []
    for booking, length in said:
        one = line(booking, "あ" * length)
        text = under(one, text, booking)
        told = [one, *(each for each in told if json.loads(each)["booking"] != booking)]
        assert len(text) <= LONGEST["answers"]
        stands = text.split("\n")
        assert stands == told[: len(stands)]
        told = stands
    assert len(told) >= 2 or len({booking for booking, _ in said}) == 1 or len(said) == 1


@given(st.text(max_size=300))
def test_it_reads_names_of_any_text(text: str) -> None:
    """Kana and name of each guest, whatever else stands there."""
    booking_lines.names(text)
    guests = json.dumps({"booking": 1, "guests": [["山田 花", "ヤマダ ハナ"], ["次郎", ""]]})
    assert booking_lines.names(f"{guests}\n{text}")[:3] == ["ヤマダ ハナ", "山田 花", "次郎"]


# -- by the vault itself


def test_a_second_booking_keeps_the_firsts_answers(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """Each write is an entry, the same again is none, and an empty line takes one away."""
    me, grant = fresh_cast.customers[0], enter(mail, customer(0)["mail"])
    health = line(1, "ジアミン")
    people.own_answers(grant, 1, {"answers": line(1), "health": health})
    for _ in range(2):
        people.own_answers(grant, 2, {"answers": line(2, "短め")})
    told = people.reveal(grant, Purpose.OWN, [me], ["answers", "health"]).persons[me]
    assert told == {"answers": f"{line(2, '短め')}\n{line(1)}", "health": health}
    people.own_answers(grant, 2, {"answers": ""})
    told = people.reveal(fresh_cast.owner.grant, Purpose.CUSTOMER, [me], ["answers", "health"]).persons[me]
    assert told == {"answers": line(1), "health": health}
    asked = "SELECT fields FROM vault.ledger_entry WHERE kind = 'update' ORDER BY entry"
    written = [(["answers", "health"],), (["answers"],), (["answers"],)]
    wait_for(lambda: sql(vault, asked) == written)


def test_it_takes_nothing_else_and_nothing_too_long(fresh_cast: Cast, mail: Sink) -> None:
    """Her grant writes these three fields and no other; nobody else's grant does."""
    grant = enter(mail, customer(0)["mail"])
    for fields in ({"name": "x"}, {"note": "x"}, {}, {"elsewhere": "x"}):
        with pytest.raises(RuntimeError, match="BadRequest"):
            people.own_answers(grant, 1, fields)
    with pytest.raises(errors.BadField):
        people.own_answers(grant, 1, {"answers": "あ" * 8_001})
    with pytest.raises(errors.BadField):
        people.own_answers(grant, 1, {"answers": "a\u202eb"})
    for other in (fresh_cast.owner.grant, "made up"):
        with pytest.raises((errors.GrantRefused, errors.GrantExpired)):
            people.own_answers(other, 1, {"answers": line(1)})


def test_she_takes_her_consent_back(fresh_cast: Cast, mail: Sink) -> None:
    """What she said about her health is gone, the rest stays."""
    me, grant = fresh_cast.customers[0], enter(mail, customer(0)["mail"])
    people.own_answers(grant, 1, {"answers": line(1), "health": line(1, "ジアミン")})
    own_forget(grant, ["health"])
    told = people.reveal(grant, Purpose.OWN, [me], ["answers", "health"]).persons[me]
    assert told == {"answers": line(1)}
    with pytest.raises(RuntimeError, match="BadRequest"):
        own_forget(grant, ["mail"])


def test_answers_are_told_on_a_customers_page_alone(fresh_cast: Cast) -> None:
    """For no other purpose, asked by who may do most; and those about health of one customer at a time."""
    fields = {"name": "親", "mail": "oya@example.jp", "answers": line(9), "health": line(9)}
    person = people.put(SALON, "hold-9-x", fields)
    people.keep(SALON, person)
    for purpose in Purpose:
        for field in ("answers", "health"):
            if purpose is Purpose.CUSTOMER:
                assert people.reveal(fresh_cast.owner.grant, purpose, [person], [field]).persons
                continue
            with pytest.raises((errors.PurposeRefused, errors.NoSuchPerson)):
                people.reveal(fresh_cast.owner.grant, purpose, [person], [field])
    two = [person, fresh_cast.customers[0]]
    assert len(people.reveal(fresh_cast.owner.grant, Purpose.CUSTOMER, two, ["answers"]).persons) == 2
    with pytest.raises(errors.BudgetExceeded) as refusal:
        people.reveal(fresh_cast.owner.grant, Purpose.CUSTOMER, two, ["health"])
    assert refusal.value.facts["most"] == 1


def test_a_childs_name_finds_the_parent_who_booked(fresh_cast: Cast) -> None:
    """By name and kana; the list of a day shows the child beside her."""
    guests = json.dumps({"booking": 5, "guests": [["露草 つぼみ", "ツユクサ ツボミ"]]}, ensure_ascii=False)
    fields = {"name": "露草 蓮", "mail": "ren@example.jp", "guests": guests}
    person = people.put(SALON, f"hold-5-{uuid4().hex}", fields)
    people.keep(SALON, person)
    for query in ("つぼみ", "ツユクサ ツボミ", "つゆくさ"):
        found = people.search(fresh_cast.staff.grant, query)
        assert found.persons == {person: {"name": "露草 蓮"}}
    today = people.reveal(fresh_cast.staff.grant, Purpose.TODAY, [person], ["name", "kana", "guests"])
    assert today.persons[person] == {"name": "露草 蓮", "guests": guests}
