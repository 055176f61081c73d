"""People who do not exist, by a seed. No value of one is a part of another's: each says whose it is."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FAMILIES: Final = (
    "佐藤 サトウ,鈴木 スズキ,高橋 タカハシ,渡辺 ワタナベ,伊藤 イトウ,"
    "山本 ヤマモト,中村 ナカムラ,小林 コバヤシ,加藤 カトウ,吉田 ヨシダ,"
    "佐々木 ササキ,山口 ヤマグチ,松本 マツモト,清水 シミズ,池田 イケダ,"
    "橋本 ハシモト,石川 イシカワ,前田 マエダ,岡田 オカダ,藤井 フジイ,"
    "後藤 ゴトウ,長谷川 ハセガワ,近藤 コンドウ,坂本 サカモト,"
    "遠藤 エンドウ,西村 ニシムラ,福田 フクダ,三浦 ミウラ,竹内 タケウチ,"
    "酒井 サカイ"
)
_GIVEN: Final = (
    "花子 ハナコ,結衣 ユイ,陽菜 ヒナ,美咲 ミサキ,さくら サクラ,"
    "由紀 ユキ,真由美 マユミ,直美 ナオミ,恵子 ケイコ,明美 アケミ,"
    "太郎 タロウ,健一 ケンイチ,翔太 ショウタ,大輔 ダイスケ,拓也 タクヤ,"
    "直樹 ナオキ,和也 カズヤ,隆 タカシ,誠 マコト,浩二 コウジ,"
    "千尋 チヒロ,楓 カエデ,凛 リン,悠斗 ユウト"
)


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One of them: `key` is the importer's, `fields` by the vault's names."""

    key: str
    fields: Mapping[str, str]


def people(seed: int, count: int) -> list[MadeUp]:
    """Give so many, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - nobody is to be kept from guessing them
    names = [
        (family.split(), given.split()) for family in _FAMILIES.split(",") for given in _GIVEN.split(",")
    ]
    phones = chance.sample(range(10_000_000, 100_000_000), count)
    return [
        _one(number, *named, phone)
        for number, (named, phone) in enumerate(zip(chance.sample(names, count), phones, strict=True), 1)
    ]


def _one(number: int, family: list[str], given: list[str], phone: int) -> MadeUp:
    digits = str(phone)
    fields = {
        "name": f"{family[0]} {given[0]}",
        "kana": f"{family[1]} {given[1]}",
        "mail": f"drill.{number:05d}@example.jp",
        "phone": f"090-{digits[:4]}-{digits[4:]}",
        "note": f"窓側の席 {number:05d}番",
    }
    return MadeUp(f"drill-{number:05d}", fields)
