"""Mutations of checkpoints, proofs and release heads."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audit.log import merkle, notes
from audit.verify import AUTHENTICITY, COMPLETENESS, INTEGRITY
from tests.audit.evidence.bundles import KEYS, Bundle, of, release, story, trust, whole
from tests.audit.evidence.logs import FOREIGN_LOG_KEY, LOG_KEY, WITNESS, WITNESS_KEY, Log, Signed
from tests.audit.evidence.spoiling import Case, Mutation, document
from tests.audit.pure.chains import ORIGIN, RECEIPT_KEY, public


def anchored(sign: Callable[[Log], Signed]) -> Callable[[], Case]:
    """Who has all keys anchors a checkpoint of his own making."""

    def spoil() -> Case:
        log = story()
        log.anchor("rfc3161", sign(log))
        return document(of(log))

    return spoil


def notes_of(change: Callable[[list[Any]], object], make: Callable[[], Bundle] = whole) -> Callable[[], Case]:
    """The checkpoints changed, by the holder of the export key."""

    def spoil() -> Case:
        bundle = make()
        change(bundle.checkpoints)
        return document(bundle)

    return spoil


def renamed(log: Log) -> Signed:
    """A checkpoint of another origin under the right key."""
    text = notes.checkpoint_text("relcontrol.test/other", len(log.hashes), merkle.root_of(log.leaves))
    made = log.checkpoint()
    log.checkpoints[-1] = Signed(made.size, made.root, notes.sign_note(text, ORIGIN, LOG_KEY), made.heads)
    return log.checkpoints[-1]


def cosigned(found: list[Any]) -> None:
    """Lines that were not there when it was submitted."""
    found[0]["note"] += notes.cosign(notes.parse_note(found[0]["note"]).text, WITNESS, WITNESS_KEY, 1_800_000_000)


def as_cosignature(log: Log) -> Signed:
    """A checkpoint that bears the log key's cosignature in place of its signature."""
    made = log.checkpoint()
    text = notes.parse_note(made.note).text
    log.checkpoints[-1] = replace(made, note=f"{text}\n{notes.cosign(text, ORIGIN, LOG_KEY, 1_800_000_000)}")
    return log.checkpoints[-1]


def proof(change: Callable[[list[str]], object], number: int = 0) -> Callable[[], Case]:
    """The lines of a proof of a release's export changed."""

    def spoil() -> Case:
        bundle = release()
        lines = bundle.proofs[number]["proof"].split("\n")
        change(lines)
        bundle.proofs[number]["proof"] = "\n".join(lines)
        return document(bundle)

    return spoil


def named_line(name: str) -> Callable[[list[str]], object]:
    """A line by somebody whom nobody knows."""
    return lambda lines: lines.insert(-1, f"\u2014 {name} {base64.b64encode(bytes(76)).decode()}")


def moved_proof() -> Case:
    bundle = release()
    bundle.proofs[0]["receipt_hash"], bundle.proofs[1]["receipt_hash"] = (
        bundle.proofs[1]["receipt_hash"],
        bundle.proofs[0]["receipt_hash"],
    )
    return document(bundle)


def head(change: Callable[[dict[str, Any]], object]) -> Callable[[], Case]:
    """A release head of a release's export changed."""

    def spoil() -> Case:
        bundle = release()
        change(bundle.heads[-1])
        return document(bundle)

    return spoil


def set_line(number: int, text: str) -> Callable[[list[str]], object]:
    return lambda lines: lines.__setitem__(number, text)


ZERO = base64.b64encode(bytes(32)).decode("ascii")
ROOT, NOTE = "the receipts make another log than the checkpoint's", "the checkpoint"
PROOF, HEAD = "the proof", "the head of the release"
MUTATIONS = [
    Mutation("root of a checkpoint", anchored(lambda log: log.checkpoint(root=bytes(32))), COMPLETENESS, ROOT),
    Mutation("size of a checkpoint", anchored(lambda log: log.checkpoint(size=11)), COMPLETENESS, ROOT),
    Mutation(
        "size of a checkpoint beyond the receipts",
        anchored(lambda log: log.checkpoint(size=50)),
        COMPLETENESS,
        "the tail is cut off",
    ),
    Mutation(
        "key of a checkpoint",
        anchored(lambda log: log.checkpoint(key=FOREIGN_LOG_KEY)),
        AUTHENTICITY,
        "no log key",
    ),
    Mutation(
        "checkpoint signed by a key of another purpose",
        anchored(lambda log: log.checkpoint(key=RECEIPT_KEY)),
        AUTHENTICITY,
        "no log key",
    ),
    Mutation(
        "log key revoked before",
        lambda: document(
            whole(trust=trust(*KEYS[:2], public(LOG_KEY, revoked_at="2026-02-01T00:00:00.000000Z")), keyring=None)
        ),
        AUTHENTICITY,
        "a revoked log key",
    ),
    Mutation("checkpoint signed as a witness would", anchored(as_cosignature), AUTHENTICITY, "no log key"),
    Mutation("origin of a checkpoint", anchored(renamed), AUTHENTICITY, "a checkpoint of another log"),
    Mutation(
        "signature of a checkpoint flipped",
        notes_of(lambda found: found[0].update(note=found[0]["note"][:-8] + "AAAAAA==\n")),
        INTEGRITY,
        NOTE,
    ),
    Mutation("cosignature added to a checkpoint", notes_of(cosigned), INTEGRITY, NOTE),
    Mutation(
        "checkpoint with white space",
        notes_of(lambda found: found[0].update(note=found[0]["note"] + "\n")),
        INTEGRITY,
        NOTE,
    ),
    Mutation("checkpoint dropped", notes_of(lambda found: found.pop(0)), INTEGRITY, "checkpoint"),
    Mutation("checkpoints reordered", notes_of(lambda found: found.reverse()), INTEGRITY, "out of order"),
    Mutation("checkpoint twice", notes_of(lambda found: found.insert(0, found[0])), INTEGRITY, "out of order"),
    Mutation("proof with another hash", proof(set_line(2, ZERO)), INTEGRITY, PROOF),
    Mutation("proof too short", proof(lambda lines: lines.pop(2)), INTEGRITY, PROOF),
    Mutation("proof too long", proof(lambda lines: lines.insert(2, ZERO)), INTEGRITY, PROOF),
    Mutation("proof of another index", proof(set_line(1, "index 1")), INTEGRITY, PROOF),
    Mutation("proof with extra data", proof(lambda lines: lines.insert(1, "extra AAAA")), INTEGRITY, PROOF),
    Mutation("proof of another format", proof(set_line(0, "c2sp.org/tlog-proof@v2")), INTEGRITY, PROOF),
    Mutation("proof with a line by a name with U+FEFF", proof(named_line("w\ufeff1")), INTEGRITY, PROOF),
    Mutation("proof with a line by a name with U+0085", proof(named_line("w\u00851")), INTEGRITY, PROOF),
    Mutation("proof against another checkpoint", proof(set_line(-5, "4")), INTEGRITY, PROOF),
    Mutation("proofs exchanged", moved_proof, INTEGRITY, PROOF),
    Mutation("head with another receipt", head(lambda one: one.update(receipt_hash="0" * 64)), INTEGRITY, HEAD),
    Mutation("head of an earlier receipt", head(lambda one: one.update(release_seq=2)), INTEGRITY, HEAD),
    Mutation("head at another index", head(lambda one: one.update(index=1 - one["index"])), INTEGRITY, HEAD),
    Mutation("head among fewer", head(lambda one: one.update(count=1)), INTEGRITY, HEAD),
    Mutation("head with another proof", head(lambda one: one.update(proof=[ZERO])), INTEGRITY, HEAD),
    Mutation("head in an export that has none", lambda: document(whole(heads=release().heads)), INTEGRITY, HEAD),
    Mutation("head of an unknown checkpoint", head(lambda one: one.update(checkpoint="0" * 64)), INTEGRITY, HEAD),
]
