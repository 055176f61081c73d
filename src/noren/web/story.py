"""A booking's history in words: for the console with who did it, for the customer without."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from noren.booking import history
from noren.booking.history import Change, Move, What
from noren.booking.transact import CUSTOMER, by_staff
from noren.web import deeds, shopfront, wording
from noren.web.shopfront import Face

# What a customer is told: not the while in which her form was filled, and not what staff have looked at.
_TOLD = frozenset(What) - {
    What.HELD,
    What.HELD_OVER,
    What.EXPIRED,
    What.CHECKED_OUT,
    What.KEPT,
    What.TOUCHED,
    What.FITS_AGAIN,
    What.SERIES,
    What.EXTENDED,
    What.INSTEAD,
    What.SETTLED,
    What.CALLED,
    What.NOT_CALLED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `details` are sentences of their own."""

    at: datetime
    who: str
    what: str
    details: tuple[str, ...]


def of_booking(face: Face, booking_id: int) -> list[Event]:
    """The whole history, for the shop."""
    changes = history.of(face.id, booking_id)
    members = _members(face) if any(change.move for change in changes) else {}
    return [
        Event(_here(face, change), who(change.by), _what(change.what), tuple(_details(face, change, members)))
        for change in changes
    ]


def for_customer(face: Face, booking_id: int) -> list[Event]:
    """What she may know: without who of the shop it was, and why."""
    return [
        Event(_here(face, change), _side(change.by), _what(change.what), tuple(_facts(face, change)))
        for change in history.of(face.id, booking_id)
        if change.what in _TOLD
    ]


def _here(face: Face, change: Change) -> datetime:
    return change.at.astimezone(face.zone)


def _members(face: Face) -> dict[int, str]:
    return {member: each.name for member, each in shopfront.serving(face.id).items()}


def who(by: str) -> str:
    """Return who it was in words. A member of staff is named by the handle she signs in with."""
    words = {CUSTOMER: _("customer"), "api": _("by program"), "system": _("by itself")}
    return words.get(by) or by.removeprefix("staff:").removeprefix("key:")


def _side(by: str) -> str:
    return _("the shop") if by_staff(by) else ""


def _what(code: str) -> str:
    words = {
        What.HELD: _("Time kept while the form was filled"),
        What.HELD_OVER: _("Time kept over what was there"),
        What.ASKED: _("Asked for"),
        What.CONFIRMED: _("Booked"),
        What.APPROVED: _("Approved"),
        What.DECLINED: _("Declined"),
        What.MOVED: _("Moved"),
        What.SESSION_MOVED: _("The class was moved"),
        What.CHECKED_IN: _("Checked in"),
        What.NOT_HERE: _("Not here after all"),
        What.CHECKED_OUT: _("Checked out"),
        What.NO_SHOW: _("Did not come"),
        What.CANCELLED: _("Cancelled"),
        What.RELEASED: _("Time given free"),
        What.EXPIRED: _("Time kept ran out"),
        What.KEPT: _("Looked at, and kept as it is"),
        What.TOUCHED: _("Touched by a change"),
        What.FITS_AGAIN: _("Fits again"),
        What.SERIES: _("Booked with others as a series"),
        What.LATE: _("Running late"),
        What.EXTENDED: _("Takes another time than booked"),
        What.DELAYED: _("Told of a delay"),
        What.CHOOSE: _("Asked to choose another time"),
        What.RELINKED: _("The link was made invalid, and a new one mailed"),
        What.INSTEAD: _("Somebody else comes"),
        What.SETTLED: _("Final price noted"),
        What.CALLED: _("Told by phone"),
        What.NOT_CALLED: _("Not told by phone after all"),
        What.MOVED_IN: _("Came in with a list"),
    }
    return words[What(code)] if code in words else _("Changed")


def why_words(code: str) -> str:
    """A reason's words; a code that is not known stands for itself."""
    known = {
        **deeds.insisting(),
        **deeds.declining(),
        **deeds.cancelling(),
        "unanswered": _("Nobody answered until the start"),
        "no_check_in": _("Nobody checked in"),
        "moved": _("The class was moved"),
        "minimum": _("Too few had booked"),
        "closed": _("The hours have changed"),
        "rules": _("The rules have changed"),
        "blocked": _("Somebody was blocked over it"),
        "zone": _("The clock was changed by law"),
        "away": _("Who serves was away"),
        "overrun": _("It takes longer, and another follows"),
        "undone": _("Taken back"),
        "moved_in": _("The list it came in with was undone"),
    }
    return known.get(code, code)


def _details(face: Face, change: Change, members: Mapping[int, str]) -> Iterable[str]:
    yield from _facts(face, change)
    if change.move is not None:
        yield from _staff(change.move, members)
    if change.paid is not None:
        yield f"{wording.yen(change.paid[0])} · {deeds.methods().get(change.paid[1], change.paid[1])}"
    if change.over:
        yield _("Over what was there.")
    if change.why and change.what not in (What.CALLED, What.NOT_CALLED):
        yield _("Reason: %(why)s") % {"why": why_words(change.why)}


def _facts(face: Face, change: Change) -> Iterable[str]:
    move = change.move
    if move is not None and move.start != move.to:
        start, to = (each.astimezone(face.zone) for each in (move.start, move.to))
        yield _("From %(start)s to %(to)s") % {"start": _moment(start), "to": _moment(to)}
    if change.what == What.LATE:
        yield _("%(n)d min") % {"n": change.late} if change.late else _("On time after all")
    if change.what == What.DELAYED:
        yield _("%(n)d min") % {"n": change.late}
    if change.fee_percent:
        yield _("Fee: %(percent)d %% (%(amount)s)") % {
            "percent": change.fee_percent,
            "amount": wording.yen(change.fee),
        }


def _moment(at: datetime) -> str:
    return f"{wording.day(at)} {wording.clock(at)}"


def _staff(move: Move, members: Mapping[int, str]) -> Iterable[str]:
    before, after = (members.get(each or 0, "") for each in (move.staff, move.to_staff))
    if move.staff != move.to_staff and before and after:
        yield _("From %(before)s to %(after)s") % {"before": before, "after": after}
