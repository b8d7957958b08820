"""Slices: made and changed by domain owners, each change a revision with its receipt (domain.md "Gate").

Services first, then selectors. A slug never changes, since cases and digests name it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.administration.rules import checked_slug
from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates import slice_rules
from gates.models import Slice, SliceRevision
from gates.slice_rules import Definition
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization, Person
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import found
from relcontrol.bundle.reading import Reader
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, invalid

DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "parent": None,
    "owner": None,
    "judge": None,
    "threshold": None,
    "quality_floor": None,
    "policy": str(Slice.Policy.POINT),
    "n_min": 20,
    "match": None,
}


@transaction.atomic
def create_slice(*, actor: Actor, slug: str, **fields: Any) -> Slice:
    """Make a slice; what is left out gets its default.

    `fields`: name, description, parent (slug), owner (a member's e-mail address), judge, threshold and quality_floor
    (decimals), policy, n_min, match.
    """
    actor.require(WRITE_GATES)
    wanted = {"name": slug, **DEFAULTS, **fields}
    row = Slice(organization=actor.organization, slug=checked_slug(slug), created_at=now())
    _apply(row, _checked(actor.organization, wanted))
    _require_shallow(_parents(actor.organization) | {slug: wanted["parent"]}, slug)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        message = f"There is a slice {slug} already; change it with PATCH /v1/slices/{slug}."
        raise Conflict(message, code="exists_already") from error
    _record(actor, row, "created")
    return row


@transaction.atomic
def change_slice(*, actor: Actor, target: Slice, expected_revision: int | None = None, **fields: Any) -> Slice:
    """Change the given fields of a slice and count its revision up; without any difference nothing is written."""
    actor.require(WRITE_GATES)
    rows = slices_of(actor.organization).select_for_update(of=("self",), no_key=True).order_by("pk")
    # A new parent must not close a circle, which another change could do at the same time: the whole tree is locked.
    row = found(rows if "parent" not in fields else _all_locked(rows), "slice", pk=target.pk)
    if expected_revision is not None and expected_revision != row.revision:
        message = f"{row.slug} is at revision {row.revision}, not {expected_revision}. Read it again, then change it."
        raise Conflict(message, code="stale", state={"slug": row.slug, "revision": row.revision})
    before = definition_of(row)
    _apply(row, _checked(actor.organization, fields))
    if definition_of(row) == before:
        return row
    if "parent" in fields:
        _require_shallow(_parents(actor.organization) | {row.slug: fields["parent"]}, row.slug)
    row.revision += 1
    row.save()
    _record(actor, row, "changed")
    return row


def slices_of(organization: Organization) -> QuerySet[Slice]:
    """Slices of an organization with their parents and owners, by slug."""
    rows = Slice.objects.filter(organization=organization).select_related("parent", "owner")
    return rows.order_by("slug")


def slice_named(organization: Organization, text: str) -> Slice:
    """The slice with this slug or id."""
    key = "pk" if text.startswith("sli_") else "slug"
    return found(slices_of(organization), "slice", **{key: text})


def slice_tree(organization: Organization) -> list[tuple[Slice, int]]:
    """Every slice with its depth, children below their parent."""
    rows = {row.slug: row for row in slices_of(organization)}
    parents = {slug: row.parent.slug if row.parent else None for slug, row in rows.items()}
    return [(rows[slug], depth) for slug, depth in slice_rules.in_tree_order(parents)]


def slice_set_digest(organization: Organization) -> str:
    """The digest of all slices as they are now (contracts.md)."""
    rows = slices_of(organization)
    return slice_rules.slice_set_digest((definition_of(row), row.revision) for row in rows)


def revisions_of(target: Slice) -> QuerySet[SliceRevision]:
    """The revisions of a slice, newest first."""
    return SliceRevision.objects.filter(slice=target).order_by("-revision")


def definition_of(row: Slice) -> Definition:
    """What a slice says now."""
    return Definition(
        slug=row.slug,
        name=row.name,
        description=row.description,
        parent=row.parent.slug if row.parent else None,
        owner=row.owner_id,
        judge=row.judge or None,
        threshold=row.threshold,
        quality_floor=row.quality_floor,
        policy=str(row.policy),
        n_min=row.n_min,
        match=row.match,
    )


def _all_locked(rows: QuerySet[Slice]) -> QuerySet[Slice]:
    list(rows)
    return rows


def _parents(organization: Organization) -> dict[str, str | None]:
    rows = Slice.objects.filter(organization=organization)
    return dict(rows.values_list("slug", "parent__slug"))


def _require_shallow(parents: Mapping[str, str | None], slug: str) -> None:
    """No circles, and no tree that is too deep to read."""
    depths = [slice_rules.depth_of(parents, each) for each in parents]
    if slice_rules.depth_of(parents, slug) is None:
        raise invalid("parent", f"{slug} cannot be below itself or below one of its own children.")
    if max((depth or 0) for depth in depths) >= slice_rules.MAX_DEPTH:
        raise invalid("parent", f"Slices can be nested {slice_rules.MAX_DEPTH} levels deep; hang this one higher up.")


def _apply(row: Slice, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _checked(organization: Organization, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the given fields as the row holds them; `Invalid` with every problem."""
    reader = Reader()
    values = {name: _FIELDS[name](organization, reader, value) for name, value in fields.items()}
    if reader.problems:
        errors = [FieldError(problem.field, problem.message) for problem in reader.problems]
        raise Invalid("; ".join(f"{item.field}: {item.message}" for item in errors[:3]), errors=errors)
    return values


def _name(_: Organization, reader: Reader, value: object) -> str:
    name = reader.text(value.strip() if isinstance(value, str) else value, "name", at_most=slice_rules.MAX_NAME)
    if not name.isprintable():
        reader.refuse("name", "Use printable characters on one line.")
    return name


def _parent(organization: Organization, reader: Reader, value: object) -> Slice | None:
    if value is None:
        return None
    row = Slice.objects.filter(organization=organization, slug=value).first()
    if row is None:
        reader.refuse("parent", f"There is no slice {str(value)[:80]!r}; make it first, or leave parent out.")
    return row


def _owner(organization: Organization, reader: Reader, value: object) -> Person | None:
    if value is None:
        return None
    members = Membership.objects.filter(organization=organization).select_related("person")
    member = members.filter(person__email__iexact=value).first()
    if member is None:
        reader.refuse("owner", "Nobody in this organization has this e-mail address; leave owner out or invite first.")
    return member.person if member else None


def _policy(_: Organization, reader: Reader, value: object) -> str:
    return reader.choice(value, "policy", slice_rules.POLICIES)


def _n_min(_: Organization, reader: Reader, value: object) -> int:
    return reader.integer(value, "n_min", low=1, high=slice_rules.MAX_N_MIN)


def _threshold(_: Organization, reader: Reader, value: object) -> Decimal | None:
    return slice_rules.read_ratio(reader, value, "threshold", above_zero=True, at_most=slice_rules.MAX_THRESHOLD)


def _quality_floor(_: Organization, reader: Reader, value: object) -> Decimal | None:
    return slice_rules.read_ratio(reader, value, "quality_floor", above_zero=False, at_most=Decimal(1))


_FIELDS: Mapping[str, Callable[[Organization, Reader, Any], Any]] = {
    "name": _name,
    "description": lambda _, reader, value: reader.text(
        value, "description", at_most=slice_rules.MAX_DESCRIPTION, empty=True
    ),
    "parent": _parent,
    "owner": _owner,
    "judge": lambda _, reader, value: slice_rules.read_judge(reader, value) or "",
    "threshold": _threshold,
    "quality_floor": _quality_floor,
    "policy": _policy,
    "n_min": _n_min,
    "match": lambda _, reader, value: slice_rules.read_match(reader, value),
}


def _record(actor: Actor, row: Slice, outcome: str) -> None:
    """The revision's row, then its receipt."""
    definition = definition_of(row)
    sha256 = definition.sha256()
    SliceRevision.objects.create(
        slice=row,
        revision=row.revision,
        definition=definition.as_json(),
        sha256=sha256,
        changed_by=actor.id,
        changed_by_label=actor.label,
        created_at=now(),
    )
    append(
        actor,
        Record(
            event=Event.POLICY_CHANGED,
            outcome=outcome,
            kind="slice",
            name=row.slug,
            state={"id": row.pk, "revision": row.revision, **definition.as_json()},
            policy=Policy(row.slug, row.revision, sha256),
        ),
    )
