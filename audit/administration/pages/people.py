"""Pages: the people of the organization, one of them with her roles, and her removal.

Who may do what is dangerous to change: each of these acts asks for a fresh proof of who acts.
"""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.administration.forms import PersonForm, RolesForm
from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page, step_up
from audit.administration.people import add_person, change_roles, member_named, remove_person
from relcontrol.accounts.models import Membership, Role
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import members_of
from relcontrol.errors import Conflict
from relcontrol.web.forms import TypedNameForm, add_domain_errors
from relcontrol.web.pages import PageRequest, page


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def people(request: PageRequest) -> HttpResponse:
    """The list, and the form to add somebody."""
    here = address(request, "settings-people")
    if request.method == "POST" and (detour := step_up(request, "add a person", here)):
        return detour
    form = form_of(request, PersonForm)
    if request.method == "POST" and _added(request, form):
        messages.success(request, f"{form.cleaned_data['email']} is a member now. A receipt records it.")
        return HttpResponseRedirect(here)
    listed = one_page(request, members_of(request.actor.organization))
    context = {
        "listed": listed,
        "members": [(row, role_words(row)) for row in listed.rows],
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("People", None)),
    }
    return render(request, "settings/people.html", context, status=422 if form.is_bound else 200)


def role_words(row: Membership) -> str:
    """The roles as people call them."""
    return ", ".join(Role(role).label for role in row.roles)


def _added(request: PageRequest, form: PersonForm) -> bool:
    return carried_out(
        form,
        lambda password, **said: add_person(actor=request.actor, password=password or None, **said),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def member(request: PageRequest, key: str) -> HttpResponse:
    """One member and her roles."""
    row = member_named(request.actor.organization, key)
    here = address(request, "settings-member", key=key)
    if request.method == "POST" and (detour := step_up(request, f"change the roles of {row.person}", here)):
        return detour
    form = form_of(request, RolesForm, {"roles": row.roles})
    changed = request.method == "POST" and carried_out(
        form, lambda roles: change_roles(actor=request.actor, membership=row, roles=roles)
    )
    if changed:
        messages.success(request, f"{row.person} has these roles from now on.")
        return HttpResponseRedirect(here)
    return _shown(request, row, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(ADMINISTER)
def remove(request: PageRequest, key: str) -> HttpResponse:
    """Take a member out, after her address was typed."""
    row = member_named(request.actor.organization, key)
    if request.method != "POST":
        return HttpResponseRedirect(address(request, "settings-member", key=key))
    member_url = address(request, "settings-member", key=key)
    if detour := step_up(request, f"remove {row.person}", member_url):
        return detour
    typed = TypedNameForm(request.POST, expected=row.person.email)
    if typed.is_valid() and _removed(request, row, typed):
        messages.success(request, f"{row.person.email} is no longer a member; her tokens here are revoked.")
        return HttpResponseRedirect(address(request, "settings-people"))
    return _shown(request, row, typed=typed)


def _removed(request: PageRequest, row: Membership, typed: TypedNameForm) -> bool:
    try:
        remove_person(actor=request.actor, membership=row)
    except Conflict as error:
        add_domain_errors(typed, error)
        return False
    return True


def _shown(
    request: PageRequest, row: Membership, form: RolesForm | None = None, typed: TypedNameForm | None = None
) -> HttpResponse:
    context = {
        "member": row,
        "person": row.person,
        "role_words": role_words(row),
        "form": form or RolesForm(initial={"roles": row.roles}),
        "typed": typed,
        "denied": may_not(request),
        "removal": f"{row.person} is removed from {row.organization}",
        "crumbs": crumbs(request, ("People", address(request, "settings-people")), (str(row.person), None)),
    }
    failed = any(given is not None and given.is_bound for given in (form, typed))
    return render(request, "settings/member.html", context, status=422 if failed else 200)
