"""What can go wrong with signing in, and with what one signs in with."""

from django.utils.translation import gettext_lazy as _

from noren.errors.base import NorenError


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


class PathBlocked(NorenError):
    status = 403
    message = _(
        "Nobody can sign in from this network or device for now. "
        "Please try another one, or speak with the people who run this site."
    )


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
