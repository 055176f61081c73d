"""The one clock. Only the outermost edge (a view, a command, a task) asks it; all else is given `now`."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)
