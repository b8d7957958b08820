"""Which of the newest requests a rule takes, as it is typed or as it was saved (ui.md screen 8).

The slice stands in the tree as it would once it is saved, so that what is found is what would be: a request goes to
the first leaf whose rules all take it (`releases.traces.slicing`). A request that the rule matches may still go to a
slice that is asked before, on to a part of this one, or be turned away above it; each is told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from gates.models import Slice
from gates.slices.fields import Directory, checked_fields, checked_slice_slug
from gates.slices.services import require_shallow
from relcontrol.accounts.models import Organization
from relcontrol.errors import invalid
from releases.suggestions.examples import Example, keep_example
from releases.suggestions.looking import Look, Request, Wanted
from releases.traces.rows import Row
from releases.traces.slicing import Node, SliceTree, applications_by_route, tree_of

EXAMPLES: Final = 5
DRAFTED: Final = "drafted"  # the key of a slice that is not there yet
LAST: Final = "\N{TILDE}"  # the slug of one that has no name yet: it is asked after all of its brothers
NEVER: Final = "judge"  # rules of this kind are not asked while traces arrive


@dataclass(frozen=True, slots=True)
class Draft:
    """A slice as it is typed: slugs, as the form and the API name them. `changes` is the slice that it would change."""

    match: Mapping[str, Any] | None
    slug: str = ""
    parent: str | None = None
    application: str | None = None
    changes: Slice | None = None


@dataclass(slots=True)
class Matches:
    """What a rule came to. Slices are named by slug.

    Of `matched` requests `taken` would come here. `earlier` are those that go to a slice which is asked before,
    `parts` those that go on to a part of this one, `moved` those that another slice gets today and this one would get.
    `outside` match the rule too, but are turned away by a slice above.
    """

    look: Look
    draft: str
    names: Mapping[str, str]
    matched: int = 0
    taken: int = 0
    earlier: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    @property
    def a_day(self) -> float:
        """How many a day the rule matches, as far as was looked."""
        return self.look.a_day(self.matched)


@dataclass(frozen=True, slots=True)
class Trees:
    """The tree of today and the one with the draft in it."""

    today: SliceTree
    then: SliceTree
    way: Sequence[Node]  # in `then`, from the root down to the draft

    def refused_by(self, row: Row) -> str | None:
        """The slice above that turns a request away; None where it comes through to the draft."""
        refusing = (node.slug for node in self.way[:-1] if node.matches and not node.matches(row))
        return next(refusing, None)


def find_matches(organization: Organization, draft: Draft, now: datetime) -> Matches:
    """Which of the newest requests the drafted rule matches. Raises `Invalid` where the slice could not be saved so."""
    rows = {row.slug: row for row in Slice.objects.filter(organization=organization).select_related("parent")}
    names = {slug: row.name for slug, row in rows.items()}
    applications = applications_by_route(organization)
    today = tree_of(list(rows.values()), applications, now)
    placed = _placed(organization, draft, rows)
    then = tree_of([*(row for row in rows.values() if row.pk != placed.pk), placed], applications, now)
    trees = Trees(today, then, way_to(then.roots, placed.slug))
    found = Matches(Look(organization, now, _wanted(trees, applications)), placed.slug, names)
    if placed.match and NEVER not in placed.match:
        for request in found.look:
            _count(found, trees, request)
    return found


def way_to(nodes: Sequence[Node], slug: str) -> list[Node]:
    """The nodes from the root down to this slug."""
    for node in nodes:
        if node.slug == slug:
            return [node]
        if below := way_to(node.children, slug):
            return [node, *below]
    return []


def _placed(organization: Organization, draft: Draft, rows: Mapping[str, Slice]) -> Slice:
    """The slice as it would be saved; nothing is."""
    given = {"match": draft.match, "parent": draft.parent, "application": draft.application}
    values = checked_fields(Directory(organization, rows), given)
    slug = draft.changes.slug if draft.changes else _new_slug(draft.slug, rows)
    parents = {row.slug: row.parent.slug if row.parent else None for row in rows.values()}
    require_shallow(parents | {slug: draft.parent}, slug)
    key = draft.changes.pk if draft.changes else DRAFTED
    return Slice(pk=key, organization=organization, slug=slug, **values)


def _new_slug(slug: str, rows: Mapping[str, Slice]) -> str:
    if slug in rows:
        raise invalid("slug", f"There is a slice {slug} already; choose another slug, or change that one.")
    return checked_slice_slug(slug) if slug else LAST


def _wanted(trees: Trees, applications: Mapping[str, str]) -> Wanted:
    """Requests of the application that this slice, or one above it, is for; those of all where none is."""
    named = {node.application for node in trees.way} - {None}
    if not named:
        return Wanted()
    only = named.pop() if len(named) == 1 else None  # two of them on the way down let nothing through
    return Wanted([route for route, application in applications.items() if application == only])


def _count(found: Matches, trees: Trees, request: Request) -> None:
    own = trees.way[-1].matches
    if own is None or not own(request.row):
        return
    if refused := trees.refused_by(request.row):
        found.outside[refused] += 1
        return
    found.matched += 1
    found.days[request.started_at.astimezone(UTC).date()] += 1
    then = trees.then.slice_of(request.row) or found.draft
    if then == found.draft:
        found.taken += 1
        before = trees.today.slice_of(request.row)
        if before not in {None, found.draft}:
            found.moved[str(before)] += 1
    else:
        place = found.parts if way_to(trees.way[-1].children, then) else found.earlier
        place[then] += 1
    keep_example(found.examples, EXAMPLES, request, then)
