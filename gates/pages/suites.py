"""Pages: suites with the upload, an import on its way, one suite with its cases.

The upload works without scripts: it leads to the import's page, which can be left and found again.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from gates.models import SuiteCase, SuiteImport
from gates.suite_files.cases import read_scale
from gates.suite_files.rows import FORMATS, format_of
from gates.suites import carry_out, cases_of, import_named, imports_of, request_import, suite_named, suites_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import DomainError
from relcontrol.web.forms import Form, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled
from relcontrol.web.words import size

SUITES_PER_PAGE = 50
CASES_PER_PAGE = 50
RECENT_IMPORTS = 5
STATUS = {
    SuiteImport.State.QUEUED: ("running", "Waiting"),
    SuiteImport.State.RUNNING: ("running", "Importing"),
    SuiteImport.State.DONE: ("pass", "Imported"),
    SuiteImport.State.ERROR: ("fail", "Refused"),
    SuiteImport.State.CANCELLED: ("skip", "Cancelled"),
}


class UploadForm(Form):
    """A suite file and what it is to be called."""

    file = forms.FileField(
        label="Which file?",
        help_text="JSON lines, CSV or YAML; a row is a case: case_id, slice, input; reference, answers …",
        widget=forms.ClearableFileInput(attrs={"accept": ".jsonl,.ndjson,.csv,.yaml,.yml"}),
    )
    name = forms.CharField(
        label="What do manifests call it?", help_text="Such as scored-qa-legal-v3. It never changes.", max_length=200
    )
    grade_scale = forms.CharField(
        label="Lowest and highest grade?", help_text="Such as 1,5.", required=False, max_length=40
    )
    format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[("", "As the file's name says"), *((name, name) for name in FORMATS)],
    )

    def clean_file(self) -> Any:
        """Refuse what is larger than an upload may be."""
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT:
            raise forms.ValidationError(f"At most {size(settings.UPLOAD_LIMIT)}; this file has {size(file.size)}.")
        return file


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def suites(request: PageRequest) -> HttpResponse:
    """The list, and the upload for those who may."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (row := _requested(request, form)):
        carry_out(row)
        return HttpResponseRedirect(_address(request, "suite-import", key=row.pk))
    organization, cursor = request.actor.organization, request.GET.get("cursor", "")
    rows = suites_of(organization)
    if cursor:
        rows = rows.filter(pk__lt=key_of(cursor))
    shown = list(rows[: SUITES_PER_PAGE + 1])
    answer = request.actor.may(WRITE_GATES)
    context = {
        "suites": shown[:SUITES_PER_PAGE],
        "next_cursor": cursor_of(shown[SUITES_PER_PAGE - 1].pk) if len(shown) > SUITES_PER_PAGE else None,
        "imports": [(row, *STATUS[SuiteImport.State(row.state)]) for row in imports_of(organization)[:RECENT_IMPORTS]],
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "first_command": _first_command(request),
    }
    return render(request, "gates/suites.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@page(VIEW)
def suite_import(request: PageRequest, key: str) -> HttpResponse:
    """How an import stands; it asks for itself until it is over."""
    row = import_named(request.actor.organization, key)
    kind, word = STATUS[SuiteImport.State(row.state)]
    seq = row.fence * 10**9 + row.progress_done + row.is_over
    context = {
        "import": row,
        "kind": kind,
        "word": word,
        "seq": seq,
        "errors": [
            (item["field"].removeprefix("row "), item["message"]) for item in (row.problem or {}).get("errors", [])
        ],
        "crumbs": [("Suites", _address(request, "suites")), (f"Import of {row.name}", None)],
    }
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "gates/suite_import.html", context)
    return polled(request, seq, lambda: render(request, "gates/suite_import_live.html", context))


@require_safe
@page(VIEW)
def suite(request: PageRequest, suite: str) -> HttpResponse:
    """What a suite holds."""
    row = suite_named(request.actor.organization, suite)
    cases, next_cursor = _cases(request, cases_of(row))
    context = {
        "suite": row,
        "cases": cases,
        "next_cursor": next_cursor,
        "may_grade": not isinstance(request.actor.may(WRITE_GATES), Denied),
        "facts": [
            ("Cases", f"{row.case_count:,}"),
            ("Graded answers", f"{row.graded_answer_count:,}"),
            ("Grade scale", " to ".join(f"{end:g}" for end in row.grade_scale) if row.grade_scale else "not given"),
            ("Imported by", row.imported_by_label),
        ],
        "crumbs": [("Suites", _address(request, "suites")), (row.name, None)],
    }
    return render(request, "gates/suite.html", context)


def _cases(request: PageRequest, rows: Any) -> tuple[list[SuiteCase], str | None]:
    if cursor := request.GET.get("cursor", ""):
        rows = rows.filter(case_id__gt=key_of(cursor))
    shown = list(rows[: CASES_PER_PAGE + 1])
    following = cursor_of(shown[CASES_PER_PAGE - 1].case_id) if len(shown) > CASES_PER_PAGE else None
    return shown[:CASES_PER_PAGE], following


def _requested(request: PageRequest, form: UploadForm) -> SuiteImport | None:
    """The job for a form that can be read; else the form says why there is none."""
    given = form.cleaned_data
    try:
        return request_import(
            actor=request.actor,
            name=given["name"],
            body=given["file"].read(),
            file_format=format_of(
                named=given["format"], file_name=given["file"].name, content_type=given["file"].content_type or ""
            ),
            scale=read_scale(given["grade_scale"]),
        )
    except DomainError as error:
        add_domain_errors(form, error)
        return None


def _first_command(request: PageRequest) -> str:
    base = request.build_absolute_uri("/v1/suites")
    return f'curl -X POST "{base}?name=scored-qa-v1" -H "Authorization: Bearer $TOKEN" --data-binary @cases.jsonl'


def _address(request: PageRequest, name: str, **parts: str) -> str:
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})
