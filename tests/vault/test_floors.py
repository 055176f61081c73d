"""The least versions, written to the ledger and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noren_vault import floors
from noren_vault.errors import RecordDamaged
from noren_vault.fields import FIELDS
from noren_vault.floors import Floors


@given(st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 10**6)))
def test_it_reads_back_what_it_writes_into_a_ref(versions: dict[str, int]) -> None:
    """An entry's ref carries the versions whole, within the length a ref may have."""
    ref = floors.to_ref(versions)
    assert floors.from_ref(ref) == versions
    assert len(ref) <= 160


def test_it_refuses_what_is_older_than_an_update() -> None:
    """Once version 3 is done, 2 and a missing field are refused, 3 and later are not."""
    least = Floors()
    least.raise_to(1, "p", {"mail": 3})
    least.check(1, "p", {"mail": 3, "name": 1})
    least.check(1, "p", {"mail": 4})
    for versions in ({"mail": 2}, {"name": 1}):
        with pytest.raises(RecordDamaged):
            least.check(1, "p", versions)


def test_it_never_lowers_a_floor() -> None:
    """An older update told later changes nothing."""
    least = Floors()
    least.raise_to(1, "p", {"mail": 3})
    least.raise_to(1, "p", {"mail": 2})
    with pytest.raises(RecordDamaged):
        least.check(1, "p", {"mail": 2})


def test_it_refuses_the_erased() -> None:
    """Whatever turns up of an erased person is refused, in that shop only."""
    least = Floors()
    least.erase(1, "p")
    least.check(2, "p", {"mail": 1})
    with pytest.raises(RecordDamaged):
        least.check(1, "p", {"mail": 9})
