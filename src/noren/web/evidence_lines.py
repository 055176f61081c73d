"""Which lines of a file somebody asks to see, by words and time: for its own page and for the timeline."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from noren.accounts.access import OperatorRequest
from noren.incidents import book, evidence
from noren.incidents.evidence import Found, Line
from noren.people import signs
from noren.people.signs import File

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A file with the lines that were asked for; `refused`: what could not be read of the asking."""

    file: File
    found: Found
    refused: str


def asked(request: OperatorRequest, incident: str, file: str) -> Asked:
    """Open the file, on record, and find the lines. Raises NoSuchIncident, NoSuchFile."""
    told, content = signs.open_evidence(request.signed_in.grant, incident, file)
    refused, since, until = "", None, None
    try:
        since, until = _moment(request.GET, "since"), _moment(request.GET, "until")
    except ValueError:
        refused = _("Please give moments as a day and a time.")
    words = request.GET.get("words", "").strip()[:_LONGEST]
    found = evidence.find(content, skew=told.skew, taken=told.at, words=words, since=since, until=until)
    return Asked(told, found, refused)


def clock_words(line: Line) -> str:
    """When it happened by our clock, to the second."""
    return "" if line.at is None else f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _moment(given: QueryDict, name: str) -> datetime | None:
    """An instant of the form, in UTC."""
    text = given.get(name, "").strip()
    if not text:
        return None
    at = datetime.fromisoformat(text)
    told = book.instant((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).isoformat())
    if told is None:
        raise ValueError("no such day")
    return told
