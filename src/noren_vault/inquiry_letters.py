"""The mails of the inquiry desk. They say that something is there, and never what: mail is read by others."""

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, tuple[str, str]]
RECEIVED: Final[Words] = {
    "ja": (
        "お問い合わせを受け付けました",
        """\
お問い合わせを受け付けました。内容と回答は、次のページでご覧いただけます。

{link}

このリンクをお持ちの方は、どなたでも内容を読めます。ほかの方には渡さないでください。
お心当たりがなければ、次のページで内容を消去できます。
""",
    ),
    "en": (
        "We have your inquiry",
        """\
We have your inquiry. Your words and the answer are on this page:

{link}

Whoever has this link can read it: please do not pass it on.
If you did not ask anything, you can erase it on that page.
""",
    ),
    "ja-easy": (
        "質問（しつもん）を受け取（と）りました",
        """\
あなたの質問（しつもん）を受け取（と）りました。
質問（しつもん）と答（こた）えは、このページにあります。

{link}

このリンクを、ほかの人（ひと）に見（み）せないでください。
質問（しつもん）をしていない人（ひと）は、このページで消（け）すことができます。
""",
    ),
}
ANSWERED: Final[Words] = {
    "ja": (
        "お問い合わせへの回答があります",
        """\
お問い合わせへの回答があります。次のページでご覧ください。

{link}

回答の内容は、メールには書いていません。このリンクをほかの方に渡さないでください。
""",
    ),
    "en": (
        "There is an answer to your inquiry",
        """\
There is an answer to your inquiry. Please read it on this page:

{link}

The mail does not repeat the answer. Please do not pass the link on.
""",
    ),
    "ja-easy": (
        "質問（しつもん）の答（こた）えがあります",
        """\
あなたの質問（しつもん）の答（こた）えがあります。
このページで読（よ）んでください。

{link}

このリンクを、ほかの人（ひと）に見（み）せないでください。
""",
    ),
}
