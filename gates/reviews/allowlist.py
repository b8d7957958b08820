"""Cases that may drop further than the limit: proposed by one, in force once another person has reviewed it.

Services first, then selectors. An entry is for one case of one suite, for every release that is judged on it, until
its date where it has one. What is rejected, withdrawn or over stays as a row, and the case can be proposed again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from audit.events import Event
from audit.receipts import Record, append
from gates.models import Suite, SuiteCase
from gates.overrides.rules import checked_comment, checked_reason
from gates.run_models import AllowlistEntry
from gates.second_person import require_decider, require_other_than
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import REVIEW_GATES, WRITE_GATES
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

State = AllowlistEntry.State
OPEN: Final = (State.PROPOSED, State.ACTIVE)
NOT_YOURS: Final = "You cannot review this entry"
MAX_CASE_ID: Final = 200


@transaction.atomic
def propose(
    *, actor: Actor, suite: Suite, case_id: str, justification: object, until: datetime | None = None
) -> AllowlistEntry:
    """Propose to tolerate a case's drop; nothing is tolerated before somebody else has approved it."""
    actor.require(WRITE_GATES)
    case = SuiteCase.objects.select_related("suite", "slice").filter(suite=suite, case_id=case_id[:MAX_CASE_ID]).first()
    if case is None:
        raise invalid("case_id", f"The suite {suite.name} has no case {case_id[:80]!r}.")
    said = checked_reason(justification, "justification")
    if until is not None and until <= now():
        raise invalid("until", "Must be in the future; leave it out for as long as the suite is used.")
    ended = _end_lapsed(case, now())
    row = AllowlistEntry(
        organization=actor.organization,
        case=case,
        justification=said,
        until=until,
        proposed_by=actor.id,
        proposed_by_label=actor.label,
        proposed_at=now(),
    )
    _insert(row)
    if ended is not None:
        _record(actor, ended, "ended")
    _record(actor, row, "proposed")
    return row


@transaction.atomic
def approve(*, actor: Actor, entry: AllowlistEntry, comment: object) -> AllowlistEntry:
    """Put an entry in force."""
    row = _reviewed(actor, entry, comment, State.ACTIVE)
    _record(actor, row, "active", event=Event.CASE_ALLOWLISTED, kind="case")
    return row


@transaction.atomic
def reject(*, actor: Actor, entry: AllowlistEntry, comment: object) -> AllowlistEntry:
    """Refuse an entry; the comment says why."""
    row = _reviewed(actor, entry, comment, State.REJECTED)
    _record(actor, row, "rejected")
    return row


@transaction.atomic
def withdraw(*, actor: Actor, entry: AllowlistEntry, comment: object = "") -> AllowlistEntry:
    """Take an entry back, proposed or in force: from then on the case is held to the limit again."""
    actor.require(WRITE_GATES)
    said = checked_comment(comment) if comment else ""
    row = _locked(actor, entry)
    if row.state not in OPEN:
        raise _over(row)
    row.state = State.WITHDRAWN
    row.save(update_fields=["state"])
    _record(actor, row, "withdrawn", comment=said)
    return row


def entries_of(organization: Organization) -> QuerySet[AllowlistEntry]:
    """The allowlist of an organization with everything that was ever proposed, newest first."""
    rows = AllowlistEntry.objects.filter(organization=organization)
    return rows.select_related("case", "case__suite", "case__slice").order_by("-pk")


def entry_named(organization: Organization, key: str) -> AllowlistEntry:
    """One entry."""
    return found(entries_of(organization), "allowlist entry", pk=key)


def active_cases(suite: Suite, at: datetime) -> set[str]:
    """The ids of the cases of a suite whose drops are tolerated at a time."""
    rows = AllowlistEntry.objects.filter(Q(until=None) | Q(until__gt=at), case__suite=suite, state=State.ACTIVE)
    return set(rows.values_list("case__case_id", flat=True))


def is_over(row: AllowlistEntry, at: datetime) -> bool:
    """Whether the entry's date has passed."""
    return row.until is not None and row.until <= at


def _reviewed(actor: Actor, entry: AllowlistEntry, comment: object, state: State) -> AllowlistEntry:
    require_decider(actor, REVIEW_GATES, now())
    said = checked_comment(comment)
    row = _locked(actor, entry)
    require_other_than(actor, row.proposed_by, code="own_proposal", words=NOT_YOURS)
    if row.state != State.PROPOSED:
        raise _over(row)
    if is_over(row, now()):
        message = "The date until which the case should be tolerated has passed. Withdraw it, or propose a later one."
        raise Conflict(message, code="ended", state=_state_now(row))
    row.state, row.comment = state, said
    row.reviewed_by, row.reviewed_by_label, row.reviewed_at = actor.id, actor.label, now()
    row.save(update_fields=["state", "comment", "reviewed_by", "reviewed_by_label", "reviewed_at"])
    return row


def _locked(actor: Actor, entry: AllowlistEntry) -> AllowlistEntry:
    rows = entries_of(actor.organization).select_for_update(of=("self",), no_key=True)
    return found(rows, "allowlist entry", pk=entry.pk)


def _end_lapsed(case: SuiteCase, at: datetime) -> AllowlistEntry | None:
    """An open entry whose date has passed makes room for a new one."""
    rows = AllowlistEntry.objects.select_related("case", "case__suite", "case__slice")
    row = rows.filter(case=case, state__in=OPEN, until__lte=at).select_for_update(of=("self",), no_key=True).first()
    if row is not None:
        row.state = State.WITHDRAWN
        row.save(update_fields=["state"])
    return row


def _insert(row: AllowlistEntry) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        there = AllowlistEntry.objects.filter(case=row.case, state__in=OPEN).first()
        message = f"The case {row.case.case_id} is proposed or tolerated already. Withdraw that entry first."
        raise Conflict(message, code="exists_already", state=_state_now(there) if there else {}) from error


def _over(row: AllowlistEntry) -> Conflict:
    return Conflict(f"This entry is {row.state} already, so nothing was changed.", code="over", state=_state_now(row))


def _state_now(row: AllowlistEntry) -> dict[str, Any]:
    return {"allowlist_id": row.pk, "state": str(row.state)}


def _record(
    actor: Actor,
    row: AllowlistEntry,
    outcome: str,
    *,
    event: Event = Event.POLICY_CHANGED,
    kind: str = "allowlist_entry",
    comment: str | None = None,
) -> None:
    """`case.allowlisted` says that a case is tolerated from now on; every other change is a `policy.changed`."""
    state, names = _state_of(row, comment), {"proposed_by_name": row.proposed_by_label}
    if row.reviewed_by_label:
        names["reviewed_by_name"] = row.reviewed_by_label
    append(actor, Record(event=event, outcome=outcome, kind=kind, name=row.pk, state=state, personal=names))


def _state_of(row: AllowlistEntry, comment: str | None) -> Mapping[str, Any]:
    return {
        "id": row.pk,
        "name": row.case.case_id,
        "suite": row.case.suite.name,
        "suite_sha256": row.case.suite.sha256,
        "case_id": row.case.case_id,
        "slice": row.case.slice.slug,
        "state": str(row.state),
        "justification": row.justification,
        "until": row.until.isoformat() if row.until else None,
        "proposed_by": row.proposed_by,
        "reviewed_by": row.reviewed_by or None,
        "comment": row.comment if comment is None else comment,
    }
