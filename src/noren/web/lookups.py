"""Who looked at a person's data, said to her in a sentence a line: by role, what for, which fields."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from noren import people
from noren.shops.models import Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import wording
from noren.web.shopfront import Face


@dataclass(frozen=True, slots=True)
class Line:
    """One act. `state` is exposed, possibly, not or none; `mark` its word, where it needs one."""

    entry: int
    at: datetime
    words: str
    state: str
    mark: str
    late: bool


def lines(face: Face, told: people.Lookups) -> list[Line]:
    """The lines in the active language and the shop's own time."""
    names = _names(face, {one.staff for one in told.lines if one.staff is not None})
    return [
        Line(
            entry=one.entry,
            at=one.at.astimezone(face.zone),
            words=sentence(one, face.name, names.get(one.staff or "", one.staff or "")),
            state=one.state,
            mark=_mark(one.state),
            late=one.late,
        )
        for one in told.lines
    ]


def _names(face: Face, keys: set[str]) -> dict[str, str]:
    """The names under which the shop itself shows its staff; the vault tells none."""
    if not keys:
        return {}
    with in_shop(face.id):
        rows = list(Staff.objects.filter(key__in=keys))
    return {row.key: wording.text(row.texts, "name") or row.key for row in rows}


def sentence(one: people.Lookup, shop: str, name: str = "") -> str:
    """Say it. `name` is a staff member's, where the shop names its staff."""
    facts = {
        "who": _who(one.role, shop, name),
        "fields": fields_of(one.fields),
        "purpose": purpose_of(one.purpose),
    }
    return _template(one) % facts


def _template(one: people.Lookup) -> str:
    """The sentence's form, by the kind of act and how it ended."""
    if one.kind == "refused" and not one.purpose:
        return _("A wrong code was typed for this list.")
    if one.kind in ("intent", "search", "export", "refused"):
        return _looked(one)
    if one.kind == "send":
        return _sent(one.state)
    if one.kind == "prove":
        return (
            _("You came in with a code that was mailed to you.")
            if one.fields
            else _("A code for this list was asked for.")
        )
    if one.kind == "import" and not one.fields:
        return _("%(who)s asked whether you are among its customers, with a list that was to come in.")
    told = {
        "put": _("Your %(fields)s came in with a booking."),
        "import": _("%(who)s brought in your %(fields)s from a list of customers."),
        "update": _("%(who)s changed your %(fields)s."),
        "messages": _("%(who)s asked which mails you were sent, or whether any reach you."),
        "bounce": _("Noren noted whether mail reaches your address."),
        "erase": _("Noren erased your data."),
        "merge": _("%(who)s joined your record with another one, or parted them again."),
    }
    return told.get(one.kind) or _("%(who)s worked with your record%(purpose)s.")


def _looked(one: people.Lookup) -> str:
    if one.state == "not":
        return _("%(who)s asked for your %(fields)s%(purpose)s, and got nothing.")
    if one.kind == "export":
        if one.state == "possibly":
            return _("%(who)s may have taken a copy of your %(fields)s.")
        return _("%(who)s took a copy of your %(fields)s.")
    if one.state == "possibly":
        return _("%(who)s may have seen your %(fields)s%(purpose)s. How it ended is not on record.")
    return _("%(who)s saw your %(fields)s%(purpose)s.")


def _sent(state: str) -> str:
    words = {
        "exposed": _("Noren sent you a mail for the shop, with your %(fields)s."),
        "not": _("Noren wanted to send you a mail; nothing went out."),
    }
    return words.get(state) or _("Noren may have sent you a mail for the shop, with your %(fields)s.")


def _who(role: str, shop: str, name: str) -> str:
    place = {"shop": shop, "name": name}
    roles = {
        "owner": _("The owner of %(shop)s"),
        "manager": _("A manager of %(shop)s"),
        "staff": _("Staff of %(shop)s"),
        "reception": _("The reception of %(shop)s"),
        "accountant": _("The accountant of %(shop)s"),
        "key": _("A program of %(shop)s"),
        "customer": _("Another customer"),
        "self": _("You yourself"),
        "booking": _("Whoever booked"),
        "import": _("%(shop)s"),
        "operator": _("An operator of this installation"),
        "administrator": _("Whoever runs this machine"),
        "noren": _("Noren itself"),
    }
    words = roles.get(role, _("Somebody of %(shop)s"))
    return (_("%(name)s of %(shop)s") if name else words) % place


def field_words() -> dict[str, str]:
    """What each field is called."""
    return {
        "name": pgettext("field", "name"),
        "kana": pgettext("field", "name in katakana"),
        "mail": pgettext("field", "mail address"),
        "phone": pgettext("field", "phone number"),
        "note": pgettext("field", "note"),
        "answers": pgettext("field", "answers"),
        "health": pgettext("field", "health answers"),
        "guests": pgettext("field", "names of those you bring"),
        "tags": pgettext("field", "tags"),
        "notes": pgettext("field", "the shop's notes"),
        "chart": pgettext("field", "record of visits"),
        "card_last4": pgettext("field", "card's last four digits"),
        "address": pgettext("field", "network address"),
        "device": pgettext("field", "device"),
        "inquiry": pgettext("field", "inquiry"),
    }


def fields_of(fields: tuple[str, ...]) -> str:
    words = field_words()
    # In the order of the list above, whatever the record's.
    told = [word for field, word in words.items() if field in fields]
    told += [field for field in fields if field not in words]
    if not told:
        return pgettext("field", "record")
    if len(told) == 1:
        return told[0]
    return _("%(most)s and %(last)s") % {"most": pgettext("list", ", ").join(told[:-1]), "last": told[-1]}


def purpose_of(purpose: str) -> str:
    words = {
        "today": pgettext("reason", ", for today's list"),
        "day": pgettext("reason", ", for a day's list"),
        "day_sheet": pgettext("reason", ", for a printed list of the day"),
        "customer": pgettext("reason", ", on your customer page"),
        "search": pgettext("reason", ", in a search"),
        "check_in": pgettext("reason", ", at check-in"),
        "export": pgettext("reason", ", for an export"),
        "support": pgettext("reason", ", to help the shop"),
        "own": pgettext("reason", ", on your own page"),
        "incident": pgettext("reason", ", to look into an incident"),
    }
    return words.get(purpose, "")


def _mark(state: str) -> str:
    return {"possibly": _("possibly seen"), "not": _("not given")}.get(state, "")
