"""An invitation whose link is printed besides being mailed: it opens the shop, and proves no mailbox."""

import pytest

from noren import people
from noren.errors import InviteRefused, PasskeyRequired
from tests.servers import Sink, VaultProcess
from tests.vault.cast import SALON, YOGA, invitation_of, join, member, sql

AOI = "aoi@staff.example.jp"
NOTED = "SELECT count(*) FROM keystore.signin_mail"


def told() -> people.Invited:
    (found,) = people.found_shop(SALON, "salon", [member("aoi", "owner")], tell=True)
    return found


def test_it_tells_the_link_that_it_mails_and_the_newest_alone_holds(vault: VaultProcess, mail: Sink) -> None:
    """Asked again, she is invited anew: the link before is worth nothing. Once she is in there is none."""
    assert vault
    first, second = told().invite, told().invite
    assert first != second
    assert invitation_of(mail, AOI) == second
    with pytest.raises(InviteRefused):
        people.register_begin(first)
    assert join(second).handle == "aoi.salon"
    again = told()
    assert (again.mail, again.invite) == ("joined", "")


def test_who_comes_by_it_has_not_shown_that_the_mail_is_hers(vault: VaultProcess, mail: Sink) -> None:
    """Else whoever owns a mistyped address could set a password anew with it, and come in."""
    join(told().invite)
    assert sql(vault, NOTED) == [(0,)]
    people.found_shop(YOGA, "yoga", [member("sora", "owner")])
    join(invitation_of(mail, "sora@staff.example.jp"))
    assert sql(vault, NOTED) == [(1,)]


def test_no_password_is_set_by_it(vault: VaultProcess) -> None:
    """A password signs in by a mail that nobody has shown to be hers."""
    assert vault
    with pytest.raises(PasskeyRequired):
        people.password_join(told().invite, "correct horse battery staple")
