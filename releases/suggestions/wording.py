"""What was found, in sentences that the page and the API say alike."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from gates.slices.forms import text_of
from relcontrol.web.words import number
from releases.suggestions.grouping import Group, Suggestions, Trait
from releases.suggestions.looking import REACH, Look
from releases.suggestions.matching import NEVER, Matches

FEW, MANY = 10, 100  # a day: from FEW on without decimals, from MANY on two figures
NO_RULE = "Choose how a live trace is known to belong here, and the newest requests that match stand here."
NONE_FOUND = "None of the newest requests is without a slice."
NOT_ASKED = "A judge that sorts traces is not asked while they arrive, so this rule takes none of them by itself."


def looked_at(look: Look) -> str:
    """How far the look came."""
    read = f"{number(look.opened)} request{'' if look.opened == 1 else 's'}"
    if look.whole:
        said = f"The {read} of the last {REACH.days} days"
    else:
        said = f"The newest {read}, back to {moment(look.since)},"
    closed = f"; {number(look.closed)} more cannot be read" if look.closed else ""
    return f"{said} {'was' if look.opened == 1 else 'were'} looked at{closed}."


def sentences(found: Matches, match: Mapping[str, Any] | None) -> list[str]:
    """How many requests match, how many come here, and where the others go."""
    if not match:
        return [NO_RULE]
    if NEVER in match:
        return [NOT_ASKED]
    return [_matched(found), *_overlaps(found), looked_at(found.look)]


def moment(at: datetime) -> str:
    """20 November, 13:27 UTC."""
    return f"{at.astimezone(UTC):%-d %B, %H:%M} UTC"


def a_day(rate: float) -> str:
    """A rate, no more exact than it is: two figures of a large one."""
    if rate >= MANY:
        return number(round(rate, 1 - int(math.log10(rate))))
    return number(rate, 0 if rate >= FEW or round(rate, 1) == round(rate) else 1)


def _matched(found: Matches) -> str:
    if not found.look.opened:
        return "There is no request to try it on yet."
    if not found.matched:
        return "None of them matches."
    verb = "matches" if found.matched == 1 else "match"
    of = f"{number(found.matched)} of {number(found.look.opened)}"
    return f"{of} requests {verb}: about {a_day(found.a_day)} a day."


def _overlaps(found: Matches) -> Iterator[str]:
    of = f"of {number(found.matched)}"
    for slug, count in _most_first(found.earlier):
        yield f"{number(count)} {of} {_go(count)} to {found.names[slug]}, which is asked first."
    for slug, count in _most_first(found.parts):
        yield f"{number(count)} {of} {_go(count)} on to {found.names[slug]}, a part of this slice."
    for slug, count in _most_first(found.moved):
        yield f"{number(count)} {of} {_go(count)} to {found.names[slug]} today and would come here."
    for slug, count in _most_first(found.outside):
        verbs = ("matches", "is") if count == 1 else ("match", "are")
        above = f"{found.names[slug]}, which this slice is a part of"
        yield f"{number(count)} more {verbs[0]} the rule but {verbs[1]} not within {above}."


def _go(count: int) -> str:
    return "goes" if count == 1 else "go"


def _most_first(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def belongs_nowhere(found: Suggestions) -> str:
    """How many requests no slice takes, as far as was looked."""
    count, look = found.unassigned, found.look
    if not count:
        return f"No request of the last {REACH.days} days is without a slice." if look.whole else NONE_FOUND
    requests = f"{number(count)} request{'' if count == 1 else 's'}"
    verb = "belongs" if count == 1 else "belong"
    when = f"of the last {REACH.days} days" if look.whole else f"since {moment(look.since)}"
    return f"{requests} {when} {verb} to no slice: about {a_day(look.a_day(count))} a day."


def trait_words(trait: Trait) -> str:
    """What the requests of a group have in common."""
    return f"Language {trait.value}" if trait.kind == "locale" else f"{trait.key} = {text_of(trait.value)}"


def group_words(group: Group, look: Look) -> str:
    """How large a group is."""
    rate = a_day(look.a_day(group.count))
    return f"{number(group.count)} requests of {number(len(group.subjects))} subjects, about {rate} a day"


def name_of(trait: Trait) -> str:
    """What a slice of them may be called at first."""
    if trait.kind == "locale":
        return f"Language {trait.value}"
    text = trait.value if isinstance(trait.value, str) else f"{trait.key} {text_of(trait.value)}"
    return " ".join(text.replace("_", " ").replace("-", " ").split()).capitalize()
