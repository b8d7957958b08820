"""An observer in words: what holds of a slice, whether rollback is armed, what it costs, what was usual. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gates.statistics.limits import shown, shown_beside, shown_limit
from relcontrol.web.words import number
from releases.observing.watch import BREACH, EMPTY
from releases.pages.wording import spoken

ORDER: Final = ("fail", "hold", "running", "skip", "pass")  # gravest first
ORDINALS: Final = ("", "first", "second", "third")
FLOOR_SOURCES: Final = {
    "gate": "0.85 times the quality that the gate asked for",
    "override": "0.85 times the level that the override accepted",
}
MILLION: Final = 1_000_000
NAMED: Final = 3  # slices in a sentence
VERDICTS: Final = {
    "above": ("pass", "Above"),
    "below": ("fail", "Below"),
    "no_data": ("hold", "No data"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a slice stands: a status of the design, its word, and how grave it is (smaller is graver)."""

    kind: str
    word: str
    gravity: tuple[int, float]


def standing(
    *,
    floor: float | None,
    streak: int,
    empty_streak: int,
    mean: float | None,
    closed: bool,
    drifting: bool = False,
) -> Standing:
    """Of a slice whose newest closed window has this mean; `closed`: whether any is; `drifting`: a person is asked."""
    gap = mean - floor if mean is not None and floor is not None else 0.0
    kind, word = _word(floor, streak, empty_streak, closed=closed, drifting=drifting)
    return Standing(kind, word, (ORDER.index(kind), -float(streak) if streak else gap))


def _word(floor: float | None, streak: int, empty_streak: int, *, closed: bool, drifting: bool) -> tuple[str, str]:
    if streak:
        return "fail", f"Below, {min(streak, BREACH)} of {BREACH}"
    if drifting:
        return "hold", "Drifts"
    if empty_streak >= EMPTY:
        return "hold", "Silent"
    if not closed:
        return "running", "Not yet"
    if empty_streak:
        return "hold", "No data"
    return ("pass", "Above") if floor is not None else ("skip", "No floor")


def title_of(*, serves: str, traffic: str, armed: int, slices: int, below: Sequence[tuple[str, int, bool]]) -> str:
    """The page's verdict. `below`: slices that are below their floor, with streak and whether it is armed there."""
    if not slices:
        return f"{serves} serves {traffic}, and nothing watches its quality."
    if below:
        return _falling(serves, *below[0], more=len(below) - 1)
    if not armed:
        return f"{serves} serves {traffic}. Automatic rollback is not armed."
    if armed == slices:
        return f"{serves} serves {traffic}. Automatic rollback is armed."
    return f"{serves} serves {traffic}. Automatic rollback is armed on {armed} of {slices} slices."


def _falling(serves: str, name: str, streak: int, armed: bool, *, more: int) -> str:
    others = f" {more} more slice{'s are' if more > 1 else ' is'} below." if more else ""
    times = ORDINALS[min(streak, BREACH)]
    begun = f"{name} of {serves} is below its floor, for the {times} window in a row."
    if not armed:
        return f"{begun} No rollback follows: it is not armed there.{others}"
    if streak >= BREACH:
        return f"{begun}{others}"
    left = BREACH - streak
    return f"{begun} {'One more rolls' if left == 1 else 'Two more roll'} it back.{others}"


def lede_of(*, target: str, armed: int, months: float | None, calls: float | None) -> str:
    """What would happen, and what the watch costs."""
    then = ""
    if armed:
        where = f"traffic goes back to {target}" if target else "the route is rolled back"
        then = f"Three windows in a row below the floor, and {where} with nobody acting."
    price = "" if calls is None else _price(calls)
    false = f"Expect {rare(months)} rollbacks a month that nothing justified." if armed and months is not None else ""
    return " ".join(part for part in (then, false, price) if part)


def _price(calls: float) -> str:
    if calls < 1:
        return "Its judges are rules or have nothing to judge: no model is called for it."
    return f"Watching takes about {number(calls)} calls of judges a day."


def rare(per_month: float) -> str:
    """A small rate with the digits that it takes: 0.012, less than 0.001."""
    if per_month <= 0:
        return "no"
    if per_month < 0.001:
        return "less than 0.001"
    return shown(per_month, 3 if per_month < 0.1 else 2)


def tokens_words(tokens: float | None) -> str:
    """`1.4 million tokens`; nothing where judges read none."""
    if not tokens:
        return ""
    return f"{number(tokens / MILLION, 1)} million tokens" if tokens >= MILLION else f"{number(tokens)} tokens"


def money_words(money: Decimal | None) -> str:
    """`2.10 in money`, in the currency of the endpoint's prices."""
    return "" if not money else f"{number(money, 2)} in money" if money >= Decimal("0.01") else "under 0.01 in money"


def window_words(*, verdict: str, mean: float | None, n: int, n_min: int, floor: float | None, asked: int) -> str:
    """One closed window in a sentence's part."""
    if verdict == "no_data" or mean is None:
        missing = f", {asked - n} could not be scored" if asked > n else ""
        return f"{n} scored answers where {n_min} are needed{missing}"
    beside = shown(mean) if floor is None else shown_beside(mean, floor)
    return f"{beside} over {n} answers"


def floor_words(floor: float | None, source: str, usual: float | None) -> str:
    """The floor and where it is from, written to compare with the usual quality that stands beside it."""
    if floor is None:
        return "none"
    written = shown_limit(floor, usual)
    return f"{written}, {FLOOR_SOURCES.get(source, source)}" if source else written


def names_in_short(names: Sequence[str]) -> str:
    """`a, b and c`, at most three of them."""
    if len(names) <= NAMED:
        return spoken(list(names))
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
