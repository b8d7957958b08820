"""What a route served at a time, as its page says it: a sentence, the receipts, and the answers up to then."""

from datetime import datetime
from typing import Any

from audit.names import names_of
from relcontrol.accounts.models import Organization, Route
from releases.lineage.as_json import actors_of
from releases.lineage.finding import around
from releases.lineage.served_tuple import last_good
from releases.lineage.serving_then import ServedThen, served_at
from releases.models import Release
from releases.pages.lineage_parts import actors_in, answer_lines, changes_between, decided, said_by


def served_then(organization: Organization, route: Route, at: datetime) -> dict[str, Any]:
    """The context of the answer."""
    then = served_at(route, at)
    release = _release(organization, then.manifest if then else None)
    beside = _release(organization, then.beside.manifest if then and then.beside else None)
    cited = then.cited if then else ()
    approvals = then.approvals if then and then.manifest else ()
    names = names_of(organization, {*actors_of(approvals), *actors_in(cited)})
    good = last_good(route, release, then.since) if then and release else None
    return {
        "title": served_title(route, then, release, at),
        "then": then,
        "at": at,
        "route": route,
        "release": release,
        "beside": beside,
        "approvals": said_by(approvals, names),
        "receipts": decided(cited, names, _notes(then)),
        "good": good,
        "changes": changes_between(release, good),
        "lines": answer_lines(organization, around(route, at)),
    }


def served_title(route: Route, then: ServedThen | None, release: Release | None, at: datetime) -> str:
    """Such as: r12 served domain legal on 15 March 2026 at 14:03:00 UTC."""
    when = f"on {at:%-d %B %Y} at {at:%H:%M:%S} UTC"
    if then is not None and then.undisclosed:
        return f"{route.name} was rolled back, to a release that is disclosed no more, and served it {when}."
    if then is None or then.manifest is None:
        return f"{route.name} served nothing {when}, by the receipts."
    name = release.name if release else f"Release {then.manifest[:12]}"
    return f"{name} served {route.name} {when}."


def _notes(then: ServedThen | None) -> dict[int, str]:
    """What the receipts of other releases are here for."""
    if then is None:
        return {}
    beside = {then.beside.cited.receipt.seq: ": what ran beside it"} if then.beside else {}
    return beside | ({then.ended.receipt.seq: ": what ended it"} if then.ended else {})


def _release(organization: Organization, manifest_sha256: str | None) -> Release | None:
    if manifest_sha256 is None:
        return None
    rows = Release.objects.filter(organization=organization, manifest_sha256=manifest_sha256)
    return rows.select_related("organization", "application", "route").first()
