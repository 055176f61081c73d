"""What waits for an operator, whoever she is: alarms nobody has taken, texts to agree to, promised updates.

It stands on her first page: at night that is the one she sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.incidents import notices
from noren.incidents.notice_text import Text
from noren.people import notices as door
from noren.people import signs
from noren.web import powers
from noren.web.signs import STATE, WHAT


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing, where it is done, how it stands, and since or until when; `late`: at once."""

    href: str
    what: str
    state: str
    at: datetime
    late: bool

    @property
    def when(self) -> str:
        return powers.utc(self.at.astimezone(UTC))


def all_of(grant: str, now: datetime) -> list[Wait]:
    """Those by now, the alarms first. While the vault does not answer what it knows of is not told."""
    try:
        return [*_alarms(grant), *_texts(grant), *_promises(now)]
    except (VaultUnavailable, LedgerUnavailable):
        return list(_promises(now))


def _alarms(grant: str) -> Iterator[Wait]:
    for one in signs.all_of(grant):
        if one.state == "new":
            place, what = reverse("sign", args=[one.sign]), str(WHAT.get(one.what, one.what))
            yield Wait(place, what, str(STATE["new"]), one.first, late=True)


def _texts(grant: str) -> Iterator[Wait]:
    for one in door.asks(grant).all:
        if one.state == "asked" and not one.own:
            what = _("Notice %(notice)s: %(who)s asks you to agree to it")
            words = what % {"notice": one.notice, "who": one.handle}
            yield Wait(
                reverse("notice_ask", args=[one.ask]), words, _("answer until"), one.expires, late=False
            )


def _promises(now: datetime) -> Iterator[Wait]:
    """The next update of each notice that is open: the newest one's word holds."""
    for notice, updates in notices.published().items():
        text = Text.read(updates[0].newest.text)
        if text.state == "resolved" or text.next_at is None:
            continue
        words = _("Notice %(notice)s: its next update") % {"notice": notice}
        late = text.next_at <= now
        state = _("promised, and late") if late else _("promised")
        yield Wait(reverse("notices"), words, state, text.next_at, late)
