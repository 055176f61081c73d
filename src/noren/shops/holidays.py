"""Public holidays (祝日), substitute days included, from published rules."""

from datetime import date
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 2000, 2060


@lru_cache(maxsize=64)
def public_holidays(region: str) -> frozenset[date]:
    """Return the public holidays of a country ("JP") or a part of it ("DE-BY"); none for an empty region.

    Raises NotImplementedError for a region nobody has published.
    """
    if not region:
        return frozenset()
    import holidays  # noqa: PLC0415 - it takes most of a second, and shops without a region never need it

    country, _, part = region.partition("-")
    years = range(FIRST_YEAR, LAST_YEAR)
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=years))
