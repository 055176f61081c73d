"""What can go wrong with people's data and the vault."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from noren.errors.base import NorenError


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


class NoSuchIncident(NorenError):
    status = 404
    message = _("There is no such incident.")


class NoSuchSign(NorenError):
    status = 404
    message = _("There is no such sign.")


class NoSuchSecret(NorenError):
    status = 404
    message = _("The inventory has no such secret.")


class SignOver(NorenError):
    status = 409
    message = _("This sign was dismissed, or is part of an incident by now.")


class NoSuchFile(NorenError):
    status = 404
    message = _("There is no such file.")


class TooMuch(NorenError):
    """Facts: megabytes."""

    status = 413
    message = _("The files are too large or too many: %(megabytes)s MB together at most.")


class NoSuchHold(NorenError):
    status = 404
    message = _("The incident has no such hold.")


class NoSuchFreeze(NorenError):
    status = 404
    message = _("The incident has no such freeze.")


class NoSuchBlock(NorenError):
    status = 404
    message = _("The incident has no such block.")


class BlocksYourself(NorenError):
    """Facts: living."""

    status = 409
    message = _("You are signed in from there yourself. Please look at what it shuts out, and say so.")


class NoSuchCredential(NorenError):
    status = 404
    message = _("Nobody signs in with this, or not any more. Please give the name as the record has it.")


class ErasureHeld(NorenError):
    """Facts: day."""

    status = 423
    message = _(
        "This must be kept for now, because an incident is being looked into. The wish is on record, and the "
        "data are deleted by themselves once that is over. It is looked at again on %(day)s at the latest."
    )


class ExportsFrozen(NorenError):
    status = 423
    message = _(
        "No list of customers can be taken out for now, because an incident is being looked into. "
        "The platform's operators say when it is possible again."
    )


class LastMember(NorenError):
    status = 409
    message = _("Somebody has to read an incident. Please let another operator in first.")


class PowerOver(NorenError):
    status = 410
    message = _("This power was declined, given back or ended, or its time is over. Please ask for it anew.")


class NoSuchTelling(NorenError):
    status = 404
    message = _("There is no such telling.")


class TellingOver(NorenError):
    status = 409
    message = _("This telling was decided on already, or its time is over. Please begin it anew.")


class NoSuchExposure(NorenError):
    status = 404
    message = _("This code is not known. Please look at it in our mail again and type all of it.")


class NoSuchNotice(NorenError):
    status = 404
    message = _("There is no such notice.")


class NoticeOver(NorenError):
    status = 409
    message = _("This was answered already, or its time is over, or another text was published meanwhile.")


class NoSuchReader(NorenError):
    status = 404
    message = _("This link no longer holds: its hour has passed, or this address has left.")


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


class MergeRefused(NorenError):
    """Facts: reason, a code of why these two records are not joined, or not parted again."""

    status = 409
    message = _("These two customers cannot be joined as they are.")
    reasons: ClassVar[dict[str, str | Promise]] = {
        "same": _("This is one and the same customer."),
        "merged": _("This customer was joined with another one already."),
        "into_merged": _("The other customer was joined with a third one meanwhile. Please open that one."),
        "has_others": _("Others were joined to this customer. Please join the other way round."),
        "proved": _(
            "This customer has proved the mail address, the other one has not. "
            "Please join the other way round."
        ),
        "two_proved": _("Both have proved a mail address of their own: they stay apart."),
        "proved_mail": _("The mail address that was proved stays."),
        "full": _("There is too much in the notes of both. Please shorten or erase some first."),
        "over": _("They cannot be parted any more."),
        "joined_away": _(
            "The shop has joined this record with another one. Please ask the shop to erase it for you."
        ),
    }

    def words(self) -> str:
        return str(self.reasons.get(self.facts.get("reason", ""), self.message))


class NoSuchEntry(NorenError):
    status = 404
    message = _("There is no such line in your list.")


class NothingTaken(NorenError):
    """Facts: kind (backup, key, door), name."""

    status = 404
    message = _("The ledger has nothing of this name.")
    kinds: ClassVar[dict[str, str | Promise]] = {
        "backup": _(
            "The ledger has no backup %(name)s. `noren backup list` has the names of those there are."
        ),
        "key": _("There is no key %(name)s. `noren keys` lists them; write the id in hexadecimal digits."),
        "door": _("The ledger has no foreign session %(name)s. `noren doors` lists those there were."),
    }

    def words(self) -> str:
        return str(self.kinds.get(self.facts.get("kind", ""), self.message)) % self.facts


class InvestigationRefused(NorenError):
    status = 409
    message = _("No investigation of this name is open, or it was used before. A name is a-z, 0-9 and -.")


class NoSuchMessage(NorenError):
    status = 404
    message = _("There is no such message in doubt.")


class BadField(NorenError):
    """Facts: field, reason (a code), or fields {field: reason}."""

    status = 422
    message = _("Please correct the marked fields.")

    @property
    def reasons(self) -> dict[str, str]:
        """Why, by field."""
        found: dict[str, str] = self.facts.get("fields") or {self.facts["field"]: self.facts["reason"]}
        return found


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


class NoSuchInquiry(NorenError):
    status = 404
    message = _("There is no inquiry under this link. It may have been erased, or have a newer link.")


class TooManyInquiries(NorenError):
    """Facts: wait (seconds)."""

    status = 429
    message = _("Many inquiries have come from your network. Please try again in %(wait)s seconds.")


class InquiryHeld(NorenError):
    """Facts: handle."""

    status = 409
    message = _("%(handle)s is answering this inquiry. Nothing was sent.")


class InquiryMoved(NorenError):
    """Facts: lines."""

    status = 409
    message = _("Something new has come to this inquiry. Nothing was sent: please read it first.")


class InquiryFull(NorenError):
    """Facts: most."""

    status = 409
    message = _("This inquiry is full. Please open a new one.")
