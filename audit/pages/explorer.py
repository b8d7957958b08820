"""Pages: the explorer, and a range verified here and now (ui.md screen 13).

Both are read only, so their forms travel in the address and every view is a deep link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.events import Event
from audit.examination import RangeReport, examine_range
from audit.forms import RangeForm, SearchForm
from audit.models import ChainCheck, ChainHead, Opening, Receipt
from audit.names import Names, names_of
from audit.pages.lists import address, page_of
from audit.search import search
from audit.selectors import Filter, chain_state, receipts_of
from audit.words import opened_state, sentence, thing_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.web.pages import PageRequest, page

SHOWN_FAILURES = 50
PROPOSED_RANGE = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A receipt and what it says in a sentence."""

    receipt: Receipt
    words: str


@require_safe
@page(READ_AUDIT)
def explorer(request: PageRequest) -> HttpResponse:
    """Search the receipts, newest first, under the state of the chain."""
    organization = request.actor.organization
    asked = bool(set(request.GET) & set(SearchForm.base_fields))
    form = SearchForm(request.GET if asked else None)
    rows, next_cursor = page_of(request, _wanted(organization, form), key="seq")
    head, check = chain_state(organization)
    context = {
        "form": form,
        "range_form": RangeForm(initial={"first": max(1, head.seq - PROPOSED_RANGE + 1), "last": head.seq}),
        "told": told(organization, rows),
        "next_cursor": next_cursor,
        "filtered": asked,
        **chain_line(head, check),
    }
    return render(request, "audit/explorer.html", context, status=200 if form.is_valid() or not asked else 422)


@require_safe
@page(READ_AUDIT)
def verify_range(request: PageRequest) -> HttpResponse:
    """Every failure from one number to another."""
    organization = request.actor.organization
    form = RangeForm(request.GET)
    report = (
        examine_range(organization, form.cleaned_data["first"], form.cleaned_data["last"]) if form.is_valid() else None
    )
    context = {
        "range_form": form,
        "report": report,
        "title": range_verdict(report) if report else "This range cannot be verified",
        "failures": report.failures[:SHOWN_FAILURES] if report else (),
        "hidden": max(0, len(report.failures) - SHOWN_FAILURES) if report else 0,
        "crumbs": [("Audit", address(request, "audit")), ("Verify a range", None)],
    }
    return render(request, "audit/range.html", context, status=200 if report else 422)


def range_verdict(report: RangeReport) -> str:
    """What was found, in a sentence."""
    if report.first > report.head:
        return f"The chain ends at #{report.head:,}, before this range"
    span = f"#{report.first:,} to #{report.last:,}"
    if report.failures:
        count = len(report.failures)
        return f"{count:,} failure{'s' if count > 1 else ''} from {span}"
    return (
        f"All {report.verified:,} receipts from {span} verify" if report.verified > 1 else f"#{report.first:,} verifies"
    )


def chain_line(head: ChainHead, check: ChainCheck) -> dict[str, Any]:
    """The state of the chain as the ticker last found it; `break_at` is the first number that does not hold."""
    broken = bool(check.problem)
    if broken:
        title = f"The chain holds to #{check.seq:,} and breaks there"
    elif check.checked_at:
        title = f"Chain intact to #{check.seq:,}"
    else:
        title = "This chain was not checked yet"
    return {"head": head, "check": check, "title": title, "break_at": check.seq + 1 if broken else None}


def told(organization: Organization, rows: list[Receipt]) -> list[Told]:
    """Rows with their sentences, in four queries for any number of them."""
    names, releases = names_of(organization, (row.actor for row in rows)), releases_of(organization, rows)
    opened: dict[str, dict[str, Any]] = {row.pk: {} for row in rows}
    for opening in Opening.objects.filter(receipt__in=opened):
        opened[opening.receipt_id][opening.field] = opening.value
    return [Told(row, words_for(row, names, releases, opened[row.pk])) for row in rows]


def releases_of(organization: Organization, rows: Iterable[Receipt]) -> dict[str, str]:
    """What people call the releases of these receipts (`r3`), by manifest, as their registrations say it."""
    manifests = {row.manifest_sha256 for row in rows if row.manifest_sha256}
    registered = Receipt.objects.filter(
        organization=organization, event=Event.RELEASE_REGISTERED.value, manifest_sha256__in=manifests
    )
    return {
        str(manifest): subject.partition(":")[2]
        for manifest, subject in registered.values_list("manifest_sha256", "subject")
    }


def words_for(row: Receipt, names: Names, releases: Mapping[str, str], opened: Mapping[str, Any]) -> str:
    """The sentence of one receipt, from its index, its release and what opens it (field → value).

    What happens to a release is told of the release: the id of a rollout, an override or an observer says nothing.
    """
    release = releases.get(row.manifest_sha256 or "")
    subject = f"release:{release}" if release else row.subject
    thing = thing_of(subject, row.application, opened_state(opened))
    return sentence(event=row.event, outcome=row.outcome, who=names.of(row.actor), thing=thing)


def _wanted(organization: Organization, form: SearchForm) -> QuerySet[Receipt]:
    """The receipts that the form asks for; a form that cannot be read asks for none."""
    if not form.is_bound:
        return receipts_of(organization).defer("payload", "signature")
    if not form.is_valid():
        return Receipt.objects.none()
    given = form.cleaned_data
    rows = receipts_of(organization, Filter(event=given["event"], start=given["start"], end=given["end"]))
    if given["q"]:
        rows = rows.filter(search(organization, given["q"]))
    return rows.defer("payload", "signature")
