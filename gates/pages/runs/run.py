"""Page: one gate run (ui.md screen 5): the verdict, why, what it would take, the slices, the answers that got worse.

While it works the page says how far it is, and becomes the verdict by itself. Everything that it says comes from the
run's document and rows.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from audit.models import Receipt
from gates.evaluating.progress import spent_on
from gates.models import Slice
from gates.pages.runs.answers import comparison, drop_rows, filter_links, shown_drops
from gates.pages.runs.condition_rows import condition_rows
from gates.pages.runs.evaluating import stand_of, steps_of
from gates.pages.runs.forest import forest
from gates.pages.runs.links import links_of
from gates.pages.runs.paths import address, numbered, with_query
from gates.pages.runs.slice_rows import slice_rows
from gates.pages.runs.why import findings
from gates.pages.runs.wording import status_of, took
from gates.pages.spending import spent_words
from gates.run_models import GateRun
from gates.runs.requesting import cancel_run
from gates.runs.selectors import deciding_run, run_named
from gates.scorecards.card import card_of
from gates.scorecards.headline import headline
from gates.scorecards.markdown import markdown
from gates.scorecards.remedies import remedies
from gates.scorecards.words import Part, beside, capital, counted, points
from gates.standing import Standing, standing_of
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_GATES, Denied
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled

SLICES_PER_PAGE: Final = 50
SEQ_PER_ATTEMPT: Final = 10**9


@require_safe
@page(VIEW)
def gate_run(request: PageRequest, run: str) -> HttpResponse:
    """The run; the verdict where there is one, else how it stands."""
    row = run_named(request.actor.organization, run)
    context = _head(request, row)
    if row.state == GateRun.State.DONE and not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "gates/runs/run.html", context | _verdict(request, row))
    seq = row.fence * SEQ_PER_ATTEMPT + 2 * (row.progress_done + steps_of(row)) + row.is_over
    context |= _progress(request, row, seq)
    if not request.htmx:  # type: ignore[attr-defined]  # the same
        return render(request, "gates/runs/waiting.html", context)
    return polled(request, seq, lambda: _fragment(request, row, context))


@require_POST
@page(WRITE_GATES)
def cancel(request: PageRequest, run: str) -> HttpResponse:
    """Stop a run that is not over; of one that is, the page says so."""
    row = run_named(request.actor.organization, run)
    if not row.is_over:
        cancel_run(actor=request.actor, run=row)
    return HttpResponseRedirect(address(request, "gate-run", run=row.pk))


@require_safe
@page(VIEW)
def scorecard(request: PageRequest, run: str) -> HttpResponse:
    """The scorecard as a Markdown file."""
    row = run_named(request.actor.organization, run)
    link = request.build_absolute_uri(address(request, "gate-run", run=row.pk))
    name = f"{row.application.slug}-{row.release_name}-gate-{row.number}.md"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = markdown(card_of(row, link=link))
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)


def _fragment(request: PageRequest, row: GateRun, context: Mapping[str, Any]) -> HttpResponse:
    """The live part; a verdict is a whole page, which the browser is asked to load."""
    response = render(request, "gates/runs/live.html", dict(context))
    if row.state == GateRun.State.DONE:
        response.headers["HX-Refresh"] = "true"
    return response


def _head(request: PageRequest, row: GateRun) -> dict[str, Any]:
    kind, word = status_of(row)
    release = address(request, "release", release=row.candidate["release_id"])
    name = f"{row.application.slug} {row.release_name}"
    return {
        "run": row,
        "kind": kind,
        "word": word,
        "release_url": release,
        "title_of_run": f"Gate run {row.number}",
        "crumbs": [("Gate", address(request, "gate")), (name, release), (f"Gate run {row.number}", None)],
    }


def _progress(request: PageRequest, row: GateRun, seq: int) -> dict[str, Any]:
    answer = request.actor.may(WRITE_GATES)
    problem = row.problem or {}
    return {
        "seq": seq,
        "stand": stand_of(row),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "errors": [(item["field"].removeprefix("row "), item["message"]) for item in problem.get("errors", [])],
    }


def _verdict(request: PageRequest, row: GateRun) -> dict[str, Any]:
    document: Part = row.document or {}
    deciding = None if row.dry_run else deciding_run(row.organization, row.manifest_sha256)
    standing = standing_of(row.organization, row.manifest_sha256) if deciding == row else Standing.NONE
    slices = numbered(request, document["slices"], name="slices", size=SLICES_PER_PAGE, anchor="slices")
    return {
        "told": headline(
            document,
            release=row.release_name,
            dry_run=row.dry_run,
            since=since(row, standing),
        ),
        "newer": deciding if deciding not in (None, row) else None,
        "findings": findings(document, row.candidate),
        "remedies": remedies(document, row.candidate, limit_points=drop_limit(row)),
        "chart": forest(document, previous=row.previous_name),
        "slices": slices,
        "slice_rows": slice_rows(slices.rows),
        "slices_heading": capital(counted(len(document["slices"]), "slice")),
        "mean": beside(document["aggregate"]["mean_of_slices"], None),
        "conditions": condition_rows(document),
        **_cases(request, row),
        **links_of(request, row, decides=deciding == row, standing=standing),
        **_record(request, row),
    }


def since(row: GateRun, standing: Standing) -> str:
    """What people did about a run that decides."""
    if standing == Standing.OVERRIDDEN:
        return "overridden"
    return "signed" if standing == Standing.PASS and row.verdict == GateRun.Verdict.HOLD else ""


def _cases(request: PageRequest, row: GateRun) -> dict[str, Any]:
    drops = shown_drops(request, row)
    rows = drop_rows(request, drops, limit=drop_limit(row))
    current = next((drop for drop in rows if drop.current), None)
    return {
        "drops": drops,
        "drop_rows": rows,
        "comparison": comparison(row, current) if current else None,
        "drop_filters": filter_links(request, row),
        "drop_slice": Slice.objects.filter(
            organization=row.organization, slug=request.GET.get("slice", "").replace("\0", "")
        ).first(),
        "flagged": (row.document or {})["cases"]["flagged_count"],
        "limit_text": points(drop_limit(row)),
        "all_slices_url": with_query(request, "cases", slice="", case="", cases=""),
    }


def drop_limit(row: GateRun) -> float:
    """The most points of 100 that a case may drop, as the policy was when the run was asked for."""
    return float(row.policy["definition"]["max_per_case_regression"])


def _record(request: PageRequest, row: GateRun) -> dict[str, Any]:
    receipt = Receipt.objects.filter(organization=row.organization, receipt_hash=row.receipt_hash).first()
    return {
        "receipt": receipt if row.receipt_hash else None,
        "may_audit": not isinstance(request.actor.may(READ_AUDIT), Denied),
        "took": took(row),
        "spent": spent_words(spent_on(row)) if row.evaluation else "",
    }
