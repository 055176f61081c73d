"""Auditors: ids, controls, proofs, evidence; never persons, until a day, and what they ask is on record."""

from datetime import timedelta
from typing import Any

import pytest

from noren import clock, errors, people
from noren.people import powers
from noren.people.powers import Ask
from noren_vault.errors import GrantExpired, GrantRefused, InviteRefused, VaultError
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.vault import Vault
from tests.servers import Sink, VaultProcess
from tests.vault import operators
from tests.vault.authenticator import Passkey
from tests.vault.cast import SALON, Cast, customer, invitation_of, sql
from tests.vault.conftest import Bench, ask
from tests.vault.operators import WHY, Operator, Platform, agreed, two

DAY = 24 * 3_600_000
MARKS = (
    "山田",
    "ヤマダ",
    "hanako0",
    "090-1234",
    "operators.example.jp",
    "auditors.example.jp",
    "192.0.2",
    "青木",
)
OTHERS = ("staff.example.jp",)


@pytest.fixture
def platform(fresh_cast: Cast, vault: VaultProcess, mail: Sink) -> Platform:
    assert fresh_cast
    return operators.found(vault, mail)


async def _audited(
    vault: Vault, bench: Bench, mail: Sink, days: int = 30
) -> tuple[Operator, Operator, Operator]:
    """A shop with customers, two operators, and an auditor."""
    owner = {
        "handle": "aoi",
        "role": "owner",
        "staff": "aoi",
        "name": "青木 葵",
        "mail": "aoi@staff.example.jp",
    }
    await ask(vault, "found_shop", shop=SALON, slug="salon", members=[owner])
    first, second = await two(vault, bench.configured.database_url, mail)
    wanted = {
        "grant": first.grant,
        "what": "invite_auditor",
        "words": WHY,
        "about": "audit",
        "mail": "audit@auditors.example.jp",
        "days": days,
    }
    power = (await ask(vault, "ask_power", **wanted))["power"]
    response = second.passkey.get(
        (await ask(vault, "lend_begin", grant=second.grant, power=power))["options"]
    )
    await ask(vault, "lend_finish", grant=second.grant, power=power, response=response)
    token = invitation_of(mail, "audit@auditors.example.jp")
    auditor = await operators.enrolled(vault, token, bench.configured.database_url)
    return first, second, auditor


# These end the very grant they are asked with; a password guessed at five times does, too.
_ENDING = {"signout", "sessions_end", "not_me", "enter_shop", "confirm_password"}


async def _everything(vault: Vault, grant: str, persons: list[str], passkey: Passkey) -> dict[str, str]:
    """Every method there is, asked with this grant and all that any of them reads; what each answered."""
    told: dict[str, str] = {}
    for method in sorted(set(vault.methods._methods) - _ENDING):
        for purpose in ("own", "support", "incident", "today", "customer"):
            given: dict[str, Any] = {
                "grant": grant, "shop": SALON, "person": persons[0], "persons": persons, "purpose": purpose,
                "fields": ["name", "mail"], "query": "山田", "key": f"k-{method}", "since": 0, "first": 0,
                "until": 2_000_000_000, "count": 256, "size": vault.record.ledger.size, "entries": [],
                "proofs": [], "entry": 1, "what": "support_shop", "words": "x", "minutes": 5, "response": {},
                "power": "0" * 16, "whose": "shop", "name": "leak", "handle": "aoi.salon", "role": "staff",
                "texts": [customer(0)["mail"]], "mail": "x@y.jp", "transfer": "0" * 16, "reason": "asked",
                "rows": 5, "actor": "app", "piece": 0, "session": "s-1", "amount": 5, "request": "0" * 16,
                "named": True, "about": "", "decision": "leave", "message_key": "k", "subject": "{name}",
                "text": "{name}", "values": {}, "code": "123456", "invite": "x", "challenge": "AAAA",
                "password": "a long password that nobody has", "second": "x", "because": "x", "slug": "x",
                "member": {"handle": "x", "role": "staff", "name": "x", "mail": "x@y.jp"}, "members": [],
                "backup": "b",
            }  # fmt: skip
            if method in ("put", "update"):
                given["fields"] = {"name": "新"}
            if method == "scope":
                given = {name: given[name] for name in ("grant", "since", "until", "actor", "shop")}
            if method in ("take_import", "import"):
                given["rows"] = [{"key": "k", "fields": {"name": "新"}}]
            try:
                answer = await vault.methods.answer(
                    Request(method, Params(given)), Peer(uid=4242, admin=False)
                )
            except VaultError as refusal:
                told.setdefault(method, "")
                told[method] += f"{refusal} {refusal.facts}"
            else:
                told[method] = told.get(method, "") + str(answer.ok)
    assert passkey
    return told


def test_no_method_tells_an_auditor_a_word_of_anybody(bench: Bench, mail: Sink) -> None:
    """Every one of the protocol, with all that it could want: ids and numbers come back, and no plaintext.

    Nor to an operator without a power. That the question is well put: the owner is told.
    """

    async def act(vault: Vault) -> None:
        first, _, auditor = await _audited(vault, bench, mail)
        rows = [{"key": f"c{number}", "fields": customer(number)} for number in range(3)]
        persons = list((await ask(vault, "import", shop=SALON, rows=rows))["persons"].values())
        told = await _everything(vault, auditor.grant, persons, auditor.passkey)
        for method, answer in told.items():
            for mark in (*MARKS, *OTHERS, WHY):
                assert mark not in answer, method
        assert persons[0] in told["scope"]
        assert "reveal" in told
        for method, answer in (await _everything(vault, first.grant, persons, first.passkey)).items():
            # Who was invited, and why, is what operators agree to.
            for mark in {*MARKS, *OTHERS} - {"operators.example.jp", "auditors.example.jp"}:
                assert mark not in answer, method
        owner = await operators.enrolled(
            vault, invitation_of(mail, "aoi@staff.example.jp"), bench.configured.database_url
        )
        assert "山田" in (await _everything(vault, owner.grant, persons, owner.passkey))["reveal"]

    bench.run(act)


def test_it_ends_by_itself_on_its_day(bench: Bench, mail: Sink) -> None:
    """The open sign-in, the next one and an unused invitation; then it is written down, once."""

    async def act(vault: Vault) -> None:
        _, _, auditor = await _audited(vault, bench, mail, days=2)
        shown = (await ask(vault, "platform_people", grant=auditor.grant))["people"]
        [ends] = [one["ends"] for one in shown if one["handle"] == "audit.auditor"]
        assert ends == (bench.clock + 2 * DAY) / 1000
        bench.clock += 2 * DAY - 60_000
        options = (await ask(vault, "signin_begin"))["options"]
        entered = await ask(
            vault, "signin_finish", challenge=options["challenge"], response=auditor.passkey.get(options)
        )
        assert (await ask(vault, "whoami", grant=entered["grant"]))["role"] == "auditor"
        bench.clock += 60_000
        with pytest.raises(GrantExpired):
            await ask(vault, "whoami", grant=entered["grant"])
        options = (await ask(vault, "signin_begin"))["options"]
        with pytest.raises(GrantRefused):
            await ask(
                vault, "signin_finish", challenge=options["challenge"], response=auditor.passkey.get(options)
            )
        await vault.powers.tidy()
        await vault.powers.tidy()
        ended = [
            (entry.actor, entry.ref)
            for _, entry in vault.record.ledger.entries()
            if entry.kind == "member" and entry.note == "ended"
        ]
        assert ended == [("vault", "audit.auditor")]

    bench.run(act)


def test_an_invitation_ends_with_its_seat(bench: Bench, mail: Sink) -> None:
    """Who has not joined before the last day joins no more."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        wanted = {"what": "invite_auditor", "words": WHY, "about": "audit", "mail": "a@auditors.example.jp"}
        asked = await ask(vault, "ask_power", grant=first.grant, **wanted, days=1)
        options = (await ask(vault, "lend_begin", grant=second.grant, power=asked["power"]))["options"]
        response = second.passkey.get(options)
        await ask(vault, "lend_finish", grant=second.grant, power=asked["power"], response=response)
        token = invitation_of(mail, "a@auditors.example.jp")
        assert await ask(vault, "register_begin", invite=token)
        bench.clock += DAY
        with pytest.raises(InviteRefused):
            await ask(vault, "register_begin", invite=token)

    bench.run(act)


def test_it_sees_ids_proofs_and_controls_and_that_is_on_record(
    fresh_cast: Cast, platform: Platform, vault: VaultProcess
) -> None:
    """Entries by number and time, proofs, scope, powers without words, what doctor finds."""
    auditor, second = platform.auditor, platform.second
    people.reveal(fresh_cast.staff.grant, people.Purpose.TODAY, fresh_cast.customers[:3], ["name"])
    power = powers.ask_power(platform.first.grant, operators.support())
    assert len(people.entries(auditor.grant, 0, 2)) == 2
    first, found = powers.entries_at(auditor.grant, clock.now() - timedelta(hours=1), 3)
    assert (first, len(found)) == (0, 3)
    [own] = powers.entries_at(auditor.grant, clock.now() + timedelta(hours=1), 3)[1]
    assert b'"actor":"audit.auditor"' in own  # nothing is younger than the asking itself
    assert powers.entry_proof(auditor.grant, 1).startswith("c2sp.org/tlog-proof@v1\n")
    with pytest.raises(errors.NoSuchEntry):
        powers.entry_proof(auditor.grant, 1 << 40)
    now = clock.now()
    scope = people.scope(
        since=now - timedelta(hours=1), until=now + timedelta(hours=1), actor="ren.salon", grant=auditor.grant
    )
    assert {one.person for one in scope.persons} == set(fresh_cast.customers[:3])
    checks = {one.check for one in powers.examine(auditor.grant)}
    assert {"ledger", "break-glass"} <= checks
    told = {one.power: one for one in powers.powers(auditor.grant).all}
    assert (told[power].what, told[power].shop, told[power].words) == ("support_shop", SALON, "")
    handles = {one.handle for one in powers.platform_people(auditor.grant)}
    assert handles == {"first.operator", "kei.operator", "audit.auditor"}
    people.doctor()
    asked = sql(
        vault, "SELECT note, ref FROM vault.ledger_entry WHERE kind = 'scope' AND actor = 'audit.auditor'"
    )
    assert {note for note, _ in asked} == {"entries", "proof", "actor", "doctor"}
    for act in (
        lambda: powers.ask_power(auditor.grant, operators.support()),
        lambda: powers.lend_begin(auditor.grant, power),
        lambda: powers.review_power(auditor.grant, power, "x"),
        lambda: people.trace(["x"], grant=auditor.grant),
        lambda: people.keys(auditor.grant),
    ):
        with pytest.raises(errors.GrantRefused):
            act()
    # An auditor is ended as an operator is.
    agreed(
        second,
        powers.ask_power(platform.first.grant, Ask(what="end_member", words="終了", about="audit.auditor")),
    )
    with pytest.raises((errors.GrantExpired, errors.GrantRefused)):
        people.whoami(auditor.grant)


def test_the_last_operator_stays(platform: Platform, vault: VaultProcess) -> None:
    """Two may become one; who is not there cannot be ended, who is there not be invited again."""
    first, second = platform.first, platform.second
    with pytest.raises(errors.NoSuchMember):
        powers.ask_power(first.grant, Ask(what="end_member", words="x", about="nobody.operator"))
    with pytest.raises(errors.InviteRefused):
        powers.ask_power(
            first.grant, Ask(what="invite_operator", words="x", about="kei", mail="other@example.jp")
        )
    with pytest.raises(errors.InviteRefused):
        people.invite_operator(name="other")
    operators.broken(first, Ask(what="end_member", words="x", about=second.handle))
    with pytest.raises(errors.LastOperator):
        operators.broken(first, Ask(what="end_member", words="x", about=first.handle))
    assert people.whoami(first.grant)
