"""What one may do from a gate run's page, each as a link where the page is there and the person may."""

from typing import Any

from gates.overrides.selectors import open_override_of
from gates.pages.runs.paths import address_if_there
from gates.reviews.items import reviews_in
from gates.run_models import GateRun
from gates.standing import Standing
from relcontrol.accounts.permissions import (
    REQUEST_OVERRIDES,
    REVIEW_GATES,
    WRITE_GATES,
    WRITE_ROLLOUTS,
    Denied,
    Permission,
)
from relcontrol.web.pages import PageRequest


def links_of(request: PageRequest, run: GateRun, *, decides: bool, standing: Standing) -> dict[str, Any]:
    """Addresses, empty where there is nothing to do, and in words why this person may not."""
    release = run.candidate["release_id"]
    stopped = decides and standing in (Standing.FAIL, Standing.HOLD)
    reviews = decides and standing == Standing.HOLD and bool(reviews_in(run.document))
    rolls = decides and standing in (Standing.PASS, Standing.OVERRIDDEN)
    answer, override = request.actor.may(REQUEST_OVERRIDES), open_override_of(run)
    stopped = stopped and override is None
    return {
        "open_override": override,
        "override_url": _allowed(request, REQUEST_OVERRIDES, "override-request", stopped, release=release),
        "sign_off_url": _allowed(request, REVIEW_GATES, "gate-run-sign-off", reviews, run=run.pk),
        "roll_url": _allowed(request, WRITE_ROLLOUTS, "release-roll", rolls, release=release),
        "grade_url": _grading(request, run),
        "scorecard_url": address_if_there(request, "gate-run-scorecard", run=run.pk),
        "override_denied": answer.reason if stopped and isinstance(answer, Denied) else "",
    }


def _grading(request: PageRequest, run: GateRun) -> str:
    """Where a panel for answers of this run is made."""
    url = _allowed(request, WRITE_GATES, "panel-new", due=True)
    return f"{url}?run={run.pk}" if url else ""


def _allowed(request: PageRequest, permission: Permission, name: str, due: bool, **parts: str) -> str:
    if not due or isinstance(request.actor.may(permission), Denied):
        return ""
    return address_if_there(request, name, **parts)
