"""The operators' first page: what waits, what runs, how the ledger stands. No shop is entered here."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from noren import clock, people
from noren.accounts.access import OperatorRequest, operator_required
from noren.errors import LedgerUnavailable, VaultUnavailable
from noren.people import doors
from noren.shops.models import ShopDirectory
from noren.web import powers, to_do


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    value: str
    more: str = ""


@operator_required
@require_safe
def start(request: OperatorRequest) -> HttpResponse:
    shops = ShopDirectory.objects.count()
    health, note, away = _vault()
    context = {
        "gauges": [*_of_vault(health), _doors(), Gauge(_("Shops"), f"{shops:,}"), _mail()],
        "checkpoint": note,
        "away": away,
        "hints": _hints(shops),
        "waits": to_do.all_of(request.signed_in.grant, clock.now()),
        "way": "start",
    }
    return render(request, "web/operations/start.html", {**context, **powers.frame(request)})


def _vault() -> tuple[people.Health | None, str, str]:
    """The vault's health and newest checkpoint, or why they cannot be had."""
    try:
        return people.health(), people.checkpoint(), ""
    except (VaultUnavailable, LedgerUnavailable) as refusal:
        return None, "", refusal.words()


def _of_vault(health: people.Health | None) -> list[Gauge]:
    if health is None:
        return [Gauge(_("Vault"), _("does not answer"))]
    state = _("writes") if health.ledger else _("cannot be written: %(why)s") % {"why": health.reason}
    behind = health.size - health.indexed
    index = _("The index is complete.") if behind <= 0 else _("%(n)s to be indexed") % {"n": f"{behind:,}"}
    return [
        Gauge(_("Vault"), _("answers"), health.build[:12]),
        Gauge(_("Ledger"), state),
        Gauge(_("Entries"), f"{health.size:,}", index),
        witnesses(health.witnessed),
    ]


def witnesses(told: people.Witnessed) -> Gauge:
    """Say how much of the ledger nobody outside has signed, and since when."""
    if told.forked:
        return Gauge(_("Witnesses"), _("know another history"), ", ".join(told.forked))
    if not told.wanted:
        return Gauge(_("Witnesses"), _("none is set"))
    if not told.entries:
        return Gauge(_("Witnesses"), _("have signed everything"), _not_signing(told))
    words = _("%(n)s entries not signed, the first for %(minutes)s min")
    state = _("are late") if told.late else _("are signing")
    return Gauge(
        _("Witnesses"), state, words % {"n": f"{told.entries:,}", "minutes": f"{told.seconds // 60:,}"}
    )


def _doors() -> Gauge:
    """Say whether somebody else was at the databases, and whether anybody still looks."""
    try:
        told = doors.watched()
    except (VaultUnavailable, LedgerUnavailable):
        return Gauge(_("Other doors"), _("does not answer"))
    if told.open:
        words = _("%(n)s foreign sessions not explained") % {"n": f"{told.open:,}"}
        return Gauge(_("Other doors"), words, "noren doors")
    late = clock.now() - timedelta(minutes=21)
    if len(told.seen) < 2 or min(told.seen.values()) < late:
        return Gauge(_("Other doors"), _("nobody watches"), "noren doctor")
    return Gauge(_("Other doors"), _("nobody but Noren"))


def _not_signing(told: people.Witnessed) -> str:
    silent = [one.name for one in told.witnesses if one.why]
    return _("Not signing: %(names)s") % {"names": ", ".join(silent)} if silent else ""


def _mail() -> Gauge:
    caught = settings.NOREN_MAILBOX
    if caught:
        return Gauge(pgettext("what runs", "Mail"), _("is caught"), caught)
    return Gauge(pgettext("what runs", "Mail"), _("is sent"), settings.ENV.mail_from)


def _hints(shops: int) -> list[str]:
    hints = [
        _("Keep the newest checkpoint outside this machine, for example by mail to the shops' owners."),
        _("noren doctor proves that sheets equal claims, every policy is on, the ledger is whole."),
    ]
    if not shops:
        hints.insert(0, _("Import a first shop: noren shop import FILE. Its members are invited by mail."))
    return hints
