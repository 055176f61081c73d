"""Notices as they are kept: drafts, asking, taking over what was agreed to, and what is there to be read.

The vault decides that two operators agreed, and the ledger has the hash, before a text comes here to be read.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from noren.errors import NorenError, NoSuchNotice, NoticeOver
from noren.incidents import notice_jobs
from noren.incidents.models import NoticeDraft, NoticeVersion
from noren.incidents.notice_text import Text, digest
from noren.people import notices as door

# A draft that waits for its own writer's passkey, or for the vault to take the asking.
ALONE: Final = "alone"
NOTHING: Final[Mapping[str, Any]] = {}
# By then a crash between the vault's word and ours is over.
_TAKE_UP: Final = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Update:
    """One update with its versions, the first one first."""

    number: int
    versions: tuple[NoticeVersion, ...]

    @property
    def newest(self) -> NoticeVersion:
        """The one that holds now."""
        return self.versions[-1]


def all_of(rows: Sequence[NoticeVersion]) -> dict[str, list[Update]]:
    """Put versions together: by notice, the newest update first."""
    found: dict[str, dict[int, list[NoticeVersion]]] = defaultdict(lambda: defaultdict(list))
    for row in sorted(rows, key=lambda one: (one.notice, -one.number, one.version)):
        found[row.notice][row.number].append(row)
    return {
        notice: [Update(number, tuple(versions)) for number, versions in updates.items()]
        for notice, updates in found.items()
    }


def published() -> dict[str, list[Update]]:
    """Every notice."""
    return all_of(list(NoticeVersion.objects.all()))


def updates(notice: str) -> list[Update]:
    """Those of one notice, the newest first; empty where there is none."""
    return all_of(list(NoticeVersion.objects.filter(notice=notice))).get(notice, [])


# -- drafts


def begin(notice: str, now: datetime, told: Mapping[str, Any] = NOTHING) -> NoticeDraft:
    """Begin a new notice, with what is `told` of an incident. Raises NoticeOver where the name is taken."""
    if NoticeVersion.objects.filter(notice=notice).exists():
        raise NoticeOver
    return _draft(Text.of(told, notice, 1, 1), now)


def last(notice: str) -> Text:
    """Return what the notice says by now. Raises NoSuchNotice."""
    found = updates(notice)
    if not found:
        raise NoSuchNotice
    return Text.read(found[0].newest.text)


def begin_next(notice: str, now: datetime, told: Mapping[str, Any] = NOTHING) -> NoticeDraft:
    """Begin the next update with what is `told`: title and whom to ask are those of the last one, and the
    state where nothing is told.
    """
    before = last(notice)
    kept = ("title", "contact")
    said = {
        one: {**told.get(one, {}), **{name: before.words(one, name) for name in kept}} for one in before.said
    }
    state = {"state": before.state, "incident": before.incident}
    return _draft(Text.of({**state, **told, **said}, notice, before.number + 1, 1), now)


def begin_correction(notice: str, number: int, now: datetime) -> NoticeDraft:
    """Begin a further version of an update, from its words."""
    found = next((one for one in updates(notice) if one.number == number), None)
    if found is None:
        raise NoSuchNotice
    return _draft(Text.read(found.newest.text).at(number, found.newest.version + 1), now)


def _draft(text: Text, now: datetime) -> NoticeDraft:
    """Make it, or give the one that is there."""
    draft, _ = NoticeDraft.objects.get_or_create(
        notice=text.notice,
        number=text.number,
        version=text.version,
        defaults={"text": text.plain(), "changed_at": now},
    )
    return draft


def draft(draft_id: int) -> NoticeDraft:
    """Give a draft. Raises NoSuchNotice."""
    found = NoticeDraft.objects.filter(id=draft_id).first()
    if found is None:
        raise NoSuchNotice
    return found


def text_of(one: NoticeDraft) -> Text:
    """Its words: while it waits, those that were frozen."""
    return Text.read(one.frozen) if one.frozen else Text.of(one.text, one.notice, one.number, one.version)


def keep(draft_id: int, revision: int, plain: dict[str, Any], now: datetime) -> None:
    """Keep the words. Raises NoticeOver where somebody else has saved it, or it waits for a word."""
    changed = NoticeDraft.objects.filter(id=draft_id, revision=revision, asked="").update(
        text=plain, revision=revision + 1, changed_at=now
    )
    if not changed:
        raise NoticeOver


def discard(draft_id: int) -> None:
    """Throw a draft away that waits for nobody."""
    if not NoticeDraft.objects.filter(id=draft_id, asked="").delete()[0]:
        raise NoticeOver


# -- publishing


def freeze(draft_id: int, now: datetime, asked: str = ALONE) -> door.Text:
    """Hold a draft's canonical text fast, and say its place and hash. Raises NoticeOver where it waits."""
    with transaction.atomic():
        one = _locked(draft_id)
        if one.asked not in ("", ALONE):
            raise NoticeOver
        one.frozen, one.asked, one.changed_at = text_of(one).canonical(), asked, now
        one.save(update_fields=["frozen", "asked", "changed_at"])
    return door.Text(one.notice, one.number, one.version, digest(one.frozen))


def ask(grant: str, draft_id: int, now: datetime) -> str:
    """Freeze a draft and ask another operator; gives the asking. Refused, it can be written again.

    It is locked while the vault is asked: of two who ask at once one is asked for, and what was frozen for
    an asking stays so. Raises NoticeOver for the other.
    """
    place = freeze(draft_id, now)
    try:
        with transaction.atomic():
            one = _locked(draft_id)
            if one.asked != ALONE or digest(one.frozen) != place.hash:
                raise NoticeOver
            one.asked = door.ask(grant, place)
            one.save(update_fields=["asked"])
    except NorenError:
        thaw(draft_id, ALONE)
        raise
    return one.asked


def alone(grant: str, draft_id: int, answer: Mapping[str, Any]) -> door.Said:
    """Publish without a second operator what was frozen. Nobody lets it go meanwhile."""
    with transaction.atomic():
        one = _locked(draft_id)
        if one.asked != ALONE:
            raise NoticeOver
        place = door.Text(one.notice, one.number, one.version, digest(one.frozen))
        said = door.alone(grant, place, answer)
        take_over(said)
    return said


def agree(grant: str, asked: str, answer: Mapping[str, Any]) -> door.Said:
    """Agree to what waits under this asking, and make it public."""
    said = door.agree(grant, asked, answer)
    take_over(said)
    return said


def thaw(draft_id: int, asked: str) -> None:
    """Let a draft be written again: who asked (`asked`) was answered otherwise, or has thought better of it.
    One that waits for another asking by now stays as it is.
    """
    NoticeDraft.objects.filter(id=draft_id, asked=asked).update(asked="", frozen="")


def _locked(draft_id: int) -> NoticeDraft:
    one = NoticeDraft.objects.select_for_update().filter(id=draft_id).first()
    if one is None:
        raise NoSuchNotice
    return one


def waiting(asked: str) -> NoticeDraft:
    """The draft that waits under this asking. Raises NoSuchNotice."""
    found = NoticeDraft.objects.filter(asked=asked).exclude(asked__in=("", ALONE)).first()
    if found is None:
        raise NoSuchNotice
    return found


def take_up_later(notice: str, now: datetime) -> None:
    """Before the passkey is asked for: whatever happens then, what was agreed to will come to be read."""
    notice_jobs.take_up(notice, now + _TAKE_UP)


def take_over(said: door.Said) -> bool:
    """Make public what the ledger says was published; false where no frozen text has that hash (any more).

    Again changes nothing. The jobs that follow are written in the same transaction.
    """
    place = {"notice": said.notice, "number": said.number, "version": said.version}
    if NoticeVersion.objects.filter(**place).exists():
        return True
    one = NoticeDraft.objects.filter(**place).first()
    if one is None or not one.frozen or digest(one.frozen) != said.hash:
        return False
    try:
        with transaction.atomic():
            NoticeVersion.objects.create(
                **place,
                text=one.frozen,
                entry=said.entry,
                published_at=said.at,
                alone=said.alone,
                proof=proof_of(said.entry),
            )
            NoticeDraft.objects.filter(id=one.id).delete()
            notice_jobs.follow(Text.read(one.frozen), said.text)
    except IntegrityError:
        # Somebody else has just taken it over.
        return NoticeVersion.objects.filter(**place).exists()
    return True


def proof_of(entry: int, kept: str = "") -> str:
    """The newest proof of a publication; without the vault the one that was kept, or nothing."""
    try:
        return door.proof(entry)
    except NorenError:
        return kept


def take_up(notice: str) -> int:
    """Take over whatever the ledger says was published of a notice; gives how many texts were not here."""
    return sum(not take_over(said) for said in door.said(notice))


# -- what was promised


def is_late(notice: str, number: int, version: int) -> bool:
    """Whether this version is still the newest word: nothing has come since it promised more."""
    last = NoticeVersion.objects.filter(notice=notice).aggregate(Max("number"))["number__max"]
    newest = (
        NoticeVersion.objects.filter(notice=notice, number=last).order_by("-version").first()
        if last is not None
        else None
    )
    return newest is not None and (newest.number, newest.version) == (number, version)
