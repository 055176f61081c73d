"""The inquiry desk by its pages: asking, one's own page, the desk's; no card number gets anywhere."""

import logging
import random
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from noren.incidents import cutting
from noren.incidents.models import NoticeVersion, SavedAnswer
from noren.people import incidents, inquiries
from tests.environment import PATHS, TOP
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.vault.cast import sql
from tests.web.desk_house import FORM, WORDS, asked, inquiry_of, send
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]
LIST = "/operations/inquiries"
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
MAIL = "aoi.asks@example.jp"


def _english(**headers: str) -> Client:
    return Client(headers={"Accept-Language": "en", **headers})


def _text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


def _deed(client: Client, inquiry: str, deed: str, **given: Any) -> Any:
    return client.post(f"{LIST}/{inquiry}/deed", {"deed": deed, **given})


def _luhn(head: str) -> str:
    """A number with its check digit: fifteen digits before it."""
    doubled = [int(sign) * (2 - place % 2) for place, sign in enumerate(head)]
    return f"{head}{-sum(one - 9 if one > 9 else one for one in doubled) % 10}"


def test_it_is_asked_answered_and_read_by_link(operator: Client, vault: VaultProcess, mail: Sink) -> None:
    """Without an account, from the form to the answer; the mail says only that one is there."""
    hers = _english()
    page = _text(hers, FORM)
    assert "you have an answer by" in page
    assert "Japan time" in page
    address = asked(hers, mail=MAIL)
    own = _text(hers, address)
    assert "We have it." in own
    assert WORDS in own
    answer = hers.get(address)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert "<form" not in own

    inquiry = inquiry_of(address.partition("?")[0])
    listed = _text(operator, LIST)
    assert inquiry in listed
    assert WORDS not in listed
    page = _text(operator, f"{LIST}/{inquiry}")
    assert WORDS in page
    assert MAIL not in page
    told = _deed(operator, inquiry, "answer", words="迷惑メールの箱もご覧ください。", seen="1")
    assert told["Location"].endswith("?done=sent")
    assert "Answered" in operator.get(told["Location"], headers={"Accept-Language": "en"}).content.decode()
    assert "迷惑メール" in _text(hers, address)
    # The first mail goes beside the answer to the form, and the index follows the ledger.
    wait_for(lambda: len(_letters(mail)) == 2)
    letters = _letters(mail)
    assert all(address.partition("?")[0] in one and "迷惑メール" not in one for one in letters)
    looks = {("intent", "inquiry", "first.operator"), ("intent", "own", "app")}
    wait_for(lambda: looks <= _entries(vault, inquiry))


def _letters(mail: Sink) -> list[str]:
    return [str(one.get_content()) for one in mail.messages if one["To"] == MAIL]


def _entries(vault: VaultProcess, inquiry: str) -> set[tuple[str, str, str]]:
    query = "SELECT kind, purpose, actor FROM vault.ledger_entry WHERE ref = %s"
    return {(kind, purpose, actor) for kind, purpose, actor in sql(vault, query, f"inquiry:{inquiry}")}


def test_she_adds_takes_a_new_link_and_erases(operator: Client, vault: VaultProcess) -> None:
    assert vault
    hers = _english()
    address = asked(hers).partition("?")[0]
    assert "Please write" in hers.post(f"{address}/more", {"deed": "add", "words": " "}).content.decode()
    more = hers.post(f"{address}/more", {"deed": "add", "words": "もう一つあります"})
    assert "もう一つあります" in _text(hers, more["Location"])
    renewed = hers.post(f"{address}/more", {"deed": "renew"})["Location"]
    assert hers.get(address).status_code == 404
    assert "This is the new link" in _text(hers, renewed)
    newer = renewed.partition("?")[0]
    assert hers.post(f"{newer}/more", {"deed": "erase"}).status_code == 422
    assert "is erased" in hers.post(f"{newer}/more", {"deed": "erase", "sure": "1"}).content.decode()
    assert hers.get(newer).status_code == 404
    assert operator.get(f"{LIST}/{inquiry_of(address)}").status_code == 404
    assert hers.post(f"{newer}/more", {"deed": "unknown"}).status_code == 404


@dataclass(frozen=True)
class Kept:
    """Where anything may be kept."""

    app_db: AppDatabase
    vault: VaultProcess
    mail: Sink


@pytest.fixture
def kept(app_db: AppDatabase, vault: VaultProcess, mail: Sink) -> Kept:
    return Kept(app_db, vault, mail)


def _stores(kept: Kept) -> dict[str, bytes]:
    """All that was kept of anything: both sides' tables, every file of clusters and ledger, mails, /tmp."""
    found: dict[str, bytes] = {}
    for name, connection in (
        ("app", kept.app_db.connect("owner", autocommit=True)),
        ("vault", psycopg.connect(kept.vault.database_url, autocommit=True)),
    ):
        with connection as opened:
            tables = opened.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for (table,) in tables:
                rows = opened.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()  # noqa: S608 - its own
                found[f"{name}:{table}"] = "\n".join(str(row[0]) for row in rows).encode()
    folders = {TOP, PATHS.app_pg, PATHS.vault_pg, kept.vault.folder}
    # What is uploaded would lie there in a file of its own.
    files = [
        *Path(tempfile.gettempdir()).glob("*"),
        *(one for folder in folders for one in folder.rglob("*")),
    ]
    for file in files:
        with suppress(OSError):
            if file.is_file():
                found[str(file)] = file.read_bytes()
    for number, one in enumerate(kept.mail.messages):
        found[f"mail:{number}"] = one.as_bytes() + str(one.get_content()).encode()
    return found


class Secrets:
    """A card's number and two passwords that nobody has had before: where they stand is of this test."""

    def __init__(self) -> None:
        chance = random.SystemRandom()
        self.card = _luhn(f"4{chance.randrange(10**14):014}")
        self.grouped, self.wide = "-".join(re.findall("....", self.card)), self.card.translate(WIDE)
        self.password = f"S3cr3t{chance.randrange(10**9):09}"
        self.other = f"w0rd{chance.randrange(10**9):09}"

    @property
    def forms(self) -> list[bytes]:
        """As each was typed, and in parts."""
        spaced = f"{self.card[:4]} {self.card[4:8]}"
        told = [self.card, self.grouped, self.wide, self.wide[:8], spaced, self.password, self.other]
        return [one.encode() for one in told]

    @property
    def text(self) -> str:
        wide = f"{self.wide[:8]}\n{self.wide[8:]}"
        return f"カードは {self.grouped} です。\nもう一度 {wide}\npassword: {self.password}"

    def file(self) -> SimpleUploadedFile:
        lines = f"key={self.card}\r\nDB_PASSWORD={self.other}\r\n"
        return SimpleUploadedFile(f"{self.card}.txt", lines.encode())


def _everywhere(operator: Client, one: Secrets) -> list[str]:
    """Type them wherever anybody can: in forms that come back, one that is kept, at the desk; the pages."""
    hers, text = _english(), one.text
    pages = [send(hers, words=text, mail=f"{one.card}@example.jp").content.decode()]
    pages.append(send(hers, words=text, mail=MAIL, website="x", files=one.file()).content.decode())
    answer = send(hers, words=text, mail=MAIL, files=one.file())
    assert "cards=4&secrets=2" in answer["Location"], answer.content.decode()
    pages.append(_text(hers, answer["Location"]))
    assert "4 card numbers" in pages[-1]
    assert f"•••• {one.card[-4:]}" in pages[-1]
    inquiry = inquiry_of(answer["Location"].partition("?")[0])
    words = f"Your {one.card} and password: {one.password}"
    assert _deed(operator, inquiry, "answer", words=words, seen="2")["Location"].endswith("&cut=1")
    _deed(operator, inquiry, "note", words=f"note {one.wide}")
    operator.post(f"{LIST}/saved", {"title": "t", "ja": f"{one.card} です", "en": one.grouped})
    return pages + [_text(operator, place) for place in (f"{LIST}/{inquiry}", LIST, f"{LIST}/saved")]


def test_no_card_number_and_no_password_lies_in_any_store(
    operator: Client,
    kept: Kept,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In words, the mail's field, a file and its name, refused forms, the desk's own words: nowhere a digit.

    The control shows that the same look finds a number that nobody cut.
    """
    caplog.set_level(logging.DEBUG)
    one = Secrets()
    pages = _everywhere(operator, one)
    assert [row["kind"] for row in sql_dicts(kept.vault)] == ["password", "password"]
    stores = _stores(kept) | {f"page:{number}": page.encode() for number, page in enumerate(pages)}
    streams = capfd.readouterr()
    logged = [caplog.text, streams.out, streams.err, kept.vault.log]
    logged += [str(record.__dict__) for record in caplog.records]
    stores["logs"] = "\n".join(logged).encode()
    assert not [(name, form) for name, data in stores.items() for form in one.forms if form in data]
    assert any("pg_wal" in name for name in stores) or not PATHS.app_pg.exists()

    # The control: what is not cut is found, in a table, in its files and on the desk's page.
    monkeypatch.setattr(cutting, "cut", cutting.Cut)
    SavedAnswer.objects.create(title="control", ja=one.card, en="x", changed_at="2026-11-28T00:00Z")
    found = {name for name, data in _stores(kept).items() if one.card.encode() in data}
    assert any(name.endswith("incidents_savedanswer") for name in found)
    assert len(found) > 1 or not PATHS.app_pg.exists()
    uncut = asked(_english(), words=f"uncut {one.card}").partition("?")[0]
    assert one.card in _text(operator, f"{LIST}/{inquiry_of(uncut)}")


def sql_dicts(vault: VaultProcess) -> list[dict[str, Any]]:
    """The rows that wait to be made anew."""
    rows = sql(vault, "SELECT kind, inquiry FROM vault.pasted_secret WHERE done_at IS NULL ORDER BY secret")
    return [{"kind": kind, "inquiry": inquiry} for kind, inquiry in rows]


def test_two_do_not_answer_at_once(house: House) -> None:
    """The second is told who answers, and her words are kept; she takes it over and sends them."""
    first = house.operator
    inquiry = inquiry_of(asked(_english()).partition("?")[0])
    inquiries.take(house.second, inquiry, "")
    page = _text(first, f"{LIST}/{inquiry}")
    assert "kei.operator" in page
    assert 'value="answer"' not in page
    late = _deed(first, inquiry, "answer", words="同時に書きました", seen="1")
    assert late.status_code == 409
    assert "kei.operator" in late.content.decode()
    _deed(first, inquiry, "take", held_by="kei.operator")
    assert _deed(first, inquiry, "answer", words="同時に書きました", seen="9").status_code == 409
    moved = _deed(first, inquiry, "answer", words="同時に書きました", seen="9").content.decode()
    assert "同時に書きました" in moved
    assert _deed(first, inquiry, "answer", words="同時に書きました", seen="1").status_code == 302
    assert _deed(first, inquiry, "answer", words="", seen="2").status_code == 422
    assert _deed(first, inquiry, "give-back").status_code == 302
    assert _deed(first, inquiry, "close").status_code == 302
    assert inquiry in _text(first, f"{LIST}?state=closed")
    assert _deed(first, inquiry, "reopen").status_code == 302
    assert _deed(first, inquiry, "relink").status_code == 302
    assert _deed(first, inquiry, "nothing").status_code == 404


def test_it_belongs_to_an_incident_and_what_was_pasted_is_made_anew(house: House) -> None:
    grant = grant_of(house.operator)
    incident = incidents.open_one(grant, '{"title": "夜中の閲覧", "text": "x"}')
    theirs = incidents.open_one(house.second, '{"title": "別件", "text": "x"}')
    inquiry = inquiry_of(asked(_english(), words="password: hunter22").partition("?")[0])
    assert _deed(house.operator, inquiry, "link", incident=theirs).status_code == 404
    assert _deed(house.operator, inquiry, "link", incident=incident).status_code == 302
    page = _text(house.operator, f"{LIST}/{inquiry}")
    assert f"/operations/incidents/{incident}" in page
    (one,) = inquiries.desk(grant).pasted
    assert house.operator.post(f"{LIST}/made-anew", {"secret": one.secret}).status_code == 302
    # Said twice is said once.
    assert house.operator.post(f"{LIST}/made-anew", {"secret": one.secret}).status_code == 302
    assert inquiries.desk(grant).pasted[0].done_by == "first.operator"


def test_a_saved_answer_is_put_into_the_box_in_her_language(operator: Client, vault: VaultProcess) -> None:
    """Closed fields are filled, others refused; nothing is sent by choosing."""
    assert vault
    words = {"title": "営業時間", "ja": "受付は{hours}です。", "en": "We are here on {hours}. {desk}"}
    assert operator.post(f"{LIST}/saved", {**words, "ja": "{name}様"}).status_code == 422
    assert operator.post(f"{LIST}/saved", {**words, "en": ""}).status_code == 422
    assert operator.post(f"{LIST}/saved", words).status_code == 302
    saved = SavedAnswer.objects.get()
    for language, told in (("en", "We are here on weekdays 10:00–18:00 (Japan time)"), ("ja", "受付は平日")):
        client = Client(headers={"Accept-Language": language})
        inquiry = inquiry_of(asked(client).partition("?")[0])
        assert told in _text(operator, f"{LIST}/{inquiry}?saved={saved.id}")
    assert operator.get(f"{LIST}/{inquiry}?saved=x").status_code == 404
    assert operator.post(f"{LIST}/saved", {"deed": "forget", "answer": saved.id}).status_code == 302
    assert not SavedAnswer.objects.exists()


def test_who_is_signed_in_may_say_so(operator: Client, vault: VaultProcess) -> None:
    """Her handle stands with her words, if she leaves the tick; a notice is named where there is one."""
    assert vault
    NoticeVersion.objects.create(
        notice="2026-leak",
        number=1,
        version=1,
        text="{}",
        entry=1,
        published_at="2026-11-28T00:00Z",
        alone=False,
    )
    assert 'value="2026-leak"' in _text(_english(), f"{FORM}?about=2026-leak")
    assert "4111111111111111" not in _text(_english(), f"{FORM}?about=4111111111111111")
    assert "which account" in operator.get(FORM, headers={"Accept-Language": "en"}).content.decode()
    named = inquiry_of(asked(operator, account="1", notice="2026-leak").partition("?")[0])
    alone = inquiry_of(asked(operator).partition("?")[0])
    told = inquiries.read(grant_of(operator), named)
    assert told.lines[0].account == {"shop": 0, "handle": "first.operator", "role": "operator"}
    assert told.standing.notice == "2026-leak"
    assert inquiries.read(grant_of(operator), alone).lines[0].account is None
