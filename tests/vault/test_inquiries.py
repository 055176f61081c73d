"""The inquiry desk in the vault: sealed, opened by a link or an operator, on record, held by one."""

import asyncio
from pathlib import Path as Folder
from typing import Any

import psycopg
import pytest

from noren_vault import puzzles
from noren_vault.errors import (
    BadField,
    BadRequest,
    ChallengeNeeded,
    GrantExpired,
    GrantRefused,
    InquiryHeld,
    InquiryMoved,
    NoSuchIncident,
    NoSuchInquiry,
    TooManyInquiries,
)
from noren_vault.record import Path
from noren_vault.rotation import What
from noren_vault.vault import Vault
from tests.servers import Sink
from tests.vault.conftest import START, Bench, ask
from tests.vault.operators import two

WORDS = "予約のメールが届きません。カードの下四桁は •••• 1111 です。"
MAIL = "aoi.asks@example.jp"
PROMISED = 1_790_000_360_000
MINUTE = 60_000


async def asked(vault: Vault, **changed: Any) -> str:
    """Ask as a form does; gives the link's token."""
    vault.defence.puzzles.least = 4
    form = await ask(vault, "inquiry_form")
    proof = puzzles.solve(form["challenge"]["challenge"], form["challenge"]["bits"])
    params = {"words": WORDS, "about": "booking", "locale": "ja", "promised": PROMISED, "proof": proof}
    return str((await ask(vault, "ask_inquiry", **{**params, **changed}))["token"])


async def _entries(vault: Vault) -> list[dict[str, Any]]:
    size = vault.record.ledger.size
    return [
        {
            name: getattr(entry, name)
            for name in ("kind", "actor", "purpose", "fields", "ref", "note", "persons")
        }
        for _, entry in vault.record.ledger.entries(0, size)
        if entry.ref.startswith("inquiry:")
    ]


def _rows(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def _letters(mail: Sink) -> list[str]:
    return [str(one.get_content()) for one in mail.messages if one["To"] == MAIL]


def test_it_is_asked_read_answered_and_erased(bench: Bench, mail: Sink) -> None:
    """The whole way; every look names who asked, and nothing of it lies in clear."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        token = await asked(vault, mail=MAIL, files=[{"name": "log.txt", "text": "Fehler 42"}])
        inquiry = token.partition("-")[0]
        told = await ask(vault, "own_inquiry", token=token)
        assert [(one["kind"], one["words"]) for one in told["lines"]] == [
            ("words", WORDS),
            ("file", "Fehler 42"),
        ]
        assert "person" not in told["standing"]

        (listed,) = (await ask(vault, "inquiries", grant=first.grant))["inquiries"]
        assert (listed["state"], listed["mailed"], listed["promised_at"]) == ("waiting", True, PROMISED)
        assert WORDS not in str(listed)
        read = await ask(vault, "inquiry", grant=first.grant, inquiry=inquiry)
        assert MAIL not in str(read)
        answered = await ask(
            vault, "answer_inquiry", grant=first.grant, inquiry=inquiry, words="届きました。", seen=2
        )
        assert answered == {"mail": "sent"}
        await ask(vault, "note_inquiry", grant=first.grant, inquiry=inquiry, words="内緒のメモ")
        hers = await ask(vault, "own_inquiry", token=token)
        assert [one["words"] for one in hers["lines"]] == [WORDS, "Fehler 42", "届きました。"]
        assert hers["standing"]["state"] == "answered"
        await vault.aftermath.inquiries.stop()
        letters = _letters(mail)
        assert len(letters) == 2
        assert all(token in one and "届きました。" not in one for one in letters)

        await ask(vault, "erase_inquiry", token=token)
        with pytest.raises(NoSuchInquiry):
            await ask(vault, "own_inquiry", token=token)
        with pytest.raises(NoSuchInquiry):
            await ask(vault, "inquiry", grant=first.grant, inquiry=inquiry)
        await vault.record.settle()
        entries = await _entries(vault)
        told_of = [(one["kind"], one["purpose"], one["note"]) for one in entries if one["kind"] != "send"]
        assert told_of == [
            ("put", "", ""),
            ("intent", "own", ""),
            ("intent", "inquiry", ""),
            ("update", "", "answer"),
            ("update", "", "note"),
            ("intent", "own", ""),
            ("erase", "", "left"),
        ]
        assert len({one["persons"] for one in entries}) == 1
        assert entries[0]["fields"] == ("inquiry", "mail")

    bench.run(act)
    assert _rows(bench, "SELECT count(*) FROM vault.inquiry_line") == [(0,)]
    stored = str(_rows(bench, "SELECT * FROM vault.inquiry")) + str(_rows(bench, "SELECT * FROM vault.field"))
    assert MAIL not in stored


def test_what_is_stored_is_sealed_and_the_link_is_stored_nowhere(bench: Bench) -> None:
    """In the tables and the ledger's files lie neither words nor the token; a control is found."""
    tokens: list[str] = []

    async def act(vault: Vault) -> None:
        tokens.append(await asked(vault, notice="2026-leak"))

    bench.run(act)
    dump = "".join(
        str([tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in rows])
        for rows in (
            _rows(bench, "SELECT * FROM vault.inquiry"),
            _rows(bench, "SELECT * FROM vault.inquiry_line"),
        )
    )
    files = b"".join(one.read_bytes() for one in Folder(bench.configured.ledger).rglob("*") if one.is_file())
    assert "2026-leak" in dump
    for secret in (WORDS[:6], tokens[0].partition("-")[2]):
        assert secret not in dump
        assert secret.encode() not in files
    assert tokens[0].partition("-")[0].encode() in files


def test_a_link_is_made_invalid_by_the_next_one(bench: Bench, mail: Sink) -> None:
    """By who asked, and by the desk; a made-up one opens nothing, and a restart changes none."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        token = await asked(vault)
        inquiry = token.partition("-")[0]
        newer = (await ask(vault, "renew_inquiry", token=token))["token"]
        for bad in (token, f"{inquiry}-", f"{inquiry}-{'A' * 22}", "x", "é-é", newer + "A"):
            with pytest.raises(NoSuchInquiry):
                await ask(vault, "own_inquiry", token=bad)
        kept.append(newer)
        assert await ask(vault, "own_inquiry", token=newer)
        other = await asked(vault, mail=MAIL)
        again = {"grant": first.grant, "inquiry": other.partition("-")[0]}
        assert await ask(vault, "relink_inquiry", **again) == {"mail": "sent"}
        with pytest.raises(NoSuchInquiry):
            await ask(vault, "own_inquiry", token=other)

    async def later(vault: Vault) -> None:
        assert await ask(vault, "own_inquiry", token=kept[0])

    kept: list[str] = []
    bench.run(act)
    bench.run(later)


def test_one_answers_and_the_second_is_told(bench: Bench, mail: Sink) -> None:
    """Held by one; taken over by who saw who held it; and nobody answers over what came meanwhile."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        token = await asked(vault)
        inquiry = token.partition("-")[0]
        one = {"grant": first.grant, "inquiry": inquiry}
        other = {"grant": second.grant, "inquiry": inquiry}
        await ask(vault, "take_inquiry", **one)
        for method, more in (
            ("answer_inquiry", {"words": "二つ目", "seen": 1}),
            ("take_inquiry", {}),
            ("move_inquiry", {"state": "closed"}),
            ("give_back_inquiry", {}),
        ):
            with pytest.raises(InquiryHeld) as held:
                await ask(vault, method, **other, **more)
            assert held.value.facts == {"handle": first.handle}
        await ask(vault, "add_to_inquiry", token=token, words="追伸", promised=PROMISED)
        with pytest.raises(InquiryMoved):
            await ask(vault, "answer_inquiry", **one, words="前のを読んで", seen=1)
        await ask(vault, "take_inquiry", **other, held_by=first.handle)
        with pytest.raises(InquiryHeld):
            await ask(vault, "answer_inquiry", **one, words="まだ私の", seen=2)
        await ask(vault, "answer_inquiry", **other, words="お答えします", seen=2)
        await ask(vault, "give_back_inquiry", **other)
        await ask(vault, "move_inquiry", **one, state="closed")
        assert (await ask(vault, "own_inquiry", token=token))["standing"]["state"] == "closed"
        await ask(vault, "add_to_inquiry", token=token, words="もう一つ", promised=PROMISED + 5)
        again = (await ask(vault, "own_inquiry", token=token))["standing"]
        assert (again["state"], again["promised_at"]) == ("waiting", PROMISED + 5)
        pace = await ask(vault, "inquiry_form")
        assert pace["waiting"] == 1
        assert pace["took"] == [[again["asked_at"], again["answered_at"]]]

    bench.run(act)


def test_an_incident_of_hers_is_linked_and_another_is_none(bench: Bench, mail: Sink) -> None:
    """Only a member says that it belongs to one, reads that it does, and takes it out again."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        inquiry = (await asked(vault)).partition("-")[0]
        incident = (await ask(vault, "open_incident", grant=first.grant, words="{}"))["incident"]
        with pytest.raises(NoSuchIncident):
            await ask(vault, "link_inquiry", grant=second.grant, inquiry=inquiry, incident=incident)
        await ask(vault, "link_inquiry", grant=first.grant, inquiry=inquiry, incident=incident)
        for grant, named in ((first.grant, incident), (second.grant, None)):
            (one,) = (await ask(vault, "inquiries", grant=grant))["inquiries"]
            read = await ask(vault, "inquiry", grant=grant, inquiry=inquiry)
            assert (one["incident"], read["standing"]["incident"]) == (named, named)
        other = (await ask(vault, "open_incident", grant=second.grant, words="{}"))["incident"]
        with pytest.raises(NoSuchIncident):
            await ask(vault, "link_inquiry", grant=second.grant, inquiry=inquiry, incident=other)
        for grant, named in ((second.grant, incident), (first.grant, None)):
            await ask(vault, "link_inquiry", grant=grant, inquiry=inquiry, incident="")
            assert (await ask(vault, "inquiries", grant=first.grant))["inquiries"][0]["incident"] == named

    bench.run(act)


def test_what_was_pasted_waits_until_it_is_made_anew(bench: Bench, mail: Sink) -> None:
    """A row for each; done once, on record."""

    async def act(vault: Vault) -> None:
        first, _ = await two(vault, bench.configured.database_url, mail)
        token = await asked(vault, pasted=["password", "key"])
        told = (await ask(vault, "inquiries", grant=first.grant))["pasted"]
        assert sorted(one["kind"] for one in told) == ["key", "password"]
        assert {one["inquiry"] for one in told} == {token.partition("-")[0]}
        await ask(vault, "pasted_made_anew", grant=first.grant, secret=told[0]["secret"])
        with pytest.raises(NoSuchInquiry):
            await ask(vault, "pasted_made_anew", grant=first.grant, secret=told[0]["secret"])
        after = (await ask(vault, "inquiries", grant=first.grant))["pasted"]
        assert [one["done_by"] for one in after] == [None, first.handle]
        entries = await _entries(vault)
        assert entries[0]["note"] == "pasted:2"
        assert (entries[-1]["kind"], entries[-1]["note"]) == ("key", "made_anew")

    bench.run(act)


def test_the_gate_asks_for_a_puzzle_and_counts_addresses(bench: Bench) -> None:
    """No proof, an old one, the same twice: a new challenge. Who waited may go on. Too many are told so."""

    async def act(vault: Vault) -> None:
        params = {"words": WORDS, "about": "other", "locale": "en", "promised": 1, "address": "203.0.113.9"}
        for proof in ("", "made up:1"):
            with pytest.raises(ChallengeNeeded):
                await ask(vault, "ask_inquiry", **params, proof=proof)
        vault.defence.puzzles.least = 4
        form = (await ask(vault, "inquiry_form"))["challenge"]
        assert form["wait"] == 30
        waited = f"{form['challenge']}:"
        with pytest.raises(ChallengeNeeded):
            await ask(vault, "ask_inquiry", **params, proof=waited)
        bench.clock += 30_000
        assert await ask(vault, "ask_inquiry", **params, proof=waited)
        with pytest.raises(ChallengeNeeded):
            await ask(vault, "ask_inquiry", **params, proof=waited)
        for _ in range(5):
            await asked(vault, address="203.0.113.9")
        with pytest.raises(TooManyInquiries) as many:
            await asked(vault, address="203.0.113.9")
        assert 0 < many.value.facts["wait"] <= 600
        assert await asked(vault, address="198.51.100.7")
        bench.clock += 10 * MINUTE
        assert await asked(vault, address="203.0.113.9")

    bench.run(act)


def test_what_cannot_be_an_inquiry_is_refused(bench: Bench, mail: Sink) -> None:
    """Nothing is kept of it; and who is no operator reads nothing."""

    async def act(vault: Vault) -> None:
        _, _ = await two(vault, bench.configured.database_url, mail)
        for changed in (
            {"words": " "},
            {"locale": "fr"},
            {"pasted": ["card"]},
            {"files": [{"name": "a", "text": "x"}] * 4},
        ):
            with pytest.raises(BadRequest):
                await asked(vault, **changed)
        with pytest.raises(BadField):
            await asked(vault, mail="no address")
        for grant in (None, "1.0123456789abcdef.x"):
            with pytest.raises((GrantExpired, GrantRefused)):
                await ask(vault, "inquiry", grant=grant, inquiry="0" * 16)

    bench.run(act)
    assert _rows(bench, "SELECT count(*) FROM vault.inquiry") == [(0,)]


def test_scope_finds_who_asked_by_who_read_it(bench: Bench, mail: Sink) -> None:
    """After a leak the desk's reader leads to exactly those whose inquiries she opened, and what of them."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        opened = (await asked(vault, mail=MAIL)).partition("-")[0]
        await asked(vault)
        await ask(vault, "inquiry", grant=second.grant, inquiry=opened)
        await vault.record.settle()
        times = {"since": START / 1000 - 1, "until": START / 1000 + 60}
        (one,) = (await ask(vault, "scope", **times, actor=second.handle))["persons"]
        assert set(one["fields"]) == {"inquiry"}
        assert (one["shop"], one["state"], one["purposes"]) == (0, "exposed", ["inquiry"])
        whose = await vault.aftermath.inquiries.inquiries.find(opened)
        assert one["person"] == whose.person
        others = (await ask(vault, "scope", **times, actor=first.handle))["persons"]
        assert not [other for other in others if "inquiry" in other["fields"]]

    bench.run(act)


def test_new_epoch_keys_leave_links_and_words_as_they_were(bench: Bench) -> None:
    """Under the new key, and with the old one gone, the same link opens the same words."""

    async def act(vault: Vault) -> None:
        token = await asked(vault)
        before = _rows(
            bench, "SELECT sealed FROM vault.inquiry_line UNION SELECT sealed FROM vault.inquiry_key"
        )
        await vault.keeping.rotation.begin(What.EPOCH, Path("test"))
        await vault.keeping.rotation.work()
        assert (await ask(vault, "own_inquiry", token=token))["lines"][0]["words"] == WORDS
        after = _rows(
            bench, "SELECT sealed FROM vault.inquiry_line UNION SELECT sealed FROM vault.inquiry_key"
        )
        assert len(after) == len(before) == 2
        assert not {row[0] for row in before} & {row[0] for row in after}
        assert len({row[0][1:5] for row in after}) == 1

    bench.run(act)


def test_of_two_answers_at_the_same_moment_one_is_sent(bench: Bench, mail: Sink) -> None:
    """Nobody holds it, both have read all of it: the row's lock decides; the other is told who was first."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        inquiry = (await asked(vault)).partition("-")[0]
        both = [
            ask(vault, "answer_inquiry", grant=one.grant, inquiry=inquiry, words=one.handle, seen=1)
            for one in (first, second)
        ]
        ended = await asyncio.gather(*both, return_exceptions=True)
        (refused,) = (one for one in ended if isinstance(one, InquiryHeld))
        lines = (await ask(vault, "inquiry", grant=first.grant, inquiry=inquiry))["lines"]
        assert [one["words"] for one in lines if one["kind"] == "answer"] == [refused.facts["handle"]]

    bench.run(act)


@pytest.mark.parametrize("changed", [{"about": "Booking!"}, {"notice": "no such notice"}])
def test_what_the_table_would_refuse_is_refused_before_anything(
    bench: Bench, changed: dict[str, str]
) -> None:
    """Nobody is stored for it, and no entry says so."""

    async def act(vault: Vault) -> None:
        size = vault.record.ledger.size
        with pytest.raises(BadRequest):
            await asked(vault, **changed)
        assert vault.record.ledger.size == size

    bench.run(act)


def test_what_comes_while_she_is_erased_goes_with_her(bench: Bench, mail: Sink) -> None:
    """Adding and erasing wait for each other: no line is left of her."""

    async def act(vault: Vault) -> None:
        token = await asked(vault)
        inquiries = vault.aftermath.inquiries.inquiries
        line, erasing = inquiries.line, []

        async def slowly(*given: Any) -> None:
            erasing.append(asyncio.create_task(ask(vault, "erase_inquiry", token=token)))
            await asyncio.sleep(0.3)
            await line(*given)

        inquiries.line = slowly  # type: ignore[method-assign, assignment]
        await ask(vault, "add_to_inquiry", token=token, words="もうひとつ", promised=PROMISED)
        await erasing[0]
        assert _rows(bench, "SELECT count(*) FROM vault.inquiry_line") == [(0,)]

    bench.run(act)


def test_a_mail_that_could_not_go_is_tried_again_and_comes_once(bench: Bench, mail: Sink) -> None:
    """The server takes none for a while: who asked and who is answered is told all the same, later."""

    async def act(vault: Vault) -> None:
        mails = vault.aftermath.inquiries.mails
        operator, _ = await two(vault, bench.configured.database_url, mail)
        mail.refuse = "451 come back later"
        inquiry = (await asked(vault, mail=MAIL)).partition("-")[0]
        await mails.stop()
        told = await ask(
            vault, "answer_inquiry", grant=operator.grant, inquiry=inquiry, words="はい。", seen=1
        )
        assert (told, _letters(mail)) == ({"mail": "deferred"}, [])
        mail.refuse = None
        await mails.tidy()
        assert _letters(mail) == [], "its time has not come"
        for _ in range(3):
            bench.clock += MINUTE
            await mails.tidy()
        # That there is an answer says that the inquiry came.
        (letter,) = _letters(mail)
        assert "回答があります" in letter
        assert _rows(bench, "SELECT owed FROM vault.inquiry") == [("",)]

    bench.run(act)


def test_a_mail_that_never_goes_is_given_up(bench: Bench, mail: Sink) -> None:
    """After three days; waits grow, so that it was not tried each minute."""

    async def act(vault: Vault) -> None:
        mails = vault.aftermath.inquiries.mails
        mail.refuse = "451 come back later"
        await asked(vault, mail=MAIL)
        await mails.stop()
        waits = []
        while (row := _rows(bench, "SELECT owed, owed_next FROM vault.inquiry")[0])[0]:
            waits.append(int(row[1]) - bench.clock)
            bench.clock = int(row[1])
            await mails.tidy()
        assert waits == sorted(waits)
        assert (waits[0], len(waits) < 20) == (MINUTE, True)
        assert bench.clock - START >= 3 * 24 * 60 * MINUTE
        mail.refuse = None
        await mails.tidy()
        assert _letters(mail) == []

    bench.run(act)


def test_what_ended_before_it_mailed_mails_after_its_start(
    bench: Bench, mail: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inquiry and what is owed for it are one transaction."""

    async def killed(vault: Vault) -> None:
        monkeypatch.setattr(vault.aftermath.inquiries.mails, "later", len)
        await asked(vault, mail=MAIL)

    async def after(vault: Vault) -> None:
        await vault.aftermath.inquiries.mails.tidy()
        assert len(_letters(mail)) == 1

    bench.run(killed)
    assert _letters(mail) == []
    bench.run(after)


def test_nothing_is_owed_to_who_gave_no_address_or_is_erased(bench: Bench, mail: Sink) -> None:
    """Of an erased one the mail that waits goes nowhere."""

    async def act(vault: Vault) -> None:
        mails = vault.aftermath.inquiries.mails
        await asked(vault)
        assert _rows(bench, "SELECT owed FROM vault.inquiry") == [("",)]
        mail.refuse = "451 come back later"
        token = await asked(vault, mail=MAIL)
        await mails.stop()
        await ask(vault, "erase_inquiry", token=token)
        mail.refuse = None
        bench.clock += 10 * MINUTE
        await mails.tidy()
        assert _letters(mail) == []

    bench.run(act)
