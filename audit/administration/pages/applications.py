"""Pages: applications, and one application with its routes."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.applications import (
    create_application,
    create_route,
    rename_application,
    set_client_settings,
)
from audit.administration.forms import ApplicationForm, ClientSettingsForm, RenameForm, RouteForm
from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page
from relcontrol.accounts.models import Application
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import application_named, applications_of, routes_of
from relcontrol.web.pages import PageRequest, page

UNREADABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def applications(request: PageRequest) -> HttpResponse:
    """The list, and the form for a new one."""
    request.actor.require(ADMINISTER if request.method == "POST" else VIEW)
    form = form_of(request, ApplicationForm)
    if request.method == "POST" and carried_out(form, lambda **said: create_application(actor=request.actor, **said)):
        slug = form.cleaned_data["slug"]
        messages.success(request, f"The application {slug} is made. Give it its first route here.")
        return HttpResponseRedirect(address(request, "settings-application", slug=slug))
    context = {
        "listed": one_page(request, applications_of(request.actor.organization)),
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Applications", None)),
    }
    return render(request, "settings/applications.html", context, status=UNREADABLE if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def application(request: PageRequest, slug: str) -> HttpResponse:
    """One application: its routes, and the form for a new one."""
    request.actor.require(ADMINISTER if request.method == "POST" else VIEW)
    row = application_named(request.actor.organization, slug)
    form = form_of(request, RouteForm)
    made = request.method == "POST" and carried_out(
        form, lambda **said: create_route(actor=request.actor, application=row, **said)
    )
    if made:
        messages.success(request, "The route is made. A release can name it in its routing.")
        return HttpResponseRedirect(address(request, "settings-application", slug=slug))
    return _shown(request, row, route_form=form)


@require_POST
@page(ADMINISTER)
def rename(request: PageRequest, slug: str) -> HttpResponse:
    """Give an application another name for people."""
    row = application_named(request.actor.organization, slug)
    form = form_of(request, RenameForm)
    if carried_out(form, lambda name: rename_application(actor=request.actor, application=row, name=name)):
        messages.success(request, "The name is changed.")
        return HttpResponseRedirect(address(request, "settings-application", slug=slug))
    return _shown(request, row, rename_form=form)


@require_POST
@page(ADMINISTER)
def client_settings(request: PageRequest, slug: str) -> HttpResponse:
    """Say what its clients may set themselves."""
    row = application_named(request.actor.organization, slug)
    form = ClientSettingsForm(request.POST, auto_id="id_clients_%s")
    if carried_out(
        form, lambda client_settings: set_client_settings(actor=request.actor, application=row, names=client_settings)
    ):
        messages.success(request, "It is saved. Gateways hear of it within a second.")
        return HttpResponseRedirect(address(request, "settings-application", slug=slug))
    return _shown(request, row, clients_form=form)


def _shown(
    request: PageRequest,
    row: Application,
    route_form: RouteForm | None = None,
    rename_form: RenameForm | None = None,
    clients_form: ClientSettingsForm | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "application": row,
        "listed": one_page(request, routes_of(request.actor.organization).filter(application=row)),
        "form": route_form or RouteForm(),
        "rename_form": rename_form or RenameForm(initial={"name": row.name}, auto_id="id_rename_%s"),
        "clients_form": clients_form
        or ClientSettingsForm(initial={"client_settings": row.client_settings}, auto_id="id_clients_%s"),
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Applications", address(request, "settings-applications")), (row.slug, None)),
    }
    failed = any(form is not None and form.is_bound for form in (route_form, rename_form, clients_form))
    return render(request, "settings/application.html", context, status=UNREADABLE if failed else 200)
