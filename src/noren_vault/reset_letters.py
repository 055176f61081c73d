"""The letters about what one signs in with. They name nobody: who reads one need not be who it is for."""

from typing import Final
from uuid import uuid4

from noren_vault.letter import Letter

_LINK: Final = (
    "パスワードの再設定 / Set a new password",
    """\
新しいパスワードの設定のご依頼がありました。次のリンクを開いて、設定してください。
リンクは一度だけ使えます。期限は1時間です。

{link}

お心当たりがなければ、何もしないでください。いまのパスワードはそのままです。

----

Somebody asked to set a new password for your account. Open the link above to do so.
It can be used once, within an hour.

If it was not you, do nothing: your password stays as it is.
""",
)
_NONE: Final = (
    "サインインについて / About signing in",
    """\
パスワードの再設定のご依頼がありましたが、このアカウントにはパスワードがありません。パスキーでサインインしてください。

{link}

パスキーをなくした場合は、お店のオーナーに新しい招待を頼んでください。お心当たりがなければ、何もしないでください。

----

Somebody asked to set a new password, but your account has none: please sign in with your passkey, above.
If you have lost it, ask your shop's owner for a new invitation. If it was not you, do nothing.
""",
)
_CHANGED: Final = (
    "パスワードが変更されました / Your password was changed",
    """\
サインイン用のパスワードが変更されました。ほかの端末でのサインインは、すべて終了しました。

お心当たりがない場合は、すぐに次のページで新しいパスワードを設定し、お店に知らせてください。

{link}

----

The password of your account was changed, and everything that was signed in elsewhere has been signed out.

If this was not you, set a new one at once on the page above, and tell your shop.
""",
)
_PASSKEY: Final = (
    "パスキーの登録 / Add a passkey",
    """\
お店では、パスキーでサインインすることになりました。次のリンクを開いて、この端末のパスキーを登録してください。
リンクは一度だけ使えます。期限は1時間です。

{link}

お心当たりがない場合は、リンクを開かず、パスワードを変更してください。誰かがそれを知っています。

----

Your shop asks you to sign in with a passkey. Open the link above and make one on your device.
It can be used once, within an hour.

If you did not just sign in with your password, do not open it, and change your password: somebody knows it.
""",
)


def link(address: str) -> Letter:
    """Of the link by which another password is set."""
    return _letter("reset", _LINK, address)


def no_password(address: str) -> Letter:
    """To who asked for that and has no password."""
    return _letter("reset", _NONE, address)


def changed(address: str) -> Letter:
    """That the password was changed."""
    return _letter("changed", _CHANGED, address)


def passkey(address: str) -> Letter:
    """Of the link by which a passkey is added."""
    return _letter("passkey", _PASSKEY, address)


def _letter(kind: str, words: tuple[str, str], address: str) -> Letter:
    return Letter(key=f"{kind}:{uuid4()}", subject=words[0], text=words[1], values={"link": address})
