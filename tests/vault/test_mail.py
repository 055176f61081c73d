"""A letter as a mail: to one person, with the headers and the text that were meant; and TLS that is TLS."""

import asyncio
import email
import email.policy
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from uuid import uuid4

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult
from hypothesis import given
from hypothesis import strategies as st

from noren import people
from noren.people import SendState
from noren_vault import fields, settings, smtp
from noren_vault.channel import Answer, Handed, Stamp
from noren_vault.errors import BadRequest
from noren_vault.fields import Value
from noren_vault.letter import Attachment, Letter
from noren_vault.mail import Mail
from noren_vault.smtp import Server
from tests.servers import Sink, VaultProcess
from tests.vault.cast import SALON, customer, in_parallel, sql

MAIL = Mail(
    Server("smtp", "localhost", 25, "", ""), Address("Noren", addr_spec="noren@example.jp"), "b.example"
)
RIGHT = "p:w"
STAMP = Stamp("m" * 32, "0" * 32, 1_790_000_000_000)
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
# What a header could be broken with, among all other characters.
HOSTILE = st.text(
    st.one_of(st.sampled_from("\r\n\v\f\x1c\x85\u2028\u2029\0:<>,@=?. "), st.characters()), max_size=60
)


def _made(letter: Letter, name: str = "花子") -> EmailMessage:
    person = {"name": Value(name), "mail": Value("hanako@example.jp")}
    read = email.message_from_bytes(MAIL.make(letter, person, STAMP), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


@given(subject=HOSTILE, text=HOSTILE, value=HOSTILE, name=HOSTILE)
def test_it_has_the_headers_that_were_meant_whatever_is_filled_in(
    subject: str, text: str, value: str, name: str
) -> None:
    """Refused, or a mail with these headers and no other, to this one address, whatever was filled in."""
    letter = Letter("k", subject + "{name}{x}", text + "{name}{x}", {"x": value})
    try:
        letter.check()
        read = _made(letter, name)
    except BadRequest:
        return
    assert sorted(read.keys()) == sorted(HEADERS)
    assert [one.addr_spec for one in read["To"].addresses] == ["hanako@example.jp"]
    assert len(read["From"].addresses) == 1
    assert read.get_content_type() == "text/plain"


@given(HOSTILE)
def test_it_takes_a_name_into_a_subject_only_as_one_line(name: str) -> None:
    """What the vault takes as a name can stand in a header; what cannot, it does not take as a name."""
    values, _ = fields.check({"name": name})
    if "name" in values:
        read = _made(Letter("k", "{name}", "x", {}), values["name"].text)
        assert "\n" not in read["Subject"]


@given(HOSTILE, HOSTILE, st.binary(max_size=50))
def test_it_takes_an_attachment_whole_or_not_at_all(name: str, kind: str, content: bytes) -> None:
    """A hostile name or type is refused, or is an attachment's name and nothing else."""
    for given_kind in (kind, "text/calendar; method=REQUEST"):
        try:
            attachment = Attachment.of({"name": name, "type": given_kind, "content": _base64(content)})
            read = _made(Letter("k", "s", "t", {}, [attachment]))
        except BadRequest:
            continue
        assert sorted(set(read.keys())) == sorted(set(HEADERS) - {"Content-Transfer-Encoding"})
        [part] = read.iter_attachments()
        assert part.get_payload(decode=True) == content


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


@pytest.fixture
def mail(module_vault: VaultProcess, module_mail: Sink) -> Sink:
    assert module_vault
    module_mail.messages.clear()
    module_mail.envelopes.clear()
    module_mail.refuse = None
    return module_mail


@pytest.mark.parametrize(
    "text", [".\r\nMAIL FROM:<x@y.jp>\r\n", "a\n.\nb", "a\r.\rb", "..\n.", "a\r\n.\r\nRCPT TO:<x@y.jp>"]
)
def test_it_ends_no_mail_before_its_end(mail: Sink, text: str) -> None:
    """A dot alone in a line, in any writing of a line's end, begins no second mail (SMTP smuggling)."""
    person = people.put(SALON, str(uuid4()), customer(1))
    assert people.send(SALON, person, str(uuid4()), subject="s", text=text + "{name}") is SendState.SENT
    [message] = mail.messages
    body = message.get_body(("plain",))
    assert body is not None
    assert "山田 花子1" in body.get_content()
    assert mail.envelopes == [("noren@localhost", ["hanako1@example.jp"])]


def test_case_40_it_writes_to_each_person_alone_and_goes_on_after_a_crash(
    module_vault: VaultProcess, mail: Sink
) -> None:
    """Thirty persons, killed on the way, all asked for again: each got one mail, her own, to her alone."""
    run = uuid4()
    persons = {number: people.put(SALON, f"{run}:{number}", customer(number)) for number in range(30)}

    def send(number: int) -> SendState:
        return people.send(SALON, persons[number], f"notice:{run}:{number}", subject="x", text="{name}")

    first = [send(number) for number in range(15)]
    module_vault.kill()
    module_vault.start()
    again = in_parallel(30, send, threads=4)
    assert first == [SendState.SENT] * 15
    assert (again[:15], again[15:]) == ([SendState.ALREADY] * 15, [SendState.SENT] * 15)
    assert sorted(mail.envelopes) == sorted(
        ("noren@localhost", [customer(number)["mail"]]) for number in range(30)
    )
    for message in mail.messages:
        [to] = message["To"].addresses
        number = to.addr_spec.removeprefix("hanako").partition("@")[0]
        assert message.get_content().strip() == customer(int(number))["name"]
        assert not {"Cc", "Bcc"} & set(message.keys())


# -- TLS


class _Server:
    """A mail server with a certificate, and with one user."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: object) -> str:  # noqa: N802 - theirs
        self.taken.append(envelope.content)  # type: ignore[attr-defined]
        return "250 OK"


def _authenticated(
    _server: object, _session: object, _envelope: object, _mechanism: object, data: object
) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"us@er", b"p:w"), handled=False)  # type: ignore[attr-defined]


@contextmanager
def _listening(context: ssl.SSLContext, *, starttls: bool) -> Iterator[tuple[_Server, int]]:
    kept, loop = _Server(), asyncio.new_event_loop()

    def session() -> SMTP:
        return SMTP(
            kept,
            loop=loop,
            authenticator=_authenticated,
            auth_required=True,
            auth_require_tls=starttls,
            hostname="localhost",
            tls_context=context if starttls else None,
            require_starttls=starttls,
        )

    made = loop.create_server(session, "127.0.0.1", 0, ssl=None if starttls else context)
    server = loop.run_until_complete(made)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield kept, server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let this process trust the authority, as `SSL_CERT_FILE` does."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def _hand(scheme: str, port: int, password: str = RIGHT) -> Answer:
    server = Server(scheme, "localhost", port, "us@er", password)
    with closing(smtp.Line(server)) as line:
        return line.hand_over("a@example.jp", "b@example.jp", b"Subject: x\r\n\r\nx\r\n")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
class TestTls:
    """Both ways of TLS, on a real server."""

    @pytest.mark.usefixtures("trusting")
    def test_it_sends_over_a_verified_line(self, scheme: str, authority: trustme.CA) -> None:
        """With the right certificate and password the mail goes."""
        context = _context(authority, "localhost")
        with _listening(context, starttls=scheme != "smtps") as (kept, port):
            assert _hand(scheme, port) == Answer(Handed.SENT)
        assert len(kept.taken) == 1

    def test_it_tells_nothing_to_an_unknown_certificate(self, scheme: str, authority: trustme.CA) -> None:
        """A certificate by nobody we know: no password, no address, no mail; and it may be mended."""
        context = _context(authority, "localhost")
        with _listening(context, starttls=scheme != "smtps") as (kept, port):
            assert _hand(scheme, port) == Answer(Handed.DEFERRED, "sslcertverificationerror", told=False)
        assert not kept.taken

    @pytest.mark.usefixtures("trusting")
    def test_it_tells_nothing_to_another_host(self, scheme: str, authority: trustme.CA) -> None:
        """A good certificate of another host is none."""
        context = _context(authority, "other.example.jp")
        with _listening(context, starttls=scheme != "smtps") as (kept, port):
            assert _hand(scheme, port) == Answer(Handed.DEFERRED, "sslcertverificationerror", told=False)
        assert not kept.taken

    @pytest.mark.usefixtures("trusting")
    def test_it_names_a_wrong_password_without_it(self, scheme: str, authority: trustme.CA) -> None:
        """Refused credentials are an operator's fault: to be tried again, and shown by a code alone."""
        context = _context(authority, "localhost")
        with _listening(context, starttls=scheme != "smtps") as (_, port):
            answer = _hand(scheme, port, "secret-zqx")
        assert answer == Answer(Handed.DEFERRED, "smtp_535", told=False)


def test_it_does_not_fall_back_to_plain_text(module_mail: Sink) -> None:
    """A server that offers no STARTTLS (or somebody who takes the offer out) gets nothing."""
    before = len(module_mail.messages)
    assert _hand("smtp+starttls", module_mail.port).handed is Handed.DEFERRED
    assert len(module_mail.messages) == before


@pytest.mark.parametrize("host", ["mail.example.jp", "192.0.2.1"])
def test_it_takes_no_setting_that_sends_a_password_in_the_clear(host: str) -> None:
    """Plain smtp is for the same machine, or for a relay that wants no password."""
    with pytest.raises(settings.SettingsError, match="SMTP_URL"):
        settings._smtp(f"smtp://user:secret@{host}")
    assert settings._smtp("smtp://user:secret@127.0.0.1:1025")
    assert settings._smtp(f"smtp://{host}")


def test_it_logs_no_password(module_vault: VaultProcess, mail: Sink) -> None:
    """A mail server that is away, with a password in its setting: the log says it is away."""
    before = module_vault.settings
    module_vault.stop()
    module_vault.settings = {**before, "NOREN_VAULT_SMTP_URL": "smtp+starttls://zqxuser:zqxpass@127.0.0.1:1"}
    module_vault.start()
    try:
        key = str(uuid4())
        person = people.put(SALON, key, customer(2))
        assert people.send(SALON, person, key, subject="s", text="t") is SendState.DEFERRED
        assert "not_sent" in module_vault.log
        assert "zqx" not in module_vault.log
        assert sql(module_vault, "SELECT reason FROM vault.message WHERE message_key = %s", key) == [
            ("connectionrefusederror",)
        ]
    finally:
        module_vault.stop()
        module_vault.settings = before
        module_vault.start()
