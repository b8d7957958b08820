"""What people outside say of one receipt: when it was there (TIME), and that nothing before it is gone (COMPLETENESS).

The words and limits are those of the offline verifier, for one receipt in place of a whole export.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from audit import verify
from audit.anchor_models import Anchor, AnchorSink
from audit.anchors.covering import Covering
from audit.models import Receipt

NO_CLOCK: Final = "Not when it happened: its own time is the server's statement."
TOLERANCE: Final = timedelta(seconds=60)  # between our clock and another's
Found = tuple[verify.Verdict, list[verify.VerificationError]]


def of_time(receipt: Receipt, statement: verify.Statement | None, covering: Sequence[Covering]) -> Found:
    """Between which outside times the receipt was written; a date outside of them is a failure."""
    limits = "Not the very moment: only that it lies between the two."
    stamps = [one for one in covering if one.kind == AnchorSink.Kind.RFC3161 and one.at is not None]
    before = min(stamps, key=lambda one: one.at or receipt.issued_at, default=None)
    after = _after(receipt, statement)
    failures = [*_too_late(receipt, before), *_too_early(receipt, after)]
    lower = f"After anchor {_named(after, after.proved_at)}" if after else ""
    if before is None:
        said = _unstamped(covering, lower)
        return verify.Verdict(verify.TIME, verify.NOT_CHECKED, said, NO_CLOCK), failures
    upper = f"before {_named(before.anchor, before.at)}"
    said = f"{lower} and {upper}." if lower else f"{upper[0].upper()}{upper[1:]}, by a time stamp."
    return verify.Verdict(verify.TIME, verify.HOLDS, said, limits), failures


def of_completeness(receipt: Receipt, covering: Sequence[Covering]) -> verify.Verdict:
    """Whether witnesses have seen a log that this receipt, and everything before it, is still in."""
    witnessed = [one for one in covering if one.kind == AnchorSink.Kind.WITNESS and one.at is not None]
    size = max((one.size for one in witnessed), default=0)
    if not size or not _is_whole(receipt, size):
        said = "Its neighbours in the chain are there. Nobody outside has witnessed the chain this far."
        limits = "Not that the end was not cut off: only a head that you hold, or a witness, shows it."
        return verify.Verdict(verify.COMPLETENESS, verify.NOT_CHECKED, said, limits)
    count = len({one.anchor.sink_id for one in witnessed if one.size == size})
    who = "One witness has" if count == 1 else f"{count} witnesses have"
    said = f"{who} seen the log at {size:,} receipts; none is missing before."
    return verify.Verdict(verify.COMPLETENESS, verify.HOLDS, said, f"Not what came after #{size:,}.")


def broken_log(receipt: Receipt, covering: Sequence[Covering]) -> list[verify.VerificationError]:
    """The anchored log does not hold the receipt as it is stored: what is here is not what was anchored."""
    problems = {one.problem: one for one in covering if one.of_the_log}
    return [
        _failure(
            receipt, verify.INTEGRITY, problem.rstrip("."), f"receipt {receipt.seq} in the anchored log", "another"
        )
        for problem in problems
    ]


def _after(receipt: Receipt, statement: verify.Statement | None) -> Anchor | None:
    """The anchor that the receipt itself names, whose time is a lower bound, where that time is from outside."""
    named = statement.predicate["chain"]["last_anchor"] if statement else None
    if named is None:
        return None
    rows = Anchor.objects.filter(organization=receipt.organization_id, receipt__receipt_hash=named)
    outside = rows.filter(sink__kind__in=[AnchorSink.Kind.RFC3161, AnchorSink.Kind.WITNESS])
    return outside.select_related("receipt").defer("evidence", "receipt__payload").first()


def _too_late(receipt: Receipt, before: Covering | None) -> list[verify.VerificationError]:
    if before is None or before.at is None or receipt.issued_at <= before.at + TOLERANCE:
        return []
    detail = "dated after a time stamp that covers it"
    return [_failure(receipt, verify.TIME, detail, f"{_moment(before.at)} or before", _moment(receipt.issued_at))]


def _too_early(receipt: Receipt, after: Anchor | None) -> list[verify.VerificationError]:
    if after is None or after.proved_at is None or receipt.issued_at >= after.proved_at - TOLERANCE:
        return []
    detail = "dated before the anchor that it names"
    return [_failure(receipt, verify.TIME, detail, f"{_moment(after.proved_at)} or after", _moment(receipt.issued_at))]


def _unstamped(covering: Sequence[Covering], lower: str) -> str:
    if lower:
        return f"{lower}; no time stamp covers it yet."
    if any(one.at for one in covering):
        return "Anchored, but by nobody who stamps the time. The server's clock did not run backwards here."
    return "No outside clock has stamped it yet. The server's clock did not run backwards here."


def _is_whole(receipt: Receipt, size: int) -> bool:
    return Receipt.objects.filter(organization=receipt.organization_id, seq__lte=size).count() == size


def _named(anchor: Anchor, at: datetime | None) -> str:
    number = f"#{anchor.receipt.seq:,} " if anchor.receipt else ""
    return f"{number}at {_moment(at)}" if at else number.strip()


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _failure(receipt: Receipt, check: str, detail: str, expected: str, got: str) -> verify.VerificationError:
    return verify.Place("", receipt.seq, receipt.receipt_hash).failure(check, detail, expected=expected, got=got)
