"""Rows get their release, and with it what the span did not say: the route, the open rollout and the arm.

So customers who split their traffic themselves feed the monitors as well. The generation stays unknown: no gateway
acted on one.
"""

from collections.abc import Sequence

from relcontrol.accounts.models import Organization
from releases.otlp.releases_named import Known, Resolved, Standing, resolve, standings
from releases.otlp.spans import Draft, Row


def place(organization: Organization, drafts: Sequence[Draft]) -> tuple[list[Row], list[str]]:
    """The rows to store, and one reason for each draft whose `relcontrol.release` names no release."""
    names = {name for one in drafts for name in (one.release, *one.guesses) if name is not None}
    resolved = resolve(organization, names)
    placed = [(one, _release(one, resolved)) for one in drafts]
    armless = {release.sha256 for one, release in placed if release is not None and one.row["arm"] is None}
    standing = standings(organization, armless)
    rows: list[Row] = []
    reasons: list[str] = []
    for one, release in placed:
        if release is None and one.release is not None:
            reasons.append(_unknown(one, one.release, resolved))
        else:
            rows.append(_completed(one.row, release, standing))
    return rows, reasons


def _release(one: Draft, resolved: Resolved) -> Known | None:
    names = one.guesses if one.release is None else [one.release]
    return next((found for name in names if (found := resolved.named(name, one.row["route"]))), None)


def _unknown(one: Draft, name: str, resolved: Resolved) -> str:
    if len(resolved.matches(name, one.row["route"])) > 1:
        return f"relcontrol.release {name!r} names more than one release: send the manifest's whole SHA-256."
    return (
        f"relcontrol.release {name[:80]!r} names no release here: send its manifest's SHA-256 (12 digits or more), "
        "its id (rel_…) or its number (r12), of the route that relcontrol.route names, if it does."
    )


def _completed(row: Row, release: Known | None, standing: dict[str, Standing]) -> Row:
    if release is None:
        return row
    row["release"] = release.sha256
    row["route"] = release.route if row["route"] is None else row["route"]
    place_of = standing.get(release.sha256)
    if place_of is not None and row["arm"] is None and row["rollout"] in (None, place_of.rollout):
        row["arm"], row["rollout"] = place_of.arm, place_of.rollout
    return row
