"""The pages of lists: asked for, agreed to by somebody else with a passkey, taken, brought in, ended."""

import csv
import io
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from noren import people
from noren.booking import work
from tests.api.salon import NOON, Salon
from tests.servers import Sink, VaultProcess
from tests.vault.cast import customer
from tests.web.conftest import last_from_noon
from tests.web.desk.test_budget import Person

People = tuple[Person, Person, Person]
HERE = "/console/lists"
WHY = {"reason": "moving", "words": "別の台帳へ"}
FIELDS = ["name", "kana", "mail", "phone"]


@pytest.fixture(scope="module")
def two(made: Salon, module_vault: VaultProcess, module_mail: Sink) -> Iterator[People]:
    """The owner, a manager and somebody of the staff, with 130 customers."""
    assert module_vault
    with pytest.MonkeyPatch.context() as patch:
        last_from_noon(patch)
        roles = {"aoi": "owner", "mei": "manager", "ren": "staff"}
        people.found_shop(
            made.id,
            made.slug,
            [people.Member(name, role, name, name, f"{name}@salon.example") for name, role in roles.items()],
        )
        rows = [people.Row(f"c{number}", customer(number)) for number in range(130)]
        assert not people.import_rows(made.id, rows).bad
        invited = {message["To"]: message.get_content() for message in module_mail.messages}
        found = [Person(invited[f"{name}@salon.example"].partition("/join#")[2].split()[0]) for name in roles]
        yield found[0], found[1], found[2]


def _asked(person: Person) -> str:
    answer = person.client.post(f"{HERE}/export", {**WHY, "fields": FIELDS})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def _agreed(person: Person, address: str) -> dict[str, object]:
    begun = person.post(f"{address}/agree/begin", {})
    if begun["status"] != 200:
        return begun
    answer = person.passkey.get(begun["options"])
    return person.post(f"{address}/agree/finish", {"answer": answer})


def _text(person: Person, address: str) -> str:
    return person.client.get(address).content.decode()


def _file(rows: list[list[str]]) -> SimpleUploadedFile:
    told = io.StringIO()
    csv.writer(told).writerows(rows)
    return SimpleUploadedFile("list.csv", told.getvalue().encode(), "text/csv")


def test_somebody_else_agrees_and_then_it_is_a_file(two: People) -> None:
    owner, manager, _ = two
    address = _asked(owner)
    assert "waits for somebody else&#x27;s yes" in _text(owner, address)
    assert "Take the file" not in _text(owner, address)
    refused = owner.client.post(f"{address}/file")
    assert refused.status_code == 409
    assert "must agree to this list first" in refused.content.decode()
    assert _agreed(owner, address)["status"] == 403
    assert "別の台帳へ" in _text(manager, address)
    assert _agreed(manager, address) == {"next": address, "status": 200}
    answer = owner.client.post(f"{address}/file")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="customers-')
    assert "no-store" in answer["Cache-Control"]
    told = answer.getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(told, newline="")))
    assert len(rows) == 130 + 5
    assert {customer(number)["mail"] for number in range(130)} <= {row["mail"] for row in rows}
    page = _text(owner, address)
    assert "130 · begun once" in page
    assert "mei.salon" in page
    assert manager.client.post(f"{address}/file").status_code == 403


def test_it_is_declined_or_cancelled(two: People) -> None:
    owner, manager, _ = two
    for deed, by, words in (("decline", manager, "not agreed to"), ("cancel", owner, "cancelled")):
        address = _asked(owner)
        assert by.client.post(f"{address}/end", {"deed": deed}).status_code == 302
        assert words in _text(owner, address)
        assert _agreed(manager, address)["status"] == 410
        assert owner.client.post(f"{address}/file").status_code == 410


def test_it_is_for_who_manages_and_says_what_is_missing(two: People) -> None:
    owner, _, staff = two
    assert staff.client.get(HERE).status_code == 403
    assert "/console/lists" not in staff.page()
    assert owner.client.get(f"{HERE}/0123456789abcdef").status_code == 404
    for given in ({**WHY, "words": "", "fields": FIELDS}, WHY, {**WHY, "reason": "fun", "fields": FIELDS}):
        answer = owner.client.post(f"{HERE}/export", given)
        assert answer.status_code == 422
        assert "Please say why" in answer.content.decode()


def come_in(made: Salon, address: str) -> None:
    """Do the steps as the worker does."""
    newest = work.of_transfer(made.id, address.rpartition("/")[2])[0]
    while work.one(made.id, newest.id).state == "running":
        work.step(made.id, newest.id, now=NOON)


def test_a_list_comes_in_whole_or_not_at_all(two: People, made: Salon) -> None:
    """Over a hundred rows somebody else agrees; one bad line holds all; the same again doubles nobody."""
    owner, manager, _ = two
    heading = ["氏名", "電話番号", "備考"]
    rows = [[f"新規 {number}", f"'+8190{number:08d}", ""] for number in range(12345000, 12345120)]

    def brought(address: str, given: list[list[str]]) -> tuple[int, str]:
        answer = owner.client.post(f"{address}/take", {"file": _file([heading, *given])})
        return answer.status_code, answer.content.decode()

    def wanted(given: list[list[str]]) -> str:
        answer = owner.client.post(f"{HERE}/import", {**WHY, "deed": "ask", "file": _file([heading, *given])})
        assert answer.status_code == 302
        return str(answer["Location"])

    bad = _file([heading, *rows[:119], ["新規 x", "12", ""]])
    refused = owner.client.post(f"{HERE}/import", {**WHY, "deed": "ask", "file": bad})
    assert refused.status_code == 422
    assert "Line 121: Phone is no phone number" in refused.content.decode()
    assert people.search(owner.grant, "新規").found == 0
    address = wanted(rows)
    assert brought(address, rows)[0] == 409
    assert _agreed(manager, address)["status"] == 200
    status, page = brought(address, rows[1:])
    assert status == 422
    assert "the very file" in page
    for _ in range(2):
        assert brought(address, rows)[0] == 302
        come_in(made, address)
        assert people.search(owner.grant, "新規").found == 120
    assert people.search(owner.grant, "+819012345007").found == 1
    assert "120 · begun 2 times" in _text(owner, address)
    assert made


def test_our_own_list_brings_no_canary_in(two: People, made: Salon) -> None:
    owner, manager, _ = two
    address = _asked(owner)
    _agreed(manager, address)
    raw = owner.client.post(f"{address}/file").getvalue()
    before = people.search(owner.grant, "@").found
    sent = SimpleUploadedFile("a.csv", raw, "text/csv")
    wanted = str(owner.client.post(f"{HERE}/import", {**WHY, "deed": "ask", "file": sent})["Location"])
    _agreed(manager, wanted)
    again = SimpleUploadedFile("a.csv", raw, "text/csv")
    assert owner.client.post(f"{wanted}/take", {"file": again}).status_code == 302
    come_in(made, wanted)
    mails = [row["mail"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))]
    strange = [mail for mail in mails if mail and not mail.startswith("hanako")]
    assert len(strange) == 5
    assert [people.search(owner.grant, mail).found for mail in strange] == [0] * 5
    # Who has the address already is left out: the list brings nobody in twice.
    assert people.search(owner.grant, "@").found == before


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\x81", "あ,い\r\n1,2\r\n".encode()])
def test_a_file_that_is_no_list_is_refused(two: People, raw: bytes) -> None:
    sent = SimpleUploadedFile("a.csv", raw, "text/csv")
    answer = two[0].client.post(f"{HERE}/import", {**WHY, "deed": "ask", "file": sent})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert any(each in said for each in ("no list that we can read", "choose the file", "which column is"))
