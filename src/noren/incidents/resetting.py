"""Exactly those in a scope have their passwords set anew: the answer is had again, and names them."""

from dataclasses import dataclass, replace
from uuid import UUID

from noren.errors import NothingHere
from noren.incidents import asked, book, bundle, scope
from noren.incidents.asked import Asked
from noren.incidents.containing import Wanted
from noren.people import ExposureState, Scope, incidents


@dataclass(frozen=True, slots=True)
class Those:
    """Who is in the answer to one question of a book. `digest` is the answer's as it was had again."""

    record: int
    asked: Asked
    persons: tuple[UUID, ...]
    digest: str

    @property
    def same(self) -> bool:
        """Whether the answer is the one that the book has the hash of."""
        return self.digest == self.asked.sha256

    def wanted(self, because: str) -> Wanted:
        """What is done to them."""
        told = f"scope {self.record}"
        return Wanted("reset", because, told, whose="persons", persons=self.persons)


def those(grant: str | None, incident: str, record: int, *, reading: str | None) -> Those:
    """Have an answer again, as of when it was given; `reading` is the grant that may ask the ledger.

    Raises NoSuchIncident, and NothingHere where the record is no question.
    """
    lines = book.workspace(incidents.read(grant, incident).records).scopes
    line = next((each for each in lines if each.record.number == record), None)
    read = None if line is None else asked.read(line.said)
    if read is None:
        raise NothingHere
    found = scope.ask(replace(read.question, size=read.size), grant=reading)
    return Those(record, read, persons_of(found), bundle.digest(found))


def persons_of(found: Scope) -> tuple[UUID, ...]:
    """Who is exposed, or possibly, in any datum or in what she signs in with; nobody twice."""
    holders = [one.person for one in found.accounts if one.state is not ExposureState.NOT]
    persons = [*(one.person for one in found.exposed_people), *holders]
    return tuple(dict.fromkeys(one for one in persons if one is not None))
