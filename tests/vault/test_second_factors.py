"""Second factors: one-time codes against RFC 6238's vectors, each used once; recovery codes, each once."""

import asyncio
import base64
import secrets
from typing import Any

import psycopg
import pyotp
import pytest

from noren import errors, people
from noren_vault.errors import BadPassword, CodeRefused, NoSecondFactor, PasswordRefused, TooManyTries
from noren_vault.second_factors import MOST_FAILURES, RECOVERY_CODES, step_of
from noren_vault.tickets import LIFE_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, Cast
from tests.vault.conftest import Bench, ask

# RFC 6238, appendix B, SHA-1: seconds since the epoch and the code, of which the last six digits are ours.
RFC_SEED = b"12345678901234567890"
RFC = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), RFC)
def test_it_takes_the_codes_of_the_rfc(seconds: int, code: str) -> None:
    """Each published code holds in its own step and the two beside it, and in no other."""
    now, step = seconds * 1000, seconds // 30
    for shift in (-30_000, 0, 30_000) if step > 1 else (0, 30_000):
        assert step_of(RFC_SEED, code[2:], now + shift, 0) == step
    for shift in (-60_000, 60_000) if step > 2 else (60_000,):
        assert step_of(RFC_SEED, code[2:], now + shift, 0) is None
    assert step_of(RFC_SEED, code[2:], now, step) is None


@pytest.mark.parametrize("typed", ["287 082", "２８７０８２", " 287082 "])
def test_it_takes_a_code_however_it_is_typed(typed: str) -> None:
    """Blanks and full-width digits are the same code; other signs are none."""
    assert step_of(RFC_SEED, typed, 59_000, 0) == 1
    assert step_of(RFC_SEED, "28708x", 59_000, 0) is None
    assert step_of(RFC_SEED, "\udc80", 59_000, 0) is None
    assert step_of(RFC_SEED, "", 59_000, 0) is None


class Phone:
    """An authenticator app: the seed, and the bench's clock."""

    def __init__(self, bench: Bench, secret: str) -> None:
        self.bench = bench
        self.totp = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """The code of now, or so many steps from now."""
        return self.totp.generate_otp(self.bench.clock // 30_000 + steps)

    def wrong(self) -> str:
        """A code that holds in no step near now."""
        near = {self.code(steps) for steps in range(-2, 3)}
        return next(f"{one:06d}" for one in range(10) if f"{one:06d}" not in near)


async def _on(vault: Vault, bench: Bench, mail: Sink) -> tuple[dict[str, Any], Phone]:
    """Aoi, with one-time codes on; the step of the first is used."""
    [signed] = await joined(vault, mail, "aoi")
    begun = await ask(vault, "totp_begin", grant=signed["grant"])
    phone = Phone(bench, begun["secret"])
    await ask(vault, "totp_finish", grant=signed["grant"], code=phone.code())
    return signed, phone


def _notes(vault: Vault) -> list[tuple[str, str]]:
    kinds = ("register", "refused", "signin")
    return [(entry.kind, entry.note) for _, entry in vault.record.ledger.entries() if entry.kind in kinds]


def test_it_asks_for_a_code_and_takes_each_once(bench: Bench, mail: Sink) -> None:
    """After the password a ticket, then the code, once; nor does the one that turned codes on hold again."""

    async def act(vault: Vault) -> list[tuple[str, str]]:
        signed, phone = await _on(vault, bench, mail)
        answer = await check(vault, "aoi")
        assert list(answer) == ["second"]
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=answer["second"], code=phone.code())
        bench.clock += 30_000
        code = phone.code()
        done = await ask(vault, "totp_check", second=answer["second"], code=code)
        assert {**done, "grant": ""} == {**signed, "grant": "", "expires": done["expires"]}
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=(await check(vault, "aoi"))["second"], code=code)
        return _notes(vault)

    assert bench.run(act) == [
        ("register", "password"),
        ("signin", "password"),
        ("register", "totp_begun"),
        ("register", "totp"),
        ("refused", "second_factor"),
        ("refused", "totp"),
        ("signin", "password_totp"),
        ("refused", "second_factor"),
        ("refused", "totp"),
    ]


def test_it_takes_a_code_once_of_many_at_once(bench: Bench, mail: Sink) -> None:
    """The same right code twenty times at once, each with a ticket of its own: one grant."""

    async def act(vault: Vault) -> list[object]:
        _, phone = await _on(vault, bench, mail)
        bench.clock += 30_000
        tickets = [(await check(vault, "aoi"))["second"] for _ in range(20)]
        tries = (ask(vault, "totp_check", second=one, code=phone.code()) for one in tickets)
        return list(await asyncio.gather(*tries, return_exceptions=True))

    done = bench.run(act)
    assert [type(one) for one in done].count(dict) == 1
    assert {type(one) for one in done} <= {dict, CodeRefused, TooManyTries}


def test_it_uses_a_ticket_once_in_its_time_and_its_session(bench: Bench, mail: Sink) -> None:
    """A ticket of another session, an old, a used, a changed and an invented one open nothing."""

    async def act(vault: Vault) -> None:
        _, phone = await _on(vault, bench, mail)
        bench.clock += 30_000
        ticket = (await check(vault, "aoi", session="one"))["second"]
        raw = bytearray(base64.urlsafe_b64decode(ticket))
        raw[-10] ^= 1
        forged = base64.urlsafe_b64encode(bytes(raw)).decode()
        for second, session in ((ticket, "two"), (ticket, ""), (forged, "one"), ("x", "one"), ("ä", "one")):
            with pytest.raises(CodeRefused):
                await ask(vault, "totp_check", second=second, code=phone.code(), session=session)
        assert (await ask(vault, "totp_check", second=ticket, code=phone.code(), session="one"))["grant"]
        bench.clock += 30_000
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=ticket, code=phone.code(), session="one")
        late = (await check(vault, "aoi", session="one"))["second"]
        bench.clock += LIFE_MS
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=late, code=phone.code(), session="one")

    bench.run(act)


def test_it_stops_after_a_hundred_wrong_codes(bench: Bench, mail: Sink) -> None:
    """From her own browser, too: the next is refused though right; a recovery code begins anew."""

    async def act(vault: Vault) -> None:
        signed, phone = await _on(vault, bench, mail)
        codes = (await ask(vault, "recovery_make", grant=signed["grant"]))["codes"]
        bench.clock += 60_000
        own, first = {"known": secrets.token_urlsafe(32)}, (await check(vault, "aoi"))["second"]
        await ask(vault, "totp_check", second=first, code=phone.code(), **own)
        bench.clock += 60_000
        ticket, wrong = (await check(vault, "aoi"))["second"], phone.wrong()
        tries = (ask(vault, "totp_check", second=ticket, code=wrong, **own) for _ in range(MOST_FAILURES))
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(one) for one in done} == {CodeRefused}
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=ticket, code=phone.code(), **own)
        assert (await ask(vault, "recovery_use", second=ticket, code=codes[0]))["codes_left"] == 9
        again = (await check(vault, "aoi"))["second"]
        assert (await ask(vault, "totp_check", second=again, code=phone.code()))["grant"]

    bench.run(act)


def test_it_takes_each_recovery_code_once(bench: Bench, mail: Sink) -> None:
    """Ten codes of 120 bits, typed in capitals or with a 0 for an O; new ones end the old; none is stored."""

    async def act(vault: Vault) -> tuple[list[str], list[tuple[str, str]]]:
        signed, _ = await _on(vault, bench, mail)
        codes = (await ask(vault, "recovery_make", grant=signed["grant"]))["codes"]
        for number, code in enumerate(codes[:2]):
            ticket = (await check(vault, "aoi"))["second"]
            typed = code.upper().replace("O", "0").replace("I", "1").replace("-", " ")
            done = await ask(vault, "recovery_use", second=ticket, code=typed)
            assert (done["role"], done["codes_left"]) == ("owner", 9 - number)
            with pytest.raises(CodeRefused):
                await ask(vault, "recovery_use", second=(await check(vault, "aoi"))["second"], code=code)
        again = (await ask(vault, "recovery_make", grant=signed["grant"]))["codes"]
        assert not set(codes) & set(again)
        ticket = (await check(vault, "aoi"))["second"]
        with pytest.raises(CodeRefused):
            await ask(vault, "recovery_use", second=ticket, code=codes[5])
        assert await ask(vault, "recovery_use", second=ticket, code=again[5])
        return codes, _notes(vault)

    codes, notes = bench.run(act)
    assert (len(codes), len(set(codes)), {len(one.replace("-", "")) for one in codes}) == (
        RECOVERY_CODES,
        RECOVERY_CODES,
        {24},
    )
    assert notes.count(("register", "recovery_codes")) == 2
    assert ("signin", "password_recovery") in notes
    assert ("refused", "recovery") in notes


def test_it_keeps_the_seed_that_is_on_until_a_code_of_the_new_one_came(bench: Bench, mail: Sink) -> None:
    """A second seed that is begun changes nothing; finished, the first one's codes are over."""

    async def act(vault: Vault) -> None:
        signed, phone = await _on(vault, bench, mail)
        new = Phone(bench, (await ask(vault, "totp_begin", grant=signed["grant"]))["secret"])
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_finish", grant=signed["grant"], code=phone.code())
        bench.clock += 30_000
        ticket = (await check(vault, "aoi"))["second"]
        assert await ask(vault, "totp_check", second=ticket, code=phone.code())
        await ask(vault, "totp_finish", grant=signed["grant"], code=new.code())
        bench.clock += 30_000
        ticket = (await check(vault, "aoi"))["second"]
        with pytest.raises(CodeRefused):
            await ask(vault, "totp_check", second=ticket, code=phone.code())
        assert await ask(vault, "totp_check", second=ticket, code=new.code())

    bench.run(act)


def test_it_lets_a_short_password_stand_only_beside_a_code(bench: Bench, mail: Sink) -> None:
    """Eight signs are taken with one-time codes on; those cannot be turned off then, nor be lost unseen."""

    async def act(vault: Vault) -> None:
        signed, _ = await _on(vault, bench, mail)
        grant = signed["grant"]
        with pytest.raises(BadPassword) as refused:
            await ask(vault, "password_set", grant=grant, password="x1y2z3w", old=PASSWORD)
        assert refused.value.facts["least"] == 8
        await ask(vault, "password_set", grant=grant, password="x1y2z3w4", old=PASSWORD)
        assert "second" in await check(vault, "aoi", "x1y2z3w4")
        with pytest.raises(BadPassword):
            await ask(vault, "totp_end", grant=grant)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM vault.totp")
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi", "x1y2z3w4")
        assert _notes(vault)[-1] == ("refused", "second_factor_gone")

    bench.run(act)


def test_it_turns_codes_off_with_all_that_goes_with_them(bench: Bench, mail: Sink) -> None:
    """Off: no code is asked for, seed and recovery codes are destroyed, and none can be made."""

    async def act(vault: Vault) -> None:
        signed, _ = await _on(vault, bench, mail)
        await ask(vault, "recovery_make", grant=signed["grant"])
        await ask(vault, "totp_end", grant=signed["grant"])
        assert (await check(vault, "aoi"))["grant"]
        with pytest.raises(NoSecondFactor):
            await ask(vault, "recovery_make", grant=signed["grant"])
        with psycopg.connect(bench.configured.database_url) as connection:
            for table in ("totp", "recovery", "recovery_code"):
                assert connection.execute(f"SELECT count(*) FROM vault.{table}").fetchone() == (0,)  # noqa: S608

    bench.run(act)


def test_it_speaks_over_the_wire(cast: Cast) -> None:
    """The app side's functions: seed, turning on, ticket, recovery code, turning off."""
    grant = cast.staff.sign_in().grant
    people.password_set(grant, OTHER)
    seed = people.totp_begin(grant)
    assert seed.uri.startswith("otpauth://totp/Noren:ren.salon?secret=" + seed.secret)
    with pytest.raises(errors.CodeRefused):
        people.totp_finish(grant, "12345")
    people.totp_finish(grant, pyotp.TOTP(seed.secret).now())
    codes = people.recovery_make(grant)
    second = people.password_check(SALON, "ren@staff.example.jp", OTHER)
    assert isinstance(second, people.Second)
    with pytest.raises(errors.CodeRefused):
        people.totp_check(second.ticket, "12345")
    signed, left = people.recovery_use(second.ticket, codes[3])
    assert (signed.who.actor.handle, left) == ("ren.salon", 9)
    people.totp_end(signed.grant)
    assert isinstance(people.password_check(SALON, "ren@staff.example.jp", OTHER), people.SignedIn)
