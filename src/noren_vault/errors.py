"""What the vault refuses, by its name on the wire.

`code` is the class's name; the app side has a class of the same name. `facts` go with it and hold no
personal data.
"""

from typing import Any


class VaultError(Exception):
    """The base of every refusal that a client is told."""

    def __init__(self, words: str = "", **facts: Any) -> None:
        """Keep the words (for a log; never personal data) and the facts (for the client)."""
        super().__init__(words)
        self.facts = facts

    @property
    def code(self) -> str:
        """The class's name."""
        return type(self).__name__


class BadRequest(VaultError):
    """The request itself is wrong: a fault in the client's code."""


class VaultUnavailable(VaultError):
    """The vault's own parts (its database) do not answer."""


class LedgerUnavailable(VaultError):
    """The entry could not be made durable, so nothing may be told. Facts: reason (the ledger's code)."""


class GrantExpired(VaultError):
    """No such grant, or it has ended: by time, by idling, by signing out."""


class GrantRefused(VaultError):
    """The caller is known, and may not do this."""


class ShopFounded(VaultError):
    """The shop was founded with other members: only its owner changes them."""


class PurposeRefused(VaultError):
    """The role may not use this purpose for these fields."""


class BudgetExceeded(VaultError):
    """More persons than one request, or this credential's hour or day, may hold. Facts: today, left."""


class StepUpNeeded(BudgetExceeded):
    """The budget is used up, and a fresh passkey's answer would widen it. Facts: today, left."""


class SecondPersonNeeded(BudgetExceeded):
    """The budget is used up, and a second person of the shop may widen it. Facts: today, left."""


class BudgetHeld(BudgetExceeded):
    """The budget is used up, and only time widens it. Facts: today, left."""


class Replayed(VaultError):
    """The very same request was answered before; who really asks again names a new nonce."""


class CodeRefused(VaultError):
    """The code does not hold. One error for all reasons, an unknown person's included."""


class AlreadyJoined(VaultError):
    """Who is to be invited has joined, or the passkey's owner works for the shop."""


class NoSuchMember(VaultError):
    """The shop has no such member."""


class LastOwner(VaultError):
    """A shop keeps one owner who can sign in."""


class NoSuchRequest(VaultError):
    """No such request waits (any more)."""


class NoSuchReset(VaultError):
    """There is no forced reset of this id."""


class NoSuchTransfer(VaultError):
    """The shop has no such export or import."""


class TransferWaits(VaultError):
    """The export or import waits for a second person."""


class TransferOver(VaultError):
    """The export or import was declined, cancelled, or its time is over."""


class PowerNeeded(VaultError):
    """Nobody has this by standing: a running power is needed, and entered by whoever it was lent to."""


class NoSuchPower(VaultError):
    """No such power was asked for."""


class PowerOver(VaultError):
    """The power was declined, given back or ended, or its time is over."""


class NoSuchIncident(VaultError):
    """There is no such incident, or none for who asks."""


class NoSuchSign(VaultError):
    """There is no such sign, or none for who asks."""


class NoSuchSecret(VaultError):
    """The inventory has no such secret, or no such note about one."""


class SignOver(VaultError):
    """The sign was dismissed, or is part of an incident."""


class NoSuchFile(VaultError):
    """There is no such file of this incident or sign."""


class TooMuch(VaultError):
    """More, or larger files than are taken. Facts: megabytes."""


class NoSuchHold(VaultError):
    """The incident has no such hold."""


class NoSuchFreeze(VaultError):
    """The incident has no such freeze."""


class NoSuchBlock(VaultError):
    """The incident has no such block."""


class BlocksYourself(VaultError):
    """Whoever blocks a path is there herself, and has not said that she knows. Facts: living (sign-ins)."""


class NoSuchCredential(VaultError):
    """Nobody signs in with this (any more), or there is no such account."""


class ErasureHeld(VaultError):
    """A legal hold keeps the person for now. Facts: day, on which the hold is looked at again (UTC)."""


class ExportsFrozen(VaultError):
    """No list of customers leaves the shop for now: an incident is looked into."""


class LastMember(VaultError):
    """An incident keeps one member who reads it."""


class NoSuchTelling(VaultError):
    """There is no such telling, or none for who asks."""


class TellingOver(VaultError):
    """The telling was decided on, or has run out."""


class NoSuchExposure(VaultError):
    """Nobody was told this code."""


class NoSuchNotice(VaultError):
    """No such notice was asked for."""


class NoticeOver(VaultError):
    """The asking was answered or has run out, or its text may not come next."""


class NoSuchReader(VaultError):
    """The link confirms nobody and lets nobody go: it was never mailed, or its reader has left."""


class OneShopAtATime(VaultError):
    """A power over a shop runs already: an operator is in one shop at a time."""


class SecondPasskeyNeeded(VaultError):
    """Who has one passkey only is lent nothing: she adds another first."""


class LastOperator(VaultError):
    """The platform keeps one operator who can sign in."""


class NoSuchPerson(VaultError):
    """The shop has no such person, or no more."""


class MergeRefused(VaultError):
    """These two records cannot be joined, or not be parted again. Facts: reason (a code)."""


class NoSuchEntry(VaultError):
    """No such line stands in the list of who asks."""


class NothingTaken(VaultError):
    """The ledger has no backup, key or door of this name. Facts: kind, name."""


class InvestigationRefused(VaultError):
    """None of this name is open, or one was opened before; or the name is no short code."""


class NoSuchMessage(VaultError):
    """No message with this key is in doubt."""


class BadField(VaultError):
    """A field that cannot be. Facts: field, reason (the first), fields {field: reason}."""


class InviteRefused(VaultError):
    """The invitation is unknown, used, or over."""


class PasskeyRefused(VaultError):
    """The passkey's answer does not hold. One error for all reasons; the reason is in the log."""


class RecordDamaged(VaultError):
    """What is stored is not what was written. One error for every way a decryption can fail."""


class BackupKeyGone(VaultError):
    """The key of this backup was destroyed, or is not this vault's. Facts: key (its id)."""


class KeysBusy(VaultError):
    """A rotation of keys is under way; one goes at a time."""


class NoSuchKey(VaultError):
    """No retired key has this id."""


class KeyProviderAway(VaultError):
    """Who makes and unwraps keys does not answer: nothing was changed."""


class Busy(VaultError):
    """As many passwords are being checked as the machine carries; a moment later it can be tried again."""


class ChallengeNeeded(VaultError):
    """Answer a challenge first; nothing was looked at. Facts: challenge, bits, wait (seconds; 0: no way)."""


class TooManyTries(VaultError):
    """Too many wrong codes; nothing was looked at. Facts: wait (seconds)."""


class PasswordRefused(VaultError):
    """Mail and password do not hold. One error for all reasons, an unknown mail included."""


class ResetRequired(VaultError):
    """The password is right, and over: another is set by the link that was mailed. Facts: breached."""


class ResetRefused(VaultError):
    """The link to set another password is unknown, used, or over."""


class PasskeyRequired(VaultError):
    """The shop takes no password of this role. Facts: enrolled (has a passkey), mailed (a link for one)."""


class BadPassword(VaultError):
    """A password that may not be chosen. Facts: reason (a code), least and most (characters)."""


class FreshSignInNeeded(VaultError):
    """What one signs in with is changed only within minutes after signing in."""


class OwnPasswordRefused(VaultError):
    """It is not the present password of who is signed in."""


class NoSuchPasskey(VaultError):
    """The account has no such passkey."""


class NoSuchSession(VaultError):
    """The account has no such session, or event."""


class LastWayIn(VaultError):
    """The passkey is needed to come in again. Facts: least (how many must stay)."""


class TooManyPasskeys(VaultError):
    """The account has as many passkeys as one may have. Facts: most."""


class ApiKeyRefused(VaultError):
    """No key that holds here: unknown, ended, expired, another shop's. One error for all reasons."""


class ScopeNeeded(VaultError):
    """The key holds, and is not good for this. Facts: scope."""


class NoSuchApiKey(VaultError):
    """The shop has no key of this name."""


class TooManyApiKeys(VaultError):
    """The shop has as many keys as it may. Facts: most."""


class MailTaken(VaultError):
    """Another account of the shop signs in with this mail."""


class MailUnproved(VaultError):
    """A customer's address was changed, and nothing that was mailed there has come back yet."""


class NoSecondFactor(VaultError):
    """The account has no second factor that is on."""


class NoSso(VaultError):
    """The shop has no provider to sign in by."""


class SsoSetting(VaultError):
    """A setting of a provider that cannot be. Facts: field."""


class SsoAway(VaultError):
    """The organisation's provider does not answer, or not as one does."""


class SsoRefused(VaultError):
    """What came from the provider does not hold. One error for all reasons; the reason is in the log."""


class SsoUnknown(VaultError):
    """The provider knows the person, and no account here is bound to her."""


class SsoNoGroup(VaultError):
    """The provider knows the person, and none of her groups has a role here."""


class SsoTaken(VaultError):
    """Another account of the shop is bound to this person of the provider's."""


class PathBlocked(VaultError):
    """Nobody signs in from this network or device for now: an incident is looked into."""


class SsoRequired(VaultError):
    """The shop's people sign in by their organisation, and in no other way."""


class SsoNotTried(VaultError):
    """Nobody of the shop has come in by this provider yet, so it cannot be the only way."""


class NoSuchInquiry(VaultError):
    """No inquiry under this link or this id: never asked, erased, or under a newer link."""


class TooManyInquiries(VaultError):
    """More inquiries came from this address than one person has. Facts: wait (seconds)."""


class InquiryHeld(VaultError):
    """Somebody else answers this inquiry. Facts: handle."""


class InquiryMoved(VaultError):
    """Something came to the inquiry since the page was shown. Facts: lines."""


class InquiryFull(VaultError):
    """The inquiry has as many lines as one may have. Facts: most."""
