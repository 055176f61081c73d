"""Forced resets: whose grants and passwords end, how the mails go, and what a kill or a stop leaves."""

import re
import secrets
from typing import Any

import pytest

from noren_vault.errors import BadRequest, GrantExpired, NoSuchReset, ResetRequired
from noren_vault.forced import MOST_TRIES
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import check, joined
from tests.vault.authenticator import Passkey
from tests.vault.cast import YOGA, invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import NEW, bodies, known_to, notes, rows, settled, tokens

WORDS = "Please set a new one on the page above"


async def _yoga(vault: Vault, mail: Sink) -> dict[str, Any]:
    """Another shop's owner, with a password."""
    person = {"handle": "sora", "role": "owner", "staff": "sora", "name": "sora", "mail": "sora@yoga.jp"}
    await ask(vault, "found_shop", shop=YOGA, slug="yoga", members=[person])
    return await ask(
        vault, "password_set", invite=invitation_of(mail, "sora@yoga.jp"), password="a different sentence yet"
    )


async def _holds(vault: Vault, grant: str) -> bool:
    try:
        await ask(vault, "whoami", grant=grant)
    except GrantExpired:
        return False
    return True


async def _standing(vault: Vault) -> dict[str, Any]:
    [one] = (await ask(vault, "forced_resets"))["resets"]
    return dict(one)


def _told(mail: Sink, address: str) -> list[str]:
    return [body for body in bodies(mail, address) if WORDS in body]


@pytest.mark.parametrize("whose", ["everybody", "shop", "actor", "persons"])
def test_it_ends_whom_it_names_and_leads_them_through_a_reset(bench: Bench, mail: Sink, whose: str) -> None:
    """Their grants end at once, a right password brings a link, and with another one they are in."""

    async def act(vault: Vault) -> None:
        aoi, mei = await joined(vault, mail, "aoi", "mei")
        sora = await _yoga(vault, mail)
        [[person]] = rows(bench, "SELECT person::text FROM vault.actor WHERE handle = 'aoi.salon'")
        named: dict[str, Any] = {
            "everybody": {},
            "shop": {"name": 1},
            "actor": {"name": "aoi.salon"},
            "persons": {"persons": [person]},
        }
        for name in ("aoi", "mei"):
            await check(vault, name, known=secrets.token_urlsafe(32))
        ended = {"everybody": {"aoi", "mei", "sora"}, "shop": {"aoi", "mei"}}.get(whose, {"aoi"})
        weight = await ask(vault, "forced_weigh", whose=whose, **named[whose])
        assert await _holds(vault, aoi["grant"])
        begun = await ask(vault, "forced_begin", whose=whose, **named[whose])
        assert weight == {
            "accounts": begun["accounts"],
            "passwords": begun["passwords"],
            "living": begun["ended"],
        }
        assert begun["accounts"] == begun["passwords"] == len(ended)
        assert begun["ended"] == len(ended) + len(ended & {"aoi", "mei"})
        assert known_to(bench) == sorted(f"{one}.salon" for one in {"aoi", "mei"} - ended)
        grants = {"aoi": aoi, "mei": mei, "sora": sora}
        for name, signed in grants.items():
            assert await _holds(vault, signed["grant"]) == (name not in ended)
        with pytest.raises(ResetRequired):
            await check(vault, "aoi")
        assert (await _standing(vault))["set_anew"] == 0
        await settled(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[-1], password=NEW)
        assert await _holds(vault, (await check(vault, "aoi", NEW))["grant"])
        assert (await _standing(vault))["set_anew"] == 1

    bench.run(act)


def test_it_is_on_record_before_and_after(bench: Bench, mail: Sink) -> None:
    """Who has nobody to end is told so, and the record says that nothing came of it."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        begun = await ask(vault, "forced_begin", whose="shop", name=1)
        with pytest.raises(BadRequest):
            await ask(vault, "forced_begin", whose="actor", name="nobody.salon")
        entries = [entry for _, entry in vault.record.ledger.entries() if entry.note == "forced_reset"]
        assert [entry.ref.partition("/")[2] for entry in entries] == ["shop:1", "actor:nobody.salon"]
        assert entries[0].ref.startswith(f"reset:{begun['reset']}/")
        assert notes(vault, "outcome")[-2:] == ["done", "failed"]
        assert len(rows(bench, "SELECT 1 FROM vault.forced_reset")) == 1

    bench.run(act)


def test_it_leaves_a_passkey_as_it_is(bench: Bench, mail: Sink) -> None:
    """Her sessions end, and she signs in anew by it; nobody tells her to set a password she has not."""

    async def act(vault: Vault) -> None:
        [_] = await joined(vault, mail, "aoi")
        person = {"handle": "ren.salon", "role": "staff", "staff": "ren", "name": "ren", "mail": "ren@x.jp"}
        aoi = await check(vault, "aoi")
        await ask(vault, "add_member", grant=aoi["grant"], member=person)
        passkey, token = Passkey(), invitation_of(mail, "ren@x.jp")
        made = passkey.create((await ask(vault, "register_begin", invite=token))["options"])
        ren = await ask(vault, "register_finish", invite=token, response=made)
        begun = await ask(vault, "forced_begin", whose="shop", name=1)
        assert (begun["accounts"], begun["passwords"]) == (2, 1)
        assert not await _holds(vault, ren["grant"])
        options = (await ask(vault, "signin_begin"))["options"]
        answer = passkey.get(options)
        again = await ask(vault, "signin_finish", challenge=options["challenge"], response=answer)
        assert await _holds(vault, again["grant"])
        await vault.forced.mail(60)
        assert not _told(mail, "ren@x.jp")
        assert len(_told(mail, "aoi@staff.example.jp")) == 1

    bench.run(act)


def test_it_mails_at_its_pace_stops_and_goes_on_once_each(bench: Bench, mail: Sink) -> None:
    """Of five two are told in a minute; stopped, none; resumed after a restart, the others: each once."""
    names = ("aoi", "mei", "ren", "sora", "yui")

    async def begin(vault: Vault) -> str:
        await joined(vault, mail, *names)
        reset = str((await ask(vault, "forced_begin", whose="everybody", a_minute=2))["reset"])
        # Two a minute are two in sixty rounds of a second, not sixty.
        assert [await vault.forced.mail(1) for _ in range(60)].count(1) == 2
        await ask(vault, "forced_stop", reset=reset)
        assert await vault.forced.mail(60) == 0
        one = await _standing(vault)
        assert (one["told"], one["waiting"], one["stopped"]) == (2, 3, bench.clock)
        return reset

    async def go_on(vault: Vault, reset: str) -> None:
        assert await vault.forced.mail(60) == 0
        await ask(vault, "forced_resume", reset=reset)
        while await vault.forced.mail(60):
            pass
        one = await _standing(vault)
        assert (one["told"], one["waiting"], one["stopped"]) == (5, 0, None)

    reset = bench.run(begin)
    bench.run(lambda vault: go_on(vault, reset))
    for name in names:
        [body] = _told(mail, f"{name}@staff.example.jp")
        assert re.search(r"http://localhost:8000/password/forgot\?shop=salon\n", body)


def test_it_tells_nobody_twice_when_it_was_killed_behind_the_sending(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row still says `waiting`, the courier knows better."""

    async def begin(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await ask(vault, "forced_begin", whose="everybody")
        with monkeypatch.context() as patched:
            patched.setattr("noren_vault.forced._MOVE", "SELECT %s, %s, %s, %s")
            await vault.forced.mail(60)
        assert (await _standing(vault))["waiting"] == 1

    async def go_on(vault: Vault) -> None:
        await vault.forced.mail(60)
        assert (await _standing(vault))["told"] == 1

    bench.run(begin)
    bench.run(go_on)
    assert len(_told(mail, "aoi@staff.example.jp")) == 1


def test_it_tries_again_with_growing_waits_and_gives_up(bench: Bench, mail: Sink) -> None:
    """While the mail server takes nothing the account waits; after the last try it counts as not told."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await ask(vault, "forced_begin", whose="everybody")
        mail.refuse = "451 come back later"
        waits = []
        while (await _standing(vault))["waiting"]:
            assert await vault.forced.mail(60) == 1
            assert await vault.forced.mail(60) == 0
            [[due]] = rows(bench, "SELECT due_at FROM vault.forced_account")
            waits.append(due - bench.clock)
            bench.clock = max(bench.clock, due)
        assert waits[:-1] == [60_000 << number for number in range(MOST_TRIES - 1)]
        assert (await _standing(vault))["failed"] == 1

    bench.run(act)


def test_it_spares_who_has_set_another_password(bench: Bench, mail: Sink) -> None:
    """Nobody is told to do what is done."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        await ask(vault, "forced_begin", whose="everybody")
        with pytest.raises(ResetRequired):
            await check(vault, "aoi")
        await settled(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[-1], password=NEW)
        await vault.forced.mail(60)
        one = await _standing(vault)
        assert (one["waiting"], one["told"], one["set_anew"]) == (0, 0, 1)
        assert not _told(mail, "aoi@staff.example.jp")

    bench.run(act)


def test_it_knows_what_it_is_asked(bench: Bench, mail: Sink) -> None:
    """Another id, another word, a pace of nothing: refused, and nothing has happened."""

    async def act(vault: Vault) -> None:
        [aoi] = await joined(vault, mail, "aoi")
        for method in ("forced_stop", "forced_resume"):
            with pytest.raises(NoSuchReset):
                await ask(vault, method, reset="0123456789abcdef")
        wrong: list[dict[str, Any]] = [
            {"whose": "all"},
            {"whose": "persons", "persons": []},
            {"whose": "actor", "name": "a b"},
            {"whose": "everybody", "a_minute": 0},
        ]
        for asked in wrong:
            with pytest.raises(BadRequest):
                await ask(vault, "forced_begin", **asked)
        assert await _holds(vault, aoi["grant"])

    bench.run(act)
