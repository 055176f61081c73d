"""A customer without JavaScript: she opens pages, presses buttons and sends forms as they stand there."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

CUSTOMER = {
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "mail": "hanako@example.jp",
    "phone": "090-1234-5678",
    "note": "前髪は短めで",
}


@dataclass
class Form:
    """A form of a page: where it goes, what it holds (boxes that are ticked as a list), which buttons it has
    (name, value, words).
    """

    action: str
    values: dict[str, Any] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif not self.forms or _is_unticked(given):
            return
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.forms[-1].values.setdefault(given["name"], []).append(given["value"])
        elif tag == "input" and given.get("name"):
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._area = given["name"]
            self.forms[-1].values[self._area] = ""
        elif tag == "button":
            self.forms[-1].buttons.append((given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1].values[self._area] += data.lstrip("\n")


def _is_unticked(given: dict[str, str]) -> bool:
    return given.get("type") in ("radio", "checkbox") and "checked" not in given


@dataclass
class Visitor:
    """One browser. `page` is what it shows; `now_at` its address."""

    client: Client = field(default_factory=lambda: Client(headers={"Accept-Language": "ja"}))
    page: HttpResponse = field(default_factory=HttpResponse)
    now_at: str = "/"

    @property
    def text(self) -> str:
        return self.page.content.decode()

    def open(self, address: str) -> None:
        self._keep(self.client.get(address, follow=True), address)

    def press(self, button: str, value: str = "", /, **filled: Any) -> None:
        """Press a button in the first form that has one of this name, with the fields filled in.

        A `value` that no button has is what a customer with other tools sends.
        """
        having = [form for form in self.forms() if any(name == button for name, _value in form.buttons)]
        form = next((form for form in having if (button, value) in form.buttons), having[0])
        pressed = value or next(given for name, given in form.buttons if name == button)
        address = form.action or self.now_at
        sent = {**form.values, **filled, **({button: pressed} if button else {})}
        self._keep(self.client.post(address, sent, follow=True), address)

    def forms(self) -> list[Form]:
        """The page's forms, but for the one that changes the language."""
        reader = _Reader()
        reader.feed(self.text)
        return [form for form in reader.forms if form.action != "/language"]

    def times(self) -> list[str]:
        """The times that can be pressed."""
        return [value for form in self.forms() for name, value in form.buttons if name == "at"]

    def _keep(self, answer: Any, address: str) -> None:
        chain = getattr(answer, "redirect_chain", [])
        self.page, self.now_at = answer, chain[-1][0] if chain else address
