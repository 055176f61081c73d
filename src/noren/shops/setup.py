"""From an owner's answers, a step at a time, to the plain values of a shop's file.

So there is one way into the tables, and what may stand in a shop's rows is checked in one place (described).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from noren.shops import described, described_public, importing, kinds
from noren.shops.models import Service, Setup, Shop
from noren.shops.reading import WEEKDAYS, Values

STEPS: Final = ("kind", "about", "hours", "team", "services", "words")
"""Each is answered once at least; the look at the page and the opening come after them."""
OF_THE_KIND: Final = ("hours", "team", "services", "words")
"""What begins anew with another kind."""


def answers() -> Values:
    """Return what has been answered, inside the shop."""
    row = Setup.objects.first()
    return {} if row is None else dict(row.answers)


def keep(step: str, answer: Any) -> Values:
    """Keep an answer, inside the shop; give all of them. Another kind begins anew what hangs on it."""
    row = Setup.objects.select_for_update().first() or Setup.objects.create()
    kept = dict(row.answers)
    if step == "kind" and kept.get("kind") not in (None, answer):
        kept = {key: value for key, value in kept.items() if key not in OF_THE_KIND}
    kept[step] = answer
    Setup.objects.filter(id=row.id).update(answers=kept)
    return kept


def begun(step: str, kind: str) -> Any:
    """Return what a step is filled with for a shop of this kind before anything is answered."""
    file = kinds.of(kind)
    match step:
        case "hours":
            return {**{day: file["hours"][day] for day in WEEKDAYS}, "rule": file["holidays"]["rule"]}
        case "team":
            return {"staff": [], "places": file["kind"]["place"]["usual"]}
        case "services":
            return [_begun(each) for each in file["services"]]
        case "words":
            return {"policy": dict(file["policy"]), "privacy": {}, "legal": {}}
    return {}


def _begun(service: Values) -> Values:
    timetable = service.get("timetable", ())
    return {
        "key": service["key"],
        "name": dict(service["name"]),
        "minutes": kinds.minutes(service),
        "price": service["price"],
        "people": service.get("capacity") or service.get("party", {}).get("max"),
        "days": [each["weekday"] for each in timetable],
        "start": timetable[0]["start"] if timetable else "",
    }


def is_whole(given: Mapping[str, Any]) -> bool:
    """Whether every step has its answer."""
    return all(step in given for step in STEPS)


def write(slug: str, given: Mapping[str, Any], *, now: datetime) -> bool:
    """Write the shop's rows from its answers, inside the shop; say whether anything differed."""
    row = Shop.objects.get()
    values = compose(slug, given) | {"zone": row.zone, "locale": row.locale}
    return importing.apply(described.of(values, whole=False), now=now)


def compose(slug: str, given: Mapping[str, Any]) -> Values:
    """Put the answers together as a shop's file has them."""
    kind, about, words = given["kind"], given["about"], given["words"]
    begun = kinds.of(kind)
    staff, places = given["team"].get("staff", ()), int(given["team"]["places"])
    place = begun["kind"]["place"]
    keys = {
        "staff": [f"staff-{number}" for number in range(1, len(staff) + 1)],
        place["kind"]: [f"{place['kind']}-{number}" for number in range(1, places + 1)],
    }
    named = {key: about[key] for key in ("name", "about", "address", "access") if about.get(key)}
    return {
        "slug": slug,
        **named,
        **{key: words[key] for key in ("policy", "privacy") if words.get(key)},
        "contact": {key: about.get(key, "") for key in ("phone", "mail", "postcode")},
        "legal": words["legal"],
        "hours": {day: given["hours"][day] for day in WEEKDAYS},
        "holidays": {**begun["holidays"], "rule": given["hours"]["rule"]},
        "booking": begun.get("booking", {}),
        "staff": [{"key": key, "name": name} for key, name in zip(keys["staff"], staff, strict=True)],
        "resources": [
            {"key": key, "kind": place["kind"], "name": _numbered(place, number)}
            for number, key in enumerate(keys[place["kind"]], 1)
        ],
        "services": [_service(kind, each, keys) for each in given["services"]],
    }


def _numbered(place: Values, number: int) -> dict[str, str]:
    return {language: place[language].format(n=number) for language in ("ja", "en")}


def _service(kind: str, given: Values, keys: Mapping[str, Sequence[str]]) -> Values:
    """Write one service as a file has it: as its kind has it, with what was answered."""
    begun = kinds.service(kind, given["key"])
    made: Values = {
        **begun,
        "key": given["key"],
        "name": given["name"],
        "price": given["price"],
        "needs": {role: list(keys[role]) for role in begun["needs"]},
    }
    if "stay" not in begun and given["minutes"] != kinds.minutes(begun):
        *others, last = begun["segments"]
        rest = given["minutes"] - sum(int(each["minutes"]) for each in others)
        made["segments"] = [*others, {**last, "minutes": rest}]
        # Its words may tell of the minutes that it had.
        made.pop("about", None)
    if "capacity" in begun:
        made["capacity"] = given["people"]
        made["timetable"] = [{"weekday": day, "start": given["start"]} for day in given["days"]]
    if "party" in begun and given.get("people"):
        most = given["people"] if "stay" in begun else min(begun["party"]["max"], given["people"])
        made["party"] = {**begun["party"], "max": most}
    return made


def lacking(row: Shop) -> list[str]:
    """Return what is needed before the shop may open, by key; inside the shop."""
    kept = Setup.objects.first()
    mail = row.contact.get("mail", "")
    found = [] if kept is not None and mail and kept.mail_proved == mail else ["mail"]
    found += [] if row.texts.get("policy") else ["policy"]
    offered = Service.objects.filter(bookable=True)
    found += [] if offered.exists() else ["services"]
    if offered.filter(price__gt=0).exists():
        found += described_public.lacking(row.texts, row.legal, row.contact)
    return found
