"""Parts that both pages of lineage show: receipts as rows, who did what, answers in one line each, a difference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audit.names import Names
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import routes_of
from releases.lineage.approvals import Approval
from releases.lineage.citing import Cited
from releases.models import Release
from releases.pages.components import Difference, differences
from releases.pages.traces import Line, lines_of
from releases.pages.wording import event_words
from releases.trace_models import Trace

NO_NOTES: Final[Mapping[int, str]] = {}


@dataclass(frozen=True, slots=True)
class Decided:
    """A receipt as a row: what was decided, by whom, and whether it verifies."""

    cited: Cited
    words: str
    by: str
    kind: str
    word: str


def said_by(approvals: Iterable[Approval], names: Names) -> list[tuple[str, str, Cited]]:
    """Who did what, with the receipt."""
    return [(names.of(row.actor), row.words, row.cited) for row in approvals]


def decided(cited: Iterable[Cited], names: Names, notes: Mapping[int, str] = NO_NOTES) -> list[Decided]:
    """Receipts as rows; `notes` say by number what one is here for."""
    return [
        Decided(
            row,
            event_words(row.receipt.event) + notes.get(row.receipt.seq, ""),
            names.of(row.receipt.actor),
            *(("fail", "Does not verify") if row.problems else ("pass", "Verified")),
        )
        for row in cited
    ]


def actors_in(cited: Iterable[Cited]) -> set[str]:
    """Whose names rows of receipts need."""
    return {row.receipt.actor for row in cited}


def changes_between(release: Release | None, good: Release | None) -> list[Difference]:
    """What a release changes against the last good one; nothing where one of them is not known."""
    return differences(release, good, by_words=True) if release and good else []


def answer_lines(organization: Organization, rows: Sequence[Trace]) -> list[Line]:
    """Answers in one line each."""
    if not rows:
        return []
    return lines_of(organization, rows, {route.pk: route.name for route in routes_of(organization)}, {})
