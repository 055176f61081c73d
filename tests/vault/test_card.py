"""What staff write on a card, and who is found by a tag."""

import json

import pytest

from noren import errors, people
from noren.people import Purpose, card
from tests.servers import VaultProcess, wait_for
from tests.vault.cast import SALON, Cast, customer, customers, in_parallel, sql


def _told(cast: Cast, who: people.Purpose, person: object, *fields: str) -> dict[str, str]:
    return people.reveal(cast.staff.grant, who, [person], fields).persons[person]  # type: ignore[list-item, index]


def test_two_who_write_at_once_lose_nothing_of_each_other(cast: Cast, module_vault: VaultProcess) -> None:
    """Each line is there, with its writer; each is an entry, and the same again is none."""
    [me] = customers(SALON, 200, 1)

    def write(number: int) -> None:
        grant = (cast.staff, cast.owner)[number % 2].grant
        card.write_line(grant, me, "notes", f"line-{number:04d}", f"{number}番目", booking=number)

    in_parallel(12, write)
    in_parallel(12, write)
    lines = card.read(_told(cast, Purpose.CUSTOMER, me, "notes")["notes"])
    assert {line.newest.text for line in lines} == {f"{number}番目" for number in range(12)}
    assert {line.newest.by for line in lines} == {"ren.salon", "aoi.salon"}
    asked = "SELECT count(*) FROM vault.ledger_entry e JOIN vault.ledger_person p USING (entry) "
    asked += "WHERE p.person = %s AND e.note = 'line:written' AND e.fields = '{notes}'"
    wait_for(lambda: sql(module_vault, asked, me) == [(12,)])


def test_an_edit_keeps_what_stood_and_erasing_takes_all(cast: Cast) -> None:
    """The newest wording first, those before it with their writers."""
    [me] = customers(SALON, 220, 1)
    card.write_line(cast.staff.grant, me, "chart", "line-0001", "6-8 明るめ", booking=9)
    card.write_line(cast.owner.grant, me, "chart", "line-0001", "7-8 明るめ")
    [line] = card.read(_told(cast, Purpose.CUSTOMER, me, "chart")["chart"])
    assert (line.booking, line.newest.by, line.newest.text) == (9, "aoi.salon", "7-8 明るめ")
    assert [(one.by, one.text) for one in line.earlier] == [("ren.salon", "6-8 明るめ")]
    card.write_line(cast.staff.grant, me, "chart", "line-0001", "")
    assert _told(cast, Purpose.CUSTOMER, me, "chart") == {}


def test_nobody_writes_what_she_may_not_see(fresh_cast: Cast) -> None:
    """Neither whole nor by lines; a shop that narrows a role narrows its writing too."""
    me, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    for field in ("notes", "chart", "tags"):
        with pytest.raises(errors.PurposeRefused):
            people.update(staff, me, {field: "1"})
    with pytest.raises(errors.NoSuchPerson):
        card.write_line(fresh_cast.outsider.grant, me, "notes", "line-0001", "x")
    with pytest.raises(errors.BadField):
        card.write_line(staff, me, "notes", "line-0001", "あ" * 4_001)
    people.narrow(fresh_cast.owner.grant, "staff", "customer", ["name", "kana", "notes"])
    card.write_line(staff, me, "notes", "line-0001", "x")
    with pytest.raises(errors.PurposeRefused):
        card.write_line(staff, me, "chart", "line-0001", "x")
    with pytest.raises(errors.PurposeRefused):
        card.tag(staff, me, add=[1], take=[])


def test_a_full_field_says_so_and_keeps_what_it_has(cast: Cast) -> None:
    """What has no room is refused with the reason; nothing falls out."""
    [me] = customers(SALON, 230, 1)
    for number in range(4):
        card.write_line(cast.staff.grant, me, "notes", f"line-{number:04d}", "あ" * 4_000)
    with pytest.raises(errors.BadField) as refusal:
        card.write_line(cast.staff.grant, me, "notes", "line-0009", "い" * 4_000)
    assert refusal.value.reasons == {"notes": "too_long"}
    assert len(card.read(_told(cast, Purpose.CUSTOMER, me, "notes")["notes"])) == 4


def test_a_tag_finds_those_who_have_it_and_no_text_does(cast: Cast, module_vault: VaultProcess) -> None:
    """The search by a tag is on record with what it tells; a number that is typed finds no tag."""
    some = customers(SALON, 240, 3)
    card.tag(cast.staff.grant, some[0], add=[3, 4711], take=[])
    card.tag(cast.owner.grant, some[0], add=[17], take=[3])
    card.tag(cast.staff.grant, some[1], add=[4711], take=[])
    assert card.tags(_told(cast, Purpose.CUSTOMER, some[0], "tags")["tags"]) == {17, 4711}
    found = people.search(cast.staff.grant, "", tag=4711)
    assert set(found.persons) == {some[0], some[1]}
    assert set(people.search(cast.staff.grant, customer(240)["name"], tag=4711).persons) == {some[0]}
    for query in ("4711", "\x034711\x04", "\x03\x14\x17\x11\x11\x04", "17"):
        assert not set(people.search(cast.staff.grant, query).persons) & {some[0], some[1]}
    assert people.search(cast.staff.grant, "", tag=471).persons == {}
    asked = "SELECT fields, purpose FROM vault.ledger_entry WHERE entry = %s"
    wait_for(lambda: sql(module_vault, asked, found.entry) == [(["name", "kana", "tags"], "search")])
    with pytest.raises(errors.BadField):
        card.tag(cast.staff.grant, some[2], add=range(1, 22), take=[])


def test_it_says_who_may_be_the_same_by_fields_alone(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Whole values only, of who stays; what is the same is on record as told, and is a look of the budget."""
    first, second = fresh_cast.customers[:2]
    staff = fresh_cast.staff.grant
    double = people.put(
        SALON, "hold-1", {"name": "山田", "phone": "+819012340000", "mail": customer(1)["mail"]}
    )
    before = people.reveal(staff, Purpose.CUSTOMER, [first], ["name"]).budget.today
    told = card.alike(staff, double, wait=False)
    assert (told.proved, told.found) == (False, 2)
    assert {(one.person, one.fields) for one in told.alike} == {(first, ("phone",)), (second, ("mail",))}
    compared = card.compare(staff, double, first)
    assert compared.fields == {"name": "differs", "kana": "first", "mail": "differs", "phone": "same"}
    assert compared.refused == ""
    asked = "SELECT fields, kind FROM vault.ledger_entry WHERE note = 'alike' ORDER BY entry"
    wait_for(lambda: sql(vault, asked) == [(["mail", "phone"], "search"), (["phone"], "search")])
    assert people.reveal(staff, Purpose.CUSTOMER, [first], ["name"]).budget.today > before
    with pytest.raises(errors.NoSuchPerson):
        card.alike(fresh_cast.outsider.grant, double, wait=True)


def test_a_name_of_a_guest_forges_no_tag(fresh_cast: Cast) -> None:
    """What is escaped in a stored line ends no field of the text that is searched."""
    guests = json.dumps({"booking": 1, "guests": [["\x0399\x04", ""], ["\x02x", ""]]})
    person = people.put(SALON, "hold-2", {"name": "偽", "guests": guests})
    people.keep(SALON, person)
    assert people.search(fresh_cast.staff.grant, "", tag=99).persons == {}
    assert set(people.search(fresh_cast.staff.grant, "偽").persons) == {person}
