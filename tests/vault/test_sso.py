"""Signing in by an organisation's provider: whole ways, through a published provider over HTTP."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from noren_vault import sso_required
from noren_vault.errors import (
    FreshSignInNeeded,
    GrantExpired,
    GrantRefused,
    InviteRefused,
    NoSso,
    PasskeyRefused,
    SsoNoGroup,
    SsoNotTried,
    SsoRefused,
    SsoRequired,
    SsoSetting,
    SsoTaken,
    SsoUnknown,
)
from noren_vault.signin_mails import SigninMails
from noren_vault.vault import Vault
from tests.providers import SECRET, Published, published
from tests.servers import Sink
from tests.vault.cast import SALON, invitation_of
from tests.vault.conftest import Bench, ask
from tests.vault.sso import comes, confirmed, join, joined, set_up, settings

MINUTE = 60_000


@pytest.fixture(scope="module")
def provider() -> Iterator[Published]:
    with published() as one:
        yield one


@pytest.fixture
def here(bench: Bench) -> Bench:
    """The provider's clock is the machine's, so the vault's is, too; and the provider is on this machine."""
    bench.clock = int(time.time() * 1000)
    bench.configured = replace(bench.configured, sso_private=frozenset({"localhost"}))
    return bench


async def entries(vault: Vault) -> list[tuple[str, ...]]:
    """Kind, actor, credential, note of every entry."""
    ledger = vault.record.ledger
    told = [json.loads(payload) for _, payload in ledger.payloads(0, ledger.size)]
    return [(one["kind"], one["actor"], one["credential"], one["note"]) for one in told]


async def whose(vault: Vault, grant: str) -> dict[str, Any]:
    return await ask(vault, "whoami", grant=grant)


def test_who_has_a_group_comes_in_as_what_it_says_and_is_named_in_the_record(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """A first sign-in makes a member with the role of her group; all is on record as one credential."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("yuki", email="yuki@corp.example.jp", name="雪", groups=["desk", "others"])
        ok = await comes(vault, provider, "yuki")
        assert (ok["role"], ok["shop"]) == ("reception", SALON)
        assert ok["actor"]["handle"].startswith("sso-")
        again = await comes(vault, provider, "yuki")
        assert again["actor"] == ok["actor"]
        told = await entries(vault)
        ours = [one for one in told if one[1] == ok["actor"]["handle"]]
        assert [one[0] for one in ours if one[0] != "outcome"] == ["member", "register", "signin", "signin"]
        (credential,) = {one[2] for one in ours}
        assert credential.startswith("oidc-")
        members = (await ask(vault, "members", grant=owner.grant))["members"]
        mine = [one for one in members if one["handle"] == ok["actor"]["handle"]]
        assert [(one["role"], one["joined"]) for one in mine] == [("reception", True)]

    here.run(act)


def test_a_role_follows_the_group_and_without_one_there_is_no_way_in(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """Groups are read at each sign-in: the role of open grants changes, too, and without a group they end."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("rin", email="rin@corp.example.jp", name="凛", groups=["staff", "leads"])
        first = await comes(vault, provider, "rin")
        assert first["role"] == "manager"
        provider.knows("rin", email="rin@corp.example.jp", name="凛", groups=["staff"])
        second = await comes(vault, provider, "rin")
        assert second["role"] == "staff"
        assert (await whose(vault, first["grant"]))["role"] == "staff"
        provider.knows("rin", email="rin@corp.example.jp", name="凛", groups=[])
        with pytest.raises(SsoNoGroup):
            await comes(vault, provider, "rin")
        for grant in (first["grant"], second["grant"]):
            with pytest.raises(GrantExpired):
                await whose(vault, grant)
        told = await entries(vault)
        assert ("member", "role:staff") in [(one[0], one[3]) for one in told]
        assert [one[3] for one in told if one[0] == "refused"] == ["sso_group"]

    here.run(act)


def test_a_mail_address_joins_nobody_to_anybody(here: Bench, mail: Sink, provider: Published) -> None:
    """Who has an owner's mail address at the provider becomes somebody of her own."""

    async def act(vault: Vault) -> None:
        owner, staff = await joined(vault, mail, "owner", "staff")
        await set_up(vault, owner, provider.issuer)
        provider.knows("mallory", email="owner@salon.example.jp", name="店主", groups=["desk"])
        ok = await comes(vault, provider, "mallory")
        assert ok["role"] == "reception"
        assert ok["actor"]["id"] not in {
            (await whose(vault, one.grant))["actor"]["id"] for one in (owner, staff)
        }

    here.run(act)


def test_without_arrivals_only_who_is_bound_comes_in(here: Bench, mail: Sink, provider: Published) -> None:
    """Without arrivals a member binds her account first, and one subject is one account."""

    async def act(vault: Vault) -> None:
        owner, staff = await joined(vault, mail, "owner", "staff")
        await set_up(vault, owner, provider.issuer, arrivals=False)
        provider.knows("mei", email="mei@corp.example.jp", groups=["leads"])
        with pytest.raises(SsoUnknown):
            await comes(vault, provider, "mei")
        assert (await comes(vault, provider, "mei", grant=staff.grant)) == {"linked": True}
        ok = await comes(vault, provider, "mei")
        assert ok["actor"] == (await whose(vault, staff.grant))["actor"]
        assert ok["role"] == "manager"
        with pytest.raises(SsoTaken):
            await comes(vault, provider, "mei", grant=owner.grant)

    here.run(act)


def test_who_binds_an_account_has_just_signed_in(here: Bench, mail: Sink, provider: Published) -> None:
    """A way to bind belongs to the grant that began it, and is begun within five minutes only."""

    async def act(vault: Vault) -> None:
        owner, staff = await joined(vault, mail, "owner", "staff")
        await set_up(vault, owner, provider.issuer)
        provider.knows("kei", email="kei@corp.example.jp", groups=["desk"])
        begun = await ask(vault, "sso_begin", grant=staff.grant)
        answer = provider.signs_in(begun["url"], "kei")
        with pytest.raises(GrantRefused):
            await ask(vault, "sso_finish", flow=begun["flow"], **answer, grant=owner.grant)
        here.clock += 6 * MINUTE
        with pytest.raises(FreshSignInNeeded):
            await ask(vault, "sso_begin", grant=staff.grant)

    here.run(act)


def test_an_invitation_is_used_by_who_signs_in_at_the_provider(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """An invitation is taken by the provider once, whoever else was on the way with it."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer, arrivals=False)
        member = {
            "handle": "sora",
            "role": "staff",
            "staff": "sora",
            "name": "空",
            "mail": "sora@x.example.jp",
        }
        await ask(vault, "add_member", grant=owner.grant, member=member)
        invite = invitation_of(mail, "sora@x.example.jp")
        provider.knows("sora", email="other@corp.example.jp", groups=["staff"])
        begun = await ask(vault, "sso_begin", invite=invite)
        ok = await comes(vault, provider, "sora", invite=invite)
        assert ok["actor"]["handle"] == "sora.salon"
        # The way that was begun before the invitation was used leads nowhere.
        answer = provider.signs_in(begun["url"], "sora")
        with pytest.raises(InviteRefused):
            await ask(vault, "sso_finish", flow=begun["flow"], **answer)

    here.run(act)


def test_an_owner_stays_one_whatever_her_group_and_no_group_makes_one(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """Groups neither make nor unmake an owner."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        with pytest.raises(SsoSetting) as refused:
            await set_up(vault, owner, provider.issuer, roles={"boss": "owner"})
        assert refused.value.facts == {"field": "roles"}
        await set_up(vault, owner, provider.issuer)
        provider.knows("boss", email="boss@corp.example.jp", groups=["desk"])
        await comes(vault, provider, "boss", grant=owner.grant)
        assert (await comes(vault, provider, "boss"))["role"] == "owner"

    here.run(act)


def test_where_it_is_required_there_is_no_other_way_but_the_glass(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """Passkeys, passwords and invitations are refused; an owner's passkey opens, on record, and rings."""

    async def act(vault: Vault) -> None:
        owner, staff = await joined(vault, mail, "owner", "staff")
        await ask(vault, "password_set", grant=staff.grant, password="quite another long sentence")
        await set_up(vault, owner, provider.issuer)
        with pytest.raises(SsoNotTried):
            await set_up(vault, owner, provider.issuer, required=True)
        provider.knows("mio", email="mio@corp.example.jp", groups=["staff"])
        await comes(vault, provider, "mio", grant=staff.grant)
        await set_up(vault, owner, provider.issuer, required=True)
        # What was open by another way is over at once, but the owner's.
        with pytest.raises(GrantExpired):
            await whose(vault, staff.grant)
        await whose(vault, owner.grant)
        with pytest.raises(SsoRequired):
            await staff.sign_in(vault)
        with pytest.raises(SsoRequired):
            await ask(
                vault,
                "password_check",
                shop=SALON,
                mail="staff@salon.example.jp",
                password="quite another long sentence",
            )
        member = {"handle": "new", "role": "staff", "staff": "new", "name": "新", "mail": "new@x.example.jp"}
        await ask(vault, "add_member", grant=owner.grant, member=member)
        invite = invitation_of(mail, "new@x.example.jp")
        with pytest.raises(SsoRequired):
            await join(vault, invite)
        with pytest.raises(SsoRequired):
            await ask(vault, "password_set", invite=invite, password="a sentence that is long enough")
        came = await comes(vault, provider, "mio")
        with pytest.raises(SsoRequired):
            await ask(vault, "password_set", grant=came["grant"], password="a sentence that is long enough")
        provider.knows("new", email="new@corp.example.jp", groups=["staff"])
        assert (await comes(vault, provider, "new", invite=invite))["actor"]["handle"] == "new.salon"
        before = len(mail.messages)
        await owner.sign_in(vault)
        await vault.methods._signin.required.stop()  # what is being written to the owners
        rung = [str(one["Subject"]) for one in mail.messages[before:]]
        assert any("SSO" in one or "organisation" in one for one in rung)
        told = await entries(vault)
        assert "sso:glass_broken" in [one[3] for one in told]
        assert [one[3] for one in told if one[0] == "refused"].count("sso_required") == 5

    here.run(act)


def test_settings_are_an_owners_confirmed_as_they_are(here: Bench, mail: Sink, provider: Published) -> None:
    """A passkey's answer is for the very settings that were shown; the secret is told to nobody."""

    async def act(vault: Vault) -> None:
        owner, manager = await joined(vault, mail, "owner", "manager")
        wanted = settings(provider.issuer)
        with pytest.raises(GrantRefused):
            await ask(vault, "sso_set_begin", grant=manager.grant, sso=wanted)
        with pytest.raises(GrantRefused):
            await ask(vault, "sso", grant=manager.grant)
        options = (await ask(vault, "sso_set_begin", grant=owner.grant, sso=wanted))["options"]
        other = {**wanted, "client_id": "another"}
        with pytest.raises(PasskeyRefused):
            await ask(
                vault, "sso_set_finish", grant=owner.grant, sso=other, response=owner.passkey.get(options)
            )
        await confirmed(vault, owner, wanted)
        told = (await ask(vault, "sso", grant=owner.grant))["sso"]
        assert told == {name: value for name, value in wanted.items() if name != "secret"}
        assert SECRET not in str(await entries(vault))
        # The secret stays where none is given, and not at another provider.
        await confirmed(vault, owner, {**wanted, "secret": "", "arrivals": False})
        with pytest.raises(NoSso):
            await confirmed(vault, owner, {**wanted, "secret": "", "client_id": "another"})
        provider.knows("nao", email="nao@corp.example.jp", groups=["staff"])
        await comes(vault, provider, "nao", grant=manager.grant)
        came = await comes(vault, provider, "nao")
        await confirmed(vault, owner, {})
        with pytest.raises(GrantExpired):
            await whose(vault, came["grant"])
        with pytest.raises(NoSso):
            await ask(vault, "sso_begin", shop=SALON)

    here.run(act)


def test_mail_domains_hold_others_off(here: Bench, mail: Sink, provider: Published) -> None:
    """Only proved addresses of the named domains come in."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer, domains=["corp.example.jp"])
        provider.knows("in", email="in@Corp.example.jp", name="In", groups=["staff"])
        provider.knows("out", email="out@evil.example", name="Out", groups=["staff"])
        provider.knows(
            "unproved", email="x@corp.example.jp", email_verified=False, name="X", groups=["staff"]
        )
        assert (await comes(vault, provider, "in"))["role"] == "staff"
        for sub in ("out", "unproved"):
            with pytest.raises(SsoRefused):
                await comes(vault, provider, sub)

    here.run(act)


def test_two_answers_for_one_person_make_one_member(here: Bench, mail: Sink, provider: Published) -> None:
    """Three answers at once for one subject are one account."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("twin", email="twin@corp.example.jp", name="Twin", groups=["staff"])
        begun = [await ask(vault, "sso_begin", shop=SALON) for _ in range(3)]
        answers = [provider.signs_in(one["url"], "twin") for one in begun]
        came = await asyncio.gather(
            *(
                ask(vault, "sso_finish", flow=one["flow"], **answer)
                for one, answer in zip(begun, answers, strict=True)
            )
        )
        assert len({one["actor"]["id"] for one in came}) == 1

    here.run(act)


def test_a_member_whose_membership_ended_does_not_come_back_by_a_group(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """An owner's ending stands, whatever group there is."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("gone", email="gone@corp.example.jp", name="Gone", groups=["staff"])
        came = await comes(vault, provider, "gone")
        await ask(vault, "end_member", grant=owner.grant, handle=came["actor"]["handle"])
        with pytest.raises(GrantRefused):
            await comes(vault, provider, "gone")

    here.run(act)


def test_another_pepper_and_another_epoch_key_change_nothing(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """Subjects and secrets go along in rotations."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("key", email="key@corp.example.jp", name="Key", groups=["staff"])
        first = await comes(vault, provider, "key")
        for what in ("pepper", "epoch"):
            await ask(vault, "rotate_keys", what=what)
            await vault.keeping.rotation.work()
        assert (await comes(vault, provider, "key"))["actor"] == first["actor"]

    here.run(act)


@pytest.mark.parametrize("waits", [True, False], ids=["as_it_is", "without_the_lock"])
def test_a_sign_in_under_way_does_not_outlive_the_requiring(
    here: Bench, mail: Sink, provider: Published, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """Whoever was let through before it was required is ended by it; the twin shows what the lock is for."""
    if not waits:
        asked = sso_required._ASKED.replace(b" FOR SHARE OF s", b"")
        assert asked != sso_required._ASKED
        monkeypatch.setattr(sso_required, "_ASKED", asked)

    async def act(vault: Vault) -> None:
        owner, staff = await joined(vault, mail, "owner", "staff")
        await set_up(vault, owner, provider.issuer)
        provider.knows("late", email="late@corp.example.jp", groups=["staff"])
        await comes(vault, provider, "late", grant=staff.grant)
        issued, go = asyncio.Event(), asyncio.Event()
        grants = vault.methods._grants
        issue = grants.issue

        async def slowly(*args: Any, **named: Any) -> str:
            token = await issue(*args, **named)
            issued.set()
            await go.wait()
            return token

        monkeypatch.setattr(grants, "issue", slowly)
        coming = asyncio.create_task(staff.sign_in(vault))
        await issued.wait()
        requiring = asyncio.create_task(set_up(vault, owner, provider.issuer, required=True))
        await asyncio.wait({requiring}, timeout=2 if waits else None)
        go.set()
        came, _ = await asyncio.gather(coming, requiring)
        if waits:
            with pytest.raises(GrantExpired):
                await whose(vault, came["grant"])
        else:
            assert (await whose(vault, came["grant"]))["role"] == "staff"

    here.run(act)


def test_at_rest_nobody_is_named_and_an_erasure_takes_the_binding(
    here: Bench, mail: Sink, provider: Published
) -> None:
    """Subject, mail and secret lie sealed; what is forgotten of a person is forgotten here."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, provider.issuer)
        provider.knows("sub-in-clear", email="rest@corp.example.jp", name="Rest", groups=["staff"])
        came = await comes(vault, provider, "sub-in-clear")
        database = vault._databases[0]
        for table in ("vault.sso", "keystore.sso_subject", "vault.actor", "vault.field"):
            rows = await database.rows(f"SELECT t::text, t.* FROM {table} t")  # noqa: S608 - ours
            assert rows
            told = repr(rows).encode() + b"".join(bytes(x) for r in rows for x in r if isinstance(x, bytes))
            for word in (b"sub-in-clear", b"rest@corp", SECRET[:12].encode()):
                assert word not in told
                assert word.hex().encode() not in told
        actor = came["actor"]["id"]
        row = await database.row("SELECT person::text FROM vault.actor WHERE actor = %s", [actor])
        assert row is not None
        async with database.transaction() as connection:
            await SigninMails.forget(connection, SALON, [row[0]])
        assert await database.rows("SELECT 1 FROM keystore.sso_subject") == []

    here.run(act)
