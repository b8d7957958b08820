"""Signing off what a gate left for review: a person other than the one who asked for the run (domain.md "Gate").

A sign-off answers reviews only. It lifts no failure and nothing insufficient, and the answer says so.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import DecisionInput, Policy, ReleaseRef
from audit.weights.standing import claim_of
from gates.overrides.rules import checked_reason
from gates.reviews.items import is_lifted, reviews_in
from gates.run_models import GateRun, SignOff
from gates.runs.selectors import deciding_run, runs_of
from gates.second_person import require_decider, require_other_than
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import REVIEW_GATES
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

NOT_YOURS: Final = "You cannot sign off this gate run"


@transaction.atomic
def sign_off(*, actor: Actor, run: GateRun, reason: object, items: Collection[str] | None = None) -> SignOff:
    """Sign off these items of a run, or without `items` all that are open."""
    require_decider(actor, REVIEW_GATES, now())
    said = checked_reason(reason, "reason")
    row = found(runs_of(actor.organization).select_for_update(of=("self",), no_key=True), "gate run", pk=run.pk)
    require_other_than(actor, row.requested_by, code="own_run", words=NOT_YOURS)
    if nothing := why_nothing(row):
        raise _conflict(row, nothing)
    wanted = _wanted(row, items)
    signed = SignOff.objects.create(
        run=row,
        items=wanted,
        reason=said,
        signed_by=actor.id,
        signed_by_label=actor.label,
        signed_at=now(),
    )
    _record(actor, row, signed)
    return signed


def open_reviews(run: GateRun) -> list[str]:
    """The items of a run that wait for somebody, in the document's order."""
    signed = {item for row in sign_offs_of(run) for item in row.items}
    return [finding.item for finding in reviews_in(run.document) if finding.item not in signed]


def why_nothing(run: GateRun) -> str:
    """Why there is nothing to sign off in this run, as a sentence; empty where there is.

    Only the run that the release's standing comes from can be signed off, and only while it is held.
    """
    if run.dry_run or run.state != GateRun.State.DONE:
        what = "is a dry run, which decides nothing" if run.dry_run else f"is {run.state} and has no verdict yet"
        return f"This gate run {what}."
    decides = deciding_run(run.organization, run.manifest_sha256)
    if decides is not None and decides.pk != run.pk:
        return f"Gate run {decides.number} of this release is newer and decides; look at that one."
    if run.verdict != GateRun.Verdict.HOLD:
        passed = run.verdict == GateRun.Verdict.PASS
        return f"This gate run {'has passed' if passed else 'has failed, which no sign-off lifts'}."
    if not reviews_in(run.document):
        return "This gate run left nothing for review: what holds it is measured again, or overridden."
    return "" if open_reviews(run) else "Every review of this gate run is signed off."


def sign_offs_of(run: GateRun) -> QuerySet[SignOff]:
    """Who signed what of a run, in order."""
    return SignOff.objects.filter(run=run).order_by("pk")


def everything_signed(run: GateRun) -> bool:
    """Whether a held run counts as passed: reviews were all that held it, and all are signed."""
    return run.pk in signed_runs([run])


def signed_runs(runs: Iterable[GateRun]) -> set[str]:
    """The ids of those of these runs that count as passed because of their sign-offs.

    At most two queries, and no document of a run that nobody signed.
    """
    held = [run.pk for run in runs if run.verdict == GateRun.Verdict.HOLD]
    signed: dict[str, set[str]] = {}
    if held:
        for key, items in SignOff.objects.filter(run__in=held).values_list("run_id", "items"):
            signed.setdefault(key, set()).update(items)
    if not signed:
        return set()
    documents = GateRun.objects.filter(pk__in=signed).values_list("pk", "document")
    return {key for key, document in documents if is_lifted(document, signed[key])}


def _wanted(run: GateRun, items: Collection[str] | None) -> list[str]:
    left = open_reviews(run)
    known = [finding.item for finding in reviews_in(run.document)]
    for item in items or ():
        if item not in known:
            raise invalid("items", f"{item[:200]!r} was not left for review; open are: {', '.join(left) or 'none'}.")
    wanted = [item for item in left if items is None or item in items]
    if not wanted or (items is not None and len(wanted) < len(set(items))):
        raise _conflict(run, "These reviews are signed off already, so nothing was changed.")
    return wanted


def _conflict(run: GateRun, detail: str) -> Conflict:
    state = {"gate_run_id": run.pk, "state": run.state, "verdict": run.verdict or None, "open": open_reviews(run)}
    return Conflict(detail, code="nothing_to_sign_off", state=state)


def _record(actor: Actor, run: GateRun, signed: SignOff) -> None:
    policy: dict[str, Any] = run.policy
    append(
        actor,
        Record(
            event=Event.GATE_SIGNED_OFF,
            outcome="signed_off",
            kind="release",
            name=run.release_name,
            application=run.application.slug,
            release=ReleaseRef(run.manifest_sha256),
            policy=Policy(policy["id"], policy["revision"], policy["sha256"]),
            inputs=[_input(item) for item in signed.items],
            weights=claim_of(run.organization, {"model": run.candidate["model"]}),
            state={
                "run": run.pk,
                "number": run.number,
                "gate_run_sha256": run.gate_run_sha256,
                "items": signed.items,
                "reason": signed.reason,
                "by": signed.signed_by,
            },
            personal={"by_name": signed.signed_by_label},
        ),
    )


def _input(item: str) -> DecisionInput:
    kind, _, rest = item.partition(":")
    slug, _, question = rest.partition(":")
    return DecisionInput(question, "review", slice=slug) if kind == "slice" else DecisionInput(rest, "review")
