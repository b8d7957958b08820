"""Many slices at once: what a file would change, then all of it in one transaction, or nothing (ui.md screen 7).

Slices that are not in the file stay as they are. Every problem of every row is told before anything is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction

from gates.models import Slice
from gates.slices.differences import Difference, differences
from gates.slices.fields import DEFAULTS, Directory, checked_fields, checked_slice_slug
from gates.slices.files import COLUMNS, SliceRow
from gates.slices.rules import MAX_DEPTH, Definition, depth_of, in_tree_order
from gates.slices.services import append_receipt, apply_values, definition_of, keep_revision, slices_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, FieldError, Invalid


class Action(StrEnum):
    """What an import does with one slice of the file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PlannedSlice:
    """One slice of the file as it will be; `row` is not saved yet."""

    row: Slice
    action: Action
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import does, parents first; `state` is the digest of the slices that it was worked out from."""

    slices: tuple[PlannedSlice, ...]
    state: str

    def counted(self, action: str) -> int:
        """How many slices it does this with."""
        return sum(each.action == action for each in self.slices)

    @property
    def changes(self) -> int:
        """How many revisions and receipts it makes."""
        return len(self.slices) - self.counted(Action.SAME)


def plan_import(organization: Organization, rows: Sequence[SliceRow]) -> ImportPlan:
    """What these rows would change; `Invalid` names every row that breaks a rule. Nothing is written."""
    return _plan(organization, rows, slices_of(organization))


@transaction.atomic
def import_slices(*, actor: Actor, rows: Sequence[SliceRow], expected_state: str | None = None) -> ImportPlan:
    """Make and change slices as the rows say: a revision and a receipt for each that is new or differs.

    `expected_state` is the `state` of the plan that a person has seen; `Conflict` where slices changed since.
    """
    actor.require(WRITE_GATES)
    locked = slices_of(actor.organization).select_for_update(of=("self",), no_key=True).order_by("pk")
    plan = _plan(actor.organization, rows, locked)
    if expected_state is not None and plan.state != expected_state:
        message = "Slices have changed since this was shown. Look at what the file would change now, then apply it."
        raise Conflict(message, code="stale")
    _write(actor, [each for each in plan.slices if each.action is not Action.SAME])
    return plan


def _plan(organization: Organization, rows: Sequence[SliceRow], existing: Iterable[Slice]) -> ImportPlan:
    slices = {row.slug: row for row in existing}
    before = {slug: definition_of(row) for slug, row in slices.items()}
    state = sha256_hex({slug: [row.revision, before[slug].sha256()] for slug, row in slices.items()})
    problems = _unusable(rows)
    named = [row for row in rows if f"row {row.number}" not in {problem.field for problem in problems}]
    for row in named:
        slices.setdefault(row.fields["slug"], _new(organization, row.fields["slug"]))
    directory = Directory(organization, slices)
    for row in named:
        problems += _applied(directory, row, is_new=row.fields["slug"] not in before)
    problems = problems or _misplaced(slices, named)
    if problems:
        raise _refused(problems)
    return ImportPlan(_planned(slices, before, {row.fields["slug"] for row in named}), state)


def _new(organization: Organization, slug: str) -> Slice:
    return Slice(organization=organization, slug=slug, created_at=now())


def _unusable(rows: Sequence[SliceRow]) -> list[FieldError]:
    """Rows without a slug of their own, or with fields that no slice has."""
    problems: list[FieldError] = []
    seen: dict[str, int] = {}
    for row in rows:
        said = [f"Unknown field {str(name)[:80]!r}." for name in row.fields if name not in COLUMNS]
        slug = row.fields.get("slug")
        try:
            said += [] if isinstance(slug, str) and checked_slice_slug(slug) else ["slug: Name the slice."]
        except DomainError as error:
            said.append(f"slug: {error.detail}")
        if isinstance(slug, str) and seen.setdefault(slug, row.number) != row.number:
            said.append(f"slug: {slug[:80]} stands in row {seen[slug]} already.")
        problems += [FieldError(f"row {row.number}", message) for message in said]
    return problems


def _applied(directory: Directory, row: SliceRow, *, is_new: bool) -> list[FieldError]:
    """Set the row's fields on its slice; what is wrong with them."""
    given = {name: value for name, value in row.fields.items() if name != "slug"}
    slug = row.fields["slug"]
    wanted = {"name": slug, **DEFAULTS, **given} if is_new else given
    wrong = [name for name in ("application", "parent", "owner") if not isinstance(wanted.get(name), str | None)]
    if wrong:
        return [FieldError(f"row {row.number}", f"{name}: Must be a string or null.") for name in wrong]
    try:
        apply_values(directory.slices[slug], checked_fields(directory, wanted))
    except Invalid as error:
        return [FieldError(f"row {row.number}", f"{item.field}: {item.message}") for item in error.errors]
    return []


def _misplaced(slices: Mapping[str, Slice], rows: Sequence[SliceRow]) -> list[FieldError]:
    """Rows that would close a circle or hang too deep."""
    parents = {slug: row.parent.slug if row.parent else None for slug, row in slices.items()}
    problems = []
    for row in rows:
        depth = depth_of(parents, row.fields["slug"])
        if depth is None:
            problems.append(FieldError(f"row {row.number}", "parent: It would be below itself."))
        elif depth >= MAX_DEPTH:
            problems.append(FieldError(f"row {row.number}", f"parent: Slices nest {MAX_DEPTH} levels deep at most."))
    return problems


def _planned(
    slices: Mapping[str, Slice], before: Mapping[str, Definition], named: set[str]
) -> tuple[PlannedSlice, ...]:
    parents = {slug: row.parent.slug if row.parent else None for slug, row in slices.items()}
    ordered = [slug for slug, _ in in_tree_order(parents) if slug in named]
    return tuple(_planned_one(slices[slug], before.get(slug)) for slug in ordered)


def _planned_one(row: Slice, before: Definition | None) -> PlannedSlice:
    if before is None:
        return PlannedSlice(row, Action.NEW, ())
    after = definition_of(row)
    if after == before:
        return PlannedSlice(row, Action.SAME, ())
    return PlannedSlice(row, Action.CHANGED, differences(before.as_json(), after.as_json()))


def _write(actor: Actor, planned: Sequence[PlannedSlice]) -> None:
    """All rows, then all receipts."""
    for each in planned:
        if each.action is Action.CHANGED:
            each.row.revision += 1
        _save(each.row, is_new=each.action is Action.NEW)
        keep_revision(actor, each.row)
    for each in planned:
        append_receipt(actor, each.row, "created" if each.action is Action.NEW else "changed")


def _save(row: Slice, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
    except IntegrityError as error:
        message = f"There is a slice {row.slug} since a moment ago; look at what the file would change now."
        raise Conflict(message, code="stale") from error


def _refused(problems: Sequence[FieldError]) -> Invalid:
    first = problems[0]
    message = f"Nothing was imported: {len(problems):,} to mend. {first.field}: {first.message}"
    return Invalid(message, errors=problems)


def as_summary(plan: ImportPlan) -> dict[str, Any]:
    """The plan as the API says it."""
    counts = {str(action): plan.counted(action) for action in Action}
    slices = [
        {
            "slug": each.row.slug,
            "action": str(each.action),
            "revision": each.row.revision,
            "differences": [str(difference) for difference in each.differences],
        }
        for each in plan.slices
    ]
    return counts | {"slices": slices}
