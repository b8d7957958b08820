"""Pages: sign off what a gate run left for review; the allowlist, and one entry of it with its review."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from audit.administration.forms import as_initial
from audit.administration.pages.acting import address, carried_out, one_page
from gates.reviews.allowlist import approve, entries_of, entry_named, is_over, propose, reject, withdraw
from gates.reviews.forms import CommentForm, ProposalForm, SignOffForm
from gates.reviews.items import Finding, blocks_in, reviews_in
from gates.reviews.sign_offs import NOT_YOURS, open_reviews, sign_off, sign_offs_of, why_nothing
from gates.run_models import AllowlistEntry, CaseDrop, CaseResult, GateRun
from gates.runs.selectors import answers_of, drops_of, run_named
from gates.second_person import why_not
from gates.suites import suite_named
from relcontrol.accounts.permissions import REVIEW_GATES, VIEW, WRITE_GATES, Denied
from relcontrol.clock import now
from relcontrol.errors import NotFound, invalid
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up, returned_form

COMPARED: Final = 6
DROPS_SHOWN: Final = 5
STATUS: Final = {
    AllowlistEntry.State.PROPOSED: ("hold", "Waiting for review"),
    AllowlistEntry.State.ACTIVE: ("pass", "Tolerated"),
    AllowlistEntry.State.REJECTED: ("fail", "Rejected"),
    AllowlistEntry.State.WITHDRAWN: ("skip", "Withdrawn"),
}
ACTS: Final[Mapping[str, tuple[Callable[..., AllowlistEntry], str, str]]] = {
    "approve": (approve, "approve this entry", "The case is tolerated from now on."),
    "reject": (reject, "reject this entry", "The entry is rejected; the case is held to the limit."),
    "withdraw": (withdraw, "", "The entry is withdrawn; the case is held to the limit."),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One case with its two answers."""

    drop: CaseDrop
    before: CaseResult | None
    after: CaseResult | None


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def run_sign_off(request: PageRequest, run: str) -> HttpResponse:
    """What a run left for review, with both answers, and the form to sign it off."""
    request.actor.require(REVIEW_GATES if request.method == "POST" else VIEW)
    row = run_named(request.actor.organization, run)
    here = address(request, "gate-run-sign-off", run=row.pk)
    words = f"sign off gate run {row.number} of {row.release_name}"
    if request.method == "POST" and (detour := require_step_up(request, words, form_url=here)):
        return detour
    waiting = set(open_reviews(row))
    findings = [finding for finding in reviews_in(row.document) if finding.item in waiting]
    form = _sign_off_form(request, findings)
    if request.method == "POST" and carried_out(form, lambda **said: sign_off(actor=request.actor, run=row, **said)):
        messages.success(request, _signed_words(row))
        return HttpResponseRedirect(here)
    context = {
        "run": row,
        "findings": findings,
        "blocks": blocks_in(row.document),
        "signed": sign_offs_of(row),
        "compared": _compared(row, findings),
        "form": form,
        "denied": why_nothing(row) or why_not(request.actor, REVIEW_GATES, row.requested_by, words=NOT_YOURS),
        "crumbs": [
            ("Gate", address(request, "gate")),
            (f"{row.release_name}, gate run {row.number}", address(request, "gate-run", run=row.pk)),
            ("Sign off", None),
        ],
    }
    return render(request, "gates/reviews/sign_off.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def allowlist(request: PageRequest) -> HttpResponse:
    """Every entry, newest first, and the form to propose one."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    asked = {name: request.GET.get(name, "") for name in ("suite", "case_id")}
    form = ProposalForm(_sent(request), initial=asked)
    made: list[AllowlistEntry] = []
    if request.method == "POST" and carried_out(form, lambda **said: made.append(_proposed(request, **said))):
        messages.success(request, "Proposed. Nothing is tolerated before somebody else has approved it.")
        return HttpResponseRedirect(address(request, "allowlist-entry", entry=made[0].pk))
    listed = one_page(request, entries_of(request.actor.organization))
    at, answer = now(), request.actor.may(WRITE_GATES)
    context = {
        "listed": listed,
        "entries": [(row, *status_of(row, at)) for row in listed.rows],
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": [("Gate", address(request, "gate")), ("Allowlist", None)],
    }
    return render(request, "gates/reviews/allowlist.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def allowlist_entry(request: PageRequest, entry: str) -> HttpResponse:
    """One entry: the case, why, how it fell, and the review."""
    row = entry_named(request.actor.organization, entry)
    here = address(request, "allowlist-entry", entry=row.pk)
    act = ACTS.get(request.POST.get("act", ""))
    if request.method == "POST":
        request.actor.require(WRITE_GATES)
    if act and act[1] and (detour := require_step_up(request, act[1], form_url=here)):
        return detour
    form = CommentForm(_sent(request), initial=returned_form(request))
    if act and carried_out(form, lambda **said: act[0](actor=request.actor, entry=row, **said)):
        messages.success(request, act[2])
        return HttpResponseRedirect(here)
    kind, word = status_of(row, now())
    may_write = request.actor.may(WRITE_GATES)
    context = {
        "entry": row,
        "kind": kind,
        "word": word,
        "form": form,
        "drops": CaseDrop.objects.filter(case=row.case).select_related("run").order_by("-pk")[:DROPS_SHOWN],
        "open": row.state in {AllowlistEntry.State.PROPOSED, AllowlistEntry.State.ACTIVE},
        "proposed": row.state == AllowlistEntry.State.PROPOSED,
        "unreviewable": why_not(request.actor, REVIEW_GATES, row.proposed_by, words="You cannot review this entry"),
        "denied": may_write.reason if isinstance(may_write, Denied) else "",
        "crumbs": [
            ("Gate", address(request, "gate")),
            ("Allowlist", address(request, "allowlist")),
            (row.case.case_id, None),
        ],
    }
    return render(request, "gates/reviews/entry.html", context, status=422 if form.is_bound else 200)


def status_of(row: AllowlistEntry, at: datetime) -> tuple[str, str]:
    """How an entry stands, as a status and its word."""
    state = AllowlistEntry.State(row.state)
    if state == AllowlistEntry.State.ACTIVE and is_over(row, at):
        return "skip", "Over"
    return STATUS[state]


def _sent(request: PageRequest) -> QueryDict | None:
    """The form as it was sent, even with nothing in it."""
    return request.POST if request.method == "POST" else None


def _sign_off_form(request: PageRequest, findings: Sequence[Finding]) -> SignOffForm:
    return SignOffForm(_sent(request), initial=as_initial(SignOffForm, returned_form(request)), findings=findings)


def _signed_words(run: GateRun) -> str:
    if left := len(open_reviews(run)):
        return f"Signed off. {left} more wait for somebody."
    if blocks_in(run.document):
        return "Signed off. The release stays held: a sign-off does not lift what failed or is insufficient."
    return f"Signed off. {run.release_name} counts as passed."


def _compared(run: GateRun, findings: Sequence[Finding]) -> list[Compared]:
    """The largest losses in the slices that wait, with both answers."""
    slugs = {finding.slice for finding in findings if finding.slice}
    drops = list(drops_of(run).filter(slice__slug__in=slugs)[:COMPARED]) if slugs else []
    case_ids = [drop.case.case_id for drop in drops]
    after = answers_of(run, case_ids) if drops else {}
    before = answers_of(run.previous_run, case_ids) if drops and run.previous_run else {}
    return [Compared(drop, before.get(key), after.get(key)) for key, drop in zip(case_ids, drops, strict=True)]


def _proposed(request: PageRequest, suite: str, **said: Any) -> AllowlistEntry:
    try:
        row = suite_named(request.actor.organization, suite)
    except NotFound as error:
        raise invalid("suite", error.detail) from error
    return propose(actor=request.actor, suite=row, **said)
