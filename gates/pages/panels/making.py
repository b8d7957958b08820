"""Pages: a new panel, with a sentence beside the form that says how much work it is while one types."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from gates.models import GradedAnswer
from gates.pages.panels.addresses import crumbs_of
from gates.pages.panels.forms import PanelForm
from gates.pages.panels.wording import workload
from gates.pages.runs.paths import address
from gates.panel_models import Panel
from gates.panels.making import create_panel
from gates.panels.rules import DEFAULT_COUNT
from gates.run_models import CaseResult, GateRun
from gates.runs.selectors import deciding_runs, run_named, runs_of
from gates.slices.services import slice_tree
from gates.suites import suite_named, suites_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.accounts.selectors import members_of
from relcontrol.errors import DomainError, FieldError
from relcontrol.web.forms import add_domain_errors
from relcontrol.web.pages import PageRequest, page

OFFERED: Final = 100
EM_SPACE: Final = "\N{EM SPACE}"
FIELD_OF: Final = {"traces": "source"}  # where the service's fields have other names than the form's


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def new_panel(request: PageRequest) -> HttpResponse:
    """The form; sent, the panel is made and its page is shown."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    sent = request.POST if request.method == "POST" else None
    form = _form(request, sent)
    if sent is not None and form.is_valid() and (made := _made(request, form)):
        messages.success(request, f"{made.name} is open. Its raters find their answers under “Needs you”.")
        return HttpResponseRedirect(address(request, "panel", panel=made.pk))
    answer = request.actor.may(WRITE_GATES)
    context = {
        "form": form,
        "sentence": _sentence(request, form.data if form.is_bound else form.initial),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, "New"),
    }
    return render(request, "gates/panels/new.html", context, status=422 if form.is_bound else 200)


@require_POST
@page(WRITE_GATES)
def preview(request: PageRequest) -> HttpResponse:
    """The sentence that says how much work the panel is that stands in the form."""
    return render(request, "gates/panels/work.html", {"sentence": _sentence(request, request.POST)})


def _form(request: PageRequest, sent: QueryDict | None) -> PanelForm:
    organization = request.actor.organization
    people = [row.person for row in members_of(organization)]
    runs = runs_of(organization).filter(state=GateRun.State.DONE).defer("body", "document", "slices", "policy")
    choices = {
        "run": _offered([(run.pk, _run_words(run)) for run in runs[:OFFERED]], "Choose a gate run"),
        "suite": _offered([(row.name, row.name) for row in suites_of(organization)[:OFFERED]], "Choose a suite"),
        "slices": [(row.slug, f"{EM_SPACE * depth}{row.name}") for row, depth in slice_tree(organization)],
        "raters": [(person.email, _person_words(str(person), person.email)) for person in people],
    }
    return PanelForm(sent, choices=choices, initial=_initial(request))


def _initial(request: PageRequest) -> dict[str, Any]:
    """What stands in the form at first; a gate run or a suite can be named in the address."""
    organization = request.actor.organization
    named_run, named_suite = request.GET.get("run", ""), request.GET.get("suite", "")
    run = named_run or deciding_runs(organization).values_list("pk", flat=True).first() or ""
    graded = suites_of(organization).filter(graded_answer_count__gt=0).values_list("name", flat=True)
    return {
        "source": Panel.Source.SUITE if named_suite or not run else Panel.Source.RUN,
        "run": run,
        "suite": named_suite or graded.first() or "",
        "count": DEFAULT_COUNT,
        "raters_per_answer": 2,
        "scale": "1-5",
    }


def _offered(rows: list[tuple[str, str]], nothing: str) -> list[tuple[str, str]]:
    return [("", nothing), *rows]


def _run_words(run: GateRun) -> str:
    return f"{run.application.slug} {run.release_name}, gate run {run.number}"


def _person_words(name: str, email: str) -> str:
    return email if name in ("", email) else f"{name} ({email})"


def _made(request: PageRequest, form: PanelForm) -> Panel | None:
    """The panel; None, with the reason in the form, where the service refuses."""
    given, organization = form.cleaned_data, request.actor.organization
    source = given["source"]
    try:
        return create_panel(
            actor=request.actor,
            suite=suite_named(organization, given["suite"]) if source == Panel.Source.SUITE else None,
            run=run_named(organization, given["run"]) if source == Panel.Source.RUN else None,
            **form.order(),
        )
    except DomainError as error:
        moved = [FieldError(FIELD_OF.get(each.field, each.field), each.message) for each in error.errors]
        add_domain_errors(form, type(error)(error.detail, code=error.code, errors=moved, state=error.state))
        return None


def _sentence(request: PageRequest, given: Mapping[str, Any]) -> str:
    """How much work it is, of whatever can be read of the form."""
    several = given.getlist if isinstance(given, QueryDict) else lambda name: list(given.get(name) or ())
    slices, raters = several("slices"), several("raters")
    wanted = _whole(given.get("count"), DEFAULT_COUNT) * max(1, len(slices))
    there = _there(request, given, slices)
    answers = wanted if there is None else min(wanted, there)
    return workload(answers, len(raters), _whole(given.get("raters_per_answer"), 1))


def _whole(value: object, default: int) -> int:
    text = str(value or "")
    return int(text[:6]) if text.isascii() and text.isdecimal() else default


def _there(request: PageRequest, given: Mapping[str, Any], slices: list[str]) -> int | None:
    """How many answers with a text there are to choose from; None where only the future tells."""
    source, organization = given.get("source"), request.actor.organization
    if source == Panel.Source.RUN:
        rows: Any = CaseResult.objects.filter(run=_plain(given.get("run")), run__organization=organization)
    elif source == Panel.Source.SUITE:
        rows = GradedAnswer.objects.filter(
            case__suite__organization=organization, case__suite__name=_plain(given.get("suite"))
        )
    else:
        return None
    rows = rows.filter(case__slice__slug__in=[_plain(slug) for slug in slices]) if slices else rows
    return int(rows.exclude(output=None).count())


def _plain(value: object) -> str:
    return str(value or "").replace("\0", "")
