"""Customers' accounts: ways in, whose records, and what nobody gets by writing another's address."""

import secrets
from uuid import UUID

import pyotp
import pytest

from noren import errors, people
from noren.people import Purpose
from noren_vault.errors import FreshSignInNeeded, GrantExpired
from noren_vault.freshness import FRESH_MS, OWN_FRESH_MS
from noren_vault.grants import CUSTOMER_IDLE_MS, CUSTOMER_LIFE_MS, LIFE_MS
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, Cast, customer, in_at_once, sql
from tests.vault.conftest import Bench, ask
from tests.vault.test_mydata import enter
from tests.vault.test_proofs import _codes

OWN = ["name", "kana", "mail", "phone"]
WORDS = "umbrella lemon tram forty"


def guest(mail: str, name: str = "客") -> UUID:
    """Somebody books as a guest with this address: a record of its own."""
    person = people.put(
        SALON, f"hold:{secrets.token_hex(8)}", {"name": name, "mail": mail, "phone": "03-1234-5678"}
    )
    people.keep(SALON, person)
    return person


def with_passkey(grant: str) -> Passkey:
    """Add a passkey under a grant."""
    passkey = Passkey()
    people.passkey_finish(grant, passkey.create(people.passkey_begin(grant)))
    return passkey


def by_passkey(passkey: Passkey, shop: int | None = SALON) -> people.SignedIn:
    """Sign in with it."""
    options = people.signin_begin()
    return people.signin_finish(options["challenge"], passkey.get(options), shop_id=shop)


def code_for(mail: Sink, address: str, grant: str) -> str:
    """Ask under a grant for a code to its own address, and read it there."""
    before = len(_codes(mail, address))
    people.own_address_begin(grant)
    wait_for(lambda: len(_codes(mail, address)) > before)
    return _codes(mail, address)[-1]


def a_minute_later(vault: VaultProcess) -> None:
    """Codes are paced by the vault's clock: let the last ones be of a while ago."""
    sql(vault, "UPDATE vault.code SET made_at = made_at - 60000")


def test_she_comes_in_by_passkey_and_sees_herself_alone(fresh_cast: Cast, mail: Sink) -> None:
    """A passkey that was added under a code's grant opens her own person in her shop, and nothing else."""
    cast, (me, other) = fresh_cast, fresh_cast.customers[:2]
    passkey = with_passkey(enter(mail, customer(0)["mail"]))
    signed = by_passkey(passkey)
    assert (signed.who.role, signed.who.shop_id, signed.who.memberships) == ("customer", SALON, ())
    assert people.reveal(signed.grant, Purpose.OWN, [me, other], OWN).persons == {me: customer(0)}
    for purpose in (Purpose.TODAY, Purpose.CUSTOMER, Purpose.SEARCH):
        with pytest.raises(errors.PurposeRefused):
            people.reveal(signed.grant, purpose, [other], ["name"])
    with pytest.raises(errors.GrantRefused):
        by_passkey(passkey, YOGA)
    for grant in (cast.owner.grant, cast.staff.grant):
        with pytest.raises(errors.GrantRefused):
            people.own_account(grant)


def test_her_device_lists_the_passkey_by_the_shop(fresh_cast: Cast, mail: Sink) -> None:
    """An id of hers is no name for a person to choose by; a member's own handle is."""
    options = people.passkey_begin(enter(mail, customer(0)["mail"]))
    assert options["user"]["name"] == "salon"
    assert people.passkey_begin(fresh_cast.staff.sign_in().grant)["user"]["name"] == "ren.salon"


def test_she_comes_in_by_password_beside_a_member_with_the_same_mail(fresh_cast: Cast, mail: Sink) -> None:
    """One mail, two accounts of two kinds; each password opens its own, and neither the other's."""
    address = "ren@staff.example.jp"
    me = guest(address)
    people.password_set(fresh_cast.staff.sign_in().grant, "the member's own long words")
    people.password_set(enter(mail, address), WORDS)
    signed = in_at_once(people.password_check(SALON, address, WORDS, customer=True))
    assert (signed.who.role, people.whoami(signed.grant).person) == ("customer", me)
    assert (
        in_at_once(people.password_check(SALON, address, "the member's own long words")).who.role == "staff"
    )
    for text, is_customer in ((WORDS, False), ("the member's own long words", True)):
        with pytest.raises(errors.PasswordRefused):
            people.password_check(SALON, address, text, customer=is_customer)


@pytest.mark.parametrize(
    ("password", "reason"),
    [("fourteen signs", "too_short"), ("passwordpassword", "common"), ("aaaaaaaaaaaaaaaaaaaa", "pattern")],
    ids=["short", "common", "pattern"],
)
def test_her_password_is_held_to_the_rules(cast: Cast, password: str, reason: str) -> None:
    """15 signs alone, nothing common: with the reason."""
    number = 10 + ["too_short", "common", "pattern"].index(reason)
    grant = enter(cast.mail, customer(number)["mail"])
    with pytest.raises(errors.BadPassword) as refusal:
        people.password_set(grant, password)
    assert refusal.value.facts["reason"] == reason
    assert refusal.value.facts["least"] == 15


def test_a_second_factor_is_asked_for_after_the_code_too(
    fresh_cast: Cast, mail: Sink, vault: VaultProcess
) -> None:
    """With one-time codes on, 8 signs do; neither the password nor a mailed code lets in alone."""
    address = customer(0)["mail"]
    grant = enter(mail, address)
    people.password_set(grant, WORDS)
    totp = pyotp.TOTP(people.totp_begin(grant).secret)
    people.totp_finish(grant, totp.now())
    people.password_set(grant, "kite-91x")
    codes = people.recovery_make(grant)
    before = len(_codes(mail, address))
    a_minute_later(vault)
    people.own_begin(SALON, address)
    wait_for(lambda: len(_codes(mail, address)) > before)
    asked = people.own_finish(SALON, address, _codes(mail, address)[-1], session="s")
    assert isinstance(asked, people.Second)
    signed, left = people.recovery_use(asked.ticket, codes[0], session="s")
    assert (signed.who.role, left) == ("customer", 9)
    second = people.password_check(SALON, address, "kite-91x", session="t", customer=True)
    assert isinstance(second, people.Second)
    assert people.recovery_use(second.ticket, codes[1], session="t")[0].who.role == "customer"
    assert fresh_cast


# -- which records are hers


def test_past_bookings_come_with_the_proof_and_not_before(
    fresh_cast: Cast, mail: Sink, vault: VaultProcess
) -> None:
    """A guest's records come together once the code came back; a changed address brings none until then."""
    mine, theirs = customer(0)["mail"], customer(1)["mail"]
    me, other = fresh_cast.customers[:2]
    before, after = guest(mine), guest(theirs)
    grant = enter(mail, mine)
    account = people.own_account(grant)
    assert account.person == me, "the oldest of the records that nobody proved"
    assert set(account.records) == {me, before}
    assert account.proved
    people.update(grant, me, {"mail": theirs})
    unproved = people.own_account(grant)
    assert set(unproved.records) == {me, before}, "what she had stays; what she only wrote brings nothing"
    assert not unproved.proved
    a_minute_later(vault)
    people.own_address_finish(grant, code_for(mail, theirs, grant))
    assert set(people.own_account(grant).records) == {me, before, other, after}
    assert people.reveal(grant, Purpose.OWN, [me], ["name"]).persons == {me: {"name": customer(0)["name"]}}
    with pytest.raises(errors.NoSuchPerson):
        people.reveal(grant, Purpose.OWN, [before, other, after], ["name"])


def test_an_address_that_staff_wrote_joins_nobody(fresh_cast: Cast, mail: Sink) -> None:
    """A record into which my address was written later is not mine until I prove it there."""
    other = fresh_cast.customers[1]
    people.update(fresh_cast.staff.grant, other, {"mail": customer(0)["mail"]})
    assert other not in people.own_account(enter(mail, customer(0)["mail"])).records


def test_nobody_lies_in_wait_at_anothers_address(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """Who writes another's address into an account has nothing of it: her code leads to her own record.

    And where there is none of her own, the waiting account loses every way in when she comes.
    """
    trap = enter(mail, customer(0)["mail"])
    passkey = with_passkey(trap)
    people.password_set(trap, WORDS)
    people.update(trap, fresh_cast.customers[0], {"mail": customer(1)["mail"]})
    a_minute_later(vault)
    hers = people.own_account(enter(mail, customer(1)["mail"]))
    assert hers.person == fresh_cast.customers[1]
    assert fresh_cast.customers[0] not in hers.records
    assert people.own_account(trap).records == (fresh_cast.customers[0],)
    people.update(trap, fresh_cast.customers[0], {"mail": "new.here@example.jp"})
    booked = people.own_account(enter(mail, "new.here@example.jp"))
    assert (booked.person, booked.passkeys, booked.password) == (fresh_cast.customers[0], 0, False)
    with pytest.raises(errors.GrantExpired):
        people.own_account(trap)
    with pytest.raises(errors.PasskeyRefused):
        by_passkey(passkey)
    for address in (customer(0)["mail"], "new.here@example.jp"):
        with pytest.raises(errors.PasswordRefused):
            people.password_check(SALON, address, WORDS, customer=True)


def test_one_proved_address_is_one_account(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """An address that another account has proved cannot be proved for a second one."""
    with_passkey(enter(mail, customer(1)["mail"]))
    grant = enter(mail, customer(0)["mail"])
    people.update(grant, fresh_cast.customers[0], {"mail": customer(1)["mail"]})
    a_minute_later(vault)
    with pytest.raises(errors.MailTaken):
        people.own_address_finish(grant, code_for(mail, customer(1)["mail"], grant))
    assert not people.own_account(grant).proved
    with pytest.raises(errors.MailUnproved):
        people.password_set(grant, WORDS)


def test_a_new_address_signs_in_once_it_is_proved(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """The password goes with the proved address: the old one until then, the new one from then on."""
    grant, new = enter(mail, customer(0)["mail"]), "moved@example.jp"
    people.password_set(grant, WORDS)
    people.update(grant, fresh_cast.customers[0], {"mail": new})
    assert people.password_check(SALON, customer(0)["mail"], WORDS, customer=True)
    a_minute_later(vault)
    people.own_address_finish(grant, code_for(mail, new, grant))
    assert people.password_check(SALON, new, WORDS, customer=True)
    with pytest.raises(errors.PasswordRefused):
        people.password_check(SALON, customer(0)["mail"], WORDS, customer=True)


def test_the_account_is_found_again_whatever_is_booked_beside(
    fresh_cast: Cast, mail: Sink, vault: VaultProcess
) -> None:
    """Later guests' records with her address never take the place of her person."""
    address = customer(0)["mail"]
    for _ in range(8):
        guest(address)
    person = people.own_account(enter(mail, address)).person
    assert person == fresh_cast.customers[0]
    newer = {guest(address) for _ in range(8)}
    a_minute_later(vault)
    again = people.own_account(enter(mail, address))
    assert again.person == person
    assert newer < set(again.records)


def test_she_lets_go_of_what_is_not_hers(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """Somebody mistyped her address: gone from her account for good, with the address and after it."""
    address, me = customer(0)["mail"], fresh_cast.customers[0]
    typo = guest(address)
    grant = enter(mail, address)
    people.own_let_go(grant, typo)
    assert people.own_account(grant).records == (me,)
    assert people.lookups(grant).records == 1
    for none in (typo, me, fresh_cast.customers[1]):
        with pytest.raises(errors.NoSuchPerson):
            people.own_let_go(grant, none)
    people.update(grant, me, {"phone": "03-9999-9999"})
    a_minute_later(vault)
    assert people.own_account(enter(mail, address)).records == (me,)


def test_reading_which_are_hers_makes_no_line(fresh_cast: Cast, mail: Sink) -> None:
    """It is on record as hers, and her list stays what others did."""
    grant = enter(mail, customer(0)["mail"])
    lines = len(people.lookups(grant).lines)
    for _ in range(3):
        people.own_account(grant)
    assert len(people.lookups(grant).lines) == lines
    assert fresh_cast


# -- changing, and the end


def test_a_word_to_the_shop_overwrites_nothing(fresh_cast: Cast, mail: Sink) -> None:
    """It stands under what the shop has noted, once, however often the form is sent; too much is refused."""
    me = fresh_cast.customers[0]
    people.update(fresh_cast.staff.grant, me, {"note": "アレルギー: ラテックス"})
    grant = enter(mail, customer(0)["mail"])
    for word in ("少し遅れます", "少し遅れます", "窓側で"):
        people.own_word(grant, word)
    told = people.reveal(fresh_cast.staff.grant, Purpose.CUSTOMER, [me], ["note"]).persons[me]
    assert told["note"] == "アレルギー: ラテックス\n少し遅れます\n窓側で"
    with pytest.raises(errors.BadField) as refusal:
        people.own_word(grant, "x" * 1_990)
    assert refusal.value.facts["reason"] == "too_long"
    with pytest.raises(errors.PurposeRefused):
        people.reveal(grant, Purpose.OWN, [me], ["note"])


def test_an_ended_account_lets_nobody_in(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """Passkey, password and every sign-in end; person and records stay, and a code still shows them."""
    address, me = customer(0)["mail"], fresh_cast.customers[0]
    grant = enter(mail, address)
    passkey = with_passkey(grant)
    people.password_set(grant, WORDS)
    elsewhere = by_passkey(passkey).grant
    people.own_end(grant)
    for ended in (grant, elsewhere):
        with pytest.raises(errors.GrantExpired):
            people.own_account(ended)
    with pytest.raises(errors.PasskeyRefused):
        by_passkey(passkey)
    with pytest.raises(errors.PasswordRefused):
        people.password_check(SALON, address, WORDS, customer=True)
    a_minute_later(vault)
    account = people.own_account(enter(mail, address))
    assert (account.person, account.passkeys, account.password) == (me, 0, False)


def test_erasing_her_takes_the_account_along(fresh_cast: Cast, mail: Sink, vault: VaultProcess) -> None:
    """Nothing is left to sign in with, nor what was said of records."""
    me, address = fresh_cast.customers[0], customer(0)["mail"]
    typo, grant = guest(address), enter(mail, address)
    passkey = with_passkey(grant)
    people.own_let_go(grant, typo)
    people.erase(SALON, me, "asked", grant=fresh_cast.owner.grant)
    with pytest.raises(errors.GrantRefused):
        people.own_account(grant)
    with pytest.raises(errors.PasskeyRefused):
        by_passkey(passkey)
    assert sql(vault, "SELECT count(*) FROM vault.account_record") == [(0,)]
    assert sql(
        vault,
        "SELECT count(*) FROM vault.passkey y JOIN vault.actor a USING (actor) WHERE a.kind = 'customer'",
    ) == [(0,)]


@pytest.mark.parametrize(
    ("method", "within", "more"),
    [
        ("passkey_begin", FRESH_MS, {}),
        ("password_set", FRESH_MS, {"password": WORDS}),
        ("own_end", FRESH_MS, {}),
        ("erase", FRESH_MS, {"shop": SALON, "reason": "asked"}),
        ("update", OWN_FRESH_MS, {"fields": {"phone": "03-1111-2222"}}),
    ],
    ids=["passkey", "password", "end", "erase", "update"],
)
def test_what_is_hers_is_changed_only_just_after_signing_in(
    bench: Bench, mail: Sink, method: str, within: int, more: dict[str, object]
) -> None:
    """A cookie that lies about for days shows her bookings, and changes nothing."""

    async def act(vault: Vault) -> None:
        done = await ask(vault, "import", shop=SALON, rows=[{"key": "c", "fields": customer(0)}])
        person, address = done["persons"]["c"], customer(0)["mail"]
        await ask(vault, "own_begin", shop=SALON, mail=address)
        await vault.proofs.stop()
        code = _codes(mail, address)[-1]
        grant = (await ask(vault, "own_finish", shop=SALON, mail=address, code=code))["grant"]
        start = bench.clock
        bench.clock = start + within
        with pytest.raises(FreshSignInNeeded):
            await ask(vault, method, grant=grant, person=person, **more)
        bench.clock = start + within - 1
        await ask(vault, method, grant=grant, person=person, **more)

    bench.run(act)


def test_her_sign_in_lasts_longer_than_a_members(bench: Bench, mail: Sink) -> None:
    """30 days, and seven of them idle at most."""

    async def act(vault: Vault) -> None:
        await ask(vault, "import", shop=SALON, rows=[{"key": "c", "fields": customer(0)}])
        address, day = customer(0)["mail"], 24 * 3_600_000
        await ask(vault, "own_begin", shop=SALON, mail=address)
        await vault.proofs.stop()
        code = _codes(mail, address)[-1]
        signed = await ask(vault, "own_finish", shop=SALON, mail=address, code=code)
        start = bench.clock
        assert signed["expires"] == (start + CUSTOMER_LIFE_MS) / 1000
        for days in (0.6, 6, 12, 18, 24, 29.9):
            bench.clock = int(start + days * day)
            await ask(vault, "own_account", grant=signed["grant"])
        bench.clock = start + CUSTOMER_LIFE_MS
        with pytest.raises(GrantExpired):
            await ask(vault, "own_account", grant=signed["grant"])
        assert 7 * day == CUSTOMER_IDLE_MS
        assert LIFE_MS < CUSTOMER_IDLE_MS

    bench.run(act)


def test_her_list_holds_a_sign_in_that_was_not_used_for_hours(bench: Bench, mail: Sink) -> None:
    """Which lasts as long as the grant does: a session that would still open is one she can end."""

    async def act(vault: Vault) -> None:
        await ask(vault, "import", shop=SALON, rows=[{"key": "c", "fields": customer(0)}])
        address, grants = customer(0)["mail"], []
        for _ in range(2):
            await ask(vault, "own_begin", shop=SALON, mail=address)
            await vault.proofs.stop()
            code = _codes(mail, address)[-1]
            grants.append((await ask(vault, "own_finish", shop=SALON, mail=address, code=code))["grant"])
            bench.clock += 5 * 3_600_000
        listed = (await ask(vault, "security", grant=grants[1]))["sessions"]
        assert [one["this"] for one in listed] == [True, False]
        assert await ask(vault, "sessions_end", grant=grants[1], which="one", id=listed[1]["id"]) == {
            "ended": 1
        }
        with pytest.raises(GrantExpired):
            await ask(vault, "own_account", grant=grants[0])

    bench.run(act)
