"""What is owed to shops and authorities: the law's clock, each shop's pack, each principal's reports."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from noren import clock
from noren.drill import reading
from noren.drill.case import NOTICE, Origin
from noren.drill.house import House
from noren.drill.play import verified, vkey
from noren.drill.report import Report, Triple, persons
from noren.drill.stage import Shop, Stage
from noren.incidents.duties import LAWS, TOLD
from noren.shops.holidays import public_holidays

_JAPAN: Final = ZoneInfo("Asia/Tokyo")
_APPI, _GDPR = LAWS
_RECEIPT: Final = "訓練-2026-0042"
# Of each shop: the number of the report whose terms are counted by hand here.
_PLATFORM: Final = 0


def count_terms(origin: Origin) -> str:
    """It is written down since when the house knows; the platform's own terms follow from it."""
    origin.known = know(origin.house, origin.whose)
    report = report_of(origin.house, _APPI, _PLATFORM)
    # The thief saw no account's data: of the platform's own persons it was nobody.
    origin.report.say("duties", "the platform's own persons", report["persons"], 0)
    owed = [one["key"] for one in report["steps"] if one["by"]]
    origin.report.say("duties", "what the platform owes for them", " ".join(owed), "")
    told = report_of(origin.house, TOLD, origin.shop.number)
    first = origin.known.astimezone(_JAPAN).date()
    by = reading.step(told, "notice").get("by")
    origin.report.say("duties", "the shop is to be told by", by, first + timedelta(4))
    return f"known since {origin.known:%Y-%m-%d %H:%M} UTC"


def know(house: House, number: int | None) -> datetime:
    """Write down that it is known now, of an unlawful act; gives the instant."""
    now = clock.now()
    many = {} if number is None else {"persons": str(number)}
    house.write("known", at=now.isoformat(), zone="UTC", kinds="unlawful", **many)
    return now


def report_of(house: House, form: str, principal: int) -> dict[str, Any]:
    """A report as a program reads it."""
    return dict(json.loads(house.first.open(f"{house.place}/reports/{form}/{principal}/json")))


# -- shops


def tell_shops(origin: Origin) -> str:
    """Which shops' customers it was; each one's pack; that the shop was told, from when on its terms run."""
    house, report = origin.house, origin.report
    page = house.first.open(f"{house.place}/shops")
    named = sorted({int(one) for one in re.findall(rf"{house.place}/shops/(\d+)", page)})
    truth = sorted({one[0] for one in origin.held})
    report.say("shops", "shops whose customers it was", named, truth)
    for shop in origin.stage.shops:
        hold_pack(house, (origin.stage, report), shop, origin.held_of(shop))
    now = clock.now()
    place = f"{house.place}/shops/{origin.shop.number}"
    given = {"at": now.isoformat(), "zone": "UTC", "how": "電話、店主", "receipt": "折り返しで確認"}
    house.first.press(place, deed="told", **given)
    hold_dates(report, report_of(house, _APPI, origin.shop.number), now, "the shop")
    ends = reading.step(report_of(house, _GDPR, origin.shop.number), "notification").get("by") or ""
    truth_ends = (now + timedelta(hours=72)).astimezone(UTC).isoformat()
    report.say("duties", "the shop's 72 hours end", ends[:16], truth_ends[:16])
    return f"{len(named)} shop told"


def hold_pack(house: House, told: tuple[Stage, Report], shop: Shop, held: frozenset[Triple]) -> None:
    """A shop's pack against the thief's list of its customers: people, words, proof."""
    stage, report = told
    place = f"{house.place}/shops/{shop.number}"
    files = reading.files_in(house.first.took(place, deed="pack"))
    people = reading.triples_of(reading.rows_of(files["people.csv"]), shop.number)
    report.compare("shops", f"pack of {shop.slug}", people, held)
    readme = files["en/readme.txt"].decode()
    number = reading.number_in(readme) or "0"
    report.say("shops", f"pack of {shop.slug}, in words: persons", number, len(persons(held)))
    fields = reading.in_order(reading.counts_in(readme))
    report.say("shops", f"pack of {shop.slug}: fields", fields, reading.in_order(reading.counted(held)))
    every = [one.fields[name] for one in shop.customers.values() for name in ("name", "mail")]
    plain = sum(value.encode() in content for value in every for content in files.values())
    report.say("shops", f"pack of {shop.slug}: names and mails in it", plain, 0)
    path = stage.own / f"{shop.slug}-proof.zip"
    path.write_bytes(files["bundle.zip"])
    code, _ = verified("bundle", path, "--vkey", vkey(stage))
    report.say("shops", f"noren-verify on {shop.slug}'s proof ends with", code, 0)


# -- reports


def hold_dates(report: Report, told: dict[str, Any], known: datetime, whose: str) -> None:
    """The days of Japan's law, counted by hand: the day of knowing is the first."""
    first = known.astimezone(_JAPAN).date()
    preliminary, final = reading.step(told, "preliminary"), reading.step(told, "final")
    report.say("duties", f"{whose}'s preliminary report by", preliminary.get("by"), first + timedelta(4))
    last = reading.open_day(first + timedelta(59), _is_holiday)
    report.say("duties", f"{whose}'s final report by", final.get("by"), last)


def _is_holiday(day: date) -> bool:
    return day in public_holidays("JP")


def file_first(origin: Origin) -> str:
    """The preliminary report of the shop, and the figures of everybody's."""
    hold_report(origin)
    file(origin.house, origin.report, origin.shop.number, "preliminary")
    return f"receipt {_RECEIPT}"


def file_last(origin: Origin) -> str:
    """After the last update: the figures once more, and the final report, with its receipt."""
    hold_report(origin)
    report = report_of(origin.house, _APPI, origin.shop.number)
    links = reading.item(report, "published").count(f"/news/{NOTICE}/")
    origin.report.say("reports", "updates that the final report names", links, 2)
    told = reading.item(report, "told")
    origin.report.say("reports", "it says that the shop was told", origin.shop.slug in told, True)
    file(origin.house, origin.report, origin.shop.number, "final")
    page = origin.house.first.open(f"{origin.house.place}/reports/{_APPI}/{origin.shop.number}")
    origin.report.say("reports", "the receipt stands on its page", _RECEIPT in page, True)
    return f"receipt {_RECEIPT}; {papers(origin.house, origin.stage, origin.shop)}"


def hold_report(origin: Origin) -> None:
    """Persons and fields of each principal's report against the truth."""
    for shop in origin.stage.shops:
        held = origin.held_of(shop)
        for form in (_APPI, _GDPR, TOLD):
            # Before a shop is told its terms do not run, and its own reports count no leak.
            counts = form == TOLD or shop is origin.shop
            hold_figures(origin.house, origin.report, (form, shop), held, counts=counts)


def hold_figures(
    house: House, report: Report, what: tuple[str, Shop], held: frozenset[Triple], *, counts: bool
) -> None:
    """One report of one shop: its persons, in figures and in words, and of how many persons each field is."""
    form, shop = what
    told = report_of(house, form, shop.number)
    said = (told["persons"], reading.number_in(whole_of(told)) or "0")
    number = len(persons(held))
    truth = (number if counts else None, str(number))
    report.say("reports", f"{form}, {shop.slug}: persons", said, truth)
    hold_fields(report, ("reports", f"{form}, {shop.slug}"), told, held)


def hold_fields(report: Report, what: tuple[str, str], told: dict[str, Any], held: frozenset[Triple]) -> None:
    """Of how many persons a report says that each field is. `what`: the step, and which report."""
    fields = reading.in_order(reading.counts_in(whole_of(told)))
    report.say(what[0], f"{what[1]}: fields", fields, reading.in_order(reading.counted(held)))


def whole_of(told: dict[str, Any]) -> str:
    """All that a report says of whose data and which."""
    return "\n".join(reading.item(told, key) for key in ("number", "nature", "fields"))


def file(house: House, report: Report, principal: int, step: str) -> None:
    """File one step: what was filed is known by its hash, and its receipt stands in the book."""
    place = f"{house.place}/reports/{_APPI}/{principal}"
    before = reading.digest(report_of(house, _APPI, principal))
    now = clock.now().isoformat()
    house.first.press(place, deed="filed", step=step, at=now, zone="UTC", receipt=_RECEIPT, how="電子申請")
    filed = reading.step(report_of(house, _APPI, principal), step).get("filed") or [{}]
    report.say("reports", f"{step}, filed: its receipt", filed[-1].get("receipt"), _RECEIPT)
    report.say("reports", f"{step}, filed: its items' hash", filed[-1].get("sha256"), before)


def papers(house: House, stage: Stage, shop: Shop) -> str:
    """Every report for a program, and on paper what a law asks of this shop, into a folder outside."""
    folder = stage.own / "reports"
    folder.mkdir(exist_ok=True)
    page = house.first.open(f"{house.place}/reports")
    found = sorted(set(re.findall(rf"{house.place}/reports/([a-z-]+)/(\d+)", page)))
    for form, principal in found:
        paper = form in (*LAWS, TOLD) and int(principal) == shop.number
        for kind in ("json", "pdf") if paper else ("json",):
            house.first.open(f"{house.place}/reports/{form}/{principal}/{kind}")
            (folder / f"{form}-{principal}.{kind}").write_bytes(house.first.browser.content)
    return f"{len(found)} reports kept"
