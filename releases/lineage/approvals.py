"""Who let a release serve, from its receipts: registration, gate, sign-off, override, rollout, a promotion by hand.

Only what led to the decision counts: what came before its last gate verdict was about an earlier one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.events import Event
from audit.models import Receipt
from relcontrol.accounts.models import Organization
from releases.lineage.citing import Cited, Json, cite

GATES: Final = (Event.GATE_PASSED, Event.GATE_HELD, Event.GATE_FAILED, Event.GATE_CARRIED)
MOST_READ: Final = 200
# What each of them did, as the end of a sentence that begins with a name.
WORDS: Final = {
    Event.GATE_SIGNED_OFF: "signed off what its gate left for review",
    Event.GATE_OVERRIDDEN: "approved the override of its gate",
    Event.ROLLOUT_STARTED: "started its rollout",
    Event.CHECKPOINT_PROMOTED: "promoted it by hand",
    Event.ROLLBACK_MANUAL: "rolled the route back to it",
    Event.ROLLBACK_AUTO: "rolled the route back to it by rule",
}
RELEVANT: Final = (
    Event.RELEASE_REGISTERED,
    *GATES,
    Event.GATE_SIGNED_OFF,
    Event.GATE_OVERRIDDEN,
    Event.ROLLOUT_STARTED,
    Event.CHECKPOINT_PROMOTED,
    Event.ROLLOUT_COMPLETED,
)


@dataclass(frozen=True, slots=True)
class Approval:
    """One decision that let a release serve: whose it was and in which receipt it stands."""

    cited: Cited
    words: str

    @property
    def actor(self) -> str:
        """The pseudonym of who answers for it; of an override its approver."""
        override = self.cited.override or {}
        approver = override.get("approved_by") if self.cited.receipt.event == Event.GATE_OVERRIDDEN else None
        return str(approver or self.cited.actor["id"])

    @property
    def kind(self) -> str:
        """person, service or system."""
        return str(self.cited.actor["kind"])


@dataclass(frozen=True, slots=True)
class Approved:
    """How a manifest came to serve: what answers for it, and every receipt read for that, in order."""

    approvals: tuple[Approval, ...] = ()
    cited: tuple[Cited, ...] = ()


def approved(organization: Organization, manifest_sha256: str, upto: int, trust: Json) -> Approved:
    """What let this manifest serve, by receipts up to number `upto`; the newest attempt counts."""
    rows = _led_to(_history(organization, manifest_sha256, upto))
    cited = [each for each in cite(rows, trust) if _counts(each)]
    return Approved(tuple(approval for each in cited if (approval := approval_of(each))), tuple(cited))


def approval_of(cited: Cited) -> Approval | None:
    """The approval that a receipt is; None for one that is evidence only."""
    words = WORDS.get(Event(cited.receipt.event))
    return Approval(cited, words) if words else None


def _history(organization: Organization, manifest_sha256: str, upto: int) -> list[Receipt]:
    rows = Receipt.objects.filter(
        organization=organization, manifest_sha256=manifest_sha256, event__in=RELEVANT, seq__lte=upto
    )
    return list(rows.order_by("-seq")[:MOST_READ])[::-1]


def _led_to(rows: Sequence[Receipt]) -> list[Receipt]:
    """The registration, the last gate verdict before the last start, and all after that verdict."""
    starts = [place for place, row in enumerate(rows) if row.event == Event.ROLLOUT_STARTED]
    start = starts[-1] if starts else len(rows)
    verdicts = [place for place, row in enumerate(rows[:start]) if row.event in GATES]
    first = verdicts[-1] if verdicts else start
    registered = [row for row in rows[:first] if row.event == Event.RELEASE_REGISTERED]
    return [
        *registered[:1],
        *(row for place, row in enumerate(rows) if place >= first and (place >= start or not _rolls(row))),
    ]


def _rolls(row: Receipt) -> bool:
    return row.event in {Event.ROLLOUT_STARTED, Event.CHECKPOINT_PROMOTED, Event.ROLLOUT_COMPLETED}


def _counts(cited: Cited) -> bool:
    """Promotions by rule are the plan's and nobody's."""
    return cited.receipt.event != Event.CHECKPOINT_PROMOTED or cited.actor["kind"] != "system"
