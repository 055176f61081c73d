"""The job that keeps a person: tried until the vault has done it."""

from uuid import UUID

import pytest
from procrastinate.jobs import Job

from noren import errors, people
from noren.people import tasks
from tests.servers import VaultProcess


def _job(attempts: int) -> Job:
    return Job(
        id=1,
        queue="people",
        lock=None,
        queueing_lock=None,
        task_name=tasks.keep.name,
        attempts=attempts,
    )


def test_it_keeps_a_person(vault: VaultProcess) -> None:
    """The job keeps the person, and run again does nothing."""
    person = people.put(1, "hold", {"name": "花子"})
    tasks.keep(1, str(person))
    tasks.keep(1, str(person))


@pytest.mark.parametrize("fault", [errors.VaultUnavailable(), errors.LedgerUnavailable()])
@pytest.mark.parametrize("attempts", [0, 5, 5000])
def test_it_is_tried_again_for_as_long_as_the_vault_is_away(fault: Exception, attempts: int) -> None:
    """However often it failed, it is tried again within seconds: the booking is confirmed."""
    decision = tasks.RETRY.get_retry_decision(exception=fault, job=_job(attempts))
    assert decision is not None
    assert decision.retry_at is not None


def test_it_is_not_tried_again_for_nobody(vault: VaultProcess) -> None:
    """A person that is not there is a failure to look into, not to repeat."""
    with pytest.raises(errors.NoSuchPerson) as fault:
        tasks.keep(1, str(UUID(int=1)))
    assert tasks.RETRY.get_retry_decision(exception=fault.value, job=_job(0)) is None


def test_it_has_the_name_by_which_others_defer_it() -> None:
    """Booking enqueues it by name."""
    assert tasks.keep.name == "noren.people.tasks.keep"
