"""Signs as operators deal with them, and a report as anybody hands it in."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from noren import people
from noren.booking.doctor import Finding
from noren.errors import NoSuchSign
from noren.incidents import doctor, evidence_commands
from noren.people import signs
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import sql
from tests.web.test_powers import House, grant_of, house
from tests.web.test_signin_dump import dump_of

__all__ = ["house"]

LIST, FORM = "/operations/signs", "/security/report"
WORDS = "予約番号を変えると他人の名前が見える"
MAIL = "mitsuketa@kenkyu.example"
LOG = (
    b"2026-11-28T03:01:30Z sshd accepted key for ren\n"
    b"2026-11-28T03:02:30Z sshd session closed\n"
    b"2026-11-28T05:00:00Z cron ran\n"
)


def _key(client: Client) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', client.get(FORM).content.decode())
    assert found is not None
    return found[1]


def report(client: Client, **given: Any) -> str:
    """Hand one in; gives its number."""
    answer = client.post(FORM, {"key": _key(client), "text": WORDS, **given})
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r"<strong>([0-9a-f]{16})</strong>", answer.content.decode())
    assert found is not None
    return found[1]


def _log(content: bytes = LOG) -> SimpleUploadedFile:
    return SimpleUploadedFile("auth.log", content)


def test_a_report_leads_from_security_txt_to_an_incident(
    house: House, mail: Sink, app_db: AppDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """No account; a receipt at once; operators rung; words, address and file lie in the vault alone."""
    told = Client().get("/.well-known/security.txt").content.decode()
    assert told.splitlines()[0] == f"Contact: http://localhost:8000{FORM}"
    number = report(Client(), mail=MAIL, files=[_log()])
    wait_for(lambda: any(one["To"] == MAIL for one in mail.messages))
    assert re.search(number, house.operator.get(LIST).content.decode())
    page = house.operator.get(f"{LIST}/{number}").content.decode()
    for words in (WORDS, MAIL, "auth.log", "外部からの通報"):
        assert words in page
    file = signs.read(grant_of(house.operator), number).files[0].file
    answer = house.operator.get(f"{LIST}/{number}/files/{file}")
    assert answer.content == LOG
    assert answer["Content-Disposition"] == 'attachment; filename="auth.log"'
    assert answer["Content-Type"] == "application/octet-stream"
    opened = house.operator.post(f"{LIST}/{number}/deed", {"deed": "open"})
    book = house.operator.get(opened["Location"]).content.decode()
    assert WORDS in book
    assert "auth.log" in book
    # To who is no member of the incident the sign is gone.
    with pytest.raises(NoSuchSign):
        signs.read(house.second, number)
    dump = dump_of(app_db)
    assert not any(secret.encode() in dump for secret in (WORDS, MAIL, "sshd accepted"))
    assert not any(secret in caplog.text for secret in (WORDS, MAIL, "sshd accepted"))


def test_the_same_form_sent_again_is_the_same_report(operator: Client) -> None:
    """A browser that sends twice reports once."""
    client = Client()
    given = {"key": _key(client), "text": WORDS}
    pages = [client.post(FORM, given).content.decode() for _ in range(2)]
    numbers = [re.findall(r"<strong>([0-9a-f]{16})</strong>", page) for page in pages]
    assert numbers[0] == numbers[1] != []
    assert len(signs.all_of(grant_of(operator))) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"text": " "}, 422),
        ({"text": WORDS, "mail": "nobody"}, 422),
        ({"text": WORDS, "files": [SimpleUploadedFile("x", b"x" * (5 << 20))]}, 413),
        ({"text": WORDS, "files": [SimpleUploadedFile(f"{n}", b"x") for n in range(4)]}, 413),
    ],
)
def test_what_cannot_be_a_report_comes_back_with_its_words(
    operator: Client, given: dict[str, Any], status: int
) -> None:
    client = Client()
    answer = client.post(FORM, {"key": _key(client), **given})
    assert answer.status_code == status
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert given["text"].strip() in page
    assert signs.all_of(grant_of(operator)) == ()


def test_while_the_vault_is_away_nobody_is_told_that_it_arrived(made: Any, vault: VaultProcess) -> None:
    """The answer comes once it lies durable, and not before."""
    assert made
    client = Client()
    key = _key(client)
    vault.stop()
    answer = client.post(FORM, {"key": key, "text": WORDS})
    assert answer.status_code == 503


def test_many_reports_at_once_have_a_puzzle(operator: Client) -> None:
    """From one address: the house's own, and the form keeps what was typed."""
    assert operator
    for _ in range(60):
        client = Client()
        answer = client.post(FORM, {"key": _key(client), "text": WORDS})
        if answer.status_code != 200:
            break
    assert "data-challenge" in answer.content.decode()
    assert WORDS in answer.content.decode()


def test_a_sign_is_told_taken_and_dismissed(house: House) -> None:
    answer = house.operator.post(LIST, {"text": "鍵の束がない"})
    place = str(answer["Location"])
    number = place.rpartition("/")[2]
    assert house.operator.post(LIST, {"text": " "}).status_code == 422
    signs.take(house.second, number)
    assert "kei.operator" in house.operator.get(place).content.decode()
    for wrong in ({"deed": "dismiss", "because": " "}, {"deed": "join"}, {"deed": "x"}, {}):
        assert house.operator.post(f"{place}/deed", wrong).status_code == 422
    nobodys = {"deed": "join", "incident": "0" * 16}
    assert house.operator.post(f"{place}/deed", nobodys).status_code == 404
    assert (
        house.operator.post(f"{place}/deed", {"deed": "dismiss", "because": "机にあった"}).status_code == 302
    )
    assert "机にあった" in house.operator.get(LIST).content.decode()
    assert house.operator.post(f"{place}/deed", {"deed": "take"}).status_code == 409
    assert house.operator.get(f"{LIST}/{'0' * 16}").status_code == 404
    assert house.auditor().get(LIST)["Location"].startswith("/operations/sign-in")


def test_what_the_doctor_finds_rings_and_found_again_is_counted(operator: Client) -> None:
    """One sign a finding, however many nights."""
    findings = [Finding("notice_changed", "2026-leak, update 1"), Finding("sheet_differs", "shop 1")]
    for _ in range(3):
        doctor.ring(findings)
    found = sorted((one.what, one.times, one.text) for one in signs.all_of(grant_of(operator)))
    assert found == [
        ("doctor", 3, "sheet_differs: shop 1"),
        ("notice", 3, "notice_changed: 2026-leak, update 1"),
    ]


def test_a_file_is_taken_into_an_incident_and_stands_on_its_timeline(
    operator: Client, vault: VaultProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its page and by the command; on our clock; searched; its hash in the book."""
    place = str(operator.post("/operations/incidents", {"title": "夜中の閲覧"})["Location"])
    given = {"file": _log(), "source": "踏み台", "skew": "90", "text": "鍵で入った"}
    answer = operator.post(f"{place}/files", given)
    assert answer.status_code == 302, answer.content.decode()
    page = operator.get(answer["Location"]).content.decode()
    assert "2026-11-28 03:00:00 UTC" in page
    assert "cron ran" in page
    found = operator.get(
        answer["Location"], {"words": "SSHD", "until": "2026-11-28T03:00:30"}
    ).content.decode()
    assert "accepted key" in found
    assert "session closed" not in found
    assert 'role="alert"' in operator.get(answer["Location"], {"since": "soon"}).content.decode()
    file = str(answer["Location"]).rpartition("/")[2]
    assert operator.get(f"{answer['Location']}/whole").content == LOG
    line = operator.get(place, {"file": file, "words": "sshd"}).content.decode()
    assert "accepted key" in line
    assert "cron ran" not in line
    # Between the records by time: what happened before the incident was opened stands below.
    assert line.index("accepted key") > line.index('id="record-1"')
    for wrong in ({"file": _log(b"")}, {"file": _log(), "skew": "much"}, {}):
        assert operator.post(f"{place}/files", wrong).status_code == 422
    assert operator.post(f"{place}/files", {"file": _log(b"x" * (5 << 20))}).status_code == 413
    path = tmp_path / "proxy.log"
    path.write_bytes(LOG)
    incident = place.rpartition("/")[2]
    assert evidence_commands.take([incident, str(path), "--source", "proxy", "--skew", "-5"]) == 0
    assert re.fullmatch(r"[0-9a-f]{16}  sha256:[0-9a-f]{64}\n", capsys.readouterr().out)
    assert "proxy.log" in operator.get(place).content.decode()
    assert evidence_commands.take(["0" * 16, str(path)]) == 1
    assert evidence_commands.take([incident, str(tmp_path / "none")]) == 2
    people.doctor()
    hashes = sql(vault, "SELECT ref FROM vault.ledger_entry WHERE kind = 'incident' AND note = 'file'")
    assert len(hashes) == 2
    assert all("/sha256:" in ref for (ref,) in hashes)
