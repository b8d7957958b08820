"""Page: one release (ui.md screen 4): verdict, stages, next action; what it is made of and what was decided of it."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.run_models import GateRun
from gates.runs.selectors import deciding_run
from gates.scorecards.headline import finding
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Denied
from relcontrol.errors import DomainError
from relcontrol.web.pages import PageRequest, page
from releases.models import Release
from releases.pages.archive import archive_form
from releases.pages.components import component_rows, differences, pointers
from releases.pages.gate_tab import actions, gate_tab, overrides_tab
from releases.pages.observe.of_release import observe_stage, observe_tab
from releases.pages.paths import address, one_page, release_of, with_query
from releases.pages.rollout_list import rollout_tab
from releases.pages.timeline import DECISIONS_SHOWN, decisions, receipts_of_release
from releases.pages.weights_card import weights_card
from releases.pages.wording import STANDING_STATUS, changed, next_action, stages, verdict
from releases.selectors import manifest_of, releases_of, state_of

TABS: Final = {
    "manifest": "Manifest",
    "gate": "Gate",
    "rollout": "Rollout",
    "observe": "Observe",
    "overrides": "Overrides",
    "receipts": "Receipts",
}
VIEWS: Final = {"lines": "Lines", "words": "Words", "json": "JSON"}
OFFERED: Final = 20


@require_safe
@page(VIEW)
def release(request: PageRequest, release: str) -> HttpResponse:
    """The release; `?tab=` says which part."""
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    tab = _choice(request, "tab", TABS)
    run = deciding_run(row.organization, row.manifest_sha256)
    return render(request, "releases/release.html", _head(request, row, tab, run) | _part(request, row, tab, run))


@require_safe
@page(VIEW)
def manifest(request: PageRequest, release: str) -> HttpResponse:
    """The canonical bytes, whose SHA-256 is the release's, as a file."""
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    name = f"{row.application.slug}-{row.name}-{row.manifest_sha256[:12]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "ETag": f'"{row.manifest_sha256}"'}
    return HttpResponse(bytes(row.manifest), content_type="application/json", headers=headers)


def _part(request: PageRequest, row: Release, tab: str, run: GateRun | None) -> dict[str, Any]:
    match tab:
        case "gate":
            return gate_tab(request, row, run)
        case "rollout":
            return rollout_tab(row)
        case "observe":
            return observe_tab(row)
        case "overrides":
            return overrides_tab(row)
        case "receipts":
            return _receipts_tab(request, row)
        case _:
            return _manifest_tab(request, row)


def _head(request: PageRequest, row: Release, tab: str, run: GateRun | None) -> dict[str, Any]:
    state = state_of(row)
    name = f"{row.application.slug} {row.name}"
    kind, word = STANDING_STATUS[state.standing]
    own = address(request, "release", release=row.pk)
    latest = receipts_of_release(row)[:DECISIONS_SHOWN]
    return {
        "release": row,
        "name": name,
        "title": verdict(name, standing=state.standing, delivery=state.delivery),
        "next_action": next_action(standing=state.standing, delivery=row.delivery),
        "kind": kind,
        "word": word,
        "stages": stages(
            standing=state.standing,
            delivery=row.delivery,
            registered_by=row.registered_by_label,
            found=finding(run.document) if run and run.document else "",
            observed=observe_stage(row),
        ),
        "changed": changed(row.changes, row.refs, cold_start=row.previous_release_id is None),
        "timeline": decisions(row.organization, latest),
        "weights": weights_card(row),
        "may_audit": not isinstance(request.actor.may(READ_AUDIT), Denied),
        "tabs": [(label, with_query(own, tab=key), key == tab) for key, label in TABS.items()],
        "tab": tab,
        **actions(request, row, state),
        **archive_form(request, row),
        "crumbs": [("Releases", address(request, "releases")), (name, None)],
    }


def _manifest_tab(request: PageRequest, row: Release) -> dict[str, Any]:
    against, wrong = _against(request, row)
    shown = _choice(request, "view", VIEWS)
    own, other = address(request, "release", release=row.pk), request.GET.get("against", "")
    content = manifest_of(row)
    return {
        "against": against,
        "wrong": wrong,
        "view": shown,
        "views": [(label, with_query(own, view=key, against=other), key == shown) for key, label in VIEWS.items()],
        "differences": differences(row, against, by_words=shown == "words") if against and shown != "json" else [],
        "pointers": pointers(row, against) if shown == "json" else [],
        "components": list(component_rows(row, content)),
        "manifest": content,
        "size": len(bytes(row.manifest)),
        "others": releases_of(row.organization).filter(application=row.application).exclude(pk=row.pk)[:OFFERED],
    }


def _against(request: PageRequest, row: Release) -> tuple[Release | None, str]:
    """The release to compare with, by default the previous one, and what was wrong with the one that was named."""
    text = request.GET.get("against", "").strip()
    if not text:
        return row.previous_release, ""
    try:
        return release_of(row.organization, text, row.application.slug), ""
    except DomainError as error:
        return row.previous_release, error.detail


def _receipts_tab(request: PageRequest, row: Release) -> dict[str, Any]:
    answer = request.actor.may(READ_AUDIT)
    if isinstance(answer, Denied):
        return {"denied": answer.reason}
    shown, next_cursor = one_page(request, receipts_of_release(row), key="seq")
    return {"receipts": decisions(row.organization, shown), "next_cursor": next_cursor}


def _choice(request: HttpRequest, name: str, known: dict[str, str]) -> str:
    """The part of the page that the address asks for; the first one where it asks for none of them."""
    wanted = request.GET.get(name, "")
    return wanted if wanted in known else next(iter(known))
