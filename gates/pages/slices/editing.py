"""Pages: the form of a new slice and of a change, with what stands beside it while one types (ui.md screen 8).

It works without scripts: the parts beside the form then say what held when the page was opened or last sent.
"""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from gates.models import Slice
from gates.pages.slices.addresses import address, crumbs_of
from gates.pages.slices.drafting import Evidence, drafting_context, evidence_of
from gates.pages.slices.one import REVISIONS, revisions_with_changes
from gates.slices.files import as_fields
from gates.slices.forms import SliceForm, offered, suggested
from gates.slices.services import change_slice, create_slice, judges_named, revisions_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.accounts.selectors import applications_of, members_of
from relcontrol.errors import Conflict, DomainError
from relcontrol.web.pages import PageRequest, page

EM_SPACE = "\N{EM SPACE}"


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def new_slice(request: PageRequest) -> HttpResponse:
    """A slice that is not there yet."""
    return _form_page(request, "")


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def edit_slice(request: PageRequest, slug: str) -> HttpResponse:
    """The next revision of a slice."""
    return _form_page(request, slug)


@require_POST
@page(WRITE_GATES)
def preview(request: PageRequest) -> HttpResponse:
    """What the rule would do as it stands in the form. Stores nothing."""
    evidence = evidence_of(request.actor.organization, request.GET.get("slice", ""))
    form = _form(request, evidence, request.POST)
    form.is_valid()
    context = {"slice": evidence.target, **drafting_context(evidence, form.cleaned_data), "swapped": True}
    return render(request, "gates/slices/preview.html", context)


def _form_page(request: PageRequest, slug: str) -> HttpResponse:
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    evidence = evidence_of(request.actor.organization, slug)
    target = evidence.target
    form = _form(request, evidence, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (saved := _saved(request, form, target)):
        return HttpResponseRedirect(address(request, "slice", slug=saved.slug))
    answer = request.actor.may(WRITE_GATES)
    given = form.cleaned_data if form.is_bound else as_fields(target) if target else form.initial
    context = {
        "slice": target,
        "form": form,
        "newest": revisions_of(target).first() if target else None,
        "next_revision": target.revision + 1 if target else 1,
        "judges": judges_named(request.actor.organization),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, "Change" if target else "New", target),
        **drafting_context(evidence, given),
    }
    return render(request, "gates/slices/form.html", context, status=422 if form.is_bound else 200)


def _form(request: PageRequest, evidence: Evidence, sent: QueryDict | None) -> SliceForm:
    organization, target = request.actor.organization, evidence.target
    people = [row.person for row in members_of(organization)]
    above = [
        (row.slug, f"{EM_SPACE * depth}{row.name}") for row, depth in evidence.tree if target is None or row != target
    ]
    choices = {
        "application": offered([(row.slug, row.name) for row in applications_of(organization)], "Every application"),
        "parent": offered(above, "Nothing: a slice at the top"),
        "owner": offered([(person.email, str(person)) for person in people], "Nobody yet"),
    }
    ceiling = evidence.point.judged.get("ceiling") if evidence.point else None
    begun = suggested(request.GET) if target is None else {}
    return SliceForm(sent, target=target, choices=choices, ceiling=ceiling, initial=begun)


def _saved(request: PageRequest, form: SliceForm, target: Slice | None) -> Slice | None:
    """The slice as it was saved; None, with the reason in the form, where the service refuses."""
    try:
        if target is None:
            made = create_slice(actor=request.actor, slug=form.cleaned_data["slug"], **form.fields_given())
            messages.success(request, f"{made.name} is made: revision 1, with a receipt in your name.")
            return made
        return _changed(request, form, target)
    except DomainError as error:
        if isinstance(error, Conflict) and error.code == "stale" and target is not None:
            _tell_what_is_new(request, form, target, error.state["revision"])
        else:
            form.refuse(error)
    return None


def _changed(request: PageRequest, form: SliceForm, target: Slice) -> Slice:
    seen = form.cleaned_data["revision"] or target.revision
    saved = change_slice(actor=request.actor, target=target, expected_revision=seen, **form.changes())
    if saved.revision == seen:
        messages.info(request, f"Nothing differs from revision {seen}, so nothing was saved.")
    else:
        messages.success(request, f"Revision {saved.revision} is saved, with a receipt in your name.")
    return saved


def _tell_what_is_new(request: PageRequest, form: SliceForm, target: Slice, newest: int) -> None:
    """Somebody was faster: say what she changed, keep what was typed, and let it be saved on top of that."""
    seen = form.cleaned_data["revision"] or target.revision
    since = [each for each in revisions_with_changes(revisions_of(target)[:REVISIONS]) if each.row.revision > seen]
    said = "; ".join(f"{each.row.changed_by_label}: {', '.join(map(str, each.changes))}" for each in reversed(since))
    sent = request.POST.copy()
    sent["revision"] = str(newest)
    form.data = sent
    form.add_error(
        None,
        f"{target.name} is at revision {newest} since ({said}). Nothing was saved, and nothing that you typed is "
        f"lost. Look at the fields, then save: that makes revision {newest + 1} of what stands here.",
    )
