"""The protocol's methods: read the params, check who asks, call one act, shape the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from noren_vault import fields, transfers
from noren_vault import rights as rules
from noren_vault.api_keys import ApiKeys
from noren_vault.backup_methods import BackupMethods
from noren_vault.blocked import LETS_IN
from noren_vault.builds import Builds
from noren_vault.courier import Courier
from noren_vault.doctor import Doctor
from noren_vault.errors import (
    BadRequest,
    GrantExpired,
    GrantRefused,
    LedgerUnavailable,
    NoSuchEntry,
    PowerNeeded,
    PowerOver,
)
from noren_vault.export_methods import ExportMethods
from noren_vault.export_methods import Method as ExportMethod
from noren_vault.forced import Forced
from noren_vault.grants import Grant, Grants
from noren_vault.importing import Importing
from noren_vault.index import Index
from noren_vault.key_methods import Act, KeyMethods
from noren_vault.ledger import ProofInvalid
from noren_vault.letter import Attachment, Letter
from noren_vault.members import Members
from noren_vault.messages import Messages, decision_of
from noren_vault.mydata_methods import MyDataMethods
from noren_vault.notice_methods import NoticeMethods
from noren_vault.peer import Peer
from noren_vault.people import OWN_KEYS
from noren_vault.power_methods import PowerMethods
from noren_vault.protocol import Params, Request
from noren_vault.question import Question
from noren_vault.record import Record
from noren_vault.records import Records, Told
from noren_vault.reset_methods import ResetMethods
from noren_vault.rights_methods import RightsMethods
from noren_vault.scope import Scope, Wanted
from noren_vault.security_methods import SecurityMethods
from noren_vault.shop_methods import ShopMethods
from noren_vault.signin import SignIn
from noren_vault.signin_methods import SigninMethods, visit_of
from noren_vault.sso_methods import SsoMethods
from noren_vault.witnesses import Watch

_REQUIRED: Final = ("name",)
_KEY: Final = 200
_BUNDLE: Final = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `told` when it holds plaintext, whose leaving is to be recorded."""

    ok: dict[str, Any]
    told: Told | None = None


Method = Callable[[Params, Peer], Awaitable[Answer]]
_ADMIN: Final = frozenset(
    {
        "invite_operator",
        "found_shop",
        "rebuild_index",
        "unknown_messages",
        "decide_message",
        "retire_keys",
        "backup_begin",
        "backup_end",
        "backup_canary",
        "backup_restored",
        "report_doors",
        "digests",
        "explain_door",
        "import",
        "forced_stop",
        "forced_resume",
        "sso_platform",
        "found_sign",
    }
)


class Methods:
    """The table of methods. `answer` is the only way in."""

    def __init__(
        self,
        *,
        rights: RightsMethods,
        powers: PowerMethods,
        exports: ExportMethods,
        mydata: MyDataMethods,
        customers: Mapping[str, Act],
        records: Records,
        importing: Importing,
        courier: Courier,
        messages: Messages,
        members: Members,
        shops: ShopMethods,
        signin: SignIn,
        grants: Grants,
        scope: Scope,
        doctor: Doctor,
        index: Index,
        record: Record,
        builds: Builds,
        watch: Watch,
        keys: KeyMethods,
        passwords: SigninMethods,
        security: SecurityMethods,
        resets: ResetMethods,
        backups: BackupMethods,
        ending: Mapping[str, Act],
        api_keys: ApiKeys,
        forced: Forced,
        sso: SsoMethods,
        incidents: Mapping[str, Act],
        notices: NoticeMethods,
    ) -> None:
        """Keep the acts."""
        self._records = records
        self._importing = importing
        self._courier = courier
        self._messages = messages
        self._members = members
        self._signin = signin
        self._grants = grants
        self._scope = scope
        self._doctor = doctor
        self._index = index
        self._record = record
        self._builds = builds
        self._watch = watch
        acts = keys.acts | passwords.acts | rights.table | powers.table | backups.acts
        acts |= mydata.table | dict(ending) | security.acts | resets.acts | forced.acts
        acts |= api_keys.acts | shops.table | sso.acts | notices.table
        acts |= dict(customers) | dict(incidents)
        self._mails = passwords.mails
        self._methods = self._table() | {name: partial(_plain, act) for name, act in acts.items()}
        self._methods |= {one: _with_told(act) for one, act in (exports.table | api_keys.telling).items()}

    def _table(self) -> dict[str, Method]:
        return {
            "put": self._put,
            "keep": self._keep,
            "update": self._update,
            "reveal": self._reveal,
            "search": self._search,
            "import": self._import,
            "send": self._send,
            "messages": self._messages_of,
            "unreached": self._unreached,
            "try_address": self._try_address,
            "unknown_messages": self._unknown_messages,
            "decide_message": self._decide_message,
            "scope": self._ask_scope,
            "owners": self._owners,
            "evidence": self._evidence,
            "invite_operator": self._invite_operator,
            "found_shop": self._found_shop,
            "add_member": self._add_member,
            "register_begin": self._register_begin,
            "register_finish": self._register_finish,
            "signin_begin": self._signin_begin,
            "signin_finish": self._signin_finish,
            "whoami": self._whoami,
            "signout": self._signout,
            "health": self._health,
            "checkpoint": self._checkpoint,
            "builds": self._list_builds,
            "entries": self._entries,
            "entry_proof": self._entry_proof,
            "doctor": self._examine,
            "rebuild_index": self._rebuild_index,
        }

    @property
    def names(self) -> list[str]:
        """What can be asked."""
        return sorted(self._methods)

    async def answer(self, request: Request, peer: Peer) -> Answer:
        """Do what is asked. Raises VaultError."""
        method = self._methods.get(request.method)
        if method is None:
            raise BadRequest("no such method")
        if not peer.may(request.method):
            raise GrantRefused(f"{peer.name} may not ask {request.method}")
        if request.method in _ADMIN and not peer.admin:
            raise GrantRefused("an administrator's process may ask this")
        if request.method in LETS_IN:
            visit = visit_of(request.params)
            await self._signin.blocked.check(visit, peer.path(visit.session))
        return await method(request.params, peer)

    # -- records

    async def _put(self, params: Params, peer: Peer) -> Answer:
        shop, key = params.shop(), params.text("key", most=_KEY)
        if key.startswith(OWN_KEYS):
            raise BadRequest("the key is one of the vault's own")
        values = fields.checked(params.mapping("fields"), required=_REQUIRED)
        person, created = await self._records.put(shop, key, values, peer.path(params.text("session", "")))
        return Answer({"person": person, "created": created})

    async def _keep(self, params: Params, _: Peer) -> Answer:
        await self._records.keep(params.shop(), params.person("person"))
        return Answer({})

    async def _update(self, params: Params, _: Peer) -> Answer:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        version = await self._records.update(grant, params.person("person"), params.mapping("fields"))
        return Answer({"version": version})

    async def _reveal(self, params: Params, peer: Peer) -> Answer:
        purpose = rules.purpose_of(params.raw.get("purpose"))
        names, persons = fields.known(params.raw.get("fields")), params.persons("persons")
        nonce = params.text("nonce", most=100) if params.raw.get("nonce") is not None else None
        async with self._records.ahead(params.raw.get("grant"), purpose, persons, names) as ahead:
            grant = await self._asker(params, peer)
            told = await self._records.reveal(grant, purpose, persons, names, nonce, ahead=ahead)
        return _told(told)

    async def _search(self, params: Params, peer: Peer) -> Answer:
        grant, tag = await self._asker(params, peer), params.maybe_number("tag")
        most = params.number("limit") if "limit" in params.raw else rules.MOST_OF_SEARCH
        query = params.text("query", None if tag is None else "", most=300)
        return _told(await self._records.search(grant, query, most, tag=tag))

    async def _asker(self, params: Params, peer: Peer) -> Grant:
        """Whose grant it is. Without one that holds the asking is the app's own, and recorded as such."""
        try:
            return await self._grants.of_shop(params.raw.get("grant"), lent=True)
        except (GrantExpired, GrantRefused, PowerNeeded, PowerOver):
            with suppress(LedgerUnavailable):
                await self._record.write("refused", peer.path(), note="grant")
            raise

    async def _import(self, params: Params, peer: Peer) -> Answer:
        """An administrator's list; a shop's own comes by `take_import`, asked for and agreed to."""
        done = await self._importing.run(
            params.shop(),
            params.items("rows"),
            peer.path(),
            all_or_nothing=params.flag("all_or_nothing"),
            check=params.flag("check"),
            note=transfers.reason_of(params.text("reason", "moving", most=40)),
        )
        return Answer({"persons": done.persons, "bad": done.bad})

    async def _send(self, params: Params, peer: Peer) -> Answer:
        attachments = params.items("attachments") if "attachments" in params.raw else []
        letter = Letter(
            key=params.text("message_key", most=_KEY),
            subject=params.text("subject", most=500),
            text=params.text("text", most=100_000),
            values=params.texts("values"),
            attachments=[Attachment.of(one) for one in attachments],
            neutral=params.texts("neutral"),
        )
        state = await self._courier.send(params.shop(), params.person("person"), letter, peer.path())
        return Answer({"state": state})

    async def _messages_of(self, params: Params, _: Peer) -> Answer:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        return Answer(await self._messages.of_person(grant, params.person("person")))

    async def _unreached(self, params: Params, _: Peer) -> Answer:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        return Answer({"persons": await self._messages.unreached(grant, params.persons("persons"))})

    async def _try_address(self, params: Params, _: Peer) -> Answer:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        await self._messages.try_address(grant, params.person("person"))
        return Answer({})

    async def _unknown_messages(self, _params: Params, peer: Peer) -> Answer:
        return Answer({"messages": await self._messages.unknown(peer.admin_path)})

    async def _decide_message(self, params: Params, peer: Peer) -> Answer:
        decision, key = decision_of(params.text("decision")), params.text("message_key", most=_KEY)
        await self._messages.decide(params.number("shop"), key, decision, peer.admin_path)
        return Answer({})

    # -- who works where, and signing in

    async def _found_shop(self, params: Params, peer: Peer) -> Answer:
        told = params.raw.get("tell") is True
        invited = await self._members.found(
            params.shop(), params.text("slug", most=63), params.items("members"), peer.admin_path, told=told
        )
        return Answer({"invited": invited})

    async def _add_member(self, params: Params, _: Peer) -> Answer:
        grant = await self._grants.of_shop(params.raw.get("grant"))
        return Answer({"invited": await self._members.add(grant, params.mapping("member"))})

    async def _owners(self, params: Params, _: Peer) -> Answer:
        return Answer({"persons": await self._members.owners(params.number("shop"))})

    async def _invite_operator(self, params: Params, peer: Peer) -> Answer:
        name, mail = params.text("name", "first"), params.maybe_text("mail")
        return Answer({"token": await self._members.invite_operator(name, mail, peer.admin_path)})

    async def _register_begin(self, params: Params, _: Peer) -> Answer:
        return Answer({"options": await self._signin.enrol_begin(params.raw.get("invite"))})

    async def _register_finish(self, params: Params, _: Peer) -> Answer:
        response = params.mapping("response")
        ok = await self._signin.enrol_finish(params.raw.get("invite"), response, visit_of(params))
        # An operator's link is printed as well, and proves nothing.
        if ok["shop"] is not None and await self._messages.proved(ok["shop"], ok["actor"]["id"]):
            await self._mails.note_if_free(ok["actor"]["id"])
        return Answer(ok)

    async def _signin_begin(self, _params: Params, _: Peer) -> Answer:
        return Answer({"options": self._signin.begin()})

    async def _signin_finish(self, params: Params, _: Peer) -> Answer:
        response, shop = params.mapping("response"), params.maybe_number("shop")
        challenge, first = params.text("challenge", most=500), params.text("first", "", most=2_000)
        return Answer(await self._signin.finish(challenge, response, visit_of(params), shop, first))

    async def _whoami(self, params: Params, _: Peer) -> Answer:
        return Answer(await self._signin.who(await self._grants.check(params.raw.get("grant"))))

    async def _signout(self, params: Params, _: Peer) -> Answer:
        try:
            grant = await self._grants.check(params.raw.get("grant"))
        except GrantExpired:
            return Answer({})
        await self._signin.out(grant)
        return Answer({})

    # -- the record

    async def _ask_scope(self, params: Params, peer: Peer) -> Answer:
        path = await self._grants.may_ask(params.raw.get("grant"), peer)
        return Answer(await self._scope.answer(Question.of(params.raw), path))

    async def _evidence(self, params: Params, peer: Peer) -> Answer:
        """What proves an answer: bounds of a time, outcomes, entries as they stand, hashes of the tree."""
        await self._grants.may_ask(params.raw.get("grant"), peer)
        wanted, size = Wanted.of(params), params.number("size")
        told: dict[str, Any] = {}
        if wanted.bounds is not None:
            told["bounds"] = await self._scope.bounds(*wanted.bounds, size)
        return Answer(
            {
                **told,
                "outcomes": await self._scope.outcomes(wanted.outcomes, size),
                "entries": await self._scope.texts(wanted.entries),
                "nodes": await self._scope.nodes(wanted.nodes),
            }
        )

    async def _health(self, _params: Params, _: Peer) -> Answer:
        refusal = self._record.ledger.refusal
        reason = refusal.reason if refusal is not None else self._record.refused
        return Answer(
            {
                "ledger": not reason,
                "reason": reason,
                "size": self._record.ledger.size,
                "indexed": self._index.size,
                "build": self._builds.own,
                "witness": self._watch.to_wire(),
            }
        )

    async def _checkpoint(self, _params: Params, _: Peer) -> Answer:
        return Answer({"checkpoint": self._record.ledger.checkpoint()})

    async def _list_builds(self, _params: Params, _: Peer) -> Answer:
        return Answer({"builds": self._builds.to_wire(self._record.ledger.size)})

    async def _entries(self, params: Params, peer: Peer) -> Answer:
        """Entries as they stand in the ledger, from a number or a time on; the asking is one of the next."""
        path = await self._grants.may_ask(params.raw.get("grant"), peer)
        count = params.number("count")
        if "at" in params.raw:
            first = await self._scope.first_at(params.number("at"))
        else:
            first = params.number("first")
        if not 1 <= count <= _BUNDLE:
            raise BadRequest("a bundle has 1 to 256 entries")
        await self._record.write("scope", path, note="entries", ref=f"entries:{first}/count:{count}")
        found = await asyncio.to_thread(lambda: list(self._record.ledger.payloads(first, first + count)))
        return Answer({"first": first, "entries": [payload.decode("ascii") for _, payload in found]})

    async def _entry_proof(self, params: Params, peer: Peer) -> Answer:
        """The `.tlog-proof` of an entry, up to the newest head."""
        path, entry = await self._grants.may_ask(params.raw.get("grant"), peer), params.number("entry")
        await self._record.write("scope", path, note="proof", ref=f"entry:{entry}")
        try:
            return Answer({"proof": self._record.ledger.proof(entry)})
        except ProofInvalid as fault:
            raise NoSuchEntry from fault

    async def _examine(self, params: Params, peer: Peer) -> Answer:
        """All findings; an auditor's asking is on record."""
        path = await self._grants.may_ask(params.raw.get("grant"), peer)
        if params.raw.get("grant") is not None:
            await self._record.write("scope", path, note="doctor")
        return Answer({"findings": await self._doctor.examine()})

    async def _rebuild_index(self, _params: Params, _: Peer) -> Answer:
        return Answer({"entries": await self._index.rebuild()})


async def _plain(act: Act, params: Params, peer: Peer) -> Answer:
    """An act whose answer holds no plaintext."""
    return Answer(await act(params, peer))


def _with_told(method: ExportMethod) -> Method:
    """Make a method that may tell persons' data one of the table."""

    async def answer(params: Params, peer: Peer) -> Answer:
        return Answer(*await method(params, peer))

    return answer


def _told(told: Told) -> Answer:
    ok: dict[str, Any] = {"persons": told.persons, "entry": told.entry, "budget": told.budget.to_wire()}
    if told.found is not None:
        ok["found"] = told.found
    return Answer(ok, told)
