"""Reading the worst answers of an event; opened only for those who may read what people wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import QuerySet

from gates.rule_judge.judging import text_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from releases.observer_models import DriftAlarm, WorstAnswer, WorstAnswers
from releases.replays.pairing import opened_each
from releases.rollout_models import Rollback, Rollout
from releases.worst.material import AFTER, BEFORE

State = Literal["open", "waiting", "gone"]


@dataclass(frozen=True, slots=True)
class Opened:
    """One place in clear: `waiting` has nothing yet, `gone` was erased or is too old. `before` is of the kept one."""

    row: WorstAnswer
    state: State
    messages: tuple[Mapping[str, Any], ...] = ()
    before: str = ""
    after: str = ""
    reason_before: str = ""
    reason_after: str = ""


def worst_answers_of(organization: Organization) -> QuerySet[WorstAnswers]:
    """All jobs of an organization, newest first, with their releases but not the bytes of the manifests."""
    rows = WorstAnswers.objects.filter(organization=organization).order_by("-pk")
    related = rows.select_related("organization", "route__application", "left", "kept", "rollout", "rollback", "alarm")
    return related.defer("left__manifest", "kept__manifest")


def worst_named(organization: Organization, key: str) -> WorstAnswers:
    """The one with this id (wor_…)."""
    return found(worst_answers_of(organization), "list of worst answers", pk=key)


def worst_of(event: Rollout | Rollback | DriftAlarm) -> WorstAnswers | None:
    """Those of a halted rollout, a rollback or an alarm."""
    name = {Rollout: "rollout", Rollback: "rollback", DriftAlarm: "alarm"}[type(event)]
    return worst_answers_of(event.organization).filter(**{name: event}).first()


def worst_by_receipt(organization: Organization, receipt_hash: str) -> WorstAnswers | None:
    """Those of the event that this receipt is of."""
    return worst_answers_of(organization).filter(event_receipt=receipt_hash).first()


def opened_worst(worst: WorstAnswers) -> list[Opened]:
    """All places in clear, the worst first. The caller has asked whether they may be read (`READ_AUDIT`)."""
    rows = list(worst.answers.order_by("place"))
    sealed = [(bytes(row.subject), bytes(row.sealed or b"")) for row in rows]
    return [
        _opened(worst, row, said) for row, said in zip(rows, opened_each(worst.organization_id, sealed), strict=True)
    ]


def _opened(worst: WorstAnswers, row: WorstAnswer, said: Any) -> Opened:
    if said is None:
        waits = row.sealed is None and not row.problem and not worst.is_over
        return Opened(row, "waiting" if waits else "gone")
    return Opened(
        row,
        "open",
        tuple(each for each in said["input"]["messages"] if isinstance(each, Mapping)),
        text_of(said[BEFORE]),
        text_of(said[AFTER]),
        said["reason_before"],
        said["reason_after"],
    )
