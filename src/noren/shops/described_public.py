"""What a file says of a shop to everybody: words, and what the law on trade asks for."""

from noren.shops import origins
from noren.shops.reading import Reader, Values

TEXTS = ("about", "address", "access", "policy", "privacy")
LEGAL = ("seller", "person", "address", "charges", "payment", "delivery", "refunds")
ON_REQUEST = ("address", "phone")
"""What somebody who sells alone may leave out, and tell whoever asks."""


def texts(file: Reader) -> Values:
    """Read the words of the shop's pages; those that are not there are left out."""
    found = {"name": file.words("name", needed=True)} | {key: file.words(key) for key in TEXTS}
    return {key: words for key, words in found.items() if words}


def legal(table: Reader) -> Values:
    """Read `[legal]`: words by key, and `on_request = ["address", "phone"]`."""
    found: Values = {key: words for key in LEGAL if (words := table.words(key))}
    hidden = table.keys("on_request", dict.fromkeys(ON_REQUEST), what="part that may be told on request:")
    table.done()
    return found | ({"on_request": hidden} if hidden else {})


def lacking(texts: Values, legal: Values, contact: Values) -> list[str]:
    """Return what the law asks for by name and the shop has not said, nor that it tells it on request."""
    known = {**legal, **dict.fromkeys(legal.get("on_request", ()), True)}
    asked = {
        "seller": known.get("seller"),
        "person": known.get("person"),
        "address": known.get("address") or texts.get("address"),
        "phone": known.get("phone") or contact.get("phone"),
    }
    return [key for key, said in asked.items() if not said]


def embed(file: Reader) -> Values:
    """Read `embed = ["https://www.salon.example"]`. A file that does not say leaves what the console says."""
    if not file.has("embed"):
        return {}
    given = file.values["embed"]
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        file.wrong("embed", 'is no list of sites; write embed = ["https://www.salon.example"]')
        return {}
    found: list[str] = []
    for each in given:
        try:
            found.append(origins.origin(each))
        except ValueError:
            file.wrong("embed", f"{each!r} is no site; {origins.HOW}")
    return {"embed_origins": list(dict.fromkeys(found))}
