"""Within an incident: whose data, the shops and their packs, the reports and their terms, by the pages."""

import io
import json
import re
import zipfile
from typing import Any
from uuid import UUID

import pypdfium2
from django.test import Client

from noren import people
from noren.incidents import book, duties, reports
from noren.people import incidents
from noren.shops import directory
from noren_verify import bundle as verify
from tests.servers import VaultProcess
from tests.web.test_incidents import opened, write
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]

TODAY = people.Purpose.TODAY


def text(client: Client, place: str) -> str:
    answer = client.get(place)
    assert answer.status_code == 200, (place, answer.status_code)
    return answer.content.decode()


def post(client: Client, place: str, **given: Any) -> str:
    answer = client.post(place, given, follow=True)
    assert answer.status_code == 200, (answer.status_code, answer.content.decode())
    return answer.content.decode()


def customers(house: House, number: int, after: str = "") -> list[UUID]:
    return [
        people.put(house.made.id, f"hold-{after}{each}", {"name": f"客 {each}", "phone": "090-1234-5678"})
        for each in range(number)
    ]


def work_of(house: House, place: str) -> book.Workspace:
    return book.workspace(incidents.read(grant_of(house.operator), place.rpartition("/")[2]).records)


def asked(house: House, place: str, **more: str) -> str:
    given = {"since": "2020-01-01T00:00", "until": "2099-01-01T00:00", "zone": "UTC", **more}
    answer = house.operator.post(f"{place}/scope", given)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_whose_data_is_asked_kept_and_compared(house: House, vault: VaultProcess) -> None:
    operator, place = house.operator, opened(house.operator)
    seen = customers(house, 6)
    people.reveal(grant_of(house.staff), TODAY, seen[:2], ["name"])
    actor = people.whoami(grant_of(house.staff)).actor.handle
    given = {"way": "actor", "named": actor}
    # Without the power nothing is asked, and the form keeps what was typed.
    refused = operator.post(f"{place}/scope", {**given, "since": "2020-01-01T00:00", "zone": "UTC"})
    assert refused.status_code == 403
    assert not work_of(house, place).scopes
    house.lend("read_ledger_entries")
    then = asked(house, place, **given)
    people.reveal(grant_of(house.staff), TODAY, seen[2:5], ["name"])
    told = text(operator, then)
    assert not any(str(each) in told for each in seen)
    # Nothing is said of an answer that was not had again.
    assert 'role="status"' not in told[told.index("<main") :]
    assert not any(str(each) in line.record.words for each in seen for line in work_of(house, place).scopes)
    # Who is named is had again, as of then; the three that came since are not among them.
    told = post(operator, then, deed="persons")
    assert [str(each) in told for each in seen] == [True, True, False, False, False, False]
    assert 'class="notice fine' in told
    # In words: the way, the field, how surely.
    assert f"アカウント: {actor}</h1>" in told
    assert "<td>お名前</td><td>漏えい</td>" in told
    again = operator.post(then, {"deed": "again"})["Location"]
    told = post(operator, again, deed="compare", **{"with": then.rpartition("/")[2]})
    assert [str(each) in told for each in seen] == [False, False, True, True, True, False]
    assert 'class="notice fine' in told
    proof = operator.post(then, {"deed": "proof"})
    path = vault.ledger.parent / "proof.zip"
    path.write_bytes(proof.content)
    assert any("2 persons" in line for line in verify.verify(path, (vault.ledger / "vkey").read_text()))
    for wrong in ({"way": "store", "named": "garage"}, {"way": "address", "named": "x"}, {"way": "door"}):
        answer = operator.post(f"{place}/scope", {"since": "2020-01-01T00:00", "zone": "UTC", **wrong})
        assert answer.status_code == 422, wrong
    assert operator.get(f"{place}/scope/999").status_code == 404
    assert operator.post(again, {"deed": "compare", "with": "1"}).status_code == 404


def test_the_clock_through_the_page(operator: Client) -> None:
    """The law's own examples: 1,000 and 1,001; one by intrusion; put off over holidays."""
    examples: tuple[tuple[str, list[str], str | None], ...] = (
        ("1000", [], None),
        ("1001", [], r"4月3日|April 3|3 April"),
        ("1", ["unlawful"], r"5月7日|May 7|7 May"),
    )
    for persons, kinds, day in examples:
        place = opened(operator)
        given = {"at": "2026-03-05T15:00", "zone": "Asia/Tokyo", "persons": persons, "kinds": kinds}
        write(operator, place, kind="known", **given, laws=["jp-appi"])
        told = text(operator, f"{place}/reports")
        part = told[: told.index('href="' + f"{place}/reports/eu-gdpr/0")]
        assert bool(re.search(day or "月9日", part)) is (day is not None), persons
        # The preliminary report is shown from its third to its fifth day, and never put off.
        shown = re.search(r"2026年3月7日（土） – 2026年3月9日（月）", part)
        assert bool(shown) is (day is not None)


def test_each_principal_has_its_reports_and_files_them(house: House, vault: VaultProcess) -> None:
    """Two shops and the platform's accounts: the platform of one, the shop of its own, the other of none."""
    operator, place = house.operator, opened(house.operator, text="夜中に名簿が見られた")
    other = directory.found("yoga")
    people.put(other, "hold-other", {"name": "客"})
    customers(house, 3)
    write(operator, place, kind="fact", text="鍵が持ち出された", when="2026-11-27T01:00", zone="UTC")
    given = {"at": "2026-11-27T09:30", "zone": "Asia/Tokyo", "kinds": ["unlawful"]}
    write(operator, place, kind="known", **given, laws=["jp-appi"])
    house.lend("read_ledger_entries")
    # Cipher with nothing against its keys exposes no customer; a passkey is clear: the platform's accounts.
    told = text(operator, asked(house, place, way="store", named="vault"))
    assert "保管庫のデータベース (vault): 暗号文（開ける鍵なし）" in told
    assert "復元: 0" in told
    work = work_of(house, place)
    assert reports.persons_of(work, house.made.id) == 0
    accounts = reports.persons_of(work, 0)
    assert accounts is not None
    assert accounts >= 3
    # The host was taken: everybody, from then on.
    told = text(operator, asked(house, place, way="store", named="host"))
    # The keys are in another's hand, whatever the record has of them: nobody is told otherwise.
    assert "鍵は持ち出されたものの中にありました。" in told
    assert "鍵の側に問題を示すものはありません" not in told
    report = operator.get(f"{place}/reports/jp-appi/0").content.decode()
    assert "鍵は持ち出されたものの中にありました。" in report
    assert "鍵の側に問題を示すものはありません" not in report
    work = work_of(house, place)
    assert reports.persons_of(work, house.made.id) is None
    assert set(reports.shops_of(work)) >= {house.made.id, other}
    told = text(operator, f"{place}/reports")
    for shop_id in (0, house.made.id, other):
        assert f"{place}/reports/jp-appi/{shop_id}" in told
    assert f"{place}/reports/jp-ipa/0" in told
    assert f"{place}/reports/jp-ipa/{other}" not in told
    # The shop's own terms wait for its being told; the telling has one of its own.
    report = f"{place}/reports/jp-appi/{house.made.id}"
    assert reports.of(work, "jp-appi", house.made.id, work.opened).owed is False  # type: ignore[union-attr]
    shop = f"{place}/shops/{house.made.id}"
    assert operator.post(shop, {"deed": "told", "how": "", "at": "2026-11-27T10:00"}).status_code == 422
    post(
        operator,
        shop,
        deed="told",
        how="電話、店主",
        receipt="メール控え",
        at="2026-11-28T10:00",
        zone="Asia/Tokyo",
    )
    told = text(operator, report)
    assert re.search(r"12月2日|December 2|2 December", told)
    _written_and_filed(house, place)
    for nowhere in ("x/0", "jp-ipa/1", "jp-appi/9999", "jp-entrusted/0"):
        assert operator.get(f"{place}/reports/{nowhere}").status_code == 404, nowhere
    for key in duties.FORMS:
        if key != duties.TOLD:
            assert operator.get(f"{place}/reports/{key}/0/pdf")["Content-Type"] == "application/pdf"


def _written_and_filed(house: House, place: str) -> None:
    """Words by hand stand over what is filled, and what was said before stays to be read."""
    operator = house.operator
    own = f"{place}/reports/jp-appi/0"
    filled = text(operator, own)
    assert "鍵が持ち出された" in filled
    post(operator, own, deed="item", item="cause", text="最初の見立て")
    told = post(operator, own, deed="item", item="cause", text="鍵の写しが置き忘れられた")
    assert "鍵の写しが置き忘れられた" in told
    assert "最初の見立て" in told
    told = post(operator, own, deed="decide", verdict="not", because="ホストごと持ち出された")
    assert "ホストごと持ち出された" in told
    told = post(
        operator,
        own,
        deed="filed",
        step="preliminary",
        at="2026-11-28T12:00",
        zone="Asia/Tokyo",
        receipt="受付-0042",
    )
    assert "受付-0042" in told
    (line,) = work_of(house, place).filed
    data = json.loads(operator.get(f"{own}/json").content)
    assert line.said["sha256"] == reports.digest(data)
    assert data["schema"] == "noren-report/1"
    items = {one["key"]: one for one in data["items"]}
    assert (items["cause"]["source"], items["harm"]["source"], items["outline"]["source"]) == (
        "person",
        "unknown",
        "record",
    )
    assert len(data["items"]) == 9
    assert data["steps"][0]["filed"][0]["receipt"] == "受付-0042"
    page = operator.get(f"{own}/pdf")
    with pypdfium2.PdfDocument(page.content) as read:
        paper = "".join(each.get_textpage().get_text_bounded() for each in read)
    for words in ("鍵の写しが置き忘れられた", "受付-0042", "本人の数", "まだ分かっていません"):
        assert words in "".join(paper.split()), words
    # The workspace shows what is filed as done.
    assert 'data-status="confirmed"' in text(operator, place)
    for wrong in (
        {"deed": "item", "item": "x", "text": "x"},
        {"deed": "item", "item": "cause", "text": ""},
        {"deed": "filed", "step": "x", "at": "2026-11-28T12:00"},
        {"deed": "filed", "step": "final"},
        {"deed": "decide", "verdict": "perhaps"},
        {"deed": "decide", "verdict": "not"},
        {},
    ):
        assert operator.post(own, wrong).status_code == 422, wrong


def test_a_shop_gets_its_own_people_and_a_proof_of_them(house: House, vault: VaultProcess) -> None:
    operator, place = house.operator, opened(house.operator)
    mine = customers(house, 2)
    other = people.put(directory.found("yoga"), "hold-other", {"name": "客"})
    house.lend("read_ledger_entries")
    asked(house, place)
    told = text(operator, f"{place}/shops/{house.made.id}")
    assert not any(str(one) in told for one in (*mine, other))
    made = operator.post(f"{place}/shops/{house.made.id}", {"deed": "pack"})
    with zipfile.ZipFile(io.BytesIO(made.content)) as pack:
        listed = pack.read("people.csv").decode()
        proof = vault.ledger.parent / "pack.zip"
        proof.write_bytes(pack.read("bundle.zip"))
        readme, english = pack.read("ja/readme.txt").decode(), pack.read("en/readme.txt").decode()
        assert {"ja/notice.txt", "en/mail.txt", "ja/jp-appi.json"} <= set(pack.namelist())
    assert all(str(one) in listed for one in mine)
    assert str(other) not in listed
    assert "To the shop salon" in english
    assert "salon" in readme
    assert "To the shop" not in readme
    assert verify.verify(proof, (vault.ledger / "vkey").read_text())
    assert operator.get(f"{place}/shops/9999").status_code == 404
    assert house.staff.get(f"{place}/shops/{house.made.id}")["Location"].startswith("/operations/sign-in")

    nobodys = f"/operations/incidents/{'0' * 16}"
    for page in (
        "scope",
        "scope/1",
        "shops",
        "shops/1",
        "reports",
        "reports/jp-appi/0",
        "reports/jp-appi/0/pdf",
    ):
        assert house.operator.get(f"{nobodys}/{page}").status_code == 404, page
