"""An answer asked for again as of a size, and two of them held against each other, on a real vault."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from noren import clock, people
from noren.incidents import asked, book, bundle, commands, comparing
from noren.incidents.scope import Question, ask, moment
from noren.people import incidents
from noren.shops import directory
from noren_verify import bundle as verify
from tests.accounts.house import Colleague, staffed
from tests.servers import AppDatabase, Sink, VaultProcess

House = tuple[int, dict[str, Colleague], list[UUID]]


@pytest.fixture(scope="module")
def house(module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink) -> House:
    """Two shops; in the first Aoi has seen two of seven customers, and nobody anybody of the second."""
    shop_id = directory.found("salon")
    colleagues = staffed(shop_id, "salon", module_mail)
    persons = [
        people.put(shop_id, f"hold-{number}", {"name": f"客 {number}", "phone": "090-1234-5678"})
        for number in range(7)
    ]
    people.put(directory.found("yoga"), "hold-y", {"name": "客"})
    people.reveal(colleagues["aoi"].grant, people.Purpose.TODAY, persons[:2], ["name"])
    return shop_id, colleagues, persons


def question(size: int | None = None) -> Question:
    return Question(
        moment("1h", now=clock.now()), moment("0s", now=clock.now()), {"actor": ("aoi.salon",)}, size=size
    )


def test_it_names_exactly_the_three_that_came(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    _, colleagues, persons = house
    then = ask(question(), untouched=True)
    people.reveal(colleagues["aoi"].grant, people.Purpose.TODAY, persons[2:5], ["name"])
    people.reveal(colleagues["aoi"].grant, people.Purpose.CUSTOMER, persons[:1], ["phone"])
    again = ask(question(then.head_size), untouched=True)
    assert (again.head_size, again.head_root, again.checkpoint) == (
        then.head_size,
        then.head_root,
        then.checkpoint,
    )
    assert again.persons == then.persons
    assert bundle.digest(again) == bundle.digest(then)
    compared = comparing.compare(again, ask(question()))
    assert {one.person for one in compared.came} == set(persons[2:5])
    assert not compared.went
    assert [(one.person, one.came) for one in compared.changed] == [(persons[0], ("phone",))]
    assert not compared.same
    assert comparing.compare(again, then).same
    words = ["--actor", "aoi.salon", "--since", "1h", "--compare", str(then.head_size)]
    assert commands.scope([*words, "--json"]) == commands.DONE
    told = json.loads(capsys.readouterr().out)["compared"]
    assert (told["then"]["persons"], told["now"]["persons"]) == (2, 5)
    assert {one["person"] for one in told["came"]} == {str(one) for one in persons[2:5]}
    assert commands.scope(words) == commands.DONE
    assert "3 came, 0 went, of 1 it is something else" in capsys.readouterr().out


def test_it_counts_who_is_not_touched(house: House) -> None:
    """Of the first shop two names were seen: five others, and all phones, were not."""
    shop_id, _, persons = house
    found = ask(
        Question(
            moment("1h", now=clock.now()),
            moment("0s", now=clock.now()),
            {"actor": ("aoi.salon",)},
            shop_id=shop_id,
            persons=tuple(map(str, persons[5:])),
        ),
        untouched=True,
    )
    assert found.untouched[shop_id].persons == 2
    assert found.untouched[shop_id].fields == {"name": 2, "phone": 2}
    everywhere = ask(question(), untouched=True)
    assert everywhere.untouched[directory.shop_id("yoga")].fields == {"name": 1}
    assert everywhere.untouched[shop_id].persons == 7 - len(
        [one for one in everywhere.persons if one.person in persons]
    ) + len(colleagues_of(house))


def colleagues_of(house: House) -> list[Colleague]:
    return list(house[1].values())


def test_an_outcome_that_came_later_is_not_in_an_answer_as_of_before(house: House) -> None:
    """Between the entry of a look and its outcome it is possible; afterwards it is exposed."""
    _, colleagues, persons = house
    shown = people.reveal(colleagues["owner"].grant, people.Purpose.TODAY, persons[6:], ["name"])
    since, until = moment("1h", now=clock.now()), moment("0s", now=clock.now())
    asked_of = Question(since, until, {"actor": ("owner.salon",)}, size=shown.entry + 1)
    assert [str(one.state) for one in ask(asked_of).persons] == ["possibly"]
    asked_of = Question(since, until, {"actor": ("owner.salon",)})
    assert [str(one.state) for one in ask(asked_of).persons] == ["exposed"]


def test_a_bundle_as_of_then_holds(house: House, module_vault: VaultProcess, tmp_path: Path) -> None:
    size = people.health().size
    people.put(house[0], "hold-later", {"name": "後の客"})
    asked_of = Question(moment("1h", now=clock.now()), moment("0s", now=clock.now()), size=size)
    found = ask(asked_of)
    bundle.write(tmp_path / "then.zip", asked_of, found, complete=True)
    told = verify.verify(tmp_path / "then.zip", (module_vault.ledger / "vkey").read_text())
    assert any(f"in the ledger of {size} entries" in line for line in told)


def test_the_book_holds_numbers_and_a_hash_and_no_person(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    incident = incidents.open_one(None, book.say(book.Kind.OPENED, title="夜中の閲覧"))
    words = ["--actor", "aoi.salon", "--since", "1h", "--incident", incident]
    assert commands.scope(words) == commands.DONE
    capsys.readouterr()
    work = book.workspace(incidents.read(None, incident).records)
    (line,) = work.scopes
    for person in house[2]:
        assert str(person) not in line.record.words
    record = asked.read(line.said)
    assert record is not None
    again = ask(
        Question(record.question.since, record.question.until, record.question.named, size=record.size)
    )
    assert bundle.digest(again) == record.sha256
    assert record.persons == len(again.persons)
    assert asked.read({"question": {}}) is None


def test_a_size_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str], house: House) -> None:
    words = ["--all", "--since", "1h", "--as-of", "99999999"]
    assert commands.scope(words) == commands.NOT_NOW
    assert "fewer than 99999999 entries" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        commands.scope(["--all", "--since", "1h", "--as-of", "0"])


def test_logs_are_worth_ids(house: House) -> None:
    found = ask(Question(moment("1h", now=clock.now()), moment("0s", now=clock.now()), {"store": ("logs",)}))
    assert not found.persons
    assert [one.form for one in found.stores] == ["ids"]
