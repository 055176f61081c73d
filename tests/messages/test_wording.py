"""A shop's own words in its mails: what is refused, what always stands, which version holds."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren import people
from noren.errors import WordsChanged
from noren.messages import sample, wording, words
from noren.messages.deliver import deliver
from noren.messages.models import Message, Wording
from noren.messages.notice import ENDED, Kind
from noren.messages.wording import KEEPS_HOUSE, PARTS, Own, Wrong
from noren.people import team
from noren.shops.tenancy import shop
from tests.api.salon import NOON, Salon, salon
from tests.messages.test_deliver import booked, text_of
from tests.messages.test_words import NOTICE
from tests.servers import AppDatabase, Sink, VaultProcess

LATER = NOON + timedelta(minutes=5)
OWN = {
    "subject": "{shop}より：{day}にお待ちしています",
    "opening": "{name}様、いつもありがとうございます。\n担当は{staff}です。",
    "closing": "お気をつけてお越しください。🌸",
}
_numbers = count(1)


@pytest.fixture
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> Salon:
    assert module_app_db
    assert module_vault
    module_mail.refuse = None
    module_mail.messages.clear()
    return salon(f"words{next(_numbers)}")


def keep(house: Salon, own: dict[str, str] = OWN, kind: Kind = Kind.BOOKED, seen: int = 0) -> None:
    wording.keep(house.id, kind, "ja", own, seen=seen, now=NOON, by="staff:aoi.salon")


def why(text: str, part: str = "opening", kind: Kind = Kind.BOOKED) -> list[tuple[Wrong, str]]:
    return [(each.why, each.said) for each in wording.faults(kind, {part: text})]


# -- what is refused


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{nmae}様", [(Wrong.FIELD, "{nmae}")]),
        ("{link}", [(Wrong.FIELD, "{link}")]),
        ("{NAME}", [(Wrong.FIELD, "{NAME}")]),
        ("{ name }", [(Wrong.FIELD, "{ name }")]),
        ("{}", [(Wrong.FIELD, "{}")]),
        ("{name", [(Wrong.BRACE, "{")]),
        ("name}", [(Wrong.BRACE, "}")]),
        ("{{name}}", [(Wrong.BRACE, "{"), (Wrong.BRACE, "}")]),
        ("｛name｝", [(Wrong.WIDE, "｛name｝")]),
        ("{name.__class__}", [(Wrong.FIELD, "{name.__class__}")]),
        ("a\u202eb", [(Wrong.CONTROL, "")]),
        ("a\u200bb", [(Wrong.CONTROL, "")]),
        ("a\x00b", [(Wrong.CONTROL, "")]),
        ("a\u2028b", [(Wrong.CONTROL, "")]),
        ("a\u200db", [(Wrong.CONTROL, "")]),
        ("あ" * 1001, [(Wrong.LONG, "1000")]),
        ("", []),
        ("{name}様、{when}\n{service}（{staff}）{price}", []),
        ("👨‍👩‍👧 と 🌸、カット　カラー", []),
    ],
)
def test_it_refuses_what_is_no_field_and_what_nobody_sees(text: str, found: list[tuple[Wrong, str]]) -> None:
    assert why(text) == found


@pytest.mark.parametrize("line", ["a\nBcc: x@example.com", "a\r\nBcc: x@example.com", "a\rb"])
def test_a_subject_is_one_line_and_names_nobody(line: str) -> None:
    assert why(line, "subject") == [(Wrong.LINE, "")]
    assert why("{name}様へ", "subject") == [(Wrong.FIELD, "{name}")]
    assert why("{day}　{shop}", "subject") == []


def test_some_fields_are_of_one_kind_alone() -> None:
    assert why("{minutes}分", kind=Kind.DELAYED) == []
    assert why("{minutes}分") == [(Wrong.FIELD, "{minutes}")]


@given(st.text(alphabet=st.sampled_from("{}｛｝nameday \n\u202e\u200b\r🌸あ"), max_size=30))
def test_what_is_not_refused_can_be_filled_and_mailed(text: str) -> None:
    """Whatever is kept: only known fields are open in it, and no header begins a line of its own."""
    for part in ("subject", "opening"):
        if wording.faults(Kind.BOOKED, {part: text}):
            continue
        kept = wording.plain(part, text)
        own = Own(subject=kept) if part == "subject" else Own(opening=kept)
        subject, body = words.subject(NOTICE, own), words.text(NOTICE, own)
        left = set(re.findall(r"\{([^}]*)\}", subject + body)) - set(words.values(NOTICE))
        assert left <= {"name"}
        assert "\n" not in subject
        assert not re.search("[\u202e\u200b\r]", subject + body)


# -- what always stands


@pytest.mark.parametrize("kind", list(Kind))
def test_greeting_link_and_shop_stand_in_whatever_words(kind: Kind) -> None:
    own = Own("件名", "はじめ", "おわり")
    notice = replace(NOTICE, kind=kind, minutes=10)
    text = words.text(notice, own)
    assert text.startswith("{name} 様\n\nはじめ")
    assert text.endswith("おわり\n\n{shop}\n")
    assert "{link}" in text
    assert "{when}" in text
    assert (words.OPENINGS["ja"][kind] in text) == (kind in KEEPS_HOUSE)
    assert ("{policy}" in text) == (kind not in (*ENDED, Kind.JOINED, Kind.THANKS))
    assert words.subject(notice, own) == "件名"


def test_a_line_whose_field_is_empty_is_left_out() -> None:
    own = Own(opening="ようこそ。\n担当は{staff}です。\n{name}様をお待ちしています。")
    text = words.text(replace(NOTICE, staff=""), own)
    assert "ようこそ。\n{name}様をお待ちしています。\n" in text
    assert "担当は" not in text


def test_the_example_is_of_nobody(house: Salon) -> None:
    with shop(house.id):
        for kind in Kind:
            for spoken in ("ja", "en", "ja-easy"):
                subject, text = sample.shown(
                    sample.notice(kind, spoken, now=NOON), Own(opening="{name}、{day}")
                )
                assert "{" not in subject + text
                assert sample.NAMES[spoken] in text


# -- versions


def test_each_change_is_a_version_and_the_same_again_is_none(house: Salon) -> None:
    keep(house)
    keep(house, seen=0)  # the same again, from the page of before
    with shop(house.id):
        assert wording.of(Kind.BOOKED, "ja").version == 1
    with pytest.raises(WordsChanged):
        keep(house, {**OWN, "closing": "では。"}, seen=0)
    keep(house, dict.fromkeys(PARTS, ""), seen=1)
    with shop(house.id):
        assert wording.of(Kind.BOOKED, "ja").is_house
        assert [row.version for row in Wording.objects.order_by("version")] == [1, 2]
        assert wording.of(Kind.BOOKED, "en").is_house


def test_words_with_a_fault_are_never_kept(house: Salon) -> None:
    with pytest.raises(ValueError, match="refused"):
        keep(house, {"opening": "{nobody}"})
    with shop(house.id):
        assert not Wording.objects.exists()


# -- on the way


def sent(house: Salon, mail: Sink, kind: Kind = Kind.BOOKED) -> Any:
    deliver(house.id, booked(house).id, kind, now=NOON)
    [message] = mail.wait()
    return message


def test_a_mail_goes_in_the_shops_words_and_it_is_known_which(house: Salon, module_mail: Sink) -> None:
    keep(house)
    message = sent(house, module_mail)
    assert message["Subject"] == "サロン青葉より：2026年11月27日(金)にお待ちしています"
    text = text_of(message)
    assert text.startswith("山田 花子 様\n\n山田 花子様、いつもありがとうございます。\n")
    assert "お気をつけてお越しください。🌸\n\nサロン青葉\n" in text
    assert "ご予約ありがとうございます。" not in text
    assert "/b/" in text
    with shop(house.id):
        row, kept = Message.objects.get(), Wording.objects.get()
    assert row.wording_id == kept.id
    assert len(row.words) == 16


def test_the_house_speaks_where_the_shop_has_said_nothing(house: Salon, module_mail: Sink) -> None:
    keep(house, kind=Kind.CANCELLED)
    assert "ご予約ありがとうございます。" in text_of(sent(house, module_mail))
    with shop(house.id):
        row = Message.objects.get()
    assert row.wording_id is None
    assert row.words


def test_it_is_tried_out_once_in_a_minute_at_whoever_works_there(
    house: Salon, module_mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    aoi = people.Member(handle="aoi", role="owner", staff="aoi", name="青木 葵", mail="aoi@salon.example")
    people.found_shop(house.id, house.slug, [aoi])
    module_mail.wait()
    module_mail.messages.clear()
    keep(house)
    assert not sample.mail(house.id, f"aoi.{house.slug}", Kind.BOOKED, "ja", minute=1, now=NOON)  # not joined
    person = people.put(house.id, "tester", {"name": "青木 葵", "mail": "aoi@salon.example"})
    member = team.Member(f"aoi.{house.slug}", "owner", "aoi", person, frozenset())
    monkeypatch.setattr(team, "of", lambda _shop: (member,))
    for minute in (1, 1, 2):
        assert sample.mail(house.id, member.handle, Kind.BOOKED, "ja", minute=minute, now=NOON)
    first, _second = module_mail.wait(2)
    assert len(module_mail.messages) == 2
    assert first["Subject"].startswith("【テスト】サロン青葉より：")
    assert text_of(first).startswith("青木 葵 様\n\n青木 葵様、")
    with shop(house.id):
        assert not Message.objects.exists()
