"""Revoking what somebody else signs in with: who is out, how they come in again, who is told, who may not."""

import secrets
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from noren import errors, people
from noren.people import apikeys, ending, forced, powers
from noren.people.powers import Ask
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault import operators
from tests.vault.cast import Cast, Player, invitation_of, join, member, sql
from tests.vault.operators import WHY, Platform, lent, second_passkey

PASSWORD = "ながい合言葉を持つ人の四つの言葉"
_shops = count(81)


@pytest.fixture(scope="module")
def platform(cast: Cast, module_vault: VaultProcess, module_mail: Sink) -> Platform:
    assert cast
    return operators.found(module_vault, module_mail)


@pytest.fixture
def power(platform: Platform) -> Iterator[str]:
    """The first operator's grant under the power, which is given back."""
    one = lent(platform.first, platform.second, Ask(what="end_grants", words=WHY, minutes=30))
    yield powers.under(platform.first.grant, one)
    powers.end_power(platform.first.grant, one)


def _holds(grant: str) -> bool:
    try:
        people.whoami(grant)
    except errors.GrantExpired:
        return False
    return True


def _passkeys(vault: VaultProcess, handle: str) -> list[str]:
    query = (
        "SELECT name FROM vault.passkey JOIN vault.actor USING (actor) WHERE handle = %s ORDER BY added_at"
    )
    return [str(name) for (name,) in sql(vault, query, handle)]


def _member(mail: Sink, role: str = "owner") -> tuple[int, str, str]:
    """A shop with one member who has not joined: its number, her mail, her invitation."""
    shop = next(_shops)
    people.found_shop(shop, f"shop{shop}", [member(f"m{shop}", role)])
    to = f"m{shop}@staff.example.jp"
    return shop, to, invitation_of(mail, to)


def _told(mail: Sink, to: str, number: int = 1) -> str:
    """The newest of so many mails that say that what she signs in with was ended."""

    def those() -> list[str]:
        parts = [one.get_body(("plain",)) for one in mail.messages if one["To"] == to]
        return [one.get_content() for one in parts if one is not None and "運営者が" in one.get_content()]

    wait_for(lambda: len(those()) >= number)
    return those()[-1]


def _again(player: Player) -> str:
    return player.sign_in(secrets.token_hex(16)).grant


def test_one_passkey_is_gone_and_another_goes_on(
    power: str, module_vault: VaultProcess, module_mail: Sink
) -> None:
    """What it opened has ended, and it signs in no more; the other, and what that opened, hold."""
    _, to, token = _member(module_mail)
    player = join(token)
    [name] = _passkeys(module_vault, player.handle)
    spare = Player(player.handle, second_passkey(module_vault.database_url, player.handle), "", "")
    other = _again(spare)
    assert ending.revoke("credential", name, grant=power) == (1, ("passkey",))
    assert (_holds(player.grant), _holds(other)) == (False, True)
    with pytest.raises(errors.PasskeyRefused):
        _again(player)
    assert _holds(_again(spare))
    assert "もう一度サインイン" in _told(module_mail, to)
    with pytest.raises(errors.NoSuchCredential):
        ending.revoke("credential", name, grant=power)


def test_who_has_no_way_left_is_invited_anew(
    power: str, platform: Platform, module_vault: VaultProcess, module_mail: Sink
) -> None:
    """All of hers, with the API keys that she made: the mail leads back in, and all is on record."""
    shop, to, token = _member(module_mail)
    player = join(token)
    key = apikeys.make_api_key(player.grant, label="会計", scopes=["bookings:read"], days=9)
    assert ending.revoke("actor", player.handle, grant=power) == (2, ("invited",))
    assert not _holds(player.grant)
    with pytest.raises(errors.ApiKeyRefused):
        apikeys.use_api_key(key.key, shop, "bookings:read")
    told = _told(module_mail, to)
    assert "一度だけ" in told
    assert _holds(join(invitation_of(module_mail, to)).grant)
    people.doctor()
    rows = sql(
        module_vault,
        "SELECT kind, note, ref FROM vault.ledger_entry WHERE actor = %s AND shop_id = %s ORDER BY entry",
        platform.first.handle,
        shop,
    )
    assert rows == [
        ("register", "revoked", f"actor:{player.handle}"),
        ("register", "api_key_ended", ""),
        ("invite", "", player.handle),
    ]


def test_a_password_signs_in_no_more_until_another_is_set(
    power: str, module_vault: VaultProcess, module_mail: Sink
) -> None:
    """By its name in the record; the mail says where another one is set."""
    shop, to, token = _member(module_mail)
    joined = people.password_join(token, PASSWORD, session="s1")
    query = "SELECT credential FROM vault.password JOIN vault.actor USING (actor) WHERE handle = %s"
    [(name,)] = sql(module_vault, query, joined.who.actor.handle)
    assert ending.revoke("credential", str(name), grant=power) == (1, ("password",))
    assert not _holds(joined.grant)
    with pytest.raises(errors.ResetRequired):
        people.password_check(shop, to, PASSWORD, session="s2", address="192.0.2.9")
    assert "新しく決めて" in _told(module_mail, to)


def test_an_api_key_is_over_and_nothing_else(power: str, module_mail: Sink) -> None:
    """Whoever made it goes on."""
    shop, _, token = _member(module_mail)
    player = join(token)
    key = apikeys.make_api_key(player.grant, label="会計", scopes=["bookings:read"], days=9)
    assert ending.revoke("credential", key.name, grant=power) == (1, ("key",))
    with pytest.raises(errors.ApiKeyRefused):
        apikeys.use_api_key(key.key, shop, "bookings:read")
    assert _holds(player.grant)
    with pytest.raises(errors.NoSuchCredential):
        ending.revoke("credential", key.name, grant=power)


def test_an_invitation_that_lies_about_is_worth_nothing(power: str, module_mail: Sink) -> None:
    """With all of somebody's goes what was mailed and not used."""
    _, to, token = _member(module_mail)
    player = join(token)
    people.end_grants("actor", player.handle)
    ending.revoke("actor", player.handle, grant=power)
    _told(module_mail, to)
    first = invitation_of(module_mail, to)
    assert ending.revoke("actor", player.handle, grant=power) == (0, ("invited",))
    _told(module_mail, to, 2)
    assert people.register_begin(invitation_of(module_mail, to))
    with pytest.raises(errors.InviteRefused):
        people.register_begin(first)


def test_who_may_not_revokes_nothing(platform: Platform, cast: Cast, power: str) -> None:
    """Without the power, under another one, one's own, and what no record holds."""
    for grant in (platform.first.grant, cast.owner.grant, platform.auditor.grant):
        with pytest.raises((errors.PowerNeeded, errors.GrantRefused)):
            ending.revoke("actor", cast.outsider.handle, grant=grant)
    with pytest.raises(errors.GrantRefused):
        ending.revoke("actor", platform.first.handle, grant=power)
    for whose, name in (("actor", "nobody.salon"), ("credential", "pk-none"), ("credential", "key-none")):
        with pytest.raises(errors.NoSuchCredential):
            ending.revoke(whose, name, grant=power)
    for whose, name in (("shop", "1"), ("actor", "花子")):
        with pytest.raises(RuntimeError):
            ending.revoke(whose, name, grant=power)
    assert _holds(cast.outsider.grant)


def test_an_operator_begins_a_forced_reset_and_operators_stay(
    power: str, platform: Platform, cast: Cast, module_mail: Sink
) -> None:
    """Under the power: a shop's passwords are over, its people are signed out; nobody of the platform is."""
    shop, to, token = _member(module_mail)
    joined = people.password_join(token, PASSWORD, session="s1")
    for grant in (platform.first.grant, cast.owner.grant):
        with pytest.raises((errors.PowerNeeded, errors.GrantRefused)):
            forced.begin("shop", shop, grant=grant)
    begun = forced.begin("shop", shop, grant=power)
    assert (begun.accounts, begun.passwords, begun.ended) == (1, 1, 1)
    assert not _holds(joined.grant)
    with pytest.raises(errors.ResetRequired):
        people.password_check(shop, to, PASSWORD, session="s2", address="192.0.2.9")
    with pytest.raises(RuntimeError):
        forced.begin("actor", platform.second.handle, grant=power)
    assert forced.begin("everybody", grant=power).passwords >= 1
    assert (_holds(platform.first.grant), _holds(platform.second.grant)) == (True, True)
    assert not _holds(cast.owner.grant)


def test_the_last_operator_stays_but_for_broken_glass(platform: Platform, module_vault: VaultProcess) -> None:
    """Of two who revoke each other at once one is left; with a glass broken it is her own answer."""
    first, second = platform.first, platform.second
    held = _passkeys(module_vault, first.handle)
    asked = Ask(what="end_grants", words=WHY, minutes=15)
    glass = operators.broken(first, asked)
    powers.enter_power(first.grant, glass)
    under = powers.under(first.grant, glass)
    with psycopg.connect(module_vault.database_url, autocommit=True) as connection:
        # As if the other's deed had been faster by a moment.
        connection.execute("DELETE FROM vault.passkey WHERE name = ANY(%s)", [held])
        connection.execute("UPDATE vault.power SET glass = false WHERE power = %s", [glass])
    with pytest.raises(errors.LastOperator):
        ending.revoke("actor", second.handle, grant=under)
    assert len(_passkeys(module_vault, second.handle)) == 2
    with psycopg.connect(module_vault.database_url, autocommit=True) as connection:
        connection.execute("UPDATE vault.power SET glass = true WHERE power = %s", [glass])
    assert ending.revoke("actor", second.handle, grant=under) == (2, ("operator",))
    assert not _holds(second.grant)
    # Nobody is left: the machine's shell invites a first one again.
    assert people.invite_operator()
