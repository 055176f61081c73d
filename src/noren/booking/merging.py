"""Two records of one customer are joined: her fields by the vault, her bookings and places here; and parted.

The vault's half stands between two transactions of ours. The first says what is about to be; should the
process end after it, a job asks the vault what became of it, and does the rest or lets it be: the vault
decides. Both halves may be done again and change nothing more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from procrastinate.contrib.django import app

from noren.booking import persons, waiting
from noren.booking.models import JOINED, LIVE, Booking, Merge, MergeState, Waiting
from noren.booking.transact import Actor
from noren.errors import LedgerUnavailable, MergeRefused, NorenError, VaultUnavailable
from noren.people import card
from noren.shops.tenancy import current_shop, shop, write_in

# So long after its beginning what was cut off is followed up: longer than the vault's answer is waited for.
FOLLOWED = timedelta(minutes=2)
_LIVE = (MergeState.MERGING, *JOINED)
# After these nobody knows whether the vault has done it.
_UNSURE = (VaultUnavailable, LedgerUnavailable)


def merge(
    shop_id: int, double: UUID, kept: UUID, take: Sequence[str], *, grant: str, now: datetime, by: Actor
) -> Merge:
    """Join a record to another: what is the double's becomes the kept one's. Again it gives the same.

    `take` names the fields of which the double's value is the better one (people.card). Raises MergeRefused,
    NoSuchPerson, VaultUnavailable (then it is followed up).
    """
    row = _begun(shop_id, double, kept, now=now, by=by)
    if row.state != MergeState.MERGING:
        return row
    try:
        until = card.merge(grant, double, kept, take)
    except NorenError as refusal:
        if not isinstance(refusal, _UNSURE):
            _set(shop_id, row.id, MergeState.MERGING, MergeState.DROPPED)
        raise
    return finish(shop_id, row.id, until, now=now)


def undo(shop_id: int, merge_id: int, *, grant: str, now: datetime, by: Actor) -> Merge:
    """Part them again: what was the double's, and what was booked as the double since, goes back.

    Again it changes nothing. Raises MergeRefused, when it is too late or there is none, VaultUnavailable.
    """
    with write_in(shop_id):
        row = _locked(merge_id)
        if row.state == MergeState.UNDONE:
            return row
        if row.state not in JOINED or (row.until is not None and now >= row.until):
            raise MergeRefused(reason="over")
        if row.state == MergeState.MERGED:
            Merge.objects.filter(id=merge_id).update(state=MergeState.UNDOING, undone_by=by)
            _follow_up(merge_id, now)
    try:
        card.unmerge(grant, row.double, row.bookings)
    except NorenError as refusal:
        if not isinstance(refusal, _UNSURE):
            _set(shop_id, merge_id, MergeState.UNDOING, MergeState.MERGED)
        raise
    return finish_undo(shop_id, merge_id, now=now)


def follow(shop_id: int, merge_id: int, *, now: datetime) -> None:
    """Do what is left of a merge, or of its undoing, as the vault says. Raises VaultUnavailable."""
    with shop(shop_id):
        row = Merge.objects.filter(id=merge_id).first()
    if row is None or row.state not in (MergeState.MERGING, MergeState.UNDOING):
        return
    told = card.merge_state(shop_id, row.double)
    joined = told.state in (card.MergeState.MERGED, card.MergeState.SETTLED) and told.into == row.kept
    if row.state == MergeState.MERGING and joined:
        finish(shop_id, merge_id, told.until, now=now)
    elif row.state == MergeState.MERGING:
        _set(shop_id, merge_id, MergeState.MERGING, MergeState.DROPPED)
    elif joined:
        _set(shop_id, merge_id, MergeState.UNDOING, MergeState.MERGED)
    else:
        finish_undo(shop_id, merge_id, now=now)


def finish(shop_id: int, merge_id: int, until: datetime | None, *, now: datetime) -> Merge:
    """Bring the double's bookings and places over, once the vault has joined the two."""
    with write_in(shop_id):
        row = _alone(merge_id, of_kept=False)
        if row.state != MergeState.MERGING:
            return row
        _leave_twice(row, now=now)
        # Whatever was booked until here is among them: who books as the double waits for this, or we did.
        row.bookings = list(Booking.objects.filter(person_id=row.double).values_list("id", flat=True))
        row.places = list(Waiting.objects.filter(person_id=row.double).values_list("id", flat=True))
        Booking.objects.filter(id__in=row.bookings).update(person_id=row.kept)
        Waiting.objects.filter(id__in=row.places).update(person_id=row.kept)
        row.state, row.until = MergeState.MERGED, until
        row.save(update_fields=["state", "until", "bookings", "places"])
    return row


def finish_undo(shop_id: int, merge_id: int, *, now: datetime) -> Merge:
    """Give back what was brought over, once the vault has parted them. What was given to somebody else since
    stays with her.
    """
    with write_in(shop_id):
        row = _alone(merge_id, of_kept=True)
        if row.state != MergeState.UNDOING:
            return row
        Booking.objects.filter(id__in=row.bookings, person_id=row.kept).update(person_id=row.double)
        Waiting.objects.filter(id__in=row.places, person_id=row.kept).update(person_id=row.double)
        row.state, row.undone_at = MergeState.UNDONE, now
        row.save(update_fields=["state", "undone_at"])
    return row


def into(shop_id: int, person: UUID) -> list[Merge]:
    """Return the records that went into a person's and have not come back, the newest first."""
    with shop(shop_id):
        return list(Merge.objects.filter(kept=person, state__in=_LIVE).order_by("-begun_at", "-id"))


def brought(shop_id: int, records: Sequence[UUID]) -> list[int]:
    """Return the bookings that were made under these records and are another's since they were joined."""
    with shop(shop_id):
        rows = Merge.objects.filter(double__in=records, state__in=JOINED)
        return [each for row in rows for each in row.bookings]


def _begun(shop_id: int, double: UUID, kept: UUID, *, now: datetime, by: Actor) -> Merge:
    if double == kept:
        raise MergeRefused(reason="same")
    with write_in(shop_id):
        persons.alone(double, kept)
        for row in Merge.objects.filter(state__in=_LIVE, double__in=(double, kept)):
            if (row.double, row.kept) == (double, kept):
                return row
            raise MergeRefused(reason="merged" if row.double == double else "into_merged")
        if Merge.objects.filter(state__in=_LIVE, kept=double).exists():
            raise MergeRefused(reason="has_others")
        row = Merge.objects.create(
            double=double, kept=kept, state=MergeState.MERGING, begun_at=now, begun_by=by
        )
        _follow_up(row.id, now)
    return row


def _alone(merge_id: int, *, of_kept: bool) -> Merge:
    """Lock in the order of whoever writes a person into a row: the rows (the kept one's, or the double's),
    the persons, and last the merge, into which she notes her booking.
    """
    row = _found(Merge.objects.filter(id=merge_id))
    for model in (Booking, Waiting):
        rows = model.objects.filter(person_id=row.kept if of_kept else row.double)
        list(rows.select_for_update(no_key=True).order_by("id"))
    persons.alone(row.double, row.kept)
    return _locked(merge_id)


def _leave_twice(row: Merge, *, now: datetime) -> None:
    """Nobody waits twice for the same: where both do, the kept one's place stays."""
    live = Waiting.objects.filter(state__in=LIVE)
    mine = {(each.service_id, each.day, each.start) for each in live.filter(person_id=row.kept)}
    for each in live.filter(person_id=row.double).order_by("id"):
        if (each.service_id, each.day, each.start) in mine:
            waiting.give_up(each, now=now, by=row.begun_by)


def _set(shop_id: int, merge_id: int, was: MergeState, state: MergeState) -> None:
    with write_in(shop_id):
        Merge.objects.filter(id=merge_id, state=was).update(state=state)


def _locked(merge_id: int) -> Merge:
    return _found(Merge.objects.select_for_update(no_key=True).filter(id=merge_id))


def _found(rows: QuerySet[Merge]) -> Merge:
    found = rows.first()
    if found is None:
        raise MergeRefused(reason="over")
    return found


def _follow_up(merge_id: int, now: datetime) -> None:
    task = app.configure_task("noren.booking.tasks.follow_merge", schedule_at=now + FOLLOWED)
    task.defer(shop_id=current_shop(), merge_id=merge_id)
