"""Defence of sign-in at the real vault: who is asked for what, who gets through, what the owner is told."""

import asyncio
import re
import secrets
from collections.abc import Coroutine
from typing import Any

import psycopg
import pyotp
import pytest

from noren import errors, people
from noren_vault import levels, puzzles
from noren_vault.errors import (
    ChallengeNeeded,
    CodeRefused,
    PasskeyRequired,
    PasswordRefused,
    TooManyTries,
)
from noren_vault.hashing import argon2id
from noren_vault.puzzles import Puzzles, solve
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.tallies import LONG_MS, SHORT_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, Cast
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import rows

FEW_BITS = 4
Wire = dict[str, Any]


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puzzles of a few bits, in the vaults of this process."""
    made = Puzzles.__init__

    def with_few(self: Puzzles, now: Any) -> None:
        made(self, now, least=FEW_BITS)

    monkeypatch.setattr(Puzzles, "__init__", with_few)


def browser() -> str:
    """A browser's own secret."""
    return secrets.token_urlsafe(32)


async def wrong(vault: Vault, handle: str = "aoi", password: str = OTHER, **more: Any) -> None:
    """A try that is looked at and refused."""
    with pytest.raises(PasswordRefused):
        await check(vault, handle, password, **more)


async def challenged(act: Coroutine[Any, Any, Wire]) -> Wire:
    """What a try is asked for."""
    with pytest.raises(ChallengeNeeded) as caught:
        await act
    return dict(caught.value.facts)


async def attack(vault: Vault, handle: str = "aoi", tries: int = levels.ACCOUNT.short) -> None:
    """Wrong passwords, each from another address, with whatever puzzle is asked for solved."""
    proof = ""
    for number in range(tries):
        visit = {"address": f"2001:db8:{number:x}::1", "password": f"{number} wrong words"}
        try:
            await check(vault, handle, proof=proof, **visit)
        except PasswordRefused:
            proof = ""
        except ChallengeNeeded as asked:
            proof = solve(asked.facts["challenge"], asked.facts["bits"])
            with pytest.raises(PasswordRefused):
                await check(vault, handle, proof=proof, **visit)


def signs(vault: Vault) -> list[tuple[str, str]]:
    return [(one.actor, one.note) for _, one in vault.record.ledger.entries() if one.kind == "sign"]


def body(mail: Sink, subject: str, address: str = "aoi@staff.example.jp") -> list[str]:
    """The texts of the letters to her whose subject has this in it."""
    found = [
        one.get_body(("plain",))
        for one in mail.messages
        if one["To"] == address and subject in one["Subject"]
    ]
    return [one.get_content() for one in found if one is not None]


# -- nobody locks another person out


def test_it_locks_nobody_out_while_her_account_is_attacked(bench: Bench, mail: Sink) -> None:
    """Attacked past every bound: her own browser is asked nothing; a stranger solves, and reads her mail."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        own = {"known": browser(), "address": "192.0.2.1"}
        await check(vault, "aoi", **own)
        await attack(vault, tries=levels.MOST_IN_A_ROW + 5)
        facts = await challenged(check(vault, "aoi", address="198.51.100.7"))
        assert facts["wait"] == 0
        assert (await check(vault, "aoi", **own))["grant"]
        await wrong(vault, **own)
        assert (await check(vault, "aoi", **own))["grant"]
        answer = await check(
            vault, "aoi", address="198.51.100.7", proof=solve(facts["challenge"], facts["bits"])
        )
        assert answer["way"] == "mail"
        await vault.defence.letters.stop()
        found = re.search(r"Your code to sign in is (\d{6})", body(mail, "Your code to sign in")[-1])
        assert found is not None
        assert (await ask(vault, "mailed_check", second=answer["second"], code=found[1]))["role"] == "owner"

    bench.run(act)


def test_it_lets_a_passkey_in_whatever_is_tried_on_passwords(cast: Cast) -> None:
    """From the very address and browser from which passwords are guessed, past their bound."""
    place = {"address": "203.0.113.9", "device": "guess/1.0"}
    people.password_set(cast.owner.sign_in().grant, PASSWORD)
    asked = 0
    for number in range(levels.ADDRESS.short + 3):
        try:
            people.password_check(
                SALON, f"nobody{number % 5}@example.jp", f"{number} words", customer=False, **place
            )
        except errors.NorenError as refusal:
            asked += refusal.code == "challenge_needed"
    assert asked == 3
    assert cast.owner.sign_in(**place).who.actor.handle == "aoi.salon"


def test_it_holds_her_own_browser_to_bounds_of_its_own(bench: Bench, mail: Sink) -> None:
    """One that was stolen guesses ten times in ten minutes, then is a stranger; another's is one at once."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        own = browser()
        await check(vault, "aoi", known=own)
        for number in range(levels.OWN.short):
            await wrong(vault, password=f"{number} wrong words", known=own)
        for number in range(levels.ACCOUNT.short):
            await wrong(vault, password=f"{number} other words", known=own)
        await challenged(check(vault, "aoi", known=own))
        for number in range(levels.ACCOUNT.short):
            await wrong(vault, "mei", password=f"{number} wrong words", known=own)
        await challenged(check(vault, "mei", known=own))

    bench.run(act)


# -- what is counted


def test_it_asks_a_stranger_after_some_wrong_ones(bench: Bench, mail: Sink) -> None:
    """Of one account, there or not; told apart by nothing; tries at once do not get past it."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        asked = []
        for handle in ("aoi", "nobody"):
            for number in range(levels.ACCOUNT.short):
                await wrong(vault, handle, f"{number} words of {handle}")
            asked.append(await challenged(check(vault, handle)))
        assert {(one["bits"], one["wait"], len(one["challenge"])) for one in asked} == {(FEW_BITS, 30, 58)}
        bench.clock += SHORT_MS
        assert (await check(vault, "aoi"))["grant"]

    bench.run(act)


def test_it_counts_before_it_looks(bench: Bench, mail: Sink) -> None:
    """Forty tries at the same moment: no more than the bound are looked at."""

    async def act(vault: Vault) -> list[type]:
        await joined(vault, mail, "aoi")
        tries = (check(vault, "aoi", f"{number} at once") for number in range(40))
        return [type(one) for one in await asyncio.gather(*tries, return_exceptions=True)]

    done = bench.run(act)
    assert done.count(ChallengeNeeded) == 40 - levels.ACCOUNT.short


@pytest.mark.parametrize(
    ("places", "bound"),
    [
        pytest.param(lambda _: "192.0.2.77", levels.ADDRESS.short, id="address"),
        pytest.param(lambda number: f"192.0.2.{number}", levels.NETWORK.short, id="network"),
        pytest.param(lambda number: f"2001:db8:5:{number:x}::9", levels.NETWORK.short, id="network6"),
        pytest.param(lambda number: f"::ffff:192.0.2.{number}", levels.NETWORK.short, id="mapped"),
    ],
)
def test_it_counts_by_address_and_network(bench: Bench, mail: Sink, places: Any, bound: int) -> None:
    """Many accounts from one place: asked from the bound on; from elsewhere nobody is."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        unhashed(vault)
        for number in range(bound):
            await wrong(vault, f"somebody{number}", f"{number} words", address=places(number))
        facts = await challenged(check(vault, "aoi", address=places(7)))
        assert facts["bits"] == FEW_BITS
        hashed(vault)
        assert (await check(vault, "aoi", address="198.51.100.1"))["grant"]

    bench.run(act)


def test_it_counts_by_browser_and_by_everybody(bench: Bench, mail: Sink) -> None:
    """From everywhere at once: who says the same of himself is asked, then all strangers; it is on record."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        own = {"known": browser()}
        await check(vault, "aoi", **own)
        unhashed(vault)
        for number in range(levels.EVERYBODY.short):
            place = {"address": f"2001:db8:{number:x}::1", "device": "stuffing/2.0"}
            await wrong(vault, f"somebody{number}", f"{number} words", customer=False, **place)
        asked = await challenged(check(vault, "aoi", device="Firefox/140.0"))
        assert ("vault", "attack") in signs(vault)
        hashed(vault)
        solved = solve(asked["challenge"], asked["bits"])
        assert (await check(vault, "aoi", device="Firefox/140.0", proof=solved))["way"] == "mail"
        assert (await check(vault, "aoi", **own))["grant"]
        bench.clock += SHORT_MS
        assert (await check(vault, "aoi", device="Firefox/140.0"))["grant"]

    bench.run(act)


def test_it_counts_by_password(bench: Bench, mail: Sink) -> None:
    """One password on many accounts from everywhere: asked for that password, not for another."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        unhashed(vault)
        for number in range(levels.SPRAYED):
            await wrong(vault, f"somebody{number}", OTHER, address=f"2001:db8:{number:x}::1")
        await challenged(check(vault, "aoi", OTHER))
        await wrong(vault, "aoi", "something else entirely")
        with psycopg.connect(bench.configured.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM vault.defence").fetchone() == (0,)
        await vault.defence.keep()

    bench.run(act)

    async def after(vault: Vault) -> None:
        await wrong(vault, "aoi", OTHER)

    bench.run(after)


def unhashed(vault: Vault) -> None:
    """Let the hash cost nothing, and be nobody's: what is counted is looked at here."""
    _hashing(vault)._work = lambda *_: bytes(32)


def hashed(vault: Vault) -> None:
    _hashing(vault)._work = argon2id


def _hashing(vault: Vault) -> Any:
    act: Any = vault.methods._methods["password_check"]
    return act.args[0].__self__._acts._passwords._hashing


# -- challenges


def test_it_takes_a_proof_once_and_for_its_account_only(bench: Bench, mail: Sink) -> None:
    """Another account's, a used one, an old one, a wrong number, half a one: asked anew."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        await attack(vault)
        await attack(vault, "mei")
        asked = await challenged(check(vault, "aoi"))
        solved = solve(asked["challenge"], asked["bits"])
        number = int(solved.partition(":")[2])
        unsolved = next(
            f"{asked['challenge']}:{one}"
            for one in range(number + 1, number + 1000)
            if puzzles.zero_bits(f"{asked['challenge']}:{one}") < asked["bits"]
        )
        for bad in (unsolved, "x", ":", asked["challenge"], f"{solved}x", f"{asked['challenge']}:-1", "é:1"):
            await challenged(check(vault, "aoi", proof=bad))
        await challenged(check(vault, "mei", proof=solved))
        assert (await check(vault, "aoi", proof=solved))["grant"]
        await challenged(check(vault, "aoi", proof=solved))
        asked = await challenged(check(vault, "aoi"))
        old = solve(asked["challenge"], asked["bits"])
        bench.clock += puzzles.LIFE_MS
        await attack(vault)
        await challenged(check(vault, "aoi", proof=old))

    bench.run(act)


def test_it_lets_who_has_no_scripts_wait(bench: Bench, mail: Sink) -> None:
    """Half a minute at first, then longer; once, and not many side by side; not after a hundred in a row."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await attack(vault)
        asked = [await challenged(check(vault, "aoi", address=f"198.51.{one}.7")) for one in range(3)]
        bench.clock += 29_999
        await challenged(check(vault, "aoi", proof=f"{asked[0]['challenge']}:"))
        bench.clock += 1
        assert (await check(vault, "aoi", proof=f"{asked[0]['challenge']}:"))["grant"]
        for one in asked:
            await challenged(check(vault, "aoi", proof=f"{one['challenge']}:"))
        await attack(vault, tries=3 * levels.ACCOUNT.short)
        assert (await challenged(check(vault, "aoi")))["wait"] == 120
        await attack(vault, tries=levels.MOST_IN_A_ROW)
        closed = await challenged(check(vault, "aoi"))
        bench.clock += 3_600_000
        await challenged(check(vault, "aoi", proof=f"{closed['challenge']}:"))

    bench.run(act)


def test_it_makes_puzzles_harder_and_waits_longer(bench: Bench, mail: Sink) -> None:
    """Each doubling of the wrong ones is a bit, and a wait twice as long, up to their ends."""

    async def act(vault: Vault) -> list[tuple[int, int]]:
        await joined(vault, mail, "aoi")
        seen = []
        for more in (8, 8, 16, 32, 64):
            await attack(vault, tries=more)
            asked = await challenged(check(vault, "aoi"))
            seen.append((asked["bits"] - FEW_BITS, asked["wait"]))
        return seen

    assert bench.run(act) == [(0, 30), (1, 60), (2, 120), (3, 240), (4, 0)]


# -- what the owner is told


def test_it_tells_the_owner_of_a_right_password_from_a_new_device(bench: Bench, mail: Sink) -> None:
    """After wrong ones, once; named in known words; nothing without wrong ones, or from her own browser."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        own = browser()
        await check(vault, "aoi", known=own, device="Mozilla/5.0 (X11; Linux) Firefox/140.0")
        assert not signs(vault)
        for number in range(levels.TELLING_WRONG):
            await wrong(vault, password=f"{number} wrong words")
        await check(vault, "aoi", known=own)
        assert not signs(vault)
        for _ in range(2):
            await check(vault, "aoi", device="evil <b>{name}</b> Windows NT 10.0 Chrome/1", session="theirs")
        await vault.defence.letters.stop()
        assert signs(vault) == [("aoi.salon", "new_device")]
        [letter] = body(mail, "new device")
        assert "Chrome / Windows" in letter
        assert "evil" not in letter
        assert "/settings/security" in letter

    bench.run(act)


def test_it_mails_once_of_a_sign_in_by_a_recovery_code(bench: Bench, mail: Sink) -> None:
    """On a new device after wrong passwords: the sign is on record, and the mail of the code tells her."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        phone = pyotp.TOTP((await ask(vault, "totp_begin", grant=signed["grant"]))["secret"])
        code = phone.generate_otp(bench.clock // 30_000)
        await ask(vault, "totp_finish", grant=signed["grant"], code=code)
        codes = (await ask(vault, "recovery_make", grant=signed["grant"]))["codes"]
        for number in range(levels.TELLING_WRONG):
            await wrong(vault, password=f"{number} wrong words")
        second = (await check(vault, "aoi"))["second"]
        assert (await ask(vault, "recovery_use", second=second, code=codes[0]))["grant"]
        await vault.defence.letters.stop()
        await vault.alerts._after.settle()
        assert signs(vault) == [("aoi.salon", "new_device")]
        assert not body(mail, "new device")
        assert len(body(mail, "A recovery code was used")) == 1

    bench.run(act)


def test_it_makes_a_stranger_wait_between_wrong_codes_and_tells_the_owner(bench: Bench, mail: Sink) -> None:
    """After a right password: five wrong codes, then waits that grow; her own browser never waits."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        begun = await ask(vault, "totp_begin", grant=signed["grant"])
        phone = pyotp.TOTP(begun["secret"])

        def code() -> str:
            return phone.generate_otp(bench.clock // 30_000)

        def no_code() -> str:
            near = {phone.generate_otp(bench.clock // 30_000 + one) for one in range(-2, 3)}
            return next(f"{one:06d}" for one in range(10) if f"{one:06d}" not in near)

        await ask(vault, "totp_finish", grant=signed["grant"], code=code())
        bench.clock += 60_000
        own, ticket = {"known": browser()}, (await check(vault, "aoi"))["second"]
        await ask(vault, "totp_check", second=ticket, code=code(), **own)
        theirs = (await check(vault, "aoi"))["second"]
        for number in range(levels.FREE_SECONDS):
            assert bool(signs(vault)) == (number >= levels.TELLING_SECONDS)
            with pytest.raises(CodeRefused):
                await ask(vault, "totp_check", second=theirs, code=no_code())
        waits = []
        for _ in range(3):
            with pytest.raises(TooManyTries) as caught:
                await ask(vault, "totp_check", second=theirs, code=code())
            waits.append(caught.value.facts["wait"])
            bench.clock += waits[-1] * 1000
            theirs = (await check(vault, "aoi"))["second"]
            with pytest.raises(CodeRefused):
                await ask(vault, "totp_check", second=theirs, code=no_code())
        assert waits == [30, 60, 120]
        assert signs(vault) == [("aoi.salon", "second_factor")]
        bench.clock += 1000
        again = (await check(vault, "aoi"))["second"]
        assert (await ask(vault, "totp_check", second=again, code=code(), **own))["grant"]
        await vault.defence.letters.stop()
        assert len(body(mail, "Right password, wrong codes")) == 1

    bench.run(act)


def test_it_takes_a_mailed_code_five_times_at_most(bench: Bench, mail: Sink) -> None:
    """Wrong ones are refused and on record; after five the right one is, too, as is another session's."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await attack(vault, tries=levels.ACCOUNT_CODE.short)

        async def ticket() -> tuple[str, str]:
            asked = await challenged(check(vault, "aoi"))
            proof = solve(asked["challenge"], asked["bits"])
            answer = await check(vault, "aoi", proof=proof, session="mine")
            await vault.defence.letters.stop()
            found = re.search(r"Your code to sign in is (\d{6})", body(mail, "Your code to sign in")[-1])
            assert found is not None
            return answer["second"], found[1]

        second, code = await ticket()
        bad = f"{(int(code) + 1) % 10**6:06d}"
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await ask(vault, "mailed_check", second=second, code=bad, session="mine")
        with pytest.raises(CodeRefused):
            await ask(vault, "mailed_check", second=second, code=code, session="mine")
        second, code = await ticket()
        with pytest.raises(CodeRefused):
            await ask(vault, "mailed_check", second=second, code=code, session="theirs")
        assert (await ask(vault, "mailed_check", second=second, code=code, session="mine"))["grant"]
        with pytest.raises(CodeRefused):
            await ask(vault, "mailed_check", second=second, code=code, session="mine")
        notes = [one.note for _, one in vault.record.ledger.entries() if one.kind in ("refused", "signin")]
        assert notes[-9:] == ["mailed_code", *["mailed"] * 6, "mailed_code", "password_mailed"]

    bench.run(act)


def test_it_mails_the_code_where_the_account_signs_in(bench: Bench, mail: Sink) -> None:
    """Never to what somebody wrote into its person's field."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi", "mei")
        rows(
            bench,
            "UPDATE vault.actor SET person = (SELECT person FROM vault.actor WHERE handle = 'mei.salon') "
            "WHERE handle = 'aoi.salon'",
        )
        await attack(vault, tries=levels.ACCOUNT_CODE.short)
        asked = await challenged(check(vault, "aoi"))
        answer = await check(vault, "aoi", proof=solve(asked["challenge"], asked["bits"]))
        assert answer["way"] == "mail"
        await vault.defence.letters.stop()
        assert len(body(mail, "Your code to sign in")) == 1
        assert not body(mail, "Your code to sign in", "mei@staff.example.jp")

    bench.run(act)


def test_it_mails_one_thing_to_who_needs_a_passkey(bench: Bench, mail: Sink) -> None:
    """The link of a passkey, and no code beside it; asked for meanwhile, a right code does not get past."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")

        async def right() -> Wire:
            asked = await challenged(check(vault, "mei"))
            return await check(vault, "mei", proof=solve(asked["challenge"], asked["bits"]))

        await attack(vault, "mei", tries=levels.ACCOUNT_CODE.short)
        answer = await right()
        await vault.defence.letters.stop()
        [letter] = body(mail, "Your code to sign in", "mei@staff.example.jp")
        found = re.search(r"Your code to sign in is (\d{6})", letter)
        assert found is not None
        await ask(vault, "require_passkeys", grant=aoi["grant"], roles=["owner"])
        with pytest.raises(PasskeyRequired):
            await ask(vault, "mailed_check", second=answer["second"], code=found[1])
        with pytest.raises(PasskeyRequired):
            await right()
        await vault.defence.letters.stop()
        assert len(body(mail, "Your code to sign in", "mei@staff.example.jp")) == 1

    bench.run(act)


# -- codes by mail


def test_it_asks_who_has_many_codes_mailed(bench: Bench, mail: Sink) -> None:
    """Twenty mails asked for from one address, or twenty wrong codes: then a puzzle; elsewhere nothing."""

    async def act(vault: Vault) -> None:
        for number in range(levels.ADDRESS.short):
            await ask(vault, "own_begin", shop=SALON, mail=f"{number}@example.jp", address="192.0.2.5")
        asked = await challenged(
            ask(vault, "own_begin", shop=SALON, mail="a@example.jp", address="192.0.2.5")
        )
        proof = solve(asked["challenge"], asked["bits"])
        await ask(vault, "own_begin", shop=SALON, mail="a@example.jp", address="192.0.2.5", proof=proof)
        await ask(vault, "own_begin", shop=SALON, mail="a@example.jp", address="192.0.3.5")
        for number in range(levels.ADDRESS.short):
            with pytest.raises(CodeRefused):
                await ask(
                    vault,
                    "own_finish",
                    shop=SALON,
                    mail="a@example.jp",
                    code=f"{number:06d}",
                    address="192.0.4.5",
                )
        await challenged(
            ask(vault, "own_finish", shop=SALON, mail="b@example.jp", code="1", address="192.0.4.5")
        )

    bench.run(act)


# -- a restart, and what is kept


def test_it_gives_nobody_new_tries_by_a_restart(bench: Bench, mail: Sink) -> None:
    """What was counted is there again, sealed meanwhile, after a change of keys, too; a day later not."""

    async def first(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await attack(vault, tries=levels.ACCOUNT.long)
        bench.clock += SHORT_MS

    async def again(vault: Vault) -> None:
        await challenged(check(vault, "aoi"))
        await vault.keeping.rotation.begin(What.EPOCH, Path("admin"))
        await vault.keeping.rotation.work()

    async def last(vault: Vault) -> None:
        await challenged(check(vault, "aoi"))
        bench.clock += LONG_MS
        assert (await check(vault, "aoi"))["grant"]

    bench.run(first)
    with psycopg.connect(bench.configured.database_url) as connection:
        row = connection.execute("SELECT sealed FROM vault.defence").fetchone()
        assert row is not None
        assert b"account" not in bytes(row[0])
    bench.run(again)
    bench.run(last)


def test_it_knows_twenty_browsers_of_an_account(bench: Bench, mail: Sink) -> None:
    """The oldest is forgotten; none is stored in a form that a browser could send; erased with the person."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        owns = []
        for _ in range(22):
            bench.clock += 1000
            owns.append(browser())
            await check(vault, "aoi", known=owns[-1])
        await check(vault, "aoi", known="not a secret")
        with psycopg.connect(bench.configured.database_url) as connection:
            hashes = [bytes(row[0]) for row in connection.execute("SELECT hash FROM vault.known_device")]
        assert len(hashes) == 20
        assert not [one for one in owns if one.encode() in hashes]
        await attack(vault, tries=levels.ACCOUNT.short)
        await challenged(check(vault, "aoi", known=owns[0]))
        assert (await check(vault, "aoi", known=owns[2]))["grant"]

    bench.run(act)


def test_it_says_in_what_browser_a_passkey_was_used(cast: Cast) -> None:
    """A sign-in by passkey makes the browser known, too: wrong passwords of others hold nobody up there."""
    own = browser()
    people.password_set(cast.manager.sign_in().grant, PASSWORD)
    options = people.signin_begin()
    people.signin_finish(options["challenge"], cast.manager.passkey.get(options), known=own)
    for number in range(levels.ACCOUNT.short + 1):
        with pytest.raises(errors.NorenError):
            people.password_check(SALON, "mei@staff.example.jp", f"{number} wrong words")
    with pytest.raises(errors.ChallengeNeeded):
        people.password_check(SALON, "mei@staff.example.jp", PASSWORD)
    assert people.password_check(SALON, "mei@staff.example.jp", PASSWORD, known=own)
