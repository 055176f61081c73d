"""The day sheets that were made: their numbers, days and makers. What stood on them is nowhere."""

from dataclasses import dataclass
from datetime import date, datetime

from noren.booking import day_sheets
from noren.booking.models import DaySheet
from noren.web import names, shopfront

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Issued:
    """One that was made, as a list shows it."""

    sheet: DaySheet
    at: datetime
    until: datetime
    by: str
    phones: bool
    over: bool


def issued(face: shopfront.Face, *, now: datetime, day: date | None = None) -> list[Issued]:
    """Return the sheets made last, of one day or of all."""
    return [shown(row, face, now) for row in day_sheets.newest(face.id, SHOWN, day=day)]


def newest_of(face: shopfront.Face, day: date, told: names.Names, now: datetime) -> Issued | None:
    """Return the sheet to look for, where a page could not tell the names of the day."""
    row = day_sheets.latest(face.id, day, now=now) if told.away else None
    return None if row is None else shown(row, face, now)


def shown(row: DaySheet, face: shopfront.Face, now: datetime) -> Issued:
    """Give it the shop's own time."""
    return Issued(
        sheet=row,
        at=row.issued_at.astimezone(face.zone),
        until=row.until.astimezone(face.zone),
        by=row.by.removeprefix("staff:"),
        phones="phone" in row.fields,
        over=row.until <= now,
    )
