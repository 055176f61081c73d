"""An incident's copy: made, opened on a clean machine, checked, read; what was done outside comes back."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.test import override_settings

from noren import people
from noren.errors import VaultUnavailable
from noren.incidents import book, commands, copies, evidence_commands
from noren.incidents.book import Kind
from noren.people import incidents, signs
from noren.web import incident_copy_commands
from noren_verify.__main__ import main as verify
from tests.servers import VaultProcess
from tests.web import notice_house
from tests.web.test_incidents import opened, write
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]

PASSPHRASE = "seven quite ordinary words in a row here"
# What the sheet of a script would be, written by whoever the incident is about.
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def ledger(vault: VaultProcess) -> Path:
    return vault.ledger


@pytest.fixture
def incident(house: House, tmp_path: Path) -> str:
    """One with a fact, a task, a decision, a path that is looked into, an answer, a file and a draft."""
    place = opened(house.operator, text=SCRIPT)
    number = place.rpartition("/")[2]
    persons = [people.put(house.made.id, f"hold-{each}", {"name": f"客 {each}"}) for each in range(5)]
    people.reveal(grant_of(house.staff), people.Purpose.TODAY, persons[:3], ["name"])
    actor = people.whoami(grant_of(house.staff)).actor.handle
    write(house.operator, place, kind="fact", text="名簿が見られた", when="2026-11-27T01:00", zone="UTC")
    write(house.operator, place, kind="task", text="店に電話する", who="kei")
    write(house.operator, place, kind="decision", text="お客様に知らせる", because="表示されたことが確か")
    write(
        house.operator,
        place,
        kind="suspect",
        path="actor",
        name=actor,
        since="2020-01-01T00:00",
        until="2099-01-01T00:00",
        zone="UTC",
    )
    write(house.operator, place, kind="known", at="2026-11-27T09:30", zone="Asia/Tokyo", kinds=["unlawful"])
    assert (
        commands.scope(
            [
                "--actor",
                actor,
                "--since",
                "2020-01-01T00:00Z",
                "--until",
                "2099-01-01T00:00Z",
                "--incident",
                number,
            ]
        )
        == 0
    )
    log = tmp_path / "proxy.html"
    log.write_bytes(b"<script>2026-11-27T01:00:00Z GET /console/customers</script>\n")
    assert evidence_commands.take([number, str(log), "--source", "proxy"]) == 0
    notice_house.write(house.operator, "night-reading", incident=number)
    return number


@pytest.fixture
def exported(incident: str, ledger: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a copy by the command; gives the file."""

    def write_it(name: str = "incident.age", *words: str) -> Path:
        path, secret = tmp_path / name, tmp_path / "passphrase"
        secret.write_text(f"{PASSPHRASE}\n")
        given = words or ("--passphrase-file", str(secret))
        with override_settings(LEDGER=ledger):
            assert incident_copy_commands.export([incident, "--to", str(path), *given]) == 0
        return path

    return write_it


def elsewhere(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`noren WORDS` on a clean machine: no setting, no variable, an empty home, and nothing that runs."""
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", *words],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert list(home.iterdir()) == []
    return done


def take(tmp_path: Path, file: Path, *words: str, secret: str = PASSPHRASE, to: str = "taken") -> Any:
    (tmp_path / "said").write_text(secret)
    given = ("--to", str(tmp_path / to), "--passphrase-file", str(tmp_path / "said"))
    return elsewhere(tmp_path / "home", "incident", "take", str(file), *given, *words)


def test_a_clean_machine_opens_it_proves_it_and_reads_it(
    exported: Callable[..., Path], incident: str, ledger: Path, tmp_path: Path
) -> None:
    """No database, no vault, no setting: every record is proved by the key that was kept."""
    done = take(tmp_path, exported(), "--vkey", str(ledger / "vkey"))
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "taken"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "proved: all 8 records of the book are as the ledger" in done.stdout
    assert "proved: the answer beside record 7 is the one that the record names" in done.stdout
    assert "proved: record 7: the answer follows from them: 3 persons" in done.stdout
    assert "proved: files of evidence are those that the book names: 1" in done.stdout
    assert "not proved here: that nobody has written a record no. 9 since" in done.stdout
    assert (folder / "proved.txt").read_text() in done.stdout
    for page, words in (
        ("index.html", ("名簿が見られた", "お客様に知らせる", "店に電話する", "確報", "あなたが渡した鍵で")),
        ("ja/index.html", ("夜中の閲覧", "台帳から", "proxy.html")),
        ("en/index.html", ("What the law asks", "From the ledger", "By the key that you gave", "72 hours")),
    ):
        text = (folder / page).read_text(encoding="utf-8")
        assert all(each in text for each in words), (page, [each for each in words if each not in text])
        # What the attacker wrote is text, and every link leads to a file that is there.
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)" in text
        for link in re.findall(r'(?:href|src)="([^"#]+)"', text):
            assert (folder / page).parent.joinpath(link).is_file(), link
    assert (
        (folder / "drafts" / "notices" / "ja" / "night-reading-1.1-draft.md")
        .read_text()
        .startswith("# 予約データへの不正アクセスについて\n")
    )
    assert "名簿が見られた" in (folder / "drafts" / "reports" / "ja" / "jp-appi-0.md").read_text()
    assert f'incident = "{incident}"' in (folder / "outside.toml").read_text()


def test_it_is_on_record_before_it_leaves(
    exported: Callable[..., Path], incident: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book names the file by its hash; where that cannot be written no file is left, whole or half."""
    path = exported()
    last = incidents.read(None, incident).records[-1]
    assert (last.kind, last.by) == (Kind.COPIED, "admin")
    said = json.loads(last.words)
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (said["records"], said["under"]) == (8, "passphrase")
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(incidents, "add", _away)
    secret = str(tmp_path / "passphrase")
    words = [incident, "--to", str(tmp_path / "other.age"), "--passphrase-file", secret]
    assert incident_copy_commands.export(words) == 1
    assert {one.name for one in tmp_path.glob("*age*")} == {"incident.age"}
    # Another one is never written over.
    assert incident_copy_commands.export([incident, "--to", str(path), "--passphrase-file", secret]) == 1


def _away(*_: object) -> int:
    raise VaultUnavailable


def test_a_byte_or_a_letter_that_is_another_opens_nothing(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    """Every piece of the file counts; a refused one leaves no folder."""
    path = exported()
    whole = path.read_bytes()
    done = take(tmp_path, path, secret="seven quite ordinary words in a row there")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "noren: It cannot be opened: it was changed, or this is not its passphrase."
    )
    for place in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        done = take(tmp_path, path)
        assert (done.returncode, done.stdout) == (1, ""), place
    path.write_bytes(whole[:-100])
    assert take(tmp_path, path).returncode == 1
    assert not (tmp_path / "taken").exists()
    path.write_bytes(whole)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").touch()
    assert "is not empty" in take(tmp_path, path).stderr


def test_it_is_opened_by_the_key_of_a_recipient(exported: Callable[..., Path], tmp_path: Path) -> None:
    """An age key that somebody else holds; without it there is nothing to ask for."""
    key, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    path = exported("sealed.age", "--recipient", str(key.to_public()))
    for name, held in (("key", key), ("other", other)):
        (tmp_path / name).write_text(f"# made for the lawyer\n{held}\n")
    assert "--identity" in take(tmp_path, path).stderr
    assert take(tmp_path, path, "--identity", str(tmp_path / "other")).returncode == 1
    done = take(tmp_path, path, "--identity", str(tmp_path / "key"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This is by the key that came with the copy" in done.stdout
    assert "添えられた鍵" in (tmp_path / "taken" / "index.html").read_text()


def test_what_cannot_be_encrypted_to_is_refused(incident: str, tmp_path: Path) -> None:
    """Nothing is read, and nothing written down, before it is known to what it is encrypted."""
    before = len(incidents.read(None, incident).records)
    (tmp_path / "short").write_text("geheim")
    (tmp_path / "empty").write_text("\n")
    to = ("--to", str(tmp_path / "copy.age"))
    for given in (
        ("--recipient", "age1nobody"),
        ("--passphrase-file", str(tmp_path / "short")),
        ("--passphrase-file", str(tmp_path / "empty")),
        ("--passphrase-file", str(tmp_path / "nowhere")),
    ):
        assert incident_copy_commands.export([incident, *to, *given]) == 1, given
    (tmp_path / "short").write_text(PASSPHRASE)
    assert incident_copy_commands.export(["0" * 16, *to, "--passphrase-file", str(tmp_path / "short")]) == 1
    assert len(incidents.read(None, incident).records) == before
    assert not (tmp_path / "copy.age").exists()


def reworded(packed: bytes, change: Callable[[Any], None], part: str = "book.json") -> bytes:
    """A copy that says something else, made by somebody who can encrypt it, too."""
    copy = copies.read(packed)
    told = copy.json(part)
    change(told)
    parts = {**copy.parts, part: json.dumps(told).encode()}
    parts.pop(copies.MANIFEST)
    about = {name: value for name, value in copy.about.items() if name not in ("schema", "parts")}
    return copies.pack(about, parts.items())


def _reword(told: Any) -> None:
    told["records"][1]["words"] = json.dumps({"text": "何も見られていない"})


def _other_time(told: Any) -> None:
    told["records"][2]["at"] += 1


def _drop_last(told: Any) -> None:
    told["records"].pop()


def _drop_one(told: Any) -> None:
    del told["records"][3]


def _invent(told: Any) -> None:
    told["records"].append({**told["records"][1], "number": len(told["records"]) + 1})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_reword, "record 2 was CHANGED"),
        (_other_time, "record 3 was CHANGED"),
        (_drop_last, "record 8 is missing"),
        (_drop_one, "record 4 is missing"),
        (_invent, "record 9 has no entry"),
    ],
)
def test_a_copy_that_was_made_to_say_otherwise_is_read_and_said_to_be_so(
    exported: Callable[..., Path], ledger: Path, tmp_path: Path, change: Callable[[Any], None], words: str
) -> None:
    """The platform may be what was broken: what it gives away is held against the ledger's key."""
    path = exported()
    packed = copies.unseal(path.read_bytes(), passphrase=PASSPHRASE)
    path.write_bytes(copies.seal(reworded(packed, change), passphrase=PASSPHRASE))
    done = take(tmp_path, path, "--vkey", str(ledger / "vkey"))
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"NOT WHOLE: the book: {words}" in done.stdout
    assert words in (tmp_path / "taken" / "index.html").read_text()


def test_a_folder_is_checked_again_by_anybody(
    exported: Callable[..., Path], ledger: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verifier alone says so of `data`: whole, changed later, under another key, and of none."""
    assert take(tmp_path, exported()).returncode == 0
    data, vkey = tmp_path / "taken" / "data", str(ledger / "vkey")
    assert verify(["incident", str(data), "--vkey", vkey]) == 0
    (file,) = (data / "evidence").iterdir()
    file.write_bytes(b"nothing")
    assert verify(["incident", str(data), "--vkey", vkey]) == 1
    assert f"NOT WHOLE: not as they were copied: evidence/{file.name}" in capsys.readouterr().out
    answer = next((data / "scopes").glob("*.zip"))
    answer.write_bytes(b"PK")
    verify(["incident", str(data), "--vkey", vkey])
    assert f"NOT WHOLE: scopes/{answer.name}" in capsys.readouterr().out
    assert verify(["incident", str(data), "--vkey", "nobody"]) == 2
    assert verify(["incident", str(tmp_path), "--vkey", vkey]) == 1


def test_no_record_but_its_own_says_what_a_file_is(
    incident: str,
    exported: Callable[..., Path],
    ledger: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A member's fact that names a file with another hash does not make that file the one that came."""
    (there,) = signs.files_of(None, incident)
    other = hashlib.sha256(b"nothing").hexdigest()
    incidents.add(None, incident, "fact", json.dumps({"text": "", "file": there.file, "sha256": other}))
    assert take(tmp_path, exported()).returncode == 0
    data = tmp_path / "taken" / "data"
    (data / "evidence" / there.file).write_bytes(b"nothing")
    manifest = json.loads((data / "manifest.json").read_bytes())
    manifest["parts"][f"evidence/{there.file}"] = other
    (data / "manifest.json").write_text(json.dumps(manifest))
    assert verify(["incident", str(data), "--vkey", str(ledger / "vkey")]) == 1
    assert f"NOT WHOLE: the file {there.file} is not the one that the book names" in capsys.readouterr().out


OUTSIDE = """
incident = "{incident}"

[[record]]
kind = "decision"
at = 2026-11-28T09:30:00+09:00
by = "Aoi, by phone"
text = "The page stays closed."
because = "Nobody knows whether the way in is shut."

[[record]]
kind = "task"
at = 2026-11-28T09:40:00+09:00
by = "Aoi, by phone"
text = "Call the shop"
who = "Kei"
"""


def test_what_was_decided_outside_comes_back_once(
    exported: Callable[..., Path], incident: str, tmp_path: Path, house: House
) -> None:
    """By the folder that was written in; brought again nothing is added, and a new line comes alone."""
    assert take(tmp_path, exported()).returncode == 0
    folder = tmp_path / "taken"
    before = len(incidents.read(None, incident).records)
    assert incident_copy_commands.bring_back([str(folder), incident]) == 0
    assert len(incidents.read(None, incident).records) == before
    (folder / "outside.toml").write_text(OUTSIDE.format(incident=incident))
    for _ in range(2):
        assert incident_copy_commands.bring_back([str(folder), incident]) == 0
        assert len(incidents.read(None, incident).records) == before + 2
    with (folder / "outside.toml").open("a") as file:
        file.write('[[record]]\nkind = "note"\nat = 2026-11-28T10:00:00Z\nby = "Kei"\ntext = "Told."\n')
    assert incident_copy_commands.bring_back([str(folder / "outside.toml"), incident]) == 0
    work = book.workspace(incidents.read(None, incident).records)
    assert len(work.lines) == before + 3
    decided = work.decisions[-1]
    assert (decided.when, decided.record.by) == (datetime(2026, 11, 28, 0, 30, tzinfo=UTC), "admin")
    assert (decided.said["wrote"], decided.told_later) == ("Aoi, by phone", True)
    shown = house.operator.get(f"/operations/incidents/{incident}").content.decode()
    assert "Aoi, by phone が外で記入" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("decision", "hypothesis"), "record 1: kind is one of"),
        (('+09:00\nby = "Aoi, by phone"\ntext = "Call', '\nby = "Aoi"\ntext = "Call'), "record 2: at is"),
        (("by = ", "from = "), "record 1: it says"),
        (('"Aoi, by phone"', '" "'), "record 1: by says"),
        (('because = "Nobody knows whether the way in is shut."', ""), "record 1: because"),
        (('text = "Call the shop"', "text = 5"), "record 2: write"),
        (('incident = "', 'incident = "0'), "of the incident 0"),
        (("[[record]]", "[[records]]"), "only [[record]]"),
        (("[[record]]", "[[record]"), "not TOML"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_file_that_does_not_fit_brings_nothing(
    incident: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], words: str
) -> None:
    """It says which record, and why; the ones before it stay out, too."""
    before = len(incidents.read(None, incident).records)
    file = tmp_path / "outside.toml"
    file.write_text(OUTSIDE.format(incident=incident).replace(*change))
    assert incident_copy_commands.bring_back([str(file), incident]) == 2
    assert words in capsys.readouterr().err
    assert len(incidents.read(None, incident).records) == before
    assert incident_copy_commands.bring_back([str(tmp_path / "none"), incident]) == 1
