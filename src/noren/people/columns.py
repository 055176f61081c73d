"""Which column of a list is what: guessed from its heading, in Japanese and English, and said by who looks.

The headings are those that booking systems and spreadsheets in Japan write. What is kept of a reading are
numbers of columns and words of the closed lists here, never a heading: a file without one has a person there.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from noren.people.tables import CHARSETS, SEPARATORS

# What a column of a list of customers can be, and how it may be headed.
CUSTOMERS: Final[Mapping[str, str]] = {
    "id": "id|key|no|顧客番号|顧客id|会員番号|会員id|お客様番号|番号|customer id",
    "name": (
        "name|氏名|名前|お名前|顧客名|お客様名|氏名漢字|予約者名|予約者|customer|customer name|full name"
    ),
    "kana": (
        "kana|フリガナ|ふりがな|カナ|氏名カナ|お名前フリガナ|お名前カナ|顧客名カナ|お客様名カナ|"
        "氏名フリガナ|furigana"
    ),
    "mail": ("mail|email|e-mail|email address|メール|メールアドレス|pcメール|pcメールアドレス|eメール"),
    "phone": ("phone|tel|mobile|phone number|電話|電話番号|電話番号1|携帯|携帯電話|携帯番号|携帯電話番号"),
    "note": "note|notes|memo|備考|メモ|顧客メモ|お客様メモ|特記事項",
    "last name": "last name|last_name|family name|姓|苗字|氏名姓|姓漢字",
    "first name": "first name|first_name|given name|名|氏名名|名漢字",
    "last kana": "last kana|セイ|姓カナ|姓フリガナ|カナ姓|カナセイ",
    "first kana": "first kana|メイ|名カナ|名フリガナ|カナ名|カナメイ",
}
# What a column of a list of bookings can be beside that.
BOOKINGS: Final[Mapping[str, str]] = {
    "booking": "booking|booking id|予約番号|予約id|reservation id",
    "at": "at|start|予約日時|来店日時|開始日時|利用日時|date and time|start time and date",
    "date": "date|予約日|来店日|日付|利用日|来店予定日|開始日",
    "time": "time|start time|時刻|時間|開始時間|開始時刻|予約時間|来店時間|来店時刻",
    "minutes": "minutes|duration|length|所要時間|施術時間|所要時間分|予約時間分",
    "service": (
        "service|menu|メニュー|サービス|サービス名|予約ページ名|予約メニュー|コース|メニュー名|予約内容"
    ),
    "staff": "staff|担当|担当者|スタッフ|スタッフ名|担当スタッフ|担当者名",
    "state": "state|status|ステータス|状態|予約状況|予約ステータス",
}
KINDS: Final = ("customers", "bookings")
_MARKS: Final = re.compile(r"[\s()\[\]【】「」・:：*※_-]+")


def of(kind: str) -> dict[str, str]:
    """Return what a column can be in a list of this kind, and its headings, parted by bars."""
    return {**CUSTOMERS, **(BOOKINGS if kind == "bookings" else {})}


def guessed(heading: Iterable[str], kind: str = "customers") -> tuple[str, ...]:
    """Return what each column is; nothing for one that is not known, or that an earlier one is already."""
    by_heading = {_spelled(each): name for name, headings in of(kind).items() for each in headings.split("|")}
    found: list[str] = []
    for cell in heading:
        name = by_heading.get(_spelled(cell), "")
        found.append("" if name in found else name)
    return tuple(found)


def _spelled(heading: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFKC", heading).lower())


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read; what is not said here is found. `columns` is what each column is, in order.

    `services` and `staff`: which of the shop's is meant by a word of the file, by the word's keyed hash.
    """

    kind: str = "customers"
    charset: str = ""
    separator: str = ""
    columns: tuple[str, ...] = ()
    services: Mapping[str, int] | None = None
    staff: Mapping[str, int] | None = None
    join: bool = True
    """Who has the address of somebody who is there stands for her."""
    remind: bool = True
    anyway: bool = True
    """Of bookings: also outside hours, grid and notice, where the time is free."""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "charset": self.charset,
            "separator": self.separator,
            "columns": list(self.columns),
            "services": dict(self.services or {}),
            "staff": dict(self.staff or {}),
            "join": self.join,
            "remind": self.remind,
            "anyway": self.anyway,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Reading":
        return cls(**{**kept, "columns": tuple(kept.get("columns", ()))})

    @classmethod
    def said(cls, kind: str, charset: str, separator: str, columns: Sequence[str], **more: Any) -> "Reading":
        """Take what a form says; what cannot be is as if it were not said."""
        kind = kind if kind in KINDS else KINDS[0]
        known = of(kind)
        return cls(
            kind,
            charset if charset in CHARSETS else "",
            separator if separator in SEPARATORS else "",
            tuple(each if each in known else "" for each in columns),
            **more,
        )
