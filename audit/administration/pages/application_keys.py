"""Pages: the keys of an application, and the one answer that shows a new key.

The text of a key stands in the answer to the form and nowhere else: no message, session or row ever holds it.
"""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.application_keys import create_application_key, keys_of, revoke_application_key
from audit.administration.forms import ApplicationKeyForm
from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page, step_up
from relcontrol.accounts.models import Application, ApplicationKey
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import application_named, found, routes_of
from relcontrol.web.pages import PageRequest, page

Made = tuple[ApplicationKey, str]


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def application_keys(request: PageRequest, application: str) -> HttpResponse:
    """The list, and the form for a new one."""
    row = application_named(request.actor.organization, application)
    here = address(request, "settings-application-keys", application=row.slug)
    if request.method == "POST" and (detour := step_up(request, f"make a key of {row.slug}", here)):
        return detour
    routes = {route.pk: route for route in routes_of(request.actor.organization).filter(application=row)}
    form = form_of(request, ApplicationKeyForm)
    form.offer(routes)
    made: list[Made] = []
    if request.method == "POST" and carried_out(
        form,
        lambda name, route: made.append(
            create_application_key(actor=request.actor, application=row, name=name, route=routes.get(route))
        ),
    ):
        return _shown_once(request, row, made[0], back=here)
    context = {
        "application": row,
        "listed": one_page(request, keys_of(row)),
        "form": form,
        "denied": may_not(request),
        "crumbs": _crumbs(request, row, ("Keys", None)),
    }
    return render(request, "settings/application_keys.html", context, status=422 if form.is_bound else 200)


@require_POST
@page(ADMINISTER)
def revoke(request: PageRequest, application: str, application_key: str) -> HttpResponse:
    """End a key now."""
    row = application_named(request.actor.organization, application)
    key = found(keys_of(row), "application key", pk=application_key)
    back = address(request, "settings-application-keys", application=row.slug)
    if detour := step_up(request, f"revoke the key {key.name}", back):
        return detour
    revoke_application_key(actor=request.actor, key=key)
    messages.success(request, f"The key {key.name} is revoked: gateways refuse it from the next generation on.")
    return HttpResponseRedirect(back)


def _shown_once(request: PageRequest, application: Application, made: Made, back: str) -> HttpResponse:
    key, text = made
    context = {
        "application": application,
        "key": key,
        "text": text,
        "back": back,
        "crumbs": _crumbs(request, application, ("Keys", back), (key.name, None)),
    }
    return render(request, "settings/application_key_made.html", context, status=201)


def _crumbs(
    request: PageRequest, application: Application, *trail: tuple[str, str | None]
) -> list[tuple[str, str | None]]:
    return crumbs(
        request,
        ("Applications", address(request, "settings-applications")),
        (application.slug, address(request, "settings-application", slug=application.slug)),
        *trail,
    )
