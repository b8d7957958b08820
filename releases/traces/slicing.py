"""Which slice a live trace belongs to: the first matching leaf (domain.md "Gate", "Slice").

The tree is walked in its order, brothers by slug. A node without a rule only groups; a node with one that does not
match shuts its whole branch, since `Belgian French` is a part of `French`; a node that matches keeps what none of its
children takes. A slice of one application takes traces of that application's routes only. Rules of the kind `judge`
match nothing here: to classify a trace takes a call of the judge, which ingest does not wait for.

Rules are compiled once for what the tree says, and read again after two seconds.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from django.db.models import Count, Q

from gates.models import Slice
from relcontrol.accounts.models import Organization, Route
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from releases.traces.locales import is_within, locale_of
from releases.traces.prompts import prompt_text
from releases.traces.rows import Row
from releases.traces.selectors import SHADOW, traces_of

Matcher = Callable[[Row], bool]

FRESH_FOR: Final = timedelta(seconds=2)
MAX_REMEMBERED: Final = 1000
# A pattern is looked for in this many characters of the input: its time grows with the text.
MAX_SCANNED: Final = 4000


@dataclass(frozen=True, slots=True)
class Unassigned:
    """How many of so many traces no slice took."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where there were no traces."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Node:
    """A slice of the tree, its rule compiled. Without `matches` it only groups."""

    slug: str
    application: str | None
    matches: Matcher | None
    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class SliceTree:
    """An organization's slices as they were a moment ago."""

    roots: tuple[Node, ...]
    applications: Mapping[str, str]
    read_at: datetime

    def slice_of(self, row: Row) -> str | None:
        """The slug of the slice that a trace belongs to, if any."""
        return _first(self.roots, row, self.applications.get(row.columns["route"]))


def slice_tree(organization: Organization, now: datetime) -> SliceTree:
    """The tree, at most two seconds old."""
    known = _remembered.get(organization.pk)
    if known and timedelta(0) <= now - known.read_at < FRESH_FOR:
        return known
    if len(_remembered) >= MAX_REMEMBERED:
        _remembered.clear()
    read = _remembered[organization.pk] = _read(organization, now)
    return read


def share_of_unassigned(organization: Organization, route: str | None, since: datetime) -> Unassigned:
    """How many traces of a route (or of all) since then belong to no slice; copies to a shadow do not count."""
    counted = traces_of(organization, route=route, since=since).exclude(arm=SHADOW).order_by()
    totals = counted.aggregate(count=Count("trace_id", filter=Q(slice__isnull=True)), of=Count("trace_id"))
    return Unassigned(totals["count"], totals["of"])


def tree_of(rows: Iterable[Slice], applications: Mapping[str, str], read_at: datetime) -> SliceTree:
    """The tree of these slices, saved or drafted; `applications` has the application of each route."""
    children: dict[str | None, list[Slice]] = {}
    for row in sorted(rows, key=attrgetter("slug")):
        children.setdefault(row.parent_id, []).append(row)
    return SliceTree(tuple(_nodes(children, None)), applications, read_at)


def applications_by_route(organization: Organization) -> dict[str, str]:
    """The application of every route."""
    return dict(Route.objects.filter(application__organization=organization).values_list("id", "application_id"))


_remembered: dict[str, SliceTree] = {}


def _read(organization: Organization, now: datetime) -> SliceTree:
    return tree_of(Slice.objects.filter(organization=organization), applications_by_route(organization), now)


def _nodes(children: Mapping[str | None, Sequence[Slice]], parent: str | None) -> Iterator[Node]:
    for row in children.get(parent, ()):
        yield Node(row.slug, row.application_id, _compiled(row.match), tuple(_nodes(children, row.pk)))


def _first(nodes: Sequence[Node], row: Row, application: str | None) -> str | None:
    for node in nodes:
        if node.application not in {None, application} or not (node.matches is None or node.matches(row)):
            continue
        found = _first(node.children, row, application) or (node.slug if node.matches else None)
        if found:
            return found
    return None


def _compiled(rule: Mapping[str, Any] | None) -> Matcher | None:
    if not rule:
        return None
    ((kind, wanted),) = rule.items()
    return _COMPILERS[kind](wanted)


def _metadata(wanted: Mapping[str, str | int | bool]) -> Matcher:
    return lambda row: all(_equals(row.metadata.get(key), value) for key, value in wanted.items())


def _equals(found: object, wanted: str | int | bool) -> bool:
    """Whether a value of metadata is the wanted one. OpenAI's metadata are texts: 3 is also "3", and true "true"."""
    if isinstance(found, str) and not isinstance(wanted, str):
        return found == json.dumps(wanted)
    return type(found) is type(wanted) and found == wanted


def _locale(wanted: str) -> Matcher:
    tag = wanted.lower()
    return lambda row: is_within(locale_of(row.metadata), tag)


def _pattern(pattern: str) -> Matcher:
    compiled = compile_pattern(pattern)
    return lambda row: compiled.found(prompt_text(row.prompt)[:MAX_SCANNED])


def _judge(_wanted: str) -> Matcher:
    return lambda _row: False


_COMPILERS: Final[Mapping[str, Callable[[Any], Matcher]]] = {
    "metadata": _metadata,
    "locale": _locale,
    "pattern": _pattern,
    "judge": _judge,
}
