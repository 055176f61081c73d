"""What a mail about a leak says when nobody writes it otherwise, by kind of reader and by language.

The holes are filled in the vault, each for one person; there is no link in it, and nothing to open.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

Words = Mapping[str, Mapping[str, Mapping[str, str]]]
_CUSTOMER_JA: Final = """\
{name} 様

{shop} のご予約に使われているシステムで、お客様の情報が漏れた、またはそのおそれがあることが分かりました。
ご迷惑をおかけし、申し訳ありません。

お客様について対象となる情報: {fields}
期間: {since} から {until} まで

していただきたいこと:
{todo}

これまでに分かったことは、次のページでお知らせしています。アドレスをブラウザーに入力してください。
{notice}

お客様の情報について、いつ、どのような経路で見られたかは、次のページに下のコードを入力すると確かめられます。
{exposed}
コード: {code}

このメールにリンクや添付ファイルはありません。パスワードをお尋ねすることもありません。
"""
_CUSTOMER_EASY: Final = """\
{name}さん

{shop} の よやくに つかう システムから、あなたの じょうほうが もれたかもしれません。
ごめんなさい。

もれたかもしれない もの: {fields}
いつ: {since} から {until} まで

して ほしいこと:
{todo}

わかったことは、この ページに あります。ブラウザーに うって ください。
{notice}

あなたの じょうほうが いつ みられたか、この ページで わかります。したの コードを いれて ください。
{exposed}
コード: {code}

この メールに リンクや ファイルは ありません。パスワードも ききません。
"""
_CUSTOMER_EN: Final = """\
Dear {name},

data of yours became known, or may have, from the system that {shop} uses for its bookings.
We are sorry.

Which data of yours: {fields}
When: from {since} until {until}

What to do:
{todo}

What is known by now is on this page. Please type its address into your browser:
{notice}

When and by which way your data were seen is shown on this page, for the code below:
{exposed}
Code: {code}

This mail holds no link and no attachment, and we never ask for your password.
"""
_MEMBER_JA: Final = """\
{name} 様

お使いの予約システムで、あなたのアカウントの情報が漏れた、またはそのおそれがあることが分かりました（{shop}）。
申し訳ありません。

あなたについて対象となる情報: {fields}
期間: {since} から {until} まで

していただきたいこと:
{todo}

お店のお客様には、別に一人ずつお知らせしています。お客様から尋ねられたら、次のページをご案内ください。
アドレスはブラウザーに入力してください。
{notice}

あなたの情報について、いつ、どのような経路で見られたかは、次のページに下のコードを入力すると確かめられます。
{exposed}
コード: {code}

このメールにリンクや添付ファイルはありません。パスワードをお尋ねすることもありません。
"""
_MEMBER_EN: Final = """\
Dear {name},

data of your account in the booking system became known, or may have ({shop}).
We are sorry.

Which data of yours: {fields}
When: from {since} until {until}

What to do:
{todo}

Your customers are told separately, one by one. Should they ask you, please name this page to them.
Type its address into your browser:
{notice}

When and by which way your data were seen is shown on this page, for the code below:
{exposed}
Code: {code}

This mail holds no link and no attachment, and we never ask for your password.
"""
_JA: Final = "【重要】あなたの情報についてのお知らせ"
_EASY: Final = "【だいじ】あなたの じょうほうの おしらせ"
_EN: Final = "Important: about your data"
HOUSE: Final[Words] = {
    "customer": {
        "ja": {"subject": _JA, "text": _CUSTOMER_JA},
        "easy": {"subject": _EASY, "text": _CUSTOMER_EASY},
        "en": {"subject": _EN, "text": _CUSTOMER_EN},
    },
    "member": {
        "ja": {"subject": _JA, "text": _MEMBER_JA},
        "en": {"subject": _EN, "text": _MEMBER_EN},
    },
}
LONGEST: Final[Mapping[str, int]] = {"subject": 200, "text": 6_000}
HOLES: Final = ("name", "shop", "fields", "since", "until", "todo", "notice", "exposed", "code")
NEEDED: Final = ("fields", "todo", "notice", "exposed", "code")
_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]*://|www\.|mailto:", re.IGNORECASE)


def fit(words: Mapping[str, str]) -> bool:
    """Whether the vault takes these words: the holes there are, those that are needed, and no link."""
    subject, text = words.get("subject", "").strip(), words.get("text", "")
    whole = subject + text
    return (
        bool(subject)
        and subject.isprintable()
        and all(len(words.get(name, "")) <= most for name, most in LONGEST.items())
        and set(NEEDED) <= set(_HOLE.findall(text))
        and set(_HOLE.findall(whole)) <= set(HOLES)
        and "{" not in _HOLE.sub("", whole)
        and _LINK.search(unicodedata.normalize("NFKC", whole)) is None
    )
