"""Notices in the vault: two operators agree to one text by its hash, the ledger keeps it, readers get it."""

import hashlib
import json
import re
from typing import Any

import psycopg
import pytest

from noren_vault.errors import (
    BadField,
    GrantRefused,
    NoSuchEntry,
    NoSuchReader,
    NoticeOver,
    PasskeyRefused,
    SecondPasskeyNeeded,
)
from noren_vault.vault import Vault
from noren_verify import NotWhole, read_key
from noren_verify.notice import verify_text
from tests.servers import Sink
from tests.vault.conftest import Bench, ask
from tests.vault.operators import Operator, enrolled, two

HOUR = 3_600_000


def text(words: str = "何が起きたか", number: int = 1, version: int = 1) -> tuple[bytes, dict[str, Any]]:
    """A text's bytes, and its place with the hash."""
    told = {
        "format": "noren-notice/1",
        "notice": "2026-leak",
        "number": number,
        "version": version,
        "w": words,
    }
    data = json.dumps(told, ensure_ascii=False).encode()
    place = {"notice": "2026-leak", "number": number, "version": version}
    return data, {**place, "hash": hashlib.sha256(data).hexdigest()}


async def published(vault: Vault, first: Operator, second: Operator, place: dict[str, Any]) -> dict[str, Any]:
    """Ask, and agree."""
    one = (await ask(vault, "ask_notice", grant=first.grant, **place))["ask"]
    options = (await ask(vault, "notice_agree_begin", grant=second.grant, ask=one))["options"]
    response = second.passkey.get(options)
    return await ask(vault, "notice_agree", grant=second.grant, ask=one, response=response)


def _link(mail: Sink, to: str, last: int = -1) -> str:
    bodies = [m.get_body(("plain",)) for m in mail.messages if m["To"] == to]
    found = [one.get_content() for one in bodies if one is not None]
    match = re.search(r"/news/mail/(\S+)", found[last])
    assert match
    return match[1]


def test_a_text_is_published_by_two_and_proved_to_anybody(bench: Bench, mail: Sink) -> None:
    """Nobody agrees to her own; the proof fits this text, and no other."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        data, place = text()
        one = (await ask(vault, "ask_notice", grant=first.grant, **place))["ask"]
        assert await ask(vault, "notices_said") == {"said": []}
        with pytest.raises(GrantRefused):
            await ask(vault, "notice_agree_begin", grant=first.grant, ask=one)
        options = (await ask(vault, "notice_agree_begin", grant=second.grant, ask=one))["options"]
        response = second.passkey.get(options)
        said = await ask(vault, "notice_agree", grant=second.grant, ask=one, response=response)
        assert (said["hash"], said["alone"]) == (place["hash"], False)
        assert (await ask(vault, "notices_said", notice="2026-leak"))["said"] == [said]
        proof = (await ask(vault, "notice_proof", entry=said["entry"]))["proof"].encode()
        key = read_key(vault.record.ledger.vkey())
        *_, words = verify_text(data, proof, key)
        assert "by two operators" in words
        with pytest.raises(NotWhole, match="CHANGED"):
            verify_text(data.replace("何が".encode(), "何も".encode()), proof, key)
        with pytest.raises(NoSuchEntry):
            await ask(vault, "notice_proof", entry=said["entry"] - 1)
        with pytest.raises(NoticeOver):
            await ask(vault, "end_notice", grant=first.grant, ask=one)
        [asked] = (await ask(vault, "notices", grant=first.grant))["asks"]
        assert (asked["state"], asked["decider"], asked["own"]) == ("published", second.handle, True)

    bench.run(act)


def test_another_text_cannot_come_in_its_place_but_a_correction_comes_after_it(
    bench: Bench, mail: Sink
) -> None:
    """One hash for a number and version, and none is left out."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        await published(vault, first, second, text()[1])
        for number, version in ((1, 1), (1, 3), (3, 1), (2, 2)):
            with pytest.raises(NoticeOver):
                await ask(vault, "ask_notice", grant=first.grant, **text("別の文", number, version)[1])
        await published(vault, first, second, text("訂正", 1, 2)[1])
        await published(vault, first, second, text("第二報", 2, 1)[1])
        said = (await ask(vault, "notices_said"))["said"]
        assert [(one["number"], one["version"]) for one in said] == [(1, 1), (1, 2), (2, 1)]

    bench.run(act)


def test_the_passkey_is_bound_to_the_text(bench: Bench, mail: Sink) -> None:
    """An answer for one text agrees to no other, and an old asking gives way to a newer one."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        old = (await ask(vault, "ask_notice", grant=first.grant, **text("甲")[1]))["ask"]
        options = (await ask(vault, "notice_agree_begin", grant=second.grant, ask=old))["options"]
        new = (await ask(vault, "ask_notice", grant=first.grant, **text("乙")[1]))["ask"]
        response = second.passkey.get(options)
        with pytest.raises(PasskeyRefused):
            await ask(vault, "notice_agree", grant=second.grant, ask=new, response=response)
        with pytest.raises(NoticeOver):
            await ask(vault, "notice_agree_begin", grant=second.grant, ask=old)
        await ask(vault, "end_notice", grant=second.grant, ask=new)
        states = [one["state"] for one in (await ask(vault, "notices", grant=first.grant))["asks"]]
        assert sorted(states) == ["declined", "withdrawn"]
        assert (await ask(vault, "notices_said"))["said"] == []

    bench.run(act)


def test_who_is_alone_publishes_alone_for_all_to_see(bench: Bench, mail: Sink) -> None:
    """The entry says so for good, and the others are told by mail."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        data, place = text()
        options = (await ask(vault, "notice_alone_begin", grant=first.grant, **place))["options"]
        response = first.passkey.get(options)
        said = await ask(vault, "notice_alone", grant=first.grant, **place, response=response)
        assert said["alone"]
        proof = (await ask(vault, "notice_proof", entry=said["entry"]))["proof"].encode()
        *_, words = verify_text(data, proof, read_key(vault.record.ledger.vkey()))
        assert "ALONE" in words
        await vault.notices.stop()
        told = [m for m in mail.messages if "published alone" in m["Subject"]]
        assert "kei@operators.example.jp" in {m["To"] for m in told}
        assert second.handle

    bench.run(act)


def test_who_has_one_passkey_publishes_nothing(bench: Bench, mail: Sink) -> None:
    """As with powers: she adds another one first."""

    async def act(vault: Vault) -> None:
        token = (await ask(vault, "invite_operator"))["token"]
        only = await enrolled(vault, token, bench.configured.database_url)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM vault.passkey WHERE added_at = 0")
        with pytest.raises(SecondPasskeyNeeded):
            await ask(vault, "ask_notice", grant=only.grant, **text()[1])

    bench.run(act)


def test_a_promise_that_was_not_kept_rings_once(bench: Bench, mail: Sink) -> None:
    """Each of the platform gets one mail, however often the job runs."""

    async def act(vault: Vault) -> None:
        await two(vault, bench.configured.database_url, mail)
        for _ in range(2):
            await ask(vault, "notice_late", notice="2026-leak", number=1)
            await vault.notices.stop()
        told = [m["To"] for m in mail.messages if "update is late" in m["Subject"]]
        assert len(told) == len(set(told)) > 0

    bench.run(act)


def test_a_reader_confirms_is_told_once_and_leaves_without_a_trace(bench: Bench, mail: Sink) -> None:
    """Double opt-in; one message a version however often it is tried; erased on leaving."""
    to = "yomu@example.jp"

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        with pytest.raises(BadField):
            await ask(vault, "reader_ask", mail="nobody", locale="ja")
        await ask(vault, "reader_ask", mail=to, locale="ja")
        await vault.notices.readers.stop()
        token = _link(mail, to)
        assert await ask(vault, "reader", token=token) == {"confirmed": False, "notice": "", "locale": "ja"}
        _, place = text()
        await published(vault, first, second, place)
        letters = {name: {"subject": f"{name} 第一報", "text": "x {leave}"} for name in ("ja", "en")}
        told = await ask(vault, "tell_readers", **place, letters=letters)
        assert told == {"next": "", "waiting": 0, "sent": 0}  # who has not confirmed gets nothing
        await ask(vault, "reader_confirm", token=token)
        for _ in range(2):
            assert (await ask(vault, "tell_readers", **place, letters=letters))["sent"] == 1
        assert [m["Subject"] for m in mail.messages if m["To"] == to][1:] == ["ja 第一報"]
        assert _link(mail, to) == token
        await ask(vault, "reader_leave", token=token)
        assert (await ask(vault, "tell_readers", **place, letters=letters))["sent"] == 0
        for method in ("reader", "reader_confirm", "reader_leave"):
            with pytest.raises(NoSuchReader):
                await ask(vault, method, token=token)

    bench.run(act)
    with psycopg.connect(bench.configured.database_url) as connection:
        [(state, fields)] = connection.execute(
            "SELECT p.state, count(f.field) FROM vault.person p "
            "LEFT JOIN vault.field f USING (shop_id, person) "
            "WHERE p.kind = 'reader' GROUP BY p.state"
        ).fetchall()
    assert (state, fields) == ("erased", 0)


def test_who_never_confirms_is_erased_and_can_ask_anew(bench: Bench, mail: Sink) -> None:
    """Her hour passes like that of who never finished booking."""
    to = "matsu@example.jp"

    async def act(vault: Vault) -> None:
        await ask(vault, "reader_ask", mail=to, locale="en", notice="2026-leak")
        await vault.notices.readers.stop()
        bench.clock += 2 * HOUR
        await vault.records.erase_unkept(bench.clock)
        await vault.notices.tidy()
        with pytest.raises(NoSuchReader):
            await ask(vault, "reader_confirm", token=_link(mail, to))
        await ask(vault, "reader_ask", mail=to, locale="en")
        await vault.notices.readers.stop()
        await ask(vault, "reader_confirm", token=_link(mail, to))
        # Typed once more she is told that she gets them, with the same link.
        bench.clock += HOUR
        await ask(vault, "reader_ask", mail=to, locale="en")
        await vault.notices.readers.stop()
        assert _link(mail, to) == _link(mail, to, -2)

    bench.run(act)


def test_what_is_published_is_not_published_again(bench: Bench, mail: Sink) -> None:
    """The very same text once more is refused, asked for by two or alone; an asking from before, too."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        _, place = text()
        options = (await ask(vault, "notice_alone_begin", grant=first.grant, **place))["options"]
        response = first.passkey.get(options)
        one = (await ask(vault, "ask_notice", grant=second.grant, **place))["ask"]
        other = (await ask(vault, "notice_agree_begin", grant=first.grant, ask=one))["options"]
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.notice_ask SET number = 2")
        await ask(vault, "notice_alone", grant=first.grant, **place, response=response)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute("UPDATE vault.notice_ask SET number = 1 WHERE state = 'asked'")
        with pytest.raises(NoticeOver):
            await ask(vault, "notice_agree", grant=first.grant, ask=one, response=first.passkey.get(other))
        for method in ("ask_notice", "notice_alone_begin"):
            with pytest.raises(NoticeOver):
                await ask(vault, method, grant=first.grant, **place)

    bench.run(act)


def test_one_reader_whose_link_does_not_open_keeps_nobody_from_being_told(bench: Bench, mail: Sink) -> None:
    """The others get the notice; she is left out, and it is said that she was."""

    async def act(vault: Vault) -> None:
        first, second = await two(vault, bench.configured.database_url, mail)
        for name in ("one", "two"):
            asked = {"mail": f"{name}@readers.example", "locale": "ja", "address": "192.0.2.9"}
            await ask(vault, "reader_ask", **asked)
        await vault.notices.readers.stop()
        for name in ("one", "two"):
            await ask(vault, "reader_confirm", token=_link(mail, f"{name}@readers.example"))
        _, place = text()
        await published(vault, first, second, place)
        with psycopg.connect(bench.configured.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE vault.reader SET sealed = '\\x00' WHERE person = (SELECT min(person::text)::uuid "
                "FROM vault.reader)"
            )
        letters = {one: {"subject": "続報", "text": "{leave}"} for one in ("ja", "en")}
        told = await ask(vault, "tell_readers", **place, letters=letters)
        assert (told["sent"], told["next"]) == (1, "")

    bench.run(act)
