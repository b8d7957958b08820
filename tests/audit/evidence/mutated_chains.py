"""Mutations of the chain: order, deletions, forks, cut tails, times, strangers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from audit.exporting.document import Scope
from audit.log import merkle, notes
from audit.verify import AUTHENTICITY, COMPLETENESS, HOLDS, INTEGRITY, NOT_CHECKED, TIME, genesis_prev
from tests.audit.evidence.bundles import Bundle, application, of, person, release, story, trust, whole
from tests.audit.evidence.logs import LOG_KEY, Log
from tests.audit.evidence.spoiling import Case, Mutation, document
from tests.audit.pure.chains import FOREIGN_KEY, MANIFEST, ORIGIN, START, Ledger


def receipts(change: Callable[[list[Any]], object], make: Callable[[], Bundle] = whole) -> Callable[[], Case]:
    """Other receipts, by the holder of the export key."""

    def spoil() -> Case:
        bundle = make()
        change(bundle.receipts)
        known = {one["payload"] for one in bundle.receipts}
        bundle.openings = [one for one in bundle.openings if _payload_of(one.receipt_hash) in known]
        return document(bundle)

    return spoil


def _payload_of(receipt_hash: str) -> str | None:
    log = story()
    found = dict(zip(log.hashes, log.envelopes, strict=True)).get(receipt_hash)
    return found["payload"] if found else None


def cut(kept: int, head: str | None = None, **more: Any) -> Callable[[], Case]:
    """Only the first receipts, and only the anchors among them."""

    def spoil() -> Case:
        return document(whole(kept, head=head, **more))

    return spoil


def head(length: int = 12) -> str:
    """The head that the auditor wrote down."""
    return f"{length}:{story().hashes[length - 1]}"


def note(length: int = 12) -> str:
    """The signed head that the auditor was given."""
    leaves = story().leaves[:length]
    return notes.sign_note(notes.checkpoint_text(ORIGIN, length, merkle.root_of(leaves)), ORIGIN, LOG_KEY)


def remade(length: int, *, anchored: bool = False, at_once: bool = False) -> Log:
    """The chain made again by who has all keys, without the second receipt: sound in itself."""
    log = Log()
    log.register()
    for _ in range(length - 1 - anchored):
        log.settle()
    if anchored:
        log.anchor("rfc3161")
    return log


def forked() -> Case:
    one, two = story(3), story(3)
    one.settle()
    two.gate()
    bundle = of(one)
    bundle.receipts.append(two.envelopes[-1])
    return document(bundle)


def log_with(write: Callable[[Log], object]) -> Callable[[], Case]:
    """The story with one more receipt, by who has the keys."""

    def spoil() -> Case:
        log = story()
        write(log)
        return document(of(log))

    return spoil


def stranger(bundle: Bundle) -> Case:
    other = Ledger("relcontrol.test/other")
    other.settle()
    bundle.receipts[0] = other.envelopes[0]
    bundle.openings = []
    return document(bundle)


def release_with_stranger() -> Case:
    bundle = release()
    bundle.receipts.insert(2, story().envelopes[4])
    bundle.proofs = []
    return document(bundle)


def back_dated() -> Case:
    """The last receipts say a time before the anchor that they come after; the chain's clock goes back with them."""
    log = story(11)
    log.gate(at=START - timedelta(minutes=2))
    return document(of(log, Scope(release=MANIFEST)))


def short_release() -> Case:
    """Release one without its last receipt, which the newest anchor names as its head."""
    bundle = release()
    bundle.receipts.pop()
    return document(_with_proofs_of(bundle))


def _with_proofs_of(bundle: Bundle) -> Bundle:
    last = story().hashes[5]
    bundle.proofs = [one for one in bundle.proofs if one["receipt_hash"] != last]
    return bundle


def headless_release() -> Case:
    """The same, and without what would show it."""
    bundle = release()
    bundle.receipts.pop()
    bundle.heads = []
    return document(_with_proofs_of(bundle))


def begun_again() -> Case:
    """A release's receipt that says to be the first of the chain, without its neighbours here."""
    log = story()
    log.gate(change=lambda one: one["predicate"]["chain"].update(prev=genesis_prev(ORIGIN)))
    return document(of(log, Scope(release=MANIFEST)))


def first_year(log: Log) -> None:
    """An anchor that says to be from the first year there is: nothing can be before it."""
    log.anchor("file", change=lambda one: one["predicate"].update(occurred_at="0001-01-01T00:00:00.000000Z"))
    log.settle()


def unanchored(log: Log, **more: Any) -> Case:
    """The export of a chain without its anchors: nothing to compare it with."""
    return document(of(log, keyring=None, **more))


def false_heads() -> Case:
    """Made again after the witness saw 7: the new anchors reuse what it signed, and tell an earlier head."""
    log = story(7)
    log.checkpoints.append(replace(log.checkpoint(), heads=tuple(log.release_heads(5))))
    del log.checkpoints[-2]
    log.anchor("rfc3161", log.checkpoints[-1])
    log.anchor("witness", log.checkpoints[-1])
    bundle = of(log, Scope(release=MANIFEST))
    bundle.receipts.pop()
    return document(_with_proofs_of(bundle))


NONE = "None: "
SEEN = "another receipt stands where the known one stood"
TAIL, MISSING, LINK = "the tail is cut off", "missing before this one", "the link to the receipt before is broken"
MUTATIONS = [
    Mutation("order changed", receipts(lambda found: found.insert(1, found.pop(2))), INTEGRITY, "out of order"),
    Mutation("receipt deleted", receipts(lambda found: found.pop(2)), COMPLETENESS, MISSING),
    Mutation("receipt twice", receipts(lambda found: found.insert(1, found[1])), INTEGRITY, "the same receipt twice"),
    Mutation("fork", forked, INTEGRITY, "a fork: two receipts with one seq"),
    Mutation(
        "deleted and re-chained with a foreign key",
        log_with(lambda log: log.settle(key=FOREIGN_KEY)),
        AUTHENTICITY,
        "signed by an unknown key",
    ),
    Mutation(
        "re-made with all keys, against a known head",
        lambda: unanchored(remade(12), head=head()),
        COMPLETENESS,
        SEEN,
    ),
    Mutation(
        "re-made with all keys, against a known signed head",
        lambda: unanchored(remade(12), head=note()),
        COMPLETENESS,
        "another log than the known head's",
    ),
    Mutation(
        "re-made with all keys under the old checkpoints",
        lambda: document(of(remade(12), checkpoints=whole().checkpoints)),
        COMPLETENESS,
        "the receipts make another log than the checkpoint's",
    ),
    Mutation(
        "re-made with all keys and anchors, nothing known",
        lambda: document(of(remade(12, anchored=True), keyring=None)),
        COMPLETENESS,
        NONE,
        outcome=NOT_CHECKED,
    ),
    Mutation("tail cut, against a known head", cut(5, head()), COMPLETENESS, TAIL),
    Mutation("tail cut, against a known signed head", cut(5, note()), COMPLETENESS, TAIL),
    Mutation(
        "tail cut below a checkpoint",
        lambda: document(whole(5, checkpoints=whole().checkpoints)),
        COMPLETENESS,
        TAIL,
    ),
    Mutation("tail cut, nothing known", cut(8), COMPLETENESS, NONE, outcome=NOT_CHECKED),
    Mutation("tail of a release cut", short_release, COMPLETENESS, "the release's tail is cut off"),
    Mutation("tail of a release cut with its head", headless_release, COMPLETENESS, "the release's head is not here"),
    Mutation(
        "receipt of a release deleted",
        receipts(lambda found: found.pop(1), release),
        COMPLETENESS,
        "a receipt of this release is missing",
    ),
    Mutation(
        "receipt of an application's release deleted",
        receipts(lambda found: found.pop(1), application),
        COMPLETENESS,
        "a receipt of this release is missing",
    ),
    Mutation("receipt of another customer", lambda: stranger(whole()), AUTHENTICITY, "a receipt of another customer"),
    Mutation(
        "receipt of another person",
        lambda: document(person(receipts=story().envelopes[2:3] + person().receipts, openings=[])),
        INTEGRITY,
        "a receipt of another person",
    ),
    Mutation("receipt of another release", release_with_stranger, INTEGRITY, "a receipt of another release"),
    Mutation(
        "export of another customer",
        lambda: document(of(Log("relcontrol.test/other"), trust=trust())),
        AUTHENTICITY,
        "an export of another customer",
    ),
    Mutation(
        "link broken",
        log_with(lambda log: log.settle(change=lambda found: found["predicate"]["chain"].update(prev="0" * 64))),
        INTEGRITY,
        LINK,
    ),
    Mutation(
        "clock rolled back",
        log_with(lambda log: log.settle(at=START)),
        TIME,
        "issued before the receipt in front of it",
    ),
    Mutation(
        "tail of a release cut, and its head told falsely after a witness saw the log",
        false_heads,
        COMPLETENESS,
        "at the anchor of 3 receipts",
        outcome=HOLDS,
    ),
    Mutation("chain that begins again", begun_again, INTEGRITY, "the chain does not begin at its genesis"),
    Mutation("anchor from the first year", log_with(first_year), INTEGRITY, "Every byte", outcome=HOLDS),
    Mutation("back-dated", back_dated, TIME, "issued before the anchor that it comes after"),
]
