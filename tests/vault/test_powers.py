"""Powers: lent by another operator, for a reason and a time, on record; nothing without one."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings

from noren import errors, people
from noren.people import Purpose, powers, wire
from noren.people.powers import Ask, under
from noren_vault.errors import GrantExpired, PowerOver
from noren_vault.grants import HOUR_MS
from noren_vault.ledger import Entry
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault import operators
from tests.vault.cast import SALON, YOGA, Cast, customer, customers, join, sql
from tests.vault.conftest import Bench, ask
from tests.vault.operators import WHY, Platform, agreed, broken, lend, lent, support, two

MINUTE = 60_000


@pytest.fixture
def platform(fresh_cast: Cast, vault: VaultProcess, mail: Sink) -> Platform:
    assert fresh_cast
    return operators.found(vault, mail)


def _record(vault: VaultProcess, power: str) -> list[tuple[str, str]]:
    people.doctor()  # waits until the index has caught up
    query = (
        "SELECT actor, note FROM vault.ledger_entry WHERE kind = 'power' AND split_part(ref, '/', 1) = %s "
        "ORDER BY entry"
    )
    return sql(vault, query, f"power:{power}")


def _one(grant: str, power: str) -> powers.Power:
    return next(one for one in powers.powers(grant).all if one.power == power)


def _names(grant: str, cast: Cast, purpose: Purpose = Purpose.SUPPORT, count: int = 2) -> people.Revealed:
    return people.reveal(grant, purpose, cast.customers[:count], ["name", "kana"])


def test_it_is_asked_for_agreed_to_entered_and_given_back(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess, mail: Sink
) -> None:
    """Nothing before, names under it, the power in the look's entry, nothing after; all of it on record."""
    first, second = platform.first, platform.second
    power = powers.ask_power(first.grant, support())
    with pytest.raises(errors.PowerOver):
        powers.enter_power(first.grant, power)
    with pytest.raises(errors.PowerOver):
        _names(under(first.grant, power), fresh_cast)
    agreed(second, power)
    with pytest.raises(errors.PowerNeeded):
        _names(under(first.grant, power), fresh_cast)  # lent, and not entered
    powers.enter_power(first.grant, power)
    powers.enter_power(first.grant, power)
    seen = _names(under(first.grant, power), fresh_cast)
    assert seen.persons[fresh_cast.customers[0]] == {"name": customer(0)["name"], "kana": customer(0)["kana"]}
    assert seen.budget.left == 20 - 2
    powers.end_power(first.grant, power)
    with pytest.raises(errors.PowerOver):
        _names(under(first.grant, power), fresh_cast)
    assert _record(vault, power) == [
        (first.handle, "asked:support_shop"),
        (second.handle, "approved:support_shop"),
        (first.handle, "entered"),
        (first.handle, "returned"),
    ]
    query = "SELECT ref, actor, shop_id FROM vault.ledger_entry WHERE purpose = 'support' AND kind = 'intent'"
    [(ref, actor, shop)] = sql(vault, query)
    assert (ref.partition("/")[2], actor, shop) == (f"power:{power}", first.handle, SALON)
    dump = str(sql(vault, "SELECT * FROM vault.power")) + str(sql(vault, "SELECT * FROM vault.ledger_entry"))
    assert WHY not in dump
    # The shop's owner reads why, and had a mail when it began.
    for shown in (_one(fresh_cast.owner.grant, power), _one(first.grant, power)):
        assert (shown.words, shown.state, shown.decider) == (WHY, "ended", second.handle)
    wait_for(lambda: bool(_letters(mail, "aoi@staff.example.jp", power)))
    [letter] = _letters(mail, "aoi@staff.example.jp", power)
    assert first.handle in letter
    assert WHY not in letter
    assert not _letters(mail, "mei@staff.example.jp", power)
    assert not _letters(mail, "kei@operators.example.jp", power)


def _letters(mail: Sink, to: str, power: str) -> list[str]:
    """The letters about a power: those that lead to where it stands."""
    found = [str(one.get_content()) for one in mail.messages if one["To"] == to]
    return [one for one in found if power in one]


def test_nobody_has_anything_by_standing(fresh_cast: Cast, platform: Platform) -> None:
    """Without a running power an operator sees, asks, rotates and ends nothing."""
    first, power = platform.first, "0" * 16
    for token in (first.grant, under(first.grant, power)):
        for purpose in Purpose:
            with pytest.raises((errors.GrantRefused, errors.PowerNeeded)):
                people.reveal(token, purpose, fresh_cast.customers[:1], ["name"])
        for act in (
            lambda grant: people.entries(grant, 0, 1),
            lambda grant: people.rotate_keys("data", grant=grant),
            lambda grant: people.end_grants("everybody", grant=grant),
            people.keys,
            powers.examine,
        ):
            with pytest.raises(errors.PowerNeeded):
                act(token)
    with pytest.raises(errors.PowerNeeded):
        wire.call(
            str(settings.VAULT_SOCKET),
            "open_investigation",
            {"grant": first.grant, "name": "x", "shop": SALON},
            seconds=10,
        )


def test_it_gives_what_it_is_for_and_nothing_else(fresh_cast: Cast, platform: Platform) -> None:
    """Support shows two fields of one shop; it opens no list, no search, no change, no other shop."""
    first, second = platform.first, platform.second
    other = customers(YOGA, 900, 1)
    token = under(first.grant, lent(first, second, support()))
    with pytest.raises(errors.PurposeRefused):
        people.reveal(token, Purpose.SUPPORT, fresh_cast.customers[:1], ["mail"])
    for purpose in set(Purpose) - {Purpose.SUPPORT}:
        with pytest.raises(errors.PurposeRefused):
            _names(token, fresh_cast, purpose)
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(token, Purpose.SUPPORT, other, ["name"])
    with pytest.raises(errors.PurposeRefused):
        people.search(token, "山田")
    for act in (
        people.members,
        people.transfers,
        people.shop_rights,
        people.lookups,
        people.naming,
        lambda grant: people.update(grant, fresh_cast.customers[0], {"name": "x"}),
        lambda grant: people.messages(grant, fresh_cast.customers[0]),
        lambda grant: people.password_set(grant, "a long enough password for this"),
        lambda grant: people.erase(SALON, fresh_cast.customers[0], "asked", grant=grant),
        lambda grant: people.ask_second(grant, reason="x", amount=1, minutes=1),
    ):
        with pytest.raises(errors.GrantRefused):
            act(token)
    # Another's power is nobody else's.
    with pytest.raises(errors.PowerNeeded):
        _names(under(second.grant, token.rpartition(".")[2]), fresh_cast)
    with pytest.raises(errors.NoSuchPower):
        powers.enter_power(second.grant, token.rpartition(".")[2])
    with pytest.raises(errors.GrantRefused):
        people.reveal(
            under(fresh_cast.owner.grant, token.rpartition(".")[2]),
            Purpose.SUPPORT,
            fresh_cast.customers[:1],
            ["name"],
        )


def test_it_holds_the_budget_of_an_operator(fresh_cast: Cast, platform: Platform) -> None:
    """Twenty new persons' names an hour, whichever power it is."""
    first, second = platform.first, platform.second
    power = lent(first, second, support())
    people.reveal(under(first.grant, power), Purpose.SUPPORT, fresh_cast.customers[:20], ["name"])
    powers.end_power(first.grant, power)
    power = lent(first, second, support())
    with pytest.raises(errors.StepUpNeeded):
        people.reveal(under(first.grant, power), Purpose.SUPPORT, fresh_cast.customers[20:21], ["name"])


def test_it_is_in_one_shop_at_a_time(platform: Platform) -> None:
    """A second power over a shop is refused while one runs: when asked for, and when both wait, agreed to."""
    first, second = platform.first, platform.second
    salon = powers.ask_power(first.grant, support())
    yoga = powers.ask_power(first.grant, support(shop=YOGA, what="read_incident"))
    agreed(second, salon)
    with pytest.raises(errors.OneShopAtATime):
        agreed(second, yoga)
    with pytest.raises(errors.OneShopAtATime):
        powers.ask_power(first.grant, support(shop=YOGA))
    with pytest.raises(errors.OneShopAtATime):
        broken(first, support(5, YOGA))
    lent(first, second, Ask(what="rotate_keys", words=WHY, minutes=5))
    powers.end_power(first.grant, salon)
    agreed(second, yoga)


def test_another_operator_agrees_and_nobody_else(fresh_cast: Cast, platform: Platform) -> None:
    """Not who asked, no auditor or owner; a passkey's answer is good for one ask; who declines ends it."""
    first, second = platform.first, platform.second
    power, other = (powers.ask_power(first.grant, support()) for _ in range(2))
    for grant in (first.grant, platform.auditor.grant, fresh_cast.owner.grant):
        with pytest.raises(errors.GrantRefused):
            powers.lend_begin(grant, power)
        with pytest.raises(errors.GrantRefused):
            powers.decline_power(grant, power)
    for options in (powers.lend_begin(second.grant, other), people.signin_begin()):
        with pytest.raises(errors.PasskeyRefused):
            powers.lend_finish(second.grant, power, second.passkey.get(options))
    with pytest.raises(errors.PasskeyRefused):
        powers.lend_finish(second.grant, power, first.passkey.get(powers.lend_begin(second.grant, power)))
    powers.decline_power(second.grant, power)
    with pytest.raises(errors.PowerOver):
        powers.lend_begin(second.grant, power)
    powers.end_power(first.grant, other)
    assert _one(first.grant, other).state == "withdrawn"
    with pytest.raises(errors.PowerOver):
        powers.lend_begin(second.grant, other)


def test_it_lends_nothing_to_who_has_one_passkey(fresh_cast: Cast, vault: VaultProcess) -> None:
    """She is led to add another before anything is lent, by broken glass neither."""
    assert fresh_cast
    only = join(people.invite_operator())
    assert powers.powers(only.grant).passkeys == 1
    for act in (
        lambda: powers.ask_power(only.grant, support()),
        lambda: powers.glass_begin(only.grant, support(5)),
    ):
        with pytest.raises(errors.SecondPasskeyNeeded):
            act()
    operators.second_passkey(vault.database_url, only.handle)
    assert powers.ask_power(only.grant, support())


@pytest.mark.parametrize(
    "asked",
    [
        {"minutes": 61},
        {"minutes": 0},
        {"words": " "},
        {"words": "x" * 301},
        {"shop": 0},
        {"shop": 77},
        {"what": "all"},
        {"what": "invite_auditor", "about": "eve", "mail": "eve@example.jp", "days": 91},
        {"what": "invite_operator", "about": "Eve X", "mail": "eve@example.jp"},
        {"what": "end_member", "about": "ren.salon"},
    ],
    ids=str,
)
def test_it_refuses_what_no_page_asks(platform: Platform, asked: dict[str, Any]) -> None:
    """Too long, without a reason, of no shop, of no kind: nothing of it is asked of anybody."""
    given = {"grant": platform.first.grant, "what": "support_shop", "shop": SALON, "words": WHY, "minutes": 5}
    with pytest.raises(RuntimeError, match="BadRequest"):
        wire.call(str(settings.VAULT_SOCKET), "ask_power", given | asked, seconds=10)


def test_of_two_answers_at_once_one_comes_second(platform: Platform, vault: VaultProcess) -> None:
    """Both had begun when it waited: it is lent once, and its time begins once."""
    second = platform.second
    power = powers.ask_power(platform.first.grant, support())
    answers = [second.passkey.get(powers.lend_begin(second.grant, power)) for _ in range(6)]

    def finish(answer: dict[str, Any]) -> str:
        try:
            powers.lend_finish(second.grant, power, answer)
        except errors.PowerOver:
            return "over"
        return "lent"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(finish, answers)) == ["lent", *["over"] * 5]
    assert [note for _, note in _record(vault, power)].count("approved:support_shop") == 1


def test_of_two_powers_over_shops_at_once_one_is_lent(platform: Platform) -> None:
    """Two asks of one operator, agreed to in the same moment."""
    second = platform.second
    both = [powers.ask_power(platform.first.grant, support(shop=shop)) for shop in (SALON, YOGA)]
    answers = [(one, second.passkey.get(powers.lend_begin(second.grant, one))) for one in both]

    def finish(one: tuple[str, dict[str, Any]]) -> str:
        try:
            powers.lend_finish(second.grant, *one)
        except errors.OneShopAtATime:
            return "refused"
        return "lent"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(finish, answers)) == ["lent", "refused"]


def test_any_operator_and_the_shops_owner_may_end_it(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess
) -> None:
    """Not its staff, not another shop's owner."""
    first, second, third = platform.first, platform.second, fresh_cast.outsider
    for ender, by in ((second, second.handle), (fresh_cast.owner, "aoi.salon")):
        power = lent(first, second, support())
        for nobody in (fresh_cast.staff, fresh_cast.manager, third, platform.auditor):
            with pytest.raises(errors.NoSuchPower):
                powers.end_power(nobody.grant, power)
        powers.end_power(ender.grant, power)
        with pytest.raises(errors.PowerOver):
            _names(under(first.grant, power), fresh_cast)
        assert _record(vault, power)[-1] == (by, "ended")
        with pytest.raises(errors.PowerOver):
            powers.end_power(ender.grant, power)
    with pytest.raises(errors.GrantRefused):
        powers.powers(fresh_cast.staff.grant)
    assert powers.powers(third.grant).all == ()


def test_it_survives_a_kill_and_still_ends(fresh_cast: Cast, platform: Platform, vault: VaultProcess) -> None:
    """Killed in the middle: the power runs on after the start, its budget is what it was, an end ends it."""
    first, second = platform.first, platform.second
    waits = powers.ask_power(second.grant, support())
    power = lent(first, second, support())
    _names(under(first.grant, power), fresh_cast)
    vault.kill()
    vault.start()
    seen = _names(under(first.grant, power), fresh_cast, count=3)
    assert seen.budget == people.Budget(3, 17)
    agreed(first, waits)
    vault.kill()
    vault.start()
    powers.end_power(second.grant, power)
    with pytest.raises(errors.PowerOver):
        _names(under(first.grant, power), fresh_cast)


def test_it_rotates_and_shuts_out_under_its_power(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess
) -> None:
    """In the operator's own name; the one power is not the other."""
    first, second = platform.first, platform.second
    keys = under(first.grant, lent(first, second, Ask(what="rotate_keys", words=WHY, minutes=5)))
    assert people.rotate_keys("data", grant=keys)
    assert people.keys(keys).keys
    with pytest.raises(errors.PowerNeeded):
        people.end_grants("shop", SALON, grant=keys)
    with pytest.raises(errors.GrantRefused):
        _names(keys, fresh_cast)
    ending = under(first.grant, lent(first, second, Ask(what="end_grants", words=WHY, minutes=5)))
    assert people.end_grants("shop", SALON, grant=ending) == 3
    with pytest.raises(errors.GrantExpired):
        people.whoami(fresh_cast.owner.grant)
    people.doctor()
    query = "SELECT kind, actor FROM vault.ledger_entry WHERE note IN ('rotation_begin', 'ended')"
    assert set(sql(vault, query)) == {("key", first.handle), ("signout", first.handle)}


def test_it_reads_an_incident(fresh_cast: Cast, platform: Platform) -> None:
    """Contacts, for the purpose `incident`; an investigation of that shop, and of no other."""
    first, second = platform.first, platform.second
    token = under(first.grant, lent(first, second, support(what="read_incident")))
    seen = people.reveal(token, Purpose.INCIDENT, fresh_cast.customers[:1], ["name", "mail", "phone"])
    assert seen.persons[fresh_cast.customers[0]]["mail"] == customer(0)["mail"]
    for shop, refused in ((YOGA, True), (0, True), (SALON, False)):
        asked = {"grant": token, "name": f"leak-{shop}", "shop": shop}
        if refused:
            with pytest.raises(errors.PowerNeeded):
                wire.call(str(settings.VAULT_SOCKET), "open_investigation", asked, seconds=10)
        else:
            wire.call(str(settings.VAULT_SOCKET), "open_investigation", asked, seconds=10)


def test_the_customer_is_told_and_an_incidents_looks_once_it_is_closed(
    fresh_cast: Cast, platform: Platform, mail: Sink
) -> None:
    """Support at once, by role; what an investigation withholds, after it; what it was for, each time."""
    first, second, me = platform.first, platform.second, fresh_cast.customers[:1]
    support_of = lent(first, second, support())
    people.reveal(under(first.grant, support_of), Purpose.SUPPORT, me, ["name"])
    powers.end_power(first.grant, support_of)
    token = under(first.grant, lent(first, second, support(what="read_incident")))
    asked = {"grant": token, "name": "leak-1", "shop": SALON}
    wire.call(str(settings.VAULT_SOCKET), "open_investigation", asked, seconds=10)
    people.reveal(token, Purpose.INCIDENT, me, ["name", "mail"])
    people.own_begin(SALON, customer(0)["mail"])
    wait_for(lambda: bool(_codes(mail)))
    entered = people.own_finish(SALON, customer(0)["mail"], _codes(mail)[-1])
    assert isinstance(entered, people.SignedIn)
    grant = entered.grant
    told = [
        (one.role, one.purpose, one.late) for one in people.lookups(grant).lines if one.role == "operator"
    ]
    assert told == [("operator", "support", False)]
    wire.call(str(settings.VAULT_SOCKET), "close_investigation", asked, seconds=10)
    told = [
        (one.role, one.purpose, one.late) for one in people.lookups(grant).lines if one.role == "operator"
    ]
    assert told == [("operator", "incident", True), ("operator", "support", False)]


def _codes(mail: Sink) -> list[str]:
    mine = [str(one.get_content()) for one in mail.messages if one["To"] == customer(0)["mail"]]
    return [found[1] for one in mine if (found := re.search(r"Your code is (\d{6})", one))]


# -- breaking the glass


def test_broken_glass_is_written_first_rings_everybody_and_waits_for_a_word(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess, mail: Sink
) -> None:
    """Shorter, for a passkey's answer to this very ask; doctor alarms until another operator has spoken."""
    first, second = platform.first, platform.second
    with pytest.raises(RuntimeError, match="BadRequest"):
        powers.glass_begin(first.grant, support(16))
    answer = first.passkey.get(powers.glass_begin(first.grant, support(15)))
    with pytest.raises(errors.PasskeyRefused):
        powers.break_glass(first.grant, support(14), answer)
    before = len(mail.messages)
    power = broken(first, support(15))
    powers.enter_power(first.grant, power)
    assert _names(under(first.grant, power), fresh_cast).persons
    told = (
        "aoi@staff.example.jp",
        "first@operators.example.jp",
        "kei@operators.example.jp",
        "audit@auditors.example.jp",
    )
    wait_for(lambda: {one["To"] for one in mail.messages[before:]} == set(told))
    assert _record(vault, power)[:2] == [(first.handle, "glass:support_shop"), (first.handle, "entered")]
    alarm = {one.check: one for one in people.doctor()}["break-glass"]
    assert (alarm.ok, alarm.detail) == (False, "2 not reviewed by another operator")
    for grant in (first.grant, platform.auditor.grant, fresh_cast.owner.grant):
        with pytest.raises(errors.GrantRefused):
            powers.review_power(grant, power, "よし")
    for one in powers.powers(second.grant).all:
        if one.glass:
            powers.review_power(second.grant, one.power, "夜間の障害。妥当と判断した")
    with pytest.raises(errors.PowerOver):
        powers.review_power(second.grant, power, "もう一度")
    assert {one.check: one for one in people.doctor()}["break-glass"].ok
    shown = _one(first.grant, power)
    assert (shown.reviewer, shown.review) == (second.handle, "夜間の障害。妥当と判断した")
    assert "妥当" not in str(sql(vault, "SELECT * FROM vault.power_review"))


def test_without_a_ledger_there_is_no_power_and_no_mail(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess, mail: Sink
) -> None:
    """Nothing that cannot be written down first: no glass, no lending, nobody rung."""
    assert fresh_cast
    first, second = platform.first, platform.second
    power = powers.ask_power(first.grant, support())
    agree = second.passkey.get(powers.lend_begin(second.grant, power))
    answer = first.passkey.get(powers.glass_begin(first.grant, support(5)))
    before = len(mail.messages)
    for path in (vault.ledger / "segments").iterdir():
        path.unlink()
    with pytest.raises(errors.LedgerUnavailable):
        powers.break_glass(first.grant, support(5), answer)
    with pytest.raises(errors.LedgerUnavailable):
        powers.lend_finish(second.grant, power, agree)
    with pytest.raises(errors.LedgerUnavailable):
        powers.ask_power(first.grant, support())
    assert sql(vault, "SELECT state FROM vault.power WHERE what = 'support_shop'") == [("asked",)]
    assert sql(vault, "SELECT 1 FROM vault.power_bell WHERE told_at IS NULL") == []
    assert len(mail.messages) == before


def test_a_bell_that_could_not_be_rung_rings_later(bench: Bench, mail: Sink) -> None:
    """The mail server is away when the power begins: who is to be told is told when it is there again."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        mail.refuse = "451 later"
        await lend(vault, first, second)
        await vault.powers.stop()
        before, mail.refuse = len(mail.messages), None
        for _ in range(2):
            await vault.powers.tidy()
            await vault.powers.stop()
            assert [one["To"] for one in mail.messages[before:]] == ["aoi@staff.example.jp"]

    bench.run(act)


# -- by the vault's clock


async def _shop(vault: Vault, bench: Bench, mail: Sink) -> tuple[operators.Operator, operators.Operator]:
    owner = {"handle": "aoi", "role": "owner", "staff": None, "name": "aoi", "mail": "aoi@staff.example.jp"}
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=[owner])
    return await two(vault, bench.configured.database_url, mail)


def _entries(vault: Vault, kind: str) -> list[Entry]:
    return [entry for _, entry in vault.record.ledger.entries() if entry.kind == kind]


async def _customers(vault: Vault, count: int) -> list[str]:
    rows = [{"key": f"c{number}", "fields": customer(number)} for number in range(count)]
    return list((await ask(vault, "import", shop=SALON, rows=rows))["persons"].values())


def test_it_ends_by_itself_by_the_vaults_clock(bench: Bench, mail: Sink) -> None:
    """To the minute, before anybody has written it down; then it is, once, and the next one may be lent."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        persons = await _customers(vault, 2)
        power = await lend(vault, first, second, minutes=10)
        look = {"grant": f"{first.grant}.{power}", "purpose": "support", "fields": ["name"]}
        bench.clock += 10 * MINUTE - 1
        assert (await ask(vault, "reveal", **look, persons=persons))["persons"]
        bench.clock += 1
        with pytest.raises(PowerOver):
            await ask(vault, "reveal", **look, persons=persons)
        told = (await ask(vault, "powers", grant=second.grant))["powers"]
        assert [one["state"] for one in told if one["power"] == power] == ["over"]
        await vault.powers.tidy()
        await vault.powers.tidy()
        notes = [(one.actor, one.note) for one in _entries(vault, "power") if one.ref == f"power:{power}"]
        assert notes[-2:] == [(first.handle, "entered"), ("vault", "over")]
        # Nobody has tidied since: the next ask does it itself.
        power = await lend(vault, first, second, minutes=1)
        bench.clock += MINUTE
        assert await lend(vault, first, second, minutes=1) != power

    bench.run(act)


def test_an_ask_waits_for_an_hour(bench: Bench, mail: Sink) -> None:
    """Later it is too late."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        wanted = {"what": "support_shop", "shop": SALON, "words": WHY, "minutes": 5}
        power = (await ask(vault, "ask_power", grant=first.grant, **wanted))["power"]
        for _ in range(5):
            bench.clock += 12 * MINUTE
            await ask(vault, "whoami", grant=second.grant)
        with pytest.raises(PowerOver):
            await ask(vault, "lend_begin", grant=second.grant, power=power)

    bench.run(act)


def test_it_is_an_operators_quarter_of_an_hour_and_half_a_day(bench: Bench, mail: Sink) -> None:
    """Idle 15 minutes, 12 hours at most, under a power too; her use of the power is use."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        persons = await _customers(vault, 1)
        power = await lend(vault, first, second, minutes=60)
        look = {"grant": f"{first.grant}.{power}", "purpose": "support", "fields": ["name"]}
        for _ in range(4):
            bench.clock += 14 * MINUTE
            await ask(vault, "reveal", **look, persons=persons)
        with pytest.raises(GrantExpired):
            await ask(vault, "whoami", grant=second.grant)
        start = bench.clock
        while bench.clock + 14 * MINUTE < start + 12 * HOUR_MS - 56 * MINUTE:
            bench.clock += 14 * MINUTE
            await ask(vault, "whoami", grant=first.grant)
        bench.clock = start + 12 * HOUR_MS - 56 * MINUTE
        with pytest.raises(GrantExpired):
            await ask(vault, "whoami", grant=first.grant)

    bench.run(act)


@pytest.mark.parametrize(("how", "most"), [("ended", 0), ("over", 5)])
def test_an_end_stops_a_list_within_one_person(bench: Bench, mail: Sink, how: str, most: int) -> None:
    """Ended, or its time over, while a list is opened: not one person more, and nothing is told."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        persons = await _customers(vault, 12)
        power = await lend(vault, first, second, minutes=10)
        look = {"grant": f"{first.grant}.{power}", "purpose": "support", "fields": ["name"]}
        opened: list[str] = []
        opener, write = vault.records._people.open, vault.record.write

        def opening(shop: int, sealed: Any, names: Any) -> Any:
            if sealed.person in persons:  # whom a mail goes to is opened as well
                opened.append(sealed.person)
                bench.clock += 2 * MINUTE if how == "over" else 0
            return opener(shop, sealed, names)

        async def write_then_end(kind: str, *args: Any, **kwargs: Any) -> int:
            entry = await write(kind, *args, **kwargs)
            if kind == "intent" and how == "ended":
                await ask(vault, "end_power", grant=second.grant, power=power)
            return entry

        vault.records._people.open = opening  # type: ignore[method-assign, assignment]
        vault.record.write = write_then_end  # type: ignore[method-assign]
        with pytest.raises(PowerOver):
            await ask(vault, "reveal", **look, persons=persons)
        assert len(opened) == most
        [look_at] = [index for index, one in vault.record.ledger.entries() if one.kind == "intent"]
        assert [one.note for one in _entries(vault, "outcome") if one.ref == str(look_at)] == ["failed"]

    bench.run(act)


def test_what_was_lent_by_who_is_ended_ends(bench: Bench, mail: Sink) -> None:
    """An operator's place ended by broken glass: her grants, what she was lent and what she agreed to."""

    async def act(vault: Vault) -> None:
        first, second = await _shop(vault, bench, mail)
        persons = await _customers(vault, 1)
        power = await lend(vault, first, second)
        wanted = {"grant": first.grant, "what": "end_member", "words": "退職", "about": second.handle}
        options = (await ask(vault, "glass_begin", **wanted))["options"]
        await ask(vault, "break_glass", **wanted, response=first.passkey.get(options))
        with pytest.raises(Exception, match=r"not there any more|ended"):
            await ask(vault, "whoami", grant=second.grant)
        look = {"grant": f"{first.grant}.{power}", "purpose": "support", "fields": ["name"]}
        with pytest.raises(PowerOver):
            await ask(vault, "reveal", **look, persons=persons)
        shown = json.dumps((await ask(vault, "platform_people", grant=first.grant))["people"])
        assert second.handle in shown

    bench.run(act)
