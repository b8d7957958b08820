"""Page: gate runs of an organization, newest first. Its filters stand in the address."""

import json
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.pages.runs.paths import address, address_if_there
from gates.pages.runs.wording import status_of
from gates.run_models import GateRun
from gates.runs.selectors import runs_of
from gates.suites import suites_of
from relcontrol.accounts.permissions import VIEW
from relcontrol.accounts.selectors import applications_of
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.web.forms import Form
from relcontrol.web.pages import PageRequest, page

RUNS_PER_PAGE: Final = 50
LONGEST: Final = 80
VERDICTS: Final = [("", "Any verdict"), *GateRun.Verdict.choices, ("open", "Not yet"), ("refused", "Refused")]
STATES: Final = {"open": ("queued", "running"), "refused": ("error", "cancelled")}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the list; `reason` is the first that stopped the run."""

    run: GateRun
    kind: str
    word: str
    reason: str


class FilterForm(Form):
    """What the list is narrowed to."""

    application = forms.ChoiceField(label="Application", required=False)
    verdict = forms.ChoiceField(label="Verdict", required=False, choices=VERDICTS)
    release = forms.CharField(
        label="Release",
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(
            attrs={"placeholder": "r128 or a SHA-256", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, applications: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["application"]
        field.choices = [("", "Any application"), *((slug, slug) for slug in applications)]


@require_safe
@page(VIEW)
def gate_runs(request: PageRequest) -> HttpResponse:
    """The list."""
    organization = request.actor.organization
    applications = [row.slug for row in applications_of(organization)]
    form = FilterForm(request.GET, applications=applications)
    rows = narrowed(runs_of(organization), form.cleaned_data) if form.is_valid() else GateRun.objects.none()
    if cursor := request.GET.get("cursor", ""):
        rows = rows.filter(pk__lt=key_of(cursor))
    shown = list(light(rows)[: RUNS_PER_PAGE + 1])
    context = {
        "rows": run_rows(shown[:RUNS_PER_PAGE]),
        "next_cursor": cursor_of(shown[RUNS_PER_PAGE - 1].pk) if len(shown) > RUNS_PER_PAGE else None,
        "form": form,
        "filtered": any(form.data.get(name) for name in form.fields),
        "first_command": "" if shown else first_command(request),
        "releases_url": address(request, "releases"),
        "allowlist_url": address_if_there(request, "allowlist"),
    }
    return render(request, "gates/runs/runs.html", context)


def narrowed(rows: QuerySet[GateRun], wanted: dict[str, str]) -> QuerySet[GateRun]:
    """Runs of one application, with one verdict, of one release by number or SHA-256."""
    if wanted["application"]:
        rows = rows.filter(application__slug=wanted["application"])
    if verdict := wanted["verdict"]:
        rows = rows.filter(state__in=STATES[verdict]) if verdict in STATES else rows.filter(verdict=verdict)
    if release := wanted["release"].strip().lower():
        rows = rows.filter(Q(candidate__name=release) | Q(manifest_sha256__startswith=release))
    return rows


def light(rows: QuerySet[GateRun]) -> QuerySet[GateRun]:
    """Without the documents, of which a list needs one sentence each."""
    return rows.defer("body", "document", "slices", "policy").annotate(reason=KT("document__reasons__0"))


def run_rows(runs: list[GateRun]) -> list[RunRow]:
    """Lines for these runs, which `light` has read."""
    return [RunRow(run, *status_of(run), _reason(run)) for run in runs]


def _reason(run: Any) -> str:
    return str((run.problem or {}).get("detail") or run.reason or "")


def first_command(request: PageRequest, release: str = "RELEASE") -> str:
    """The curl call of a first gate run, with the suite that this organization has already."""
    suite = suites_of(request.actor.organization).first()
    body = {
        "suite": suite.name if suite else "scored-qa-v1",
        "judge": "external:legal-judge@9",
        "scale": [0, 1],
        "results": [{"case_id": "c1", "output": "…", "score": 0.91, "human_scores": [4, 5]}],
    }
    url = request.build_absolute_uri(f"/v1/releases/{release}/gate-runs")
    quoted = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -X POST {url} -H \"Authorization: Bearer $TOKEN\" \\\n  -d '{quoted}'"
