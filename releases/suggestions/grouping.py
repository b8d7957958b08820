"""What belongs nowhere: requests that no slice took, in groups that a rule could take (domain.md "Slice").

A group is one value of metadata, or one language. A value is told only where some subjects share it: a name, an
e-mail address or an order number stands in metadata as well, belongs to one person, and makes no slice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from gates.models import Slice
from gates.slices.rules import read_match
from relcontrol.accounts.models import Organization
from relcontrol.bundle.reading import Reader
from releases.suggestions.examples import Example, keep_example
from releases.suggestions.looking import Look, Request, Wanted
from releases.traces.locales import locale_of
from releases.traces.rows import Row
from releases.traces.slicing import applications_by_route, tree_of

FEWEST: Final = 5  # requests in a group
FEWEST_SUBJECTS: Final = 3
MOST_GROUPS: Final = 10
EXAMPLES: Final = 3
MOST_KEYS: Final = 20  # of one request's metadata; gateways and clients send fewer
LANGUAGE_KEYS: Final = frozenset({"locale", "accept-language", "accept_language", "Accept-Language"})


class Trait(NamedTuple):
    """What the requests of a group have in common: a kind of rule, the key of metadata, and the value with its type.

    The type keeps 1 and true apart, which Python holds to be equal.
    """

    kind: str
    key: str
    type: type
    value: str | int | bool

    @property
    def match(self) -> dict[str, Any]:
        """The rule that takes them."""
        return {"locale": self.value} if self.kind == "locale" else {"metadata": {self.key: self.value}}


@dataclass(slots=True)
class Group:
    """Requests that no slice takes and that one rule would."""

    trait: Trait
    count: int = 0
    subjects: set[bytes] = field(default_factory=set)
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The largest groups, and how many requests of those that were looked at belong nowhere."""

    look: Look
    unassigned: int
    groups: list[Group]


def suggest(organization: Organization, now: datetime) -> Suggestions:
    """Groups of the newest requests that no slice took when they arrived, and none would take now."""
    look, unassigned = Look(organization, now, Wanted(unassigned=True)), 0
    groups: dict[Trait, Group] = {}
    rows = Slice.objects.filter(organization=organization)  # not those remembered: one may have been made just now
    tree = tree_of(rows, applications_by_route(organization), now)
    for request in look:
        if tree.slice_of(request.row) is None:
            unassigned += 1
            for trait in traits_of(request.row):
                _add(groups.setdefault(trait, Group(trait)), request)
    return Suggestions(look, unassigned, _largest(groups))


def traits_of(row: Row) -> Iterator[Trait]:
    """What a request says of itself that a rule can take: its language, coarse and fine, and values of metadata."""
    if locale := locale_of(row.metadata):
        yield from (Trait("locale", "", str, tag) for tag in {locale, locale.partition("-")[0]})
    for key, value in islice(row.metadata.items(), MOST_KEYS):
        if key not in LANGUAGE_KEYS and isinstance(value, str | int):
            yield Trait("metadata", key, type(value), value)


def _add(group: Group, request: Request) -> None:
    group.count += 1
    group.subjects.add(request.subject)
    keep_example(group.examples, EXAMPLES, request)


def _largest(groups: Mapping[Trait, Group]) -> list[Group]:
    """Those that are worth a slice, the largest first; of a language and its one variety only the variety."""
    enough = [each for each in groups.values() if each.count >= FEWEST and len(each.subjects) >= FEWEST_SUBJECTS]
    varieties = {
        (str(each.trait.value).partition("-")[0], each.count)
        for each in enough
        if each.trait.kind == "locale" and "-" in str(each.trait.value)
    }
    telling = [
        each for each in enough if each.trait.kind != "locale" or (each.trait.value, each.count) not in varieties
    ]
    telling.sort(key=lambda each: (-each.count, each.trait.kind, each.trait.key, str(each.trait.value)))
    return [each for each in telling if _is_a_rule(each.trait)][:MOST_GROUPS]


def _is_a_rule(trait: Trait) -> bool:
    """Whether a slice could be saved with it: what clients send may be too long, or no language tag."""
    reader = Reader()
    read_match(reader, trait.match)
    return not reader.problems
