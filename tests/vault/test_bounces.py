"""What comes back: read by the standard, believed in its one message, and no word of it kept."""

import asyncio
import base64
import errno
import quopri
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path as File
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from noren import errors, people
from noren.people import AddressState, MessageState, SendState, correspondence
from noren_vault.bounces import Report
from noren_vault.errors import LedgerUnavailable
from noren_vault.ledger import Ledger
from noren_vault.record import Path
from noren_vault.settings import Bounces
from noren_vault.smtp import blames_address
from noren_vault.vault import Vault
from tests.environment import GIVEN, TOP
from tests.ledger.cast import FaultyDisk
from tests.ports import free_port
from tests.servers import Server, Sink, VaultProcess, vault_process
from tests.vault import cast as casting
from tests.vault.cast import SALON, Cast, sql
from tests.vault.conftest import Bench, ask
from tests.vault.reports import dsn, vacation

DOMAIN = "bounce.example.jp"
MARK = "zqxback"
REAL = File(__file__).parent / "vectors" / "bounces"
# What two kinds of servers made, in words of RFC 3463; None: no failure. Where it came from: README beside.
READ = {
    "exim_bare": "5.0.0",
    "exim_closed": "5.2.1",
    "exim_content": "5.6.0",
    "exim_delayed": None,
    "exim_delivered": None,
    "exim_expired": "5.0.0",
    "exim_full": "5.2.2",
    "exim_full_here": "5.0.0",
    "exim_gone": "5.1.1",
    "exim_greylisted": "4.2.0",
    "exim_lines": "5.1.1",
    "exim_policy": "5.7.1",
    "exim_unknown": "5.0.0",
    "exim_utf8": "5.0.0",
    "exim_vacation": None,
    "postfix_bare": "5.0.0",
    "postfix_closed": "5.2.1",
    "postfix_content": "5.6.0",
    "postfix_delayed": None,
    "postfix_expanded": None,
    "postfix_expired": "4.4.1",
    "postfix_full": "5.2.2",
    "postfix_full_here": "5.2.2",
    "postfix_gone": "5.1.1",
    "postfix_greylisted": "4.2.0",
    "postfix_lines": "5.1.1",
    "postfix_policy": "5.7.1",
    "postfix_relayed": None,
    "postfix_unknown": "5.1.1",
    "postfix_utf8": "5.1.1",
    "postfix_vacation": None,
}


@pytest.fixture(scope="module")
def vault(vault_server: Server, module_mail: Sink) -> Iterator[VaultProcess]:
    """A vault that takes what comes back."""
    with vault_process(vault_server, module_mail, TOP, GIVEN.origin) as process:
        process.stop()
        process.settings = {**process.settings, "NOREN_VAULT_BOUNCES": f"{DOMAIN}:{free_port()}"}
        process.start()
        yield process


@pytest.fixture(scope="module")
def cast(vault: VaultProcess, module_mail: Sink) -> Cast:
    return casting.found(module_mail)


@pytest.fixture
def mail(cast: Cast, module_mail: Sink) -> Sink:
    module_mail.messages.clear()
    module_mail.envelopes.clear()
    module_mail.refuse = None
    return module_mail


def _hanako() -> UUID:
    fields = {"name": f"山田 {MARK}", "mail": f"{MARK}@example.jp", "note": MARK}
    return people.put(SALON, str(uuid4()), fields)


def _send(person: UUID, key: str) -> SendState:
    return people.send(SALON, person, key, subject="{name}", text="{name}")


def _sent(mail: Sink) -> tuple[UUID, str, str]:
    """A person, a key that was sent to her, and the address to which it comes back."""
    person, key = _hanako(), f"booked:{uuid4()}"
    assert _send(person, key) is SendState.SENT
    return person, key, mail.envelopes[-1][0]


def _deliver(vault: VaultProcess, to: str, content: bytes) -> tuple[int, bytes]:
    """Bring a mail as a mail server does: from nobody, by LMTP."""
    return _bring(int(vault.settings["NOREN_VAULT_BOUNCES"].rpartition(":")[2]), to, content)


def _bring(port: int, to: str, content: bytes) -> tuple[int, bytes]:
    with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo("mx.example.jp")
        client.mail("")
        code, words = client.rcpt(to)
        return client.data(content) if code == 250 else (code, words)


def _states(cast: Cast, person: UUID) -> tuple[AddressState, list[MessageState]]:
    told = people.messages(cast.owner.grant, person)
    return told.address, [one.state for one in told.messages]


def _bounces(vault: VaultProcess) -> list[tuple[str, str]]:
    people.rebuild_index()
    return sql(vault, "SELECT ref, note FROM vault.ledger_entry WHERE kind = 'bounce' ORDER BY entry")


def test_it_gives_each_message_a_return_address_of_its_own(mail: Sink, cast: Cast) -> None:
    """The envelope's sender is opaque and different each time; the person sees the shop's."""
    _, _, first = _sent(mail)
    _, _, second = _sent(mail)
    assert first != second
    for one in (first, second):
        local, _, domain = one.partition("@")
        assert (local[:7], len(local), domain) == ("bounce+", 39, DOMAIN)
    assert "noren@localhost" in mail.messages[0]["From"]


def test_it_marks_message_and_address_and_sends_no_more_there(
    vault: VaultProcess, mail: Sink, cast: Cast
) -> None:
    """A mail came back: on record, told to the shop as a code, and no further one is sent."""
    person, key, back = _sent(mail)
    assert _states(cast, person) == (AddressState.UNPROVED, [MessageState.SENT])
    assert _deliver(vault, back, dsn(about=mail.messages[-1].as_bytes()))[0] == 250
    assert _states(cast, person) == (AddressState.BOUNCED, [MessageState.BOUNCED])
    assert _bounces(vault)[-2:] == [(key, "dsn_5.1.1"), ("mail:1", "bounced")]
    assert _send(person, f"{key}/2") is SendState.FAILED
    assert _send(person, key) is SendState.BOUNCED
    assert len(mail.messages) == 1
    assert people.messages(cast.owner.grant, person).messages[0].reason == "address_bounced"


def test_it_forgets_a_bounce_with_the_address(vault: VaultProcess, mail: Sink, cast: Cast) -> None:
    """A changed address is another one, and what still comes back of the old one does not touch it."""
    person, key, back = _sent(mail)
    _send(person, f"{key}/2")
    late = mail.envelopes[-1][0]
    _deliver(vault, back, dsn())
    people.update(cast.owner.grant, person, {"mail": "new@example.jp"})
    assert _states(cast, person)[0] is AddressState.UNPROVED
    assert _send(person, f"{key}/3") is SendState.SENT
    assert _deliver(vault, late, dsn())[0] == 250
    assert _states(cast, person)[0] is AddressState.UNPROVED
    assert mail.messages[-1]["To"] == "new@example.jp"


def test_it_tries_a_bounced_address_again_when_somebody_says_so(
    vault: VaultProcess, mail: Sink, cast: Cast
) -> None:
    """Staff have asked the customer: recorded, and the next mail goes."""
    person, key, back = _sent(mail)
    _deliver(vault, back, dsn())
    people.try_address(cast.staff.grant, person)
    assert _states(cast, person)[0] is AddressState.UNPROVED
    assert _send(person, f"{key}/2") is SendState.SENT
    assert _bounces(vault)[-1] == ("mail:1", "unproved")


def test_it_takes_a_refused_address_out_at_once(vault: VaultProcess, mail: Sink, cast: Cast) -> None:
    """Refused in so many words as the mail is handed over: the address is marked as after a bounce."""
    person, key = _hanako(), f"booked:{uuid4()}"
    mail.refuse = f"550 5.1.1 <{MARK}@example.jp> no such user"
    assert _send(person, key) is SendState.FAILED
    mail.refuse = None
    assert _states(cast, person) == (AddressState.REFUSED, [MessageState.FAILED])
    assert people.messages(cast.owner.grant, person).messages[0].reason == "smtp_550_5.1.1"
    assert _send(person, f"{key}/2") is SendState.FAILED
    assert not mail.messages
    people.rebuild_index()
    [outcome] = sql(vault, "SELECT outcome FROM vault.ledger_entry WHERE kind = 'send' AND ref = %s", key)
    assert outcome == ("refused",)


def test_it_says_whom_no_mail_reaches_and_tells_nothing_else(
    vault: VaultProcess, mail: Sink, cast: Cast
) -> None:
    """No address, one that came back, and who is not there: ids alone, on record before they are told."""
    none, gone = people.put(SALON, str(uuid4()), {"name": MARK}), uuid4()
    fine, _, _ = _sent(mail)
    back, _, returned = _sent(mail)
    _deliver(vault, returned, dsn())
    assert correspondence.unreached(cast.owner.grant, [fine, none, back, gone]) == {none, back, gone}
    people.rebuild_index()
    [entry] = sql(
        vault,
        "SELECT entry, kind, purpose, note FROM vault.ledger_entry WHERE note = 'reach' ORDER BY entry",
    )
    assert entry[1:] == ("messages", "customer", "reach")
    named = sql(vault, "SELECT person FROM vault.ledger_person WHERE entry = %s", entry[0])
    assert {str(person) for (person,) in named} == {str(one) for one in (fine, none, back)}
    with pytest.raises(errors.NoSuchPerson):
        correspondence.unreached(cast.owner.grant, [gone])
    with pytest.raises(errors.GrantRefused):
        correspondence.unreached(cast.staff.grant, [fine])
    people.update(cast.owner.grant, back, {"mail": f"new-{MARK}@example.jp"})
    assert correspondence.unreached(cast.owner.grant, [back]) == set()


async def _until_full(vault: Vault) -> None:
    with suppress(LedgerUnavailable):
        while True:
            await vault.record.write("messages", Path("test"))


@pytest.mark.parametrize(
    ("status", "address"),
    [("4.4.7", AddressState.UNPROVED), ("5.7.1", AddressState.UNPROVED), ("5.2.1", AddressState.BOUNCED)],
)
def test_it_blames_the_address_only_for_what_is_its_fault(
    vault: VaultProcess, mail: Sink, cast: Cast, status: str, address: AddressState
) -> None:
    """Given up after days, or refused by policy: the mail came back, and the address may be good."""
    person, _, back = _sent(mail)
    _deliver(vault, back, dsn(status=status))
    assert _states(cast, person) == (address, [MessageState.BOUNCED])


@pytest.mark.parametrize(
    "content",
    [dsn(action="delayed", status="4.4.1"), dsn(action="delivered", status="2.0.0"), vacation(), b"\r\n"],
)
def test_it_takes_and_forgets_what_tells_of_no_failure(
    vault: VaultProcess, mail: Sink, cast: Cast, content: bytes
) -> None:
    """A delay, a receipt, an answering machine: accepted, and nothing is marked."""
    person, _, back = _sent(mail)
    assert _deliver(vault, back, content)[0] == 250
    assert _states(cast, person) == (AddressState.UNPROVED, [MessageState.SENT])


@pytest.mark.parametrize("name", sorted(READ))
def test_it_takes_what_real_servers_send_back(vault: VaultProcess, mail: Sink, cast: Cast, name: str) -> None:
    """Brought as they came: the message is marked when it failed, the address when that was its fault."""
    person, key, back = _sent(mail)
    assert _deliver(vault, back, _real(name))[0] == 250
    status = READ[name]
    bad = status is not None and blames_address(status)
    message = MessageState.SENT if status is None else MessageState.BOUNCED
    assert _states(cast, person) == (AddressState.BOUNCED if bad else AddressState.UNPROVED, [message])
    marks = [(key, f"dsn_{status}")] if status else []
    assert [one for one in _bounces(vault) if one[0] == key] == marks


def test_it_believes_nobody_who_does_not_know_a_token(vault: VaultProcess, mail: Sink, cast: Cast) -> None:
    """A forged report is refused or has no effect; the same one twice is one."""
    person, _, back = _sent(mail)
    made_up = f"bounce+{'0' * 32}@{DOMAIN}"
    for wrong in ("hanako@example.jp", f"bounce+x@{DOMAIN}", back.replace(DOMAIN, "evil.example")):
        assert _deliver(vault, wrong, dsn())[0] == 550
    assert _deliver(vault, made_up, dsn())[0] == 250
    assert _states(cast, person) == (AddressState.UNPROVED, [MessageState.SENT])
    _deliver(vault, back.upper(), dsn())
    before = _bounces(vault)
    _deliver(vault, back, dsn())
    assert _bounces(vault) == before
    assert _states(cast, person)[0] is AddressState.BOUNCED


def test_it_takes_one_recipient_at_a_time(vault: VaultProcess, mail: Sink, cast: Cast) -> None:
    """One answer is the answer of one report: the second recipient is to come again."""
    _, _, back = _sent(mail)
    port = int(vault.settings["NOREN_VAULT_BOUNCES"].rpartition(":")[2])
    with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo("mx.example.jp")
        client.mail("")
        assert [client.rcpt(back)[0], client.rcpt(back)[0]] == [250, 452]


def test_it_shows_a_persons_messages_to_her_own_shop_only_and_on_record(
    vault: VaultProcess, mail: Sink, cast: Cast
) -> None:
    """Another shop finds nobody; who asked stands in the ledger."""
    person, _, _ = _sent(mail)
    with pytest.raises(errors.NoSuchPerson):
        people.messages(cast.outsider.grant, person)
    with pytest.raises(errors.NoSuchPerson):
        people.try_address(cast.outsider.grant, person)
    people.messages(cast.staff.grant, person)
    people.rebuild_index()
    [last] = sql(
        vault,
        "SELECT e.actor, e.note, p.person::text FROM vault.ledger_entry e "
        "JOIN vault.ledger_person p USING (entry) WHERE e.kind = 'messages' ORDER BY entry DESC LIMIT 1",
    )
    assert last == ("ren.salon", "list", str(person))


def test_it_knows_a_members_address_by_the_link_that_was_used(vault: VaultProcess, cast: Cast) -> None:
    """The invitation went by mail alone, and somebody came with it: the address is good."""
    rows = sql(vault, "SELECT state, count(*) FROM vault.address WHERE state = 'good' GROUP BY 1")
    assert rows == [("good", 4)]


def test_it_says_that_there_is_no_address(mail: Sink, cast: Cast) -> None:
    """A person who never gave an address has none, which is a state of its own."""
    person = people.put(SALON, str(uuid4()), {"name": "花子"})
    assert _states(cast, person) == (AddressState.NO_ADDRESS, [])


def test_it_writes_no_word_of_a_report_anywhere(vault: VaultProcess, mail: Sink, cast: Cast) -> None:
    """Marks in names, addresses, refusals and reports: none in the logs, the tables, the ledger's files."""
    _, key, back = _sent(mail)
    assert MARK in str(mail.messages[-1]["To"])
    _deliver(vault, back, dsn(address=f"{MARK}@example.jp", about=mail.messages[-1].as_bytes()))
    _deliver(vault, f"{MARK}@example.jp", dsn(address=f"{MARK}@example.jp"))
    mail.refuse = f"550 5.1.1 {MARK}"
    _send(_hanako(), f"{key}/2")
    assert "came_back" in vault.log
    assert "not_sent" in vault.log
    assert MARK not in vault.log
    files = [path for path in vault.ledger.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if MARK.encode() in path.read_bytes()]
    with psycopg.connect(vault.database_url) as connection:
        for table in ("message", "address", "ledger_entry", "person", "field"):
            name = SQL("SELECT t::text FROM vault.{} t").format(Identifier(table))
            rows = connection.execute(name).fetchall()
            assert rows
            assert MARK not in repr(rows)
            assert MARK.encode().hex() not in repr(rows)


def test_it_takes_no_report_that_it_cannot_write_down(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: nothing is marked, and the mail server is told to come again."""
    disk, port = FaultyDisk(), free_port()
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, disk=disk, segment_bytes=16 << 10))
    bench.configured = replace(bench.configured, smtp_url=mail.url, bounces=Bounces(DOMAIN, port))

    async def act(vault: Vault) -> None:
        assert vault.returns is not None
        await vault.returns.start()
        person = (await ask(vault, "put", shop=SALON, key="a", fields=casting.customer(1)))["person"]
        letter = {"message_key": "k", "subject": "s", "text": "t", "values": {}}
        assert await ask(vault, "send", shop=SALON, person=person, **letter) == {"state": "sent"}
        back = mail.envelopes[-1][0]
        disk.fail_always("reserve", errno.ENOSPC)
        await _until_full(vault)
        assert (await asyncio.to_thread(_bring, port, back, dsn()))[0] == 451
        assert await ask(vault, "send", shop=SALON, person=person, **letter) == {"state": "already"}
        disk.fault = None
        assert (await asyncio.to_thread(_bring, port, back, dsn()))[0] == 250
        assert await ask(vault, "send", shop=SALON, person=person, **letter) == {"state": "bounced"}
        await vault.returns.stop()

    bench.run(act)


# -- the reading alone


def _real(name: str) -> bytes:
    return (REAL / f"{name}.eml").read_bytes()


def test_it_reads_every_report_that_a_server_made() -> None:
    """All of them, whichever server wrote it; each names the return address to which it came."""
    assert {one.stem for one in REAL.glob("*.eml")} == set(READ)
    for name, status in READ.items():
        report = Report.of(_real(name))
        assert (name, report and report.status) == (name, status)
        assert b"bounce+" in _real(name)


@pytest.mark.parametrize("coding", ["base64", "quoted-printable"])
def test_it_reads_a_report_in_utf8_that_was_made_seven_bit(coding: str) -> None:
    """RFC 6533: where the way takes seven bits only, the fields themselves are encoded."""
    head, _, rest = _real("postfix_utf8").partition(b"Content-Type: message/global-delivery-status\r\n")
    fields, _, tail = rest.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n--")
    encode = base64.encodebytes if coding == "base64" else quopri.encodestring
    report = (
        b"%sContent-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n--%s"
    )
    coded = report % (head, coding.encode(), encode(fields), tail)
    assert "花子".encode() not in coded.partition(b"global-delivery-status")[2].partition(b"\r\n--")[0]
    assert Report.of(coded) == Report("5.1.1")


@given(st.sampled_from(sorted(READ)), st.binary(max_size=9), st.integers(0, 5000), st.integers(0, 5000))
def test_it_survives_a_real_report_that_was_spoiled(name: str, by: bytes, at: int, end: int) -> None:
    """Some bytes put in and the end cut off: a report or none, and no fault."""
    real = _real(name)
    report = Report.of((real[:at] + by + real[at:])[: len(real) - end])
    assert report is None or report.status.count(".") == 2


@given(st.binary(max_size=2000))
def test_it_reads_any_bytes(content: bytes) -> None:
    """Rubbish is no report, and no fault."""
    assert Report.of(content) is None


@given(
    st.sampled_from(["Action", "Status", "failed", "5.1.1", "message/delivery-status", "multipart", "--B"]),
    st.text(max_size=20),
    st.integers(0, 900),
)
def test_it_survives_a_broken_report(what: str, by: str, at: int) -> None:
    """Pieces replaced and the end cut off: a report or none, with a status by the standard."""
    broken = dsn().replace(what.encode(), by.encode())[: len(dsn()) - at]
    report = Report.of(broken)
    assert report is None or report.status.count(".") == 2


@pytest.mark.parametrize(
    ("status", "blamed"),
    [
        ("5.1.1", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.2.2", False),
        ("5.0.0", False),
        ("5.7.1", False),
        ("4.1.1", False),
    ],
)
def test_it_knows_whose_fault_a_status_is(status: str, *, blamed: bool) -> None:
    """Addressing and mailbox for good: the address. A full mailbox, policy, a delay: not."""
    assert blames_address(status) is blamed


def test_it_reads_the_one_that_failed_among_many() -> None:
    """A report on several recipients counts when one of them failed."""
    two = dsn().replace(
        b"Final-Recipient",
        b"Final-Recipient: rfc822; a@example.jp\r\nAction: relayed\r\nStatus: 2.1.9\r\n\r\nFinal-Recipient",
        1,
    )
    assert Report.of(two) == Report("5.1.1")
