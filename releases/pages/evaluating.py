"""Page: let relcontrol answer and judge a suite with a release itself, within a budget; it leads to the gate run."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.evaluating.order import AT_ONCE, MOST_AT_ONCE, MOST_SAMPLES, EvaluationOrder
from gates.run_models import GateRun
from gates.runs.requesting import carry_out
from gates.suites import suites_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.errors import DomainError
from relcontrol.model_servers.spending import Budget
from relcontrol.web.forms import Form, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from releases.evaluating.requesting import request_evaluation
from releases.models import Release
from releases.pages.paths import address, release_of

SUITES_OFFERED: Final = 100


class EvaluationForm(Form):
    """What is asked, how often, and what it may cost."""

    suite = forms.ChoiceField(label="Which suite?", required=False)
    samples = forms.IntegerField(
        label="How many answers to each case?",
        help_text="More than one where answers vary.",
        initial=1,
        min_value=1,
        max_value=MOST_SAMPLES,
    )
    tokens = forms.IntegerField(
        label="At most so many tokens", help_text="Answers and scores together.", required=False, min_value=1
    )
    cost = forms.DecimalField(
        label="At most so much money",
        help_text="In the currency of the endpoints’ prices.",
        required=False,
        min_value=Decimal("0.0001"),
        max_digits=12,
        decimal_places=4,
    )
    cases = forms.IntegerField(label="At most so many cases", help_text="For a first try.", required=False, min_value=1)
    concurrency = forms.IntegerField(
        label="How many calls at once?", initial=AT_ONCE, min_value=1, max_value=MOST_AT_ONCE
    )
    fresh = forms.BooleanField(
        label="Ask again for answers that are known already",
        help_text="Else what was answered before to the very same request is not paid for twice.",
        required=False,
    )
    dry_run = forms.BooleanField(label="Dry run: computed and shown, without effect", required=False)

    def order(self) -> EvaluationOrder:
        """As the service takes it."""
        given = self.cleaned_data
        same = {name: given[name] for name in ("samples", "concurrency", "fresh", "dry_run")}
        budget = Budget(cases=given["cases"], tokens=given["tokens"], cost=given["cost"])
        return EvaluationOrder(suite=given["suite"] or None, budget=budget, **same)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def evaluate(request: PageRequest, release: str) -> HttpResponse:
    """The form; sent, the gate run is asked for and its page is shown."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    form = _form(row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (run := _requested(request, row, form)):
        return HttpResponseRedirect(address(request, "gate-run", run=run.pk))
    answer = request.actor.may(WRITE_GATES)
    name = f"{row.application.slug} {row.name}"
    context = {
        "release": row,
        "name": name,
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": [
            ("Releases", address(request, "releases")),
            (name, f"{address(request, 'release', release=row.pk)}?tab=gate"),
            ("Answer and judge", None),
        ],
    }
    return render(request, "releases/evaluate.html", context, status=422 if form.is_bound else 200)


def _form(row: Release, sent: Any) -> EvaluationForm:
    form = EvaluationForm(sent)
    suites = suites_of(row.organization)[:SUITES_OFFERED]
    offered = [(suite.name, f"{suite.name}, {suite.case_count:,} cases") for suite in suites]
    form.fields["suite"].choices = [("", "The one that the manifest names"), *offered]  # type: ignore[attr-defined]
    return form


def _requested(request: PageRequest, row: Release, form: EvaluationForm) -> GateRun | None:
    """The run; None, with the reason in the form, where nothing can be asked."""
    try:
        run = request_evaluation(actor=request.actor, release=row, order=form.order())
    except DomainError as error:
        add_domain_errors(form, error)
        return None
    return carry_out(run) if run.state == GateRun.State.QUEUED else run
