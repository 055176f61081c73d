"""Every method of the vault's protocol as everybody who may come to its socket: who gets in, who is refused.

Made of the vault's own table: a method that is not in ASKED fails by name. `in` is whoever gets past the
asking (an answer, or a refusal for another reason: a wrong code, a budget); `absent` is told, of another
shop's things and of nobody's alike, that there is none.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from noren.incidents.telling_words import HOUSE
from noren.runtime import databases, env
from noren_vault import settings
from noren_vault.errors import VaultError
from noren_vault.peer import Peer
from noren_vault.protocol import Params, Request
from noren_vault.vault import Vault
from tests.servers import Server, Sink
from tests.vault.authenticator import Passkey
from tests.vault.operators import second_passkey

# `operator` has no power; `reader` is an operator under the one to read the record.
ASKERS = (
    "nobody",
    "customer",
    "owner",
    "staff",
    "other_owner",
    "operator",
    "reader",
    "auditor",
    "admin",
)
START = 1_790_000_000_000
SALON, YOGA = 1, 2
WEB, ADMIN = Peer(uid=1000, admin=False), Peer(uid=0, admin=True)
REFUSED = ("GrantExpired", "GrantRefused", "PurposeRefused")
POWERS = ("PowerNeeded", "PowerOver")
ABSENT = (
    "NoSuchPerson",
    "NoSuchMember",
    "NoSuchTransfer",
    "NoSuchRequest",
    "NoSuchEntry",
    "NoSuchPasskey",
    "NoSuchSession",
    "NoSuchPower",
    "NoSuchApiKey",
    "NoSuchIncident",
    "NoSuchSign",
    "NoSuchFile",
    "NoSuchNotice",
    "NoSuchInquiry",
    "NoSuchTelling",
    "NoSuchSecret",
)

Wire = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """What is asked with (`person`, `member`, `transfer`: the salon's), and who is told what; or refused."""

    params: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    # With params that no act takes: what is asked for would change the vault for all.
    bad: bool = False


def _told(**by: str) -> dict[str, str]:
    """Read `who="in"`; askers stand in the names, `_and_` between them."""
    return {who: what for names, what in by.items() for who in names.split("_and_")}


EVERYBODY = dict.fromkeys(ASKERS, "in")
A_MEMBER = _told(owner_and_staff_and_other_owner="in")
OF_A_SHOP = _told(customer_and_owner_and_staff_and_other_owner="in")
A_CUSTOMER = _told(customer="in")
AN_OWNER = _told(owner_and_other_owner="in")
OF_THE_SHOP = _told(owner_and_staff="in", other_owner="absent")
OF_THE_OWNER = _told(owner="in", other_owner="absent")
# Under the power to read the record; or by standing, as an auditor; or under another power.
A_READER = _told(operator="power", reader_and_admin="in")
ASKS_THE_RECORD = {**A_READER, "auditor": "in"}
UNDER_ANOTHER = _told(operator_and_reader="power", admin="in")
AN_OPERATOR = _told(operator_and_reader="in")
OF_A_POWER = _told(operator_and_reader="absent")
OF_THE_PLATFORM = {**AN_OPERATOR, "auditor": "in"}
OF_A_KEY = _told(owner_and_other_owner="absent")
AN_ADMIN = _told(admin="in")
# Who has a grant, whoever it is: their own account, and nobody else's.
WITH_A_GRANT = tuple(one for one in ASKERS if one not in ("nobody", "admin"))
ONESELF = dict.fromkeys(WITH_A_GRANT, "in")
OWN_THINGS = dict.fromkeys(WITH_A_GRANT, "absent")
NOBODYS = "00000000-0000-4000-8000-000000000000"
LENT = {"what": "rotate_keys", "words": "鍵を替える", "minutes": 5}
A_TEXT = {"notice": "a-notice", "number": 1, "version": 1, "hash": "0" * 64}
SHOWN: Wire = {"rawId": "AAAA", "response": {}}
TIME = {"since": 1, "until": 2}
A_TELLING: Wire = {"incident": "none", "question": TIME, "notice": "a-notice", "words": HOUSE, "shops": {}}

A_BLOCK = {"incident": "none", "kind": "address", "name": "203.0.113.9"}
ASKED: dict[str, Ask] = {
    # What anybody at the socket may ask: it tells nothing, or a secret in the request opens it.
    "health": Ask(told=EVERYBODY),
    "checkpoint": Ask(told=EVERYBODY),
    "builds": Ask(told=EVERYBODY),
    "doors_state": Ask(told=EVERYBODY),
    "signin_begin": Ask(told=EVERYBODY),
    "signin_finish": Ask({"challenge": "AAAA", "response": SHOWN}, EVERYBODY),
    "register_begin": Ask({"invite": "made up"}, EVERYBODY),
    "register_finish": Ask({"invite": "made up", "response": SHOWN}, EVERYBODY),
    "join_begin": Ask({"invite": "made up"}, EVERYBODY),
    "join_finish": Ask({"invite": "made up", "response": SHOWN}, EVERYBODY),
    "reset_begin": Ask({"shop": SALON, "mail": "nobody@example.jp"}, EVERYBODY),
    "reset_finish": Ask({"token": "made up", "password": "x" * 20}, EVERYBODY),
    "use_api_key": Ask({"key": "made up", "shop": SALON, "scope": "bookings:read"}, EVERYBODY),
    "reveal_by_key": Ask(
        {
            "key": "made up",
            "shop": SALON,
            "purpose": "customer",
            "persons": ["person"],
            "fields": ["name"],
            "nonce": "matrix",
        },
        EVERYBODY,
    ),
    "password_check": Ask({"shop": SALON, "mail": "a@example.jp", "password": "x" * 20}, EVERYBODY),
    "mailed_check": Ask({"second": "made up", "code": "000000"}, EVERYBODY),
    "totp_check": Ask({"second": "made up", "code": "000000"}, EVERYBODY),
    "recovery_use": Ask({"second": "made up", "code": "000000"}, EVERYBODY),
    "own_begin": Ask({"shop": SALON, "mail": "nobody@example.jp"}, EVERYBODY),
    "own_finish": Ask({"shop": SALON, "mail": "nobody@example.jp", "code": "000000"}, EVERYBODY),
    "prove_begin": Ask({"shop": SALON, "person": "person"}, EVERYBODY),
    "prove_finish": Ask({"shop": SALON, "person": "person", "code": "000000"}, EVERYBODY),
    # The app itself, without anybody's right: in it goes, out comes an id; a letter reaches whom it is about.
    "put": Ask({"shop": SALON, "key": "matrix", "fields": {"name": "誰か"}}, EVERYBODY),
    "keep": Ask({"shop": SALON, "person": "person"}, EVERYBODY),
    "send": Ask(
        {"shop": SALON, "person": "person", "message_key": "matrix", "subject": "s", "text": "t"}, EVERYBODY
    ),
    "owners": Ask({"shop": SALON}, EVERYBODY),
    "team": Ask({"shop": SALON}, EVERYBODY),
    # Persons.
    "reveal": Ask({"purpose": "customer", "persons": ["person"], "fields": ["name"]}, OF_THE_SHOP),
    "search": Ask({"query": "山田"}, A_MEMBER),
    "update": Ask({"person": "person", "fields": {"kana": "ヤマダ"}}, {**OF_THE_SHOP, "customer": "in"}),
    "messages": Ask({"person": "person"}, OF_THE_SHOP),
    "try_address": Ask({"person": "person"}, OF_THE_SHOP),
    "unreached": Ask({"persons": ["person"]}, OF_THE_OWNER),
    "erase": Ask(
        {"shop": SALON, "person": "00000000-0000-4000-8000-000000000000", "reason": "asked"},
        _told(owner_and_admin="absent"),
    ),
    # A customer's card, and two records that are one person's.
    "write_line": Ask(
        {"person": "person", "field": "notes", "line": "matrix-01", "booking": 0, "text": "窓ぎわ"},
        OF_THE_SHOP,
    ),
    "tag": Ask({"person": "person", "add": [1]}, OF_THE_SHOP),
    "alike": Ask({"person": "person", "wait": True}, OF_THE_SHOP),
    "compare": Ask({"person": "person", "into": NOBODYS}, _told(owner_and_staff_and_other_owner="absent")),
    "merge": Ask({"person": "person", "into": NOBODYS}, _told(owner_and_staff_and_other_owner="absent")),
    "unmerge": Ask({"person": "person"}, _told(owner_and_staff_and_other_owner="in")),
    "merge_state": Ask({"shop": SALON, "person": "person"}, EVERYBODY),
    "merges": Ask({"shop": SALON}, ASKS_THE_RECORD),
    "same_persons": Ask({"persons": ["person"]}, ASKS_THE_RECORD),
    # A customer's own.
    "lookups": Ask(told=_told(customer="in")),
    "looks": Ask({"person": "person"}, OF_THE_OWNER),
    "lookup_proof": Ask({"entry": 999_999}, _told(customer="absent")),
    # Who works there, and what they may.
    "members": Ask(told=AN_OWNER),
    "rights": Ask(told=AN_OWNER),
    "permissions": Ask(told=AN_OWNER),
    "permit": Ask({"role": "manager", "permission": "hours.change", "given": True}, AN_OWNER),
    "narrow": Ask({"role": "reception", "purpose": "search", "fields": ["name"]}, AN_OWNER),
    "add_member": Ask(
        {"member": {"handle": "new", "role": "staff", "staff": None, "name": "n", "mail": "n@example.jp"}},
        AN_OWNER,
    ),
    "resend_invite": Ask({"handle": "member"}, OF_THE_OWNER),
    "change_member": Ask({"handle": "member", "role": "reception"}, OF_THE_OWNER),
    "end_member": Ask({"handle": "member"}, OF_THE_OWNER),
    "who_looked": Ask(told=AN_OWNER),
    "naming": Ask(told=AN_OWNER),
    "name_staff": Ask({"named": False}, AN_OWNER),
    # One's own sign-in.
    "whoami": Ask(told=ONESELF),
    "security": Ask(told=ONESELF),
    "security_events": Ask(told=ONESELF),
    "confirm_state": Ask(told=ONESELF),
    "confirm_begin": Ask(told=ONESELF),
    "confirm_finish": Ask({"response": SHOWN}, ONESELF),
    "confirm_password": Ask({"password": "x" * 20}, ONESELF),
    "passkey_begin": Ask(told=ONESELF),
    "passkey_finish": Ask({"response": SHOWN}, ONESELF),
    "passkey_rename": Ask({"name": "pk-none", "label": "x"}, OWN_THINGS),
    "passkey_remove": Ask({"name": "pk-none"}, OWN_THINGS),
    "sessions_end": Ask({"which": "one", "id": "none"}, OWN_THINGS),
    "not_me": Ask({"id": "none"}, OWN_THINGS),
    "passkey_rule": Ask(told=AN_OWNER),
    "require_passkeys": Ask({"roles": []}, AN_OWNER),
    # A shop's programs.
    "api_keys": Ask(told=AN_OWNER),
    "make_api_key": Ask({"label": "x", "scopes": ["bookings:read"], "days": 1}, AN_OWNER),
    "end_api_key": Ask({"name": "none"}, OF_A_KEY),
    "signout": Ask(told=EVERYBODY),
    "enter_shop": Ask({"shop": YOGA}, _told(other_owner="in")),
    "password_set": Ask({"password": "short"}, OF_A_SHOP),
    "totp_begin": Ask(told=OF_A_SHOP),
    "totp_finish": Ask({"code": "000000"}, OF_A_SHOP),
    "totp_end": Ask(told=OF_A_SHOP),
    "recovery_make": Ask(told=OF_A_SHOP),
    # A customer's account.
    "own_account": Ask(told=A_CUSTOMER),
    "own_let_go": Ask({"person": "person"}, _told(customer="absent")),
    "own_end": Ask(told=A_CUSTOMER),
    "own_word": Ask({"text": "窓ぎわで"}, A_CUSTOMER),
    "own_answers": Ask({"booking": 1, "fields": {"answers": "長め"}}, A_CUSTOMER),
    "own_forget": Ask({"fields": ["health"]}, A_CUSTOMER),
    "own_address_begin": Ask(told=A_CUSTOMER),
    "own_address_finish": Ask({"code": "000000"}, A_CUSTOMER),
    # Signing in by an organisation's provider.
    "sso_at": Ask({"shop": SALON}, EVERYBODY),
    "sso_begin": Ask({"shop": SALON}, {**EVERYBODY, "customer": "refused"}),
    "sso_finish": Ask({"flow": "made up", "state": "s", "code": "c"}, EVERYBODY),
    "sso_logout": Ask({"shop": SALON, "token": "made up"}, EVERYBODY),
    "sso": Ask(told=AN_OWNER),
    "sso_set_begin": Ask({"sso": {}}, AN_OWNER),
    "sso_set_finish": Ask({"sso": {}, "response": SHOWN}, AN_OWNER),
    "sso_platform": Ask({"sso": {"issuer": 1}}, AN_ADMIN, bad=True),
    # Budgets.
    "budget": Ask(told={**A_MEMBER, "customer": "in"}),
    "step_up_begin": Ask(told=ONESELF),
    "step_up_finish": Ask({"response": SHOWN}, ONESELF),
    "ask_second": Ask({"reason": "急ぎ", "amount": 50, "minutes": 15}, A_MEMBER),
    "decide_second": Ask({"request": "made up", "approve": True}, _told(owner_and_other_owner="absent")),
    # Lists.
    "transfers": Ask(told=AN_OWNER),
    "ask_export": Ask({"reason": "moving", "words": "移る", "fields": ["name"]}, OF_THE_OWNER),
    "ask_import": Ask(
        {"reason": "moving", "words": "移る", "fields": ["name"], "rows": 1, "about": "0" * 64}, AN_OWNER
    ),
    "agree_begin": Ask({"transfer": "made up"}, _told(owner_and_other_owner="absent")),
    "agree_finish": Ask({"transfer": "made up", "response": SHOWN}, _told(owner_and_other_owner="absent")),
    "decline_transfer": Ask({"transfer": "made up"}, _told(owner_and_other_owner="absent")),
    "cancel_transfer": Ask({"transfer": "made up"}, _told(owner_and_other_owner="absent")),
    "open_export": Ask({"transfer": "transfer"}, OF_THE_OWNER),
    "export_piece": Ask({"transfer": "transfer", "piece": 0}, OF_THE_OWNER, bad=True),
    "look_import": Ask({"rows": [{"key": "matrix", "fields": {"name": "誰か"}}]}, AN_OWNER),
    "import_brought": Ask({"transfer": "made up"}, _told(owner_and_other_owner="absent")),
    "undo_import": Ask({"transfer": "made up", "persons": []}, _told(owner_and_other_owner="absent")),
    "take_import": Ask(
        {"transfer": "made up", "first": 0, "rows": [], "check": True},
        _told(owner_and_other_owner_and_staff_and_customer="absent"),
    ),
    "leave_import": Ask(
        {"transfer": "made up", "first": 0, "rows": [{"key": "matrix", "fields": {"name": "誰か"}}]},
        _told(owner_and_other_owner_and_staff_and_customer="absent"),
    ),
    # The record: an auditor, an operator under a power, or an administrator's shell.
    "scope": Ask(TIME, ASKS_THE_RECORD),
    "evidence": Ask({"size": 1}, ASKS_THE_RECORD),
    "entries": Ask({"first": 0, "count": 1}, ASKS_THE_RECORD),
    "entry_proof": Ask({"entry": 0}, ASKS_THE_RECORD),
    "doctor": Ask(told=ASKS_THE_RECORD),
    "doors": Ask(TIME, A_READER),
    "trace": Ask({"texts": ["x"]}, A_READER),
    "open_investigation": Ask({"name": "matrix", "shop": SALON}, UNDER_ANOTHER),
    "close_investigation": Ask({"name": "matrix"}, UNDER_ANOTHER),
    "keys": Ask(told=UNDER_ANOTHER),
    "rotate_keys": Ask({"what": "nothing"}, UNDER_ANOTHER, bad=True),
    "end_grants": Ask({"whose": "actor", "name": "nobody.salon"}, UNDER_ANOTHER),
    "revoke": Ask({"whose": "none", "name": "none"}, UNDER_ANOTHER, bad=True),
    "forced_weigh": Ask({"whose": "none"}, UNDER_ANOTHER, bad=True),
    "forced_begin": Ask({"whose": "none"}, UNDER_ANOTHER, bad=True),
    # Powers: operators lend them to each other; who decides in a shop sees what began there.
    "powers": Ask(told={**OF_THE_PLATFORM, **AN_OWNER}),
    "ask_power": Ask(LENT, AN_OPERATOR),
    "glass_begin": Ask(LENT, AN_OPERATOR),
    "break_glass": Ask({**LENT, "response": SHOWN}, AN_OPERATOR),
    "lend_begin": Ask({"power": "none"}, OF_A_POWER),
    "lend_finish": Ask({"power": "none", "response": SHOWN}, OF_A_POWER),
    "decline_power": Ask({"power": "none"}, OF_A_POWER),
    "enter_power": Ask({"power": "none"}, OF_A_POWER),
    "end_power": Ask({"power": "none"}, OWN_THINGS),
    "review_power": Ask({"power": "none", "words": "x"}, OF_A_POWER),
    "platform_people": Ask(told=OF_THE_PLATFORM),
    # An incident: to who is no member there is none.
    "open_incident": Ask({"words": "{}"}, {**AN_OPERATOR, "admin": "in"}),
    "incidents": Ask(told={**AN_OPERATOR, "admin": "in"}),
    "incident": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "incident_places": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "add_to_incident": Ask(
        {"incident": "none", "kind": "note", "words": "x"}, {**OF_A_POWER, "admin": "absent"}
    ),
    "incident_member": Ask(
        {"incident": "none", "handle": "first.operator", "standing": "in"}, {**OF_A_POWER, "admin": "absent"}
    ),
    # A pack: an operator who is a member hands it over; who may change the shop reads it.
    "hand_pack": Ask(
        {"incident": "none", "shop": SALON, "words": "{}", "question": {**TIME, "size": 1}},
        {**OF_A_POWER, "admin": "absent"},
    ),
    "packs": Ask(told=AN_OWNER),
    "pack_people": Ask({"incident": "none"}, _told(owner_and_other_owner="absent")),
    "confirm_pack": Ask({"incident": "none", "number": 1}, _told(owner_and_other_owner="absent")),
    # Signs: every operator's. Whoever reports one from outside has no grant.
    "signs": Ask(told={**AN_OPERATOR, "admin": "in"}),
    "sign": Ask({"sign": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "sign_file": Ask({"sign": "none", "file": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "take_sign": Ask({"sign": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "dismiss_sign": Ask({"sign": "none", "because": "x"}, {**OF_A_POWER, "admin": "absent"}),
    "join_sign": Ask({"sign": "none", "opened": "{}", "words": "{}"}, {**OF_A_POWER, "admin": "absent"}),
    "tell_sign": Ask({"text": "x"}, {**AN_OPERATOR, "admin": "in"}),
    "report": Ask({"key": "0" * 32, "text": "x", "files": []}, EVERYBODY),
    "evidence_take": Ask(
        {"incident": "none", "file": {"name": "x", "content": "eA=="}}, {**OF_A_POWER, "admin": "absent"}
    ),
    "evidence_list": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "evidence_open": Ask({"incident": "none", "file": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "incident_facts": Ask({"incident": "none", "actor": "x", **TIME}, {**OF_A_POWER, "admin": "absent"}),
    "incident_snapshot": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "incident_contained": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "hold": Ask({"incident": "none", "shop": SALON, "days": 1}, {**OF_A_POWER, "admin": "absent"}),
    "release_hold": Ask({"incident": "none", "hold": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "freeze_exports": Ask({"incident": "none", "shop": SALON}, {**OF_A_POWER, "admin": "absent"}),
    "thaw_exports": Ask({"incident": "none", "freeze": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "path_blocks": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "weigh_block": Ask(A_BLOCK, {**OF_A_POWER, "admin": "absent"}),
    "block_path": Ask({**A_BLOCK, "hours": 1}, {**OF_A_POWER, "admin": "absent"}),
    "open_path": Ask({"incident": "none", "block": "none"}, {**OF_A_POWER, "admin": "absent"}),
    # Telling people: to who is no member of the incident there is none; a code is its holder's.
    "make_telling": Ask(A_TELLING, {**OF_A_POWER, "admin": "absent"}),
    "tellings": Ask({"incident": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "telling": Ask({"telling": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "telling_languages": Ask(
        {"telling": "none", "shop": SALON, "languages": {}}, {**OF_A_POWER, "admin": "absent"}
    ),
    "telling_people": Ask({"telling": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "preview_telling": Ask({"telling": "none", "person": NOBODYS}, {**OF_A_POWER, "admin": "absent"}),
    "try_telling": Ask({"telling": "none", "person": NOBODYS}, OF_A_POWER),
    "telling_begin": Ask({"telling": "none"}, OF_A_POWER),
    "telling_agree": Ask({"telling": "none", "response": SHOWN}, OF_A_POWER),
    "withdraw_telling": Ask({"telling": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "stop_telling": Ask({"telling": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "resume_telling": Ask({"telling": "none"}, {**OF_A_POWER, "admin": "absent"}),
    "exposed": Ask({"code": "made up"}, EVERYBODY),
    "telling_letters": Ask(told=AN_OWNER),
    # The public's notices: published by two operators, read and subscribed to by anybody.
    "notices": Ask(told=AN_OPERATOR),
    "ask_notice": Ask(A_TEXT, AN_OPERATOR),
    "notice_alone_begin": Ask(A_TEXT, AN_OPERATOR),
    "notice_alone": Ask({**A_TEXT, "response": SHOWN}, AN_OPERATOR),
    "notice_agree_begin": Ask({"ask": "none"}, OF_A_POWER),
    "notice_agree": Ask({"ask": "none", "response": SHOWN}, OF_A_POWER),
    "end_notice": Ask({"ask": "none"}, OF_A_POWER),
    "notices_said": Ask(told=EVERYBODY),
    "notice_proof": Ask({"entry": 999_999}, dict.fromkeys(ASKERS, "absent")),
    # What was left by who was agreed to.
    "step_import": Ask({"shop": SALON, "transfer": "made up", "first": 0}, dict.fromkeys(ASKERS, "absent")),
    "notice_late": Ask({"notice": "a-notice", "number": 1}, EVERYBODY),
    "tell_readers": Ask(
        {**A_TEXT, "letters": {one: {"subject": "s", "text": "t"} for one in ("ja", "en")}}, EVERYBODY
    ),
    "reader_ask": Ask({"mail": "nobody@example.jp", "locale": "ja"}, EVERYBODY),
    "reader": Ask({"token": "made up"}, EVERYBODY),
    "reader_confirm": Ask({"token": "made up"}, EVERYBODY),
    "reader_leave": Ask({"token": "made up"}, EVERYBODY),
    # The inquiry desk: who asks has a form or a link, who answers is an operator without any power.
    "inquiry_form": Ask(told=EVERYBODY),
    "ask_inquiry": Ask({"words": "x", "about": "other", "locale": "ja", "promised": 1}, EVERYBODY),
    "own_inquiry": Ask({"token": "none-x"}, dict.fromkeys(ASKERS, "absent")),
    "add_to_inquiry": Ask({"token": "none-x", "words": "x", "promised": 1}, dict.fromkeys(ASKERS, "absent")),
    "renew_inquiry": Ask({"token": "none-x"}, dict.fromkeys(ASKERS, "absent")),
    "erase_inquiry": Ask({"token": "none-x"}, dict.fromkeys(ASKERS, "absent")),
    "inquiries": Ask(told=AN_OPERATOR),
    "inquiry": Ask({"inquiry": "none"}, OF_A_POWER),
    "take_inquiry": Ask({"inquiry": "none"}, OF_A_POWER),
    "give_back_inquiry": Ask({"inquiry": "none"}, OF_A_POWER),
    "answer_inquiry": Ask({"inquiry": "none", "words": "x", "seen": 1}, OF_A_POWER),
    "note_inquiry": Ask({"inquiry": "none", "words": "x"}, OF_A_POWER),
    "move_inquiry": Ask({"inquiry": "none", "state": "closed"}, OF_A_POWER),
    "link_inquiry": Ask({"inquiry": "none", "incident": ""}, OF_A_POWER),
    "relink_inquiry": Ask({"inquiry": "none"}, OF_A_POWER),
    "pasted_made_anew": Ask({"secret": 999_999}, OF_A_POWER),
    # The inventory of secrets: of places and dates, without a secret in it.
    "secrets": Ask(told=_told(operator_and_reader_and_admin="in")),
    "note_secret": Ask(
        {"kind": "place", "secret": "own-none", "place": "wiki", "words": {"text": "x"}},
        _told(operator_and_reader_and_admin="absent"),
    ),
    "end_secret_note": Ask({"note": "none"}, _told(operator_and_reader_and_admin="absent")),
    "forced_resets": Ask(told={**AN_OPERATOR, "admin": "in"}),
    # The machine's own.
    "found_shop": Ask({"shop": 3, "slug": "third", "members": []}, AN_ADMIN),
    "invite_operator": Ask({"name": "second"}, AN_ADMIN),
    "import": Ask({"shop": SALON, "rows": []}, AN_ADMIN),
    "rebuild_index": Ask(told=AN_ADMIN),
    "unknown_messages": Ask(told=AN_ADMIN),
    "decide_message": Ask({"shop": SALON, "message_key": "none", "decision": "none"}, AN_ADMIN, bad=True),
    "forced_stop": Ask({"reset": "none"}, AN_ADMIN),
    "forced_resume": Ask({"reset": "none"}, AN_ADMIN),
    "retire_keys": Ask({"key": "00000000"}, AN_ADMIN),
    "backup_begin": Ask({"backup": "none"}, AN_ADMIN, bad=True),
    "backup_end": Ask({"backup": "none", "manifest": "none"}, AN_ADMIN, bad=True),
    "backup_canary": Ask({"person": "none"}, AN_ADMIN, bad=True),
    "backup_restored": Ask({"backup": "none", "told": "none", "size": 1}, AN_ADMIN, bad=True),
    "report_doors": Ask({"cluster": "none", "signs": [], "ended": []}, AN_ADMIN, bad=True),
    "digests": Ask(told=AN_ADMIN),
    "found_sign": Ask({"what": "doctor", "about": "x", "text": "x"}, AN_ADMIN),
    "explain_door": Ask({"session": "none", "because": "nothing"}, AN_ADMIN, bad=True),
}
# What ends somebody's grant comes after all else, and in this order.
LAST = ("end_member", "own_end", "enter_shop", "signout")


def _settings(vault_server: Server, name: str, mail: Sink, folder: Any) -> settings.Settings:
    words = databases.vault(env.read(), "vault") | {"dbname": name}
    me = frozenset({os.geteuid()})
    return settings.Settings(
        socket=folder / "vault.sock",
        database_url=databases.url(words),
        keys=folder / "keys",
        ledger=folder / "ledger",
        origin="http://localhost:8000",
        smtp_url=mail.url,
        mail_from="Noren <noren@example.jp>",
        bounces=None,
        peer_uids=me,
        admin_uids=me,
    )


async def _ask(vault: Vault, peer: Peer, method: str, params: Wire) -> Wire:
    return (await vault.methods.answer(Request(method, Params(params)), peer)).ok


class House:
    """Two shops in a vault of this process, and everybody's grant."""

    def __init__(self, vault: Vault, mail: Sink) -> None:
        self.vault = vault
        self.mail = mail
        self.grants: dict[str, str] = {}
        self.names: dict[str, str] = {}

    async def furnish(self) -> None:
        members = [self._member("aoi", "owner"), self._member("ren", "staff")]
        members += [self._member("mei", "manager"), self._member("eri", "manager")]
        await self.ask(ADMIN, "found_shop", shop=SALON, slug="salon", members=members)
        sora = self._member("sora", "owner")
        await self.ask(ADMIN, "found_shop", shop=YOGA, slug="yoga", members=[sora])
        for who, name in (("owner", "aoi"), ("staff", "ren"), ("other_owner", "sora"), ("manager", "mei")):
            self.grants[who] = await self._joined(self._token(name))
        await self._platform()
        fields = {"name": "山田 花子", "mail": "hanako@example.jp"}
        person = (await self.ask(WEB, "put", shop=SALON, key="c1", fields=fields))["person"]
        await self.ask(WEB, "keep", shop=SALON, person=person)
        await self.ask(WEB, "prove_begin", shop=SALON, person=person)
        code = await self._code("hanako@example.jp")
        proved = await self.ask(WEB, "prove_finish", shop=SALON, person=person, code=code)
        self.grants["customer"] = proved["grant"]
        asked = {"reason": "moving", "words": "移る", "fields": ["name"], "grant": self.grants["owner"]}
        transfer = (await self.ask(WEB, "ask_export", **asked))["transfer"]
        self.names = {"person": person, "member": "eri.salon", "transfer": transfer}

    async def _platform(self) -> None:
        """An operator, the same under the power to read the record, and an auditor, by broken glass."""
        token = (await self.ask(ADMIN, "invite_operator", name="first"))["token"]
        self.grants["operator"] = grant = await self._joined(token)
        passkey = second_passkey(self.vault.settings.database_url, "first.operator")
        audit = {"what": "invite_auditor", "about": "audit", "mail": "audit@staff.example.jp", "days": 30}
        for wanted in (audit, {"what": "read_ledger_entries", "minutes": 15}):
            ask = {"grant": grant, "words": "調べもの", **wanted}
            options = (await self.ask(WEB, "glass_begin", **ask))["options"]
            response = passkey.get(options)
            power = (await self.ask(WEB, "break_glass", **ask, response=response))["power"]
        await self.ask(WEB, "enter_power", grant=grant, power=power)
        self.grants["reader"] = f"{grant}.{power}"
        self.grants["auditor"] = await self._joined(self._token("audit"))

    async def ask(self, peer: Peer, method: str, **params: Any) -> Wire:
        return await _ask(self.vault, peer, method, params)

    async def outcome(self, who: str, method: str, asked: Ask) -> str:
        """Ask as somebody; gives what came of it."""
        params = {name: self._filled(value) for name, value in asked.params.items()}
        if who in self.grants:
            params["grant"] = self.grants[who]
        try:
            await _ask(self.vault, ADMIN if who == "admin" else WEB, method, params)
        except VaultError as refusal:
            if refusal.code in REFUSED:
                return "refused"
            if refusal.code in POWERS:
                return "power"
            if refusal.code in ABSENT:
                return "absent"
            if refusal.code == "BadRequest" and not asked.bad:
                return f"BadRequest: {refusal}"
        return "in"

    def _filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return self.names.get(value, value) if isinstance(value, str) else value

    def _member(self, name: str, role: str) -> Wire:
        return {
            "handle": name,
            "role": role,
            "staff": None,
            "name": f"{name}さん",
            "mail": f"{name}@staff.example.jp",
        }

    def _token(self, name: str) -> str:
        return self._found(f"{name}@staff.example.jp", r"/join#(\S+)")[-1]

    async def _code(self, address: str) -> str:
        while not (found := self._found(address, r"\b(\d{6})\b")):  # noqa: ASYNC110 - an SMTP server writes it
            await asyncio.sleep(0.05)
        return found[-1]

    def _found(self, address: str, pattern: str) -> list[str]:
        found: list[str] = []
        for message in self.mail.messages:
            body = message.get_body(("plain",))
            if body is not None and message["To"] == address:
                found += re.findall(pattern, body.get_content())
        return found

    async def _joined(self, token: str) -> str:
        passkey = Passkey()
        options = (await self.ask(WEB, "register_begin", invite=token))["options"]
        answer = passkey.create(options)
        return str((await self.ask(WEB, "register_finish", invite=token, response=answer))["grant"])


Told = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def told(vault_server: Server, module_mail: Sink, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What everybody was told at every method: each asked once, in one life of one vault."""
    folder = tmp_path_factory.mktemp("vault")

    async def all_of_it(name: str) -> Told:
        vault = await Vault.open(_settings(vault_server, name, module_mail, folder), lambda: START)
        try:
            house, found = House(vault, module_mail), dict[str, dict[str, str]]()
            await house.furnish()
            for method in sorted(vault.methods.names, key=_order):
                found[method] = {}
                if (asked := ASKED.get(method)) is None:
                    continue
                # Whoever is refused comes first: what is done by who may changes nothing for them.
                for who in sorted(ASKERS, key=_refused_first(asked)):
                    found[method][who] = await house.outcome(who, method, asked)
            return found
        finally:
            await vault.close()

    with vault_server.clone() as name:
        return asyncio.run(all_of_it(name))


def _order(method: str) -> tuple[int, str]:
    return (LAST.index(method) if method in LAST else -1, method)


def _refused_first(asked: Ask) -> Callable[[str], bool]:
    return lambda who: asked.told.get(who) == "in"


def test_it_knows_every_method(told: Told) -> None:
    """A method that is new says here who may ask it: put it into ASKED, with params that it takes."""
    assert sorted(told) == sorted(ASKED)


@pytest.mark.parametrize("method", sorted(ASKED))
def test_it_answers_whom_it_should(told: Told, method: str) -> None:
    assert told[method] == {who: ASKED[method].told.get(who, "refused") for who in ASKERS}
