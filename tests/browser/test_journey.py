"""The customer's whole way: counted, by keys alone, without scripts, and in every state without a fault."""

import time

import pytest
from playwright.sync_api import Browser

from tests.browser import journey
from tests.browser.journey import Hand, Keys, Way
from tests.browser.system import PHONE, System, look, visit, watch

MOST_TAPS = 5
MOST_SECONDS = 60


def test_she_books_with_five_taps_in_under_a_minute(system: System, browser: Browser) -> None:
    """A person's seconds are those of a model (journey.TAP, journey.LETTER); this machine's are printed."""
    hand = Hand()
    with visit(browser) as context:
        page = context.new_page()
        complaints = watch(page)
        begun = time.monotonic()
        journey.book(Way(system, page, hand))
        taken = time.monotonic() - begun
    counted = f"taps {hand.taps}, fields {hand.fields}, letters {hand.letters}"
    print(f"{counted}: {hand.seconds:.0f} s for a person, and {taken:.1f} s of this machine")  # noqa: T201
    assert (hand.taps <= MOST_TAPS, hand.fields) == (True, 3)
    assert hand.seconds < MOST_SECONDS
    assert complaints == []


def test_she_moves_it_with_three_taps_more(system: System, browser: Browser) -> None:
    """From her booking's page: another time, which, yes."""
    with visit(browser) as context:
        page = context.new_page()
        own = journey.book(Way(system, page), days=3)
        hand, taps = Hand(), dict[str, int]()

        def shot(name: str) -> None:
            taps[name] = hand.taps

        journey.move_and_cancel(Way(system, page, hand, shot), own)
    assert taps["moved"] - taps["own"] == 3
    assert taps["cancelled"] - taps["moved"] == 2


@pytest.mark.parametrize("scripts", [True, False])
def test_the_whole_way_goes_by_keys_alone(system: System, browser: Browser, scripts: bool) -> None:
    """With scripts, and without any."""
    with visit(browser, scripts=scripts) as context:
        way = Way(system, context.new_page(), Keys())
        journey.move_and_cancel(way, journey.book(way, days=3, states=True))
        journey.late(way, journey.book(way))


@pytest.mark.parametrize("english", [False, True])
def test_no_state_has_a_fault(system: System, browser: Browser, english: bool) -> None:
    faults: list[str] = []
    with visit(browser, bypass_csp=True, english=english) as context, visit(browser) as another:
        page = context.new_page()

        def shot(name: str) -> None:
            faults.extend(look(page, f"journey-{name}-{'en' if english else 'ja'}"))
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]

        way = Way(system, page, shot=shot)
        own = journey.book(way, days=3, states=True)
        journey.move_and_cancel(way, own)
        journey.lose_a_race(way, another.new_page())
        journey.request(way)
        journey.stay(way)
        journey.nothing_there(way)
        if not english:
            journey.vault_down(way)
        way.shot = lambda _name: None
        own = journey.book(way)
        way.shot = shot
        journey.late(way, own)
    assert faults == []
