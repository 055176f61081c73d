"""Two records joined in the vault, and parted: who may, what becomes of either id, what is on record."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from noren import errors, people
from noren.people import Purpose, card
from noren.people.card import MergeState
from noren_vault import merges, merging
from noren_vault.backup_keys import DAY_MS
from noren_vault.errors import MergeRefused
from noren_vault.joining import BEFORE
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Cast, customer, sql, token_in
from tests.vault.conftest import Bench, ask
from tests.vault.test_mydata import enter, seen

OWNER = {"handle": "aoi", "role": "owner", "staff": None, "name": "葵", "mail": "aoi@staff.example.jp"}
CARD = ["name", "kana", "mail", "phone", "note", "tags", "notes", "chart"]


def guest(**fields: str) -> UUID:
    """A guest who booked: an own record, unproved."""
    given = {"name": "山田 ハナコ", "mail": "guest@example.jp", **fields}
    person = people.put(SALON, f"hold-{given['mail']}-{len(given)}-{given['name']}", given)
    people.keep(SALON, person)
    return person


def told(cast: Cast, person: UUID) -> dict[str, str]:
    return people.reveal(cast.owner.grant, Purpose.CUSTOMER, [person], CARD).persons[person]


def test_it_fills_what_lacks_and_writes_over_nothing(fresh_cast: Cast, vault: VaultProcess) -> None:
    """The kept one's own words stay; lines and tags are put together; both ids are on record."""
    kept, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    people.update(staff, kept, {"phone": "", "note": "静かに"})
    double = guest(phone="090-9999-0001", note="窓ぎわで")
    card.write_line(staff, kept, "notes", "line-kept", "常連")
    card.write_line(staff, double, "notes", "line-double", "電話で予約", booking=5)
    card.tag(staff, double, add=[2], take=[])
    before = told(fresh_cast, kept)
    until = card.merge(staff, double, kept, [])
    assert timedelta(days=29) < until - datetime.now(UTC) < timedelta(days=31)
    assert card.merge(staff, double, kept, []) == until
    after = told(fresh_cast, kept)
    assert {name: after[name] for name in ("name", "kana", "mail")} == {
        name: before[name] for name in ("name", "kana", "mail")
    }
    assert (after["phone"], after["note"], after["tags"]) == ("090-9999-0001", "静かに\n窓ぎわで", "2")
    assert [line.newest.text for line in card.read(after["notes"])] == ["電話で予約", "常連"]
    assert set(people.search(staff, "090-9999-0001").persons) == {kept}
    asked = "SELECT actor, note, ref, ARRAY(SELECT p.person FROM vault.ledger_person p "
    asked += "WHERE p.entry = e.entry) FROM vault.ledger_entry e WHERE kind = 'merge'"
    wait_for(lambda: len(sql(vault, asked)) == 1)
    [(actor, note, ref, persons)] = sql(vault, asked)
    assert (actor, note, ref, set(persons)) == ("ren.salon", "merged", f"into:{kept}", {kept, double})


def test_undone_it_is_as_it_was(fresh_cast: Cast) -> None:
    """What was taken goes back, and what was written since for the other's bookings; again it is nothing."""
    kept, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    double = guest(kana="ヤマダ ハナコ", phone="090-9999-0002")
    first, second = told(fresh_cast, kept), told(fresh_cast, double)
    card.merge(staff, double, kept, ["name", "phone"])
    with pytest.raises(errors.MergeRefused):
        people.update(staff, double, {"phone": "090-1111-2222"})
    assert told(fresh_cast, kept)["name"] == "山田 ハナコ"
    card.write_line(staff, double, "notes", "line-late", "二人目の予約", booking=77)
    for _ in range(2):
        card.unmerge(staff, double, [77])
    assert told(fresh_cast, kept) == first
    notes = told(fresh_cast, double).pop("notes")
    assert {**told(fresh_cast, double), "notes": ""} == {**second, "notes": ""}
    assert [line.newest.text for line in card.read(notes)] == ["二人目の予約"]
    assert set(people.search(staff, "guest@example.jp").persons) == {double}
    assert card.merge_state(SALON, double).state == MergeState.UNDONE
    card.merge(staff, double, kept, [])
    assert card.merge_state(SALON, double).into == kept


def test_who_proved_her_address_loses_nothing_to_one_who_did_not(fresh_cast: Cast, mail: Sink) -> None:
    """A proved record goes into no unproved one, nor into one with another address; her mail is not taken."""
    kept, other, staff = fresh_cast.customers[0], fresh_cast.customers[1], fresh_cast.staff.grant
    enter(mail, customer(0)["mail"])
    double = guest(mail="someone@example.jp")
    cases: list[tuple[UUID, UUID, list[str], str]] = [
        (kept, double, [], "proved"),
        (double, kept, ["mail"], "proved_mail"),
        (kept, kept, [], "same"),
    ]
    for goes, stays, take, reason in cases:
        with pytest.raises(errors.MergeRefused) as refusal:
            card.merge(staff, goes, stays, take)
        assert refusal.value.facts["reason"] == reason
    enter(mail, customer(1)["mail"])
    assert card.compare(staff, other, kept).refused == "two_proved"
    with pytest.raises(errors.MergeRefused) as refusal:
        card.merge(staff, other, kept, [])
    assert refusal.value.facts["reason"] == "two_proved"
    with pytest.raises(errors.NoSuchPerson):
        card.merge(fresh_cast.outsider.grant, double, kept, [])
    card.merge(staff, double, kept, ["name"])
    for goes, stays, reason in (
        (kept, other, "has_others"),
        (guest(mail="x@example.jp"), double, "into_merged"),
    ):
        with pytest.raises(errors.MergeRefused) as refusal:
            card.merge(staff, goes, stays, [])
        assert refusal.value.facts["reason"] == reason


def test_she_reads_who_looked_at_either(fresh_cast: Cast, mail: Sink) -> None:
    """After the merge her list has the looks at both records; the other's account opens the other alone."""
    kept, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    double = guest(mail="second@example.jp")
    people.reveal(staff, Purpose.CUSTOMER, [double], ["phone", "mail"])
    card.merge(staff, double, kept, [])
    own = enter(mail, customer(0)["mail"])
    hers = seen(own)
    assert ("intent", "staff", "customer", ("mail", "phone"), "exposed") in hers
    assert [one[:2] for one in hers if one[0] == "merge"] == [("merge", "staff")]
    theirs = enter(mail, "second@example.jp")
    assert people.own_account(theirs).records == (double,)
    assert people.own_account(own).records == (kept,)
    with pytest.raises(errors.MergeRefused) as refusal:
        people.erase(SALON, double, "asked", grant=theirs)
    assert refusal.value.facts["reason"] == "joined_away"


def test_erasing_either_erases_both(fresh_cast: Cast, vault: VaultProcess) -> None:
    """With either id all records go, by one entry; the certificate is of the one that stood."""
    kept, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    double, other = guest(), guest(mail="third@example.jp")
    card.merge(staff, double, kept, [])
    card.merge(staff, other, kept, [])
    certificate = people.erase(SALON, double, "asked")
    assert certificate.person == kept
    assert people.erase(SALON, kept, "asked").entries[0].index == certificate.entries[0].index
    for person in (kept, double, other):
        with pytest.raises(errors.NoSuchPerson):
            told(fresh_cast, person)
        assert sql(vault, "SELECT count(*) FROM keystore.person_key WHERE person = %s", person) == [(0,)]


def test_scope_knows_whose_either_id_is(fresh_cast: Cast) -> None:
    """Both ids lead to the pair, in its own shop only; the doctor finds nothing."""
    kept, staff = fresh_cast.customers[0], fresh_cast.staff.grant
    double = guest()
    card.merge(staff, double, kept, [])
    pairs = {str(double): str(kept)}
    for asked in (double, kept):
        assert card.same_persons([str(asked)]) == pairs
        assert card.same_persons([str(asked)], shop_id=SALON + 1) == {}
    assert card.merges(SALON)[double].into == kept
    assert [one for one in people.doctor() if not one.ok] == []


def test_who_went_into_another_leaves_in_no_list(fresh_cast: Cast) -> None:
    """An export counts and takes the one that stands, and not both."""
    kept, owner = fresh_cast.customers[0], fresh_cast.owner.grant

    def asked() -> int:
        transfer = people.ask_export(owner, reason="moving", words="移るため", fields=["name"])
        return next(one.persons for one in people.transfers(owner) if one.transfer == transfer)

    double = guest()
    before = asked()
    card.merge(fresh_cast.staff.grant, double, kept, [])
    assert asked() == before - 1
    card.unmerge(fresh_cast.staff.grant, double, [])
    assert asked() == before


def test_when_its_time_is_over_the_double_is_erased_and_still_leads_on(bench: Bench, mail: Sink) -> None:
    """Nobody parts them any more; its fields are gone, and its id leads to the other."""

    async def first(vault: Vault) -> tuple[str, str, Any]:
        grant, kept, double = await _pair(vault, mail)
        await ask(vault, "merge", grant=grant, person=double, into=kept)
        assert await vault.merging.settle_due() == 0
        return kept, double, grant

    kept, double, _ = bench.run(first)
    bench.clock += 31 * DAY_MS

    async def later(vault: Vault) -> None:
        assert await vault.merging.settle_due() == 1
        assert await vault.merging.settle_due() == 0
        state = await ask(vault, "merge_state", shop=SALON, person=double)
        assert (state["state"], state["into"]) == ("settled", kept)
        assert (await ask(vault, "same_persons", persons=[double]))["into"] == {double: kept}
        [left] = await vault.records._people.read(SALON, [kept, double], ["name"])
        assert left.person == kept
        certificate = await ask(vault, "erase", shop=SALON, person=double, reason="asked")
        assert certificate["person"] == kept
        assert all(one["ok"] for one in (await ask(vault, "doctor"))["findings"])

    bench.run(later)


async def _owner(vault: Vault, mail: Sink) -> str:
    invite, passkey = token_in(mail.messages[-1]), Passkey()
    options = (await ask(vault, "register_begin", invite=invite))["options"]
    done = await ask(
        vault,
        "register_finish",
        invite=invite,
        response=passkey.create(options),
        session="s",
        address="192.0.2.1",
    )
    return str(done["grant"])


async def _put(vault: Vault, number: int) -> str:
    fields = {"name": f"客{number}", "mail": f"{number}@example.jp"}
    person = (await ask(vault, "put", shop=SALON, key=f"k{number}", fields=fields))["person"]
    await ask(vault, "keep", shop=SALON, person=person)
    return str(person)


async def _pair(vault: Vault, mail: Sink) -> tuple[str, str, str]:
    """The owner's grant, and two customers."""
    kept, double = await _put(vault, 1), await _put(vault, 2)
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=[OWNER])
    return await _owner(vault, mail), kept, double


def test_parted_neither_keeps_anything_of_the_other(bench: Bench, mail: Sink) -> None:
    """What was kept so that it could be undone goes with the undoing, and no entry names it."""

    async def act(vault: Vault) -> None:
        grant, kept, double = await _pair(vault, mail)
        await ask(vault, "merge", grant=grant, person=double, into=kept, take=["name", "mail"])
        assert "客1" in await _before(vault, double)
        await ask(vault, "unmerge", grant=grant, person=double)
        assert await _before(vault, double) == ""
        told = {name for _, entry in vault.record.ledger.entries() for name in entry.fields}
        assert BEFORE not in told
        await ask(vault, "merge", grant=grant, person=double, into=kept)
        await ask(vault, "unmerge", grant=grant, person=double)
        assert await _before(vault, double) == ""

    bench.run(act)


async def _before(vault: Vault, person: str) -> str:
    people_ = vault.records._people
    [sealed] = await people_.read(SALON, [person], [BEFORE])
    opened = people_.open(SALON, sealed, [BEFORE])
    return opened[BEFORE].text if BEFORE in opened else ""


def test_those_who_are_held_keep_nobody_else_from_being_settled(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a hold keeps, the next ones' turn comes."""
    monkeypatch.setattr(merging, "_MOST", 1)

    async def act(vault: Vault) -> None:
        grant, kept, double = await _pair(vault, mail)
        held, free = sorted((double, await _put(vault, 3)))
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "hold", incident=incident, shop=SALON, days=366, persons=[held])
        for one in (held, free):
            await ask(vault, "merge", grant=grant, person=one, into=kept)
            bench.clock += 1
        bench.clock += 31 * DAY_MS
        assert await vault.merging.settle_due() == 1
        assert (await ask(vault, "merge_state", shop=SALON, person=free))["state"] == "settled"

    bench.run(act)


def test_who_is_joined_while_she_is_erased_is_not_left_behind(bench: Bench, mail: Sink) -> None:
    """Between the look for her other records and their locks one may come: then it is asked for anew."""

    async def act(vault: Vault) -> None:
        grant, kept, double = await _pair(vault, mail)
        together, joined = merges.together, list[dict[str, Any]]()

        async def late(*asked: Any) -> list[str]:
            found = await together(*asked)
            if not joined:
                joined.append(await ask(vault, "merge", grant=grant, person=double, into=kept))
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merges, "together", late)
            with pytest.raises(MergeRefused):
                await ask(vault, "erase", shop=SALON, person=kept, reason="asked")
        await ask(vault, "erase", shop=SALON, person=kept, reason="asked")
        assert await vault.records._people.read(SALON, [kept, double], ["name"]) == []

    bench.run(act)


def test_a_record_is_not_compared_with_itself(bench: Bench, mail: Sink) -> None:
    """It is refused for what it is, and nothing is on record of it."""

    async def act(vault: Vault) -> None:
        grant, kept, _ = await _pair(vault, mail)
        with pytest.raises(MergeRefused) as refusal:
            await ask(vault, "compare", grant=grant, person=kept, into=kept)
        assert refusal.value.facts["reason"] == "same"

    bench.run(act)
