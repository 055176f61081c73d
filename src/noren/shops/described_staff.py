"""What a file says of who takes another time for a service, or costs another price when asked for."""

from collections.abc import Mapping, Sequence

from noren.shops.reading import Reader, Values


def by_staff(table: Reader, kinds: Mapping[str, str], columns: Values) -> list[Values]:
    """Read `by_staff = { aoi = { minutes = [75], price = 7700 } }`: the minutes are those of each segment.

    `kinds` are the resources' by key; `columns` the service's.
    """
    own = table.table("by_staff")
    pools = [need for need in columns["requirements"] if need.get("count", 1) == 1]
    found: list[Values] = []
    for key in own.values:
        one = own.table(key)
        if kinds.get(key) != "staff" or not any(key in need["pool"] for need in pools):
            own.wrong(key, "does not serve this as one of several; write a key of staff that needs names")
        entry: Values = {"staff": key}
        if one.has("minutes"):
            entry["minutes"] = _minutes(one, [each["minutes"] for each in columns["segments"]])
        if one.has("price"):
            entry["price"] = one.number("price", most=100_000_000)
        one.done()
        found.append(entry)
    own.done()
    if found and (columns["capacity"] is not None or columns["stay"] is not None):
        table.wrong("by_staff", "stands beside capacity or stay; dates and nights are the same for all")
    return found


def _minutes(one: Reader, usual: Sequence[int]) -> list[int]:
    given = one.values["minutes"]
    whole = isinstance(given, list) and all(type(each) is int and 1 <= each <= 1440 for each in given)
    if not whole or len(given) != len(usual):
        one.wrong("minutes", f"{given!r} cannot be; write the minutes of each segment, like {list(usual)}")
        return list(usual)
    return list(given)
