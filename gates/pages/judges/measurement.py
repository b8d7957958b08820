"""Page: one measurement of a judge (ui.md screen 9).

It is long work: the page shows how far it is, can be left and found again, and says in the end what was found.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from gates.calibrations.requesting import cancel_calibration
from gates.calibrations.selectors import calibration_named
from gates.calibrations.standing import TONES, Badge
from gates.judge_models import Calibration, CalibrationRun
from gates.pages.judges.addresses import crumbs_of
from gates.pages.judges.chart import calibration_chart
from gates.pages.judges.numbers import map_of, numbers_of
from gates.pages.judges.states import STATES
from gates.pages.runs.paths import address
from gates.pages.spending import spent_of, spent_words
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled

SEQ_PER_ATTEMPT: Final = 10**9
WORST_FIRST: Final = ("fail", "insufficient", "review", "pass")


@dataclass(frozen=True, slots=True)
class MeasuredSlice:
    """One slice: the verdict, every number, and what a score is worth as a grade."""

    row: Calibration
    kind: str
    word: str
    numbers: list[tuple[str, str]]
    map: list[tuple[str, str]]


@require_safe
@page(VIEW)
def calibration(request: PageRequest, calibration: str) -> HttpResponse:
    """One measurement; while it works it asks for itself."""
    run = calibration_named(request.actor.organization, calibration)
    kind, word = STATES[run.state]
    answer = request.actor.may(WRITE_GATES)
    seq = run.fence * SEQ_PER_ATTEMPT + 2 * run.progress_done + run.is_over
    context = {
        "run": run,
        "kind": kind,
        "word": word,
        "seq": seq,
        "spent": spent_words(spent_of(run.spent)),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, "Measurement", run.judge),
    }
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "gates/judges/calibration.html", context | _found(run))
    return polled(request, seq, lambda: _fragment(request, run, context))


def _fragment(request: PageRequest, run: CalibrationRun, context: dict[str, Any]) -> HttpResponse:
    """The live part; a result is a whole page, which the browser is asked to load."""
    response = render(request, "gates/judges/calibration_live.html", context)
    if run.state == CalibrationRun.State.DONE:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@page(WRITE_GATES)
def cancel(request: PageRequest, calibration: str) -> HttpResponse:
    """Stop a measurement that is not over; of one that is, its page says so."""
    run = calibration_named(request.actor.organization, calibration)
    if not run.is_over:
        cancel_calibration(actor=request.actor, run=run)
    return HttpResponseRedirect(address(request, "calibration", calibration=run.pk))


def _found(run: CalibrationRun) -> dict[str, Any]:
    """What was found, slice by slice, worst first."""
    rows = sorted(run.calibrations.all(), key=lambda row: (WORST_FIRST.index(row.outcome), row.rho or 0.0))
    slices = [MeasuredSlice(row, *TONES[row.outcome], numbers_of(row.document), map_of(row.document)) for row in rows]
    return {
        "slices": slices,
        "chart": calibration_chart([(each.row, Badge(each.kind, each.word, "")) for each in slices]),
    }
