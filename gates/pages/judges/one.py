"""Page: one judge: what it is, its versions, and how far it can be believed, slice by slice (ui.md screen 9)."""

from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from gates.calibrations.requesting import carry_out, request_calibration
from gates.calibrations.selectors import calibrations_of
from gates.calibrations.standing import Badge, badges
from gates.judge_models import AnchorCheck, Calibration, CalibrationRun
from gates.judges import children_of, judge_named, judges_of
from gates.models import Judge
from gates.pages.judges.addresses import crumbs_of
from gates.pages.judges.chart import calibration_chart
from gates.pages.judges.listing import badness, judge_rows, uses_of
from gates.pages.judges.measure_form import MeasureForm, measure_form
from gates.pages.judges.states import run_rows
from gates.pages.judges.wording import family_of, in_words, kind_words, scale_words, version_of
from gates.pages.runs.paths import address
from gates.scoring.scorers import can_score
from gates.suites import suite_named
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.web.forms import add_domain_errors
from relcontrol.web.pages import PageRequest, page

VERSIONS_SHOWN: Final = 20
RUNS_SHOWN: Final = 10
CHECKS_SHOWN: Final = 20
OUTCOMES: Final = {"held": ("pass", "Held"), "moved": ("fail", "Moved"), "incomplete": ("hold", "Incomplete")}
Found = tuple[Calibration, Badge]


@require_safe
@page(VIEW)
def one_judge(request: PageRequest, judge: str) -> HttpResponse:
    """The judge."""
    row = judge_named(request.actor.organization, judge)
    return _shown(request, row, measure_form(row))


@require_POST
@page(WRITE_GATES)
def measure(request: PageRequest, judge: str) -> HttpResponse:
    """Ask for the measurement, and show how far it is."""
    row = judge_named(request.actor.organization, judge)
    form = measure_form(row, request.POST)
    run = _requested(request, row, form) if form.is_valid() else None
    if run is None:
        return _shown(request, row, form, status=422)
    return HttpResponseRedirect(address(request, "calibration", calibration=carry_out(run).pk))


def _requested(request: PageRequest, row: Judge, form: MeasureForm) -> CalibrationRun | None:
    try:
        suite = suite_named(row.organization, form.cleaned_data["suite"])
        return request_calibration(actor=request.actor, judge=row, suite=suite, budget=form.budget)
    except DomainError as error:
        add_domain_errors(form, error)
        return None


def _shown(request: PageRequest, row: Judge, form: MeasureForm, status: int = 200) -> HttpResponse:
    """The page, with the form as it was sent where it was."""
    answer = request.actor.may(WRITE_GATES)
    found = measured(row)
    children = children_of(row)
    context = {
        "judge": row,
        "kind": kind_words(row),
        "in_words": in_words(row, children),
        "children": children,
        "facts": _facts(row),
        "chart": calibration_chart(found),
        "reasons": [(each, badge) for each, badge in found if badge.tone != "pass"],
        "uses": uses_of(row.organization, [row])[row.name],
        "versions": judge_rows(row.organization, _versions(row)),
        "injections": _injections(row),
        "checks": _checks(row),
        "runs": run_rows(_runs(row)),
        "form": form,
        "cannot": can_score(row),
        "scores_command": _scores_command(request, row),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, row.name),
    }
    return render(request, "gates/judges/one.html", context, status=status)


def measured(row: Judge) -> list[Found]:
    """The newest measurement of each slice with its badge, worst first."""
    rows = Calibration.objects.filter(organization=row.organization, judge_sha256=row.sha256)
    newest = list(rows.select_related("slice").order_by("slice", "-pk").distinct("slice"))
    told = badges(row.organization, [(each.slice_id, row.sha256) for each in newest], now())
    found = [(each, told[each.slice_id, row.sha256]) for each in newest]
    return sorted(found, key=lambda pair: (badness(pair[1]), pair[0].rho or 0.0, pair[0].slice.name))


def _facts(row: Judge) -> Sequence[tuple[str, object]]:
    made, parameters = row.definition, row.definition["parameters"]
    facts: list[tuple[str, object]] = [("Kind", kind_words(row)), ("Scale", scale_words(row))]
    if made["kind"] == "llm":
        facts += [("Endpoint", made["endpoint"]), ("Model", made["model"]), ("Draws", made["draws"])]
        facts += [("Together", made["aggregation"]), ("Reference", "given" if made["reference"] else "not given")]
        facts += [("Temperature", parameters["temperature"] or "not sent"), ("Form", parameters["structured"])]
    return [*facts, ("Made by", row.created_by_label)]


def _versions(row: Judge) -> list[Judge]:
    rows = judges_of(row.organization).filter(name__startswith=f"{family_of(row.name)}@")
    return list(rows.exclude(name=row.name)[:VERSIONS_SHOWN]) if version_of(row.name) else []


def _runs(row: Judge) -> list[CalibrationRun]:
    rows = calibrations_of(row.organization).filter(judge__sha256=row.sha256)
    return list(rows.prefetch_related(None)[:RUNS_SHOWN])


def _injections(row: Judge) -> dict[str, Any] | None:
    """How it stood the injected answers in its newest measurement."""
    rows = CalibrationRun.objects.filter(organization=row.organization, judge__sha256=row.sha256)
    found: dict[str, Any] | None = (
        rows.filter(injections__isnull=False).order_by("-pk").values_list("injections", flat=True).first()
    )
    return found


def _checks(row: Judge) -> list[tuple[AnchorCheck, str, str]]:
    """The nightly looks at it, newest first."""
    rows = AnchorCheck.objects.filter(organization=row.organization, calibration__judge_sha256=row.sha256)
    found = rows.exclude(outcome="").select_related("calibration__slice").order_by("-pk")[:CHECKS_SHOWN]
    return [(check, *OUTCOMES.get(check.outcome, ("skip", check.outcome))) for check in found]


def _scores_command(request: PageRequest, row: Judge) -> str:
    """How scores of a judge that works elsewhere are sent."""
    url = request.build_absolute_uri(f"/v1/judges/{row.pk}/calibrations")
    body = '{"suite": "SUITE", "scores": [{"case_id": "c1", "answer_id": "a1", "score": 0.91}]}'
    return f"curl -X POST {url} -H \"Authorization: Bearer $TOKEN\" \\\n  -d '{body}'"
