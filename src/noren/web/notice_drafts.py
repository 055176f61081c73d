"""A notice drafted from an incident: each section says what its book and the newest scope show, and no more.

What a person must judge stays empty: how it came about, and whatever the record does not show. So does what
others could be harmed by: the book's own words are its members', and are not copied.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from noren.incidents import duties, reports
from noren.incidents.asked import Asked
from noren.incidents.book import Kind, Workspace, instant
from noren.incidents.notice_text import LANGUAGES, STATES
from noren.web import lookups, wording
from noren.web.exposed import ADVICE
from noren.web.notice_words import ZONE, local

# Of the accounts a scope says how many, and not what of them: advice is given as for their passwords.
_OF_ACCOUNTS: Final = frozenset({"account_password", "account_mail_index"})
_DONE: Final[Mapping[str, str | Promise]] = {
    "end_grants": gettext_lazy("We ended sign-ins."),
    "freeze": gettext_lazy("We stopped lists of customers from being taken out."),
    "block": gettext_lazy("We blocked sign-ins from where we did not trust them."),
    "revoke": gettext_lazy("We revoked passkeys, passwords or keys by which somebody could sign in."),
    "reset": gettext_lazy("We had passwords set anew."),
    "hold": gettext_lazy("We keep from being deleted what is needed to look into it."),
}


def told(work: Workspace, incident: str) -> dict[str, Any]:
    """Return a draft's plain form, in both languages."""
    found = reports.newest(work)
    scope = found[1] if found else None
    told: dict[str, Any] = {
        "state": work.state if work.state in STATES else STATES[-1],
        "incident": incident,
        "most": 0,
        "confidence": "unknown",
    }
    if scope is not None and not scope.unbounded:
        sure = not scope.left_off and all(one.exposed == one.persons for one in scope.shops)
        # Whoever has an account and is a customer, too, is counted twice: it says at most.
        most = scope.persons + scope.accounts
        told |= {"most": most, "confidence": "confirmed" if sure else "estimated"}
    for language in LANGUAGES:
        with translation.override(language):
            told[language] = {
                "title": _("Important notice about personal data"),
                "happened": _happened(work),
                "when": "\n".join(_when(work, scope)),
                "whose": "\n".join(_whose(scope)) if scope else "",
                "unaffected": "\n".join(_unaffected(scope)) if scope else "",
                "done": "\n".join(_done(work)),
                "advice": "\n".join(_advice(scope)) if scope else "",
                "unknown": "\n".join(_unknown(work, scope)),
                "authorities": "\n".join(_authorities(work)),
                "contact": _("Inquiry desk: %(link)s") % {"link": f"{settings.NOREN_ORIGIN}/inquiry"},
            }
    return told


def _happened(work: Workspace) -> str:
    if work.known is None:
        return ""
    words = _("On %(day)s we learned that somebody without a right to it may have seen personal data.")
    return words % {"day": wording.full_day(work.known.known.astimezone(ZONE))}


def _when(work: Workspace, scope: Asked | None) -> Iterator[str]:
    if work.known:
        yield _("We learned of it: %(at)s.") % {"at": local(work.known.known)}
    contained = [
        line.when for line in work.lines if line.kind == Kind.STATE and line.said.get("state") == "contained"
    ]
    if contained:
        yield _("It was contained: %(at)s.") % {"at": local(contained[-1])}
    if scope:
        span = {"since": local(scope.question.since), "until": local(scope.question.until)}
        yield _("What was looked into: from %(since)s to %(until)s.") % span


def _whose(scope: Asked) -> Iterator[str]:
    """Which fields, of how many each; the number of all stands in the heading."""
    if scope.unbounded:
        words = _("It cannot be bounded: everyone whose data were kept, from %(at)s on.")
        yield words % {"at": local(scope.question.since)}
    fields = lookups.field_words()
    for name, count in scope.fields.items():
        people = ngettext("%(n)d person", "%(n)d people", count) % {"n": count}
        field = fields.get(name, name)
        yield field if scope.left_off else f"{field}: {people}"
    if scope.accounts:
        n = scope.accounts
        yield ngettext("what %(n)d account signs in with", "what %(n)d accounts sign in with", n) % {"n": n}


def _unaffected(scope: Asked) -> Iterator[str]:
    """What was not touched by what was looked into, and how that is known: only where the record can say."""
    persons = sum(one.untouched for one in scope.shops if one.shop_id != reports.NO_SHOP)
    if scope.unbounded or scope.left_off or scope.question.shop_id is not None or not persons:
        return
    entry = {"entry": scope.size - 1, "n": persons}
    words = ngettext(
        "By the record, complete up to entry %(entry)d, "
        "what was looked into did not touch %(n)d other person.",
        "By the record, complete up to entry %(entry)d, "
        "what was looked into did not touch %(n)d other people.",
        persons,
    )
    yield words % entry
    yield _("Ledger: %(n)d entries, root %(root)s") % {"n": scope.size, "root": scope.root}


def _done(work: Workspace) -> Iterator[str]:
    """Each kind of deed once, by when it was first done, and that people were told."""
    done = [each.line for each in work.deeds if each.state == "done"]
    first = {str(line.said.get("deed")): line.when for line in reversed(done)}
    for deed, at in sorted(first.items(), key=lambda pair: pair[1]):
        if deed in _DONE:
            yield f"{local(at)}: {_DONE[deed]}"
    mailed = next((line for line in work.lines if line.kind == Kind.TELLING), None)
    if mailed:
        words = _("%(at)s: We began to tell those concerned by mail, without a link.")
        yield words % {"at": local(mailed.when)}
        yield _("Whoever has the code of that mail sees which data it is about at %(page)s.") % {
            "page": f"{settings.NOREN_ORIGIN}/exposed"
        }


def _advice(scope: Asked) -> Iterator[str]:
    there = {*scope.fields, *(_OF_ACCOUNTS if scope.accounts else ())}
    return (str(words) for about, words in ADVICE if about & there)


def _unknown(work: Workspace, scope: Asked | None) -> Iterator[str]:
    if scope is None:
        yield _("Whose data it is about is being looked into.")
    elif scope.unbounded:
        yield _("Whose data were in fact read leaves no record, and cannot be found out from it.")
    else:
        maybe = sum(one.persons - one.exposed for one in scope.shops)
        words = ngettext(
            "Of %(n)d person it is not known whether the data were seen; the person is counted as if.",
            "Of %(n)d people it is not known whether the data were seen; they are counted as if.",
            maybe,
        )
        if maybe:
            yield words % {"n": maybe}
    if not any(each.state == "supported" for each in work.hypotheses):
        yield _("How it came about is being looked into.")


def _authorities(work: Workspace) -> Iterator[str]:
    """What the platform itself has filed."""
    for line in work.filed:
        key, at = str(line.said.get("form")), instant(line.said.get("at"))
        if line.said.get("shop", reports.NO_SHOP) == reports.NO_SHOP and key in duties.FORMS and at:
            authority = wording.of(duties.law(key, at).authority)
            yield _("Reported to %(authority)s: %(at)s.") % {"authority": authority, "at": local(at)}
