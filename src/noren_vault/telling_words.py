"""What a mail about a leak says: an operator's words with a closed list of holes, filled for one person.

`{fields}` names exactly that person's fields, `{todo}` what to do about them. `{notice}` and `{exposed}` are
addresses to type in: such a mail holds no link, for those who forge it hold one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from noren_vault.errors import BadRequest
from noren_vault.letter import Letter
from noren_vault.protocol import Params

LANGUAGES: Final = ("ja", "easy", "en")
# Whose mail it is; who works somewhere reads one of these two.
KINDS: Final[Mapping[str, Sequence[str]]] = {"customer": LANGUAGES, "member": ("ja", "en")}
_SUBJECT: Final = 200
_TEXT: Final = 6_000
_HOLES: Final = frozenset({"name", "shop", "fields", "since", "until", "todo", "notice", "exposed", "code"})
_NEEDED: Final = frozenset({"fields", "todo", "notice", "exposed", "code"})
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]*://|www\.|mailto:", re.IGNORECASE)
_BETWEEN: Final = "\n\n----\n\n"
# A name that may not be told is left out with what stands around it.
_NEUTRAL: Final = {"{name} 様": "ご利用者様", "{name}さん": "みなさん", "Dear {name}": "Hello", "{name}": ""}
_LIST: Final = {"ja": "、", "easy": "、", "en": ", "}
# By field, in each language. An account's things are what `signin_data` names, behind `account_`.
_FIELDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "name": ("お名前", "なまえ", "name"),
    "kana": ("ふりがな", "ふりがな", "reading of the name"),
    "mail": ("メールアドレス", "メールアドレス", "mail address"),
    "phone": ("電話番号", "でんわばんごう", "phone number"),
    "note": ("ご要望", "おみせへの おねがい", "your wishes for a booking"),
    "card_last4": ("カード番号の下4桁", "カードの さいごの 4つの すうじ", "last four digits of the card"),
    "answers": ("質問への回答", "しつもんへの こたえ", "answers to the shop's questions"),
    "health": ("健康についての回答", "からだについての こたえ", "answers about health"),
    "guests": ("同行の方のお名前", "いっしょに きた ひとの なまえ", "names of those you brought"),
    "tags": ("お店が付けた分類", "おみせが つけた しるし", "the shop's marks"),
    "notes": ("お店のメモ", "おみせの メモ", "the shop's notes"),
    "chart": ("カルテ", "カルテ", "the shop's chart"),
    "presence": ("ご利用の有無", "おみせを つかったこと", "that you are a customer"),
    "account_passkey": ("パスキーの公開部分", "パスキーの みえてもよい ぶぶん", "public part of a passkey"),
    "account_password": ("パスワード", "パスワード", "password"),
    "account_totp": ("認証アプリの鍵", "にんしょうアプリの かぎ", "key of an authenticator app"),
    "account_recovery": ("回復コード", "かいふくコード", "recovery codes"),
    "account_mail_index": ("サインイン用のメールアドレス", "サインインの メール", "mail address of sign-in"),
    "account_subject": ("組織のアカウント番号", "かいしゃの アカウント", "organisation's account number"),
    "account_address": ("サインイン元と端末", "サインインした ばしょと きかい", "where from you signed in"),
    "account_reason": ("申請に書いた理由", "おねがいに かいた りゆう", "reasons you wrote"),
    "account_door": ("保守の記録", "ほしゅの きろく", "records of maintenance"),
    "account_invitation": ("招待の記録", "しょうたいの きろく", "an invitation"),
    "account_api_key": ("APIキーの記録", "APIキーの きろく", "an API key's record"),
    "account_other": ("サインインの情報", "サインインの じょうほう", "data of sign-in"),
}  # fmt: skip
# What to do, by the fields that make it necessary, in this order.
_TODO: Final[Sequence[tuple[frozenset[str], tuple[str, str, str]]]] = (
    (
        frozenset({"account_password", "account_other"}),
        (
            "パスワードを変えてください。同じものや似たものをほかで使っている場合は、そちらも変えてください。",
            "パスワードを かえて ください。ほかでも おなじなら、そちらも かえて ください。",
            "Change your password, and change it also where you used the same or a similar one.",
        ),
    ),
    (
        frozenset({"account_totp", "account_recovery"}),
        (
            "認証アプリと回復コードを設定し直してください。",
            "にんしょうアプリと かいふくコードを もういちど つくって ください。",
            "Set up your authenticator app and your recovery codes anew.",
        ),
    ),
    (
        frozenset({"card_last4"}),
        (
            "下4桁だけではカードは使えませんが、ご利用明細に覚えのない請求がないか確かめてください。",
            "この すうじだけでは つかえません。しらない おかねが ひかれていないか みて ください。",
            "Nobody can pay with the last four digits alone; still, look for charges you do not know.",
        ),
    ),
    (
        frozenset({"mail", "account_mail_index", "account_address", "account_subject"}),
        (
            "この件を装うメールにご注意ください。私たちはリンクも添付も送らず、パスワードもお尋ねしません。",
            "にせものの メールに きをつけて ください。わたしたちは パスワードを ききません。",
            "Beware of mails that pretend to be about this: ours hold no link and ask for no password.",
        ),
    ),
    (
        frozenset({"phone"}),
        (
            "この件を装う電話やSMSにご注意ください。暗証番号やパスワードをお尋ねすることはありません。",
            "にせものの でんわや SMSに きをつけて ください。でんわで パスワードは ききません。",
            "Beware of calls and messages that pretend to be about this: we ask for no PIN or password.",
        ),
    ),
    (
        frozenset({"health", "chart", "notes", "answers"}),
        (
            "この内容を持ち出して連絡してくる人がいたら、応じずにお知らせください。",
            "この ないようを しっていると いう ひとが きたら、へんじを しないで おしえて ください。",
            "Should anybody contact you and mention these contents, do not answer, and let us know.",
        ),
    ),
)  # fmt: skip
_NOTHING: Final = (
    "いま、していただくことはありません。",
    "いま することは ありません。",
    "There is nothing you need to do now.",
)
_TOKYO: Final = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, slots=True)
class Exposed:
    """What one person is told about."""

    shop: str
    fields: Sequence[str]
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses to type in, and the person's own code."""

    notice: str
    exposed: str
    code: str


def words_of(params: Params) -> dict[str, dict[str, dict[str, str]]]:
    """Read an operator's words, by kind and language. Raises BadRequest for a hole, a link, or a lack."""
    given = params.mapping("words")
    read: dict[str, dict[str, dict[str, str]]] = {}
    for kind, languages in KINDS.items():
        of_kind = Params(_mapping(given.get(kind)))
        read[kind] = {}
        for language in languages:
            one = Params(_mapping(of_kind.raw.get(language)))
            subject, text = one.text("subject", most=_SUBJECT), one.text("text", most=_TEXT)
            _check(subject, text.replace("\r\n", "\n"))
            read[kind][language] = {"subject": subject, "text": text.replace("\r\n", "\n")}
    return read


def letter(
    key: str, words: Mapping[str, Any], kind: str, language: str, told: tuple[Exposed, Places]
) -> Letter:
    """Return the mail to one person, in her language; in both of them where it is not known."""
    of_kind = words[kind]
    chosen = [language if language in of_kind else "ja"] if language else ["ja", "en"]
    values: dict[str, str] = {}
    subjects, texts = [], []
    for one in chosen:
        # Each language has holes of its own, so that a mail in two of them is filled in one go.
        here = {name: f"{one}_{name}" for name in _HOLES - {"name"}}
        values |= {here[name]: text for name, text in _values(one, *told).items()}
        subjects.append(_renamed(of_kind[one]["subject"], here))
        texts.append(_renamed(of_kind[one]["text"], here).strip())
    subject, text = " / ".join(subjects), _BETWEEN.join(texts) + "\n"
    return Letter(key, subject, text, values, neutral=_NEUTRAL)


def in_words(fields: Iterable[str], language: str) -> str:
    """Return these fields in the words of a language, in the order of the list."""
    there, at = set(fields), LANGUAGES.index(language)
    known = [words[at] for name, words in _FIELDS.items() if name in there]
    # What a later version records is named by its id, never left out.
    return _LIST[language].join(known + sorted(there - set(_FIELDS)))


def to_do(fields: Iterable[str], language: str) -> list[str]:
    """Return what to do about these fields."""
    there, at = set(fields), LANGUAGES.index(language)
    return [words[at] for about, words in _TODO if about & there] or [_NOTHING[at]]


def _values(language: str, what: Exposed, places: Places) -> dict[str, str]:
    return {
        "shop": what.shop,
        "fields": in_words(what.fields, language),
        "since": _instant(what.since, language),
        "until": _instant(what.until, language),
        "todo": "\n".join(f"- {one}" for one in to_do(what.fields, language)),
        "notice": places.notice,
        "exposed": places.exposed,
        "code": places.code,
    }


def _instant(at: int, language: str) -> str:
    here = datetime.fromtimestamp(at / 1000, UTC if language == "en" else _TOKYO)
    if language == "en":
        return f"{here.day} {here:%B %Y %H:%M} UTC"
    if language == "easy":
        return f"{here.year}ねん {here.month}がつ {here.day}にち {here:%H:%M}（にほんの じかん）"
    return f"{here.year}年{here.month}月{here.day}日 {here:%H:%M}（日本時間）"


def _renamed(text: str, here: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda match: "{" + here.get(match[1], match[1]) + "}", text)


def _check(subject: str, text: str) -> None:
    holes = set(_HOLE.findall(subject + text))
    if not holes <= _HOLES or "{" in _HOLE.sub("", subject + text):
        raise BadRequest(f"the holes are {', '.join(sorted(_HOLES))}")
    if not set(_HOLE.findall(text)) >= _NEEDED:
        raise BadRequest(f"each text has {', '.join(sorted(_NEEDED))}")
    if _LINK.search(unicodedata.normalize("NFKC", subject + text)):
        raise BadRequest("such a mail holds no link")
    if not subject.isprintable():
        raise BadRequest("a subject is one line")


def _mapping(given: object) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
