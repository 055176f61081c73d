"""Public holidays (祝日), substitute days included, from published rules."""

from collections.abc import Mapping
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


@lru_cache(maxsize=64)
def holiday_names(region: str, language: str, year: int) -> Mapping[date, str]:
    """Return a year's public holidays with their names: in this language where they are published in it."""
    if not region:
        return {}
    import holidays  # noqa: PLC0415 - as above

    country, _, part = region.partition("-")
    spoken = holidays.country_holidays(country, subdiv=part or None, years=year, language=language)
    return dict(spoken)


def regions() -> list[str]:
    """Return the countries whose public holidays are published, by their codes."""
    import holidays  # noqa: PLC0415 - as above

    return sorted(holidays.list_supported_countries(include_aliases=False))
