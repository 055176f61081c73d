"""What a salon asks in tests: a choice, several, a text, a consent; and about health."""

from typing import Any

from noren.shops.questions import Asking, asking


def question(key: str, kind: str = "short", **more: Any) -> dict[str, Any]:
    """A question as a row has it."""
    keys = more.pop("choices", ())
    choices = [{"key": each, "words": {"ja": f"{each}の選択", "en": f"the {each}"}} for each in keys]
    words = more.pop("question", {"ja": f"{key}は？", "en": f"{key}?"})
    made = {"key": key, "kind": kind, "required": False, "health": False, "help": {}}
    return made | {"question": words, "choices": choices} | more


LENGTH = question("length", "one", choices=("short", "long"), required=True)
WISHES = question("wishes", "several", choices=("quiet", "book"))
WORDS = question("words", "long")
PHOTOS = question("photos", "consent")
ALLERGY = question("allergy", "short", health=True)
ALL = [LENGTH, WISHES, WORDS, PHOTOS, ALLERGY]


def asks(*questions: dict[str, Any], guests: str = "", version: int = 3) -> Asking:
    """What a service asks that has these questions."""
    shop = {"questions": [], "questions_version": version, "guests": ""}
    return asking(shop, {"questions": list(questions), "guests": guests})
