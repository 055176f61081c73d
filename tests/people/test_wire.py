"""The door's wire: reconnects, gives up in time, speaks in our errors."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import override_settings

import noren_vault.errors
from noren import errors, people
from noren.people import wire
from noren_vault.fields import FIELDS
from noren_vault.fields import Reason as FieldReason
from noren_vault.rights import Purpose as VaultPurpose
from tests.servers import VaultProcess


@contextmanager
def _answering(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """A socket that does with each connection what the test says."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                serve(line)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        with override_settings(VAULT_SOCKET=path):
            yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        wire.close()


def _answer(line: socket.socket, answer: object) -> bool:
    head = line.recv(4)
    if not head:
        return False
    line.recv(int.from_bytes(head, "big"))
    data = json.dumps(answer).encode()
    line.sendall(len(data).to_bytes(4, "big") + data)
    return True


def test_it_answers_after_the_vault_was_restarted(vault: VaultProcess) -> None:
    """Connections that a restart ended are replaced without anybody noticing."""
    person = people.put(1, "a", {"name": "花子"})
    for stop in (vault.stop, vault.kill):
        stop()
        with pytest.raises(errors.VaultUnavailable):
            people.health()
        vault.start()
        assert people.put(1, "a", {"name": "花子"}) == person


def test_it_says_that_nobody_is_there(tmp_path: Path) -> None:
    """No socket, no vault: VaultUnavailable and not an OSError."""
    with override_settings(VAULT_SOCKET=tmp_path / "none"), pytest.raises(errors.VaultUnavailable):
        people.health()


def test_it_gives_up_on_a_vault_that_hangs(tmp_path: Path) -> None:
    """A vault that takes the request and says nothing holds a page up for the given time only."""
    over = threading.Event()

    def serve(line: socket.socket) -> None:
        line.recv(4096)
        over.wait(20)

    with _answering(tmp_path / "s", serve):
        with pytest.raises(errors.VaultUnavailable):
            wire.call(str(tmp_path / "s"), "health", {}, seconds=0.2)
        over.set()


@pytest.mark.parametrize("raw", [b"", b"\0\0\0\x05{", b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x01{"])
def test_it_takes_a_broken_answer_for_no_answer(tmp_path: Path, raw: bytes) -> None:
    """A half, huge or senseless frame is VaultUnavailable, and its connection is not used again."""

    def serve(line: socket.socket) -> None:
        line.recv(4096)
        line.sendall(raw)

    with _answering(tmp_path / "s", serve), pytest.raises(errors.VaultUnavailable):
        people.health()


def test_it_keeps_one_connection_for_many_requests(tmp_path: Path) -> None:
    """Twenty requests one after the other open one connection."""
    lines: list[int] = []

    def serve(line: socket.socket) -> None:
        lines.append(1)
        while _answer(line, {"ok": {"checkpoint": "x"}}):
            pass

    with _answering(tmp_path / "s", serve):
        for _ in range(20):
            people.checkpoint()
        wire.close()
    assert len(lines) == 1


def test_it_shares_no_answer_between_threads(module_vault: VaultProcess) -> None:
    """Many threads at once: each gets the person of its own key."""
    found: dict[int, object] = {}

    def put(number: int) -> None:
        for _ in range(5):
            found[number] = people.put(1, f"thread-{number}", {"name": f"花子{number}"})

    threads = [threading.Thread(target=put, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found.values())) == 16
    assert all(people.put(1, f"thread-{n}", {"name": f"花子{n}"}) == one for n, one in found.items())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_it_shares_no_connection_with_a_forked_child(module_vault: VaultProcess) -> None:
    """A forked worker opens its own line, and the parent's goes on."""
    people.health()
    child = os.fork()
    if child == 0:
        os._exit(0 if people.health().ledger else 1)
    assert people.health().ledger
    deadline = time.monotonic() + 20
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ended == (child, 0)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, found in vars(noren_vault.errors).items()
        if isinstance(found, type) and name not in ("VaultError", "BadRequest", "Any")
    ],
)
def test_it_knows_every_refusal_of_the_vault(tmp_path: Path, name: str) -> None:
    """Each error of the vault arrives as our class of the same name, with its facts."""

    def serve(line: socket.socket) -> None:
        _answer(line, {"error": {"code": name, "message": "m", "facts": {"today": 1}}})

    with _answering(tmp_path / "s", serve), pytest.raises(getattr(errors, name)) as refusal:
        people.health()
    assert refusal.value.facts == {"today": 1}


@pytest.mark.parametrize("code", ["BadRequest", "NorenError2", "re", "Any", "", "__class__"])
def test_it_takes_an_unknown_refusal_for_a_fault_of_ours(tmp_path: Path, code: str) -> None:
    """What has no class of ours is a RuntimeError."""

    def serve(line: socket.socket) -> None:
        _answer(line, {"error": {"code": code, "message": "m"}})

    with _answering(tmp_path / "s", serve), pytest.raises(RuntimeError, match="refused health"):
        people.health()


def test_it_sends_no_frame_that_is_too_long(module_vault: VaultProcess) -> None:
    """A request beyond 8 MiB is a fault of ours and never leaves."""
    with pytest.raises(RuntimeError, match="longer than a frame"):
        people.put(1, "a", {"name": "x" * 9_000_000})


def test_it_takes_an_answer_that_is_longer_than_a_request_may_be(tmp_path: Path) -> None:
    """The answer about a leak of fifty thousand persons has more than 8 MiB, and must arrive."""
    long = "x" * (9 << 20)

    def serve(line: socket.socket) -> None:
        _answer(line, {"ok": {"checkpoint": long}})

    with _answering(tmp_path / "s", serve):
        assert people.checkpoint() == long


def test_it_names_purposes_as_the_vault_does() -> None:
    """Both sides have the same closed list."""
    assert {str(one) for one in people.Purpose} == {str(one) for one in VaultPurpose}


def test_it_has_reasons_a_form_can_show() -> None:
    """The vault's reasons are short codes, and its fields the documented ones."""
    assert all(reason.isidentifier() for reason in FieldReason)
    said = ("answers", "health", "guests")
    kept = ("tags", "notes", "chart")
    assert ("name", "kana", "mail", "phone", "note", "card_last4", *said, *kept) == FIELDS
