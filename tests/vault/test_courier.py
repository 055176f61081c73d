"""Mail: once, to the right person, nothing injected, nothing claimed that is not known."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from uuid import UUID, uuid4

import pytest

from noren import errors, people
from noren.people import Attachment, SendState
from noren_vault import smtp
from noren_vault.channel import Answer, Handed
from noren_vault.errors import BadRequest
from noren_vault.fields import Value
from noren_vault.letter import Letter
from noren_vault.smtp import Server
from tests.servers import Sink, VaultProcess
from tests.vault.cast import SALON, customer, in_parallel, sql

ICS = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def vault(module_vault: VaultProcess) -> VaultProcess:
    """One vault for the module: each test has a message key of its own."""
    return module_vault


@pytest.fixture
def mail(vault: VaultProcess, module_mail: Sink) -> Sink:
    """The module's sink, emptied."""
    module_mail.messages.clear()
    module_mail.refuse = None
    return module_mail


@pytest.fixture
def key() -> str:
    return f"booked:{uuid4()}"


def _state(vault: VaultProcess, key: str) -> list[tuple[str, str]]:
    return sql(vault, "SELECT state, reason FROM vault.message WHERE message_key = %s", key)


def _hanako(**more: str) -> UUID:
    return people.put(SALON, str(uuid4()), customer(1) | more)


def _send(
    person: UUID, key: str, subject: str = "件名 {name}", text: str = "{name} 様 {time}\n"
) -> SendState:
    return people.send(SALON, person, key, subject=subject, text=text, values={"time": "10:00"})


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_it_sends_a_filled_letter(vault: VaultProcess, mail: Sink, key: str) -> None:
    """Address and name come from the vault, the time from the caller, the sender from the settings."""
    assert _send(_hanako(), key) is SendState.SENT
    [message] = mail.wait()
    assert message["To"] == "hanako1@example.jp"
    assert message["Subject"] == "件名 山田 花子1"
    assert "noren@localhost" in message["From"]
    assert _text(message).strip() == "山田 花子1 様 10:00"


def test_it_sends_a_key_once(vault: VaultProcess, mail: Sink, key: str) -> None:
    """The same key a second time sends nothing and says so, after a restart too."""
    person = _hanako()
    assert _send(person, key) is SendState.SENT
    assert _send(person, key) is SendState.ALREADY
    vault.stop()
    vault.start()
    assert _send(person, key) is SendState.ALREADY
    assert len(mail.messages) == 1


def test_it_gives_each_key_its_own_lasting_message_id(vault: VaultProcess, mail: Sink, key: str) -> None:
    """The Message-ID is the key's: stable, different for another key, and tells nothing."""
    person = _hanako()
    for one in (key, f"{key}/2"):
        _send(person, one)
    ids = [str(message["Message-ID"]) for message in mail.messages]
    assert len(set(ids)) == 2
    rows = sql(
        vault,
        "SELECT message_id FROM vault.message WHERE message_key LIKE %s ORDER BY message_key",
        f"{key}%",
    )
    assert [f"<{row[0]}@localhost>" for row in rows] == ids
    assert "booked" not in ids[0]


def test_it_carries_attachments_whole(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A calendar file arrives byte for byte."""
    attachment = Attachment("booking.ics", "text/calendar", ICS)
    people.send(SALON, _hanako(), key, subject="x", text="y", attachments=[attachment])
    [message] = mail.wait()
    [part] = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("booking.ics", "text/calendar")
    assert part.get_payload(decode=True) == ICS


def test_it_tries_a_refused_mail_again_with_the_same_key(vault: VaultProcess, mail: Sink, key: str) -> None:
    """What the server refused in so many words has surely not been sent, and may be."""
    person = _hanako()
    mail.refuse = "451 come back later"
    assert _send(person, key) is SendState.DEFERRED
    assert _state(vault, key) == [("deferred", "smtp_451")]
    mail.refuse = None
    assert _send(person, key) is SendState.SENT
    assert len(mail.messages) == 1


def test_it_fails_without_an_address(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A person without mail gets none."""
    person = people.put(SALON, key, {"name": "花子"})
    assert _send(person, key) is SendState.FAILED
    assert _state(vault, key) == [("failed", "no_address")]
    assert not mail.messages


def test_it_sends_to_nobody_of_another_shop(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A person's id with another shop's number reaches nobody."""
    person = _hanako()
    with pytest.raises(errors.NoSuchPerson):
        people.send(2, person, key, subject="x", text="y")
    assert not mail.messages


def test_it_gives_no_key_to_two_persons(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A key that was one person's is refused for another: no letter goes astray silently."""
    _send(_hanako(), key)
    with pytest.raises(RuntimeError, match="another person"):
        _send(_hanako(), key)


@pytest.mark.parametrize("hole", ["{mail}", "{phone}", "{note}", "{unknown}"])
def test_it_fills_only_allowed_holes(vault: VaultProcess, mail: Sink, hole: str, key: str) -> None:
    """No template gets an address, a phone or a note into a letter."""
    with pytest.raises(RuntimeError, match="hole"):
        _send(_hanako(), key, text=hole)
    assert not mail.messages


def test_it_fills_once(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A name that looks like a hole stays what it is, and braces of other kinds are text."""
    person = people.put(SALON, key, {"name": "{time}{kana}", "mail": "x@example.jp"})
    _send(person, key, subject="x", text="{name} {0} {{name.__class__}} {time:%s}")
    [message] = mail.wait()
    assert _text(message).strip() == "{time}{kana} {0} {{name.__class__}} {time:%s}"


@pytest.mark.parametrize("values", [{"time": "10:00\r\nBcc: all@example.jp"}, {"time": "10:00\nX: y"}])
def test_it_refuses_a_line_break_in_a_header(
    vault: VaultProcess, mail: Sink, values: dict[str, str], key: str
) -> None:
    """A value cannot become another header."""
    with pytest.raises(RuntimeError, match="header"):
        people.send(SALON, _hanako(), key, subject="{time}", text="y", values=values)
    assert not mail.messages
    assert _state(vault, key) == [("failed", "not_prepared")]


@pytest.mark.parametrize("name", ["../x.ics", "a\r\nb.ics", "a/b"])
def test_it_refuses_an_attachment_with_a_path(vault: VaultProcess, name: str) -> None:
    """A file's name is a name."""
    with pytest.raises(RuntimeError, match="file name"):
        people.send(
            SALON, _hanako(), "k", subject="x", text="y", attachments=[Attachment(name, "text/plain", b"")]
        )


def test_it_calls_an_interrupted_sending_unknown(vault: VaultProcess, mail: Sink, key: str) -> None:
    """What was being handed over when the vault died may have arrived: unknown, and not sent again."""
    person = _hanako()
    _send(person, key)
    vault.kill()
    sql(vault, "UPDATE vault.message SET state = 'sending' WHERE message_key = %s", key)
    vault.start()
    assert _send(person, key) is SendState.UNKNOWN
    assert _state(vault, key) == [("unknown", "interrupted")]
    assert len(mail.messages) == 1


def test_it_sends_what_had_only_waited_when_it_died(vault: VaultProcess, mail: Sink, key: str) -> None:
    """A key that was taken and not handed over is free again after a start."""
    person = _hanako()
    _send(person, key)
    vault.kill()
    sql(vault, "UPDATE vault.message SET state = 'queued' WHERE message_key = %s", key)
    vault.start()
    assert _send(person, key) is SendState.SENT


def test_it_sends_a_key_once_to_many_who_ask_at_once(vault: VaultProcess, mail: Sink, key: str) -> None:
    """Ten requests with one key at the same time: one mail."""
    person = _hanako()
    states = in_parallel(10, lambda _: _send(person, key))
    assert states.count(SendState.SENT) == 1
    assert len(mail.messages) == 1


# -- the server's side of it


@contextmanager
def _server(script: dict[str, str | None]) -> Iterator[Server]:
    """An SMTP server that answers by a script; None closes the line. `.` is the end of the data."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        with line, line.makefile("rwb") as stream:
            stream.write(b"220 hello\r\n")
            stream.flush()
            for raw in stream:
                verb = raw.decode().split()[0].upper() if raw.strip() else ""
                answer = script.get(verb, "250 OK") if verb in _VERBS else ""
                if answer is None:
                    return
                if answer:
                    stream.write(answer.encode() + b"\r\n")
                    stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Server("smtp", "127.0.0.1", listener.getsockname()[1], "", "")
    finally:
        listener.close()
        thread.join(5)


_VERBS = ("EHLO", "HELO", "MAIL", "RCPT", "DATA", ".", "RSET", "QUIT")
_GO: dict[str, str | None] = {"DATA": "354 go on"}


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (_GO, Answer(Handed.SENT)),
        (_GO | {"EHLO": None, "HELO": None}, Answer(Handed.DEFERRED, "smtpserverdisconnected", told=False)),
        (_GO | {"MAIL": "550 5.7.1 no"}, Answer(Handed.DEFERRED, "smtp_550_5.7.1", told=False)),
        (_GO | {"MAIL": None}, Answer(Handed.DEFERRED, "smtpserverdisconnected", told=False)),
        (_GO | {"RCPT": "450 4.2.0 grey"}, Answer(Handed.DEFERRED, "smtp_450_4.2.0")),
        (_GO | {"RCPT": "550 nobody"}, Answer(Handed.FAILED, "smtp_550", no_such_address=True)),
        (_GO | {"RCPT": "550 5.1.1 nobody"}, Answer(Handed.FAILED, "smtp_550_5.1.1", no_such_address=True)),
        (_GO | {"RCPT": "552 5.2.2 full"}, Answer(Handed.FAILED, "smtp_552_5.2.2")),
        (_GO | {"RCPT": "550 5.7.1 relay"}, Answer(Handed.FAILED, "smtp_550_5.7.1")),
        (_GO | {"RCPT": "554 no"}, Answer(Handed.FAILED, "smtp_554")),
        (_GO | {"RCPT": None}, Answer(Handed.DEFERRED, "smtpserverdisconnected")),
        ({"DATA": "451 not now"}, Answer(Handed.DEFERRED, "smtp_451")),
        (_GO | {".": "552 too big"}, Answer(Handed.FAILED, "smtp_552")),
        (_GO | {".": "451 later"}, Answer(Handed.DEFERRED, "smtp_451")),
        (_GO | {".": "hm"}, Answer(Handed.UNKNOWN, "no_reply")),
        (_GO | {".": None}, Answer(Handed.UNKNOWN, "smtpserverdisconnected")),
    ],
)
def test_it_knows_how_far_a_mail_came(script: dict[str, str | None], answer: Answer) -> None:
    """4xx and a broken line before the data: later. 5xx: never. Nothing said after the data: unknown."""
    with _server(script) as server, closing(smtp.Line(server)) as line:
        assert line.hand_over("a@example.jp", "b@example.jp", b"Subject: x\r\n\r\nx\r\n") == answer


def test_it_fails_when_nobody_listens() -> None:
    """No server, no mail, and no doubt about it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = Server("smtp", "127.0.0.1", port, "", "")
    refused = Answer(Handed.DEFERRED, "connectionrefusederror", told=False)
    assert smtp.Line(server).hand_over("a@b.jp", "c@d.jp", b"") == refused


def test_it_keeps_a_connection_for_the_next_mail_and_does_without_a_dead_one(mail: Sink) -> None:
    """Three mails, two connections: one was cut in between, and nothing is lost or doubled by it."""
    with closing(smtp.Line(Server.of(mail.url))) as line:
        ways = []
        for number in range(3):
            assert line.hand_over("a@b.jp", "c@d.jp", b"Subject: %d\r\n\r\nx\r\n" % number) == Answer(
                Handed.SENT
            )
            [(client, _, _)] = line._idle
            ways.append(client)
            if number == 1 and client.sock is not None:
                client.sock.shutdown(socket.SHUT_RDWR)
        assert ways[0] is ways[1] is not ways[2]
        assert [one["Subject"] for one in mail.messages] == ["0", "1", "2"]


def test_it_reads_a_servers_url() -> None:
    """Scheme, host, port, user and password, percent-encoded; and the password is not shown."""
    server = Server.of("smtp+starttls://us%40er:p%3Aw@mail.example.jp")
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example.jp",
        587,
        "us@er",
        "p:w",
    )
    assert "p:w" not in repr(server)


def test_it_names_faults_without_their_words() -> None:
    """A server that repeats the address in its refusal does not get it into our log."""
    fault = smtplib.SMTPRecipientsRefused({"secret@example.jp": (550, b"no secret@example.jp")})
    assert smtp._code(fault) == "smtprecipientsrefused"


@pytest.mark.parametrize(
    "letter",
    [
        Letter("", "s", "t", {}),
        Letter("a b", "s", "t", {}),
        Letter("k", "{x}", "t", {}),
        Letter("k", "s", "t", {"name": "me"}),
    ],
)
def test_it_refuses_a_letter_that_cannot_be_made(letter: Letter) -> None:
    """Faults of the caller show before anything is read."""
    with pytest.raises(BadRequest):
        letter.check()


def test_it_fills_a_missing_name_with_nothing() -> None:
    """A person without kana leaves its hole empty."""
    letter = Letter("k", "s", "{name}/{kana}/{t}", {"t": "1"})
    assert letter.fill(letter.text, {"name": Value("花子")}) == "花子//1"
