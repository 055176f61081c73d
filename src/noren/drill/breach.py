"""The origin case, first part: what lay in a business system, and who came in by it."""

import json
from typing import Any, Final

from noren import people
from noren.drill.attacker import Loot, read_database
from noren.drill.case import Origin
from noren.drill.stage import PASSWORD
from noren.runtime import databases, env

_CARDS: Final = 24


def lay(origin: Origin) -> str:
    """In a business system lies a file with a member's password, and the app's database login."""
    login = databases.app(env.read(), "web")
    told = {"shop": origin.shop.slug, "mail": origin.victim.mail, "password": PASSWORD, "database": login}
    (origin.stage.own / "business-system.json").write_text(json.dumps(told), encoding="utf-8")
    return "a member's password and a database's login, in one file"


def lying(origin: Origin) -> dict[str, Any]:
    """What that file says."""
    return dict(json.loads((origin.stage.own / "business-system.json").read_text(encoding="utf-8")))


def enter(origin: Origin) -> str:
    """Whoever was there reads customers in the shop's console."""
    told, thief = lying(origin), origin.thief
    if not thief.sign_in(told["shop"], told["mail"], told["password"]):
        raise RuntimeError("the thief did not come in: the drill has no leak")
    thief.read("/console/")
    found: list[str] = []
    for query in ("example.jp", "ハナコ", "子"):
        found += thief.search(query)
    cards = sum(thief.card(person) for person in list(dict.fromkeys(found))[:_CARDS])
    return f"today's list, 3 searches, {cards} cards opened"


def enter_database(origin: Origin) -> str:
    """The same thief opens the app's database by its login."""
    loot = Loot(origin.stage.own / "database.txt")
    origin.seen = read_database(lying(origin)["database"], loot)
    plain = len(origin.stage.held(loot.text))
    origin.report.say("database", "names, mails, phones in the app's database", plain, 0)
    booked = {str(person) for shop in origin.stage.shops for person in shop.today}
    origin.report.say("database", "opaque ids of who has a booking", len(origin.seen.persons), len(booked))
    return f"{origin.seen.rows} rows, no one's name"


def work_on(origin: Origin) -> str:
    """Meanwhile the shop works as on any day: those looks are nobody's theft."""
    shop = origin.shop
    mine = list(shop.customers)[-10:]
    people.reveal(shop.members["aoi"].grant, people.Purpose.CUSTOMER, mine, ["name", "phone"])
    people.reveal(shop.members["mei"].grant, people.Purpose.TODAY, shop.today, ["name"])
    return f"{len(mine) + len(shop.today)} looks by the shop's own people"
