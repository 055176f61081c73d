"""Blocked paths: who is refused from there, who ends with it, who opens it again, what stands on record."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from noren import errors, people
from noren.people import containment, incidents, resets
from noren_vault.errors import PathBlocked
from noren_vault.ledger import Entry
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault import operators
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Cast, Player, invitation_of, member, sql
from tests.vault.conftest import Bench, ask
from tests.vault.operators import Platform

HOUR = 3_600_000
NEAR, FAR, DEVICE = "198.51.100.9", "203.0.113.40", "Mozilla/5.0 (X11) Kashi/7"


@pytest.fixture(scope="module")
def platform(cast: Cast, module_vault: VaultProcess, module_mail: Sink) -> Platform:
    assert cast
    return operators.found(module_vault, module_mail)


@pytest.fixture
def incident(platform: Platform) -> str:
    """An incident that both operators are members of."""
    opened = incidents.open_one(platform.first.grant, '{"title": "よそからのサインイン"}')
    incidents.change_member(platform.first.grant, opened, platform.second.handle, "in")
    return opened


def _in(player: Player, address: str, device: str = "") -> people.SignedIn:
    return player.sign_in(secrets.token_hex(16), address, device)


def _holds(grant: str) -> bool:
    try:
        people.whoami(grant)
    except errors.GrantExpired:
        return False
    return True


def _standing(incident: str, platform: Platform) -> list[containment.Block]:
    return [one for one in containment.blocks(platform.second.grant, incident) if one.opened is None]


def _notes(vault: VaultProcess, ref: str) -> list[tuple[str, str]]:
    people.doctor()
    query = "SELECT kind, note FROM vault.ledger_entry WHERE ref LIKE %s ORDER BY entry"
    return [(str(kind), str(note)) for kind, note in sql(vault, query, f"%{ref}")]


@pytest.mark.parametrize(
    "path",
    [
        ("address", "203.0.113.0/24", FAR),
        ("address", FAR, FAR),
        ("address", FAR, f"::ffff:{FAR}"),
        ("address", f"::ffff:{FAR}", FAR),
        ("address", "2001:db8:7::/64", "2001:db8:7::1:2"),
        ("device", "kashi/7", FAR),
    ],
)
def test_nobody_signs_in_from_there(
    path: tuple[str, str, str], platform: Platform, cast: Cast, incident: str
) -> None:
    """What was opened from there ends, what comes from there is refused; elsewhere all goes on."""
    kind, name, address = path
    device = DEVICE if kind == "device" else ""
    there, elsewhere = _in(cast.staff, address, device), _in(cast.staff, NEAR)
    weight = containment.weigh_block(platform.first.grant, incident, kind, name)
    assert (weight.living, weight.own, weight.unsure) == (1, False, 0)
    assert containment.block_path(platform.first.grant, incident, kind, name, hours=1) == 1
    assert not _holds(there.grant)
    assert _holds(elsewhere.grant)
    with pytest.raises(errors.PathBlocked):
        _in(cast.staff, address, device)
    assert _holds(_in(cast.staff, NEAR).grant)
    (one,) = _standing(incident, platform)
    assert (one.kind, one.by, one.opened_by) == (kind, platform.first.handle, None)
    with pytest.raises(errors.GrantRefused):
        containment.open_path(platform.first.grant, incident, one.block)
    containment.open_path(platform.second.grant, incident, one.block)
    assert _holds(_in(cast.staff, address, device).grant)
    people.end_grants("actor", cast.staff.handle)


def test_each_step_is_on_record_and_no_address_is(
    platform: Platform, cast: Cast, incident: str, module_vault: VaultProcess
) -> None:
    """Weighed, blocked, what ended, what was refused, opened again: by the block's id alone."""
    _in(cast.staff, FAR)
    containment.weigh_block(platform.first.grant, incident, "address", FAR)
    containment.block_path(platform.first.grant, incident, "address", FAR, hours=1)
    for _ in range(3):
        with pytest.raises(errors.PathBlocked):
            _in(cast.staff, FAR)
    (one,) = _standing(incident, platform)
    containment.open_path(None, incident, one.block)
    assert _notes(module_vault, f"block:{one.block}") == [
        ("incident", "blocked:address"),
        ("signout", "ended"),
        ("refused", "path_blocked"),
        ("incident", "opened_again"),
    ]
    assert ("incident", "weighed:address") in _notes(module_vault, f"incident:{incident}")
    assert sql(module_vault, "SELECT 1 FROM vault.ledger_entry WHERE ref LIKE %s", f"%{FAR}%") == []
    held = sql(module_vault, "SELECT sealed FROM vault.path_block WHERE block = %s", one.block)
    assert FAR.encode() not in bytes(held[0][0])


def test_nobody_learns_there_whether_a_password_is_right(
    platform: Platform, cast: Cast, incident: str, module_mail: Sink
) -> None:
    """A right one and a wrong one are refused alike, before either is looked at; a reset is, too."""
    shop = 71
    people.found_shop(shop, "shutout", [member("pia", "owner")])
    password = "ながい合言葉を持つ人の四つの言葉"
    people.password_join(invitation_of(module_mail, "pia@staff.example.jp"), password, session="s1")
    containment.block_path(platform.first.grant, incident, "address", FAR, hours=1)
    for text in (password, "ちがう合言葉のながい四つの言葉です"):
        with pytest.raises(errors.PathBlocked):
            people.password_check(shop, "pia@staff.example.jp", text, address=FAR, session="s2")
    with pytest.raises(errors.PathBlocked):
        resets.reset_begin(shop, "pia@staff.example.jp", address=FAR)
    assert people.password_check(shop, "pia@staff.example.jp", password, address=NEAR, session="s3")
    (one,) = _standing(incident, platform)
    containment.open_path(platform.second.grant, incident, one.block)


def test_an_operator_does_not_shut_herself_out_unseen(platform: Platform, cast: Cast, incident: str) -> None:
    """She is told that she is there; if she says so her own sign-in goes on, and every other one ends."""
    assert cast
    own = platform.first.sign_in(secrets.token_hex(16), FAR).grant
    other = platform.first.sign_in(secrets.token_hex(16), FAR).grant
    weight = containment.weigh_block(own, incident, "address", FAR)
    assert (weight.living, weight.own) == (2, True)
    with pytest.raises(errors.BlocksYourself):
        containment.block_path(own, incident, "address", FAR, hours=1)
    # Signed in elsewhere, she sits there now.
    here = {"address": FAR, "device": ""}
    assert containment.weigh_block(platform.first.grant, incident, "address", FAR, here=here).own
    with pytest.raises(errors.BlocksYourself):
        containment.block_path(platform.first.grant, incident, "address", FAR, hours=1, here=here)
    assert _standing(incident, platform) == []
    assert containment.block_path(own, incident, "address", FAR, hours=1, own=True) == 1
    assert (_holds(own), _holds(other)) == (True, False)
    with pytest.raises(errors.PathBlocked):
        platform.first.sign_in(secrets.token_hex(16), FAR)
    containment.open_path(None, incident, _standing(incident, platform)[0].block)


@pytest.mark.parametrize(
    ("kind", "name", "hours"),
    [
        ("address", "nowhere", 1),
        ("address", "0.0.0.0/0", 1),
        ("address", "::/0", 1),
        ("device", "Moz", 1),
        ("session", "s-1", 1),
        ("address", FAR, 0),
        ("address", FAR, 24 * 90 + 1),
    ],
)
def test_what_is_no_path_is_not_blocked(
    kind: str, name: str, hours: int, platform: Platform, incident: str
) -> None:
    """Nor the whole world, by a slip."""
    with pytest.raises(RuntimeError):
        containment.block_path(platform.first.grant, incident, kind, name, hours=hours)


def test_only_members_block(platform: Platform, cast: Cast, incident: str) -> None:
    """To others there is no incident, and so no block."""
    incidents.change_member(platform.first.grant, incident, platform.second.handle, "barred")
    barred, block = platform.second.grant, "0" * 16
    for act in (
        lambda: containment.weigh_block(barred, incident, "address", FAR),
        lambda: containment.block_path(barred, incident, "address", FAR, hours=1),
        lambda: containment.blocks(barred, incident),
        lambda: containment.open_path(barred, incident, block),
    ):
        with pytest.raises(errors.NoSuchIncident):
            act()
    with pytest.raises(errors.GrantRefused):
        containment.block_path(cast.owner.grant, incident, "address", FAR, hours=1)
    with pytest.raises(errors.NoSuchBlock):
        containment.open_path(None, incident, block)


def test_once_it_is_set_no_sign_in_from_there_is_left(platform: Platform, cast: Cast, incident: str) -> None:
    """Sign-ins under way have their grant by then and it ends, or get none."""

    def until_refused(_: int) -> list[str]:
        grants: list[str] = []
        for _ in range(1_000):
            try:
                grants.append(_in(cast.manager, FAR).grant)
            except errors.PathBlocked:
                return grants
        raise AssertionError("nobody was refused")

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(until_refused, number) for number in range(6)]
        wait_for(lambda: containment.weigh_block(platform.first.grant, incident, "address", FAR).living > 6)
        containment.block_path(platform.first.grant, incident, "address", FAR, hours=1)
        grants = [grant for each in running for grant in each.result()]
    assert len(grants) > 6
    assert not any(_holds(grant) for grant in grants)
    containment.open_path(None, incident, _standing(incident, platform)[0].block)


# -- on a bench


async def _owner(vault: Vault, mail: Sink) -> tuple[dict[str, Any], str]:
    """A shop's owner invited by mail: how the invitation is taken, from FAR."""
    people_of = [{"handle": "aoi", "role": "owner", "staff": None, "name": "葵", "mail": "aoi@a.example"}]
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=people_of)
    return {"session": "s", "address": FAR}, invitation_of(mail, "aoi@a.example")


def test_it_ends_by_itself_and_an_invitation_outlives_it(bench: Bench, mail: Sink) -> None:
    """Refused while it lasts, by invitation, too, which stays unused; an hour later it is good."""

    async def act(vault: Vault) -> None:
        visit, token = await _owner(vault, mail)
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "block_path", incident=incident, kind="address", name=FAR, hours=1)
        passkey = Passkey()
        for last in (False, True):
            bench.clock += HOUR * last
            options = (await ask(vault, "register_begin", invite=token))["options"]
            params = {"invite": token, "response": passkey.create(options), **visit}
            if last:
                assert (await ask(vault, "register_finish", **params))["grant"]
                continue
            with pytest.raises(PathBlocked):
                await ask(vault, "register_finish", **params)

    bench.run(act)


def test_it_takes_a_new_epoch_key_along(bench: Bench) -> None:
    """After the old key is gone the block still holds, and its network is still told."""

    async def act(vault: Vault) -> list[dict[str, Any]]:
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "block_path", incident=incident, kind="address", name=FAR, hours=1)
        await vault.keeping.rotation.begin(What.EPOCH, Path("vault"))
        await vault.keeping.rotation.work()
        found: list[dict[str, Any]] = (await ask(vault, "path_blocks", incident=incident))["blocks"]
        return found

    (one,) = bench.run(act)
    assert one["name"] == FAR


def test_a_block_that_does_not_open_shuts_nobody_out_and_rings(bench: Bench, mail: Sink) -> None:
    """Whoever may write that row could as well have ended it; that it is damaged is a sign."""

    async def act(vault: Vault) -> list[Entry]:
        visit, token = await _owner(vault, mail)
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "block_path", incident=incident, kind="address", name=FAR, hours=1)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.path_block SET sealed = set_byte(sealed, 40, 1)")
        options = (await ask(vault, "register_begin", invite=token))["options"]
        answer = Passkey().create(options)
        assert (await ask(vault, "register_finish", invite=token, response=answer, **visit))["grant"]
        (told,) = (await ask(vault, "path_blocks", incident=incident))["blocks"]
        assert told["name"] == ""
        ledger = vault.record.ledger
        return [entry for _, entry in ledger.entries(0, ledger.size)]

    damaged = [one for one in bench.run(act) if (one.kind, one.note) == ("sign", "damaged")]
    assert len(damaged) == 1


def test_of_a_sign_in_without_a_session_it_cannot_be_told(
    platform: Platform, cast: Cast, incident: str
) -> None:
    """Nothing is kept of where it came from: it is counted, and not left out."""

    def unsure() -> int:
        return containment.weigh_block(platform.first.grant, incident, "address", "203.0.113.77").unsure

    before = unsure()
    cast.staff.sign_in("", "203.0.113.77")
    assert unsure() == before + 1
