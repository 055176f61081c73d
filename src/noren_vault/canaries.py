"""Canaries: nobody's names among an export's persons, so that a list that turns up tells whence it came.

A canary lies sealed as a person does, under a key of her own, and is of the kind `canary`, which nothing
shows, finds, counts or writes to. Her number is of a range that is given to nobody (090-0), her mail is
unique and in the operator's own domain. Which of an export's rows she is, only the vault knows.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from noren_vault import fields, spelling
from noren_vault.clock import Now
from noren_vault.database import Connection, Database
from noren_vault.errors import RecordDamaged
from noren_vault.fields import Values
from noren_vault.keys import Keys
from noren_vault.people import NewPerson, People

KIND: Final = "canary"
FEWEST, MOST, ONE_IN = 5, 100, 50
# As they are met every day: kanji, katakana, romaji.
_SURNAMES: Final = """
佐藤/サトウ/sato 鈴木/スズキ/suzuki 高橋/タカハシ/takahashi 田中/タナカ/tanaka 伊藤/イトウ/ito
渡辺/ワタナベ/watanabe 山本/ヤマモト/yamamoto 中村/ナカムラ/nakamura 小林/コバヤシ/kobayashi
加藤/カトウ/kato 吉田/ヨシダ/yoshida 山田/ヤマダ/yamada 佐々木/ササキ/sasaki
松本/マツモト/matsumoto 井上/イノウエ/inoue 木村/キムラ/kimura 清水/シミズ/shimizu
林/ハヤシ/hayashi 斎藤/サイトウ/saito 山崎/ヤマザキ/yamazaki 森/モリ/mori 池田/イケダ/ikeda
橋本/ハシモト/hashimoto 石川/イシカワ/ishikawa 前田/マエダ/maeda 藤田/フジタ/fujita
岡田/オカダ/okada 後藤/ゴトウ/goto 長谷川/ハセガワ/hasegawa 村上/ムラカミ/murakami
近藤/コンドウ/kondo 石井/イシイ/ishii 遠藤/エンドウ/endo 青木/アオキ/aoki 坂本/サカモト/sakamoto
福田/フクダ/fukuda 太田/オオタ/ota 西村/ニシムラ/nishimura 藤井/フジイ/fujii 三浦/ミウラ/miura
"""
_GIVEN: Final = """
陽菜/ヒナ/hina 美咲/ミサキ/misaki 結衣/ユイ/yui 葵/アオイ/aoi 凛/リン/rin 桜/サクラ/sakura
七海/ナナミ/nanami 彩花/アヤカ/ayaka 優奈/ユウナ/yuna 真央/マオ/mao 由美子/ユミコ/yumiko
恵子/ケイコ/keiko 裕子/ユウコ/yuko 香織/カオリ/kaori 智子/トモコ/tomoko 麻衣/マイ/mai
千尋/チヒロ/chihiro 沙織/サオリ/saori 直美/ナオミ/naomi 純子/ジュンコ/junko 大輔/ダイスケ/daisuke
健太/ケンタ/kenta 翔太/ショウタ/shota 拓也/タクヤ/takuya 直樹/ナオキ/naoki 和也/カズヤ/kazuya
誠/マコト/makoto 浩/ヒロシ/hiroshi 隆/タカシ/takashi 学/マナブ/manabu 亮/リョウ/ryo
蓮/レン/ren 颯太/ソウタ/sota 悠斗/ユウト/yuto 陸/リク/riku 海斗/カイト/kaito 大翔/ヒロト/hiroto
雄一/ユウイチ/yuichi 正樹/マサキ/masaki 哲也/テツヤ/tetsuya
"""
_MAIL_FORMS: Final = ("{given}.{surname}{n}", "{surname}.{given}{n}", "{given}_{surname}{n}", "{surname}{n}")


def number_for(persons: int) -> int:
    """How many canaries an export of so many persons carries."""
    return max(FEWEST, min(MOST, persons // ONE_IN))


def invent(domain: str) -> dict[str, str]:
    """Make somebody up."""
    surname, given = (secrets.choice(names.split()).split("/") for names in (_SURNAMES, _GIVEN))
    number = secrets.randbelow(9_000_000) + 1_000_000
    local = secrets.choice(_MAIL_FORMS).format(given=given[2], surname=surname[2], n=number)
    rest = f"{secrets.randbelow(10_000_000):07d}"
    return {
        "name": f"{surname[0]} {given[0]}",
        "kana": f"{surname[1]} {given[1]}",
        "mail": f"{local}@{domain}",
        "phone": f"090-0{rest[:3]}-{rest[3:]}",
    }


@dataclass(slots=True)
class Canary:
    """One canary, open: `number` is her place among her export's, `spelled` how each field is compared."""

    transfer: str
    number: int
    person: str
    spelled: dict[str, str]


@dataclass(slots=True)
class Flock:
    """Canaries by each spelling of theirs."""

    by_text: dict[tuple[str, str], list[Canary]] = field(default_factory=dict)

    def add(self, one: Canary) -> None:
        """Take one in."""
        for name, text in one.spelled.items():
            self.by_text.setdefault((name, text), []).append(one)

    def find(self, text: str) -> list[tuple[str, Canary]]:
        """Whose field a text is: (field, canary)."""
        forms = {("mail", spelling.mail(text)), ("phone", _digits(text))}
        spelled = spelling.name(text)
        forms |= {("name", spelled), ("kana", spelled)}
        return [(form[0], one) for form in forms for one in self.by_text.get(form, ())]


async def of_backups(database: Database) -> frozenset[str]:
    """Who are the canaries of backups: the only customers of no shop, erased ones among them."""
    rows = await database.rows(
        "SELECT person::text FROM vault.person WHERE shop_id = 0 AND kind = 'customer'"
    )
    return frozenset(row[0] for row in rows)


class Canaries:
    """Makes canaries and knows them again."""

    def __init__(self, database: Database, people: People, keys: Keys, domain: str, now: Now) -> None:
        """Keep the parts."""
        self._database = database
        self._people = people
        self._keys = keys
        self._domain = domain
        self._now = now

    async def make(self, shop: int, count: int) -> list[str]:
        """Store so many, sealed; gives their ids. Until `belong` they are no export's, and harmless."""
        values = [fields.checked(invent(self._domain)) for _ in range(count)]
        made = [NewPerson.of(None, one) for one in values]
        async with self._keys.steady.hold():
            await self._people.insert(shop, made, kind=KIND, state="kept", searched=False, now=self._now())
        return [one.person for one in made]

    async def belong(self, connection: Connection, shop: int, transfer: str, persons: Sequence[str]) -> None:
        """Say whose they are, in the caller's transaction."""
        await connection.execute(
            b"INSERT INTO vault.canary (shop_id, person, transfer) SELECT %s, unnest(%s::uuid[]), %s",
            [shop, list(persons), transfer],
        )

    async def of(self, transfer: str) -> frozenset[str]:
        """Who they are in one export."""
        rows = await self._database.rows(
            "SELECT person::text FROM vault.canary WHERE transfer = %s", [transfer]
        )
        return frozenset(row[0] for row in rows)

    async def flock(self, shop: int | None = None) -> Flock:
        """Open all of a shop's or of all shops'. Whom no key opens any more is left out."""
        rows = await self._database.rows(
            "SELECT shop_id, transfer, array_agg(person::text ORDER BY person) FROM vault.canary "
            "WHERE %s::bigint IS NULL OR shop_id = %s GROUP BY 1, 2",
            [shop, shop],
        )
        found = Flock()
        for place, transfer, persons in rows:
            for one in await self._opened(place, transfer, persons):
                found.add(one)
        return found

    async def _opened(self, shop: int, transfer: str, persons: list[str]) -> list[Canary]:
        names = ("name", "kana", "mail", "phone")
        found: list[Canary] = []
        for sealed in await self._people.read(shop, persons, names, kinds=(KIND,)):
            try:
                values = self._people.open(shop, sealed, names)
            except RecordDamaged:
                continue
            spelled = {name: _spelled(name, value.text) for name, value in values.items()}
            found.append(Canary(transfer, persons.index(sealed.person), sealed.person, spelled))
        return found


def known(flock: Flock, rows: Iterable[tuple[str, Values]]) -> Mapping[str, str]:
    """Give key -> canary of the rows that are canaries: her address or number, and her name or kana."""
    found: dict[str, str] = {}
    for key, values in rows:
        hits: dict[str, set[str]] = {}
        for name, value in values.items():
            for same, one in flock.find(value.text):
                if same == name:
                    hits.setdefault(one.person, set()).add(name)
        for person, names in hits.items():
            if names & {"mail", "phone"} and names & {"name", "kana"}:
                found[key] = person
    return found


def _spelled(name: str, text: str) -> str:
    if name == "phone":
        return _digits(text)
    return spelling.mail(text) if name == "mail" else spelling.name(text)


def _digits(text: str) -> str:
    """A number at home without its first zero: spreadsheets take that away."""
    digits = spelling.digits(text)
    return digits.removeprefix("+81").lstrip("0") if digits else ""
