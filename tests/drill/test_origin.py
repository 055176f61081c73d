"""The origin drill, end to end, once; and that it would say so if one person were left out."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pypdfium2
import pytest

from noren import clock, people
from noren.drill import asking, case, finding, house, made_up, passkey, reading, stage, telling
from noren.drill.browser import Browser
from noren.drill.report import Report, compared
from noren.runtime.throwaway import Throwaway
from tests.environment import TOP

# A whole system is started twice: on a busy machine that takes as long as it takes.
pytestmark = pytest.mark.timeout(600)


class Played(NamedTuple):
    """The drill's exit code, what it printed, and the folder that it kept."""

    code: int
    told: Mapping[str, Any]
    folder: Path

    def figures(self, step: str) -> dict[str, str]:
        """What was said in a step, by what it is about."""
        return {one["what"]: one["said"] for one in self.told["figures"] if one["step"] == step}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """`noren drill origin`, as a person calls it, with a folder that is looked into afterwards."""
    folder = TOP / "origin-drill"
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", "drill", "origin", "--json", "--keep", str(folder)],
        env=environ,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.stdout, done.stderr
    return Played(done.returncode, json.loads(done.stdout), folder)


def test_every_figure_is_the_truth(played: Played) -> None:
    """From the first sign to the last update: code 0, and nothing that was said differs."""
    wrong = [one for one in played.told["figures"] if not one["right"]]
    assert (played.told["broken"], wrong, played.code) == ("", [], 0)
    assert len(played.told["figures"]) > 110


def test_it_keeps_the_time_of_each_step(played: Played) -> None:
    steps = {one["name"]: one["seconds"] for one in played.told["steps"]}
    assert next(iter(steps)) == "the stage is set"
    assert list(steps)[-1] == "the leaked login is made anew"
    assert all(seconds >= 0 for seconds in steps.values())
    assert sum(steps.values()) > 1


def test_the_thief_held_what_the_answer_says(played: Played) -> None:
    """The thief's own file, read here by its marks alone, holds as many mails as were answered."""
    text = (played.folder / "thief" / "console.txt").read_text(encoding="utf-8")
    named = played.figures("scope")
    mails = set(re.findall(r"drill\.\d{5}@example\.jp", text))
    assert len(mails) >= 20
    assert 20 <= len(mails) <= int(named["exposed, by the credential: persons"]) < 60
    assert "@example.jp" not in (played.folder / "thief" / "database.txt").read_text().replace(
        "salon@example.jp", ""
    ).replace("clinic@example.jp", "")


def test_the_public_reads_that_number(played: Played) -> None:
    """Page, file and static copy say the number of persons whom the thief held."""
    held = played.figures("scope")["exposed, by the credential: persons"]
    public = played.figures("public")
    pages = {what: said for what, said in public.items() if "persons" in what}
    assert len(pages) == 10
    assert set(pages.values()) == {held}
    for language in ("ja", "en"):
        page = (played.folder / "thief" / "news" / language / "origin-drill" / "index.html").read_text()
        assert held in page


def test_the_thief_gets_nothing_once_shut_out(played: Played) -> None:
    contained = played.figures("contained")
    assert contained["the thief comes in afterwards"] == "False"
    assert contained["pages the thief got afterwards"] == "0"


def test_whom_the_thief_had_is_told_by_mail_and_nobody_else(played: Played) -> None:
    """The mailbox, read here by its marks alone: one mail with a code to each of those in the thief's."""
    files = (played.folder / "var" / "mail").glob("*.eml")
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    texts = [(str(one["To"]), body.get_content()) for one in mails if (body := one.get_body(("plain",)))]
    told = [to for to, text in texts if re.search(r"(?:コード|Code): \S{19}", text)]
    held = played.figures("scope")["exposed, by the credential: persons"]
    assert len(told) == len(set(told)) == int(held)
    text = (played.folder / "thief" / "console.txt").read_text(encoding="utf-8")
    assert {re.sub(r".*<|>", "", to) for to in told} >= set(re.findall(r"drill\.\d{5}@example\.jp", text))
    figures = played.figures("told")
    assert figures["dry run: in the scope"] == figures["told, by the file: persons"] == held
    assert (figures["mails to anybody else"], figures["mails in her language"]) == ("", held)


def test_shops_and_authorities_get_that_number(played: Played) -> None:
    """The shop's pack, and its reports on paper and for a program; the other shop has nobody in it."""
    held = played.figures("scope")["exposed, by the credential: persons"]
    shops, reports = played.figures("shops"), played.figures("reports")
    assert (shops["pack of salon: persons"], shops["pack of clinic: persons"]) == (held, "0")
    assert reports["jp-appi, salon: persons"] == f"({held}, '{held}')"
    folder = played.folder / "thief" / "reports"
    with pypdfium2.PdfDocument((folder / "jp-appi-1.pdf").read_bytes()) as read:
        paper = "".join(each.get_textpage().get_text_bounded() for each in read)
    told = json.loads((folder / "jp-appi-1.json").read_text(encoding="utf-8"))
    assert told["persons"] == int(held)
    for words in (f"{held} people", "訓練-2026-0042", *(one["by"] for one in told["steps"])):
        assert words.replace(" ", "") in "".join(paper.split()), words


def test_nothing_of_what_was_pasted_lies_anywhere(played: Played) -> None:
    """Searched once more when everything is stopped; the search finds what is there."""
    pasted = [one.encode() for one in asking.PASTED]
    files = [path for path in (played.folder / "var").rglob("*") if path.is_file() and not path.is_symlink()]
    contents = [path.read_bytes() for path in files]
    assert len(contents) > 1_000
    assert not any(one in content for content in contents for one in pasted)
    assert any(b"origin-drill" in content for content in contents)


def test_it_leaves_a_folder_alone_in_which_something_lies(tmp_path: Path) -> None:
    """No system that holds data is ever touched."""
    (tmp_path / "something").write_text("kept")
    done = subprocess.run(
        [sys.executable, "-m", "noren.cli", "drill", "origin", "--keep", str(tmp_path)],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


# -- the control: what is wrong is said


def test_it_says_so_when_one_person_is_left_out() -> None:
    """An answer that lacks one of those whom the thief holds is a difference, and ends with 1."""
    everybody = {(1, UUID(int=number), name) for number in range(5) for name in ("name", "mail")}
    lacking = {one for one in everybody if one[1] != UUID(int=3)}
    report = Report("origin", 7)
    report.compare("scope", "exposed", everybody, everybody)
    assert report.code == 0
    report.compare("scope", "exposed", lacking, everybody)
    assert report.code == 1
    assert f"missed: 2 ({UUID(int=3)} of shop 1: mail" in report.as_text()
    assert [one["right"] for one in json.loads(report.as_json())["figures"]] == [True, True, False, False]


def test_it_says_so_when_one_is_named_who_was_not_held() -> None:
    """Also where another one lacks, so that the numbers are the same."""
    one, other = ((1, UUID(int=number), "name") for number in (1, 2))
    persons, fields = compared("scope", "exposed", frozenset({one}), frozenset({other}))
    assert persons.right
    assert not fields.right
    assert "missed: 1" in fields.beyond
    assert "not held: 1" in fields.beyond


def test_it_says_so_when_one_mail_is_missing_or_says_too_little(tmp_path: Path) -> None:
    """One that was not sent, one that leaves a field out or adds one, one to somebody else."""
    everybody, short = ("お名前、電話番号",) * 5, ("お名前、電話番号",) * 4
    for number, (lines, others, code) in enumerate(
        (
            (everybody, (), 0),
            (short, (), 1),
            ((*short, "お名前"), (), 1),
            ((*short, "お名前、電話番号、ご要望"), (), 1),
            (everybody, ("kyaku@example.com",), 1),
        )
    ):
        truth = _mailed(tmp_path / str(number), lines, others)
        telling.hold_mails(truth)
        telling.none_to_others(truth)
        assert truth.report.code == code, (lines, others, truth.report.as_text())


def _mailed(folder: Path, lines: Sequence[str], others: Sequence[str]) -> telling.Truth:
    """Five persons of whom the thief has name and phone, and the mails that were caught."""
    crowd = made_up.people(7, 8)
    shop = stage.Shop(1, "salon", customers={UUID(int=at): one for at, one in enumerate(crowd, 1)})
    made = stage.Stage(Throwaway(folder, 1), 7, [shop])
    made.system.paths.mail.mkdir(parents=True)
    told = [(crowd[at].fields["mail"], line) for at, line in enumerate(lines)]
    for number, (to, line) in enumerate((*told, *((one, "お名前") for one in others))):
        mail = EmailMessage()
        mail["To"] = to
        mail.set_content(f"お客様について対象となる情報: {line}\nコード: 0000-0000-0000-{number:04}\n")
        (made.system.paths.mail / f"{number}.eml").write_bytes(mail.as_bytes())
    held = {(1, UUID(int=at), name) for at in range(1, 6) for name in ("name", "phone")}
    return telling.Truth(made, Report("origin", 7), frozenset(held))


def test_days_of_an_office_are_counted_by_hand() -> None:
    """A weekend, a holiday, and the turn of the year move a term's end."""
    holidays = {date(2026, 11, 23)}
    for day, truth in (
        (date(2026, 11, 27), date(2026, 11, 27)),
        (date(2026, 11, 21), date(2026, 11, 24)),
        (date(2026, 12, 29), date(2027, 1, 4)),
    ):
        assert reading.open_day(day, holidays.__contains__) == truth


def test_a_drill_that_says_nothing_has_shown_nothing() -> None:
    assert Report("origin", 7).code == 1


def test_no_value_of_one_person_is_a_part_of_anothers() -> None:
    """Else a thief's bytes would say the wrong person."""
    values = [value for one in made_up.people(7, 600) for value in one.fields.values()]
    whole = "\n".join(values)
    assert len(set(values)) == len(values)
    assert all(whole.count(value) == 1 for value in values)
    assert made_up.people(7, 40) == made_up.people(7, 40) != made_up.people(8, 40)


def test_a_step_that_is_answered_with_one_person_less_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill's own step: asked with a whole answer it is right, with one person left out it is not."""
    for left_out, code in ((0, 0), (1, 1)):
        drill = _asked(tmp_path / str(left_out), monkeypatch, left_out)
        finding.ask_whose(drill)
        assert drill.report.code == code
        assert ("missed: 5" in drill.report.as_text()) is bool(left_out)


def _asked(folder: Path, monkeypatch: pytest.MonkeyPatch, left_out: int) -> case.Origin:
    """A drill whose thief holds ten people's cards, and an answer about them that lacks some."""
    folder.mkdir()
    crowd = made_up.people(7, 20)
    customers = {UUID(int=number): one for number, one in enumerate(crowd, 1)}
    made = stage.Stage(Throwaway(folder, 1), 7, [stage.Shop(1, "salon", customers=customers)])
    now = clock.now()
    exposed = tuple(
        people.Exposure(
            person=person,
            shop_id=1,
            seen=tuple(
                people.Seen(field=name, first=now, last=now, state=people.ExposureState.EXPOSED)
                for name in one.fields
            ),
            first=now,
            last=now,
            purposes=("customer",),
            state=people.ExposureState.EXPOSED,
            entries=(1,),
        )
        for person, one in list(customers.items())[: 10 - left_out]
    )
    answer = people.Scope(
        asked={},
        persons=exposed,
        spared=(),
        ways=(),
        stores=(),
        keyside=None,
        entries=10,
        head_size=10,
        head_root="",
        checkpoint="",
        complete=True,
        proofs={},
    )
    monkeypatch.setattr(finding, "ask", lambda _question: answer)
    monkeypatch.setattr("noren.incidents.bundle.write", lambda *_given, **_more: None)
    monkeypatch.setattr(finding, "verified", lambda *_words: (0, ""))
    nobody = house.Seat(stage.Member("", "", passkey.Passkey(), "", ""), Browser(1))
    drill = case.Origin(made, Report("origin", 7), house.House(made, nobody, nobody), credential="pw-1")
    for one in crowd[:10]:
        drill.thief.loot.take(" ".join(one.fields.values()))
    return drill
