"""The vault asked over the network: everything goes through, and only for who has a certificate for it."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from noren import errors, people
from noren.people import wire
from noren.runtime.authority import Authority
from noren_vault import callers
from noren_vault.callers import Caller
from noren_vault.network import MOST_HANDSHAKES
from tests.servers import Sink, VaultProcess, wait_for
from tests.vault import cast as casting
from tests.vault.cast import SALON, customer
from tests.vault.conftest import Bench
from tests.vault.lines import Line, ask, cut, now, odd

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@pytest.fixture(scope="module")
def module_line(module_vault: VaultProcess) -> Line:
    """One vault on the network."""
    made = Line(module_vault)
    made.start()
    return made


@pytest.fixture
def line(module_line: Line) -> Line:
    """The module's vault, with fresh certificates everywhere."""
    module_line.certify_vault()
    for part in Caller:
        module_line.certify(part)
    return module_line


@pytest.fixture
def own_line(vault: VaultProcess) -> Line:
    """A vault of this test's own on the network."""
    made = Line(vault)
    made.start()
    for part in Caller:
        made.certify(part)
    return made


@pytest.fixture
def known(line: Line) -> Iterator[ssl.SSLSocket]:
    """A line that is let in, and must be answered all the while."""
    with line.secure(line.context("web")) as one:
        assert ask(one) is not None
        yield one


def _entries(vault: VaultProcess) -> str:
    return b"".join(path.read_bytes() for path in sorted(vault.ledger.glob("segments/*"))).decode("latin-1")


# -- what goes through


def test_it_does_all_its_work_over_the_network(own_line: Line, mail: Sink) -> None:
    """Founding, joining, put, keep, reveal, search, update and send: as over the socket, each by its part."""
    with own_line.asking("admin"):
        everybody = casting.found(mail)
        assert all(one.ok for one in people.doctor())
    with own_line.asking("web"):
        person = people.put(SALON, "hold-1", customer(77))
        grant = everybody.owner.grant
        told = people.reveal(grant, people.Purpose.CUSTOMER, [person], ["name", "mail"])
        assert told.persons[person] == {"name": "山田 花子77", "mail": "hanako77@example.jp"}
        assert people.update(grant, person, {"note": "左利き"}) == 1
        assert everybody.owner.sign_in().who.actor.handle == everybody.owner.handle
    with own_line.asking("worker"):
        people.keep(SALON, person)
        sent = people.send(SALON, person, "m-1", subject="{name}様", text="お待ちしております。")
    with own_line.asking("web"):
        assert person in people.search(grant, "hanako77@example.jp").persons
    assert sent is people.SendState.SENT
    assert mail.messages[-1]["To"] == "hanako77@example.jp"


def test_it_names_the_certificate_in_the_ledger(line: Line) -> None:
    """What came by a certificate is found by it: it stands where a process of the same machine stands."""
    serial = line.certify("web")
    with line.asking("web"):
        person = people.put(SALON, "named", customer(1))
    assert f'"process":"tls:web/{serial}"' in _entries(line.vault)
    found = people.scope(
        process=f"tls:web/{serial}", since=now() - timedelta(hours=1), until=now() + timedelta(hours=1)
    )
    assert {one.person for one in found.persons} == {person}


def test_it_holds_a_frame_to_the_same_bound(line: Line) -> None:
    """A frame beyond 8 MiB is refused before it is read, and its line is ended."""
    with line.secure(line.context("web")) as one:
        one.sendall(b"\xff\xff\xff\xff")
        told = one.recv(4)
        assert b"BadRequest" in one.recv(int.from_bytes(told, "big"))
        assert cut(one)


# -- who is let in


def _refusals(line: Line) -> dict[str, tuple[str | None, str]]:
    """What the app side could show, and why it is refused."""
    line.certify("web", house=Authority.make(now()), name="foreign")
    line.certify("web", ends=now() - timedelta(minutes=1), name="ended")
    line.certify("web", ends=now() + timedelta(days=3), name="early")
    for name, names, use in (
        ("vault", [x509.DNSName("localhost")], SERVER),
        ("turned", [x509.UniformResourceIdentifier("urn:noren:web")], SERVER),
        ("nameless", [x509.DNSName("localhost")], CLIENT),
        ("king", [x509.UniformResourceIdentifier("urn:noren:king")], CLIENT),
        ("two", [x509.UniformResourceIdentifier(f"urn:noren:{one}") for one in ("web", "admin")], CLIENT),
    ):
        (line.client / f"{name}.pem").write_bytes(odd(line.house, list(names), use))
    return {
        "none": (None, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        "foreign": ("foreign", "unable to get local issuer certificate"),
        "ended": ("ended", "certificate has expired"),
        "early": ("early", "certificate is not yet valid"),
        "vault": ("vault", "unsuitable certificate purpose"),
        "turned": ("turned", "unsuitable certificate purpose"),
        "nameless": ("nameless", "names no role"),
        "king": ("king", "role is not known"),
        "two": ("two", "names no role"),
    }


@pytest.mark.parametrize(
    "what", ["none", "foreign", "ended", "early", "vault", "turned", "nameless", "king", "two"]
)
def test_it_lets_nobody_in_without_a_certificate_for_it(line: Line, known: ssl.SSLSocket, what: str) -> None:
    """None, a foreign, ended, early, the wrong end's, a nameless or an unknown part's certificate."""
    name, why = _refusals(line)[what]
    before = line.vault.log.count(why)
    try:
        with line.secure(line.context(name)) as one:
            assert ask(one) is None
    except OSError:
        assert what != "nameless"
    wait_for(lambda: line.vault.log.count(why) > before)
    assert ask(known) is not None


def test_it_speaks_nothing_older_than_tls_1_3(line: Line, known: ssl.SSLSocket) -> None:
    """TLS 1.2 is refused, with a good certificate too."""
    context = line.context("web")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError, match=r"(?i)reset|alert|eof"):
        line.secure(context)
    wait_for(lambda: "UNSUPPORTED_PROTOCOL" in line.vault.log)
    assert ask(known) is not None


def test_it_speaks_nothing_in_clear(line: Line, known: ssl.SSLSocket) -> None:
    """The protocol's own frame on the bare port is cut off unanswered."""
    with line.plain() as one:
        assert ask(one) is None
    wait_for(lambda: "WRONG_VERSION_NUMBER" in line.vault.log or "HTTP_REQUEST" in line.vault.log)
    assert ask(known) is not None


def test_it_gives_no_ticket_and_resumes_nothing(line: Line) -> None:
    """Each connection shows its certificate anew, and no request can come before the handshake (0-RTT)."""
    context = line.context("web")
    with line.secure(context) as first:
        assert ask(first) is not None
        session = first.session
        assert first.version() == "TLSv1.3"
        assert session is None or not session.has_ticket
    with line.secure(context, session) as second:
        assert ask(second) is not None
        assert not second.session_reused


# -- what each part may ask


def test_it_holds_each_part_to_what_it_may(line: Line) -> None:
    """A worker shows nothing, the web sends nothing, and neither founds a shop or examines the vault."""
    person = people.put(SALON, "parts", customer(5))
    with line.asking("worker"):
        for refused in (
            lambda: people.put(SALON, "b", customer(2)),
            lambda: people.reveal("1.a.b", people.Purpose.TODAY, [person], ["name"]),
            lambda: people.search("1.a.b", "花子"),
            people.doctor,
        ):
            with pytest.raises(errors.GrantRefused):
                refused()
        assert people.health().ledger
    with line.asking("web"):
        for forbidden in (
            lambda: people.send(SALON, person, "m", subject="s", text="t"),
            lambda: people.keep(SALON, person),
            lambda: people.import_rows(SALON, [people.Row("r", customer(3))]),
            lambda: people.found_shop(9, "nine", []),
            people.invite_operator,
            people.doctor,
        ):
            with pytest.raises(errors.GrantRefused):
                forbidden()
        with pytest.raises(errors.GrantExpired):
            people.reveal("1.a.b", people.Purpose.TODAY, [person], ["name"])


def test_it_names_only_methods_that_are_there(bench: Bench) -> None:
    """The tables of the parts speak of real methods; an unknown one is open to no worker."""

    async def names(vault: object) -> set[str]:
        return set(vault.methods._methods)  # type: ignore[attr-defined]

    every = bench.run(names)
    assert every >= callers._WORKER
    assert every >= callers._NOT_WEB
    assert not callers.may(Caller.WORKER, "a_new_one")
    assert callers.may(Caller.ADMIN, "send")


# -- handshakes that hang


def test_it_lets_nobody_be_held_up_by_handshakes_that_hang(line: Line, known: ssl.SSLSocket) -> None:
    """Twice as many silent lines as may greet at once: who has a certificate comes in all the same."""
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(line.plain()) for _ in range(2 * MOST_HANDSHAKES)]
        for one in silent[::2]:
            one.sendall(b"\x16\x03\x01\x02\x00\x01")  # a hello that begins, and goes no further
        with line.asking("web"):
            assert people.health().ledger
        assert ask(known) is not None
        assert all(cut(one) for one in silent)
    wait_for(lambda: line.vault.log.count("connection_refused") >= 2 * MOST_HANDSHAKES)


def test_it_takes_no_place_of_the_known_for_the_unknown(line: Line) -> None:
    """More lines than may be served at once come and go without a certificate; the known one is served."""
    for _ in range(300):
        with line.plain() as one:
            one.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with line.asking("web"):
        assert people.health().ledger


# -- while it runs


def _serial(one: ssl.SSLSocket) -> str:
    told = one.getpeercert()
    assert told is not None
    return str(told["serialNumber"]).lower().lstrip("0")


def test_it_takes_up_a_renewed_certificate_while_it_runs(line: Line) -> None:
    """The next connection gets the vault's new certificate, and one that was open goes on."""
    with line.secure(line.context("web")) as before:
        serial = line.certify_vault()
        assert _serial(before) != serial
        with line.secure(line.context("web")) as after:
            assert _serial(after) == serial
            assert ask(after) is not None
        assert ask(before) is not None


def test_it_asks_with_a_renewed_certificate_from_the_next_connection_on(line: Line) -> None:
    """The app side reads its own certificate anew, without a restart."""
    with line.asking("web"):
        people.put(SALON, "before", customer(1))
        serial = line.certify("web")
        wire.close()
        people.put(SALON, "after", customer(2))
    assert f'"process":"tls:web/{serial}"' in _entries(line.vault)


def test_it_keeps_what_it_has_when_new_files_cannot_be_used(line: Line) -> None:
    """Half a file changes nothing, is told of in the log, and a whole one is taken up afterwards."""
    (line.folder / "server.pem").write_bytes(b"-----BEGIN CERT")
    with line.asking("web"):
        assert people.health().ledger
    assert "certificates_not_taken" in line.vault.log
    serial = line.certify_vault()
    with line.secure(line.context("web")) as after:
        assert _serial(after) == serial


def test_it_cuts_a_revoked_certificate_off(line: Line) -> None:
    """Open lines end within moments, new ones are refused; another certificate of the part is let in."""
    serial = line.certify("web")
    line.certify("web", name="other")
    with line.secure(line.context("web")) as one, line.secure(line.context("other")) as other:
        assert ask(one) is not None
        line.revoke("ff", serial)
        assert cut(one)
        assert ask(other) is not None
    with line.secure(line.context("web")) as again:
        assert ask(again) is None
    wait_for(lambda: "is revoked or has ended" in line.vault.log)
    with line.asking("web"), pytest.raises(errors.VaultUnavailable):
        people.health()


def test_it_cuts_a_certificate_off_when_it_ends(line: Line) -> None:
    """A line that was opened in time is not served beyond its certificate's end."""
    line.certify("web", ends=now() + timedelta(seconds=6))
    with line.secure(line.context("web")) as one:
        assert ask(one) is not None
        assert cut(one)
    assert "connection_ended" in line.vault.log


def test_it_cuts_all_off_when_the_authority_is_another(own_line: Line) -> None:
    """With a new authority the old one's certificates end, open lines with them."""
    fresh = Authority.make(now())
    with own_line.secure(own_line.context("web")) as one:
        assert ask(one) is not None
        own_line.trust(fresh)
        assert cut(one)
    own_line.certify_vault(fresh)
    with pytest.raises(ssl.SSLCertVerificationError):
        own_line.secure(own_line.context("web"))


def test_it_warns_before_an_end(line: Line) -> None:
    """Thirty days before, the doctor says which certificate ends."""
    line.certify_vault(days=20)
    with line.asking("admin"):
        [found] = [one for one in people.doctor() if one.check == "certificates"]
    assert (found.ok, found.detail) == (False, "server.pem ends in 19 days")


def test_it_ends_as_asked_with_lines_open(own_line: Line) -> None:
    """SIGTERM ends it with 0 while lines are open and handshakes hang."""
    process = own_line.vault.process
    assert process is not None
    with own_line.secure(own_line.context("web")) as one, own_line.plain() as silent:
        assert ask(one) is not None
        process.terminate()
        assert process.wait(30) == 0
        assert cut(one)
        assert cut(silent)


# -- set up wrongly


@pytest.mark.parametrize("name", ["server.pem", "ca.pem"])
def test_it_does_not_start_without_its_certificates(own_line: Line, name: str) -> None:
    """A missing file stops the start, and is named."""
    own_line.vault.stop()
    (own_line.folder / name).unlink()
    assert own_line.vault.start(ready=False).returncode == 2
    assert name in own_line.vault.log


def test_it_says_that_the_port_is_somebody_elses(own_line: Line) -> None:
    """A port that is taken stops the start, in words."""
    own_line.vault.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        own_line.vault.settings = {**own_line.vault.settings, "NOREN_VAULT_LISTEN": f"127.0.0.1:{port}"}
        assert own_line.vault.start(ready=False).returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in own_line.vault.log
