"""The mails' words, Japanese (easy.py: easy Japanese) and English: plain, kind, short, complete.

`{name}` is the customer's; the vault alone fills it. Every other `{word}` is filled from `values`, there too.
A line whose value is empty is left out, with its heading.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from noren.messages import easy, wording
from noren.messages.notice import ENDED, WAITING, Kind, Notice
from noren.messages.wording import HOUSE, Own

SUBJECTS = {
    easy.CODE: easy.SUBJECTS,
    "ja": {
        Kind.BOOKED: "【{shop}】ご予約を承りました({day})",
        Kind.MOVED: "【{shop}】ご予約の日時を変更しました({day})",
        Kind.CANCELLED: "【{shop}】ご予約を取り消しました({day})",
        Kind.REMINDER: "【{shop}】ご予約のお知らせ({day})",
        Kind.ASKED: "【{shop}】ご予約の申し込みを承りました({day})",
        Kind.DECLINED: "【{shop}】ご予約をお受けできませんでした({day})",
        Kind.RELEASED: "【{shop}】ご予約の時間が過ぎました({day})",
        Kind.RESCHEDULED: "【{shop}】変更のお知らせ({day})",
        Kind.REASSIGNED: "【{shop}】担当変更のお知らせ({day})",
        Kind.DELAYED: "【{shop}】開始が{minutes}分ほど遅れます({day})",
        Kind.CHOOSE: "【{shop}】日時変更のお願い({day})",
        Kind.ZONE: "【{shop}】カレンダー更新のお願い({day})",
        Kind.JOINED: "【{shop}】キャンセル待ちを承りました({day})",
        Kind.OFFERED: "【{shop}】空きが出ました({day})",
        Kind.CALLED_OFF: "【{shop}】開催中止のお知らせ({day})",
        Kind.LINK: "【{shop}】ご予約ページの新しいリンク({day})",
        Kind.THANKS: "【{shop}】ご来店ありがとうございました({day})",
        Kind.MANY: "【{shop}】ご予約についてのお知らせ({day})",
    },
    "en": {
        Kind.BOOKED: "{shop}: your booking, {day}",
        Kind.MOVED: "{shop}: your booking has moved to {day}",
        Kind.CANCELLED: "{shop}: your booking of {day} is cancelled",
        Kind.REMINDER: "{shop}: see you on {day}",
        Kind.ASKED: "{shop}: your request for {day}",
        Kind.DECLINED: "{shop}: your request for {day} could not be accepted",
        Kind.RELEASED: "{shop}: your booking of {day} has lapsed",
        Kind.RESCHEDULED: "{shop}: your booking has changed, {day}",
        Kind.REASSIGNED: "{shop}: somebody else will serve you on {day}",
        Kind.DELAYED: "{shop}: we are about {minutes} minutes late on {day}",
        Kind.CHOOSE: "{shop}: please choose another time for {day}",
        Kind.ZONE: "{shop}: please renew your calendar for {day}",
        Kind.JOINED: "{shop}: you are on the waiting list for {day}",
        Kind.OFFERED: "{shop}: a place is free on {day}",
        Kind.CALLED_OFF: "{shop}: the class of {day} does not take place",
        Kind.LINK: "{shop}: the new link to your booking of {day}",
        Kind.THANKS: "{shop}: thank you for your visit on {day}",
        Kind.MANY: "{shop}: about your booking of {day}",
    },
}

TOGETHER = {easy.CODE: "と", "ja": "＋", "en": " + "}
"""Between the services of one visit."""

OPENINGS = {
    easy.CODE: easy.OPENINGS,
    "ja": {
        Kind.BOOKED: "ご予約ありがとうございます。次のとおり承りました。",
        Kind.MOVED: "ご予約の日時を変更しました。新しい内容は次のとおりです。",
        Kind.CANCELLED: "次のご予約を取り消しました。またのお越しをお待ちしております。",
        Kind.REMINDER: "ご予約の日時が近づきましたので、お知らせいたします。"
        "当日遅れそうなときは、下のリンクからお店にお知らせいただけます。",
        Kind.ASKED: "お申し込みありがとうございます。まだ確定ではありません。"
        "お店が確認し、あらためてご連絡します。",
        Kind.DECLINED: "申し訳ございません。次のお申し込みはお受けできませんでした。料金はかかりません。",
        Kind.RELEASED: "お時間になってもご来店の確認ができなかったため、次のご予約の枠を解放しました。",
        Kind.RESCHEDULED: "お店の都合により、日時または担当が変わりました。新しい内容は次のとおりです。"
        "下のリンクから、このまま参加するか、無料で取り消すかをお選びください。",
        Kind.REASSIGNED: "お店の都合により担当が変わりました。日時に変わりはありません。"
        "ご希望に沿わない場合は、下のリンクから無料で取り消せます。",
        Kind.DELAYED: "申し訳ございません。前のお客様のお時間が長引いており、"
        "次のご予約の開始が{minutes}分ほど遅れる見込みです。",
        Kind.CHOOSE: "申し訳ございません。担当者の急な不在のため、次のご予約はこのままではお受けできません。"
        "お手数ですが、下のリンクから別の日時をお選びいただくか、無料でお取り消しください。",
        Kind.ZONE: "法令により時計の進み方が変わりましたが、お店の時計でのご予約の時刻は変わりません。"
        "お手元のカレンダーには、添付のファイルを入れ直してください。",
        Kind.JOINED: "キャンセル待ちを承りました。空きが出ましたら、ご登録の順にメールでお知らせします。",
        Kind.OFFERED: "お待ちいただいていた空きが出ましたので、次のとおりお取りしています。"
        "期限までにお返事がないときは、次の方にご案内します。",
        Kind.CALLED_OFF: "申し訳ございません。お店の都合により、次の回は開催を取りやめました。"
        "料金はかかりません。",
        Kind.LINK: "ご予約ページの新しいリンクをお送りします。これまでのリンクは使えなくなりました。",
        Kind.THANKS: "このたびはご来店いただき、ありがとうございました。"
        "お気づきの点がございましたら、お店までお知らせください。",
        Kind.MANY: "次のご予約について、お店からお知らせがあります。",
    },
    "en": {
        Kind.BOOKED: "Thank you for your booking. This is what we have noted.",
        Kind.MOVED: "Your booking has been moved. This is how it stands now.",
        Kind.CANCELLED: "This booking has been cancelled. We hope to see you another time.",
        Kind.REMINDER: "A short reminder of your booking. "
        "Should you be running late on the day, the link below tells the shop.",
        Kind.ASKED: "Thank you for your request. It is not confirmed yet: "
        "the shop will look at it and write to you.",
        Kind.DECLINED: "We are sorry: this request could not be accepted. You owe nothing.",
        Kind.RELEASED: "Nobody checked in at the time of this booking, so the time was given free.",
        Kind.RESCHEDULED: "The shop had to change the time or who leads. This is how it stands now. "
        "Please choose by the link below whether you keep it or cancel it free of charge.",
        Kind.REASSIGNED: "The shop had to ask somebody else to serve you. The time has not changed. "
        "If that is not what you wish, you can cancel free of charge by the link below.",
        Kind.DELAYED: "We are sorry: the visit before yours takes longer. "
        "We are about {minutes} minutes late.",
        Kind.CHOOSE: "We are sorry: who was to serve you is away, and this booking cannot stay as it is. "
        "Please choose another time by the link below, or cancel free of charge.",
        Kind.ZONE: "The law has changed how clocks run. By the shop's clock your time has not changed; "
        "please put the attached file into your calendar, in place of the old one.",
        Kind.JOINED: "You are on the waiting list. As soon as a place is free we will write to you, "
        "in the order of joining.",
        Kind.OFFERED: "A place has become free, and it is kept for you. "
        "If we do not hear from you in time, it will be offered to the next.",
        Kind.CALLED_OFF: "We are sorry: the shop had to call this class off. You owe nothing.",
        Kind.LINK: "Here is the new link to your booking. Those you were sent before are no longer valid.",
        Kind.THANKS: "Thank you for your visit. Should anything not have been right, please tell the shop.",
        Kind.MANY: "The shop has something to tell you about this booking.",
    },
}

FACTS = {
    easy.CODE: easy.FACTS,
    "ja": (
        "日時  {when}",
        "期限  {until}",
        "変更前 {was}",
        "内容  {service}",
        "担当  {staff}",
        "人数  {party}",
        "料金  {price}",
        "店舗  {shop}",
        "住所  {address}",
        "道順  {access}",
        "電話  {phone}",
    ),
    "en": (
        "When     {when}",
        "Until    {until}",
        "Before   {was}",
        "What     {service}",
        "With     {staff}",
        "People   {party}",
        "Price    {price}",
        "Where    {shop}",
        "Address  {address}",
        "Access   {access}",
        "Phone    {phone}",
    ),
}

LINKS = {
    easy.CODE: easy.LINKS,
    "ja": "ご予約の確認・日時の変更・取り消しはこちらからどうぞ。\n{link}\n"
    "このリンクはお客様専用です。他の方へ転送なさらないでください。",
    "en": "See, change or cancel your booking here:\n{link}\n"
    "This link is yours alone; please do not forward it.",
}
WAITING_LINKS = {
    easy.CODE: easy.WAITING_LINKS,
    "ja": {
        Kind.JOINED: "状況の確認・取りやめはこちらからどうぞ。\n{link}\n"
        "このリンクはお客様専用です。他の方へ転送なさらないでください。",
        Kind.OFFERED: "ご予約・ご辞退はこちらからどうぞ。\n{link}\n"
        "このリンクはお客様専用です。他の方へ転送なさらないでください。",
    },
    "en": {
        Kind.JOINED: "See how it stands, or leave the list, here:\n{link}\n"
        "This link is yours alone; please do not forward it.",
        Kind.OFFERED: "Book it, or let it go, here:\n{link}\n"
        "This link is yours alone; please do not forward it.",
    },
}
AGAIN = {
    easy.CODE: easy.AGAIN,
    "ja": "ご予約の記録はこちらでご覧いただけます。\n{link}",
    "en": "The record of it is here:\n{link}",
}
# Of several dates, each stands with its own link.
LINKS_EACH = {
    easy.CODE: easy.LINKS_EACH,
    "ja": "ご予約の確認・日時の変更・取り消しは、それぞれの日時の下のリンクからどうぞ。\n"
    "リンクはお客様専用です。他の方へ転送なさらないでください。",
    "en": "See, change or cancel a booking by the link below its date.\n"
    "These links are yours alone; please do not forward them.",
}
AGAIN_EACH = {
    easy.CODE: easy.AGAIN_EACH,
    "ja": "ご予約の記録は、それぞれの日時の下のリンクからご覧いただけます。",
    "en": "The record of each is at the link below its date.",
}
POLICIES = {easy.CODE: easy.POLICY, "ja": "キャンセルについて\n{policy}", "en": "Cancelling\n{policy}"}
GREETINGS = {easy.CODE: easy.GREETING, "ja": "{name} 様", "en": "Dear {name},"}
# What the vault writes instead to an address that was changed and is not proved.
NEUTRAL = {
    easy.GREETING: easy.NEUTRAL,
    GREETINGS["ja"]: "お客様",
    GREETINGS["en"]: "Hello,",
    # As a shop may write it within its own words.
    "{name}様": "お客様",
    "{name}さま": "お客さま",
}

_WEEKDAYS = {
    easy.CODE: tuple(f"{each}曜日" for each in "月火水木金土日"),
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# The zone in which no Japanese reader needs to be told the zone.
_JAPAN = timedelta(hours=9)
# What ends a few hours past midnight belongs to its evening; a stay does not.
_NIGHT = timedelta(hours=12)


def language(locale: str) -> str:
    """Return the language we write in: English or easy Japanese where it was chosen, else Japanese."""
    chosen = locale.lower()
    return "en" if chosen.startswith("en") else easy.CODE if chosen == easy.CODE else "ja"


def subject(notice: Notice, own: Own = HOUSE) -> str:
    """Return the mail's subject, the shop's own where it has one, its `{words}` still open."""
    return own.subject or SUBJECTS[language(notice.locale)][notice.kind]


def text(notice: Notice, own: Own = HOUSE) -> str:
    """Return the mail's text, its `{words}` still open. The shop's own words stand in it where the house's
    opening does, and before its end; greeting, what was booked, link and shop are never theirs.
    """
    spoken, filled = language(notice.locale), values(notice)
    facts = "\n".join(line for line in FACTS[spoken] if filled[_word(line)])
    parts = [GREETINGS[spoken], _opening(notice, own, spoken, filled), facts]
    if notice.kind in (*ENDED, Kind.THANKS):
        parts.append((AGAIN_EACH if notice.others else AGAIN)[spoken])
    else:
        if notice.kind in WAITING:
            parts.append(WAITING_LINKS[spoken][notice.kind])
        else:
            parts.append((LINKS_EACH if notice.others else LINKS)[spoken])
        if notice.policy and notice.kind is not Kind.JOINED:
            parts.append(POLICIES[spoken])
    parts += [wording.filled(own.closing, filled), "{shop}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(notice: Notice, own: Own, spoken: str, filled: Mapping[str, str]) -> str:
    house = OPENINGS[spoken][notice.kind]
    said = wording.filled(own.opening, filled)
    if not said:
        return house
    return f"{said}\n\n{house}" if notice.kind in wording.KEEPS_HOUSE else said


def values(notice: Notice) -> dict[str, str]:
    """Return what fills the open words, but for the customer's own."""
    spoken = language(notice.locale)
    dates = (notice, *notice.others)
    price = sum(each.price for each in dates)
    return {
        "when": _dates(dates, spoken),
        "until": "" if notice.until is None else _moment(notice.until, spoken),
        "was": "" if notice.was is None else when(*notice.was, spoken),
        "day": day(notice.start, spoken) + _more(len(notice.others), spoken),
        "service": TOGETHER[spoken].join(dict.fromkeys(each.service for each in dates)),
        "staff": notice.staff if all(each.staff == notice.staff for each in dates) else "",
        "party": "" if notice.party < 2 else _people(notice.party, spoken),
        "price": "" if price == 0 else money(price, notice.currency, spoken) + _fee(dates, spoken),
        "shop": notice.shop,
        "address": notice.address,
        "access": notice.access,
        "phone": notice.phone,
        "link": notice.link,
        "policy": notice.policy,
        "minutes": "" if not notice.minutes else str(notice.minutes),
    }


def _fee(dates: Sequence[Notice], spoken: str) -> str:
    """Return how much of the price is for asking for somebody by name."""
    fee = sum(each.fee for each in dates)
    if not fee:
        return ""
    told = money(fee, dates[0].currency, spoken)
    if spoken == "en":
        return f" ({told} of it for asking for whom you chose)"
    return easy.FEE.format(fee=told) if spoken == easy.CODE else f"（うち指名料 {told}）"


def _dates(dates: Sequence[Notice], spoken: str) -> str:
    """Return when; of several each on a line of its own, what and who serves where they differ, its link."""
    if len(dates) == 1:
        return _when(dates[0], spoken)
    named = zip(*((each.service, each.staff) for each in dates), strict=True)
    told = [names for names in named if len({*names}) > 1]
    lines = (
        " ".join((when(each.start, each.end, spoken), *filter(None, (names[at] for names in told))))
        for at, each in enumerate(dates)
    )
    return "".join(f"\n{line}\n{each.link}" for line, each in zip(lines, dates, strict=True))


def _more(others: int, spoken: str) -> str:
    if not others:
        return ""
    return f"ほか{others}回" if spoken != "en" else f" and {others} more"


def when(start: datetime, end: datetime, spoken: str) -> str:
    """Return day and times; with the offset where the reader could take them for another zone's. Of what
    lasts over a night, the day of its end too.
    """
    lasts = end.date() != start.date() and end - start >= _NIGHT
    until = f"{day(end, spoken)} {end:%H:%M}" if lasts else f"{end:%H:%M}"
    clock = f"{start:%H:%M}{'〜' if spoken != 'en' else '–'}{until}"
    return f"{day(start, spoken)} {clock}{_offset(start, spoken)}"


def _when(notice: Notice, spoken: str) -> str:
    """Return when it is; of who waits no more than what she waits for."""
    if notice.whole_day:
        return day(notice.start, spoken)
    if notice.kind is Kind.JOINED:
        return _moment(notice.start, spoken)
    return when(notice.start, notice.end, spoken)


def _moment(at: datetime, spoken: str) -> str:
    return f"{day(at, spoken)} {at:%H:%M}{_offset(at, spoken)}"


def day(start: datetime, spoken: str) -> str:
    weekday = _WEEKDAYS[spoken][start.weekday()]
    if spoken != "en":
        return f"{start.year}年{start.month}月{start.day}日({weekday})"
    return f"{weekday} {start.day} {_MONTHS[start.month - 1]} {start.year}"


def money(amount: int, currency: str, spoken: str) -> str:
    if currency == "JPY":
        return f"{amount:,}円" if spoken != "en" else f"¥{amount:,}"
    return f"{amount / 100:,.2f} {currency}"


def _offset(start: datetime, spoken: str) -> str:
    offset = start.utcoffset() or timedelta()
    if spoken != "en" and offset == _JAPAN:
        return ""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f" (UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''})"


def _people(party: int, spoken: str) -> str:
    return str(party) if spoken == "en" else f"{party}人" if spoken == easy.CODE else f"{party}名様"


def _word(line: str) -> str:
    return line[line.index("{") + 1 : line.index("}")]
