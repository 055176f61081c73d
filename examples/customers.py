"""Makes customers who do not exist, as a CSV file: always the same ones for the same seed.

    python examples/customers.py --count 20000 --seed 7 > customers.csv

Names are common ones put together by chance; mail addresses end in reserved domains. About one row in
fifty is dirty on purpose: what real lists bring along.
"""

import argparse
import csv
import random
import sys
from collections.abc import Callable, Iterator

SURNAMES = [
    pair.split("/")
    for pair in [
        "佐藤/サトウ",
        "鈴木/スズキ",
        "高橋/タカハシ",
        "田中/タナカ",
        "伊藤/イトウ",
        "渡辺/ワタナベ",
        "山本/ヤマモト",
        "中村/ナカムラ",
        "小林/コバヤシ",
        "加藤/カトウ",
        "吉田/ヨシダ",
        "山田/ヤマダ",
        "佐々木/ササキ",
        "山口/ヤマグチ",
        "松本/マツモト",
        "井上/イノウエ",
        "木村/キムラ",
        "林/ハヤシ",
        "斎藤/サイトウ",
        "清水/シミズ",
        "山崎/ヤマザキ",
        "森/モリ",
        "池田/イケダ",
        "橋本/ハシモト",
        "阿部/アベ",
        "石川/イシカワ",
        "山下/ヤマシタ",
        "中島/ナカジマ",
        "石井/イシイ",
        "小川/オガワ",
        "前田/マエダ",
        "岡田/オカダ",
        "長谷川/ハセガワ",
        "藤田/フジタ",
        "後藤/ゴトウ",
        "近藤/コンドウ",
        "村上/ムラカミ",
        "遠藤/エンドウ",
        "青木/アオキ",
        "坂本/サカモト",
        "福田/フクダ",
        "太田/オオタ",
        "西村/ニシムラ",
        "藤井/フジイ",
        "金子/カネコ",
        "岡本/オカモト",
        "藤原/フジワラ",
        "三浦/ミウラ",
        "中野/ナカノ",
        "原田/ハラダ",
        "髙木/タカギ",
        "渡邉/ワタナベ",
        "齋藤/サイトウ",
        "東海林/ショウジ",
        "小鳥遊/タカナシ",
    ]
]
GIVEN = [
    pair.split("/")
    for pair in [
        "陽菜/ヒナ",
        "結衣/ユイ",
        "美咲/ミサキ",
        "葵/アオイ",
        "凛/リン",
        "咲良/サクラ",
        "莉子/リコ",
        "美月/ミヅキ",
        "花/ハナ",
        "楓/カエデ",
        "蓮/レン",
        "湊/ミナト",
        "蒼/アオ",
        "大翔/ヒロト",
        "悠真/ユウマ",
        "陽向/ヒナタ",
        "樹/イツキ",
        "律/リツ",
        "朝陽/アサヒ",
        "颯太/ソウタ",
        "直樹/ナオキ",
        "健太/ケンタ",
        "翔太/ショウタ",
        "拓也/タクヤ",
        "大輔/ダイスケ",
        "愛/アイ",
        "恵/メグミ",
        "真由美/マユミ",
        "久美子/クミコ",
        "由美子/ユミコ",
        "幸子/サチコ",
        "和子/カズコ",
        "洋子/ヨウコ",
        "浩/ヒロシ",
        "誠/マコト",
        "茂/シゲル",
        "隆/タカシ",
        "清/キヨシ",
        "実/ミノル",
        "さくら/サクラ",
        "ひなた/ヒナタ",
        "こころ/ココロ",
        "めい/メイ",
    ]
]
DOMAINS = ("mail.example", "example.com", "example.net", "example.org", "post.example")
NOTES = (
    "髪が細い",
    "薬剤アレルギーあり。パッチテスト必須",
    "予約の変更はメールで",
    "駐車場を使う",
    "お子さま連れ",
    "肩に痛みあり\n無理のない範囲で",
    "指名: 葵",
)
WIDE = str.maketrans("0123456789-+", "０１２３４５６７８９－＋")
HALF_KANA = str.maketrans(
    {
        "ア": "ｱ",
        "イ": "ｲ",
        "オ": "ｵ",
        "カ": "ｶ",
        "サ": "ｻ",
        "タ": "ﾀ",
        "ト": "ﾄ",
        "ナ": "ﾅ",
        "マ": "ﾏ",
        "ヤ": "ﾔ",
        "ラ": "ﾗ",
        "リ": "ﾘ",
    }
)
COLUMNS = ("id", "name", "kana", "mail", "phone", "note")

Row = dict[str, str]


def phone(dice: random.Random) -> str:
    """Write a number in one of the ways people write it."""
    if dice.random() < 0.85:
        parts = [
            dice.choice(("090", "080", "070")),
            f"{dice.randrange(10**4):04}",
            f"{dice.randrange(10**4):04}",
        ]
    else:
        parts = ["03", f"{dice.randrange(3200, 6900):04}", f"{dice.randrange(10**4):04}"]
    plain, hyphens = "".join(parts), "-".join(parts)
    spelled = (
        hyphens,
        hyphens,
        plain,
        hyphens.translate(WIDE),
        plain.translate(WIDE),
        f"+81-{hyphens[1:]}",
        f"+81{plain[1:]}",
        f"({parts[0]}) {parts[1]}-{parts[2]}",
        hyphens.replace("-", " "),
    )
    return dice.choice(spelled)


def customer(dice: random.Random, number: int) -> Row:
    """Make one customer without a fault."""
    (surname, surname_kana), (given, given_kana) = dice.choice(SURNAMES), dice.choice(GIVEN)
    between = dice.choice((" ", " ", " ", ""))
    kana = f"{surname_kana} {given_kana}"
    if dice.random() < 0.1:
        kana = kana.translate(HALF_KANA)
    return {
        "id": f"C{number:06}",
        "name": f"{surname}{between}{given}",
        "kana": kana,
        "mail": f"customer{number}@{dice.choice(DOMAINS)}" if dice.random() < 0.9 else "",
        "phone": phone(dice) if dice.random() < 0.95 else "",
        "note": dice.choice(NOTES) if dice.random() < 0.2 else "",
    }


def spoil(dice: random.Random, row: Row) -> Row:
    """Make a row dirty in one of the ways of real lists; the lost zero can still be understood."""
    faults: list[Callable[[], Row]] = [
        lambda: row | {"mail": row["mail"].replace("@", " at ") or "none"},
        lambda: row | {"mail": "customer@@mail.example"},
        lambda: row | {"name": ""},
        lambda: row | {"name": row["name"] + "\x07"},
        lambda: row | {"name": row["name"][:1] * 300},
        lambda: row | {"phone": "9012345678"},
        lambda: row | {"phone": "電話なし"},
        lambda: row | {"note": "x" * 3000},
    ]
    return dice.choice(faults)()


def customers(count: int, seed: int, dirty: float = 0.02) -> Iterator[Row]:
    """Give rows, the dirty ones and some doubles among them."""
    dice = random.Random(seed)
    before: Row | None = None
    for number in range(1, count + 1):
        if before is not None and dice.random() < dirty / 10:
            yield before
            continue
        before = customer(dice, number)
        yield spoil(dice, before) if dice.random() < dirty else before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dirty", type=float, default=0.02, help="the share of dirty rows")
    given = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    writer.writerows(customers(given.count, given.seed, given.dirty))


if __name__ == "__main__":
    main()
