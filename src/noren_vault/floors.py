"""The least version each field may have, held by the ledger and not by the database.

A whole older state of the database (row and wrapped key together) opens with its own associated data. It is
refused here: an update's entry names the new versions, and once its outcome says `done`, nothing older
counts; nor does anything of a person whose erasure is done. Fields that were never updated need no floor.
"""

from collections.abc import Mapping

from noren_vault.errors import RecordDamaged

Versions = Mapping[str, int]


def to_ref(versions: Versions) -> str:
    """Write versions as an entry's `ref`: `mail=3/phone=2`."""
    return "/".join(f"{field}={versions[field]}" for field in sorted(versions))


def from_ref(ref: str) -> dict[str, int]:
    """Read them again."""
    pairs = (part.partition("=") for part in ref.split("/") if part)
    return {field: int(version) for field, _, version in pairs}


class Floors:
    """In memory, made anew from the ledger at each start."""

    def __init__(self) -> None:
        """Start with no field ever updated and nobody erased."""
        self._least: dict[tuple[int, str], dict[str, int]] = {}
        self._erased: set[tuple[int, str]] = set()

    def raise_to(self, shop: int, person: str, versions: Versions) -> None:
        """Nothing older than these counts from now on."""
        least = self._least.setdefault((shop, person), {})
        for field, version in versions.items():
            least[field] = max(version, least.get(field, 0))

    def check(self, shop: int, person: str, versions: Versions) -> None:
        """Raise RecordDamaged for an erased person, and for a version that was replaced."""
        least = self._least.get((shop, person))
        replaced = least is not None and any(versions.get(field, 0) < least[field] for field in least)
        if replaced or (shop, person) in self._erased:
            raise RecordDamaged("decryption failed")

    def erased(self) -> set[tuple[int, str]]:
        """Who is erased for good: shop and person."""
        return set(self._erased)

    def erase(self, shop: int, person: str) -> None:
        """Whatever turns up of this person is not true any more."""
        self._least.pop((shop, person), None)
        self._erased.add((shop, person))
