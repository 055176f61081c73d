"""Tellings: exactly those in the scope, each what became known of hers; two agree; each is told once."""

import re
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest

from noren.incidents.telling_words import HOUSE
from noren_vault.errors import (
    BadRequest,
    GrantRefused,
    NoSuchExposure,
    NoSuchIncident,
    NoSuchTelling,
    PasskeyRefused,
    TellingOver,
)
from noren_vault.telling_mails import SAMPLE, code_hash
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.cast import SALON
from tests.vault.conftest import Bench, ask
from tests.vault.resetting import notes, rows
from tests.vault.telling import Stage, agreed, made, seen, stage, standing, wanted

CODE = re.compile(r"(?:コード|Code): (\S{19})\n")


def bodies(mail: Sink, address: str) -> list[str]:
    """What was mailed to an address, the oldest first."""
    found = [message.get_body(("plain",)) for message in mail.messages if message["To"] == address]
    return [body.get_content().replace("\r\n", "\n") for body in found if body is not None]


def _mails(mail: Sink) -> dict[str, EmailMessage]:
    """The mails of tellings, by whom they are to; two to one are a fault."""
    found: dict[str, EmailMessage] = {}
    for message in mail.messages:
        if str(message["To"]).endswith("@kyaku.jp"):
            assert str(message["To"]) not in found
            found[str(message["To"])] = message
    return found


async def _everybody_told(vault: Vault) -> None:
    while await vault.aftermath.tellings.mails.send(60):
        pass


def test_exactly_those_in_the_scope_are_told_each_their_own(bench: Bench, mail: Sink) -> None:
    """Two were seen, one with more fields; they get one mail each with exactly these, in their language."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako", "taro")
        await seen(vault, there, "taro", fields=("mail",))
        one = await made(bench, vault, there)
        assert (one["scope"], one["by"], one["kinds"]) == (2, {"waiting": 2}, {"customer": 2})
        chosen = {there.persons["hanako"]: "ja", there.persons["taro"]: "en"}
        asked = {"grant": there.first.grant, "telling": one["telling"]}
        await ask(vault, "telling_languages", **asked, shop=SALON, languages=chosen)
        assert await vault.aftermath.tellings.mails.send(60) == 0
        assert not _mails(mail)
        await agreed(vault, there, one["telling"])
        await _everybody_told(vault)
        told = _mails(mail)
        assert set(told) == {"hanako@kyaku.jp", "taro@kyaku.jp"}
        [first] = bodies(mail, "hanako@kyaku.jp")
        assert "対象となる情報: お名前、電話番号\n" in first
        assert "hanakoさん 様" in first
        assert "青葉サロン" in first
        [second] = bodies(mail, "taro@kyaku.jp")
        assert "Which data of yours: name, mail address, phone number\n" in second
        assert "pretend to be about this" in second
        for message in told.values():
            [text] = bodies(mail, str(message["To"]))
            assert not list(message.iter_attachments())
            assert "://" not in text
            assert "localhost:8000/news/2026-leak\n" in text
            assert (message["Cc"], message["Bcc"], str(message["To"]).count("@")) == (None, None, 1)
        assert len({CODE.findall(body)[0] for body in (first, second)}) == 2
        after = await standing(vault, there, one["telling"])
        assert (after["by"], after["state"]) == ({"told": 2}, "agreed")

    bench.run(act)


def test_the_dry_run_adds_up_to_the_scope_and_says_why_somebody_gets_none(bench: Bench, mail: Sink) -> None:
    """Erased, joined, without an address, a canary: counted apart, mailed nothing."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        row = {"key": "nomail", "fields": {"name": "郵便さん"}}
        there.persons |= (await ask(vault, "import", shop=SALON, rows=[row]))["persons"]
        await seen(vault, there, *there.persons)
        await ask(vault, "erase", shop=SALON, person=there.persons["ken"], reason="asked")
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO vault.merge (shop_id, person, into_person, state, at, until) "
                "VALUES (1, %s, %s, 'merged', 0, 9999999999999)",
                [there.persons["mai"], there.persons["yuki"]],
            )
            connection.execute(
                "UPDATE vault.person SET kind = 'canary' WHERE person = %s", [there.persons["taro"]]
            )
        asked = {name: wanted(bench, there)[name] for name in ("grant", "question")}
        scope = await ask(vault, "scope", **asked["question"])
        one = await made(bench, vault, there)
        assert one["scope"] == len(scope["persons"]) == 6 == sum(one["by"].values())
        reasons = {"waiting": 2, "erased": 1, "joined": 1, "canary": 1, "no_mail": 1}
        assert one["by"] == reasons
        await agreed(vault, there, one["telling"])
        await _everybody_told(vault)
        assert set(_mails(mail)) == {"hanako@kyaku.jp", "yuki@kyaku.jp"}
        after = await standing(vault, there, one["telling"])
        assert after["by"] == {"told": 2, "erased": 1, "joined": 1, "canary": 1, "no_mail": 1}

    bench.run(act)


def test_the_canary_of_a_backup_gets_no_mail(bench: Bench, mail: Sink) -> None:
    """She lies in every store and has an address, but is nobody."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        canary = (await ask(vault, "backup_begin", backup="20261128T000000Z-aaaaaaaa"))["canary"]["person"]
        question = {"store": ["host"], "since": bench.clock / 1000 - 60, "until": bench.clock / 1000 + 60}
        one = await ask(vault, "make_telling", **wanted(bench, there) | {"question": question})
        rows = (await ask(vault, "telling_people", grant=there.first.grant, telling=one["telling"]))["people"]
        assert [(row["person"], row["shop"]) for row in rows if row["state"] == "canary"] == [(canary, 0)]
        await agreed(vault, there, one["telling"])
        await _everybody_told(vault)
        told = set(_mails(mail))
        assert {f"{name}@kyaku.jp" for name in there.persons} <= told
        assert not [to for to in told if to.endswith("localdomain")]

    bench.run(act)


def test_of_joined_records_the_one_that_stands_is_told_of_both(bench: Bench, mail: Sink) -> None:
    """Only the record that went was seen: she gets one mail under the other, and the count still fits."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "mai")
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO vault.merge (shop_id, person, into_person, state, at, until) "
                "VALUES (1, %s, %s, 'merged', 0, 9999999999999)",
                [there.persons["mai"], there.persons["yuki"]],
            )
        one = await made(bench, vault, there)
        assert (one["scope"], one["by"]["joined"], one["instead"]["waiting"]) == (1, 1, 1)
        await agreed(vault, there, one["telling"])
        await _everybody_told(vault)
        assert set(_mails(mail)) == {"yuki@kyaku.jp"}
        found = (await ask(vault, "telling_people", grant=there.first.grant, telling=one["telling"]))[
            "people"
        ]
        assert {each["person"]: (each["state"], each["into"]) for each in found} == {
            there.persons["mai"]: ("joined", there.persons["yuki"]),
            there.persons["yuki"]: ("told", None),
        }

    bench.run(act)


def test_two_agree_to_one_telling_with_a_passkey_bound_to_it(bench: Bench, mail: Sink) -> None:
    """Nobody agrees to her own; an answer for one is none for another; what is over stays over."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        one, other = [await made(bench, vault, there) for _ in range(2)]
        assert one["hash"] != other["hash"]
        own = {"grant": there.first.grant, "telling": one["telling"]}
        with pytest.raises(GrantRefused):
            await ask(vault, "telling_begin", **own)
        asked = {"grant": there.second.grant, "telling": one["telling"]}
        response = there.second.passkey.get((await ask(vault, "telling_begin", **asked))["options"])
        with pytest.raises(PasskeyRefused):
            await ask(vault, "telling_agree", **{**asked, "telling": other["telling"]}, response=response)
        await agreed(vault, there, one["telling"])
        for method in ("telling_begin", "withdraw_telling"):
            with pytest.raises(TellingOver):
                await ask(vault, method, **asked)
        await ask(vault, "withdraw_telling", **{**own, "telling": other["telling"]})
        with pytest.raises(TellingOver):
            await ask(vault, "telling_begin", **{**asked, "telling": other["telling"]})
        third = await made(bench, vault, there)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.telling SET made_at = made_at - 86400000")
        with pytest.raises(TellingOver):
            await ask(vault, "telling_begin", grant=there.second.grant, telling=third["telling"])

    bench.run(act)


def test_alone_everybody_is_rung_and_the_book_says_it(bench: Bench, mail: Sink) -> None:
    """On record as such; the book has one line, which the app's own methods cannot write."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        telling = (await made(bench, vault, there))["telling"]
        asked: dict[str, Any] = {"grant": there.first.grant, "telling": telling, "alone": True}
        response = there.first.passkey.get((await ask(vault, "telling_begin", **asked))["options"])
        await ask(vault, "telling_agree", **asked, response=response)
        await vault.notices.stop()
        [rung] = [body for body in bodies(mail, "kei@operators.example.jp") if "漏えい" in body]
        assert there.first.handle in rung
        book = await ask(vault, "incident", grant=there.second.grant, incident=there.incident)
        assert [one["kind"] for one in book["records"]].count("telling") == 1
        with pytest.raises(BadRequest):
            await ask(
                vault,
                "add_to_incident",
                grant=there.first.grant,
                incident=there.incident,
                kind="telling",
                words="{}",
            )
        assert notes(vault, "incident").count("telling:alone") == 1

    bench.run(act)


def test_who_is_no_member_knows_of_none(bench: Bench, mail: Sink) -> None:
    """Barred, she can neither begin nor see one; a wrong id is none."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        one = await made(bench, vault, there)
        change = {"incident": there.incident, "handle": there.second.handle, "standing": "barred"}
        await ask(vault, "incident_member", grant=there.first.grant, **change)
        for method in ("telling", "telling_people", "withdraw_telling", "telling_begin"):
            with pytest.raises(NoSuchIncident):
                await ask(vault, method, grant=there.second.grant, telling=one["telling"])
        with pytest.raises(NoSuchIncident):
            await ask(vault, "make_telling", **{**wanted(bench, there), "grant": there.second.grant})
        with pytest.raises(NoSuchTelling):
            await ask(vault, "telling", grant=there.first.grant, telling="0123456789abcdef")

    bench.run(act)


@pytest.mark.parametrize(
    "words",
    [
        "{fields} {todo} {notice} {exposed}",
        "{fields} {todo} {notice} {exposed} {code} {password}",
        "{fields} {todo} {notice} {exposed} {code} https://evil.example",
        "{fields} {todo} {notice} {exposed} {code} ｗｗｗ．evil.example",
        "{fields} {todo} {notice} {exposed} {code} {",
    ],
)
def test_words_hold_no_link_and_only_the_holes_there_are(bench: Bench, mail: Sink, words: str) -> None:
    """Refused before the scope is asked."""

    async def act(vault: Vault) -> None:
        incident = (await ask(vault, "open_incident", words='{"title": "x"}'))["incident"]
        there = Stage(None, None, incident, {}, "")  # type: ignore[arg-type]
        told = {**HOUSE, "member": {**HOUSE["member"], "en": {"subject": "x", "text": words}}}
        there.first = type("_", (), {"grant": None})()
        with pytest.raises(BadRequest):
            await ask(vault, "make_telling", **{**wanted(bench, there), "words": told})

    assert mail
    bench.run(act)


def test_it_stops_goes_on_after_a_restart_and_tells_each_once(bench: Bench, mail: Sink) -> None:
    """At two a minute; stopped, nobody; resumed in the next run, the others."""

    async def begin(vault: Vault) -> tuple[Stage, str]:
        there = await stage(bench, vault, mail)
        await seen(vault, there, *there.persons)
        telling = (await ask(vault, "make_telling", **wanted(bench, there), a_minute=2))["telling"]
        await agreed(vault, there, telling)
        assert await vault.aftermath.tellings.mails.send(60) == 2
        await ask(vault, "stop_telling", grant=there.first.grant, telling=telling)
        assert await vault.aftermath.tellings.mails.send(60) == 0
        return there, telling

    async def go_on(vault: Vault, there: Stage, telling: str) -> None:
        assert await vault.aftermath.tellings.mails.send(60) == 0
        await ask(vault, "resume_telling", grant=there.first.grant, telling=telling)
        await _everybody_told(vault)
        assert (await standing(vault, there, telling))["by"] == {"told": 5}

    there, telling = bench.run(begin)
    bench.run(lambda vault: go_on(vault, there, telling))
    assert len(_mails(mail)) == 5


def test_killed_behind_a_sending_the_code_that_went_out_still_opens(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says `waiting`, the courier knows better: no second mail, and no code in place of hers."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        telling = (await made(bench, vault, there))["telling"]
        await agreed(vault, there, telling)
        with monkeypatch.context() as patched:
            patched.setattr("noren_vault.telling_mails._MOVE", "SELECT %s, %s, %s, %s, %s, %s")
            await vault.aftermath.tellings.mails.send(60)
        assert (await standing(vault, there, telling))["by"] == {"waiting": 1}
        await _everybody_told(vault)
        assert (await standing(vault, there, telling))["by"] == {"told": 1}
        [body] = bodies(mail, "hanako@kyaku.jp")
        [code] = set(CODE.findall(body))
        assert (await ask(vault, "exposed", code=code))["fields"] == ["name", "phone"]

    bench.run(act)


def test_a_preview_and_a_mail_to_try_are_the_persons_but_nobodys_name_or_code(
    bench: Bench, mail: Sink
) -> None:
    """The operator sees what taro will get; the mail to try goes to herself alone."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "taro", fields=("name", "card_last4"))
        telling = (await made(bench, vault, there))["telling"]
        asked = {"grant": there.second.grant, "telling": telling, "person": there.persons["taro"]}
        shown = await ask(vault, "preview_telling", **asked)
        assert "カード番号の下4桁" in shown["text"]
        assert SAMPLE in shown["text"]
        assert "taro" not in shown["text"]
        assert (await ask(vault, "try_telling", **asked))["state"] == "sent"
        assert not _mails(mail)
        [tried] = [one for one in bodies(mail, "kei@operators.example.jp") if SAMPLE in one]
        assert "taro" not in tried
        with pytest.raises(NoSuchExposure):
            await ask(vault, "exposed", code=SAMPLE)
        assert notes(vault, "incident")[-2:] == ["telling:preview", "telling:tried"]

    bench.run(act)


def test_a_code_shows_ones_own_exposure_however_it_is_typed_and_after_an_erasure(
    bench: Bench, mail: Sink
) -> None:
    """Fields and times, no name; a wrong code and one of another is nobody's; the look is on record."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako", "taro")
        telling = (await made(bench, vault, there))["telling"]
        await agreed(vault, there, telling)
        await _everybody_told(vault)
        [code] = set(CODE.findall(bodies(mail, "hanako@kyaku.jp")[0]))
        spelled = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
        found = await ask(vault, "exposed", code=spelled)
        assert (found["fields"], found["ways"], found["surely"]) == (["name", "phone"], ["customer"], True)
        assert (found["notice"], found["erased"]) == ("2026-leak", False)
        assert "hanako" not in str(found)
        last = next(entry for _, entry in reversed(list(vault.record.ledger.entries())))
        assert (last.kind, last.note, last.persons) == ("right", "exposed", (there.persons["hanako"],))
        wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
        with pytest.raises(NoSuchExposure):
            await ask(vault, "exposed", code=wrong)
        await ask(vault, "erase", shop=SALON, person=there.persons["hanako"], reason="asked")
        assert (await ask(vault, "exposed", code=code))["erased"] is True
        stored = rows(bench, "SELECT code_hash FROM vault.told WHERE code_hash IS NOT NULL")
        assert bytes(code_hash(code)) in {bytes(one) for (one,) in stored}
        assert not [1 for (one,) in stored if code.encode() in bytes(one)]

    bench.run(act)


def test_a_mail_that_comes_back_is_on_the_list_for_letters(bench: Bench, mail: Sink) -> None:
    """Refused for good, or taken and given back: neither counts as told."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako", "taro")
        telling = (await made(bench, vault, there))["telling"]
        await agreed(vault, there, telling)
        await _everybody_told(vault)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE vault.message SET state = 'bounced', reason = 'dsn_5.1.1' "
                "WHERE person = %s AND message_key LIKE 'telling:%%'",
                [there.persons["taro"]],
            )
        after = await standing(vault, there, telling)
        assert after["by"] == {"told": 1, "bounced": 1}
        found = await ask(vault, "telling_letters", grant=there.owner)
        assert found["letters"] == [{"telling": telling, "notice": "2026-leak", "persons": 1}]
        wish = {"grant": there.owner, "reason": "letters", "words": "手紙", "fields": ["name", "phone"]}
        listed = (await ask(vault, "ask_export", **wish, telling=telling))["transfer"]
        asked = {"grant": there.owner, "transfer": listed}
        assert (await ask(vault, "open_export", **asked))["persons"] == 1
        lines = (await ask(vault, "export_piece", **asked, piece=0))["rows"]
        assert "taroさん" in [name for name, _ in lines]
        assert "hanakoさん" not in [name for name, _ in lines]
        with pytest.raises(NoSuchTelling):
            await ask(vault, "ask_export", **wish, telling="0123456789abcdef")

    bench.run(act)


def test_its_words_come_along_in_a_rotation(bench: Bench, mail: Sink) -> None:
    """Nothing of it is left under the old key."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        telling = (await made(bench, vault, there))["telling"]
        await ask(vault, "rotate_keys", what="epoch")
        await vault.keeping.rotation.work()
        assert (await standing(vault, there, telling))["words"] == HOUSE

    bench.run(act)


def test_a_slow_pace_is_as_slow_as_it_says(bench: Bench, mail: Sink) -> None:
    """Two a minute are two in sixty rounds of a second, not sixty."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako", "taro", "yuki")
        slow = {**wanted(bench, there), "a_minute": 2}
        one = await ask(vault, "make_telling", **slow)
        await agreed(vault, there, one["telling"])
        mails = vault.aftermath.tellings.mails
        assert [await mails.send(1) for _ in range(61)].count(1) == 2

    bench.run(act)


def test_a_telling_that_does_not_open_stops_and_holds_no_other_up(bench: Bench, mail: Sink) -> None:
    """It is stopped, on record; the next one goes out."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        first, second = [(await made(bench, vault, there))["telling"] for _ in range(2)]
        for one in (first, second):
            await agreed(vault, there, one)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.telling SET sealed = '\\x00' WHERE telling = %s", [first])
        await _everybody_told(vault)
        assert set(_mails(mail)) == {"hanako@kyaku.jp"}
        stopped = "SELECT stopped_at IS NOT NULL FROM vault.telling WHERE telling = %s"
        assert rows(bench, stopped, first) == [(True,)]
        assert "damaged" in [entry.note for _, entry in vault.record.ledger.entries()]

    bench.run(act)


def test_what_is_cut_off_while_two_agree_is_not_in_the_book(bench: Bench, mail: Sink) -> None:
    """The book says that people are told when they are, and not a moment before."""

    async def act(vault: Vault) -> None:
        there = await stage(bench, vault, mail)
        await seen(vault, there, "hanako")
        one = (await made(bench, vault, there))["telling"]
        written = vault.aftermath.tellings._tellings._incidents.written

        async def cut(*asked: Any, **more: Any) -> Any:
            await written(*asked, **more)
            raise RuntimeError("cut off")

        vault.aftermath.tellings._tellings._incidents.written = cut  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            await agreed(vault, there, one)
        book = await ask(vault, "incident", incident=there.incident)
        told = [record for record in book["records"] if record["kind"] == "telling"]
        state = (await standing(vault, there, one))["state"]
        assert (state, len(told)) in (("made", 0), ("agreed", 1))

    bench.run(act)
