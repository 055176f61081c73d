"""Everybody's own account: passkeys, sessions, events, and "this wasn't me"; the vault's clock is turned."""

import asyncio
import re
import secrets
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import psycopg
import pyotp
import pytest

from noren_vault import errors
from noren_vault.freshness import FRESH_MS, MOST_MISSES
from noren_vault.grants import IDLE_MS, LIFE_MS, OPERATOR_IDLE_MS
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, YOGA, invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import known_to

PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"
DESK = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"
DAY = 86_400_000


def _member(handle: str, role: str = "owner") -> dict[str, Any]:
    mail = f"{handle}@staff.example.jp"
    return {"handle": handle, "role": role, "staff": handle, "name": handle, "mail": mail}


async def _found(vault: Vault) -> None:
    members = [_member("aoi"), _member("ren", "staff")]
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=members)
    await ask(vault, "found_shop", shop=YOGA, slug="yoga", members=[_member("sora")])


async def _enrol(vault: Vault, token: str, *, session: str = "first", **visit: str) -> tuple[Passkey, str]:
    passkey = Passkey()
    answer = passkey.create((await ask(vault, "register_begin", invite=token))["options"])
    signed = await ask(vault, "register_finish", invite=token, response=answer, session=session, **visit)
    return passkey, str(signed["grant"])


async def _joined(vault: Vault, mail: Sink, handle: str, **visit: str) -> tuple[Passkey, str]:
    return await _enrol(vault, invitation_of(mail, f"{handle}@staff.example.jp"), **visit)


async def _enter(vault: Vault, passkey: Passkey, session: str, **visit: str) -> str:
    options = (await ask(vault, "signin_begin"))["options"]
    response = passkey.get(options)
    asked = {"challenge": options["challenge"], "response": response, "session": session}
    return str((await ask(vault, "signin_finish", **asked, **visit))["grant"])


async def _add(vault: Vault, grant: str, **more: Any) -> tuple[Passkey, str]:
    passkey = Passkey()
    options = (await ask(vault, "passkey_begin", grant=grant))["options"]
    answer = {**passkey.create(options), **more.pop("answer", {})}
    told = await ask(vault, "passkey_finish", grant=grant, response=answer, **more)
    return passkey, str(told["name"])


async def _confirm(vault: Vault, grant: str, passkey: Passkey) -> None:
    options = (await ask(vault, "confirm_begin", grant=grant))["options"]
    await ask(vault, "confirm_finish", grant=grant, response=passkey.get(options))


async def _see(vault: Vault, grant: str) -> dict[str, Any]:
    return await ask(vault, "security", grant=grant)


async def _holds(vault: Vault, grant: str) -> bool:
    try:
        await ask(vault, "whoami", grant=grant)
    except (errors.GrantExpired, errors.GrantRefused):
        return False
    return True


async def _mailed(mail: Sink, to: str, words: str) -> EmailMessage:
    """Wait for a mail to somebody with these words in its text."""
    while True:
        for message in mail.messages:
            body = message.get_body(("plain",))
            assert body is not None
            if message["To"] == to and words in body.get_content():
                return message
        await asyncio.sleep(0.02)


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


# -- passkeys


def test_it_shows_adds_names_and_removes_passkeys(bench: Bench, mail: Sink) -> None:
    """Each with its device, since when, last used; a new one signs in; a removed one does not any more."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        first, grant = await _joined(vault, mail, "ren", device=PHONE, address="203.0.113.7")
        bench.clock += 60_000
        second, name = await _add(
            vault,
            grant,
            label=" 金庫の鍵 ",
            device=DESK,
            answer={"authenticatorAttachment": "cross-platform"},
        )
        one, two = (await _see(vault, grant))["passkeys"]
        assert (one["label"], one["device"], one["this"], one["used"]) == ("", PHONE, True, None)
        assert (two["name"], two["label"], two["device"], two["attached"], two["this"]) == (
            name,
            "金庫の鍵",
            DESK,
            "cross-platform",
            False,
        )
        assert two["added"] == one["added"] + 60
        await ask(vault, "passkey_rename", grant=grant, name=name, label="key")
        bench.clock += 60_000
        other = await _enter(vault, second, "second")
        two = (await _see(vault, grant))["passkeys"][1]
        assert (two["label"], two["used"], two["synced"], two["flagged"]) == (
            "key",
            bench.clock / 1000,
            False,
            None,
        )
        # A counter that went back is flagged; the key still opens.
        second.count = 7
        await _enter(vault, second, "third")
        second.count = 3
        await _enter(vault, second, "fourth")
        assert (await _see(vault, grant))["passkeys"][1]["flagged"] == bench.clock / 1000
        await ask(vault, "passkey_remove", grant=grant, name=name)
        assert not await _holds(vault, other)
        assert await _holds(vault, grant)
        with pytest.raises(errors.PasskeyRefused):
            await _enter(vault, second, "fifth")
        assert [one["name"] for one in (await _see(vault, grant))["passkeys"]] == [one["name"]]
        assert await _enter(vault, first, "sixth")
        for words in ("A passkey was added", "A passkey was removed"):
            await _mailed(mail, "ren@staff.example.jp", words)

    bench.run(act)


def test_it_keeps_what_a_passkey_is_called_sealed(bench: Bench, mail: Sink) -> None:
    """A name may name a person: neither it nor the device is in the database or the ledger in clear."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, grant = await _joined(vault, mail, "ren", device=PHONE)
        await _add(vault, grant, label="takeshi no kagi", device=DESK)

    bench.run(act)
    told = repr(_rows(bench, "SELECT * FROM vault.passkey NATURAL LEFT JOIN vault.passkey_word"))
    sealed = [bytes(row[0]) for row in _rows(bench, "SELECT sealed FROM vault.passkey_word")]
    assert len(sealed) == 2
    assert "takeshi" not in told
    assert not any(b"takeshi" in one or b"Mozilla" in one for one in sealed)
    for file in (bench.configured.ledger / "segments").iterdir():
        assert b"takeshi" not in file.read_bytes()


def test_it_never_takes_the_last_way_in(bench: Bench, mail: Sink) -> None:
    """The only passkey stays; beside another one or a password it may go. Two at once: one of them goes."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, grant = await _joined(vault, mail, "ren")
        [first] = (await _see(vault, grant))["passkeys"]
        with pytest.raises(errors.LastWayIn):
            await ask(vault, "passkey_remove", grant=grant, name=first["name"])
        _, second = await _add(vault, grant)
        done = await asyncio.gather(
            *(ask(vault, "passkey_remove", grant=grant, name=name) for name in (first["name"], second)),
            return_exceptions=True,
        )
        assert [type(one) for one in done if isinstance(one, Exception)] in (
            [errors.LastWayIn],
            [errors.GrantExpired],
        )
        _, another = await _joined(vault, mail, "aoi")
        await ask(vault, "password_set", grant=another, password=PASSWORD)
        [only] = (await _see(vault, another))["passkeys"]
        await ask(vault, "passkey_remove", grant=another, name=only["name"])
        assert not await _holds(vault, another)
        assert await check(vault, "aoi")

    bench.run(act)


def test_it_keeps_two_passkeys_of_an_operator(bench: Bench) -> None:
    """One is too few and is said to be; of two none may go, of three one."""

    async def act(vault: Vault) -> None:
        token = (await ask(vault, "invite_operator", name="first"))["token"]
        _, grant = await _enrol(vault, token)
        told = await _see(vault, grant)
        assert (told["least"], len(told["passkeys"]), told["password"]) == (2, 1, None)
        names = [told["passkeys"][0]["name"]]
        names.append((await _add(vault, grant))[1])
        for name in names:
            with pytest.raises(errors.LastWayIn) as refused:
                await ask(vault, "passkey_remove", grant=grant, name=name)
            assert refused.value.facts == {"least": 2}
        _, third = await _add(vault, grant)
        await ask(vault, "passkey_remove", grant=grant, name=third)
        for method, more in (("password_set", {"password": PASSWORD}), ("totp_begin", {})):
            with pytest.raises(errors.GrantRefused):
                await ask(vault, method, grant=grant, **more)

    bench.run(act)


def test_it_changes_nothing_without_a_fresh_sign_in(bench: Bench, mail: Sink) -> None:
    """After five minutes adding and removing ask for her again; her own passkey does, another's does not."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, grant = await _joined(vault, mail, "ren")
        other, _ = await _joined(vault, mail, "aoi")
        _, name = await _add(vault, grant)
        bench.clock += FRESH_MS
        state = await ask(vault, "confirm_state", grant=grant)
        assert state == {"fresh": False, "fresh_passkey": False, "passkeys": True, "password": False}
        asked: list[tuple[str, dict[str, Any]]] = [
            ("passkey_begin", {}),
            ("passkey_remove", {"name": name}),
            ("password_set", {"password": PASSWORD}),
            ("totp_begin", {}),
            ("not_me", {"entry": 0}),
        ]
        for method, more in asked:
            with pytest.raises(errors.FreshSignInNeeded):
                await ask(vault, method, grant=grant, **more)
        with pytest.raises(errors.PasskeyRefused):
            await _confirm(vault, grant, other)
        await _confirm(vault, grant, passkey)
        await ask(vault, "password_set", grant=grant, password=PASSWORD)
        await ask(vault, "passkey_remove", grant=grant, name=name)

    bench.run(act)


def test_it_binds_a_new_passkey_to_the_grant_that_asked(bench: Bench, mail: Sink) -> None:
    """Options that were made for one sign-in enrol nothing for another, nor twice."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, grant = await _joined(vault, mail, "ren")
        _, another = await _joined(vault, mail, "aoi")
        again = await _enter(vault, passkey, "again")
        options = (await ask(vault, "passkey_begin", grant=grant))["options"]
        answer = Passkey().create(options)
        for other in (another, again):
            with pytest.raises(errors.PasskeyRefused):
                await ask(vault, "passkey_finish", grant=other, response=answer)
        await ask(vault, "passkey_finish", grant=grant, response=answer)
        with pytest.raises(errors.PasskeyRefused):
            await ask(vault, "passkey_finish", grant=grant, response=answer)
        assert len((await _see(vault, grant))["passkeys"]) == 2
        assert len((await _see(vault, another))["passkeys"]) == 1

    bench.run(act)


def test_a_sign_in_that_was_under_way_does_not_outlive_its_passkey(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed between the check of its answer and the grant: no grant is given."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, grant = await _joined(vault, mail, "ren")
        second, name = await _add(vault, grant)
        write = vault.record.write

        async def removed_then(kind: str, *args: Any, **named: Any) -> int:
            if kind == "signin":
                monkeypatch.setattr(vault.record, "write", write)
                await ask(vault, "passkey_remove", grant=grant, name=name)
            return await write(kind, *args, **named)

        monkeypatch.setattr(vault.record, "write", removed_then)
        with pytest.raises(errors.PasskeyRefused):
            await _enter(vault, second, "late")
        assert len((await _see(vault, grant))["sessions"]) == 1

    bench.run(act)


# -- the password, asked for again


def test_it_takes_the_old_password_or_a_fresh_passkey(bench: Bench, mail: Sink) -> None:
    """Signed in by password a moment ago is not enough; the old one is, and a wrong one is not."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        grant = signed["grant"]
        with pytest.raises(errors.FreshSignInNeeded):
            await ask(vault, "password_set", grant=grant, password=OTHER)
        with pytest.raises(errors.OwnPasswordRefused):
            await ask(vault, "password_set", grant=grant, password=OTHER, old=OTHER)
        await ask(vault, "password_set", grant=grant, password=OTHER, old=PASSWORD)
        assert await check(vault, "aoi", OTHER)
        await _mailed(mail, "aoi@staff.example.jp", "The password was changed")

    bench.run(act)


def test_it_ends_a_session_that_guesses_its_own_password(bench: Bench, mail: Sink) -> None:
    """Five wrong ones in a row end the session that tried, many at once as well, and no other.

    They are counted with what strangers try: a stranger is asked for a puzzle, her own browser is not.
    """

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        own = secrets.token_urlsafe(32)
        other = (await check(vault, "aoi", session="other", known=own))["grant"]
        grant = signed["grant"]
        for _ in range(MOST_MISSES - 1):
            with pytest.raises(errors.OwnPasswordRefused):
                await ask(vault, "confirm_password", grant=grant, password=OTHER)
        await ask(vault, "confirm_password", grant=grant, password=PASSWORD)
        tries = [ask(vault, "confirm_password", grant=grant, password=OTHER) for _ in range(12)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        refused = [one for one in done if isinstance(one, errors.OwnPasswordRefused)]
        assert len(refused) == MOST_MISSES - 1
        assert all(isinstance(one, errors.GrantExpired | errors.OwnPasswordRefused) for one in done)
        assert not await _holds(vault, grant)
        assert await _holds(vault, other)
        assert await check(vault, "aoi", known=own)
        with pytest.raises(errors.ChallengeNeeded):
            await check(vault, "aoi")

    bench.run(act)


# -- sessions


async def _nothing(_vault: Vault, _grants: dict[str, str]) -> None:
    return


async def _sign_out(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "signout", grant=grants["two"])


async def _sign_out_another(vault: Vault, grants: dict[str, str]) -> None:
    [two] = [one for one in (await _see(vault, grants["one"]))["sessions"] if one["network"] == "192.0.2.x"]
    assert (await ask(vault, "sessions_end", grant=grants["one"], which="one", id=two["id"]))["ended"] == 1


async def _sign_out_others(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "sessions_end", grant=grants["one"], which="others")


async def _sign_out_all(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "sessions_end", grant=grants["one"], which="all")


async def _set_password(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "password_set", grant=grants["one"], password=PASSWORD)


async def _remove_passkey(vault: Vault, grants: dict[str, str]) -> None:
    name = (await _see(vault, grants["one"]))["passkeys"][1]["name"]
    await ask(vault, "passkey_remove", grant=grants["one"], name=name)


async def _end_membership(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "end_member", grant=grants["owner"], handle="ren.salon")


async def _end_by_shell(vault: Vault, grants: dict[str, str]) -> None:
    await ask(vault, "end_grants", whose="actor", name="ren.salon")


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (_nothing, {"one", "two", "three"}),
        (_sign_out, {"one", "three"}),
        (_sign_out_another, {"one", "three"}),
        (_sign_out_others, {"one"}),
        (_sign_out_all, set()),
        (_set_password, {"one"}),
        (_remove_passkey, {"one", "three"}),
        (_end_membership, set()),
        (_end_by_shell, set()),
    ],
)
def test_the_list_of_sessions_is_true(
    bench: Bench, mail: Sink, end: Callable[[Vault, dict[str, str]], Any], left: set[str]
) -> None:
    """After each way to end one: listed is what holds, and what holds is listed; another's go on."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, one = await _joined(vault, mail, "ren", address="203.0.113.7", device=DESK)
        _, owner = await _joined(vault, mail, "aoi")
        bench.clock += 1000
        second, _ = await _add(vault, one)
        bench.clock += 1000
        two = await _enter(vault, second, "two", address="192.0.2.7", device=PHONE)
        bench.clock += 1000
        three = await _enter(vault, passkey, "three", address="203.0.113.9")
        grants = {"one": one, "two": two, "three": three, "owner": owner}
        await end(vault, grants)
        holding = {name for name, grant in grants.items() if await _holds(vault, grant)} - {"owner"}
        assert holding == left
        ids = {name: grant.split(".")[1] for name, grant in grants.items()}
        for name in left:
            sessions = (await _see(vault, grants[name]))["sessions"]
            assert {session["id"] for session in sessions} == {ids[each] for each in left}
            assert [session["id"] for session in sessions if session["this"]] == [ids[name]]
            assert sessions[0]["this"]
        assert [one["id"] for one in (await _see(vault, owner))["sessions"]] == [ids["owner"]]

    bench.run(act)


@pytest.mark.parametrize(
    ("passed", "operator"), [(IDLE_MS, False), (OPERATOR_IDLE_MS, True), (LIFE_MS, False)]
)
def test_the_list_forgets_what_time_has_ended(bench: Bench, mail: Sink, passed: int, operator: bool) -> None:
    """Idle, or at the end of its life: not listed from the very moment at which it does not hold."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        if operator:
            token = (await ask(vault, "invite_operator", name="first"))["token"]
            passkey, old = await _enrol(vault, token)
        else:
            passkey, old = await _joined(vault, mail, "ren")
        for ahead, listed in ((passed - 1, 2), (passed, 1)):
            now = bench.clock
            bench.clock += ahead if passed != LIFE_MS else 0
            if passed == LIFE_MS:  # in use all the time, up to the end
                for _ in range(ahead // 1_800_000):
                    bench.clock += 1_800_000
                    await _holds(vault, old)
                bench.clock = now + ahead
            fresh = await _enter(vault, passkey, f"at {ahead}")
            assert len((await _see(vault, fresh))["sessions"]) == listed
            await ask(vault, "signout", grant=fresh)
            bench.clock = now
        bench.clock += passed
        assert not await _holds(vault, old)

    bench.run(act)


def test_it_says_from_where_in_words(bench: Bench, mail: Sink) -> None:
    """The network without its last part, the device as it named itself, which is near, when last seen."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, one = await _joined(vault, mail, "ren", address="203.0.113.7", device=DESK)
        await _enter(vault, passkey, "near", address="::ffff:203.0.113.200")
        await _enter(vault, passkey, "six", address="2001:db8:1:2::3", device=PHONE)
        await _enter(vault, passkey, "")
        bench.clock += 60_000
        await _holds(vault, one)
        told = (await _see(vault, one))["sessions"]
        places = {(each["network"], each["near"], each["device"]) for each in told}
        assert places == {
            ("203.0.113.x", True, DESK),
            ("203.0.113.x", True, ""),
            ("2001:db8:1::x", False, PHONE),
            ("", False, ""),
        }
        assert told[0]["seen"] == bench.clock / 1000
        assert told[0]["since"] == bench.clock / 1000 - 60
        assert "203.0.113.7" not in repr(told)

    bench.run(act)


def test_it_knows_nobody_elses_things(bench: Bench, mail: Sink) -> None:
    """Another's passkey, session or event is refused just as one that never was."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, mine = await _joined(vault, mail, "ren")
        _, theirs = await _joined(vault, mail, "aoi")
        told = await _see(vault, theirs)
        passkey, session = told["passkeys"][0]["name"], told["sessions"][0]["id"]
        event = (await _see(vault, theirs))["events"][0]["entry"]
        asked: list[tuple[str, type[errors.VaultError], dict[str, Any], dict[str, Any]]] = [
            ("passkey_rename", errors.NoSuchPasskey, {"name": passkey}, {"name": "pk-none"}),
            ("passkey_remove", errors.NoSuchPasskey, {"name": passkey}, {"name": "pk-none"}),
            (
                "sessions_end",
                errors.NoSuchSession,
                {"which": "one", "id": session},
                {"which": "one", "id": "no"},
            ),
            ("not_me", errors.NoSuchSession, {"id": session}, {"id": "0123456789abcdef"}),
            ("not_me", errors.NoSuchSession, {"entry": event}, {"entry": 10**9}),
        ]
        for method, refusal, there, nowhere in asked:
            told_twice = set()
            for more in (there, nowhere):
                with pytest.raises(refusal) as refused:
                    await ask(vault, method, grant=mine, **{"label": "x", **more})
                told_twice.add((str(refused.value), repr(refused.value.facts)))
            assert len(told_twice) == 1
        assert await _holds(vault, theirs)
        assert len((await _see(vault, theirs))["passkeys"]) == 1

    bench.run(act)


def test_a_look_is_on_record_before_it_is_told(bench: Bench, mail: Sink) -> None:
    """The own look names the person and what was opened; without a ledger nothing is opened."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, grant = await _joined(vault, mail, "ren", address="203.0.113.7")
        size = vault.record.ledger.size
        await _see(vault, grant)
        [(_, entry)] = list(vault.record.ledger.entries(size, size + 1))
        assert (entry.kind, entry.purpose, entry.actor, entry.note) == (
            "intent",
            "own",
            "ren.salon",
            "security",
        )
        assert len(entry.persons) == 1
        assert entry.fields == ("address", "device")
        await vault.record.settle()
        [(_, outcome)] = list(vault.record.ledger.entries(size + 1, size + 2))
        assert (outcome.kind, outcome.ref, outcome.note) == ("outcome", str(size), "released")
        for file in (bench.configured.ledger / "segments").iterdir():
            file.unlink()
        with pytest.raises(errors.LedgerUnavailable):
            await _see(vault, grant)

    bench.run(act)


# -- events


def test_it_tells_what_happened_and_nobody_elses(bench: Bench, mail: Sink) -> None:
    """Sign-ins, tries, changes, by which device, for ninety days; page by page, without a gap."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, grant = await _joined(vault, mail, "ren", address="203.0.113.7", device=DESK)
        _, owner = await _joined(vault, mail, "aoi")
        await ask(vault, "password_set", grant=grant, password=PASSWORD)
        with pytest.raises(errors.PasswordRefused):
            await check(vault, "ren", OTHER, session="bad", address="192.0.2.9", device=PHONE)
        await check(vault, "ren", session="good", address="192.0.2.9", device=PHONE)
        told = [
            (one["kind"], one["note"], one["network"], one["device"], one["this"])
            for one in (await ask(vault, "security_events", grant=grant))["events"]
        ]
        here, there = ("203.0.113.x", DESK, True), ("192.0.2.x", PHONE, False)
        assert told == [
            ("signin", "password", *there),
            ("refused", "password", "", "", False),
            ("register", "password", *here),
            ("signin", "", *here),
            ("register", "", *here),
        ]
        seen = (await ask(vault, "security_events", grant=owner))["events"]
        assert [one["kind"] for one in seen] == ["signin", "register"]
        bench.clock += 90 * DAY + 1
        late = await _enter(vault, passkey, "late")
        assert len((await ask(vault, "security_events", grant=late))["events"]) == 1
        for number in range(60):
            await _enter(vault, passkey, f"many {number}")
        first = await ask(vault, "security_events", grant=late)
        second = await ask(vault, "security_events", grant=late, before=first["next"])
        entries = [one["entry"] for one in first["events"] + second["events"]]
        assert (len(first["events"]), len(second["events"]), second["next"]) == (50, 11, None)
        assert entries == sorted(set(entries), reverse=True)

    bench.run(act)


# -- "this wasn't me"


async def _stolen(vault: Vault, bench: Bench, mail: Sink) -> tuple[Passkey, str, dict[str, Any]]:
    """Ren with her own passkey, and somebody who came in by her second one; the list as she sees it."""
    await _found(vault)
    await _joined(vault, mail, "aoi")
    mine, grant = await _joined(vault, mail, "ren")
    theirs, _ = await _add(vault, grant)
    bench.clock += 1000
    thief = await _enter(vault, theirs, "thief", address="192.0.2.66")
    await _add(vault, thief)
    return mine, grant, next(one for one in (await _see(vault, grant))["sessions"] if not one["this"])


def test_this_wasnt_me_shuts_out_whoever_came_in(bench: Bench, mail: Sink) -> None:
    """All sessions end, the passkey it came in with and the one it made are gone; her own lets her in."""

    async def act(vault: Vault) -> None:
        mine, grant, session = await _stolen(vault, bench, mail)
        await _enter(vault, mine, "own", known=secrets.token_urlsafe(32))
        assert known_to(bench) == ["ren.salon"]
        done = await ask(vault, "not_me", grant=grant, id=session["id"])
        assert not known_to(bench)
        assert done == {"passkeys": 2, "reset": False, "second_factor": False, "invited": False}
        assert not await _holds(vault, grant)
        again = await _enter(vault, mine, "again")
        told = await _see(vault, again)
        assert (len(told["passkeys"]), len(told["sessions"])) == (1, 1)
        assert ("sign", "not_me") in [(one["kind"], one["note"]) for one in told["events"]]
        await _mailed(mail, "ren@staff.example.jp", "All sign-ins have ended")
        await _mailed(mail, "aoi@staff.example.jp", "has reported a sign-in")

    bench.run(act)


def test_this_wasnt_me_by_an_event(bench: Bench, mail: Sink) -> None:
    """The line of the sign-in says the same as the session, also when that is over."""

    async def act(vault: Vault) -> None:
        _, grant, session = await _stolen(vault, bench, mail)
        await ask(vault, "sessions_end", grant=grant, which="one", id=session["id"])
        events = (await ask(vault, "security_events", grant=grant))["events"]
        [entry] = [
            one["entry"] for one in events if one["kind"] == "signin" and one["network"] == "192.0.2.x"
        ]
        assert (await ask(vault, "not_me", grant=grant, entry=entry))["passkeys"] == 2

    bench.run(act)


def test_this_wasnt_me_never_shuts_her_out(bench: Bench, mail: Sink) -> None:
    """When it was her only passkey, her own mail brings an invitation, by which she makes another."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, grant = await _joined(vault, mail, "ren")
        await _enter(vault, passkey, "other")
        [other] = [one for one in (await _see(vault, grant))["sessions"] if not one["this"]]
        done = await ask(vault, "not_me", grant=grant, id=other["id"])
        assert (done["passkeys"], done["invited"]) == (1, True)
        with pytest.raises(errors.PasskeyRefused):
            await _enter(vault, passkey, "gone")
        message = await _mailed(mail, "ren@staff.example.jp", "Please make a new passkey")
        body = message.get_body(("plain",))
        assert body is not None
        found = re.search(r"/console/join#(\S+)", body.get_content())
        assert found is not None
        _, again = await _enrol(vault, found[1], session="again")
        assert len((await _see(vault, again))["passkeys"]) == 1

    bench.run(act)


def test_this_wasnt_me_leaves_an_operator_one_passkey(bench: Bench) -> None:
    """Nothing weaker than a passkey lets an operator in again: the one at hand stays."""

    async def act(vault: Vault) -> None:
        token = (await ask(vault, "invite_operator", name="first"))["token"]
        passkey, grant = await _enrol(vault, token)
        await _enter(vault, passkey, "other")
        [other] = [one for one in (await _see(vault, grant))["sessions"] if not one["this"]]
        done = await ask(vault, "not_me", grant=grant, id=other["id"])
        assert (done["passkeys"], done["invited"]) == (0, False)
        assert not await _holds(vault, grant)
        assert await _enter(vault, passkey, "again")

    bench.run(act)


def test_this_wasnt_me_asks_for_a_new_password(bench: Bench, mail: Sink) -> None:
    """A password that somebody else had is marked; codes he turned on are off; a new one clears the mark."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        passkey, grant = await _joined(vault, mail, "ren")
        await ask(vault, "password_set", grant=grant, password=PASSWORD)
        thief = (await check(vault, "ren", session="thief"))["grant"]
        begun = await ask(vault, "totp_begin", grant=thief)
        code = pyotp.TOTP(begun["secret"]).generate_otp(bench.clock // 30_000)
        await ask(vault, "totp_finish", grant=thief, code=code)
        [other] = [one for one in (await _see(vault, grant))["sessions"] if not one["this"]]
        done = await ask(vault, "not_me", grant=grant, id=other["id"])
        assert done == {"passkeys": 0, "reset": True, "second_factor": True, "invited": False}
        assert not await _holds(vault, thief)
        again = await _enter(vault, passkey, "again")
        told = await _see(vault, again)
        assert (told["password"]["reset"], told["totp"]) == (True, None)
        await ask(vault, "password_set", grant=again, password=OTHER)
        assert not (await _see(vault, again))["password"]["reset"]

    bench.run(act)


def test_a_mail_that_waits_for_its_server_does_not_hold_the_end(bench: Bench, mail: Sink) -> None:
    """The change is made and answered while no mail server takes anything, and the vault closes."""

    async def act(vault: Vault) -> None:
        await _found(vault)
        _, grant = await _joined(vault, mail, "ren")
        mail.refuse = "451 later"
        await _add(vault, grant)
        assert len((await _see(vault, grant))["passkeys"]) == 2

    bench.run(act)
