"""What happened to one's account, in words: the kinds and notes of the ledger's own lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from noren import people
from noren.web import devices

_WORDS: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("signin", ""): gettext_lazy("Signed in with a passkey"),
    ("signin", "counter_regression"): gettext_lazy("Signed in with a passkey of which there may be a copy"),
    ("signin", "password"): gettext_lazy("Signed in with the password"),
    ("signin", "password_totp"): gettext_lazy("Signed in with the password and a one-time code"),
    ("signin", "password_mailed"): gettext_lazy("Signed in with the password and a mailed code"),
    ("signin", "password_recovery"): gettext_lazy("Signed in with the password and a recovery code"),
    ("signin", "switched"): gettext_lazy("Went over to another shop"),
    ("signout", ""): gettext_lazy("Signed out"),
    ("signout", "one"): gettext_lazy("Another sign-in was ended"),
    ("signout", "others"): gettext_lazy("All other sign-ins were ended"),
    ("signout", "all"): gettext_lazy("All sign-ins were ended"),
    ("register", ""): gettext_lazy("A passkey was made by an invitation"),
    ("register", "passkey_added"): gettext_lazy("A passkey was added"),
    ("register", "passkey_named"): gettext_lazy("A passkey was given a name"),
    ("register", "passkey_removed"): gettext_lazy("A passkey was removed"),
    ("register", "password"): gettext_lazy("The password was set"),
    ("register", "totp"): gettext_lazy("One-time codes were turned on"),
    ("register", "totp_ended"): gettext_lazy("One-time codes were turned off"),
    ("register", "recovery_codes"): gettext_lazy("Recovery codes were made"),
    ("prove", "confirmed"): gettext_lazy("Confirmed who it is"),
    ("prove", "proved"): gettext_lazy("The mail address was confirmed by a code"),
    ("refused", "password"): gettext_lazy("Somebody tried a wrong password"),
    ("refused", "second_factor"): gettext_lazy("The password was right, and a one-time code was asked for"),
    ("refused", "mailed_code"): gettext_lazy("The password was right, and a code was mailed"),
    ("refused", "mailed"): gettext_lazy("Somebody tried a wrong mailed code"),
    ("refused", "second_factor_gone"): gettext_lazy("A password too short to stand alone was refused"),
    ("refused", "totp"): gettext_lazy("Somebody tried a wrong one-time code"),
    ("refused", "recovery"): gettext_lazy("Somebody tried a wrong recovery code"),
    ("refused", "passkey"): gettext_lazy("A passkey's answer did not hold"),
    ("refused", "membership"): gettext_lazy("A sign-in where you do not work was refused"),
    ("refused", "code"): gettext_lazy("Somebody tried a wrong mailed code"),
    ("sign", "new_device"): gettext_lazy("A right password from a new device, after wrong ones"),
    ("sign", "second_factor"): gettext_lazy("A right password, and then several wrong codes"),
    ("sign", "not_me"): gettext_lazy("“This wasn't me” was chosen"),
}
# What somebody else may have done who came in, or had the right password in hand.
_DOUBTED: Final = ("signin", "register", "prove")
_DOUBTED_NOTES: Final = ("second_factor", "mailed_code", "new_device")


@dataclass(frozen=True, slots=True)
class Happened:
    """One line. `doubted`: it can be said that this was somebody else."""

    entry: int
    at: datetime
    words: str
    where: str
    failed: bool
    this: bool
    doubted: bool


def lines(events: people.Events, zone: tzinfo) -> list[Happened]:
    """Put the events into words, in the zone of whoever reads."""
    return [
        Happened(
            entry=one.entry,
            at=one.at.astimezone(zone),
            words=_words(one),
            where=where(one.place),
            failed=one.kind == "refused",
            this=one.this,
            doubted=not one.this and (one.kind in _DOUBTED or one.note in _DOUBTED_NOTES),
        )
        for one in events.events
    ]


def where(place: people.Place) -> str:
    """Chrome on Android · this network (203.0.113.x). Empty where neither is known."""
    parts = [devices.device(place.device)]
    if place.network:
        words = _("this network (%(network)s)") if place.near else _("network %(network)s")
        parts.append(words % {"network": place.network})
    return " · ".join(part for part in parts if part)


def _words(event: people.OwnEvent) -> str:
    if event.kind == "signin" and event.credential == "code":
        return _("Signed in with a mailed code")
    found = _WORDS.get((event.kind, event.note))
    # A kind or note that is newer than these words is shown as the ledger has it.
    return str(found) if found is not None else f"{event.kind} {event.note}".strip()
