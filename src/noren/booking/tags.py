"""A shop's tags: a short list of words, about nobody. Who has which one is the vault's to know."""

from noren.booking.models import Tag
from noren.errors import BadField, NothingHere
from noren.shops.models import Shop
from noren.shops.questions import hides
from noren.shops.tenancy import shop, write_in

MOST = 30
LONGEST = 20


def words(shop_id: int) -> dict[int, str]:
    """Return the tags by their numbers, in the shop's order."""
    with shop(shop_id):
        return dict(Tag.objects.order_by("position", "id").values_list("id", "word"))


def put(shop_id: int, word: str, *, tag: int | None = None) -> int:
    """Add a tag, or say another word for one; gives its number. Raises BadField, NothingHere."""
    word = " ".join(word.split())
    with write_in(shop_id):
        # One at a time: of two who add at once the second sees what the first has added.
        Shop.objects.select_for_update(no_key=True).first()
        rows = list(Tag.objects.order_by("position", "id"))
        _check(word, [row.word for row in rows if row.id != tag], full=tag is None and len(rows) >= MOST)
        if tag is None:
            position = rows[-1].position + 1 if rows else 0
            return Tag.objects.create(word=word, position=position).id
        if not Tag.objects.filter(id=tag).update(word=word):
            raise NothingHere
        return tag


def drop(shop_id: int, tag: int) -> None:
    """Take a tag from the list; again does nothing. Whoever had it is not shown to have it any more."""
    with write_in(shop_id):
        Tag.objects.filter(id=tag).delete()


def _check(word: str, others: list[str], *, full: bool) -> None:
    why = "full" if full else ""
    if word.casefold() in {other.casefold() for other in others}:
        why = "double"
    if not word or len(word) > LONGEST or hides(word):
        why = "empty" if not word else "too_long" if len(word) > LONGEST else "control"
    if why:
        raise BadField(field="word", reason=why)
