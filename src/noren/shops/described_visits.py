"""What a file says of services that are had in one visit: additions (options), and what is kept apart."""

from collections.abc import Mapping
from typing import Any

from noren.shops.reading import Reader, Values


def columns(table: Reader) -> Values:
    """Read `alone = false` of what is an addition only, `together = false` of what is kept apart."""
    return {
        "alone": table.flag("alone", standard=True),
        "together": table.flag("together", standard=True),
    }


def check(file: Reader, services: Mapping[str, tuple[Values, tuple[str, ...]]]) -> None:
    """Tell of additions that can be none. `services`: by key the columns and the keys of the additions."""
    listed = {each for _, additions in services.values() for each in additions}
    for key, (own, additions) in services.items():
        if not own["alone"] and key not in listed:
            file.wrong("services", f"{key!r} is not booked alone, and no service names it in additions")
        if not own["alone"] and _by_itself(own):
            file.wrong("services", f"{key!r} is a class or a stay, and so no addition: drop alone = false")
        if additions and (key in additions or _by_itself(own)):
            file.wrong("services", f"{key!r} can have no such additions: classes, stays and itself have none")
        for each in additions:
            if each in services and _by_itself(services[each][0]):
                file.wrong("services", f"{each!r} is a class or a stay, and no addition to {key!r}")


def _by_itself(own: Mapping[str, Any]) -> bool:
    return own["capacity"] is not None or own["stay"] is not None
