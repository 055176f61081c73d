"""What is known of a report's items, in words: from the book, its newest scope, and what was published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from noren.incidents import notices, reports
from noren.incidents.asked import Asked, InShop
from noren.incidents.book import Line, Workspace
from noren.incidents.notice_text import Text
from noren.incidents.reports import NO_SHOP
from noren.shops.models import ShopDirectory
from noren.web import lookups, scope_words, wording
from noren.web.notice_words import both

ENCRYPTION: Final = "encryption"


@dataclass(frozen=True, slots=True)
class Published:
    """An update of a notice about the incident: its words in the language that is asked for."""

    at: datetime
    link: str
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """All that an item can be filled from, for one principal."""

    work: Workspace
    shop_id: int
    scope: Asked | None
    published: tuple[Published, ...]
    slugs: Mapping[int, str]

    @property
    def there(self) -> InShop | None:
        """What the scope says of the principal."""
        return self.scope.of_shop(self.shop_id) if self.scope else None

    def section(self, name: str) -> str:
        """What was published last of it."""
        return next((one.said[name] for one in reversed(self.published) if one.said.get(name)), "")


def known(work: Workspace, incident: str, shop_id: int, language: str) -> Known:
    """Collect it."""
    found = reports.newest(work)
    return Known(
        work,
        shop_id,
        found[1] if found else None,
        _published(incident, language),
        dict(ShopDirectory.objects.values_list("id", "slug")),
    )


def fill(known: Known, name: str) -> str:
    """Say what is known of an item in the active language; empty: nothing is."""
    return _FILLS[name](known) if name in _FILLS else ""


def keyside(scope: Asked | None) -> str:
    """Say what the record shows of the keys' side, for who decides what encryption is worth here."""
    if scope is None or scope.intact is None:
        return ""
    counts = scope_words.keyside(scope.keyside)
    left = _("A copy of the keys' files by whoever had the machine would leave no entry.")
    return f"{verdict(scope)} ({counts}) {left}"


def verdict(scope: Asked) -> str:
    """Say whether the keys are in somebody else's hand, as far as is known."""
    if scope.keys_taken:
        return _("The keys lay in what was taken.")
    if scope.intact:
        return _("Nothing on record speaks against the keys' side.")
    return _("The record speaks against the keys' side: a foreign session or a restore.")


def decided(work: Workspace) -> Line | None:
    """Return the newest decision on what encryption is worth here."""
    return next((line for line in reversed(work.decisions) if line.said.get("about") == ENCRYPTION), None)


def _published(incident: str, language: str) -> tuple[Published, ...]:
    found = []
    for notice, updates in notices.published().items():
        for update in updates:
            text = Text.read(update.newest.text)
            if text.incident == incident:
                link = f"{settings.NOREN_ORIGIN}/news/{notice}/{update.number}"
                found.append(Published(update.newest.published_at, link, text.said.get(language, {})))
    return tuple(sorted(found, key=lambda one: one.at))


def _outline(known: Known) -> str:
    facts = [f"{both(line.when)} {line.text}" for line in known.work.lines if line.kind == "fact"]
    return "\n".join([known.work.title, *filter(None, [known.section("happened")]), *facts])


def _fields(known: Known) -> str:
    words, lines = lookups.field_words(), []
    for name, count in (known.there.fields if known.there else {}).items():
        people = ngettext("%(n)d person", "%(n)d people", count) % {"n": count}
        lines.append(f"{words.get(name, name)}: {people}")
    if known.shop_id == NO_SHOP and known.scope and known.scope.accounts:
        n = known.scope.accounts
        lines.append(
            ngettext("what %(n)d account signs in with", "what %(n)d accounts sign in with", n) % {"n": n}
        )
    return "\n".join(lines)


def _number(known: Known) -> str:
    persons, scope = reports.persons_of(known.work, known.shop_id), known.scope
    if scope is None:
        return "" if persons is None else str(persons)
    if persons is None:
        return _("Cannot be bounded: everyone, from %(at)s on.") % {"at": both(scope.question.since)}
    lines = [ngettext("%(n)d person", "%(n)d people", persons) % {"n": persons}]
    there = known.there
    if there and there.persons:
        sure = {"exposed": there.exposed, "possibly": there.persons - there.exposed}
        lines += [_("%(exposed)d certainly, %(possibly)d possibly") % sure]
    if there and there.untouched:
        lines += [_("not touched, by the same record: %(n)d") % {"n": there.untouched}]
    lines += [
        _("Complete up to entry %(n)d of the ledger, whose root is %(root)s.")
        % {"n": scope.size - 1, "root": scope.root}
    ]
    return "\n".join(lines)


def _cause(known: Known) -> str:
    held = [each.line.text for each in known.work.hypotheses if each.state == "supported"]
    return known.section("cause") or "\n".join(held)


def _told(known: Known) -> str:
    lines = []
    for line in known.work.told:
        shop = line.said.get("shop")
        if known.shop_id in (NO_SHOP, shop) and isinstance(shop, int):
            place = {
                "shop": known.slugs.get(shop, str(shop)),
                "at": wording.utc_of(line.said["at"]),
                "how": line.said["how"],
            }
            lines.append(_("The shop %(shop)s was told on %(at)s: %(how)s") % place)
    return "\n".join(lines)


def _made_public(known: Known) -> str:
    return "\n".join(f"{both(one.at)} {one.link}" for one in known.published)


def _measures(known: Known) -> str:
    lines = [f"{line.text} ({line.said.get('because', '')})" for line in known.work.decisions]
    return "\n".join(filter(None, [known.section("done"), *lines]))


def _when(known: Known) -> str:
    lines = []
    if known.work.known:
        lines.append(_("Known since %(at)s") % {"at": both(known.work.known.known)})
    if known.scope:
        question = known.scope.question
        span = {"since": both(question.since), "until": both(question.until)}
        lines.append(_("Asked about: from %(since)s to %(until)s") % span)
    return "\n".join(lines)


def _indicators(known: Known) -> str:
    return "\n".join(scope_words.named(known.scope.question)) if known.scope else ""


def _evidence(known: Known) -> str:
    return "\n".join(
        f"{line.said.get('name')} SHA-256 {line.said.get('sha256')}" for line in known.work.evidence
    )


def _card(known: Known) -> str:
    if known.there is None:
        return ""
    count = known.there.fields.get("card_last4", 0)
    return _("Last four digits of %(n)d; no whole card number is stored in this system.") % {"n": count}


def _keyside(known: Known) -> str:
    line = decided(known.work)
    said = f"{line.text} ({line.said.get('because', '')})" if line else ""
    return "\n".join(filter(None, [keyside(known.scope), said]))


_FILLS: Final[Mapping[str, Callable[[Known], str]]] = {
    "outline": _outline,
    "nature": lambda known: "\n".join(filter(None, [_outline(known), _fields(known), _number(known)])),
    "fields": _fields,
    "number": _number,
    "cause": _cause,
    "told": _told,
    "published": _made_public,
    "measures": _measures,
    "when": _when,
    "indicators": _indicators,
    "evidence": _evidence,
    "card": _card,
    "contact": lambda known: known.section("contact"),
    "keyside": _keyside,
}


def unknown() -> str:
    """What an item says of which nothing is known."""
    return pgettext("report", "Not known yet.")
