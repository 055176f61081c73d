"""Signing in by mail and password at the real vault: what is given, what is refused, what is on record."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyotp
import pytest

from noren import errors, people
from noren.people import Purpose, SignedIn
from noren_vault import passwords, sealing
from noren_vault.errors import Busy, FreshSignInNeeded, LedgerUnavailable, PasswordRefused, RecordDamaged
from noren_vault.grants import FRESH_MS
from noren_vault.hashing import COST, Cost, argon2id
from noren_vault.providers import FileProvider, Kind
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, YOGA, Cast, Player, invitation_of, join, member, sql, token_in
from tests.vault.conftest import Bench, ask


def mail_of(player: Player) -> str:
    return f"{player.handle.split('.')[0]}@staff.example.jp"


def told(vault: VaultProcess, session: str) -> list[tuple[str, str, str, str]]:
    """Kind, note, actor and credential of what is on record about a session."""
    last = datetime.now(UTC) + timedelta(hours=1)
    assert people.scope(session=session, since=last - timedelta(days=1), until=last).complete
    name = f"s-{hashlib.sha256(session.encode()).hexdigest()[:32]}"
    rows = sql(
        vault,
        "SELECT kind, note, actor, credential FROM vault.ledger_entry WHERE session = %s ORDER BY entry",
        name,
    )
    return [(kind, note, actor, credential) for kind, note, actor, credential in rows]


def set_for(player: Player, password: str = PASSWORD) -> str:
    """Sign in anew and set a password; gives that grant."""
    grant = player.sign_in(secrets.token_hex(8)).grant
    people.password_set(grant, password)
    return grant


def enter(player: Player, password: str = PASSWORD, *, shop: int = SALON, session: str = "") -> SignedIn:
    signed = people.password_check(shop, mail_of(player), password, session=session, address="192.0.2.9")
    assert isinstance(signed, SignedIn)
    return signed


def test_it_signs_in_as_a_passkey_does(cast: Cast, module_vault: VaultProcess) -> None:
    """Mail and password give a grant of the same shape, by which people are revealed; both are on record."""
    set_for(cast.owner)
    session = secrets.token_hex(16)
    signed = enter(cast.owner, session=session)
    passkey = cast.owner.sign_in()
    assert (
        signed.who.actor,
        signed.who.shop_id,
        signed.who.role,
        signed.who.staff,
        signed.who.memberships,
    ) == (
        passkey.who.actor,
        SALON,
        "owner",
        "aoi",
        passkey.who.memberships,
    )
    assert people.reveal(signed.grant, Purpose.DAY, cast.customers[:1], ["name"]).persons
    [(kind, note, actor, credential), reveal, *_] = told(module_vault, session)
    assert (kind, note, actor) == ("signin", "password", "aoi.salon")
    assert re.fullmatch(r"pw-[0-9a-f]{24}", credential)
    assert reveal[0] == "intent"
    assert reveal[3] == credential


def test_it_takes_the_mail_and_the_password_however_they_are_composed(cast: Cast) -> None:
    """The mail in any case, the password in NFD; but no other password, and not a part of it."""
    set_for(cast.owner)
    nfd = unicodedata.normalize("NFD", PASSWORD)
    assert nfd != PASSWORD
    assert people.password_check(SALON, " AOI@Staff.Example.JP ", nfd)
    for wrong in (PASSWORD.upper(), PASSWORD[:-1], PASSWORD + " ", "x" * 1500):
        with pytest.raises(errors.PasswordRefused):
            enter(cast.owner, wrong)


def test_it_refuses_all_in_the_same_words_and_on_record(cast: Cast, module_vault: VaultProcess) -> None:
    """Wrong password, unknown mail, another shop, nobody's password: one error, each an entry."""
    set_for(cast.owner)
    refused: list[str] = []
    sessions: list[str] = []
    for shop, mail in (
        (SALON, "aoi@staff.example.jp"),
        (SALON, "nobody@example.jp"),
        (YOGA, "aoi@staff.example.jp"),
        (SALON, "ren@staff.example.jp"),
        (SALON, "hanako1@example.jp"),
    ):
        sessions.append(secrets.token_hex(16))
        with pytest.raises(errors.PasswordRefused) as caught:
            people.password_check(shop, mail, OTHER, session=sessions[-1])
        refused.append(repr((caught.value.code, caught.value.facts)))
    assert len(set(refused)) == 1
    for number, session in enumerate(sessions):
        [(kind, note, actor, credential)] = told(module_vault, session)
        assert (kind, note) == ("refused", "password")
        assert (actor, credential[:3]) == (("aoi.salon", "pw-") if number == 0 else ("unknown", ""))


def test_it_ends_the_other_sessions_and_the_old_password(cast: Cast) -> None:
    """Who sets a new password ends every other session of hers, not her own; the old password is over."""
    set_for(cast.owner)
    stolen = enter(cast.owner).grant
    grant = set_for(cast.owner, OTHER)
    with pytest.raises(errors.GrantExpired):
        people.whoami(stolen)
    assert people.whoami(grant).actor.handle == "aoi.salon"
    with pytest.raises(errors.PasswordRefused):
        enter(cast.owner, PASSWORD)
    assert enter(cast.owner, OTHER)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("fourteen signs", "too_short"),
        ("passwordpassword", "common"),
        ("mei-salon-mei-salon", "own_words"),
        ("Mei.Staff.Example.JP", "own_words"),
        ("Hair Atelier Mei 1", "own_words"),
    ],
)
def test_it_refuses_a_bad_password_with_the_reason(cast: Cast, password: str, reason: str) -> None:
    """The rules know the account's own mail and names, and what the app says of shop and service."""
    grant = cast.manager.sign_in().grant
    with pytest.raises(errors.BadPassword) as caught:
        people.password_set(grant, password, words=["Hair Atelier"])
    assert caught.value.facts == {"reason": reason, "least": 15, "most": 256}
    with pytest.raises(errors.PasswordRefused):
        enter(cast.manager, password)


def test_it_joins_by_an_invitation_with_a_password(cast: Cast, module_vault: VaultProcess) -> None:
    """An invitation, once, sets the first password and signs in; a refused password leaves it unused."""
    people.add_member(cast.owner.sign_in().grant, member("kai", "staff"))
    token, session = invitation_of(cast.mail, "kai@staff.example.jp"), secrets.token_hex(16)
    with pytest.raises(errors.BadPassword):
        people.password_join(token, "kai-kai-kai-kai-kai")
    signed = people.password_join(token, PASSWORD, session=session)
    assert (signed.who.actor.handle, signed.who.shop_id, signed.who.role) == ("kai.salon", SALON, "staff")
    assert [one[:3] for one in told(module_vault, session)] == [
        ("register", "password", "kai.salon"),
        ("signin", "password", "kai.salon"),
    ]
    assert people.password_check(SALON, "kai@staff.example.jp", PASSWORD)
    with pytest.raises(errors.InviteRefused):
        people.password_join(token, OTHER)


def test_it_gives_operators_no_password(cast: Cast) -> None:
    """By a grant or by an invitation: an operator has passkeys only."""
    token = people.invite_operator(name="first")
    with pytest.raises(errors.GrantRefused):
        people.password_join(token, PASSWORD)
    with pytest.raises(errors.GrantRefused):
        people.password_set(join(token).grant, PASSWORD)


def test_it_knows_one_account_by_a_mail(cast: Cast) -> None:
    """Two of a shop with one mail: the first signs in by it, the second is told; elsewhere it is free."""
    owner = cast.owner.sign_in().grant
    for handle in ("uta", "uno"):
        people.add_member(
            owner,
            people.Member(handle=handle, role="staff", staff=handle, name=handle, mail="family@example.jp"),
        )
    first, second = (
        token_in(message) for message in cast.mail.messages if message["To"] == "family@example.jp"
    )
    assert people.password_join(first, PASSWORD).who.actor.handle == "uta.salon"
    with pytest.raises(errors.MailTaken):
        people.password_join(second, OTHER)
    signed = people.password_check(SALON, "family@example.jp", PASSWORD)
    assert isinstance(signed, SignedIn)
    assert signed.who.actor.handle == "uta.salon"


# -- what is stored


def _row(vault: VaultProcess, handle: str) -> tuple[bytes, bytes, bytes]:
    [(salt, sealed, pepper)] = sql(
        vault,
        "SELECT salt, sealed, pepper FROM vault.password JOIN vault.actor USING (actor) WHERE handle = %s",
        handle,
    )
    return bytes(salt), bytes(sealed), bytes(pepper)


def test_it_stores_the_construction_of_decision_21(cast: Cast, module_vault: VaultProcess) -> None:
    """With the pepper what is stored opens to HMAC(k, Argon2id(NFC, salt)); with another key not."""
    set_for(cast.owner)
    salt, sealed, pepper = _row(module_vault, "aoi.salon")
    [(actor,)] = sql(module_vault, "SELECT actor::text FROM vault.actor WHERE handle = 'aoi.salon'")
    [stored] = FileProvider(module_vault.keys).stored(Kind.PEPPER)
    assert stored.id == pepper
    [path] = module_vault.keys.glob("pepper-*.key")
    raw = path.read_bytes()
    key = sealing.pepper_key(pepper, raw)
    place = f"password:{actor}:argon2id:19456:2:1:{salt.hex()}:alone:{pepper.hex()}"
    hashed = argon2id(PASSWORD.encode(), salt, COST)
    derived = sealing._derived(raw, "password-layer")
    assert key.open(sealed, place) == hmac.new(derived, hashed, hashlib.sha256).digest()
    assert hashed not in sealed
    with pytest.raises(RecordDamaged):
        sealing.pepper_key(pepper, bytes(32)).open(sealed, place)


def test_it_opens_no_password_that_was_moved_to_another_account(
    cast: Cast, module_vault: VaultProcess
) -> None:
    """In another account's row it opens nothing: damaged, not right."""
    set_for(cast.owner)
    set_for(cast.manager, OTHER)
    kept = sql(module_vault, _OF_BOTH)
    sql(module_vault, _SWAP)
    for player, password in ((cast.owner, OTHER), (cast.manager, PASSWORD)):
        with pytest.raises(errors.RecordDamaged):
            enter(player, password)
    sql(module_vault, _SWAP)
    assert sql(module_vault, _OF_BOTH) == kept
    assert enter(cast.manager, OTHER)


_OF_BOTH = """
SELECT a.handle, p.salt, p.sealed FROM vault.password p JOIN vault.actor a USING (actor)
WHERE a.handle IN ('aoi.salon', 'mei.salon') ORDER BY 1
"""
_SWAP = """
UPDATE vault.password p SET salt = o.salt, sealed = o.sealed
FROM vault.password o, vault.actor a, vault.actor b
WHERE a.actor = p.actor AND b.actor = o.actor AND a.handle IN ('aoi.salon', 'mei.salon')
  AND b.handle IN ('aoi.salon', 'mei.salon') AND a.handle <> b.handle
"""


def test_it_finds_nobody_by_a_mail_without_the_key(cast: Cast, module_vault: VaultProcess) -> None:
    """Tokens have 32 bytes, none can be computed outside, and the mail is nowhere in clear."""
    set_for(cast.owner)
    rows = sql(module_vault, "SELECT token, sealed FROM keystore.signin_mail")
    mail = "aoi@staff.example.jp"
    plain = {
        hashlib.sha256(form.encode()).digest() for form in (mail, f"{SALON}\x00{mail}", f"mail\x00{mail}")
    }
    wrong = sealing.pepper_key(bytes(4), secrets.token_bytes(32)).token(SALON, mail)
    tokens = {bytes(token) for token, _ in rows}
    assert {len(token) for token in tokens} == {32}
    assert not tokens & (plain | {wrong})
    assert not [sealed for _, sealed in rows if mail.encode() in bytes(sealed)]
    [path] = module_vault.keys.glob("pepper-*.key")
    [stored] = FileProvider(module_vault.keys).stored(Kind.PEPPER)
    assert sealing.pepper_key(stored.id, path.read_bytes()).token(SALON, mail) in tokens


# -- in this process, with the clock in hand


def test_it_changes_nothing_for_a_cookie_that_is_not_fresh(bench: Bench, mail: Sink) -> None:
    """Five minutes after signing in a grant still reads, and changes nothing that one signs in with."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")
        bench.clock += FRESH_MS - 1
        await ask(vault, "password_set", grant=signed["grant"], password=OTHER)
        bench.clock += 1
        for method, more in (
            ("password_set", {"password": PASSWORD}),
            ("totp_begin", {}),
            ("totp_finish", {"code": "000000"}),
            ("totp_end", {}),
            ("recovery_make", {}),
        ):
            with pytest.raises(FreshSignInNeeded):
                await ask(vault, method, grant=signed["grant"], **more)
        assert await ask(vault, "whoami", grant=signed["grant"])
        assert await check(vault, "aoi", OTHER)

    bench.run(act)


def test_it_hashes_anew_at_sign_in_when_the_cost_has_changed(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set at a lower cost, it is brought to today's by the next right sign-in, and by no wrong one."""

    async def act(vault: Vault) -> list[list[Any]]:
        with monkeypatch.context() as patch:
            patch.setattr(passwords, "COST", Cost(8_192, 1, 1))
            await joined(vault, mail, "aoi")
        seen = [_costs(bench)]
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi", OTHER)
        seen.append(_costs(bench))
        await check(vault, "aoi")
        seen.append(_costs(bench))
        await check(vault, "aoi")
        return [*seen, _costs(bench)]

    first, wrong, right, again = bench.run(act)
    assert first[:3] == wrong[:3] == [8_192, 1, 1]
    assert right[:3] == [19_456, 2, 1]
    assert right[3] != first[3]
    assert again == right


def _costs(bench: Bench) -> list[Any]:
    with psycopg.connect(bench.configured.database_url) as connection:
        row = connection.execute("SELECT memory_kib, passes, lanes, salt FROM vault.password").fetchone()
    assert row is not None
    return list(row)


def test_it_hashes_for_nobody_as_for_somebody(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown mail costs one hash of today's cost, as a known one does, and as one without a password."""
    costs: list[Cost] = []

    def watched(password: bytes, salt: bytes, cost: Cost) -> bytes:
        costs.append(cost)
        return argon2id(password, salt, cost)

    async def act(vault: Vault) -> list[int]:
        await joined(vault, mail, "aoi")
        counts: list[int] = []
        monkeypatch.setattr(_hashing(vault), "_work", watched)
        for handle, password in (
            ("aoi", OTHER),
            ("nobody", OTHER),
            ("aoi", "x"),
            ("nobody", "broken \ud800"),
        ):
            before = len(costs)
            with pytest.raises(PasswordRefused):
                await check(vault, handle, password)
            counts.append(len(costs) - before)
        return counts

    assert bench.run(act) == [1, 1, 1, 1]
    assert set(costs) == {COST}


def _hashing(vault: Vault) -> Any:
    act: Any = vault.methods._methods["password_check"]
    return act.args[0].__self__._acts._passwords._hashing


def test_it_is_busy_rather_than_slow(bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the queue full a check is Busy, for who is known and who is not, and is nothing to record."""

    async def act(vault: Vault) -> tuple[int, int]:
        await joined(vault, mail, "aoi")
        monkeypatch.setattr(_hashing(vault), "most", 0)
        before = vault.record.ledger.size
        for handle in ("aoi", "nobody"):
            with pytest.raises(Busy):
                await check(vault, handle)
        return before, vault.record.ledger.size

    before, after = bench.run(act)
    assert before == after


def test_it_tells_nothing_that_it_cannot_write_down(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a ledger no sign-in is answered, right or wrong, and no password is changed."""

    async def act(vault: Vault) -> None:
        [signed] = await joined(vault, mail, "aoi")

        async def full(*_: object, **__: object) -> int:
            raise LedgerUnavailable("no room", reason="disk_full")

        with monkeypatch.context() as patch:
            patch.setattr(vault.record, "write", full)
            for password in (PASSWORD, OTHER):
                with pytest.raises(LedgerUnavailable):
                    await check(vault, "aoi", password)
            for method, more in (("password_set", {"password": OTHER}), ("totp_begin", {})):
                with pytest.raises(LedgerUnavailable):
                    await ask(vault, method, grant=signed["grant"], **more)
        assert await check(vault, "aoi")
        with psycopg.connect(bench.configured.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM vault.totp").fetchone() == (0,)

    bench.run(act)


def test_it_destroys_what_signs_in_with_the_person(bench: Bench, mail: Sink) -> None:
    """An erased person's mail, password and factors go with her; nobody else's do."""

    async def act(vault: Vault) -> None:
        aoi, _ = await joined(vault, mail, "aoi", "mei")
        begun = await ask(vault, "totp_begin", grant=aoi["grant"])
        code = pyotp.TOTP(begun["secret"]).generate_otp(bench.clock // 30_000)
        await ask(vault, "totp_finish", grant=aoi["grant"], code=code)
        await ask(vault, "recovery_make", grant=aoi["grant"])
        put = await ask(vault, "put", shop=SALON, key="x", fields={"name": "客"}, session="")
        await ask(vault, "keep", shop=SALON, person=put["person"])
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE vault.actor SET person = %s WHERE handle = 'aoi.salon'", [put["person"]]
            )
            await ask(vault, "erase", shop=SALON, person=put["person"], reason="asked")
            rows = connection.execute(
                "SELECT (SELECT count(*) FROM keystore.signin_mail), (SELECT count(*) FROM vault.password), "
                "(SELECT count(*) FROM vault.password_layer), (SELECT count(*) FROM vault.totp), "
                "(SELECT count(*) FROM vault.recovery), (SELECT count(*) FROM vault.recovery_code)"
            ).fetchone()
        assert rows == (1, 1, 1, 0, 0, 0)
        with pytest.raises(PasswordRefused):
            await check(vault, "aoi")
        assert await check(vault, "mei")

    bench.run(act)
