"""Page: register a release by a form, through the same service as the API. Nothing that is live changes."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.suites import suites_of
from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Denied
from relcontrol.accounts.selectors import routes_of
from relcontrol.bundle.components import TITLES
from relcontrol.errors import DomainError, NotFound
from relcontrol.web.pages import PageRequest, page
from releases.artifact_selectors import PREPROCESSING, PROMPT, artifact_versions
from releases.forms import RegisterForm
from releases.models import Release
from releases.pages.paths import address, release_of
from releases.pages.starting_points import form_of, taken_over, taken_over_words
from releases.registry.order import Order
from releases.registry.registration import Registration, register
from releases.selectors import releases_of

OFFERED = 50


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def register_release(request: PageRequest) -> HttpResponse:
    """The form, empty or filled in from the release in `?from=`; sent, it registers."""
    request.actor.require(WRITE_RELEASES if request.method == "POST" else VIEW)
    organization = request.actor.organization
    routes = list(routes_of(organization))
    base = _base(organization, (request.POST if request.method == "POST" else request.GET))
    form = RegisterForm(request.POST or None, routes=routes, initial=_initial(request, base))
    if request.method == "POST" and form.is_valid() and (done := _registered(request, form, routes, base)):
        return _to_the_release(request, done)
    answer = request.actor.may(WRITE_RELEASES)
    context = {
        "form": form,
        "base": base,
        "routes": routes,
        "taken_over": taken_over_words(taken_over(base), TITLES),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "known": _known(organization),
        "crumbs": [("Releases", address(request, "releases")), ("New", None)],
    }
    return render(request, "releases/new.html", context, status=422 if request.method == "POST" else 200)


def _base(organization: Organization, sent: Any) -> Release | None:
    text = sent.get("base") or sent.get("from") or ""
    return release_of(organization, text, sent.get("application", "")) if text else None


def _initial(request: PageRequest, base: Release | None) -> dict[str, Any]:
    prompt = request.GET.get("prompt", "")
    return (form_of(base) if base else {}) | ({"prompt_template_ref": prompt} if prompt else {})


def _registered(
    request: PageRequest, form: RegisterForm, routes: Iterable[Route], base: Release | None
) -> Registration | None:
    """The release of a form that the service takes; else the form says why there is none."""
    route = next(route for route in routes if route.pk == form.cleaned_data["route"])
    try:
        return register(actor=request.actor, order=_order(form, route, base))
    except NotFound as error:
        form.add_error(None, error.detail)
    except DomainError as error:
        form.refuse(error)
    return None


def _order(form: RegisterForm, route: Route, base: Release | None) -> Order:
    given = form.cleaned_data
    return Order(
        application=route.application.slug,
        routing=route.routing,
        model_ref=given["model_ref"],
        model_kind=given["model_kind"] or None,
        weights_sha256=given["weights_sha256"] or None,
        adapter_ref=given["adapter_ref"] or None,
        prompt_template_ref=given["prompt_template_ref"],
        preprocessing_ref=given["preprocessing_ref"] or None,
        dataset_version=given["dataset_version"],
        generation=form.generation(),
        components=taken_over(base),
        previous_release=given["previous_release"] or None,
        acknowledged_changes=given["acknowledged_changes"],
    )


def _to_the_release(request: PageRequest, done: Registration) -> HttpResponse:
    row = done.release
    name = f"{row.application.slug} {row.name}"
    if done.created:
        messages.success(
            request, f"{name} is registered. Nothing live changed: it has to pass its gate and be rolled out."
        )
    else:
        messages.info(request, f"Exactly this is registered already, as {name}. Nothing was written.")
    return HttpResponseRedirect(address(request, "release", release=row.pk))


def _known(organization: Organization) -> dict[str, list[Any]]:
    """What the fields offer while one types: the newest of each kind."""
    return {
        "prompts": list(artifact_versions(organization, kind=PROMPT)[:OFFERED]),
        "preprocessing": list(artifact_versions(organization, kind=PREPROCESSING)[:OFFERED]),
        "suites": list(suites_of(organization)[:OFFERED]),
        "releases": list(releases_of(organization)[:OFFERED]),
    }
