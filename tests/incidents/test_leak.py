"""The leak benchmark's short form: some days, every attacker once. `make bench-leak` is the year."""

from uuid import UUID

import pytest

from bench import leak
from tests.servers import Server, Sink


def test_it_names_exactly_whom_the_attackers_hold(
    vault_server: Server, mail: Sink, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody is missed; nobody is named too many, but for answers that a kill has lost."""
    folder = tmp_path_factory.mktemp("leak")
    verdicts = leak.run(vault_server, mail, folder, seed=11, days=2, shops=2)
    assert len(verdicts) == len(leak.ATTACKS) + 1
    for verdict in verdicts:
        assert verdict.held, verdict.name
        assert not verdict.missed, verdict.name
        assert not verdict.unexplained, verdict.name
    assert all(verdict.named == verdict.held for verdict in verdicts if not verdict.lost)
    assert [bool(verdict.lost) for verdict in verdicts] == [False] * len(leak.ATTACKS) + [True]


def test_it_sees_a_person_that_was_missed_and_one_too_many() -> None:
    """The control: a verdict that is wrong says so."""
    one, other = ((1, UUID(int=number), "name") for number in (1, 2))
    missed = leak.Verdict("a", "session", {one, other}, {one}, set(), 1.0)
    assert missed.missed == {other}
    assert leak.Verdict("a", "session", {one}, {one, other}, set(), 1.0).unexplained == {other}
    assert not leak.Verdict("a", "session", {one}, {one, other}, {other}, 1.0).unexplained
    assert "50.0%" in missed.line()
