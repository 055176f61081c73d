"""What each public page weighs, compressed and with all it needs, against 60 kB; how often it asks; how long
it takes the server with few bookings and with many.

Weight: what a browser that comes for the first time takes over the wire. Queries: of one view with everything
remembered that a process remembers, what opens and ends a transaction left out. Server: a view in this
process, in turn for an empty shop and for one with 600 bookings in the same weeks.
"""

# First, since it sets Django up.
from tests.environment import GIVEN, PATHS  # isort: split

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from bench import measure
from noren import clock
from noren.booking import actions, day, importing
from noren.shops import described, directory
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop as in_shop
from noren.web import live
from tests.browser.system import HEAVIEST, at_any_hour, chromium, running, visit, weigh
from tests.servers import app_database, embedded, serve_app

# The example salon's; the first service is a cut.
PAGES = {
    "home": "/",
    "shop": "/salon/",
    "legal": "/salon/legal",
    "privacy": "/salon/privacy",
    "times": "/salon/book/1/",
    "embed": "/salon/embed/",
    "embed_times": "/salon/embed/book/1/",
    "account": "/salon/account",
    "my_data": "/salon/my-data",
}
BOOKINGS = 600
FRAME = re.compile(r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET) ?", re.IGNORECASE)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nb-") as folder:
        shop = at_any_hour(Path(folder))
        heaviest = max(_weights(shop))
        _queries(shop)
    if heaviest >= HEAVIEST:
        raise SystemExit(f"A page weighs {heaviest:.0f} bytes; {HEAVIEST} are allowed.")


def _weights(shop: Path) -> Iterator[float]:
    with running(shop) as system, chromium() as browser:
        for name, path in PAGES.items():
            with visit(browser) as context:
                yield _weight(name, weigh(context.new_page(), system.origin + path))
        with visit(browser) as first:
            page = first.new_page()
            page.goto(f"{system.origin}{PAGES['times']}")
            page.locator("button[name=at]:visible").first.click()
            page.wait_for_url("**/you?**")
            form = page.url
        with visit(browser) as context:
            yield _weight("who", weigh(context.new_page(), form))


def _weight(name: str, found: float) -> float:
    measure.figure(f"weight_{name}", found, "B", limit=str(HEAVIEST))
    return found


def _queries(shop: Path) -> None:
    keys = {"SECRET_KEY": "s" * 50, "LINK_KEY": b"l" * 32, "IDEMPOTENCY_KEY": b"i" * 32}
    with (
        embedded(PATHS, vault=False),
        serve_app(GIVEN) as server,
        app_database(server),
        override_settings(ALLOWED_HOSTS=["testserver"], **keys),
    ):
        importing.write(described.read(shop.read_text(encoding="utf-8")))
        client = Client(headers={"Accept-Language": "ja"})
        for name, path in PAGES.items():
            _asked(client, name, path)
        times = client.get(PAGES["times"]).content.decode()
        [at] = re.findall(r'name="at" value="(\d+)"', times)[:1]
        answer = client.post(PAGES["times"], {"at": at})
        _asked(client, "who", answer.headers["Location"])
        _times(client, shop)
        _pulse(client)


def _times(client: Client, shop: Path) -> None:
    """The same shop twice, once with bookings: what a page takes must not follow from how many there are."""
    text = shop.read_text(encoding="utf-8")
    importing.write(
        described.read(text.replace('slug = "salon"', 'slug = "busy"').replace('.salon"', '.busy"'))
    )
    busy = directory.shop_id("busy")
    with in_shop(busy):
        cut = Service.objects.get(key="cut").id
        staff = list(Staff.objects.order_by("id").values_list("id", flat=True))
    now = clock.now()
    first = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    for number in range(BOOKINGS):
        at = first + timedelta(hours=number // len(staff))
        wish = actions.HoldRequest(cut, at, staff[number % len(staff)], 1, until=now + timedelta(days=9))
        actions.hold(busy, wish, now=now)
    for name in ("shop", "times", "embed_times", "legal"):
        few = PAGES[name]
        many = few.replace("/salon/", "/busy/").replace("/book/1/", f"/book/{cut}/")
        cases = {"few": partial(_took, client, few), "many": partial(_took, client, many)}
        found = measure.interleaved(cases, 25)
        measure.figure(f"server_{name}", found["many"], "ms", ratio=found["many"] / found["few"])


def _pulse(client: Client) -> None:
    """What 200 screens that are open at the desk ask, one every two seconds each, against a millisecond."""
    asks = live.context(directory.shop_id("busy"))
    address, mark = asks["pulse"], f'"{asks["mark"]}"'

    def once() -> float:
        begun = time.perf_counter()
        if client.get(address, headers={"If-None-Match": mark}).status_code != 304:
            raise SystemExit("Nothing has changed, and it says so.")
        return (time.perf_counter() - begun) * 1000

    read: dict[str, Callable[[], float]] = {
        "read": partial(_read_mark, directory.shop_id("busy")),
        "whole": once,
    }
    found = measure.interleaved(read, 200)
    measure.figure("server_pulse", found["whole"], "ms", ratio=found["whole"] / found["read"])
    measure.figure("pulse_read", found["read"], "ms", limit="1")
    measure.figure("pulse_200_screens", found["whole"] * 100 / 1000, "cores")


def _read_mark(shop_id: int) -> float:
    begun = time.perf_counter()
    day.mark(shop_id)
    return (time.perf_counter() - begun) * 1000


def _took(client: Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return (time.perf_counter() - begun) * 1000


def _asked(client: Client, name: str, path: str) -> None:
    """Count what a page asks the second time."""
    client.get(path)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    asked = [each["sql"] for each in caught if not FRAME.match(each["sql"])]
    measure.figure(f"queries_{name}", len(asked), "statements")


if __name__ == "__main__":
    main()
