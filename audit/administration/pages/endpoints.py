"""Pages: endpoints, and one endpoint with what may change of it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from audit.administration.applications import change_endpoint, create_endpoint, decimal_text
from audit.administration.forms import EndpointChangeForm, EndpointForm
from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page
from relcontrol.accounts.models import Endpoint
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import endpoints_of, found
from relcontrol.web.pages import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def endpoints(request: PageRequest) -> HttpResponse:
    """The list, and the form for a new one."""
    request.actor.require(ADMINISTER if request.method == "POST" else VIEW)
    form = form_of(request, EndpointForm)
    if request.method == "POST" and carried_out(form, lambda **said: create_endpoint(actor=request.actor, **said)):
        messages.success(request, f"The endpoint {form.cleaned_data['name']} is made.")
        return HttpResponseRedirect(address(request, "settings-endpoints"))
    listed = one_page(request, endpoints_of(request.actor.organization))
    context = {
        "listed": listed,
        "endpoints": [(row, *_prices(row)) for row in listed.rows],
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Endpoints", None)),
    }
    return render(request, "settings/endpoints.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def endpoint(request: PageRequest, name: str) -> HttpResponse:
    """One endpoint."""
    request.actor.require(ADMINISTER if request.method == "POST" else VIEW)
    row = found(endpoints_of(request.actor.organization), "endpoint", name=name)
    input_price, output_price = _prices(row)
    form = form_of(
        request,
        EndpointChangeForm,
        {
            "base_url": row.base_url,
            "credential": row.credential,
            "input_price": input_price,
            "output_price": output_price,
            "serves": "\n".join(row.serves),
        },
    )
    changed = request.method == "POST" and carried_out(
        form, lambda **said: change_endpoint(actor=request.actor, endpoint=row, **said)
    )
    if changed:
        messages.success(request, f"The endpoint {name} is as you entered it.")
        return HttpResponseRedirect(address(request, "settings-endpoint", name=name))
    context = {
        "endpoint": row,
        "facts": [
            ("Address", row.base_url),
            ("Credential", row.credential or "none"),
            ("Input token", input_price or "no price given"),
            ("Output token", output_price or "no price given"),
            ("Models", ", ".join(row.serves) or "none listed"),
        ],
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Endpoints", address(request, "settings-endpoints")), (row.name, None)),
    }
    return render(request, "settings/endpoint.html", context, status=422 if form.is_bound else 200)


def _prices(row: Endpoint) -> tuple[str | None, str | None]:
    return decimal_text(row.input_price), decimal_text(row.output_price)
