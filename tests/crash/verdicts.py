"""What must hold after the kills. Each verdict gives what speaks against it; nothing, where all is well.

They are written against the tables and the clients' own memory; none asks the referee or the engine.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from itertools import groupby, pairwise

from tests.crash.clients import Load, Told
from tests.crash.facts import Claim, Facts, Message, booking_of

Faults = list[str]
DELIVERED = ("sent", "unknown")
"""States in which a mail is done with. Unknown: a kill fell between the mail server's answer and our
record, so that the mail may have gone or not; it is not sent again by itself.
"""
SERVED = ("cut", "colour")
"""Services of somebody who serves one at a time."""
TAKES = {"cut": (2, 120), "colour": (2, 180), "ride": (1, 90), "court": (1, 60), "match": (2, 240)}
"""How many resources a booking of each service claims, and for how many minutes altogether: a colour 105 of a
chair and 75 of who serves. (A class claims its teacher once, by its session.)
"""


def no_double_booking(facts: Facts) -> Faults:
    """No two claims overlap on one resource, buffers kept; no more units or seats than there are."""
    faults = [f"{booked} of {capacity} seats" for capacity, booked in facts.seats if booked > capacity]
    for resource, group in groupby(facts.claims, lambda claim: claim.resource):
        claims = list(group)
        faults += _too_many_units(resource, claims) if claims[0].stock > 1 else _overlaps(claims)
    return faults + _told_double(facts)


def _overlaps(claims: list[Claim]) -> Faults:
    faults = []
    for index, one in enumerate(claims):
        for other in claims[index + 1 :]:
            if other.padded[0] >= one.padded[1]:
                break
            if (one.booking, one.session) == (other.booking, other.session):
                continue
            if _meet(one.core, other.padded) or _meet(one.padded, other.core):
                faults.append(f"claims {one.id} and {other.id} overlap on resource {one.resource}")
    return faults


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _too_many_units(resource: int, claims: list[Claim]) -> Faults:
    taken: Counter[int] = Counter()
    for claim in claims:
        for minute in range(*claim.core):
            taken[minute] += claim.units
    over = [minute for minute, units in taken.items() if units > claims[0].stock]
    return [f"resource {resource}: more than its stock in {len(over)} minutes"] if over else []


def _told_double(facts: Facts) -> Faults:
    """Nobody who serves was promised to two at once. No service fits into the setting time of another."""
    staff: dict[int | None, list[Told]] = defaultdict(list)
    for told in facts.told:
        booking = facts.bookings.get(booking_of(told.token))
        if told.status == "confirmed" and booking is not None and booking.service in SERVED:
            staff[told.staff].append(told)
    return [
        f"staff {who} was promised to {_promise(one)} and to {_promise(other)}"
        for who, those in staff.items()
        for one, other in pairwise(sorted(those, key=lambda told: told.start))
        if other.start < one.end
    ]


def _promise(told: Told) -> str:
    return f"{told.key} ({told.wish['service']}, {told.start:%m-%d %H:%M}-{told.end:%H:%M})"


def claims_as_booked(facts: Facts) -> Faults:
    """Who takes time claims exactly what was booked, on as many resources as it needs; nobody else."""
    claims = defaultdict(list)
    for claim in facts.claims:
        claims[claim.booking].append(claim)
    claims.pop(0, None)  # those of sessions
    wanted = {b.id: b for b in facts.bookings.values() if b.takes and b.session is None}
    faults = [f"booking {number} has claims and takes no time" for number in claims.keys() - wanted.keys()]
    for number, booking in wanted.items():
        own = claims.get(number, [])
        cores = [claim.core for claim in own if claim.core[0] < claim.core[1]]
        edges = (min((c[0] for c in cores), default=0), max((c[1] for c in cores), default=0))
        takes = (len({claim.resource for claim in own}), sum(until - since for since, until in cores))
        booked = tuple(int(edge.timestamp()) // 60 for edge in (booking.start, booking.end))
        units = booking.party if booking.service == "ride" else 1
        if (edges, takes) != (booked, TAKES[booking.service]) or any(claim.units != units for claim in own):
            faults.append(
                f"booking {number} ({booking.service}) claims {takes} in {edges}, booked was {booked}"
            )
    return faults


def nothing_acknowledged_is_lost(facts: Facts) -> Faults:
    """Every booking that was answered with 201 is there, with the status that was last acknowledged."""
    faults = []
    for told in facts.told:
        found = facts.bookings.get(booking_of(told.token))
        as_told = (told.status, told.start, told.end, told.staff, told.wish["party"])
        if found is None:
            faults.append(f"{told.key} was acknowledged and is not there")
        elif (found.status, found.start, found.end, found.staff, found.party) != as_told:
            faults.append(f"{told.key} was told {as_told}, and booking {found.id} is {found.status}")
    return faults


def nothing_untold(facts: Facts) -> Faults:
    """Nobody has a booking she was not told of, and no key has two."""
    times = Counter(booking_of(told.token) for told in facts.told)
    twice = [f"booking {number} was told {n} times" for number, n in times.items() if n > 1]
    untold = [number for number in sorted(facts.confirmed) if number not in times]
    return twice + [f"booking {number} stands and nobody was told" for number in untold]


def every_booking_has_its_mail(facts: Facts) -> Faults:
    """A confirmed booking has one `booked` mail: done with, or a job that will do it; and its reminder waits.

    A cancelled one has its `cancelled` mail in the same way. Its `booked` mail may be missing: a job that
    comes after the cancelling has nothing true to say, even where an earlier try of it has failed. Any other
    failed mail, and any failed job, is a fault.
    """
    done = Counter((m.booking, m.kind) for m in facts.messages if m.state in DELIVERED)
    waiting = Counter((j.booking, j.kind) for j in facts.jobs if _mails(j.task) and j.status == "todo")
    left = [job for job in facts.jobs if job.status not in ("todo", "cancelled")]
    faults = [f"job {job.id} {job.task} is {job.status}" for job in left]
    faults += [f"mail {m.key} is {m.state}" for m in facts.messages if not _is_over(m, facts)]
    for number in sorted(facts.confirmed & facts.bookings.keys()):
        booking = facts.bookings[number]
        kinds = ("cancelled",) if booking.status == "cancelled" else ("booked", "reminder")
        for kind in kinds:
            if (found := done[number, kind] + waiting[number, kind]) != 1:
                faults.append(f"booking {number} {booking.status} has {found} mails or jobs of kind {kind}")
    return faults


def _is_over(message: Message, facts: Facts) -> bool:
    booking = facts.bookings.get(message.booking)
    past = message.kind == "booked" and booking is not None and booking.status == "cancelled"
    return message.state in DELIVERED or (message.state == "failed" and past)


def every_mail_has_its_booking(facts: Facts) -> Faults:
    """Each mail, and each job that would send one, is of a booking that stands or stood; none came twice."""
    faults = []
    for job in facts.jobs:
        booking = facts.bookings.get(job.booking or 0)
        if _mails(job.task) and job.status == "todo":
            if booking is None or booking.id not in facts.confirmed:
                faults.append(f"job {job.id} would tell of booking {job.booking}, which is none")
            elif job.kind == "reminder" and (booking.status, booking.reminder) != ("confirmed", job.id):
                faults.append(f"job {job.id} would remind of booking {booking.id}, {booking.status}")
    faults += [
        f"mail {message.key} is of booking {message.booking}, which is none"
        for message in facts.messages
        if message.booking not in facts.confirmed
        or (message.kind == "cancelled") > (facts.bookings[message.booking].status == "cancelled")
    ]
    return faults + list(_mailbox(facts))


def _mailbox(facts: Facts) -> Iterator[str]:
    """Hold what the mail server got against what is on record as sent."""
    came: Counter[str] = Counter(
        str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in facts.mails
    )
    to = {booking_of(told.token): told.mail for told in facts.told}
    addressed = {(str(mail["To"]), mark_of(mail)) for mail in facts.mails}
    marks = {mark(message): message for message in facts.messages}
    for one, number in came.items():
        if one not in marks:
            yield f"a mail came that is nowhere on record: {one}"
        elif number > 1:
            yield f"mail {marks[one].key} came {number} times"
    for one, message in marks.items():
        if message.state == "sent" and not came[one]:
            yield f"mail {message.key} is on record as sent and did not come"
        if came[one] and (to.get(message.booking), one) not in addressed:
            yield f"mail {message.key} went to somebody else"


def mark_of(mail: EmailMessage) -> str:
    """Return what makes a mail's Message-ID its own."""
    return str(mail["Message-ID"]).strip("<>").partition("@")[0]


def mark(message: Message) -> str:
    """Return the same for a mail on record, made as the vault makes it."""
    shop = message.key.partition(":")[0]
    return hashlib.sha256(f"{shop}\0{message.key}".encode()).hexdigest()[:32]


def _mails(task: str) -> bool:
    return task == "noren.messages.tasks.send"


def every_customer_is_kept(facts: Facts) -> Faults:
    """The vault keeps who has, or had, a booking; and nobody else."""
    with_booking = {facts.bookings[n].person: n for n in facts.confirmed if n in facts.bookings}
    lost = [n for person, n in with_booking.items() if person not in facts.kept]
    return [f"the customer of booking {number} is not kept" for number in lost] + [
        f"{person} is kept and has no booking" for person in facts.kept - with_booking.keys()
    ]


def no_deadlock(facts: Facts) -> Faults:
    """PostgreSQL tells of no deadlock, and of nothing broken."""
    signs = ("deadlock detected", "PANIC", "invalid page", "could not read block")
    return [
        f"{name}: {line}"
        for name, log in facts.logs.items()
        for line in log.splitlines()
        if _any(signs, line)
    ]


def _any(signs: tuple[str, ...], line: str) -> bool:
    return any(sign in line for sign in signs)


VERDICTS: tuple[Callable[[Facts], Faults], ...] = (
    no_double_booking,
    claims_as_booked,
    nothing_acknowledged_is_lost,
    nothing_untold,
    every_booking_has_its_mail,
    every_mail_has_its_booking,
    every_customer_is_kept,
    no_deadlock,
)


def answers(load: Load) -> Faults:
    """No answer was wrong; one of 500 and above, or none, came only while that was down which explains it.

    Down is from a kill until what was killed runs and answers, and the grace after it (trouble.py).
    """
    excused = load.trouble.excuses
    unexcused = [lost for lost in load.lost if not excused(lost.status, lost.sent, lost.answered)]
    told = Counter(f"{lost.status} {lost.what} without a reason" for lost in unexcused)
    where = [
        f"{lost.what} took {lost.answered - lost.sent:.1f} s, {load.trouble.nearest(lost.sent)}"
        for lost in unexcused[:3]
    ]
    return load.wrong + [f"{words} ({number})" for words, number in told.items()] + where
