"""A public notice drafted from an incident: what the record shows is in it, and nothing else."""

import re
from datetime import UTC, datetime

from noren import people
from noren.incidents import book, notices
from noren.incidents.book import Kind
from noren.incidents.models import NoticeDraft
from noren.incidents.notice_text import LANGUAGES, Text
from noren.people.incidents import Record
from noren.web import notice_drafts
from tests.web.notice_house import NAME, agree, ask, words
from tests.web.test_incident_reports import TODAY, asked, customers
from tests.web.test_incidents import opened, write
from tests.web.test_powers import House, grant_of, house

__all__ = ["house"]
SECRET = "受付の山田の鍵"


def _incident(house: House) -> str:
    """Known, contained, with a suspicion that names somebody; two customers of five were seen."""
    operator, place = house.operator, opened(house.operator)
    seen = customers(house, 5)
    people.reveal(grant_of(house.staff), TODAY, seen[:2], ["name"])
    known = {"at": "2026-11-27T23:30", "zone": "Asia/Tokyo", "kinds": ["unlawful"]}
    write(operator, place, kind="known", **known, laws=["jp-appi"])
    write(operator, place, kind="fact", text=SECRET, when="2026-11-27T01:00", zone="UTC")
    write(operator, place, kind="hypothesis", text=SECRET)
    write(operator, place, kind="state", state="contained")
    house.lend("read_ledger_entries")
    actor = people.whoami(grant_of(house.staff)).actor.handle
    asked(house, place, way="actor", named=actor)
    given = {"deed": "filed", "step": "preliminary", "at": "2026-11-28T10:00", "zone": "Asia/Tokyo"}
    answer = operator.post(f"{place}/reports/jp-appi/0", given)
    assert answer.status_code == 302, answer.content.decode()
    return place.rpartition("/")[2]


def test_a_notice_is_drafted_from_the_incident(house: House) -> None:
    incident = _incident(house)
    assert (
        f"/operations/news?incident={incident}"
        in house.operator.get(f"/operations/incidents/{incident}").content.decode()
    )
    form = house.operator.get(f"/operations/news?incident={incident}").content.decode()
    assert f'name="incident" value="{incident}"' in form
    begun = house.operator.post("/operations/news", {"notice": NAME, "deed": "new", "incident": incident})
    text = notices.text_of(NoticeDraft.objects.get(notice=NAME))
    assert (text.state, text.incident, text.most, text.confidence) == ("contained", incident, 2, "confirmed")
    # The three others, and the owner herself, whose mail the shop's house keeps.
    for language, known, told, field in (
        ("ja", "2026年11月27日（金） 23:30", "ほか4人", "お名前: 2人"),
        ("en", "27 November 2026, 23:30", "4 other people", "name: 2 people"),
    ):
        assert known in text.words(language, "when")
        assert told in text.words(language, "unaffected")
        assert field in text.words(language, "whose")
        assert "2026" in text.words(language, "authorities")
        assert "/inquiry" in text.words(language, "contact")
        # The cause is for a person to say, and the book's own words are its members'.
        assert text.words(language, "cause") == ""
    assert SECRET not in text.canonical()
    # It lacks what only a person can give: when the next update comes.
    lacking = house.operator.post(begun["Location"], {**_form(text), "revision": "1", "deed": "preview"})
    assert lacking.status_code == 422
    whole = {**_form(text), "revision": "2", "deed": "preview", "next": words()["next"]}
    assert house.operator.post(begun["Location"], whole).status_code == 302
    agree(house, ask(house.operator, int(begun["Location"].rpartition("/")[2])))
    # The next update begins with what is known by then.
    write(house.operator, f"/operations/incidents/{incident}", kind="state", state="resolved")
    house.operator.post("/operations/news", {"notice": NAME, "deed": "next"})
    later = notices.text_of(NoticeDraft.objects.get(notice=NAME, number=2))
    assert (later.state, later.most) == ("resolved", 2)
    assert later.words("ja", "title") == text.words("ja", "title")


def test_what_cannot_be_bounded_is_everyone(house: House) -> None:
    place = opened(house.operator)
    customers(house, 3)
    house.lend("read_ledger_entries")
    asked(house, place, way="store", named="host")
    house.operator.post(
        "/operations/news", {"notice": NAME, "deed": "new", "incident": place.rpartition("/")[2]}
    )
    text = notices.text_of(NoticeDraft.objects.get(notice=NAME))
    assert (text.most, text.confidence) == (0, "unknown")
    assert "everyone" in text.words("en", "whose")
    assert "すべての方" in text.words("ja", "whose")
    for language in LANGUAGES:
        assert text.words(language, "unaffected") == ""
        assert text.words(language, "unknown") != ""


def test_who_is_no_member_begins_with_an_empty_draft(house: House) -> None:
    incident = opened(house.operator).rpartition("/")[2]
    house.operator.post(f"/operations/incidents/{incident}/members", {"handle": "first", "standing": "out"})
    for other in ("0" * 16, "case-7", "../x"):
        assert (
            'name="incident"' not in house.operator.get(f"/operations/news?incident={other}").content.decode()
        )
        name = "n-" + re.sub(r"[^a-z0-9]", "", other)[:20] + "-x"
        begun = house.operator.post("/operations/news", {"notice": name, "deed": "new", "incident": other})
        assert begun.status_code == 302
        assert notices.text_of(NoticeDraft.objects.get(notice=name)).canonical().count('"ja": {}') == 1


def _form(text: Text) -> dict[str, str]:
    said = {
        f"{language}-{name}": words for language in LANGUAGES for name, words in text.said[language].items()
    }
    head = {"state": text.state, "most": str(text.most), "confidence": text.confidence}
    return {**said, **head, "incident": text.incident}


def test_a_record_that_does_not_open_stops_no_draft() -> None:
    """A kind whose words nobody can read says nothing, and the rest is drafted."""
    at = datetime(2026, 11, 28, 1, tzinfo=UTC)
    kinds = ("opened", *(kind for kind in Kind if kind not in ("opened", "known")), "known")
    known = '{"at": "2026-11-27T14:30:00+00:00", "kinds": [], "persons": null}'
    records = [
        Record(number, at, "kei", kind, known if kind == "known" else "", "")
        for number, kind in enumerate(kinds, 1)
    ]
    told = notice_drafts.told(book.workspace(records), "0" * 16)
    assert "11月27日" in told["ja"]["happened"]
    assert told["ja"]["authorities"] == ""
