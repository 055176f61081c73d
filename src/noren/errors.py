"""The vocabulary of what can go wrong, in one place: its code, its HTTP status, its words.

`message` is for a person (Japanese: the catalogue), `code` for a program. Our own misuse is a RuntimeError.
"""

import re
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class NorenError(Exception):
    """The base: something a person or a program outside can understand and mend."""

    status: ClassVar[int] = 400
    message: ClassVar[str | Promise] = _("This cannot be done.")

    def __init__(self, **facts: Any) -> None:
        """`facts` are values without personal data that fill `message` and go with the answer."""
        super().__init__(self.code)
        self.facts = facts

    @property
    def code(self) -> str:
        """The class's name in snake case: SlotTaken is slot_taken."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def words(self) -> str:
        """The message in the active language, filled with the facts."""
        return str(self.message) % self.facts if self.facts else str(self.message)


# -- times and bookings


class SlotTaken(NorenError):
    """Somebody was faster. Facts: nearest (the nearest free starts)."""

    status = 409
    message = _("This time has just been taken. Please choose another.")


class InThePast(NorenError):
    status = 422
    message = _("This time has passed. Please choose a later one.")


class OutsideHorizon(NorenError):
    status = 422
    message = _("This date cannot be booked yet. Please choose an earlier one.")


class TooLate(NorenError):
    status = 422
    message = _("This time is too soon to be booked here. Please choose a later one or call the shop.")


class NotOffered(NorenError):
    status = 422
    message = _("This time is not offered. Please choose one of the times shown.")


class NotTogether(NorenError):
    status = 422
    message = _("These services cannot be booked in one visit. Please book them one by one or call the shop.")


class ClassThere(NorenError):
    status = 409
    message = _("This class has a date at that time already. Please choose another time.")


class SeatsBooked(NorenError):
    """There would be fewer seats than are booked. Facts: booked."""

    status = 409
    message = _(
        "%(booked)s places are booked already. Nobody is dropped: "
        "say that there shall be fewer all the same, or move somebody first."
    )


class LimitReached(NorenError):
    """A limit of the shop's: so many bookings of this service, staff or customer in a day, week or month."""

    status = 409
    message = _("No more bookings can be taken for this day. Please choose another.")


class NightsNotOffered(NorenError):
    status = 422
    message = _("A stay that begins on this day cannot have so many nights. Please choose another length.")


class PartyTooLarge(NorenError):
    status = 422
    message = _("There are not enough places for so many people.")


class HoldExpired(NorenError):
    status = 410
    message = _("The time was kept for you for a while and is free again. Please choose it once more.")


class TooLateToCancel(NorenError):
    status = 409
    message = _("It is too late to cancel here. Please call the shop.")


class AlreadyCancelled(NorenError):
    status = 409
    message = _("This booking has already been cancelled.")


class TooLateToChange(NorenError):
    status = 409
    message = _("It is too late to change this booking here. Please call the shop.")


class TooEarlyToCheckIn(NorenError):
    status = 409
    message = _("It is too early to check in. Please come back nearer to the time.")


class CourseOnly(NorenError):
    """A date of a course, asked for alone."""

    status = 422
    message = _("This is a course: its dates are booked together.")


class SeriesTooLong(NorenError):
    """Facts: most (dates of one series)."""

    status = 422
    message = _("These are too many dates for one booking. Please choose fewer.")


class SeriesNotFree(NorenError):
    """Nothing was booked. Facts: report (each date, and why it is not free)."""

    status = 409
    message = _("Not every date is free. Nothing has been booked; please look at the dates.")


class TooLateToCheckIn(NorenError):
    status = 409
    message = _("The time was given free because nobody checked in. Please ask at the desk.")


class NotThatStatus(NorenError):
    """The booking is in another state than the deed needs. Facts: status."""

    status = 409
    message = _("This booking is not in a state in which this can be done. Please look at it again.")


class ChangeTouchesBookings(NorenError):
    """Nothing was changed yet. Facts: touched (the bookings: ids, times, reasons)."""

    status = 409
    message = _("This touches bookings that are there. Please choose what becomes of each.")


class NothingFree(NorenError):
    status = 409
    message = _("There is no free time near enough. The booking stays as it is.")


class BookingUnknown(NorenError):
    status = 404
    message = _("There is no such booking.")


class IdempotencyKeyReused(NorenError):
    """The same Idempotency-Key came with another booking."""

    status = 422
    message = _("This Idempotency-Key was used for another booking. Please make a new one.")


class NoWaitingList(NorenError):
    status = 422
    message = _("This service keeps no waiting list. Please choose a time that is free.")


class SlotFree(NorenError):
    """Nobody needs to wait. Facts: nearest (the free starts)."""

    status = 409
    message = _("A place is free now. Please book it.")


class AlreadyWaiting(NorenError):
    """The same person waits for the same; known by her id, or by all that she wrote being the same."""

    status = 409
    message = _("You are on the waiting list for this already. Please use the link in the mail about it.")


class AlreadyBooked(NorenError):
    status = 409
    message = _("You have a booking for this already. Please use the link in the mail about it.")


class NothingOffered(NorenError):
    status = 409
    message = _("No place is kept for you at this moment. We will write to you as soon as one is free.")


class LinkUnknown(NorenError):
    status = 404
    message = _("We do not know this link. Please use the newest mail from the shop.")


class LinkRevoked(NorenError):
    """Facts: shop_id, whose page leads to all bookings."""

    status = 410
    message = _("This link is no longer valid. Please use the newest mail from the shop.")


class CannotTakeNewCustomers(NorenError):
    """The vault is away: nothing was kept."""

    status = 503
    message = _("We cannot take your booking at this moment. Nothing was booked; please try again soon.")


# -- shops


class ShopUnknown(NorenError):
    status = 404
    message = _("There is no such shop.")


class NotOpenYet(NorenError):
    status = 409
    message = _('The shop is not open yet. Please open it first, under "Start" in the console.')


class ServiceUnknown(NorenError):
    status = 404
    message = _("There is no such service.")


# -- people and the vault


class VaultUnavailable(NorenError):
    status = 503
    message = _("Personal data cannot be read at this moment.")


class LedgerUnavailable(NorenError):
    """The vault refuses to tell what it cannot write down first."""

    status = 503
    message = _("Personal data cannot be shown: the record of who looks at them cannot be written.")


class GrantExpired(NorenError):
    status = 401
    message = _("Your sign-in has ended. Please sign in again.")


class GrantRefused(NorenError):
    status = 403
    message = _("You may not do this.")


class ShopFounded(NorenError):
    status = 409
    message = _("This shop has been founded with other members. Its owner changes them in the console.")


class PurposeRefused(NorenError):
    status = 403
    message = _("Your role may not see these data for this purpose.")


class BudgetExceeded(NorenError):
    status = 429
    message = _("More people's data were asked for than this sign-in may see. Please wait or ask a manager.")


class StepUpNeeded(BudgetExceeded):
    """The next of three steps: a fresh passkey's answer widens the budget. Facts: today, left."""

    message = _("You have looked at many customers' data. Please confirm with your passkey to go on.")


class SecondPersonNeeded(BudgetExceeded):
    """The second step: another owner or manager of the shop widens it. Facts: today, left."""

    message = _("You have looked at many customers' data. A second person of your shop must agree to more.")


class BudgetHeld(BudgetExceeded):
    """The third: only time widens it. Facts: today, left."""

    message = _("More customers' data than usual were looked at, so no new ones are shown for now.")


class Replayed(NorenError):
    """The vault has answered this very request: a nonce is used once."""

    status = 409
    message = _("This request was answered already. Please load the page again.")


class CodeRefused(NorenError):
    status = 403
    message = _("This code is not right, or no longer valid. Please check it, or ask for a new one.")


class AlreadyJoined(NorenError):
    status = 409
    message = _("This person works for the shop already.")


class NoSuchMember(NorenError):
    status = 404
    message = _("Nobody of that name works here.")


class LastOwner(NorenError):
    status = 409
    message = _("A shop keeps one owner who can sign in. Make somebody else an owner first.")


class NoSuchRequest(NorenError):
    status = 410
    message = _("This request has been answered, or its time is over.")


class NoSuchReset(NorenError):
    status = 404
    message = _("There is no forced reset of this id. `noren resets show` lists them.")


class NoSuchTransfer(NorenError):
    status = 404
    message = _("There is no such list.")


class TransferWaits(NorenError):
    status = 409
    message = _("Somebody else who manages the shop must agree to this list first.")


class TransferOver(NorenError):
    status = 410
    message = _("This list was declined or cancelled, or its time is over. Please ask for it anew.")


class PowerNeeded(NorenError):
    """Nobody has this by standing: it needs a power that was lent, and entered."""

    status = 403
    message = _("This needs a power that is lent for a reason and a time. Please ask for it under Powers.")


class NoSuchPower(NorenError):
    status = 404
    message = _("Nobody has asked for such a power.")


class PowerOver(NorenError):
    status = 410
    message = _("This power was declined, given back or ended, or its time is over. Please ask for it anew.")


class OneShopAtATime(NorenError):
    status = 409
    message = _("A power over a shop is running already. Please give it back first.")


class SecondPasskeyNeeded(NorenError):
    status = 409
    message = _("You have one passkey only. Please add a second one before any power is lent to you.")


class LastOperator(NorenError):
    status = 409
    message = _("One operator who can sign in stays. Please invite another one first.")


class RecordDamaged(NorenError):
    """What the vault has stored is not what was written; the attempt is on record."""

    status = 500
    message = _("These data cannot be read: they are not as they were stored.")


class NoSuchPerson(NorenError):
    status = 404
    message = _("There is no such customer.")


class NoSuchEntry(NorenError):
    status = 404
    message = _("There is no such line in your list.")


class InvestigationRefused(NorenError):
    status = 409
    message = _("No investigation of this name is open, or it was used before. A name is a-z, 0-9 and -.")


class NoSuchMessage(NorenError):
    status = 404
    message = _("There is no such message in doubt.")


class BadField(NorenError):
    """Facts: field, reason (a code)."""

    status = 422
    message = _("Please correct the marked fields.")


class KeysBusy(NorenError):
    status = 409
    message = _("Keys are being changed already. Please wait until that is done.")


class NoSuchKey(NorenError):
    """Facts: key (its id)."""

    status = 404
    message = _("There is no retired key with this id.")


class BackupKeyGone(NorenError):
    """Facts: key (its id)."""

    status = 410
    message = _("The key of this backup has been destroyed. It can no longer be read.")


class KeyProviderAway(NorenError):
    status = 503
    message = _("The provider of the vault's keys does not answer. Nothing was changed; please try again.")


class InviteRefused(NorenError):
    status = 410
    message = _("This invitation has been used or has expired. Please ask for a new one.")


class PasskeyRefused(NorenError):
    status = 403
    message = _("This passkey could not be used. Please try again.")


class ChallengeNeeded(NorenError):
    """Nothing was looked at. Facts: challenge, bits, wait (seconds; 0: only the puzzle helps)."""

    status = 429
    message = _(
        "There were many tries in a short time. "
        "Please send the form again once this device has solved a small puzzle."
    )


class TooManyTries(NorenError):
    """Nothing was looked at. Facts: wait (seconds)."""

    status = 429
    message = _("There were too many wrong codes. Please try again in %(wait)s seconds.")


class PasswordRefused(NorenError):
    status = 403
    message = _("Mail address and password do not match. Please try again.")


class ResetRequired(NorenError):
    """The password was right and is over. Facts: breached (it is known from a breach)."""

    status = 403
    message = _(
        "This password can no longer be used. We have mailed you a link: please set a new one with it, "
        "then sign in."
    )


class ResetRefused(NorenError):
    status = 410
    message = _("This link has been used or has expired. Please ask for a new one.")


class PasskeyRequired(NorenError):
    """Facts: enrolled (there is a passkey), mailed (a link by which one is added)."""

    status = 403
    message = _("This shop asks you to sign in with a passkey.")


class BadPassword(NorenError):
    """Facts: reason (too_short, too_long, common, pattern, own_words, not_text, breached), least and most
    (characters).
    """

    status = 422
    message = _(
        "Please choose another password: %(least)s to %(most)s characters, not a common one, not a pattern, "
        "not made of your own, the shop's or this service's name."
    )


class FreshSignInNeeded(NorenError):
    status = 403
    message = _("Please confirm first that it is you: it is more than five minutes ago.")


class OwnPasswordRefused(NorenError):
    status = 403
    message = _("This is not your present password. Please check it.")


class NoSuchPasskey(NorenError):
    status = 404
    message = _("There is no such passkey.")


class NoSuchSession(NorenError):
    status = 404
    message = _("There is no such sign-in. It may have ended.")


class LastWayIn(NorenError):
    """Facts: least (how many passkeys must stay)."""

    status = 409
    message = _("You need this passkey to come in again. Please add another one first.")


class TooManyPasskeys(NorenError):
    """Facts: most."""

    status = 409
    message = _("You have %(most)s passkeys, and no more fit. Please remove one that you do not use.")


class ApiKeyRefused(NorenError):
    """No key, or none that holds for this shop: one refusal for all reasons."""

    status = 401
    message = _("This needs an API key of the shop that still holds. Its owner makes one in the console.")


class ScopeNeeded(NorenError):
    """Facts: scope."""

    status = 403
    message = _("This key is not good for that. It needs the scope %(scope)s.")


class NoSuchApiKey(NorenError):
    status = 404
    message = _("There is no such key.")


class TooManyApiKeys(NorenError):
    """Facts: most."""

    status = 409
    message = _("A shop has at most %(most)s keys. Please end one that is not needed any more.")


class MailTaken(NorenError):
    status = 409
    message = _("Somebody else of this shop signs in with this mail address.")


class MailUnproved(NorenError):
    status = 409
    message = _("Please confirm your new mail address with a code first.")


class NoSecondFactor(NorenError):
    status = 409
    message = _("Please turn on one-time codes first.")


class NoSso(NorenError):
    status = 404
    message = _("This shop does not sign in by an organisation. Please use your passkey or password.")


class SsoSetting(NorenError):
    """Facts: field (of the settings)."""

    status = 422
    message = _("Please look at this setting once more: %(field)s.")


class SsoAway(NorenError):
    status = 503
    message = _("Your organisation's sign-in does not answer at this moment. Please try again soon.")


class SsoRefused(NorenError):
    status = 403
    message = _("Your organisation's sign-in could not be used. Please begin again from the sign-in page.")


class SsoUnknown(NorenError):
    status = 403
    message = _("Your organisation knows you, but you have no account here yet. Please ask the shop's owner.")


class SsoNoGroup(NorenError):
    status = 403
    message = _(
        "Your organisation knows you, but none of your groups works here. Please ask who looks after them."
    )


class SsoTaken(NorenError):
    status = 409
    message = _("Another account of this shop is bound to this person of your organisation already.")


class SsoRequired(NorenError):
    status = 403
    message = _("This shop signs in by its organisation only. Please use that way.")


class SsoNotTried(NorenError):
    status = 409
    message = _(
        "Nobody has signed in by this provider yet. Save it beside the other ways, bind an account, "
        "and then make it the only way."
    )


class Busy(NorenError):
    """Too many passwords are being checked at once."""

    status = 503
    message = _("Too many people are signing in at this moment. Please try again in a few seconds.")


class RequestUnreadable(NorenError):
    status = 400
    message = _("This request could not be understood.")


class RequestTooLarge(NorenError):
    """Facts: limit (bytes)."""

    status = 413
    message = _("This is more than we can take.")


class NothingHere(NorenError):
    status = 404
    message = _("There is nothing at this address.")


class OurFault(NorenError):
    status = 500
    message = _("Something went wrong on our side. It has been noted; please try again soon.")
