"""Verifying here and now: one receipt with its neighbours, or a range, over the bytes that are stored.

The auditor's own file (`audit/verify.py`) judges; here is what to hand to it, and what one receipt alone can and
cannot show. Every failure is kept with seq, hash, expected and got.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Any

from audit import verify
from audit.anchors.covering import Covering
from audit.anchors.verdicts import broken_log, of_completeness, of_time
from audit.chain import timestamp
from audit.models import ChainHead, Opening, Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from audit.words import weights_in_words
from relcontrol.accounts.models import Organization

MOST_IN_RANGE = 2000
BATCH = 500
Failures = list[verify.VerificationError]


@dataclass(frozen=True, slots=True)
class Looked:
    """One stored receipt as it was found: its statement where it could be believed."""

    receipt: Receipt
    digest: str  # of the bytes that are stored
    statement: verify.Statement | None
    failures: Failures


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found about one receipt. `broken`: numbers of those on the strip that do not follow the one before."""

    verdicts: tuple[verify.Verdict, ...]
    failures: tuple[verify.VerificationError, ...]
    broken: frozenset[int]

    @property
    def holding(self) -> int:
        """How many of the six hold."""
        return sum(verdict.outcome == verify.HOLDS for verdict in self.verdicts)

    @property
    def unchecked(self) -> int:
        """How many of the six were not checked."""
        return sum(verdict.outcome == verify.NOT_CHECKED for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class RangeReport:
    """What was found from `first` to `last`."""

    first: int
    last: int
    head: int
    verified: int
    failures: tuple[verify.VerificationError, ...]


@dataclass
class _Walk:
    """Receipts in order, each against the one before it."""

    organization: Organization
    trust: Mapping[str, Any]
    previous: Looked | None = None
    seen: int = 0
    verified: int = 0
    failures: Failures = field(default_factory=list)

    def step(self, receipt: Receipt) -> None:
        """Look at the next one."""
        looked = look(receipt, self.trust)
        found = [*looked.failures, *self._order(receipt)]
        if looked.statement and receipt.seq == 1:
            found += _genesis(self.organization, looked.statement)
        if self.previous and receipt.seq == self.seen + 1:
            found += _link(self.previous, looked)
        self.failures += found
        self.verified += not found
        self.previous, self.seen = looked, receipt.seq

    def _order(self, receipt: Receipt) -> Failures:
        missing = receipt.seq - self.seen - 1
        if missing <= 0:
            return []
        return [_failure(receipt, verify.COMPLETENESS, f"{missing} missing before this one", f"seq {self.seen + 1}")]


def examine_range(organization: Organization, first: int, last: int) -> RangeReport:
    """Verify the receipts from `first` to `last`, and that the first follows the one before it."""
    head = ChainHead.objects.get(organization=organization)
    end = min(last, head.seq, first + MOST_IN_RANGE - 1)
    walk = _Walk(organization, trust_document(organization), seen=first - 1)
    before = Receipt.objects.filter(organization=organization, seq=first - 1).first()
    if before is not None:
        walk.previous = look(before, walk.trust)
    elif 1 < first <= head.seq:
        walk.failures.append(_missing(first - 1))
    for receipt in _between(organization, first, end):
        walk.step(receipt)
    walk.failures += [_missing(walk.seen + 1)] if walk.seen < end else []
    walk.failures += _against_head(head, walk)
    return RangeReport(first, end, head.seq, walk.verified, tuple(walk.failures))


def examine(
    receipt: Receipt, strip: Sequence[Receipt], openings: Iterable[Opening], covering: Sequence[Covering] = ()
) -> Examination:
    """Verify one receipt. `strip` holds it with its neighbours in order, `covering` the anchors over it."""
    trust = trust_document(receipt.organization)
    looked = [look(row, trust) for row in strip]
    pairs = {after.receipt.seq: _following(before, after) for before, after in pairwise(looked)}
    own = next(item for item in looked if item.receipt.seq == receipt.seq)
    failures = [*own.failures, *_ends(receipt, own, strip), *_release_link(receipt)]
    failures += pairs.get(receipt.seq, [])
    closed, wrong = _openings(receipt, own.statement, openings)
    time, out_of_time = of_time(receipt, own.statement, covering)
    failures = _each_once([*failures, *wrong, *out_of_time, *broken_log(receipt, covering)])
    outside = (time, of_completeness(receipt, covering))
    broken = {after.receipt.seq for before, after in pairwise(looked) if after.failures or pairs[after.receipt.seq]}
    verdicts = tuple(_judged(verdict, failures, own.statement) for verdict in _verdicts(own.statement, closed, outside))
    return Examination(verdicts, tuple(failures), frozenset(broken))


def look(receipt: Receipt, trust: Mapping[str, Any]) -> Looked:
    """One stored receipt by itself: hash, signature, form, and that its row says what was signed."""
    failures: Failures = []
    digest = sha256(bytes(receipt.payload)).hexdigest()
    if digest != receipt.receipt_hash:
        failures.append(
            _failure(receipt, verify.INTEGRITY, "the bytes have another hash", receipt.receipt_hash, digest)
        )
    try:
        statement = verify.verify_envelope(envelope_of(receipt), trust)
    except verify.VerificationError as failure:
        failure.seq, failure.detail = failure.seq or receipt.seq, failure.detail.removeprefix("receipt: ")
        return Looked(receipt, digest, None, [*failures, failure])
    return Looked(receipt, digest, statement, [*failures, *_row_failures(receipt, statement.predicate)])


def _row_failures(receipt: Receipt, signed: Mapping[str, Any]) -> Iterator[verify.VerificationError]:
    """The columns by which receipts are found must repeat what was signed."""
    chain = signed["chain"]
    columns = {
        "seq": (chain["seq"], receipt.seq),
        "prev": (chain["prev"], receipt.prev),
        "release_seq": (chain["release_seq"], receipt.release_seq),
        "release_prev": (chain["release_prev"], receipt.release_prev),
        "manifest_sha256": (signed["release"]["manifest_sha256"], receipt.manifest_sha256),
        "release": (signed["release"]["id"] or "", receipt.release),
        "application": (signed.get("application", receipt.application) or "", receipt.application),
        "event": (signed["event"], receipt.event),
        "outcome": (signed["decision"]["outcome"], receipt.outcome),
        "actor": (signed["actor"]["id"], receipt.actor),
        "issued_at": (signed["issued_at"], timestamp(receipt.issued_at)),
    }
    for name, (expected, got) in columns.items():
        if expected != got:
            detail = f"the row's {name} is not what was signed"
            yield _failure(receipt, verify.INTEGRITY, detail, str(expected), str(got))


def _following(before: Looked, after: Looked) -> Failures:
    """What is wrong with the step from one to its neighbour on the strip."""
    if after.receipt.seq > before.receipt.seq + 1:
        return [_missing(after.receipt.seq - 1)]
    return _link(before, after)


def _link(before: Looked, after: Looked) -> Failures:
    """`after` names the hash of `before`; where `before` cannot be believed, of its stored bytes."""
    if after.statement is None:
        return []
    if before.statement is None:
        named = after.statement.predicate["chain"]["prev"]
        detail = "the link to the receipt before is broken"
        found = _failure(after.receipt, verify.INTEGRITY, detail, f"prev {before.digest}", named)
        return [found] if named != before.digest else []
    try:
        verify.check_link(before.statement, after.statement)
    except verify.VerificationError as failure:
        return [failure]
    return []


def _genesis(organization: Organization, first: verify.Statement) -> Failures:
    expected, got = verify.genesis_prev(organization.origin), first.predicate["chain"]["prev"]
    if got == expected:
        return []
    detail = "the chain does not begin at its origin"
    return [first.place().failure(verify.INTEGRITY, detail, expected=expected, got=got)]


def _ends(receipt: Receipt, own: Looked, strip: Sequence[Receipt]) -> Failures:
    """The first must begin the chain; every other has one before it, and all but the head one after it."""
    there = {row.seq for row in strip}
    if receipt.seq == 1:
        found = _genesis(receipt.organization, own.statement) if own.statement else []
    else:
        found = [] if receipt.seq - 1 in there else [_missing(receipt.seq - 1)]
    head = ChainHead.objects.get(organization=receipt.organization)
    if head.seq > receipt.seq and receipt.seq + 1 not in there:
        found.append(_missing(receipt.seq + 1))
    return found


def _release_link(receipt: Receipt) -> Failures:
    """The receipt before it in the chain of its release, by the hash of its stored bytes."""
    if not receipt.release_seq or receipt.release_seq == 1:
        return []
    rows = Receipt.objects.filter(organization=receipt.organization, manifest_sha256=receipt.manifest_sha256)
    before = rows.filter(release_seq=receipt.release_seq - 1).first()
    got = sha256(bytes(before.payload)).hexdigest() if before else "no receipt"
    if got == receipt.release_prev:
        return []
    detail = "the link to the release's receipt before is broken"
    return [_failure(receipt, verify.INTEGRITY, detail, str(receipt.release_prev), got)]


def _openings(
    receipt: Receipt, statement: verify.Statement | None, openings: Iterable[Opening]
) -> tuple[list[str], Failures]:
    """Fields that stay closed, and openings that are not what was committed to."""
    made = {entry["field"]: entry["commitment"] for entry in statement.predicate["commitments"]} if statement else {}
    wrong: Failures = []
    for opening in openings:
        got, expected = verify.commitment(opening.field, opening.salt, opening.value), made.pop(opening.field, None)
        if statement and got != expected:
            detail = f"the value of {opening.field} is not the one committed to"
            wrong.append(_failure(receipt, verify.COVERAGE, detail, str(expected), got))
    return sorted(made), wrong


def _verdicts(
    statement: verify.Statement | None, closed: Sequence[str], outside: Iterable[verify.Verdict]
) -> Iterator[verify.Verdict]:
    """The six where nothing failed: what each shows for one receipt, and what it does not."""
    claim = weights_in_words(statement.predicate["weights"]) if statement else ""
    yield verify.Verdict(
        verify.INTEGRITY,
        verify.HOLDS,
        "The bytes are canonical, hash to the value above, and name the receipt before.",
        "Not who signed.",
    )
    yield verify.Verdict(
        verify.AUTHENTICITY,
        verify.HOLDS,
        "Ed25519 by a key of this server's keyring that was valid then.",
        "Not that the keyring is the one you were given: compare the fingerprints.",
    )
    yield from outside
    yield verify.Verdict(
        verify.WEIGHTS, verify.HOLDS, f"The claim is consistent: {claim}.", "Not which weights have served."
    )
    yield _coverage(closed)


def _coverage(closed: Sequence[str]) -> verify.Verdict:
    limits = "Not that a value is true, only that it is the one committed to."
    if closed:
        said = f"Closed, so that its content cannot be compared: {', '.join(closed)}."
        return verify.Verdict(verify.COVERAGE, verify.NOT_CHECKED, said, limits)
    return verify.Verdict(verify.COVERAGE, verify.HOLDS, "What is opened below is what was committed to.", limits)


def _judged(verdict: verify.Verdict, failures: Failures, statement: verify.Statement | None) -> verify.Verdict:
    """The verdict after the failures of its check; what an unreadable receipt says cannot be judged."""
    failed = [failure for failure in failures if failure.check == verdict.check]
    if failed:
        return verify.Verdict(verdict.check, verify.FAILS, _as_sentence(failed[0].detail), verdict.does_not_prove)
    if statement is None:
        said = "Not reached: what comes before it failed."
        return verify.Verdict(verdict.check, verify.NOT_CHECKED, said, verdict.does_not_prove)
    return verdict


def _as_sentence(detail: str) -> str:
    return f"{detail[0].upper()}{detail[1:]}."


def _between(organization: Organization, first: int, last: int) -> Iterator[Receipt]:
    rows = Receipt.objects.filter(organization=organization, seq__lte=last).order_by("seq")
    after = first - 1
    while batch := list(rows.filter(seq__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].seq


def _against_head(head: ChainHead, walk: _Walk) -> Failures:
    """Where the walk has come to the head, it must be the receipt that the head names."""
    last = walk.previous
    if last is None or walk.seen != head.seq or last.digest == head.receipt_hash:
        return []
    detail = "the chain's head names another receipt"
    return [_failure(last.receipt, verify.INTEGRITY, detail, head.receipt_hash, last.digest)]


def _each_once(failures: Failures) -> Failures:
    return list({str(failure): failure for failure in failures}.values())


def _missing(seq: int) -> verify.VerificationError:
    return verify.Place("", seq).failure(
        verify.COMPLETENESS, "this receipt is missing", expected="a receipt", got="none"
    )


def _failure(receipt: Receipt, check: str, detail: str, expected: str, got: str = "") -> verify.VerificationError:
    place = verify.Place("", receipt.seq, receipt.receipt_hash)
    return place.failure(check, detail, expected=expected, got=got or f"seq {receipt.seq}")
