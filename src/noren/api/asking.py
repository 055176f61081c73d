"""What a shop asks of who books, and what is said to it, as programs see both.

What is said goes to the vault, and no answer of this API ever tells it.
"""

from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import BeforeValidator, ConfigDict

from noren.booking import said
from noren.booking.said import MOST_GUESTS, Guest, Said
from noren.shops.questions import Asking, Kind, Question, said_in

LARGEST = 2**31 - 1


def whole(given: Any) -> Any:
    """Take 3.0 for 3, as JSON does: its numbers are of one kind."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Version = Annotated[int, Field(strict=True, ge=1, le=LARGEST), BeforeValidator(whole)]
Text = Annotated[str, Field(max_length=1000)]


class ChoiceShown(Schema):
    key: str
    words: str


class QuestionShown(Schema):
    key: str
    kind: Kind = Field(description="short, long: a text. one, several: of `choices`. consent: a yes.")
    required: bool
    health: bool = Field(description="Its answer is kept only with `health_consent`.")
    question: str
    help: str
    choices: list[ChoiceShown]


class AsksShown(Schema):
    version: int = Field(description="Of the wording of all questions: what a consent names.")
    questions: list[QuestionShown]
    health_consent: str | None = Field(
        description="What the customer agrees to before answers about health are kept; show it to her whole."
    )
    health_required: bool = Field(description="Whether nobody books by program without it.")
    guests: Literal["", "hidden", "optional", "required"] = Field(
        description="Names of those who come. Empty: optional, where she books for somebody else."
    )


class GuestGiven(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=said.LONGEST_NAME)
    kana: str = Field("", max_length=said.LONGEST_NAME)


class Says(Schema):
    """What is said beside who the customer is."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, Text | list[Text] | Version] = Field(
        {},
        max_length=50,
        description="By the question's key: a text, a choice's key, a list of them; of a consent the "
        "`version` of the wording that she has read.",
    )
    health_consent: Version | None = Field(None, description="The `version` that she has read.")
    guests: list[GuestGiven] = Field([], max_length=MOST_GUESTS, description="All who come but herself.")
    for_somebody_else: bool = Field(False, description="She does not come herself: everybody is a guest.")


def told(given: Says) -> Said:
    """Return what was said, as the booking checks it."""
    return Said(
        answers=given.answers,
        health_consent=given.health_consent,
        guests=tuple(Guest(each.name, each.kana) for each in given.guests),
        for_other=given.for_somebody_else,
    )


def shown(asks: Asking, shop: str, language: str) -> AsksShown:
    """Return what a service of the shop of this name asks."""
    words = [str(said.HEALTH_WHY) % {"shop": shop}, str(said.HEALTH_HOW_LONG), str(said.HEALTH_AGREED)]
    return AsksShown(
        version=asks.version,
        questions=[_question(each, language) for each in asks.questions],
        health_consent="\n".join(words) if asks.health else None,
        health_required=asks.insists_on_health,
        guests=asks.guests.value,
    )


def _question(question: Question, language: str) -> QuestionShown:
    return QuestionShown(
        key=question.key,
        kind=question.kind,
        required=question.required,
        health=question.health,
        question=said_in(question.question, language),
        help=said_in(question.help, language),
        choices=[
            ChoiceShown(key=key, words=said_in(words, language)) for key, words in question.choices.items()
        ],
    )
