"""The answer in one file, and the outsider who checks it: what it proves, and that nothing else passes."""

import json
import random
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from noren import people
from noren.incidents import commands
from noren.incidents.bundle import nodes_beside
from noren.people import Purpose
from noren.shops import directory
from noren_vault.ledger.merkle import CompactRange, leaf_hash, perfect_root
from noren_verify import NotWhole
from noren_verify.__main__ import main
from noren_verify.bundle import root_of, verify
from tests.accounts.house import Colleague, staffed
from tests.servers import AppDatabase, Sink, VaultProcess

Made = tuple[Path, str]


@pytest.fixture(scope="module")
def house(
    module_app_db: AppDatabase, module_vault: VaultProcess, module_mail: Sink
) -> tuple[dict[str, Colleague], list[UUID]]:
    """A shop whose Aoi looks at some of its customers, many times, by lists and by search."""
    shop_id = directory.found("salon")
    colleagues = staffed(shop_id, "salon", module_mail)
    persons = [people.put(shop_id, f"hold-{number}", {"name": f"客 {number}"}) for number in range(12)]
    chance = random.Random(3)
    for _ in range(15):
        some = chance.sample(persons, chance.randrange(1, 5))
        people.reveal(colleagues["aoi"].grant, Purpose.TODAY, some, ["name"])
        people.reveal(colleagues["owner"].grant, Purpose.CUSTOMER, some[:1], ["name", "mail"])
    return colleagues, persons


@pytest.fixture
def bundle(house: object, module_vault: VaultProcess, tmp_path: Path) -> Callable[..., Made]:
    """Write a bundle by the command; gives the file and the ledger's public key."""

    def write(*words: str, since: str = "1h") -> Made:
        path = tmp_path / "answer.zip"
        assert commands.scope([*words, "--since", since, "--bundle", str(path)]) == commands.DONE
        return path, (module_vault.ledger / "vkey").read_text()

    return write


def changed(path: Path, name: str, change: Callable[[str], str]) -> Path:
    """A copy of the bundle with one part changed."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for part in old.namelist():
            text = old.read(part).decode()
            new.writestr(part, change(text) if part == name else text)
    return other


ASKED = [
    ("--actor", "aoi.salon"),
    ("--actor", "aoi.salon", "--actor", "app", "--complete"),
    ("--all", "--complete"),
    ("--store", "host"),
    ("--store", "vault", "--actor", "aoi.salon", "--complete"),
    ("--session", "joining", "--shop", "salon"),
]


@pytest.mark.parametrize("words", ASKED, ids="".join)
def test_it_works_the_answer_out_anew(bundle: Callable[..., Made], words: tuple[str, ...]) -> None:
    """From the entries alone the outsider comes to the very answer, and says whether they are all."""
    lines = verify(*bundle(*words))
    assert lines[2].startswith("proved: the answer follows from them: ")
    whole = any(line.startswith("proved: these are all") for line in lines)
    assert whole or "--complete" not in words
    assert any("when a store was taken" in line for line in lines) == ("--store" in words)


def test_it_proves_that_a_part_of_the_time_is_all(house: object, bundle: Callable[..., Made]) -> None:
    """With a neighbour on each side of the time nothing of it can be missing; without, it says so."""
    mark = datetime.now(UTC) + timedelta(milliseconds=5)
    while datetime.now(UTC) < mark:
        pass
    people.put(1, "later", {"name": "後"})
    until = mark.isoformat()
    assert any(
        "proved: these are all" in line for line in verify(*bundle("--all", "--until", until, "--complete"))
    )
    path, vkey = bundle("--actor", "aoi.salon", "--until", until)
    assert any(line.startswith("not proved here: that no other") for line in verify(path, vkey))


def test_it_holds_all_of_a_time_that_ends_within_a_millisecond(bundle: Callable[..., Made]) -> None:
    """The last entry is of the millisecond in which the time ends: it answers, and its neighbour is there."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    people.scope(since=began, until=datetime.now(UTC))  # every outcome is written before it answers
    people.put(1, "last", {"name": "末"})
    ways = people.scope(since=began, until=datetime.now(UTC), actor="app").ways
    (put,) = (one for one in ways if one.kind == "put")
    people.put(1, "after", {"name": "後"})
    until = (put.last - timedelta(microseconds=500)).isoformat()
    lines = verify(*bundle("--all", "--until", until, "--complete"))
    assert any(line.startswith("proved: these are all") for line in lines)


def test_it_says_so_in_the_command(
    bundle: Callable[..., Made], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """0 proved, 1 not whole with words, 2 wrong usage."""
    path, vkey = bundle("--actor", "aoi.salon")
    assert main(["bundle", str(path), "--vkey", vkey]) == 0
    assert "proved: " in capsys.readouterr().out
    assert main(["bundle", str(changed(path, "hashes", lambda text: text[65:])), "--vkey", vkey]) == 1
    assert capsys.readouterr().out.startswith("not whole: ")
    assert main(["bundle", str(path), "--vkey", "nobody"]) == 2
    (tmp_path / "none.zip").write_bytes(b"PK")
    assert main(["bundle", str(tmp_path / "none.zip"), "--vkey", vkey]) == 1


def test_it_works_out_what_people_sign_in_with(
    house: tuple[dict[str, Colleague], list[UUID]], bundle: Callable[..., Made]
) -> None:
    """A password that lay in the vault's database with the keys is proved by the entry that set it."""
    colleagues, _ = house
    people.password_set(colleagues["aoi"].grant, "quite another long sentence")
    words = ("--store", "vault", "--store", "keys", "--complete")
    for asked in (words, words[:4], (*words, "--shop", "salon"), ("--store", "vault")):
        path, vkey = bundle(*asked)
        lines = verify(path, vkey)
        [line] = [one for one in lines if one.startswith("proved: sign-in data follow: ")]
        with zipfile.ZipFile(path) as file:
            lain = json.loads(file.read("answer.json"))["accounts"]
        [password] = [one for one in lain if one["kind"] == "password"]
        state = "exposed" if "keys" in asked else "not"
        assert (password["actor"], password["state"]) == ("aoi.salon", state)
        assert {one["kind"] for one in lain} == {"password", "mail_index", "passkey", "address", "invitation"}
        assert line.split()[4] == str(sum(one["state"] != "not" for one in lain))
        for change in (_drop_account, _soften_account):
            with pytest.raises(NotWhole, match="accounts: "):
                verify(changed(path, "answer.json", change), vkey)


def _drop_account(text: str) -> str:
    answer = json.loads(text)
    answer["accounts"].pop()
    return json.dumps(answer)


def _soften_account(text: str) -> str:
    answer = json.loads(text)
    answer["accounts"][0]["form"] = "clear" if answer["accounts"][0]["form"] != "clear" else "cipher"
    return json.dumps(answer)


def _drop_person(text: str) -> str:
    answer = json.loads(text)
    answer["persons"].pop()
    return json.dumps(answer)


def _soften(text: str) -> str:
    return text.replace('"exposed"', '"possibly"', 1)


def _earlier(text: str) -> str:
    question = json.loads(text)
    return json.dumps({**question, "asked": {"actor": ["owner.salon"]}})


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("answer.json", _drop_person, "the entries say something else"),
        ("answer.json", _soften, "the entries say something else"),
        ("question.json", _earlier, "the entries say something else"),
        ("entries", lambda text: text.replace("aoi.salon", "ren.salon", 1), "do not lead to the signed head"),
        ("entries", lambda text: text.partition("\n")[2], "do not lead|too few"),
        ("entries", lambda text: text.partition("\n")[0] + "\n" + text, "twice"),
        ("hashes", lambda text: text + "00" * 32 + "\n", "do not lead to the signed head"),
        ("hashes", lambda text: "xy\n" + text, "a line of `hashes` is none"),
        ("checkpoint", lambda text: text.replace("\n", "x\n", 1), "another ledger"),
    ],
)
def test_it_finds_what_was_changed(
    bundle: Callable[..., Made], part: str, change: Callable[[str], str], words: str
) -> None:
    """An entry, a person, a state or the question changed by hand does not pass."""
    path, vkey = bundle("--actor", "aoi.salon")
    with pytest.raises(NotWhole, match=words):
        verify(changed(path, part, change), vkey)


def test_it_gives_the_root_from_any_entries() -> None:
    """For all sizes to 70 and entries at random, both sides' ways round the tree agree with the tree."""
    chance = random.Random(11)
    for size in range(1, 71):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        tree = CompactRange()
        for leaf in leaves:
            tree.append(leaf)
        for _ in range(5):
            chosen = sorted(chance.sample(range(size), chance.randrange(size + 1)))
            hashes = [
                perfect_root(leaves[index << level : (index + 1) << level])
                for level, index in nodes_beside(chosen, size)
            ]
            rest = iter(hashes)
            assert root_of({index: leaves[index] for index in chosen}, rest, size) == tree.root()
            assert next(rest, None) is None


def test_it_needs_as_few_hashes_as_a_proof() -> None:
    """One chosen entry of 2**k needs k hashes, all of them need none."""
    assert len(list(nodes_beside([3], 8))) == 3
    assert len(list(nodes_beside(list(range(8)), 8))) == 0
