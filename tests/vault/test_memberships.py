"""Who works where: changed under an owner's grant, on record, biting at once, amid a reveal too."""

from typing import Any

import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault.errors import GrantExpired, GrantRefused, PurposeRefused, VaultError
from noren_vault.people import Sealed
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Cast, customer, invitation_of, join, member, sql
from tests.vault.conftest import Bench, ask


def _entries(vault: VaultProcess, kind: str) -> list[tuple[Any, ...]]:
    """What the ledger's index has of a kind, once it has caught up."""
    people.doctor()
    return sql(
        vault,
        "SELECT actor, ref, note, outcome FROM vault.ledger_entry WHERE kind = %s ORDER BY entry",
        kind,
    )


def test_it_changes_a_role_at_once(fresh_cast: Cast, vault: VaultProcess) -> None:
    """A manager made reception sees no answers at once; the change and its outcome are on record."""
    grant, person = fresh_cast.manager.grant, fresh_cast.customers[:1]
    people.reveal(grant, Purpose.CUSTOMER, person, ["answers"])
    changed = people.change_member(fresh_cast.owner.grant, "mei.salon", "reception")
    assert (changed.handle, changed.role) == ("mei.salon", "reception")
    with pytest.raises(errors.PurposeRefused):
        people.reveal(grant, Purpose.CUSTOMER, person, ["answers"])
    assert people.whoami(grant).role == "reception"
    assert ("aoi.salon", "mei.salon", "role:reception", "done") in _entries(vault, "member")


def test_it_ends_a_membership_with_its_grants_and_invitations(fresh_cast: Cast, vault: VaultProcess) -> None:
    """Who was ended is refused at once; added again, only a new sign-in opens anything."""
    grant = fresh_cast.staff.grant
    assert people.end_member(fresh_cast.owner.grant, "ren.salon").role is None
    with pytest.raises(errors.GrantExpired):
        people.whoami(grant)
    with pytest.raises(errors.GrantRefused):
        fresh_cast.staff.sign_in()
    assert "ren.salon" not in {one.handle for one in people.members(fresh_cast.owner.grant)}
    again = people.add_member(fresh_cast.owner.grant, member("ren", "reception"))
    assert again.mail == "joined"
    with pytest.raises(errors.GrantExpired):
        people.whoami(grant)
    assert fresh_cast.staff.sign_in().who.role == "reception"
    assert ("aoi.salon", "ren.salon", "ended", "done") in _entries(vault, "member")


def test_it_lets_no_administrator_bring_back_who_was_ended(fresh_cast: Cast) -> None:
    """The founding list again, from a shell, changes nothing about an ended membership."""
    people.end_member(fresh_cast.owner.grant, "ren.salon")
    members = [member("aoi", "owner"), member("mei", "manager"), member("ren", "staff")]
    told = {one.handle: one.mail for one in people.found_shop(SALON, "salon", members)}
    assert told == {"aoi.salon": "joined", "mei.salon": "joined", "ren.salon": "ended"}
    with pytest.raises(errors.GrantRefused):
        fresh_cast.staff.sign_in()


def test_it_ends_an_open_invitation_with_the_membership(fresh_cast: Cast) -> None:
    """Who was invited and ended before enrolling cannot enrol any more."""
    people.add_member(fresh_cast.owner.grant, member("ume", "accountant"))
    people.end_member(fresh_cast.owner.grant, "ume.salon")
    with pytest.raises(errors.InviteRefused):
        join(invitation_of(fresh_cast.mail, "ume@staff.example.jp"))


def test_it_keeps_an_owner_who_can_sign_in(fresh_cast: Cast) -> None:
    """The last owner neither goes nor steps down; an invited one who never came does not count."""
    grant = fresh_cast.owner.grant
    people.add_member(grant, member("yui", "owner"))
    with pytest.raises(errors.LastOwner):
        people.end_member(grant, "aoi.salon")
    with pytest.raises(errors.LastOwner):
        people.change_member(grant, "aoi.salon", "staff")
    people.change_member(grant, "mei.salon", "owner")
    assert people.end_member(fresh_cast.manager.grant, "aoi.salon").role is None
    with pytest.raises(errors.LastOwner):
        people.end_member(fresh_cast.manager.grant, "mei.salon")


def test_it_is_an_owners_act(cast: Cast) -> None:
    """Managers and staff change nobody, another shop's owner finds nobody."""
    for grant in (cast.manager.grant, cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            people.change_member(grant, "ren.salon", "owner")
        with pytest.raises(errors.GrantRefused):
            people.end_member(grant, "aoi.salon")
    with pytest.raises(errors.NoSuchMember):
        people.end_member(cast.outsider.grant, "ren.salon")
    with pytest.raises(errors.GrantRefused):
        people.members(cast.staff.grant)
    assert {one.role for one in people.members(cast.manager.grant)} == {"owner", "manager", "staff"}


def test_it_shows_an_accountant_nobody(fresh_cast: Cast) -> None:
    """An accountant signs in, and sees and writes no customer's data."""
    people.change_member(fresh_cast.owner.grant, "ren.salon", "accountant")
    grant, person = fresh_cast.staff.grant, fresh_cast.customers[0]
    for purpose in (Purpose.TODAY, Purpose.DAY, Purpose.CUSTOMER, Purpose.CHECK_IN, Purpose.SEARCH):
        with pytest.raises(errors.PurposeRefused):
            people.reveal(grant, purpose, [person], ["name"])
    with pytest.raises(errors.PurposeRefused):
        people.search(grant, customer(0)["name"])
    with pytest.raises(errors.PurposeRefused):
        people.update(grant, person, {"name": "誰か"})


def test_it_narrows_what_a_role_sees(fresh_cast: Cast, vault: VaultProcess) -> None:
    """An owner takes the note from reception's and staff's lists; it bites at once and can be given back."""
    owner, staff, who = fresh_cast.owner.grant, fresh_cast.staff.grant, fresh_cast.customers[:1]
    people.narrow(owner, "staff", "today", ["name"])
    with pytest.raises(errors.PurposeRefused):
        people.reveal(staff, Purpose.TODAY, who, ["name", "note"])
    assert people.reveal(staff, Purpose.TODAY, who, ["name"]).persons
    assert people.reveal(fresh_cast.manager.grant, Purpose.TODAY, who, ["note"])
    [left] = [one for one in people.shop_rights(owner) if (one.role, one.purpose) == ("staff", "today")]
    assert (left.most, left.fields) == (("name", "kana", "note", "guests", "tags"), ("name",))
    people.narrow(owner, "staff", "today", ["name", "kana", "note", "guests", "tags"])
    assert people.reveal(staff, Purpose.TODAY, who, ["note"])
    assert sql(vault, "SELECT count(*) FROM vault.narrowed") == [(0,)]
    assert [row[:3] for row in _entries(vault, "right")] == [("aoi.salon", "staff", "left")] * 2


def test_it_takes_a_purpose_away_whole(fresh_cast: Cast) -> None:
    """Nothing left of a purpose is nothing to be seen: a search is refused, too."""
    people.narrow(fresh_cast.owner.grant, "staff", "search", [])
    with pytest.raises(errors.PurposeRefused):
        people.search(fresh_cast.staff.grant, customer(0)["name"])
    assert people.search(fresh_cast.manager.grant, customer(0)["name"]).persons


def test_it_never_widens(cast: Cast) -> None:
    """What the platform does not allow a role, no owner can; and only an owner changes rights."""
    for role, purpose, names in (
        ("staff", "today", ["name", "mail"]),
        ("reception", "customer", ["health"]),
        ("staff", "customer", ["card_last4"]),
    ):
        with pytest.raises(errors.PurposeRefused):
            people.narrow(cast.owner.grant, role, purpose, names)
    for role, purpose in (("accountant", "today"), ("operator", "own"), ("owner", "support")):
        with pytest.raises(RuntimeError, match="BadRequest"):
            people.narrow(cast.owner.grant, role, purpose, ["name"])
    for grant in (cast.manager.grant, cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            people.narrow(grant, "staff", "today", ["name"])


# -- in the middle of a reveal


async def _enrol(vault: Vault, mail: Sink, name: str) -> str:
    """Enrol somebody who was invited; gives the grant."""
    passkey, token = Passkey(), invitation_of(mail, f"{name}@staff.example.jp")
    begun = await ask(vault, "register_begin", invite=token)
    answer = await ask(vault, "register_finish", invite=token, response=passkey.create(begun["options"]))
    return str(answer["grant"])


async def _shop(vault: Vault, mail: Sink) -> tuple[str, str, list[str]]:
    """A shop with an owner, a member of staff and customers: two grants and the ids."""
    given = [
        {"handle": name, "role": role, "staff": name, "name": name, "mail": f"{name}@staff.example.jp"}
        for name, role in (("aoi", "owner"), ("ren", "staff"))
    ]
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=given)
    rows = [{"key": f"c{number}", "fields": customer(number)} for number in range(20)]
    done = await ask(vault, "import", shop=SALON, rows=rows)
    return await _enrol(vault, mail, "aoi"), await _enrol(vault, mail, "ren"), list(done["persons"].values())


@pytest.mark.parametrize(
    ("method", "params", "refusal"),
    [
        ("end_member", {"handle": "ren.salon"}, GrantExpired),
        ("change_member", {"handle": "ren.salon", "role": "accountant"}, PurposeRefused),
        ("narrow", {"role": "staff", "purpose": "today", "fields": ["kana"]}, PurposeRefused),
        (None, {}, None),
    ],
    ids=["ended", "role", "narrowed", "control"],
)
def test_it_opens_nobody_more_once_a_right_has_ended(
    bench: Bench, mail: Sink, method: str | None, params: dict[str, Any], refusal: type[VaultError] | None
) -> None:
    """Between the entry and the opening somebody loses the right: not one person is opened.

    The control, in which nothing ends, opens all twenty.
    """

    async def act(vault: Vault) -> tuple[int, str]:
        owner, staff, persons = await _shop(vault, mail)
        opened: list[str] = []
        write, people_of = vault.record.write, vault.records._people
        inner = people_of.open

        async def write_then_end(kind: str, *args: Any, **kwargs: Any) -> int:
            entry = await write(kind, *args, **kwargs)
            if kind == "intent" and method is not None:
                await ask(vault, method, grant=owner, **params)
            return entry

        def counted(shop: int, sealed: Sealed, names: Any) -> Any:
            opened.append(sealed.person)
            return inner(shop, sealed, names)

        vault.record.write = write_then_end  # type: ignore[method-assign]
        people_of.open = counted  # type: ignore[method-assign, assignment]
        wanted = {"grant": staff, "purpose": "today", "persons": persons, "fields": ["name"]}
        if refusal is None:
            assert len((await ask(vault, "reveal", **wanted))["persons"]) == 20
        else:
            with pytest.raises(refusal):
                await ask(vault, "reveal", **wanted)
        await vault.index.reach(vault.record.ledger.size, 5)
        entries = [entry for _, entry in vault.record.ledger.entries() if entry.kind == "outcome"]
        return len(opened), entries[-1].note

    opened, outcome = bench.run(act)
    assert (opened, outcome) == ((20, "released") if refusal is None else (0, "failed"))


def test_it_stops_within_one_person(bench: Bench, mail: Sink) -> None:
    """A grant that ends while the third person is opened: the fourth is not, and nobody is told."""

    async def act(vault: Vault) -> int:
        _, staff, persons = await _shop(vault, mail)
        opened: list[str] = []
        people_of = vault.records._people
        inner = people_of.open

        def ending(shop: int, sealed: Sealed, names: Any) -> Any:
            opened.append(sealed.person)
            if len(opened) == 3:
                bench.clock += 13 * 3_600_000
            return inner(shop, sealed, names)

        people_of.open = ending  # type: ignore[method-assign, assignment]
        with pytest.raises(GrantExpired):
            await ask(vault, "reveal", grant=staff, purpose="today", persons=persons, fields=["name"])
        return len(opened)

    assert bench.run(act) == 3


def test_it_reads_a_grant_again_after_a_change_that_takes_nothing(bench: Bench, mail: Sink) -> None:
    """A change elsewhere in the shop makes the grant be read again, and the reveal goes on."""

    async def act(vault: Vault) -> None:
        _, staff, persons = await _shop(vault, mail)
        grants = vault.records._grants
        grant = await grants.check(staff)
        assert not grants.stale(grant)
        grants.changed(f"shop:{SALON}")
        assert grants.stale(grant)
        newer = await grants.again(grant)
        assert not grants.stale(newer)
        grants.changed(*(f"g{number}" for number in range(10_000)))
        grants.changed("one more")
        assert grants.stale(newer)
        told = await ask(vault, "reveal", grant=staff, purpose="today", persons=persons, fields=["name"])
        assert len(told["persons"]) == 20
        with pytest.raises(GrantRefused):
            await ask(vault, "change_member", grant=staff, handle="aoi.salon", role="staff")

    bench.run(act)
