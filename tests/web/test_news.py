"""Notices as the public reads them, and how operators publish: by two, for good; a quiet edit shows."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from noren import clock
from noren.errors import NoticeOver
from noren.incidents import notice_checks, notices, tasks
from noren.incidents.models import NoticeDraft, NoticeVersion
from noren.incidents.notice_text import digest
from noren.people import published
from noren.web import news_foot
from noren_verify.__main__ import main as verify
from tests.servers import AppDatabase, Sink, VaultProcess, wait_for
from tests.web.notice_house import NAME, agree, ask, publish, words, write
from tests.web.test_powers import House, house

__all__ = ["house"]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    for each in (notice_checks, news_foot):
        each.forget()
    yield
    news_foot.forget()


def _text(address: str, language: str = "en") -> str:
    notice_checks.forget()
    return Client(headers={"Accept-Language": language}).get(address).content.decode()


def _quietly(app_db: AppDatabase, statement: str) -> None:
    """As the database's owner does it: the application's logins cannot."""
    with app_db.connect("owner", autocommit=True) as other:
        other.execute(statement.encode())


def test_nothing_is_public_before_another_operator_has_agreed(house: House) -> None:
    """Drafted, asked for, read as it is, agreed to: then it is there in both languages."""
    asked = ask(house.operator, write(house.operator))
    assert "Nothing is open" in _text("/news")
    assert Client().get(f"/news/{NAME}").status_code == 404
    own = house.operator.get(f"/operations/news/asked/{asked}").content.decode()
    assert "data-passkey" not in own
    said = agree(house, asked)
    page = _text(f"/news/{NAME}")
    assert "Unauthorised access to booking data" in page
    assert "予約データへの不正アクセスについて" in page
    assert said.hash in page
    assert "Two operators agreed" in page
    assert "NOT the one" not in page
    assert "At most 1,200 persons (estimated)" in page
    row = NoticeVersion.objects.get()
    assert (digest(row.text), row.entry, row.published_at) == (said.hash, said.entry, said.at)
    assert not NoticeDraft.objects.exists()


def test_the_readers_language_comes_first(house: House) -> None:
    """The same page in Japanese and in English, the other one beside it."""
    publish(house)
    for language, first, second in (
        ("ja", "予約データ", "Unauthorised"),
        ("en", "Unauthorised", "予約データ"),
    ):
        page = _text(f"/news/{NAME}", language).partition("<h1")[2]
        assert page.index(first) < page.index(second)


def test_a_quiet_edit_in_the_database_is_seen_by_all(house: House, app_db: AppDatabase) -> None:
    """The page says it, the doctor finds it; so with a text slipped in, and one taken away."""
    publish(house)
    assert notice_checks.examine() == []
    _quietly(app_db, "UPDATE incidents_noticeversion SET text = replace(text, '管理画面', '入口')")
    assert "NOT the one that was published" in _text(f"/news/{NAME}")
    assert [one.what for one in notice_checks.examine()] == ["notice_changed"]
    row = NoticeVersion.objects.get()
    row.pk, row.number = None, 2
    row.save()
    assert "never published by two people" in _text(f"/news/{NAME}/2")
    _quietly(app_db, "DELETE FROM incidents_noticeversion")
    notice_checks.forget()
    gone = Client(headers={"Accept-Language": "en"}).get(f"/news/{NAME}")
    assert gone.status_code == 410
    assert "A published text is missing here" in gone.content.decode()
    assert NAME in _text("/news")
    assert [one.what for one in notice_checks.examine()] == ["notice_missing"]


def test_the_date_of_a_version_cannot_be_moved_either(house: House, app_db: AppDatabase) -> None:
    """The instant is the ledger's."""
    publish(house)
    _quietly(app_db, "UPDATE incidents_noticeversion SET published_at = published_at - interval '1 day'")
    assert "NOT the one that was published" in _text(f"/news/{NAME}")


def test_the_application_may_add_and_change_nothing(house: House) -> None:
    """Not by any code of its own: its logins have no right to."""
    publish(house)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role, array_agg(deed ORDER BY deed) "
            "FROM unnest(ARRAY['noren_app', 'noren_worker']) AS role, "
            "unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS deed "
            "WHERE has_table_privilege(role, 'incidents_noticeversion', deed) GROUP BY role ORDER BY role"
        )
        assert cursor.fetchall() == [(one, ["INSERT", "SELECT"]) for one in ("noren_app", "noren_worker")]


def test_a_correction_shows_what_it_changed(house: House) -> None:
    """A further version by two; the first stays to be taken, and both are proved."""
    publish(house)
    publish(
        house, deed="correct", **{"en-happened": "Somebody came into THREE admin pages.\nWe look into it."}
    )
    page = _text(f"/news/{NAME}/1")
    assert "<ins>THREE</ins>" in page
    assert "<del>" in page
    assert "Corrected" in page
    for version in (1, 2):
        assert Client().get(f"/news/{NAME}/1.{version}.json").status_code == 200
        assert Client().get(f"/news/{NAME}/1.{version}.tlog-proof").status_code == 200
    titles = [e.findtext(f"{ATOM}title") for e in _feed("/news.atom?lang=en")]
    assert titles == [
        "Corrected: Unauthorised access to booking data",
        "Unauthorised access to booking data",
    ]


def test_the_foot_leads_to_a_notice_only_while_one_is_open(house: House) -> None:
    """On the shop's own pages too; resolved, it is gone from there and stays in the archive."""
    foot = "An open notice"
    assert foot not in _text(f"/{house.made.slug}/")
    publish(house)
    news_foot.forget()
    assert foot in _text(f"/{house.made.slug}/")
    publish(house, deed="next", state="resolved", next="")
    news_foot.forget()
    assert foot not in _text(f"/{house.made.slug}/")
    assert "Unauthorised access" in _text("/news").partition("Nothing is open")[2]


def test_how_often_the_list_asks_does_not_depend_on_how_much_there_is(house: House) -> None:
    """One notice or several updates of several: the same number of queries."""

    def asked(address: str) -> int:
        client = Client()
        client.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    publish(house)
    before = [asked(one) for one in ("/news", f"/news/{NAME}", "/news.atom")]
    publish(house, deed="next")
    publish(house, "2026-12-other")
    assert [asked(one) for one in ("/news", f"/news/{NAME}", "/news.atom")] == before


def _feed(address: str) -> list[ET.Element]:
    return ET.fromstring(  # noqa: S314 - our own
        Client().get(address).content
    ).findall(f"{ATOM}entry")


def test_what_is_taken_from_the_page_verifies_offline(
    house: House, vault: VaultProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two files and the key: proved. One letter changed: not whole."""
    publish(house)
    with override_settings(LEDGER=vault.ledger):
        shown = published.checkpoint()
    assert shown is not None
    for kind in ("json", "tlog-proof"):
        data = Client().get(f"/news/{NAME}/1.1.{kind}").content
        (tmp_path / f"{NAME}-1.1.{kind}").write_bytes(data)
    assert verify(["notice", str(tmp_path), "--key", shown.vkey]) == 0
    assert "by two operators" in capsys.readouterr().out
    file = tmp_path / f"{NAME}-1.1.json"
    file.write_bytes(file.read_bytes().replace(b"1200", b"12"))
    assert verify(["notice", str(tmp_path), "--key", shown.vkey]) == 1
    assert "CHANGED" in capsys.readouterr().out


def test_a_draft_says_what_it_lacks_and_keeps_what_was_typed(house: House) -> None:
    """Both languages are needed, and a promise; a second hand does not overwrite the first."""
    begun = house.operator.post("/operations/news", {"notice": NAME, "deed": "new"})
    address = begun["Location"]
    form = {**words(next="", **{"en-title": "", "ja-cause": "調査中"}), "revision": "1", "deed": "preview"}
    refused = house.operator.post(address, form, headers={"Accept-Language": "en"})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "English: “Title” is empty" in page
    assert "English: “The cause” is empty, and is filled in the other language" in page
    assert "when the next update comes" in page
    assert "第三者が管理画面に入りました" in page
    late = house.operator.post(address, {**words(), "revision": "1", "deed": "save"})
    assert late.status_code == 409
    for name in ("Not Good", "mail", "check", "ab"):
        assert house.operator.post("/operations/news", {"notice": name}).status_code == 422


def test_what_waits_cannot_be_written_and_a_no_lets_it_be(house: House) -> None:
    """Frozen while another operator is asked; declined, it is a draft again."""
    draft = write(house.operator)
    asked = ask(house.operator, draft)
    assert (
        house.operator.post(f"/operations/news/drafts/{draft}", {**words(), "revision": "2"}).status_code
        == 409
    )
    assert house.operator.post(f"/operations/news/asked/{asked}/end").status_code == 302
    again = house.operator.post(f"/operations/news/drafts/{draft}", {**words(), "revision": "2"})
    assert again.status_code == 302


def test_of_two_who_ask_at_once_one_is_asked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both had frozen the same words; what the first one's asking needs stays for it."""
    draft = write(house.operator)
    place = notices.freeze(draft, clock.now())
    asked = ask(house.operator, draft)
    monkeypatch.setattr(notices, "freeze", lambda *_: place)
    with pytest.raises(NoticeOver):
        notices.ask(house.second, draft, clock.now())
    assert agree(house, asked).hash == place.hash
    assert NoticeVersion.objects.count() == 1


def test_what_was_agreed_to_comes_to_be_read_after_a_crash(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault has published, we were gone: the job takes it over, once."""
    asked = ask(house.operator, write(house.operator))
    with monkeypatch.context() as patch:
        patch.setattr(notices, "take_over", lambda _: False)
        agree(house, asked)
    assert not NoticeVersion.objects.exists()
    for _ in range(2):
        tasks.take_up(NAME)
    assert NoticeVersion.objects.count() == 1


def test_a_promise_is_watched_by_a_job(house: House, mail: Sink, vault: VaultProcess) -> None:
    """Written when it is published, due when it was promised; rings only while nothing newer has come."""
    publish(house)
    rows = _jobs("ring_if_late")
    assert rows == [{"notice": NAME, "number": 1, "version": 1}]
    publish(house, deed="next")
    tasks.ring_if_late(NAME, 1, 1)
    assert not [m for m in mail.messages if "update is late" in m["Subject"]]
    tasks.ring_if_late(NAME, 2, 1)
    wait_for(lambda: any("update is late" in m["Subject"] for m in mail.messages))


def _jobs(name: str) -> list[dict[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id",
            [f"noren.incidents.tasks.{name}"],
        )
        return [json.loads(one) if isinstance(one, str) else one for (one,) in cursor.fetchall()]


def test_a_reader_gets_each_version_once_by_mail(house: House, mail: Sink) -> None:
    """Asked for on the page, begun by the mailed link, told once, left by the link in the mail."""
    to, client = "yomite@example.jp", Client(headers={"Accept-Language": "ja"})
    assert client.post("/news/mail", {"mail": "no"}).status_code == 422
    assert client.post("/news/mail", {"mail": to}).status_code == 200
    wait_for(lambda: bool(_link(mail, to)))
    link = _link(mail, to)
    assert "deed" in client.get(link).content.decode()
    assert client.post(link, {"deed": "confirm"}).status_code == 200
    publish(house)
    for _ in range(2):
        tasks.tell_readers(NAME, 1, 1)
    told = [m for m in mail.messages if m["To"] == to]
    assert len(told) == 2
    body = told[-1].get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"/news/{NAME}/1" in text
    assert link in text
    assert str(told[-1]["List-Unsubscribe"]).endswith(f"{link}>")
    assert told[-1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert told[0]["List-Unsubscribe"] is None  # what confirms is not from a list
    assert client.get(link).status_code == 200  # a scanner that opens the link ends nothing
    server = Client(enforce_csrf_checks=True)
    assert server.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert client.get(link).status_code == 404


def _link(mail: Sink, to: str) -> str:
    bodies = [m.get_body(("plain",)) for m in mail.messages if m["To"] == to]
    texts = [one.get_content() for one in bodies if one is not None]
    found = [line for text in texts for line in text.split() if "/news/mail/" in line]
    return found[-1].partition("://")[2].partition("/")[2].join(("/", "")) if found else ""


def test_it_can_be_read_while_the_vault_is_away_and_says_that_it_was_not_checked(
    house: House, tmp_path: Path
) -> None:
    """Reading needs no vault; what was checked before stays checked."""
    publish(house)
    assert "as published" in _text(f"/news/{NAME}")
    with override_settings(VAULT_SOCKET=str(tmp_path / "nobody.sock")):
        page = _text(f"/news/{NAME}")
        assert "could not be checked" in page
        assert "Unauthorised access" in page
        assert Client().get(f"/news/{NAME}/1.1.tlog-proof").status_code == 200


def test_who_is_alone_publishes_for_all_to_see(house: House) -> None:
    """Without a second operator, with her own passkey: the page says it for good."""
    draft = write(house.operator)
    assert (
        house.operator.post(f"/operations/news/drafts/{draft}/preview", {"deed": "alone"}).status_code == 302
    )
    begun = house.operator.post(f"/operations/news/drafts/{draft}/alone/begin")
    answer = house.passkey.get(begun.json()["options"])
    body = json.dumps({"answer": answer})
    done = house.operator.post(
        f"/operations/news/drafts/{draft}/alone/finish", body, content_type="application/json"
    )
    assert done.json()["next"] == f"/news/{NAME}/1"
    assert "One operator published this alone" in _text(f"/news/{NAME}")
