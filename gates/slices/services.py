"""Slices: made and changed by domain owners, each change a revision with its receipt (domain.md "Gate").

Services first, then selectors. A slug never changes, since cases and digests name it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates.models import Judge, Slice, SliceRevision
from gates.slices import rules
from gates.slices.fields import DEFAULTS, Directory, checked_fields, checked_slice_slug
from gates.slices.rules import Definition
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, NotFound, invalid


@transaction.atomic
def create_slice(*, actor: Actor, slug: str, **fields: Any) -> Slice:
    """Make a slice; what is left out gets its default.

    `fields`: name, description, application and parent (slugs), owner (a member's e-mail address), judge, threshold
    and quality_floor (decimals), policy, n_min, match.
    """
    actor.require(WRITE_GATES)
    wanted = {"name": slug, **DEFAULTS, **fields}
    row = Slice(organization=actor.organization, slug=checked_slice_slug(slug), created_at=now())
    apply_values(row, checked_fields(Directory(actor.organization), wanted))
    require_shallow(_parents(actor.organization) | {slug: wanted["parent"]}, slug)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        message = f"There is a slice {slug} already; change it with PATCH /v1/slices/{slug}."
        raise Conflict(message, code="exists_already") from error
    keep_revision(actor, row)
    append_receipt(actor, row, "created")
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
    apply_values(row, checked_fields(Directory(actor.organization), fields))
    if definition_of(row) == before:
        return row
    if "parent" in fields:
        require_shallow(_parents(actor.organization) | {row.slug: fields["parent"]}, row.slug)
    row.revision += 1
    row.save()
    keep_revision(actor, row)
    append_receipt(actor, row, "changed")
    return row


def slices_of(organization: Organization) -> QuerySet[Slice]:
    """Slices of an organization with their parents, owners and applications, by slug."""
    rows = Slice.objects.filter(organization=organization).select_related("parent", "owner", "application")
    return rows.order_by("slug")


def slice_named(organization: Organization, text: str) -> Slice:
    """The slice with this slug or id."""
    key = "pk" if text.startswith("sli_") else "slug"
    return found(slices_of(organization), "slice", **{key: text})


def slice_tree(organization: Organization) -> list[tuple[Slice, int]]:
    """Every slice with its depth, children below their parent."""
    rows = {row.slug: row for row in slices_of(organization)}
    parents = {slug: row.parent.slug if row.parent else None for slug, row in rows.items()}
    return [(rows[slug], depth) for slug, depth in rules.in_tree_order(parents)]


def slice_in(tree: Iterable[tuple[Slice, int]], text: str) -> Slice:
    """The slice of a tree with this slug or id."""
    for row, _ in tree:
        if text in (row.slug, row.pk):
            return row
    raise NotFound(f"There is no slice {text} here. Look it up in the list of slices.")


def applying_to(application: Application) -> Q:
    """Which slices gate runs of an application look at: its own and those of every application."""
    return Q(application=application) | Q(application__isnull=True)


def judged_slices(organization: Organization, application: Application) -> list[Slice]:
    """Slices with a threshold that gate runs of this application judge, in the order of the tree."""
    every = [row for row, _ in slice_tree(organization)]
    return [row for row in every if row.threshold is not None and row.application in (None, application)]


def slice_set_digest(organization: Organization, application: Application | None = None) -> str:
    """The digest of all slices as they are now (contracts.md); with an application, of those that apply to it."""
    rows = slices_of(organization)
    if application is not None:
        rows = rows.filter(applying_to(application))
    pairs = [(definition_of(row), row.revision) for row in rows]
    named = {definition.judge for definition, _ in pairs if definition.judge}
    return rules.slice_set_digest(pairs, judge_digests(organization, named))


def judge_digests(organization: Organization, named: Iterable[str]) -> dict[str, str]:
    """The digests of those of these judges that are known, by what they were named by: name or id."""
    wanted = list(named)
    rows = Judge.objects.filter(Q(name__in=wanted) | Q(pk__in=wanted), organization=organization)
    known = {key: row.sha256 for row in rows for key in (row.pk, row.name)}
    return {name: known[name] for name in wanted if name in known}


def judges_named(organization: Organization) -> list[str]:
    """Names of judges to choose from: those that are known, and those that slices name."""
    known = Judge.objects.filter(organization=organization).values_list("name", flat=True)
    named = Slice.objects.filter(organization=organization).exclude(judge="").values_list("judge", flat=True)
    return sorted({*known, *named})


def revisions_of(target: Slice) -> QuerySet[SliceRevision]:
    """The revisions of a slice, newest first."""
    return SliceRevision.objects.filter(slice=target).order_by("-revision")


def definition_of(row: Slice) -> Definition:
    """What a slice says now."""
    return Definition(
        slug=row.slug,
        name=row.name,
        description=row.description,
        application=row.application.slug if row.application else None,
        parent=row.parent.slug if row.parent else None,
        owner=row.owner_id,
        judge=row.judge or None,
        threshold=row.threshold,
        quality_floor=row.quality_floor,
        policy=str(row.policy),
        n_min=row.n_min,
        match=row.match,
    )


def apply_values(row: Slice, values: Mapping[str, Any]) -> None:
    """Set what was checked; nothing is saved."""
    for name, value in values.items():
        setattr(row, name, value)


def require_shallow(parents: Mapping[str, str | None], slug: str) -> None:
    """No circles, and no tree that is too deep to read."""
    depths = [rules.depth_of(parents, each) for each in parents]
    if rules.depth_of(parents, slug) is None:
        raise invalid("parent", f"{slug} cannot be below itself or below one of its own children.")
    if max((depth or 0) for depth in depths) >= rules.MAX_DEPTH:
        raise invalid("parent", f"Slices can be nested {rules.MAX_DEPTH} levels deep; hang this one higher up.")


def _all_locked(rows: QuerySet[Slice]) -> QuerySet[Slice]:
    list(rows)
    return rows


def _parents(organization: Organization) -> dict[str, str | None]:
    rows = Slice.objects.filter(organization=organization)
    return dict(rows.values_list("slug", "parent__slug"))


def keep_revision(actor: Actor, row: Slice) -> None:
    """The row of the revision that the slice has now."""
    definition = definition_of(row)
    SliceRevision.objects.create(
        slice=row,
        revision=row.revision,
        definition=definition.as_json(),
        sha256=definition.sha256(),
        changed_by=actor.id,
        changed_by_label=actor.label,
        created_at=now(),
    )


def append_receipt(actor: Actor, row: Slice, outcome: str) -> None:
    """The receipt of the revision that the slice has now: the last thing in its transaction."""
    definition = definition_of(row)
    append(
        actor,
        Record(
            event=Event.POLICY_CHANGED,
            outcome=outcome,
            kind="slice",
            name=row.slug,
            state={"id": row.pk, "revision": row.revision, **definition.as_json()},
            policy=Policy(row.slug, row.revision, definition.sha256()),
        ),
    )
