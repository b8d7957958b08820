"""What a release changes, and the rule of one change at a time (domain.md "Register").

Serving components count; measuring ones are listed only: they make the previous release be scored again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relcontrol.bundle.components import MEASURING, SERVING, TITLES, component_value
from relcontrol.bundle.errors import Problem


@dataclass(frozen=True, slots=True)
class Change:
    """One component that differs; `before` and `after` are its JSON values."""

    component: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences from a baseline, in the order of the vocabulary."""

    serving: tuple[Change, ...] = ()
    measuring: tuple[Change, ...] = ()


def diff(manifest: dict[str, Any], baseline: dict[str, Any] | None) -> Changes:
    """What `manifest` changes; a cold start has no baseline and changes nothing."""
    if baseline is None:
        return Changes()
    return Changes(tuple(_changed(manifest, baseline, SERVING)), tuple(_changed(manifest, baseline, MEASURING)))


def _changed(manifest: dict[str, Any], baseline: dict[str, Any], components: Sequence[str]) -> Iterator[Change]:
    for component in components:
        before, after = component_value(baseline, component), component_value(manifest, component)
        if before != after:
            yield Change(component, before, after)


def check_one_change(
    changes: Changes, acknowledged: Sequence[str], *, previous_was_multi: bool, baseline_named: bool
) -> tuple[Problem, ...]:
    """Why the release may not be registered; empty when it may.

    `previous_was_multi`: the newest release of the route that changed a serving component changed several.
    `baseline_named`: the request itself says which `previous_release` it builds on.
    """
    changed = [change.component for change in changes.serving]
    if len(changed) <= 1:
        return tuple(_needless(acknowledged, changed))
    if previous_was_multi:
        return (_single_change_required(changed),)
    return tuple(_unacknowledged(changed, acknowledged, baseline_named=baseline_named))


def _needless(acknowledged: Sequence[str], changed: Sequence[str]) -> Iterator[Problem]:
    unchanged = sorted(set(acknowledged) - set(changed))
    if unchanged:
        message = f"Lists {_spoken(unchanged)}, which did not change; remove it from the list."
        yield Problem("acknowledged_changes", message, "not_changed")


def _single_change_required(changed: Sequence[str]) -> Problem:
    message = (
        f"The release before this one changed several components at once, so this one may change only one, "
        f"but it changes {len(changed)}: {_spoken(changed)}. Register them one at a time, each on the last."
    )
    return Problem("acknowledged_changes", message, "single_change_required")


def _unacknowledged(changed: Sequence[str], acknowledged: Sequence[str], *, baseline_named: bool) -> Iterator[Problem]:
    what = f"This release changes {len(changed)} serving components at once: {_spoken(changed)}."
    wanted = ", ".join(f'"{name}"' for name in sorted(changed))
    if set(acknowledged) != set(changed):
        message = (
            f"{what} Change one at a time, or name the baseline in previous_release and list exactly these in "
            f"acknowledged_changes: [{wanted}]."
        )
        yield Problem("acknowledged_changes", message, "several_changes")
    if not baseline_named:
        message = f"{what} To accept them together, name the release they build on in previous_release."
        yield Problem("previous_release", message, "baseline_required")


def _spoken(components: Sequence[str]) -> str:
    titles = [TITLES.get(component, component) for component in components]
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


def field_difference(expected: Any, got: Any, pointer: str = "") -> list[dict[str, Any]]:
    """Where two JSON values differ, as JSON pointers (RFC 6901); lists are compared whole, an absent key is null."""
    if not (isinstance(expected, dict) and isinstance(got, dict)):
        return [] if expected == got else [{"field": pointer, "expected": expected, "got": got}]
    differences: list[dict[str, Any]] = []
    for key in sorted(expected.keys() | got.keys()):
        step = key.replace("~", "~0").replace("/", "~1")
        differences += field_difference(expected.get(key), got.get(key), f"{pointer}/{step}")
    return differences
