"""Who plays in a drill: shops with their members and customers, and the platform's two operators."""

from dataclasses import dataclass
from typing import Final

from noren import clock, people
from noren.booking import desk, importing
from noren.booking.actions import HoldRequest
from noren.drill.made_up import MadeUp
from noren.drill.passkey import Passkey
from noren.drill.stage import PASSWORD, Member, Shop, Stage, minute, quietly, session, shop_file
from noren.people import powers, security
from noren.shops import directory
from noren.shops.models import Service, Staff
from noren.shops.tenancy import shop as in_shop

_INVITED: Final = r"/(?:console|operations)/join#(\S+)"
_HOUSE: Final = "192.0.2.10"
# Of those who have a booking each reads another one; the others read what the shop does.
LANGUAGES: Final = ("ja", "en", "ja-easy")


def found(stage: Stage, slug: str, customers: list[MadeUp]) -> Shop:
    """Found a shop: its members joined, its customers there, three of them with a booking today."""
    with quietly():
        if importing.main([str(shop_file(slug, stage.system.top))]):
            raise RuntimeError(f"the shop {slug} could not be made")
    made = Shop(directory.shop_id(slug), slug)
    for name in ("aoi", "mei"):
        mail = f"{name}.{slug}@example.jp"
        made.members[name] = _join(stage, mail, stage.in_mail(mail, _INVITED))
    people.password_set(made.members["mei"].grant, PASSWORD)
    rows = [people.Row(one.key, one.fields) for one in customers]
    brought = people.import_rows(made.number, rows)
    if brought.bad:
        raise RuntimeError(f"made-up people were refused: {brought.bad}")
    made.customers = {brought.persons[one.key]: one for one in customers}
    _book(made)
    return made


def bring(made: Shop, one: MadeUp) -> None:
    """Bring in one more customer."""
    persons = people.import_rows(made.number, [people.Row(one.key, one.fields)]).persons
    made.customers[persons[one.key]] = one


def _book(made: Shop) -> None:
    with in_shop(made.number):
        service = Service.objects.get(key="visit").id
        staff = list(Staff.objects.order_by("id").values_list("id", flat=True))
    for person, one, locale in zip(made.customers, staff, LANGUAGES, strict=False):
        request = HoldRequest(service, minute(), one, 1, f"drill-{one}", person=person, walk_in=True)
        wish = desk.Wish(request, locale, told=False)
        by = f"staff:{made.members['aoi'].handle}"
        desk.book_known(made.number, wish, person, now=clock.now(), by=by)
        made.today.append(person)
        made.languages[person] = locale


def _join(stage: Stage, mail: str, token: str) -> Member:
    passkey, name = Passkey(stage.system.origin), session()
    answer = passkey.create(people.register_begin(token))
    signed = people.register_finish(token, answer, session=name, address=_HOUSE)
    return Member(signed.who.actor.handle, mail, passkey, signed.grant, name)


def sign_in(member: Member) -> None:
    """Sign in anew with the passkey."""
    options, name = people.signin_begin(), session()
    answer = member.passkey.get(options)
    signed = people.signin_finish(options["challenge"], answer, session=name, address=_HOUSE)
    member.grant, member.session = signed.grant, name


# -- the platform's two operators


@dataclass(frozen=True, slots=True)
class Operators:
    """Two, for a notice takes two."""

    first: Member
    second: Member


def operators(stage: Stage) -> Operators:
    """The first by a shell's invitation, the second invited by broken glass; two passkeys each."""
    first = _join(stage, "", people.invite_operator())
    _second_passkey(stage, first)
    mail = "kei@example.jp"
    ask = powers.Ask(what="invite_operator", words="二人目の運用者", about="kei", mail=mail)
    powers.break_glass(first.grant, ask, first.passkey.get(powers.glass_begin(first.grant, ask)))
    second = _join(stage, mail, stage.in_mail(mail, _INVITED))
    _second_passkey(stage, second)
    return Operators(first, second)


def _second_passkey(stage: Stage, member: Member) -> None:
    answer = Passkey(stage.system.origin).create(security.passkey_begin(member.grant))
    security.passkey_finish(member.grant, answer, label="予備")
