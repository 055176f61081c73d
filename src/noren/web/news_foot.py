"""Whether a notice is open: then each page leads to it. The database is asked every 20 seconds at most."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, connection

from noren.incidents.models import NoticeVersion
from noren.web.notice_pages import read

_AGAIN: Final = timedelta(seconds=20)


@dataclass(slots=True)
class _Known:
    """What was found, and when."""

    found: bool = False
    at: datetime | None = None


_known = _Known()


def is_open(now: datetime) -> bool:
    """Whether any notice's newest update is not "resolved". Without a database: what was known."""
    if _known.at is not None and timedelta(0) <= now - _known.at < _AGAIN:
        return _known.found
    # A page of an error may stand in a transaction that can ask nothing any more.
    if connection.in_atomic_block:
        return _known.found
    try:
        rows = NoticeVersion.objects.order_by("notice", "-number", "-version").distinct("notice")
        _known.found = any(read(row).state != "resolved" for row in rows)
    except DatabaseError:
        return _known.found
    _known.at = now
    return _known.found


def forget() -> None:
    """Know nothing: the next page asks."""
    _known.found, _known.at = False, None
