"""The range service for breached passwords: what leaves, what is believed, and that its silence stops nobody.

The server here answers in the published format of Have I Been Pwned's range API.
"""

import asyncio
import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from noren_vault.errors import BadPassword, PasswordRefused, ResetRequired
from noren_vault.pwned import Pwned
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.accounts import OTHER, PASSWORD, check, joined
from tests.vault.cast import SALON, invitation_of
from tests.vault.conftest import START, Bench, ask
from tests.vault.resetting import AOI, NEW, forgot, notes, settled, tokens

BREACHED = "correct horse battery stapler"


@dataclass
class Service:
    """What the service knows, what it was asked, and how it fails."""

    port: int = 0
    known: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    hangs: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def knows(self, password: str, count: int = 3) -> None:
        self.known[hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()] = count

    def answer(self, prefix: str) -> str:
        """The rest of each hash in the range with its count, and padding, whose count is 0."""
        lines = [f"{one[5:]}:{count}" for one, count in self.known.items() if one.startswith(prefix)]
        return "\r\n".join(sorted([*lines, *(f"{number:035X}:0" for number in range(800))]))


@contextmanager
def serving() -> Iterator[Service]:
    service = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, dict(self.headers)))
            if service.hangs is not None:
                service.hangs.wait(30)
            body = service.answer(self.path.rpartition("/")[2]).encode()
            self.send_response(service.status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield service
    finally:
        if service.hangs is not None:
            service.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as one:
        yield one


@pytest.fixture
def asking(bench: Bench, service: Service) -> Bench:
    """The bench, set up to ask the service."""
    bench.configured = replace(bench.configured, pwned=service.url)
    return bench


def test_it_tells_five_digits_and_nothing_else(asking: Bench, mail: Sink, service: Service) -> None:
    """What is asked is the range: the first five hex digits, with padding wanted, by nobody's name."""

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")

    asking.run(act)
    digest = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
    [(path, headers)] = service.asked
    assert path == f"/range/{digest[:5]}"
    assert headers["Add-Padding"] == "true"
    assert set(headers) <= {"Host", "Add-Padding", "User-Agent", "Accept", "Accept-Encoding"}


def test_it_refuses_a_breached_password_with_the_reason(asking: Bench, mail: Sink, service: Service) -> None:
    """At joining, at changing and at a reset; one that only pads an answer is none."""
    service.knows(BREACHED)
    service.knows(OTHER, 0)

    async def act(vault: Vault) -> None:
        member = {"handle": "aoi", "role": "owner", "staff": "aoi", "name": "葵", "mail": AOI}
        await ask(vault, "found_shop", shop=SALON, slug="salon", members=[member])
        invite = invitation_of(mail, AOI)
        with pytest.raises(BadPassword) as caught:
            await ask(vault, "password_set", invite=invite, password=BREACHED)
        assert caught.value.facts == {"reason": "breached", "least": 15, "most": 256}
        aoi = await ask(vault, "password_set", invite=invite, password=OTHER)
        with pytest.raises(BadPassword):
            await ask(vault, "password_set", old=OTHER, grant=aoi["grant"], password=BREACHED)
        await forgot(vault)
        with pytest.raises(BadPassword):
            await ask(vault, "reset_finish", token=tokens(mail)[0], password=BREACHED)
        await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        await settled(vault)

    asking.run(act)


def test_it_leads_a_breached_password_through_a_reset(asking: Bench, mail: Sink, service: Service) -> None:
    """A right password that is breached since signs in no more, also when the service is away after that.

    A wrong one is not asked about.
    """

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        service.knows(PASSWORD)
        service.asked.clear()
        for _ in range(2):
            with pytest.raises(PasswordRefused):
                await check(vault, "aoi", OTHER)
        assert not service.asked
        for breached in (True, False):
            with pytest.raises(ResetRequired) as caught:
                await check(vault, "aoi")
            assert caught.value.facts == {"breached": breached}
            service.known.clear()
        assert len(service.asked) == 1
        await settled(vault)
        await ask(vault, "reset_finish", token=tokens(mail)[0], password=NEW)
        assert "grant" in await check(vault, "aoi", NEW)
        refused = [note for note in notes(vault, "refused") if note != "reset_pace"]
        assert refused == ["password", "password", "breached", "must_reset"]

    asking.run(act)


@pytest.mark.parametrize("how", ["refused", "hangs", "gone"])
def test_it_stops_nobody_when_the_service_does_not_answer(
    asking: Bench, mail: Sink, service: Service, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, silence, no server: passwords are set and sign in; it is asked again half a minute later."""
    service.knows(PASSWORD)
    if how == "gone":
        asking.configured = replace(asking.configured, pwned="http://127.0.0.1:9")
    elif how == "hangs":
        service.hangs = threading.Event()
        monkeypatch.setattr("noren_vault.pwned._SECONDS", 0.2)
    else:
        service.status = 503

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        asked = len(service.asked)
        assert "grant" in await check(vault, "aoi")
        assert len(service.asked) == asked
        if how == "refused":
            service.status = 200
            asking.clock += 30_000
            with pytest.raises(ResetRequired):
                await check(vault, "aoi")
            await settled(vault)

    asking.run(act)
    if service.hangs is not None:
        service.hangs.set()


def test_it_waits_for_no_more_than_four(service: Service) -> None:
    """While four are being asked about, others are not, and do not wait; each has its own end."""
    service.knows(BREACHED)
    service.hangs = threading.Event()
    pwned = Pwned(service.url, lambda: START)

    async def act() -> list[bool]:
        waiting = [asyncio.create_task(pwned.knows(BREACHED.encode())) for _ in range(4)]
        await asyncio.sleep(0)
        assert not await pwned.knows(BREACHED.encode())
        assert service.hangs is not None
        service.hangs.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(act()) == [True] * 4


def test_it_asks_nobody_unless_it_is_said(bench: Bench, mail: Sink, service: Service) -> None:
    """Without the setting no third party hears of anything."""
    service.knows(PASSWORD)

    async def act(vault: Vault) -> None:
        await joined(vault, mail, "aoi")
        assert "grant" in await check(vault, "aoi")

    bench.run(act)
    assert not service.asked
