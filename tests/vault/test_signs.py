"""Signs: seen once, counted again, rung until somebody takes them; reports from outside; incidents' files."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from noren.runtime import databases, env, migrate
from noren_vault import commitments
from noren_vault.errors import (
    BadField,
    BadRequest,
    GrantRefused,
    NoSuchFile,
    NoSuchIncident,
    NoSuchSign,
    RecordDamaged,
    SignOver,
    TooMuch,
)
from noren_vault.hook import Alarm
from noren_vault.ledger import Entry
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.providers import KeysUnavailable
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.sightings import REFUSALS, REFUSALS_MS, Sightings
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.cast import SALON
from tests.vault.conftest import Bench, ask
from tests.vault.operators import two

MINUTE, DAY = 60_000, 86_400_000
WORDS = "予約の番号を変えると、ほかの人の名前が見えます"
MAIL = "mitsuketa@kenkyu.example"
KEY = "a" * 32
WHY = json.dumps({"title": "外からの通報"})
FACT = json.dumps({"text": "通報があった"})
SECRET = b"x" * 32


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


async def _seen(vault: Vault, number: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Wait until so many signs are there."""
    for _ in range(200):
        found: list[dict[str, Any]] = (await ask(vault, "signs", **more))["signs"]
        if len(found) >= number:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("no sign was seen")


async def _report(vault: Vault, key: str = KEY, **more: Any) -> str:
    """As the web process asks for somebody who has no grant."""
    params = {"key": key, "text": WORDS, "mail": MAIL, "files": [], "session": "s", "address": "192.0.2.1"}
    answer = await vault.methods.answer(Request("report", Params(params | more)), Peer(uid=1000, admin=False))
    return str(answer.ok["sign"])


def _file(content: bytes = b"2026-11-28T03:00:00Z GET /name\n", **more: Any) -> dict[str, Any]:
    return {"name": "access.log", "content": base64.b64encode(content).decode(), **more}


def _bodies(mail: Sink, to: str) -> list[str]:
    parts = [one.get_body(("plain",)) for one in mail.messages if one["To"] == to]
    return [one.get_content() for one in parts if one is not None]


@dataclass
class Receiver:
    """A server that an alarm is posted to; answers with `status`."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A real one, on this machine."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(told.status)
            self.send_header("Location", told.url)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://localhost:{server.server_port}/alarm"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- what is a sign


def test_refusals_are_a_sign_in_number_and_a_slip_at_signing_in_never_is() -> None:
    """Ten in ten minutes by one credential; wrong passwords are the defence's matter."""
    seen = Sightings()

    def refused(index: int, at: int, note: str = "grant", credential: str = "pk-1") -> object:
        entry = replace(Entry(kind="refused", credential=credential, note=note), time=at)
        return seen.of(index, entry)

    assert [refused(n, n) for n in range(REFUSALS - 1)] == [None] * (REFUSALS - 1)
    assert refused(9, 9, credential="pk-2") is None
    found = refused(10, 10)
    assert found is not None
    assert [refused(n, 10 + n * REFUSALS_MS) for n in range(1, 30)] == [None] * 29
    assert [refused(n, n, "password", "pk-3") for n in range(50)] == [None] * 50


@pytest.mark.parametrize(
    ("entry", "source", "same"),
    [
        (Entry(kind="refused", actor="aoi", shop=1, note="budget:held"), "vault", "budget:aoi/1"),
        (Entry(kind="door", session="pg-app-1", note="stranger"), "door", "door:pg-app-1"),
        (Entry(kind="sign", note="attack"), "vault", "attack:attack"),
        (Entry(kind="sign", note="not_me", ref="session-1"), "person", "not_me:session-1"),
        (Entry(kind="sign", note="damaged", shop=3), "vault", "damaged:3"),
        (Entry(kind="sign", note="canary", ref="export:1"), "outside", "canary:export:1"),
        (Entry(kind="repair"), "ledger", "repaired:7"),
        (Entry(kind="witness", note="forked"), "ledger", "forked:ledger"),
    ],
)
def test_what_the_ledger_says_of_it_is_a_sign(entry: Entry, source: str, same: str) -> None:
    """Each with where it comes from, and what makes it the same again."""
    found = Sightings().of(7, entry)
    assert found is not None
    assert (found.source, found.same) == (source, same)


def test_what_is_nothing_amiss_is_no_sign() -> None:
    """An end of a session, a reason for it, what an owner was told of, a ring."""
    quiet = [
        Entry(kind="door", session="pg-app-1", note="ended"),
        Entry(kind="door", session="pg-app-1", note="explained"),
        Entry(kind="sign", note="new_device"),
        Entry(kind="sign", note="rung", ref="sign:1/1"),
        Entry(kind="intent"),
    ]
    assert [Sightings().of(1, one) for one in quiet] == [None] * len(quiet)


# -- seeing and ringing


async def _damage(vault: Vault, shop: int = 1) -> None:
    await vault.record.damaged(shop, [])


def test_the_same_again_is_counted_and_not_rung_again(bench: Bench, mail: Sink) -> None:
    """It rings everybody once; another is another; after it was dismissed the same is a new one."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        mail.messages.clear()
        await _damage(vault)
        (one,) = await _seen(vault)
        for _ in range(3):
            await _damage(vault)
        await _damage(vault, shop=2)
        await _seen(vault, 2)
        for _ in range(100):
            (one,) = [s for s in (await ask(vault, "signs"))["signs"] if s["facts"].get("shop") == "1"]
            if one["times"] == 4:
                break
            await asyncio.sleep(0.05)
        assert (one["source"], one["what"], one["times"], one["state"]) == ("vault", "damaged", 4, "new")
        # What is stored is there a moment before its bell hangs.
        await vault.aftermath.signs.signs.ring_due()
        await vault.aftermath.signs.signs.bells.ring()
        assert len(mail.messages) == 2  # two signs; the first operator has no address
        await ask(vault, "dismiss_sign", grant=first.grant, sign=one["sign"], because="試験で壊した")
        await _damage(vault)
        found = await _seen(vault, 3, grant=second.grant)
        assert [s["because"] for s in found if s["state"] == "dismissed"] == ["試験で壊した"]

    bench.run(act)


def test_what_was_seen_before_a_crash_is_seen_after_it(bench: Bench) -> None:
    """The place in the ledger is kept only when all before it is stored."""

    async def seen(vault: Vault) -> None:
        await vault.aftermath.signs.signs.stop()
        await _damage(vault)

    async def after(vault: Vault) -> None:
        (one,) = await _seen(vault)
        assert (one["what"], one["times"]) == ("damaged", 1)

    bench.run(seen)
    bench.run(after)
    bench.run(after)


def test_it_rings_again_with_growing_waits_until_somebody_takes_it(bench: Bench, mail: Sink) -> None:
    """At once, after 15, 30, 60 minutes; each ring is on the ledger; taken, it is quiet."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        mail.messages.clear()
        signs = vault.aftermath.signs.signs
        sign = (await ask(vault, "tell_sign", grant=first.grant, text="鍵の束がない"))["sign"]
        for minutes, rung in ((14, 1), (1, 2), (29, 2), (1, 3), (59, 3), (1, 4)):
            bench.clock += minutes * MINUTE
            await signs.ring_due()
            told = await ask(vault, "sign", sign=sign)
            assert (told["rung"], len(told["rings"])) == (rung, rung), minutes
        await signs.bells.ring()
        await ask(vault, "take_sign", sign=sign)
        bench.clock += DAY
        assert await signs.ring_due() == 0
        told = await ask(vault, "sign", sign=sign)
        assert (told["state"], told["rung"]) == ("taken", 4)
        assert [one["mailed"] for one in told["rings"]] == [1, 1, 1, 1]
        await vault.index.reach(vault.record.ledger.size, 10.0)

    bench.run(act)
    notes = _rows(
        bench, "SELECT ref FROM vault.ledger_entry WHERE kind = 'sign' AND note = 'rung' ORDER BY 1"
    )
    assert [ref.rpartition("/")[2] for (ref,) in notes] == ["1", "2", "3", "4"]
    bodies = "".join(b.get_content() for m in mail.messages if (b := m.get_body(("plain",))) is not None)
    assert "/operations/signs/" in bodies
    assert "鍵の束" not in bodies


def test_a_mail_server_that_is_away_is_tried_again(bench: Bench, mail: Sink) -> None:
    """What could not be handed over still hangs."""

    async def act(vault: Vault) -> None:
        await two(vault, bench.configured.database_url, mail)
        mail.messages.clear()
        mail.refuse = "451 later"
        await ask(vault, "tell_sign", text="x")
        await vault.aftermath.signs.signs.bells.ring()
        assert mail.messages == []
        mail.refuse = None
        bench.clock += MINUTE
        await vault.aftermath.signs.signs.bells.ring()
        assert len(mail.messages) == 1

    bench.run(act)


def test_an_alarm_outside_is_posted_signed_and_thin(bench: Bench) -> None:
    """A receiver checks it by the Standard Webhooks; refused or led elsewhere it is posted again later."""
    with receiving() as there:
        bench.configured = replace(bench.configured, alarm=Alarm(there.url, SECRET, frozenset({"localhost"})))

        async def act(vault: Vault) -> None:
            hook = vault.aftermath.signs.signs._hook
            there.status = 307
            sign = (await ask(vault, "tell_sign", text="秘密の話"))["sign"]
            await hook.ring()
            assert len(there.got) == 1
            await hook.ring()
            assert len(there.got) == 1, "not before its wait is over"
            there.status = 204
            bench.clock += MINUTE
            await hook.ring()
            bench.clock += DAY
            await hook.ring()
            assert len(there.got) == 2
            (ring,) = (await ask(vault, "sign", sign=sign))["rings"]
            assert ring["hooked"] == bench.clock - DAY
            headers, body = there.got[1]
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == f"v1,{mac}"
            assert headers["webhook-id"] == f"sign_{sign}_1" == there.got[0][0]["webhook-id"]
            told = json.loads(body)
            assert told["data"] == {
                "sign": sign,
                "source": "person",
                "kind": "told",
                "ring": 1,
                "first_seen": told["timestamp"],
                "link": f"http://localhost:8000/operations/signs/{sign}",
            }

        bench.run(act)


def test_an_alarm_goes_to_no_address_inside(bench: Bench) -> None:
    """Unless the one who runs the installation has named the host."""
    with receiving() as there:
        bench.configured = replace(bench.configured, alarm=Alarm(there.url, SECRET))

        async def act(vault: Vault) -> None:
            await ask(vault, "tell_sign", text="x")
            await vault.aftermath.signs.signs._hook.ring()
            assert there.got == []

        bench.run(act)


# -- from outside


def test_a_report_is_sealed_rung_and_acknowledged(bench: Bench, mail: Sink) -> None:
    """One form is one report; her words, address and file lie nowhere readable; each look is on record."""

    async def act(vault: Vault) -> str:
        first, _ = await two(vault, bench.configured.database_url, mail)
        mail.messages.clear()
        sign = await _report(vault, files=[_file()])
        assert await _report(vault, files=[_file()]) == sign
        told = await ask(vault, "sign", grant=first.grant, sign=sign)
        assert (told["text"], told["mail"], told["source"]) == (WORDS, MAIL, "outside")
        assert "salt" not in told["facts"]
        (one,) = told["files"]
        opened = await ask(vault, "sign_file", grant=first.grant, sign=sign, file=one["file"])
        assert base64.b64decode(opened["content"]).startswith(b"2026-11-28T03:00:00Z")
        with pytest.raises(NoSuchFile):
            await ask(vault, "sign_file", grant=first.grant, sign=sign, file="0" * 16)
        await vault.aftermath.signs.signs.bells.ring()
        (receipt,) = _bodies(mail, MAIL)
        assert sign in receipt
        assert WORDS not in receipt
        assert len(mail.messages) == 2  # hers, and the operator's
        await vault.record.settle()
        await vault.index.reach(vault.record.ledger.size, 10.0)
        return sign

    sign = bench.run(act)
    dump = "".join(
        str(_rows(bench, f"SELECT t::text FROM vault.{table} t"))  # noqa: S608 - a list of ours
        for table in ("sign", "sign_ring", "sign_bell", "evidence", "evidence_piece", "ledger_entry", "field")
    )
    entries = b"".join(path.read_bytes() for path in bench.configured.ledger.rglob("*") if path.is_file())
    for secret in (WORDS, MAIL, "GET /name", "access.log"):
        assert secret not in dump
        assert secret.encode() not in entries
    # Her address was told: a scope of the operator's session finds it.
    ((fields, ref, outcome),) = _rows(
        bench, "SELECT fields, ref, outcome FROM vault.ledger_entry WHERE kind = 'intent'"
    )
    assert ref == f"sign:{sign}"
    assert fields == ["mail"]
    assert outcome == "released"


def test_a_report_that_is_too_much_or_cannot_be_is_refused(bench: Bench) -> None:
    """Nothing of it is stored."""

    async def act(vault: Vault) -> None:
        for wrong, why in (
            ({"mail": "nobody"}, BadField),
            ({"files": [_file(b"x" * (3 << 20))] * 2}, TooMuch),
            ({"files": [_file()] * 4}, TooMuch),
            ({"text": "   "}, BadRequest),
            ({"key": "../x"}, BadRequest),
        ):
            with pytest.raises(why):
                await _report(vault, **wrong)

    bench.run(act)
    assert _rows(bench, "SELECT count(*) FROM vault.sign") == [(0,)]


def test_many_reports_at_once_ring_later_and_are_never_dropped(bench: Bench) -> None:
    """The eleventh of an hour is listed at once, and rung when the hour is over."""

    async def act(vault: Vault) -> None:
        for number in range(11):
            bench.clock += 1
            await _report(vault, key=f"{number:032x}", mail="", address=f"192.0.{number}.1")
        found = await _seen(vault, 11)
        assert sorted(one["rung"] for one in found) == [0] + [1] * 10
        bench.clock += 60 * MINUTE
        await vault.aftermath.signs.signs.ring_due()
        assert min(one["rung"] for one in await _seen(vault, 11)) == 1

    bench.run(act)


def test_whose_report_was_dismissed_is_forgotten_after_a_month(bench: Bench, mail: Sink) -> None:
    """Person and address are gone; the words stay, as a dismissal has to be understood."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        sign = await _report(vault)
        await ask(vault, "dismiss_sign", grant=first.grant, sign=sign, because="再現しない")
        bench.clock += 29 * DAY
        await vault.aftermath.signs.reports.tidy()
        assert (await ask(vault, "sign", sign=sign))["mail"] == MAIL
        bench.clock += 2 * DAY
        await vault.aftermath.signs.reports.tidy()
        told = await ask(vault, "sign", sign=sign)
        assert (told["mail"], told["text"]) == ("", WORDS)

    bench.run(act)
    assert _rows(bench, "SELECT state FROM vault.person WHERE kind = 'reporter'") == [("erased",)]
    assert _rows(
        bench, "SELECT count(*) FROM vault.field f JOIN vault.person p USING (person) WHERE kind = 'reporter'"
    ) == [(0,)]


# -- the doctor, of reports

OTHER = (b"2026-11-28T04:00:00Z GET /mail\n", b"2026-11-28T05:00:00Z GET /phone\n")
SWAPPED = (
    "UPDATE vault.sign s SET sealed = o.sealed FROM vault.sign o WHERE s.sign <> o.sign "
    "AND s.what = 'report' AND o.what = 'report'"
)
ROLLED_BACK = "UPDATE vault.sign SET sealed = decode('{older}', 'hex') WHERE sign = '{sign}'"
FEWER = (
    "DELETE FROM vault.evidence_piece WHERE file = (SELECT min(file) FROM vault.evidence); "
    "DELETE FROM vault.evidence WHERE file = (SELECT min(file) FROM vault.evidence)"
)
TAKEN_OUT = (
    "DELETE FROM vault.sign_bell; DELETE FROM vault.sign_ring; DELETE FROM vault.evidence_piece; "
    "DELETE FROM vault.evidence; DELETE FROM vault.sign WHERE sign = '{sign}'"
)


async def _finding(vault: Vault) -> dict[str, Any]:
    await vault.record.settle()
    await vault.index.reach(vault.record.ledger.size, 10.0)
    found = (await ask(vault, "doctor"))["findings"]
    told: dict[str, Any] = next(one for one in found if one["check"] == "reports")
    return told


def _spoil(bench: Bench, statements: str) -> None:
    """As whoever has the database itself may, beside the vault."""
    side = migrate.vault_side(env.read())
    words = side.migrator | {"dbname": str(conninfo_to_dict(bench.configured.database_url)["dbname"])}
    with psycopg.connect(databases.url(words, become=side.owner), autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (SWAPPED, "sign:{sign}"),
        ("UPDATE vault.evidence SET sealed = sealed || 'x'::bytea", "sign:{sign}"),
        (FEWER, "sign:{sign}"),
        ("DELETE FROM vault.evidence_piece", "file:"),
        ("UPDATE vault.evidence_piece SET sealed = sealed || 'x'::bytea", "file:"),
        (TAKEN_OUT, "sign:{sign}"),
        ("UPDATE vault.sign SET times = times", ""),
    ],
)
def test_the_doctor_finds_a_report_that_is_not_as_it_came(bench: Bench, spoil: str, named: str) -> None:
    """Words, files or the whole of it changed in the database: named before anybody reads it."""

    async def act(vault: Vault) -> None:
        sign = await _report(vault, files=[_file(one) for one in OTHER])
        await _report(vault, key="b" * 32, mail="")
        assert await _finding(vault) == {"check": "reports", "ok": True, "detail": "every report as it came"}
        _spoil(bench, spoil.format(sign=sign))
        told = await _finding(vault)
        assert told["ok"] is not bool(named)
        assert named.format(sign=sign) in told["detail"]

    bench.run(act)


def test_the_doctor_knows_a_report_whose_address_was_erased(bench: Bench, mail: Sink) -> None:
    """What is left is committed to anew, and what was there before does not pass for it."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        sign = await _report(vault, files=[_file(one) for one in OTHER])
        await ask(vault, "dismiss_sign", grant=first.grant, sign=sign, because="再現しない")
        ((older,),) = _rows(bench, f"SELECT encode(sealed, 'hex') FROM vault.sign WHERE sign = '{sign}'")  # noqa: S608 - our own id
        bench.clock += 31 * DAY
        await vault.aftermath.signs.reports.tidy()
        assert (await ask(vault, "sign", sign=sign))["mail"] == ""
        assert (await _finding(vault))["ok"]
        _spoil(bench, ROLLED_BACK.format(older=older, sign=sign))
        assert sign in (await _finding(vault))["detail"]

    bench.run(act)


def test_a_report_that_was_cut_off_is_none(bench: Bench) -> None:
    """Its entry is there and its row never came; it comes again and is one."""

    async def act(vault: Vault) -> None:
        _spoil(bench, "ALTER TABLE vault.sign ADD CONSTRAINT cut CHECK (what <> 'report')")
        with pytest.raises(psycopg.Error):
            await _report(vault)
        assert (await _finding(vault))["ok"]
        _spoil(bench, "ALTER TABLE vault.sign DROP CONSTRAINT cut")
        await _report(vault)
        assert (await _finding(vault))["ok"]

    bench.run(act)


def test_what_came_while_the_doctor_looked_is_no_finding(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were read, then a report came with its entry: looked at again it is whole."""
    broken = commitments.broken

    async def act(vault: Vault) -> None:
        async def late(*given: Any) -> list[str]:
            if given[2] != "sign":
                return await broken(*given)
            monkeypatch.setattr(commitments, "broken", broken)
            await _report(vault)
            await vault.index.reach(vault.record.ledger.size, 10.0)
            found = await broken(*given)  # with the rows of before
            assert len(found) == 1
            return found

        monkeypatch.setattr(commitments, "broken", late)
        for check in (await ask(vault, "doctor"))["findings"]:
            assert check["ok"] or check["check"] not in ("reports", "incidents")
        assert len(await _seen(vault)) == 1

    bench.run(act)


# -- incidents and their files


def test_a_sign_becomes_part_of_an_incident_for_its_members(bench: Bench, mail: Sink) -> None:
    """A fact in the book; its files are the incident's; to who is no member it is gone."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        sign = await _report(vault, files=[_file()])
        told = {"sign": sign, "opened": WHY, "words": FACT}
        incident = (await ask(vault, "join_sign", grant=first.grant, **told))["incident"]
        book = await ask(vault, "incident", grant=first.grant, incident=incident)
        assert [(one["kind"], one["words"]) for one in book["records"]] == [("opened", WHY), ("fact", FACT)]
        (one,) = (await ask(vault, "evidence_list", grant=first.grant, incident=incident))["files"]
        await ask(vault, "evidence_open", grant=first.grant, incident=incident, file=one["file"])
        with pytest.raises(SignOver):
            await ask(vault, "join_sign", grant=first.grant, **told)
        with pytest.raises(SignOver):
            await ask(vault, "take_sign", grant=first.grant, sign=sign)
        assert (await ask(vault, "signs", grant=second.grant))["signs"] == []
        for method in ("sign", "take_sign"):
            with pytest.raises(NoSuchSign):
                await ask(vault, method, grant=second.grant, sign=sign)
        with pytest.raises(NoSuchSign):
            await ask(vault, "sign_file", grant=second.grant, sign=sign, file=one["file"])
        with pytest.raises(NoSuchIncident):
            await ask(vault, "evidence_open", grant=second.grant, incident=incident, file=one["file"])

    bench.run(act)


def test_a_file_is_taken_by_its_hash_and_opened_whole(bench: Bench, mail: Sink) -> None:
    """In several pieces; its hash is on the ledger and in the book; too large is refused; swapped is seen."""
    content = b"".join(b"2026-11-28T03:%02d:00Z line\n" % (n % 60) for n in range(20_000))
    sha256 = hashlib.sha256(content).hexdigest()

    async def act(vault: Vault) -> tuple[str, str]:
        first, second = await two(vault, bench.configured.database_url, mail)
        incident = (await ask(vault, "open_incident", grant=first.grant, words=WHY))["incident"]
        given = {"incident": incident, "file": _file(content, source="IdP", skew=-90), "words": "{}"}
        took = await ask(vault, "evidence_take", grant=first.grant, **given)
        assert took["sha256"] == sha256
        with pytest.raises(NoSuchIncident):
            await ask(vault, "evidence_take", grant=second.grant, **given)
        large = given | {"file": _file(b"x" * ((4 << 20) + 1))}
        with pytest.raises(TooMuch):
            await ask(vault, "evidence_take", grant=first.grant, **large)
        (listed,) = (await ask(vault, "evidence_list", grant=first.grant, incident=incident))["files"]
        assert (listed["name"], listed["source"], listed["skew"]) == ("access.log", "IdP", -90)
        opened = await ask(vault, "evidence_open", incident=incident, file=took["file"])
        assert base64.b64decode(opened["content"]) == content
        book = await ask(vault, "incident", incident=incident)
        assert json.loads(book["records"][-1]["words"])["sha256"] == sha256
        await vault.index.reach(vault.record.ledger.size, 30)
        return incident, took["file"]

    incident, file = bench.run(act)
    assert _rows(bench, "SELECT count(*) > 3 FROM vault.evidence_piece") == [(True,)]
    assert _rows(bench, "SELECT ref FROM vault.ledger_entry WHERE note = 'file'") == [
        (f"file:{file}/sha256:{sha256}",)
    ]

    async def found(vault: Vault) -> dict[str, Any]:
        findings = {one["check"]: one for one in (await ask(vault, "doctor"))["findings"]}
        return dict(findings["evidence"])

    async def refused(vault: Vault) -> None:
        with pytest.raises(RecordDamaged):
            await ask(vault, "evidence_open", incident=incident, file=file)

    assert bench.run(found)["ok"]
    for spoilt in (
        "UPDATE vault.evidence_piece SET number = 99 WHERE number = 0 RETURNING 1",
        "UPDATE vault.evidence_piece SET number = 0, sealed = '\\x00' WHERE number = 99 RETURNING 1",
    ):
        assert _rows(bench, spoilt) == [(1,)]
        told = bench.run(found)
        assert (told["ok"], file in told["detail"]) == (False, True)
        bench.run(refused)


def test_only_operators_and_an_administrator_deal_with_signs(bench: Bench) -> None:
    """The web process alone may hand a report in, and nothing else."""

    async def act(vault: Vault) -> None:
        await vault.record.write("door", Path(""), note="stranger", ref="app/started:1")
        for method in ("signs", "sign", "take_sign", "tell_sign", "found_sign", "evidence_list"):
            asked = Request(method, Params({"sign": "0" * 16, "text": "x", "incident": "x"}))
            with pytest.raises(GrantRefused):
                await vault.methods.answer(asked, Peer(uid=1000, admin=False))

    bench.run(act)


def test_a_new_epoch_key_takes_signs_and_files_along(bench: Bench) -> None:
    """Words, what is said of a file and its pieces are readable after it; nothing lies under the old."""
    content = bytes(300_000)

    async def act(vault: Vault) -> None:
        sign = await _report(vault, mail="", files=[_file(content)])
        rotation = vault.keeping.rotation
        await rotation.begin(What.EPOCH, Path("vault"))
        await rotation.work()
        told = await ask(vault, "sign", sign=sign)
        opened = await ask(vault, "sign_file", sign=sign, file=told["files"][0]["file"])
        assert (told["text"], base64.b64decode(opened["content"])) == (WORDS, content)

    bench.run(act)
    keys = _rows(
        bench,
        "SELECT DISTINCT substring(sealed FROM 2 FOR 4) FROM (SELECT sealed FROM vault.sign "
        "UNION ALL SELECT sealed FROM vault.evidence UNION ALL SELECT sealed FROM vault.evidence_piece) s",
    )
    assert len(keys) == 1
    assert _rows(bench, "SELECT count(*) FROM vault.rotation WHERE ended_at IS NULL") == [(0,)]


def test_the_list_tells_no_address_and_one_sign_names_whose_it_tells(bench: Bench, mail: Sink) -> None:
    """Scope finds whoever reported by who read her address: the list has it not, the sign is an entry."""

    async def act(vault: Vault) -> None:
        await two(vault, bench.configured.database_url, mail)
        sign = await _report(vault)
        (listed,) = (await ask(vault, "signs"))["signs"]
        assert listed["text"] == WORDS
        assert listed["reported"]
        assert MAIL not in str(listed)
        assert (await ask(vault, "sign", sign=sign))["mail"] == MAIL

    bench.run(act)


def test_a_sign_that_is_taken_while_keys_change_stays_under_the_new_one(bench: Bench, mail: Sink) -> None:
    """What was read before a rotation came by is not written back over what it sealed."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        sign = (await ask(vault, "tell_sign", grant=first.grant, text=WORDS))["sign"]
        signs, rotation = vault.aftermath.signs.signs, vault.keeping.rotation
        found = signs._one_for

        async def slowly(*asked: Any, **more: Any) -> Any:
            row = await found(*asked, **more)
            if not rotated:
                rotated.append(await rotation.begin(What.EPOCH, Path("vault")))
                await rotation.work()
            return row

        rotated: list[int] = []
        signs._one_for = slowly  # type: ignore[method-assign]
        await ask(vault, "take_sign", grant=first.grant, sign=sign)
        assert rotated
        await rotation.work()
        assert (await rotation.status())[0]["ended"] is not None
        (again,) = (await ask(vault, "signs"))["signs"]
        assert (again["state"], again["text"]) == ("taken", WORDS)
        under = "SELECT substring(sealed FROM 2 FOR 4) IN (SELECT id FROM keystore.epoch) FROM vault.sign"
        assert _rows(bench, under) == [(True,)]

    bench.run(act)


def test_a_sign_that_does_not_open_keeps_nobodys_address_and_holds_nothing_up(
    bench: Bench, mail: Sink
) -> None:
    """After its month whoever reported is erased, damaged or not, and what else is due is done."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        for number, key in enumerate(("a" * 32, "b" * 32)):
            sign = await _report(vault, key, mail=f"one{number}@kenkyu.example", address=f"192.0.2.{number}")
            await ask(vault, "dismiss_sign", grant=first.grant, sign=sign, because="二重")
        statement = "UPDATE vault.sign SET sealed = sealed || '\\x00' WHERE same = 'report:" + "a" * 32 + "'"
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(statement.encode())
        bench.clock += 31 * DAY
        await vault.tidy()
        assert _rows(bench, "SELECT state FROM vault.person WHERE kind = 'reporter'") == [("erased",)] * 2

    bench.run(act)


def test_what_one_round_cannot_do_holds_nothing_else_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever unwraps the keys is away, a record is damaged: the round goes on, and so do those after it."""

    async def act(vault: Vault) -> None:
        async def away() -> int:
            raise KeysUnavailable("not there")

        async def damaged() -> None:
            raise RecordDamaged

        monkeypatch.setattr(vault.keeping.erasure, "erase_waiting", away)
        monkeypatch.setattr(vault.aftermath.inquiries, "tidy", damaged)
        incident = (await ask(vault, "open_incident", words="{}"))["incident"]
        await ask(vault, "hold", incident=incident, shop=SALON, days=1)
        bench.clock += 2 * DAY
        await vault.tidy()
        assert len(_rows(bench, "SELECT 1 FROM vault.legal_hold WHERE rung_at IS NOT NULL")) == 1

    bench.run(act)


def test_what_is_no_evidence_is_refused(bench: Bench) -> None:
    """Words that are no object; and only the vault writes into a book that a file came."""

    async def act(vault: Vault) -> None:
        incident = (await ask(vault, "open_incident", words=WHY))["incident"]
        for words in ("{", "[]", "7"):
            with pytest.raises(BadRequest):
                await ask(vault, "evidence_take", incident=incident, file=_file(), words=words)
        forged = json.dumps({"file": "0" * 16})
        with pytest.raises(BadRequest):
            await ask(vault, "add_to_incident", incident=incident, kind="evidence", words=forged)
        assert (await ask(vault, "evidence_list", incident=incident))["files"] == []

    bench.run(act)


def test_what_does_not_open_hides_nothing_beside_it(bench: Bench, mail: Sink) -> None:
    """Signs and incidents are listed, the damaged one without its words."""

    async def act(vault: Vault) -> None:
        await two(vault, bench.configured.database_url, mail)
        told = [(await ask(vault, "tell_sign", text=one))["sign"] for one in (WORDS, "もう一つ")]
        books = [(await ask(vault, "open_incident", words=WHY))["incident"] for _ in range(2)]
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.sign SET sealed = '\\x00' WHERE sign = %s", [told[0]])
            connection.execute(
                "UPDATE vault.incident_record SET sealed = '\\x00' WHERE incident = %s", [books[0]]
            )
        signs = {one["sign"]: one.get("text", "") for one in (await ask(vault, "signs"))["signs"]}
        assert signs == {told[0]: "", told[1]: "もう一つ"}
        listed = {one["incident"]: one["words"] for one in (await ask(vault, "incidents"))["incidents"]}
        assert listed == {books[0]: "", books[1]: WHY}
        with pytest.raises(RecordDamaged):
            await ask(vault, "sign", sign=told[0])

    bench.run(act)


def test_an_alarm_that_hangs_does_not_hold_up_the_end(bench: Bench, mail: Sink) -> None:
    """What was under way is posted again at the next start."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://localhost:{deaf.getsockname()[1]}/alarm"
        alarm = Alarm(url, SECRET, frozenset({"localhost"}))
        bench.configured = replace(bench.configured, alarm=alarm)

        async def act(vault: Vault) -> float:
            await ask(vault, "tell_sign", text=WORDS)
            await asyncio.sleep(0.3)
            return time.monotonic()

        began = bench.run(act)
        assert time.monotonic() - began < 5
    assert _rows(bench, "SELECT tries, hook_next IS NOT NULL FROM vault.sign_ring") == [(0, True)]
