"""The public's notices: the list, a notice with its updates, one update for good, its text, its proof, feeds.

Nobody signs in here, nothing is counted, and no third party is asked.
"""

from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from noren import clock
from noren.accounts.rules import public
from noren.errors import VaultUnavailable
from noren.incidents import notice_feed, notices
from noren.incidents.models import NoticeVersion
from noren.people import published
from noren.web import notice_pages
from noren.web.notice_pages import ONLINE, Links

NOTICE = "(?P<notice>[a-z0-9][a-z0-9-]{2,39})"
UPDATE, VERSION = "(?P<nth>[1-9][0-9]{0,3})", "(?P<version>[1-9][0-9]{0,3})"
_BASE = "web/news/base.html"


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "web/news/list.html", listed())


def listed(links: Links = ONLINE, base: str = _BASE) -> dict[str, Any]:
    """What the list shows: the open ones, then the archive by year."""
    found = notices.published()
    lines = notice_pages.lines(found, links)
    checked = notice_pages.checked([one for updates in found.values() for one in updates], clock.now())
    archive = [line for line in lines if not line.open]
    gone = sorted({place[0] for place in checked.missing if place[0] not in found})
    return {
        "base": base,
        "links": links,
        "open": [line for line in lines if line.open],
        "years": [(year, list(some)) for year, some in groupby(archive, key=lambda one: one.year)],
        "gone": gone,
        "feed": links.feed(""),
        "check": links.check(),
        "missing": bool(checked.missing),
        "form": base == _BASE,
    }


@public
@require_safe
def notice(request: HttpRequest, notice: str) -> HttpResponse:
    told = told_of(notice)
    return render(request, "web/news/notice.html", told, status=200 if told["updates"] else 410)


def told_of(notice: str, links: Links = ONLINE, base: str = _BASE) -> dict[str, Any]:
    """What a notice's page shows. Raises Http404 where the ledger knows of none either."""
    found, now = notices.updates(notice), clock.now()
    checked = notice_pages.checked(found, now, notice)
    if not found and not checked.missing:
        raise Http404
    shown = [notice_pages.shown(one, checked, now, links) for one in found]
    return {
        **_around(notice, links, base),
        "updates": shown,
        "form": base == _BASE,
        "newest": shown[0] if shown else None,
        "older": shown[1:],
        "missing": checked.missing,
        "share": notice_pages.address(ONLINE.notice(notice)),
    }


@public
@require_safe
def update(request: HttpRequest, notice: str, nth: str) -> HttpResponse:
    return render(request, "web/news/update.html", told_of_one(notice, int(nth)))


def told_of_one(notice: str, number: int, links: Links = ONLINE, base: str = _BASE) -> dict[str, Any]:
    """What an update's own page shows."""
    found, now = notices.updates(notice), clock.now()
    checked = notice_pages.checked(found, now, notice)
    one = next((each for each in found if each.number == number), None)
    if one is None:
        raise Http404
    return {
        **_around(notice, links, base),
        "update": notice_pages.shown(one, checked, now, links),
        "is_newest": one.number == found[0].number,
        "share": notice_pages.address(ONLINE.update(notice, number)),
    }


def _around(notice: str, links: Links, base: str) -> dict[str, Any]:
    return {
        "base": base,
        "links": links,
        "notice": notice,
        "home": links.home(),
        "up": links.notice(notice),
        "feed": links.feed(notice),
        "check": links.check(),
    }


@public
@require_safe
def text(_request: HttpRequest, notice: str, nth: str, version: str) -> HttpResponse:
    """Serve the canonical text, as a file to keep."""
    row = _row(notice, nth, version)
    response = HttpResponse(row.text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(row)}.json"'
    response["Access-Control-Allow-Origin"] = "*"
    return response


@public
@require_safe
def proof(_request: HttpRequest, notice: str, nth: str, version: str) -> HttpResponse:
    """Serve the proof that belongs to it, the newest or the one that was kept. Raises VaultUnavailable."""
    row = _row(notice, nth, version)
    found = notices.proof_of(row.entry, row.proof)
    if not found:
        raise VaultUnavailable
    response = HttpResponse(found, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(row)}.tlog-proof"'
    response["Access-Control-Allow-Origin"] = "*"
    return response


def file_name(row: NoticeVersion) -> str:
    """How its two files are called: they belong together by their name."""
    return f"{row.notice}-{row.number}.{row.version}"


def _row(notice: str, nth: str, version: str) -> NoticeVersion:
    row = NoticeVersion.objects.filter(notice=notice, number=nth, version=version).first()
    if row is None:
        raise Http404
    return row


@public
@require_safe
def how(request: HttpRequest) -> HttpResponse:
    """Say how a proof is checked."""
    return render(request, "web/news/check.html", told_how())


def told_how(links: Links = ONLINE, base: str = _BASE) -> dict[str, Any]:
    """What the page on checking says."""
    shown = published.checkpoint()
    return {
        "base": base,
        "links": links,
        "home": links.home(),
        "feed": links.feed(""),
        "vkey": "" if shown is None else shown.vkey,
    }


@public
@require_safe
def feed(_request: HttpRequest, notice: str = "") -> HttpResponse:
    """Serve the Atom feed of all notices, or of one: every version is an entry."""
    rows = NoticeVersion.objects.filter(notice=notice) if notice else NoticeVersion.objects.all()
    found = list(rows.order_by("-published_at", "-id")[:100])
    if notice and not found:
        raise Http404
    body = notice_feed.atom(found, notice, notice_pages.reading()[0])
    return HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
