"""What a drill says: how long each step took, and each figure that was published beside the truth. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

# (shop, person, field): one value of one person of one shop.
Triple = tuple[int, UUID, str]
DONE, DIFFERS = 0, 1
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was said, and what is true. `beyond`: in words, what differs, where that is a set."""

    step: str
    what: str
    said: str
    truth: str
    beyond: str = ""

    @property
    def right(self) -> bool:
        return self.said == self.truth and not self.beyond


@dataclass(frozen=True, slots=True)
class Took:
    """A step, its seconds, and what it did in a line."""

    name: str
    seconds: float
    says: str


@dataclass
class Report:
    """A drill's table. `broken`: the step that could not be done, and why."""

    drill: str
    seed: int
    steps: list[Took] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    broken: str = ""

    @property
    def code(self) -> int:
        """The exit code: 0 where every figure is the truth."""
        whole = bool(self.figures) and not self.broken
        return DONE if whole and all(one.right for one in self.figures) else DIFFERS

    def say(self, step: str, what: str, said: object, truth: object) -> None:
        """Put one figure beside the truth."""
        self.figures.append(Figure(step, what, str(said), str(truth)))

    def compare(self, step: str, what: str, named: Iterable[Triple], held: Iterable[Triple]) -> None:
        """Put an answer beside the thief's own list: persons, and each of their fields."""
        self.figures += compared(step, what, frozenset(named), frozenset(held))

    def as_json(self) -> str:
        """All of it, for a program."""
        told: dict[str, Any] = {
            "drill": self.drill,
            "seed": self.seed,
            "right": self.code == DONE,
            "broken": self.broken,
            "steps": [{"name": s.name, "seconds": round(s.seconds, 3), "says": s.says} for s in self.steps],
            "figures": [
                {
                    "step": one.step,
                    "what": one.what,
                    "said": one.said,
                    "truth": one.truth,
                    "beyond": one.beyond,
                    "right": one.right,
                }
                for one in self.figures
            ],
        }
        return json.dumps(told, ensure_ascii=False, indent=1)

    def as_text(self) -> str:
        """All of it, for a person."""
        lines = [f"Drill {self.drill}, seed {self.seed}", "", f"{'step':44} {'seconds':>8}"]
        for step in self.steps:
            lines += [f"{step.name:44} {step.seconds:8.2f}", *([f"    {step.says}"] if step.says else [])]
        width = max([len(one.what) for one in self.figures], default=0)
        lines += ["", f"{'figure':{width}}  {'said':>24}  {'truth':>24}"]
        for one in self.figures:
            verdict = "" if one.right else "  WRONG"
            lines.append(f"{one.what:{width}}  {one.said:>24}  {one.truth:>24}{verdict}")
            if one.beyond:
                lines.append(f"    {one.beyond}")
        wrong = sum(not one.right for one in self.figures)
        lines += ["", self.broken or f"{len(self.figures)} figures, {wrong} of them wrong."]
        return "\n".join(lines)


def compared(step: str, what: str, named: frozenset[Triple], held: frozenset[Triple]) -> list[Figure]:
    """Hold two sets against each other: nobody may be missed, and nobody named who was not held."""
    beyond = "; ".join(_missing("missed", held - named) + _missing("not held", named - held))
    return [
        Figure(step, f"{what}: persons", str(len(persons(named))), str(len(persons(held)))),
        Figure(step, f"{what}: persons x fields", str(len(named)), str(len(held)), beyond),
    ]


def persons(triples: Iterable[Triple]) -> frozenset[tuple[int, UUID]]:
    """Whose they are."""
    return frozenset((shop, person) for shop, person, _ in triples)


def _missing(word: str, triples: Iterable[Triple]) -> list[str]:
    found: Sequence[Triple] = sorted(triples)
    if not found:
        return []
    first = ", ".join(f"{person} of shop {shop}: {name}" for shop, person, name in found[:_SHOWN])
    return [f"{word}: {len(found)} ({first}{', ...' if len(found) > _SHOWN else ''})"]
