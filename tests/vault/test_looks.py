"""Who of a shop looked at how many: counts for who may change the shop, of nobody else's shop, on record."""

import pytest

from noren import errors, people
from noren.people import Purpose
from noren.people.looks import who_looked
from tests.servers import VaultProcess
from tests.vault.cast import Cast, sql


def test_it_counts_looks_and_customers_by_member_and_purpose(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A look at three, one at two of them again: two looks at three customers; failed ones are none."""
    there = fresh_cast.customers
    for persons in (there[:3], there[1:3]):
        people.reveal(fresh_cast.staff.grant, Purpose.TODAY, persons, ["name"])
    people.reveal(fresh_cast.manager.grant, Purpose.DAY_SHEET, there[:5], ["name", "phone"])
    with pytest.raises(errors.PurposeRefused):
        people.reveal(fresh_cast.staff.grant, Purpose.TODAY, there[:1], ["phone"])
    told = who_looked(fresh_cast.owner.grant)
    counted = {(one.actor, one.purpose): (one.looks, one.persons) for one in told.looks}
    assert counted == {("ren.salon", "today"): (2, 3), ("mei.salon", "day_sheet"): (1, 5)}
    # That it was asked is on record.
    people.doctor()
    asked = sql(vault, "SELECT actor, shop_id FROM vault.ledger_entry WHERE note = 'who_looked'")
    assert asked == [("aoi.salon", 1)]


def test_it_tells_who_came_in(fresh_cast: Cast) -> None:
    """Each member's sign-ins and open sessions, and when she came last; a manager may ask as well."""
    fresh_cast.staff.sign_in()
    told = who_looked(fresh_cast.manager.grant)
    came = {one.handle: one for one in told.signins}
    assert set(came) == {"aoi.salon", "mei.salon", "ren.salon"}
    assert came["ren.salon"].signins == 2
    assert came["ren.salon"].sessions == 2
    assert came["aoi.salon"].last is not None


def test_it_tells_nothing_of_another_shop_and_nothing_to_staff(fresh_cast: Cast) -> None:
    """Another shop's owner sees her own shop's counts alone, and staff are refused."""
    people.reveal(fresh_cast.staff.grant, Purpose.TODAY, fresh_cast.customers[:3], ["name"])
    told = who_looked(fresh_cast.outsider.grant)
    assert told.looks == ()
    assert [one.handle for one in told.signins] == ["sora.yoga"]
    with pytest.raises(errors.GrantRefused):
        who_looked(fresh_cast.staff.grant)
