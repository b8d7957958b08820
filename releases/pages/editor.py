"""Page: the prompt editor. It makes a new version and changes nothing that is live (ten-failures.md 2)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Denied
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.lint import estimated_tokens, lint
from relcontrol.errors import DomainError
from relcontrol.web.forms import add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.words import number
from releases.artifacts import checked_artifact, create_artifact, next_version
from releases.forms import PromptForm, on_fields
from releases.models import ArtifactVersion
from releases.pages.paths import address, with_query
from releases.pages.prompts import names_prompt, prompt_versions, version_named
from releases.pages.starting_points import StartingPoint, starting_points
from releases.pages.wording import spoken

PROMPT_FIELD = "prompt_template"


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def edit(request: PageRequest, name: str) -> HttpResponse:
    """The editor, filled with the version in `?from=`, else the newest; sent, it makes the next version."""
    request.actor.require(WRITE_RELEASES if request.method == "POST" else VIEW)
    organization = request.actor.organization
    versions = prompt_versions(organization, name)
    source = version_named(versions, request.GET.get("from", "")) or versions[0]
    initial = source.artifact.value | {"version": next_version(organization=organization, name=name)}
    form = PromptForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and (made := _saved(request, form, source)):
        return _to_the_version(request, made, source, versions)
    answer = request.actor.may(WRITE_RELEASES)
    context = {
        "name": name,
        "source": source,
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": [
            ("Prompts", address(request, "prompts")),
            (name, address(request, "prompt", name=name)),
            ("Edit", None),
        ],
        **remarks(source.artifact.value, source),
    }
    return render(request, "prompts/edit.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@page(WRITE_RELEASES)
def preview(request: PageRequest, name: str) -> HttpResponse:
    """What the fast gate would say of the text as it stands in the form. Stores nothing."""
    versions = prompt_versions(request.actor.organization, name)
    source = version_named(versions, request.GET.get("from", "")) or versions[0]
    form = PromptForm(request.POST)
    form.fields["version"].required = False
    context: dict[str, Any] = {"name": name, "source": source}
    if form.is_valid():
        context |= remarks(form.value(source.artifact.value), source)
    else:
        context["findings"] = _form_findings(form)
    return render(request, "prompts/findings.html", context)


def remarks(value: dict[str, Any], source: ArtifactVersion) -> dict[str, Any]:
    """Findings of the fast gate on a prompt, and its size against the version that it was edited from."""
    try:
        normal = checked_artifact(source.ref, value).value
    except BundleError as error:
        return {
            "findings": [
                {"severity": "error", "message": str(problem.message), "field": problem.field}
                for problem in error.problems
            ]
        }
    found = [asdict(finding) for finding in lint(prompt=normal) if finding.field.startswith(PROMPT_FIELD)]
    return {"findings": found, "size": size_words(normal, source), "tokens": estimated_tokens(*_texts(normal))}


def size_words(value: dict[str, Any], source: ArtifactVersion) -> str:
    """`38 characters shorter than v14`."""
    difference = sum(map(len, _texts(value))) - sum(map(len, _texts(source.artifact.value)))
    if value == source.artifact.value:
        return f"The same as {source.version}"
    if difference == 0:
        return f"As long as {source.version}"
    unit = "character" if abs(difference) == 1 else "characters"
    return f"{number(abs(difference))} {unit} {'longer' if difference > 0 else 'shorter'} than {source.version}"


def _texts(value: dict[str, Any]) -> tuple[str, str]:
    return value["system"], value["user"] or ""


def _form_findings(form: PromptForm) -> list[dict[str, str]]:
    return [
        {"severity": "error", "message": " ".join(map(str, said)), "field": field}
        for field, said in form.errors.items()
    ]


def _saved(request: PageRequest, form: PromptForm, source: ArtifactVersion) -> ArtifactVersion | None:
    """The new version; None, with the reason in the form, where there is nothing new or the service refuses."""
    ref, value = f"{source.name}@{form.cleaned_data['version']}", form.value(source.artifact.value)
    try:
        if checked_artifact(ref, value).digest == source.artifact.digest:
            form.add_error(None, f"This is {source.version}, character for character. There is nothing to save.")
            return None
        return create_artifact(actor=request.actor, ref=ref, value=value)[0]
    except BundleError as error:
        for problem in error.problems:
            field = problem.field.rpartition(".")[2]
            form.add_error({"ref": "version"}.get(field, field if field in form.fields else None), problem.message)
    except DomainError as error:
        add_domain_errors(form, on_fields(error))
    return None


def _to_the_version(
    request: PageRequest, made: ArtifactVersion, source: ArtifactVersion, versions: Sequence[ArtifactVersion]
) -> HttpResponse:
    points = [point for point in starting_points(request.actor.organization) if names_prompt(point, versions)]
    messages.success(request, f"{made.ref} is saved. {unchanged_words(points)}")
    path = address(request, "prompt", name=made.name)
    return HttpResponseRedirect(with_query(path, version=made.version, against=source.version))


def unchanged_words(points: Sequence[StartingPoint]) -> str:
    """What goes on as it was."""
    serving = [
        f"{point.route.name} still serves {point.prompt} in {point.release.name}" for point in points if point.serves
    ]
    return (
        f"Nothing live changed: {spoken(serving)}." if serving else "Nothing live changed: no route serves this prompt."
    )
