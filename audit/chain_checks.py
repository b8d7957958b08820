"""The ticker's own look at the chains: what was added since the last look, and once a day all of it again.

It runs the auditor's code (`audit/verify.py`) over the stored bytes, so the line "Chain intact to #4,812" says what an
export would say. Beside the chain the log is grown again, and its stored nodes and head are compared with what follows
from the receipts. It can only speak for what is still in the table: a cut tail shows to somebody who holds a head.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from audit import verify
from audit.log.walk import LogError, LogWalk
from audit.models import ChainCheck, ChainHead, Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document

logger = logging.getLogger(__name__)

BATCH = 500
PER_CHECK = 20_000
AGAIN = timedelta(hours=24)


def check_all_chains(now: datetime) -> None:
    """Continue the check of every organization's chain."""
    for check in ChainCheck.objects.select_related("organization").order_by("pk"):
        check_chain(check, now)


def check_chain(check: ChainCheck, now: datetime) -> ChainCheck:
    """Verify on from where the last check stopped, at most `PER_CHECK` receipts; store how far it holds."""
    if check.began_at is None or now - check.began_at >= AGAIN or check.problem:
        check.seq, check.receipt_hash, check.began_at = 0, "", now
    check.problem = ""
    try:
        _walk(check)
    except (verify.VerificationError, LogError) as failure:
        check.problem = str(_located(check, failure))[:1000]
        logger.exception("the chain of %s does not verify", check.organization.slug)
    check.checked_at = now
    check.save()
    return check


def _walk(check: ChainCheck) -> None:
    trust = trust_document(check.organization)
    previous = _statement_before(check, trust)
    log = LogWalk(check.organization, check.seq)
    for receipt in _receipts_after(check):
        current = _opened(receipt, trust)
        if previous is None:
            _check_first(check, current)
        else:
            _check_next(previous, current)
        previous, check.seq, check.receipt_hash = current, receipt.seq, receipt.receipt_hash
        log.add(receipt.receipt_hash)
    log.compare()
    _check_head(check, log)


def _statement_before(check: ChainCheck, trust: dict[str, object]) -> verify.Statement | None:
    """The last receipt that held, opened again; it must still be the one that was checked."""
    if check.seq == 0:
        return None
    receipt = Receipt.objects.filter(organization=check.organization, seq=check.seq).first()
    if receipt is None or receipt.receipt_hash != check.receipt_hash:
        got = receipt.receipt_hash if receipt else "no receipt"
        raise _failure(check.seq, check.receipt_hash, "a receipt that was checked is there no more", got)
    return _opened(receipt, trust)


def _receipts_after(check: ChainCheck) -> Iterator[Receipt]:
    rows = Receipt.objects.filter(organization=check.organization).order_by("seq")
    last, stop = check.seq, check.seq + PER_CHECK
    while batch := list(rows.filter(seq__gt=last, seq__lte=stop)[:BATCH]):
        yield from batch
        last = batch[-1].seq


def _opened(receipt: Receipt, trust: dict[str, object]) -> verify.Statement:
    statement = verify.verify_envelope(envelope_of(receipt), trust)
    if (statement.seq, statement.receipt_hash) != (receipt.seq, receipt.receipt_hash):
        raise _failure(
            receipt.seq, receipt.receipt_hash, "the row does not say what was signed", statement.receipt_hash
        )
    return statement


def _check_next(previous: verify.Statement, current: verify.Statement) -> None:
    if current.seq != previous.seq + 1:
        raise _failure(current.seq, previous.receipt_hash, "receipts are missing before this one", current.receipt_hash)
    verify.check_link(previous, current)


def _check_first(check: ChainCheck, first: verify.Statement) -> None:
    expected = verify.genesis_prev(check.organization.origin)
    link = first.predicate["chain"]
    if link["seq"] != 1 or link["prev"] != expected:
        raise _failure(link["seq"], expected, "the chain does not begin at its origin", link["prev"])


def _check_head(check: ChainCheck, log: LogWalk) -> None:
    """Where the walk has come to the end, the end must be the head, of the chain and of the log."""
    head = ChainHead.objects.get(organization=check.organization)
    behind = (
        head.seq > check.seq and Receipt.objects.filter(organization=check.organization, seq=check.seq + 1).exists()
    )
    if head.seq and not behind and (head.seq, head.receipt_hash) != (check.seq, check.receipt_hash):
        raise _failure(check.seq, head.receipt_hash, f"the chain ends before its head #{head.seq}", check.receipt_hash)
    if head.seq == check.seq:
        log.end(bytes(head.frontier))


def _located(check: ChainCheck, failure: verify.VerificationError | LogError) -> verify.VerificationError:
    """What is wrong with the log, said as what is wrong with the chain is, after the last receipt that was seen."""
    if isinstance(failure, verify.VerificationError):
        return failure
    place = verify.Place("", check.seq or None, check.receipt_hash or None)
    return place.failure(verify.INTEGRITY, failure.detail, expected=failure.expected, got=failure.got)


def _failure(seq: int, expected: str, detail: str, got: str) -> verify.VerificationError:
    place = verify.Place("", seq, expected)
    return place.failure(verify.INTEGRITY, detail, expected=expected, got=got)
