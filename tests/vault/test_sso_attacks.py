"""Signing in by a provider: what is tried against it. A provider of the test's own says what none should."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import OctKey

from noren_vault import outward, sso_provider
from noren_vault.errors import (
    BadRequest,
    CodeRefused,
    GrantExpired,
    SsoAway,
    SsoRefused,
    SsoRequired,
    SsoSetting,
    SsoUnknown,
)
from noren_vault.vault import Vault
from tests.providers import CLIENT, SECRET, Cheat, another_key, cheat
from tests.servers import Sink
from tests.vault.cast import SALON, YOGA
from tests.vault.conftest import Bench, ask
from tests.vault.sso import confirmed, join, joined, set_up, settings
from tests.vault.test_sso import entries, whose

Json = dict[str, Any]
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def liar() -> Iterator[Cheat]:
    with cheat() as one:
        yield one


@pytest.fixture
def here(bench: Bench) -> Bench:
    """The clock is the machine's, and a provider may be on this machine."""
    bench.clock = int(time.time() * 1000)
    bench.configured = replace(bench.configured, sso_private=frozenset({"localhost"}))
    return bench


def asked(url: str) -> dict[str, str]:
    """What a browser is sent to the provider with."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def answered(
    vault: Vault, liar: Cheat, token: Callable[[str], str], answer: Json | None = None, shop: int = SALON
) -> Json:
    """Begin, let the provider have this token for the code, and come back."""
    begun = await ask(vault, "sso_begin", shop=shop)
    query = asked(begun["url"])
    liar.token = token(query["nonce"])
    back = {"state": query["state"], "code": "c", **(answer or {})}
    return await ask(vault, "sso_finish", flow=begun["flow"], **back)


async def _taken(act: Awaitable[Json], name: str) -> None:
    """Do what should be refused, and say which it was when it is not."""
    await act
    pytest.fail(f"{name} was taken")


def _unsigned(claims: Json, alg: str) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": alg, "kid": "one"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def _with_public_key(liar: Cheat, nonce: str) -> str:
    """The old confusion: what everybody may know, taken for a secret. No library signs so any more."""
    public = liar.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = _unsigned(liar.claims(nonce), "HS256").removesuffix(".")
    mac = hmac.digest(public, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _with_own_key_in_head(liar: Cheat, nonce: str) -> str:
    mine = another_key("RSA")
    return liar.sign(liar.claims(nonce), key=mine, head={"jwk": mine.as_dict(private=False)})


LIES: dict[str, Callable[[Cheat, str], str]] = {
    "another_client": lambda liar, nonce: liar.sign(liar.claims(nonce, aud="somebody")),
    "also_another_client": lambda liar, nonce: liar.sign(liar.claims(nonce, aud=[CLIENT, "somebody"])),
    "for_another_party": lambda liar, nonce: liar.sign(liar.claims(nonce, azp="somebody")),
    "no_audience": lambda liar, nonce: liar.sign(liar.claims(nonce, aud=None)),
    "another_issuer": lambda liar, nonce: liar.sign(liar.claims(nonce, iss="https://other.example")),
    "issuer_with_slash": lambda liar, nonce: liar.sign(liar.claims(nonce, iss=f"{liar.issuer}/")),
    "no_issuer": lambda liar, nonce: liar.sign(liar.claims(nonce, iss=None)),
    "expired": lambda liar, nonce: liar.sign(liar.claims(nonce, exp=int(time.time()) - 120)),
    "no_end": lambda liar, nonce: liar.sign(liar.claims(nonce, exp=None)),
    "of_long_ago": lambda liar, nonce: liar.sign(liar.claims(nonce, iat=int(time.time()) - 3600)),
    "of_tomorrow": lambda liar, nonce: liar.sign(liar.claims(nonce, iat=int(time.time()) + 3600)),
    "another_nonce": lambda liar, _: liar.sign(liar.claims("another")),
    "no_nonce": lambda liar, nonce: liar.sign(liar.claims(nonce, nonce=None)),
    "nonce_in_a_list": lambda liar, nonce: liar.sign(liar.claims(nonce, nonce=[nonce])),
    "no_subject": lambda liar, nonce: liar.sign(liar.claims(nonce, sub=None)),
    "empty_subject": lambda liar, nonce: liar.sign(liar.claims(nonce, sub="")),
    "alg_none": lambda liar, nonce: _unsigned(liar.claims(nonce), "none"),
    "alg_None": lambda liar, nonce: _unsigned(liar.claims(nonce), "None"),
    "no_signature": lambda liar, nonce: _unsigned(liar.claims(nonce), "RS256"),
    "hs256_with_the_public_key": _with_public_key,
    "hs256_with_the_secret": lambda liar, nonce: liar.sign(
        liar.claims(nonce), key=OctKey.import_key(SECRET.encode()), alg="HS256"
    ),
    "another_key_of_the_same_name": lambda liar, nonce: liar.sign(liar.claims(nonce), key=another_key("RSA")),
    "its_own_key_in_the_head": _with_own_key_in_head,
    "another_algorithm": lambda liar, nonce: liar.sign(liar.claims(nonce), alg="RS512"),
    "unknown_kid": lambda liar, nonce: liar.sign(liar.claims(nonce), head={"kid": "two"}),
    "kid_that_is_a_path": lambda liar, nonce: liar.sign(
        liar.claims(nonce), head={"kid": "../../../dev/null"}
    ),
    "kid_that_is_sql": lambda liar, nonce: liar.sign(liar.claims(nonce), head={"kid": "' OR 1=1 --"}),
    "changed_after_signing": lambda liar, nonce: _changed(liar.sign(liar.claims(nonce))),
    "not_a_token": lambda *_: "a.b.c",
    "five_parts": lambda *_: "a.b.c.d.e",
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["groups"] = ["leads"]
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


def test_a_token_that_does_not_hold_lets_nobody_in(here: Bench, mail: Sink, liar: Cheat) -> None:
    """Each lie is refused and on record; the same provider, honest, is let in."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        for name, lie in LIES.items():
            told = partial(lie, liar)
            with pytest.raises(SsoRefused):
                await _taken(answered(vault, liar, told), name)
        members = (await ask(vault, "members", grant=owner.grant))["members"]
        assert len(members) == 1
        refused = [one for one in await entries(vault) if one[0] == "refused"]
        assert [one[3] for one in refused] == ["sso"] * len(LIES)
        # The same provider with an honest token: it was the lies that were refused.
        ok = await answered(vault, liar, lambda nonce: liar.sign(liar.claims(nonce)))
        assert ok["role"] == "staff"

    here.run(act)


@pytest.mark.parametrize(("kind", "alg"), [("EC", "ES256"), ("OKP", "EdDSA")])
def test_the_three_algorithms_are_taken(here: Bench, mail: Sink, liar: Cheat, kind: str, alg: str) -> None:
    """Elliptic curves do as well as RSA."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        key = another_key(kind)
        liar.published = [key]
        ok = await answered(vault, liar, lambda nonce: liar.sign(liar.claims(nonce), key=key, alg=alg))
        assert ok["role"] == "staff"

    here.run(act)


def test_an_answer_is_taken_once_and_from_its_own_browser(here: Bench, mail: Sink, liar: Cheat) -> None:
    """Replay, another's flow or state, and what comes too late are refused."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        mine, theirs = [await ask(vault, "sso_begin", shop=SALON) for _ in range(2)]
        query = asked(theirs["url"])
        assert query["state"] != asked(mine["url"])["state"]
        liar.token = liar.sign(liar.claims(query["nonce"]))
        # Login CSRF: somebody else's answer in my browser, or my flow with their state.
        with pytest.raises(SsoRefused):
            await ask(vault, "sso_finish", flow=mine["flow"], state=query["state"], code="c")
        for flow in ("", "AAAA", theirs["flow"][:-4] + "AAAA", "é"):
            with pytest.raises((SsoRefused, BadRequest)):
                await ask(vault, "sso_finish", flow=flow, state=query["state"], code="c")
        await ask(vault, "sso_finish", flow=theirs["flow"], state=query["state"], code="c")
        with pytest.raises(SsoRefused):
            await ask(vault, "sso_finish", flow=theirs["flow"], state=query["state"], code="c")
        here.clock += 11 * 60_000
        late = asked(mine["url"])
        liar.token = liar.sign(liar.claims(late["nonce"]))
        with pytest.raises(SsoRefused):
            await ask(vault, "sso_finish", flow=mine["flow"], state=late["state"], code="c")

    here.run(act)


def test_the_verifier_fits_the_challenge_and_the_secret_is_shown_to_the_issuer_only(
    here: Bench, mail: Sink, liar: Cheat
) -> None:
    """PKCE S256, and client_secret_basic as RFC 6749 spells it."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        begun = await ask(vault, "sso_begin", shop=SALON)
        query = asked(begun["url"])
        liar.token = liar.sign(liar.claims(query["nonce"]))
        await ask(vault, "sso_finish", flow=begun["flow"], state=query["state"], code="the code")
        form = liar.forms[-1]
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == query["code_challenge"]
        assert query["code_challenge_method"] == "S256"
        assert form["redirect_uri"] == query["redirect_uri"] == "http://localhost:8000/sso/back"
        assert form["code"] == "the code"
        assert "client_secret" not in form
        assert base64.b64decode(liar.heads[liar.asked.index("/token")].removeprefix("Basic ")).decode() == (
            "noren:a+secret+of+the+provider%27s%3A+7%25%2B%C3%BC"
        )
        assert SECRET not in begun["url"]
        assert form["code_verifier"] not in begun["flow"]

    here.run(act)


def test_an_answer_of_another_issuer_is_not_taken_for_this_one(here: Bench, mail: Sink, liar: Cheat) -> None:
    """Mix-up: RFC 9207's `iss`, checked when it is given, and asked for where the provider promises it."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)

        def honest(nonce: str) -> str:
            return liar.sign(liar.claims(nonce))

        with pytest.raises(SsoRefused):
            await answered(vault, liar, honest, {"iss": "https://other.example"})
        await answered(vault, liar, honest, {"iss": liar.issuer})
        assert liar.asked.count("/token") == 1
        liar.document = {"authorization_response_iss_parameter_supported": True}
        here.clock += 61 * 60_000
        with pytest.raises(SsoRefused):
            await answered(vault, liar, honest)
        assert liar.asked.count("/token") == 1

    here.run(act)


def test_one_shops_provider_lets_nobody_into_another(here: Bench, mail: Sink, liar: Cheat) -> None:
    """Whoever owns a shop chooses its provider, which may say anything: of its own shop alone."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        (other,) = await joined(vault, mail, "owner", shop=YOGA, slug="yoga")
        await set_up(vault, owner, liar.issuer)
        with cheat() as evil:
            await set_up(vault, other, evil.issuer)
            ok = await answered(vault, liar, lambda nonce: liar.sign(liar.claims(nonce, sub="boss")))
            begun = await ask(vault, "sso_begin", shop=SALON)
            query = asked(begun["url"])
            forged = evil.sign({**evil.claims(query["nonce"], sub="boss"), "iss": liar.issuer})
            liar.token = forged
            with pytest.raises(SsoRefused):
                await ask(vault, "sso_finish", flow=begun["flow"], state=query["state"], code="c")
            came = await answered(
                vault, evil, lambda nonce: evil.sign(evil.claims(nonce, sub="boss")), shop=YOGA
            )
        assert came["shop"] == YOGA
        assert came["actor"] != ok["actor"]

    here.run(act)


def test_unknown_keys_are_asked_for_once_a_minute(here: Bench, mail: Sink, liar: Cheat) -> None:
    """A key rolled over is found; made-up names of keys cost the provider one question a minute."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        new = another_key("RSA", "two")

        def signed(nonce: str) -> str:
            return liar.sign(liar.claims(nonce), key=new, head={"kid": "two"})

        for _ in range(5):
            with pytest.raises(SsoRefused):
                await answered(vault, liar, signed)
        assert liar.asked.count("/jwks") == 1
        liar.published = [liar.key, new]
        here.clock += 61_000
        assert (await answered(vault, liar, signed))["role"] == "staff"
        assert liar.asked.count("/jwks") == 2

    here.run(act)


def test_a_provider_that_hangs_holds_nobody_else(
    here: Bench, mail: Sink, liar: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four wait for it, the others are told at once, and everything else goes on."""
    monkeypatch.setattr(sso_provider, "_SECONDS", 2.0)

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        liar.hangs = True
        waiting = [asyncio.create_task(ask(vault, "sso_begin", shop=SALON)) for _ in range(12)]
        refused = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in refused} == {SsoAway}
        # Four waited; the rest were told at once.
        assert len(liar.asked) == 4
        assert (await whose(vault, owner.grant))["role"] == "owner"
        liar.hangs = False
        liar.hang.set()
        assert (await ask(vault, "sso_begin", shop=SALON))["host"] == f"localhost:{liar.port}"

    here.run(act)


def _redirects(liar: Cheat) -> None:
    liar.status, liar.headers = 302, {"Location": f"{liar.issuer}/elsewhere"}


WRONG: dict[str, Callable[[Cheat], None]] = {
    "another_issuers_document": lambda liar: liar.document.update(issuer="https://other.example"),
    "an_end_that_is_no_address": lambda liar: liar.document.update(token_endpoint="file:///etc/passwd"),
    "an_end_in_the_clear": lambda liar: liar.document.update(token_endpoint="http://example.com/token"),
    "no_keys": lambda liar: liar.document.update(jwks_uri=None),
    "a_redirect": _redirects,
    "not_json": lambda liar: setattr(liar, "body", b"<html>"),
    "a_list": lambda liar: setattr(liar, "body", b"[]"),
    "deep": lambda liar: setattr(liar, "body", b"[" * 100_000),
    "endless": lambda liar: setattr(liar, "body", b" " * 400_000),
    "a_fault": lambda liar: setattr(liar, "status", 500),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_provider_that_is_none_is_away(
    here: Bench, mail: Sink, liar: Cheat, wrong: Callable[[Cheat], None]
) -> None:
    """Documents of others, redirects, endless and broken answers let nobody go there."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        wrong(liar)
        with pytest.raises(SsoAway):
            await ask(vault, "sso_begin", shop=SALON)
        assert "/elsewhere" not in liar.asked

    here.run(act)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://sso.example.jp",
        "http://127.0.0.1:8000",
        "http://[::1]/",
        "file:///etc/passwd",
        "https://user:word@sso.example.jp",
        "https://sso.example.jp?a=b",
        "https://sso.example.jp#a",
        "https://",
        "gopher://sso.example.jp",
        "https://sso.example.jp/\n",
        "https://sso.example.jp/" + "a" * 300,
    ],
    ids=range(11),
)
def test_what_can_be_no_issuer_is_not_taken(here: Bench, mail: Sink, issuer: str) -> None:
    """An issuer is an https address without anything else in it."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        with pytest.raises(SsoSetting):
            await ask(vault, "sso_set_begin", grant=owner.grant, sso=settings(issuer))

    here.run(act)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - somewhere to go, not to listen
        "[::1]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f.1",
    ],
    ids=range(16),
)
def test_the_vault_goes_to_no_address_inside(bench: Bench, mail: Sink, liar: Cheat, host: str) -> None:
    """Without the setting that names it: whatever an owner types, nothing inside is asked."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, f"https://{host}:{liar.port}")
        with pytest.raises(SsoAway):
            await ask(vault, "sso_begin", shop=SALON)
        assert liar.asked == []

    bench.run(act)


def test_an_address_is_looked_at_when_it_is_gone_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may mean another address a moment later: what was looked at is what is connected to."""

    async def act() -> None:
        backend = outward.Backend(frozenset())
        gone: list[str] = []

        async def connect(host: str, *_: Any) -> None:
            gone.append(host)

        monkeypatch.setattr(backend._backend, "connect_tcp", connect)
        told = iter([["93.184.216.34"], ["93.184.216.34", "10.0.0.1"]])

        async def lookup(*_: Any, **__: Any) -> list[Any]:
            return [(0, 0, 0, "", (one, 443)) for one in next(told)]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
        await backend.connect_tcp("sso.example.jp", 443)
        assert gone == ["93.184.216.34"]
        with pytest.raises(SsoAway):
            await backend.connect_tcp("sso.example.jp", 443)
        assert gone == ["93.184.216.34"]

    asyncio.run(act())


def test_settings_that_change_meanwhile_end_the_ways_under_way(here: Bench, mail: Sink, liar: Cheat) -> None:
    """A code for one provider is shown to no other."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        begun = await ask(vault, "sso_begin", shop=SALON)
        query = asked(begun["url"])
        with cheat() as other:
            await set_up(vault, owner, other.issuer)
            with pytest.raises(SsoRefused):
                await ask(vault, "sso_finish", flow=begun["flow"], state=query["state"], code="c")
            assert "/token" not in other.asked + liar.asked

    here.run(act)


def test_a_provider_that_says_somebody_left_ends_her_grants(here: Bench, mail: Sink, liar: Cheat) -> None:
    """OpenID Connect Back-Channel Logout 1.0."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        await set_up(vault, owner, liar.issuer)
        nonces: list[str] = []

        def honest(nonce: str) -> str:
            nonces.append(nonce)
            return liar.sign(liar.claims(nonce))

        came = await answered(vault, liar, honest)
        good = {**liar.claims("x", nonce=None), "jti": "1", "events": {LOGOUT: {}}}
        lies = [
            liar.sign(liar.claims(nonces[0])),
            liar.sign({**good, "nonce": nonces[0]}),
            liar.sign({**good, "events": {"other": {}}}),
            liar.sign({**good, "aud": "other"}),
            liar.sign({**good, "iss": "https://other.example"}),
            liar.sign({name: value for name, value in good.items() if name != "sub"}),
            liar.sign({**good, "exp": int(time.time()) - 120}),
            liar.sign(good, key=another_key("RSA")),
            _unsigned(good, "none"),
        ]
        for lie in lies:
            with pytest.raises(SsoRefused):
                await ask(vault, "sso_logout", shop=SALON, token=lie)
        await whose(vault, came["grant"])
        # A logout token is no ID token either.
        with pytest.raises(SsoRefused):
            await answered(vault, liar, lambda _: liar.sign(good))
        assert await ask(vault, "sso_logout", shop=SALON, token=liar.sign(good)) == {"ended": 1}
        with pytest.raises(GrantExpired):
            await whose(vault, came["grant"])
        await whose(vault, owner.grant)
        assert ("signout", "sso_signed_out") in [(one[0], one[3]) for one in await entries(vault)]

    here.run(act)


def test_an_operators_provider_vouches_and_her_passkey_stays(here: Bench, mail: Sink, liar: Cheat) -> None:
    """The provider alone gives no grant; required, no passkey opens without it."""

    async def act(vault: Vault) -> None:
        operator = await join(vault, (await ask(vault, "invite_operator"))["token"])
        mine = settings(liar.issuer, roles={"ops": "operator"}, arrivals=False)
        await ask(vault, "sso_platform", sso=mine)

        def of(sub: str, *groups: str) -> Callable[[str], str]:
            return lambda nonce: liar.sign(liar.claims(nonce, sub=sub, groups=list(groups)))

        with pytest.raises(SsoUnknown):
            await answered(vault, liar, of("o-1", "ops"), shop=0)
        begun = await ask(vault, "sso_begin", grant=operator.grant)
        query = asked(begun["url"])
        liar.token = of("o-1", "ops")(query["nonce"])
        back = {"flow": begun["flow"], "state": query["state"], "code": "c"}
        assert await ask(vault, "sso_finish", **back, grant=operator.grant) == {"linked": True}
        await ask(vault, "sso_platform", sso={**mine, "required": True})
        with pytest.raises(GrantExpired):
            await whose(vault, operator.grant)
        with pytest.raises(SsoRequired):
            await operator.sign_in(vault)
        vouched = await answered(vault, liar, of("o-1", "ops"), {"session": "s"}, shop=0)
        # No grant yet: it is the passkey that opens, in the same session, and once.
        assert list(vouched) == ["first"]
        ok = await operator.sign_in(vault, first=vouched["first"])
        assert ok["role"] == "operator"
        for first in (vouched["first"], "AAAA"):
            with pytest.raises(CodeRefused):
                await operator.sign_in(vault, first=first)
        assert ("signin", "sso") in [(one[0], one[3]) for one in await entries(vault)]

    here.run(act)


def test_a_shop_owner_cannot_set_the_platforms(here: Bench, mail: Sink, liar: Cheat) -> None:
    """No shop gives the role of an operator."""

    async def act(vault: Vault) -> None:
        (owner,) = await joined(vault, mail, "owner")
        with pytest.raises(SsoSetting):
            await confirmed(vault, owner, settings(liar.issuer, roles={"ops": "operator"}))

    here.run(act)
