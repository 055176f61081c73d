"""What can go wrong with times, bookings and shops."""

from django.utils.translation import gettext_lazy as _

from noren.errors.base import NorenError


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


class OnlineStopped(NorenError):
    """The shop has stopped online bookings for today."""

    status = 409
    message = _("No more bookings for today are taken here. Please choose another day, or call the shop.")


class TooLate(NorenError):
    status = 422
    message = _("This time is too soon to be booked here. Please choose a later one or call the shop.")


class NotOffered(NorenError):
    status = 422
    message = _("This time is not offered. Please choose one of the times shown.")


class NotTogether(NorenError):
    status = 422
    message = _("These services cannot be booked in one visit. Please book them one by one or call the shop.")


class NotForHer(NorenError):
    """A service for first visits only, or for returning ones, and her bookings here say otherwise."""

    status = 422
    message = _(
        "This service is only for a first visit, or only for who has been here, and your bookings say "
        "otherwise. Please choose another."
    )


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


class WordsChanged(NorenError):
    """Somebody else has kept other words since these were begun."""

    status = 409
    message = _(
        "Somebody else has changed these words meanwhile. Yours are still below: please compare them."
    )


class ServiceUnknown(NorenError):
    status = 404
    message = _("There is no such service.")


class NobodyLeft(NorenError):
    """A service would have nobody, or nothing, that it needs. Facts: service_id."""

    status = 409
    message = _("A service would have nobody left for it. Please choose somebody else for it first.")


class AlreadyAnswered(NorenError):
    status = 409
    message = _("This request has been answered or withdrawn already.")


class AskedAlready(NorenError):
    status = 409
    message = _("You have asked for one of these days already. Please withdraw that request first.")
