"""Mutations of anchors: tokens, witness lines, what `anchor.made` says, and which receipts name it."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from audit.anchors import release_heads
from audit.exporting.document import Scope
from audit.log import notes
from audit.verify import COMPLETENESS, INTEGRITY, TIME
from tests.audit.evidence.authority import OWN_TSA, TSA
from tests.audit.evidence.bundles import Bundle, of, release, story, whole
from tests.audit.evidence.logs import FOREIGN_WITNESS_KEY, WITNESS, WITNESS_KEY, Log, Signed
from tests.audit.evidence.spoiling import Case, Mutation, document
from tests.audit.pure.chains import MANIFEST, START, Change

HOUR = timedelta(hours=1)
Token = Callable[[Signed, Log], bytes]


def entry(change: Callable[[list[Any]], object], make: Callable[[], Bundle] = whole) -> Callable[[], Case]:
    """The entries of the anchors changed, by the holder of the export key."""

    def spoil() -> Case:
        bundle = make()
        change(bundle.anchors)
        return document(bundle)

    return spoil


def flip(anchors: list[Any]) -> None:
    raw = bytearray(base64.b64decode(anchors[0]["evidence"]))
    raw[len(raw) // 2] ^= 1
    anchors[0]["evidence"] = base64.b64encode(raw).decode("ascii")


def swap(anchors: list[Any]) -> None:
    stamped = [one for one in anchors if one["kind"] == "rfc3161"]
    stamped[0]["evidence"], stamped[1]["evidence"] = stamped[1]["evidence"], stamped[0]["evidence"]


def stamped(token: Token, at: timedelta = timedelta()) -> Callable[[], Case]:
    """Who has all keys writes an anchor with this token."""

    def spoil() -> Case:
        log = story()
        checkpoint = log.checkpoint()
        log.anchor("rfc3161", checkpoint, at=log.now + at, evidence=token(checkpoint, log))
        return document(of(log))

    return spoil


def cosigned(line: Callable[[Signed, Log], str]) -> Callable[[], Case]:
    """Who has all keys writes an anchor with these lines of a witness."""

    def spoil() -> Case:
        log = story()
        checkpoint = log.checkpoint()
        log.anchor("witness", checkpoint, evidence=line(checkpoint, log).encode())
        return document(of(log))

    return spoil


def forged_line(checkpoint: Signed, log: Log) -> str:
    """A line with the witness's name and key id, signed by another key."""
    text, at = notes.parse_note(checkpoint.note).text, int(log.now.timestamp())
    own = base64.b64decode(notes.cosign(text, WITNESS, WITNESS_KEY, at).split(" ")[2])
    foreign = base64.b64decode(notes.cosign(text, WITNESS, FOREIGN_WITNESS_KEY, at).split(" ")[2])
    return f"— {WITNESS} {base64.b64encode(own[:12] + foreign[12:]).decode('ascii')}\n"


def other_time(checkpoint: Signed, log: Log) -> str:
    """The witness's line with another time in it."""
    text, at = notes.parse_note(checkpoint.note).text, int(log.now.timestamp())
    raw = bytearray(base64.b64decode(notes.cosign(text, WITNESS, WITNESS_KEY, at).split(" ")[2]))
    raw[11] ^= 1
    return f"— {WITNESS} {base64.b64encode(raw).decode('ascii')}\n"


def plain_line(checkpoint: Signed, log: Log) -> str:
    """A plain signature under the note in place of a cosignature: the right key, and another message."""
    text, at = notes.parse_note(checkpoint.note).text, int(log.now.timestamp())
    own = base64.b64decode(notes.cosign(text, WITNESS, WITNESS_KEY, at).split(" ")[2])
    return f"— {WITNESS} {base64.b64encode(own[:12] + WITNESS_KEY.sign(text.encode())).decode('ascii')}\n"


def said(number: int, **fields: Any) -> Callable[[], Case]:
    """`anchor.made` signs another thing in its inputs."""

    def change(statement: dict[str, Any]) -> None:
        statement["predicate"]["decision"]["inputs"][number].update(fields)

    return written(change)


def written(change: Change) -> Callable[[], Case]:
    def spoil() -> Case:
        log = story()
        log.anchor("rfc3161", change=change)
        return document(of(log))

    return spoil


def anchored_before(last_anchor: str | None) -> Callable[[], Case]:
    """The newest receipt names another last anchor than the newest."""

    def change(statement: dict[str, Any]) -> None:
        statement["predicate"]["chain"]["last_anchor"] = last_anchor

    def spoil() -> Case:
        log = story()
        log.settle(change=change)
        return document(of(log))

    return spoil


def late_witness() -> Case:
    """`anchor.made` says a later time than the witness does."""
    log = story()
    checkpoint = log.checkpoint()
    seen = log.answer("witness", checkpoint, log.now)
    log.anchor("witness", checkpoint, at=log.now + HOUR, evidence=seen)
    return document(of(log))


def two_heads() -> Case:
    """Two anchors of one checkpoint commit to two states of the releases; a part of the chain has no third word."""
    log = story()
    log.anchor("rfc3161")
    fewer = replace(log.checkpoints[-1], heads=tuple(log.release_heads(3)))
    log.anchor("witness", fewer)
    return document(of(log, Scope(release=MANIFEST), heads=[]))


def short_aside() -> Case:
    """An anchor of a release's export whose receipt is not here."""
    bundle = release()
    bundle.asides.pop()
    return document(bundle)


def idle_aside() -> Case:
    """A receipt from outside the scope that no anchor needs."""
    bundle = release()
    bundle.asides.append(story().envelopes[11])
    return document(bundle)


def other_heads() -> Case:
    """`anchor.made` commits to release heads without release two."""
    log = story()
    fewer = release_heads.root(log.release_heads(3)).hex()

    def change(statement: dict[str, Any]) -> None:
        statement["predicate"]["decision"]["inputs"][2].update(n=1, evidence_sha256=fewer)

    log.anchor("rfc3161", change=change)
    return document(of(log))


EVIDENCE = "the evidence of the anchor is not the one that was receipted"
MUTATIONS = [
    Mutation("token flipped", entry(flip), INTEGRITY, EVIDENCE),
    Mutation("token swapped", entry(swap), INTEGRITY, EVIDENCE),
    Mutation(
        "token over another checkpoint",
        stamped(lambda _, log: TSA.stamp(log.checkpoints[0].note.encode(), log.now)),
        TIME,
        "the time stamp does not hold",
        tokens=True,
    ),
    Mutation(
        "token of the forger's own authority",
        stamped(lambda found, log: OWN_TSA.stamp(found.note.encode(), log.now)),
        TIME,
        "the time stamp does not hold",
        tokens=True,
    ),
    Mutation(
        "token flipped and receipted",
        stamped(lambda found, log: TSA.stamp(found.note.encode(), log.now)[:-1] + b"\0"),
        TIME,
        "the time stamp does not hold",
        tokens=True,
    ),
    Mutation("token that is none", stamped(lambda *_: b"yes"), TIME, "the time stamp does not hold", tokens=True),
    Mutation(
        "token of another time than receipted",
        stamped(lambda found, log: TSA.stamp(found.note.encode(), log.now - HOUR)),
        TIME,
        "another time than the time stamp's",
        tokens=True,
    ),
    Mutation(
        "post-dated",
        stamped(lambda found, log: TSA.stamp(found.note.encode(), START - HOUR), -HOUR - timedelta(seconds=12)),
        TIME,
        "issued after the time stamp",
        tokens=True,
    ),
    Mutation("witness line forged", cosigned(forged_line), COMPLETENESS, "the cosignature does not hold"),
    Mutation("witness line of another time", cosigned(other_time), COMPLETENESS, "the cosignature does not hold"),
    Mutation("witness line of another kind", cosigned(plain_line), COMPLETENESS, "the cosignature does not hold"),
    Mutation("witness line removed", cosigned(lambda *_: ""), INTEGRITY, "the lines of the witness"),
    Mutation(
        "witness line removed from the evidence",
        entry(lambda found: next(one for one in found if one["kind"] == "witness").update(evidence="")),
        INTEGRITY,
        EVIDENCE,
    ),
    Mutation("middle anchor dropped", entry(lambda found: found.pop(2)), INTEGRITY, "the evidence of this anchor"),
    Mutation("anchors reordered", entry(lambda found: found.reverse()), INTEGRITY, "out of order"),
    Mutation("anchor twice", entry(lambda found: found.insert(0, found[0])), INTEGRITY, "out of order"),
    Mutation(
        "anchor of another kind",
        entry(lambda found: found[0].update(kind="file")),
        INTEGRITY,
        "another kind than was receipted",
    ),
    Mutation(
        "anchor of another checkpoint",
        entry(lambda found: found[0].update(checkpoint=found[1]["checkpoint"])),
        INTEGRITY,
        "another checkpoint than was receipted",
    ),
    Mutation(
        "anchor of no receipt",
        entry(lambda found: found[0].update(receipt_hash="0" * 64)),
        INTEGRITY,
        "no receipt of an anchor",
    ),
    Mutation("anchor of a receipt left out", short_aside, INTEGRITY, "no receipt of an anchor"),
    Mutation("aside that no anchor needs", idle_aside, INTEGRITY, "no anchor here needs it"),
    Mutation("anchor receipted with another root", said(0, evidence_sha256="0" * 64), INTEGRITY, "another root"),
    Mutation("anchor receipted with another size", said(0, n=5), INTEGRITY, "another size"),
    Mutation("anchor receipted of receipts to come", said(0, n=50), INTEGRITY, "what the anchor says"),
    Mutation("anchors of one checkpoint with two states of the releases", two_heads, INTEGRITY, "other release heads"),
    Mutation("witness seen at another time than receipted", late_witness, TIME, "another time than the cosignature's"),
    Mutation("anchor receipted without its kind", said(3, evidence=None), INTEGRITY, "what the anchor says"),
    Mutation("anchor receipted with other release heads", other_heads, INTEGRITY, "other release heads"),
    Mutation("last anchor left out", anchored_before(None), TIME, "another last anchor"),
    Mutation("last anchor unknown", anchored_before("0" * 64), TIME, "another last anchor"),
    Mutation("last anchor stale", anchored_before(story().hashes[3]), TIME, "another last anchor"),
    Mutation("last anchor that is none", anchored_before(story().hashes[2]), TIME, "another last anchor"),
]
