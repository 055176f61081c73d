"""The ledger as the public sees it: a page, a checkpoint, tiles; entries for operators alone."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

from noren import people
from noren.people import powers
from noren.people.powers import Ask
from noren_verify import online
from noren_verify.signed import read_key, read_signed
from tests.ledger.cast import Heads, fill
from tests.servers import VaultProcess
from tests.vault.operators import second_passkey

BINARY = "application/octet-stream"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A ledger of 9 entries, and the checkpoint that it had at 4."""
    folder, heads = tmp_path_factory.mktemp("made") / "ledger", Heads()
    fill(folder, heads, 4)
    before = (folder / "checkpoint").read_bytes()
    fill(folder, heads, 5)
    return folder, before


@pytest.fixture
def anybody(made_once: tuple[Path, bytes]) -> Iterator[Client]:
    """A visitor. Neither database nor vault is needed for what is public."""
    with override_settings(LEDGER=made_once[0], SECRET_KEY="s" * 50):
        yield Client(headers={"Accept-Language": "en"})


def test_it_serves_what_proves_the_ledger_whole(anybody: Client, made_once: tuple[Path, bytes]) -> None:
    """Checkpoint and tiles as served lead an outsider to the signed root, at the size now and before."""
    answer = anybody.get("/ledger/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=5"
    key = read_key(anybody.get("/ledger/vkey").content.decode())
    now, old = read_signed(answer.content, key, "now"), read_signed(made_once[1], key, "before")
    assert (now.size, old.size) == (9, 4)

    def fetch(path: str) -> bytes:
        served = anybody.get(f"/ledger/{path}")
        assert (served.status_code, served["Content-Type"]) == (200, BINARY)
        assert served["Cache-Control"] == "public, max-age=31536000, immutable"
        return served.content

    assert online.roots(fetch, 9, [9, 4]) == [now.root, old.root]
    # Each smaller width is answered still, by what has grown since.
    assert fetch("tile/0/000.p/4") == fetch("tile/0/000.p/9")[: 4 * 32]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p/10",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000.p/1",
        "tile/0/0.p/1",
        "tile/00/000.p/1",
        "tile/0/../vkey",
        "tile/9/000.p/1",
        "tile/0/x001/234",
        "segments/00000000.seg",
        "lock",
    ],
)
def test_it_serves_nothing_else(anybody: Client, path: str) -> None:
    assert anybody.get(f"/ledger/{path}").status_code == 404


def test_it_explains_itself_in_both_languages(anybody: Client, made_once: tuple[Path, bytes]) -> None:
    """The page shows the checkpoint whole, and a command that works as it stands."""
    page = anybody.get("/ledger").content.decode()
    note = (made_once[0] / "checkpoint").read_text()
    assert all(line in page for line in note.splitlines())
    assert "Nobody else has signed this checkpoint." in page
    assert f"/ledger --key {note.splitlines()[0]}+" in page
    assert "台帳" in anybody.get("/ledger", headers={"Accept-Language": "ja"}).content.decode()


def test_it_names_the_witnesses_of_the_checkpoint(anybody: Client, tmp_path: Path) -> None:
    """Whoever cosigned stands on the page, with the time of it."""
    blob = base64.b64encode(b"abcd" + (1_700_000_000).to_bytes(8, "big") + bytes(64)).decode()
    (tmp_path / "vkey").write_text("log.example+00000000+AAAA\n")
    (tmp_path / "checkpoint").write_text(
        f"log.example\n1234\nAAAA\n\n— log.example AAAAAAAA\n— witness.example/w {blob}\n— odd !\n"
    )
    with override_settings(LEDGER=tmp_path):
        page = anybody.get("/ledger").content.decode()
    assert "<b>witness.example/w</b>" in page
    assert "2023-11-14 22:13 UTC" in page
    assert "1234 entries" in page


def test_it_says_when_there_is_no_ledger_to_read(anybody: Client, tmp_path: Path) -> None:
    """A page with words; the rest is not there."""
    with override_settings(LEDGER=tmp_path / "nothing"):
        assert "cannot be read at this moment" in anybody.get("/ledger").content.decode()
        assert anybody.get("/ledger/checkpoint").status_code == 404


def test_it_gives_entries_under_a_power_alone_and_writes_that_down(
    operator: Client, vault: VaultProcess
) -> None:
    """An outsider is led to the door, an operator refused; under a power she gets the bundle, on record."""
    outside = Client().get("/ledger/tile/entries/000.p/2")
    assert outside.status_code == 302
    assert outside["Location"].startswith("/operations/sign-in")
    assert operator.get("/ledger/tile/entries/000.p/2").status_code == 403
    passkey, grant = (
        second_passkey(vault.database_url, "first.operator"),
        operator.cookies["noren_grant"].value,
    )
    wanted = Ask(what="read_ledger_entries", words="調査", minutes=15)
    power = powers.break_glass(grant, wanted, passkey.get(powers.glass_begin(grant, wanted)))
    powers.enter_power(grant, power)
    served = operator.get("/ledger/tile/entries/000.p/2")
    assert (served.status_code, served["Content-Type"]) == (200, BINARY)
    assert "no-store" in served["Cache-Control"]
    data, entries = served.content, []
    while data:
        length = int.from_bytes(data[:2], "big")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    assert [entry.startswith(b'{"v":1,') for entry in entries] == [True, True]
    last = operator.get(f"/ledger/tile/entries/000.p/{people.health().size}").content
    assert b'"kind":"scope"' in last
    assert b'"ref":"entries:0/count:2"' in last
    assert operator.get("/ledger/tile/entries/001").status_code == 404
    page = operator.get("/operations/").content.decode()
    assert "証人" in page
    assert "設定なし" in page
