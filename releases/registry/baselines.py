"""What a release is compared with, and the rule of one change at a time (domain.md "Register").

The baseline is the named `previous_release`, else what the route serves; a route that serves nothing is a cold start.
A baseline may serve another route of the same application: then `routing` is among the changes, and counts.
"""

from collections.abc import Sequence
from typing import Any

from relcontrol.accounts.models import Route
from relcontrol.bundle.changes import Changes, check_one_change, diff
from relcontrol.bundle.errors import Problem
from relcontrol.errors import Conflict, NotFound, invalid
from releases.models import Release
from releases.refusals import refused
from releases.registry.order import Order
from releases.selectors import manifest_of, release_named, serving

SERVING = "serving"
MEASURING = "measuring"


def baseline_of(route: Route, order: Order) -> Release | None:
    """The release that this one builds on; the route is locked, so what it serves does not change meanwhile."""
    named = _named(route, order.previous_release) if order.previous_release else None
    stable = serving(route)
    if not order.rebase:
        return named or stable
    if named is not None and named != stable:
        raise _other_baseline(stable)
    return stable


def changes_since(manifest: dict[str, Any], baseline: Release | None) -> Changes:
    """The components that differ from the baseline."""
    return diff(manifest, manifest_of(baseline) if baseline else None)


def served_already(manifest: dict[str, Any], order: Order, baseline: Release | None) -> dict[str, Any]:
    """The manifest of what the route serves, where an order that names no baseline is exactly that again.

    A pipeline that runs a second time after its release went live would otherwise register it once more, as a release
    that changes nothing and builds on itself.
    """
    if baseline is None or order.previous_release or order.rebase:
        return manifest
    served = manifest_of(baseline)
    changes = diff(manifest, served)
    return manifest if changes.serving or changes.measuring else served


def changes_as_json(changes: Changes) -> list[dict[str, Any]]:
    """The changes as they are stored and answered: serving ones first, each with what it was and is."""
    kinds = ((SERVING, changes.serving), (MEASURING, changes.measuring))
    return [
        {"component": change.component, "kind": kind, "before": change.before, "after": change.after}
        for kind, group in kinds
        for change in group
    ]


def refuse_several_changes(
    *, route: Route, order: Order, acknowledged: Sequence[str], baseline: Release | None, changes: Changes
) -> None:
    """Raise `Invalid` that names the changed components, unless this is one change or an acknowledged set.

    After a release of several changes the next on the route must name its baseline and change one. A rebase is the
    same release on new ground and no further step, so it need not.
    """
    forced = not order.rebase and last_step_was_multiple(route)
    named = bool(order.previous_release or order.rebase)
    problems = list(check_one_change(changes, acknowledged, previous_was_multi=forced, baseline_named=named))
    if forced and baseline is None:
        problems.append(_baseline_needed())
    if problems:
        error = refused(problems)
        error.state = {
            "previous_release": baseline.manifest_sha256 if baseline else None,
            "changes": changes_as_json(changes),
        }
        raise error


def last_step_was_multiple(route: Route) -> bool:
    """Whether the newest release of the route that changed what serves changed several components at once."""
    steps = Release.objects.filter(route=route, changes__contains=[{"kind": SERVING}]).order_by("-number")
    last = steps.only("changes").first()
    return last is not None and len([change for change in last.changes if change["kind"] == SERVING]) > 1


def refuse_other_bundle(route: Route, bundle_sha256: str, baseline: Release | None) -> None:
    """A rebase serves exactly what a release of this route serves already; anything else is a new release."""
    if Release.objects.filter(route=route, bundle_sha256=bundle_sha256).exists():
        return
    raise Conflict(
        "No release of this route serves this bundle, so there is nothing to rebase. A rebase changes only what the "
        "release is compared with; register a changed one without `rebase`.",
        code="rebase",
        state={"bundle_sha256": bundle_sha256, "stable": baseline.manifest_sha256 if baseline else None},
    )


def _named(route: Route, text: str) -> Release:
    try:
        release = release_named(route.organization, text)
    except NotFound as error:
        raise invalid("previous_release", error.detail, code="unknown_release") from error
    if release.application_id != route.application_id:
        message = (
            f"{text} is a release of another application, {release.application.slug}; name one of "
            f"{route.application.slug}, or leave previous_release out to build on what the route serves."
        )
        raise invalid("previous_release", message, code="other_application")
    return release


def _other_baseline(stable: Release | None) -> Conflict:
    serves = f"{stable.name} ({stable.manifest_sha256[:12]})" if stable else "nothing"
    return Conflict(
        f"A rebase goes onto what the route serves now, which is {serves}. Leave previous_release out.",
        code="rebase",
        state={"stable": stable.manifest_sha256 if stable else None},
    )


def _baseline_needed() -> Problem:
    message = (
        "The release before this one changed several components at once, so this one must change only one: name the "
        "release that it builds on, so that this can be seen."
    )
    return Problem("previous_release", message, "single_change_required")
