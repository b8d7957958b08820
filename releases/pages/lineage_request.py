"""What made one answer, as its page says it: the finding first, then everything that it rests on."""

from collections.abc import Sequence
from typing import Any, Final

from audit.names import Names, names_of
from relcontrol.accounts.models import Organization
from releases.lineage.answer import Lineage
from releases.lineage.approvals import Approval
from releases.lineage.as_json import actors_of
from releases.pages.components import ComponentRow, component_rows
from releases.pages.lineage_parts import actors_in, changes_between, decided, said_by
from releases.pages.said_of import said_of
from releases.pages.trace_wording import NO_BODY

FINGERPRINT_STATUS: Final = {
    "same": ("pass", "The same"),
    "other": ("fail", "Another"),
    "not_reported": ("hold", "Not reported"),
    "not_judged": ("hold", "Not compared"),
}
FEATURE_STATUS: Final = {
    "in_time": ("pass", "In time"),
    "future": ("fail", "From the future"),
    "stale": ("fail", "Stale"),
    "undated": ("hold", "Without a date"),
}


def made_by(organization: Organization, of: Lineage) -> dict[str, Any]:
    """The context of the page."""
    served, how = of.served, of.served.how if of.served else None
    approvals, cited = (how.approvals, how.cited) if how else ((), ())
    actors = {*actors_of(approvals), *actors_in(cited), *(row.created_by for row in of.feedback)}
    names = names_of(organization, actors)
    return {
        "title": _title(of, approvals, names),
        "components": _components(of),
        "changes": changes_between(served.release, served.last_good) if served else [],
        "judged": sorted(served.judged, key=lambda row: row.slice != of.trace.slice) if served else [],
        "receipts": decided(cited, names),
        "approvals": said_by(approvals, names),
        "fingerprint": FINGERPRINT_STATUS[of.fingerprints.verdict],
        "features": [(row, *FEATURE_STATUS[row.verdict]) for row in of.features or ()],
        "no_features": NO_BODY.get(of.body.state, "") if of.body else "",
        **said_of(of.feedback, of.ratings, of.observed, names),
    }


def _title(of: Lineage, approvals: Sequence[Approval], names: Names) -> str:
    """The finding, in a sentence."""
    served = of.served
    if served is None:
        return "This answer names no release, so nothing says what made it."
    name = served.release.name if served.release else f"Release {served.manifest_sha256[:12]}"
    wrong = [row for row in of.features or () if row.wrong]
    if of.fingerprints.verdict == "other":
        return f"{name} is named, but what answered is not what was judged."
    if wrong:
        return f"{name} answered with a value that it should not have had: {wrong[0].name}."
    by = f"; {names.of(approvals[-1].actor)} {approvals[-1].words}" if approvals else ""
    return f"{name} answered{by}."


def _components(of: Lineage) -> list[ComponentRow]:
    served = of.served
    return (
        list(component_rows(served.release, served.manifest)) if served and served.release and served.manifest else []
    )
