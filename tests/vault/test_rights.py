"""The closed lists: every member walked."""

import contextlib
import itertools

import pytest

from noren_vault import rights
from noren_vault.errors import BudgetExceeded, PurposeRefused
from noren_vault.fields import FIELDS
from noren_vault.rights import LENT, MATRIX, Purpose, Role, What

ALLOWED = {
    Purpose.TODAY: "name kana note guests tags",
    Purpose.DAY: "name kana note guests tags",
    Purpose.DAY_SHEET: "name kana phone",
    Purpose.SEARCH: "name kana tags",
    Purpose.CHECK_IN: "name kana note guests tags phone",
}
CARD = {"name", "kana", "mail", "phone", "note"}


def test_it_has_a_row_for_every_purpose() -> None:
    """No purpose is left out of the matrix, and it names known fields only."""
    assert set(MATRIX) == set(Purpose)
    assert all(names <= set(FIELDS) for row in MATRIX.values() for names in row.values())


@pytest.mark.parametrize(("purpose", "role"), list(itertools.product(Purpose, Role)))
def test_it_lets_each_role_see_what_its_purpose_needs(purpose: Purpose, role: Role) -> None:
    """Each purpose, role and field is allowed or refused as this table says it again in other words."""
    match purpose:
        case Purpose.CUSTOMER:
            allowed = {
                "owner": set(FIELDS),
                "manager": set(FIELDS),
                "staff": CARD | {"answers", "health", "guests", "tags", "notes", "chart"},
                "reception": CARD | {"guests", "tags", "notes"},
                "key": CARD - {"note"},
            }
            expected = allowed.get(role, set())
        case Purpose.OWN:
            own = CARD - {"note"} | ({"answers", "health", "guests"} if role == "customer" else set())
            expected = own if role not in ("key", "auditor") else set()
        case Purpose.EXPORT:
            expected = CARD if role in ("owner", "manager") else set()
        case Purpose.MEMBERS:
            expected = {"name", "mail"} if role == "owner" else set()
        case _ if role == "key":
            expected = {"name", "kana"} if purpose is Purpose.DAY else set()
        case _:
            served = role in ("owner", "manager", "staff", "reception")
            expected = set(ALLOWED.get(purpose, "").split()) if served else set()
    assert _told(role, purpose) == expected


def _told(role: Role, purpose: Purpose) -> set[str]:
    """Ask for one field after another."""
    told = set()
    for field in FIELDS:
        with contextlib.suppress(PurposeRefused):
            rights.check_reveal(role, purpose, (field,))
            told.add(field)
    return told


@pytest.mark.parametrize(("purpose", "role"), list(itertools.product(Purpose, Role)))
def test_it_gives_under_a_power_what_the_power_is_for(purpose: Purpose, role: Role) -> None:
    """Support shows names, an incident contacts; to operators alone, and no power shows anything else."""
    seen = {"support_shop": {"support": "name kana"}, "read_incident": {"incident": "name kana mail phone"}}
    for lent in What:
        expected = seen.get(lent, {}).get(purpose, "") if role == "operator" else ""
        assert rights.allowed(role, purpose, lent=lent) == set(expected.split()), lent
    assert set(LENT) == {Purpose.SUPPORT, Purpose.INCIDENT}


def test_it_refuses_all_when_one_field_is_refused() -> None:
    """A list with one field too many is refused whole."""
    with pytest.raises(PurposeRefused):
        rights.check_reveal(Role.STAFF, Purpose.TODAY, ("name", "mail"))


def test_it_refuses_a_purpose_that_is_not_in_the_list() -> None:
    """A purpose is one of the list, not nearly one."""
    for text in ("", "Today", "exports", None, 5):
        with pytest.raises(PurposeRefused):
            rights.purpose_of(text)


@pytest.mark.parametrize("role", list(Role))
def test_it_lets_nobody_write_card_digits_by_hand(role: Role) -> None:
    """The last digits of a card come from a payment, never from a form."""
    with pytest.raises(PurposeRefused):
        rights.check_update(role, ("card_last4",))


@pytest.mark.parametrize(
    ("purpose", "most"),
    [
        (p, {"search": 20}.get(p, 200 if p in ("today", "day", "day_sheet", "members") else 100))
        for p in Purpose
    ],
)
def test_it_caps_one_request(purpose: Purpose, most: int) -> None:
    """Each purpose has its largest number of persons in one request."""
    rights.check_number(purpose, most)
    with pytest.raises(BudgetExceeded):
        rights.check_number(purpose, most + 1)


@pytest.mark.parametrize(("purpose", "role"), list(itertools.product(Purpose, Role)))
def test_it_only_ever_narrows(purpose: Purpose, role: Role) -> None:
    """Whatever a shop has written for a role, it sees at most what the platform lets it see."""
    most = rights.allowed(role, purpose)
    assert rights.allowed(role, purpose, {purpose: frozenset(FIELDS)}) == most
    assert rights.allowed(role, purpose, {purpose: frozenset({"name"})}) == most & {"name"}
    assert rights.allowed(role, purpose, {purpose: frozenset()}) == set()
