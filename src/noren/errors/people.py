"""What can go wrong with people's data and the vault."""

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
