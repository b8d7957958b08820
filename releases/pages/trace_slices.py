"""Why a request belongs to its slice: the slices from the root of the tree down to it, each with its rule in words.

A request gets its slice when its trace arrives. The rules are those of now, so it says where one has changed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.models import Slice, SliceRevision
from relcontrol.accounts.models import Organization
from releases.trace_models import Trace


@dataclass(frozen=True, slots=True)
class Step:
    """A slice on the way down, and what its rule takes."""

    slug: str
    name: str
    rule: str


@dataclass(frozen=True, slots=True)
class SlicePath:
    """The way from the root; empty where no slice took the request, or its slice is not there any more."""

    steps: tuple[Step, ...] = ()
    changed: bool = False


def slice_path(organization: Organization, row: Trace) -> SlicePath:
    """The slices that a request came down through."""
    if row.slice is None:
        return SlicePath()
    known = {each.pk: each for each in Slice.objects.filter(organization=organization)}
    found: list[Slice] = []
    here = next((each for each in known.values() if each.slug == row.slice), None)
    while here is not None and here not in found:
        found.insert(0, here)
        here = known.get(here.parent_id or "")
    later = SliceRevision.objects.filter(slice__in=found, created_at__gt=row.received_at)
    steps = tuple(Step(each.slug, each.name, rule_words(each.match)) for each in found)
    return SlicePath(steps, bool(found) and later.exists())


def rule_words(rule: Mapping[str, Any] | None) -> str:
    """A match rule as a person says it."""
    if not rule:
        return "groups others and takes nothing by itself"
    ((kind, wanted),) = rule.items()
    if kind == "metadata":
        return "takes requests whose metadata say " + " and ".join(f"{key} = {value}" for key, value in wanted.items())
    return {
        "locale": f"takes requests in {wanted}",
        "pattern": f"takes requests whose question matches {wanted}",
        "judge": f"takes what {wanted} says, which is not asked while traces arrive",
    }[kind]
