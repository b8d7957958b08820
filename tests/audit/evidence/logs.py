"""A small organization with a log that is anchored: receipts, checkpoints, time stamps, a witness.

`Log` writes receipts as the services do, and is the forger's desk as well: what an anchor says, who signs a
checkpoint, and what a sink answers can each be another thing than it should be.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from audit.anchors import release_heads
from audit.anchors.release_heads import Head
from audit.chain import timestamp
from audit.events import Event
from audit.keys.signing import LOG, SigningKey
from audit.log import merkle, notes
from audit.statement import Actor, Decision, DecisionInput, NoWeights, Subject
from tests.audit.evidence.authority import TSA
from tests.audit.pure.chains import START, Change, Ledger, payload_of, signing_key

LOG_KEY = signing_key("0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6", LOG)
FOREIGN_LOG_KEY = signing_key("1d7e2f5a9b3c4d6e8f00112233445566778899aabbccddeeff0123456789abcd", LOG)
WITNESS_KEY = signing_key("2c7e2f5a9b3c4d6e8f00112233445566778899aabbccddeeff0123456789abcd", LOG)
FOREIGN_WITNESS_KEY = signing_key("3b7e2f5a9b3c4d6e8f00112233445566778899aabbccddeeff0123456789abcd", LOG)
WITNESS = "witness.test/w1"
SYSTEM = Actor("system", "sys_1", "job")
Forge = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Signed:
    """A checkpoint: the head of the log at a size, signed."""

    size: int
    root: bytes
    note: str
    heads: tuple[Head, ...]

    @property
    def sha256(self) -> str:
        return sha256(self.note.encode()).hexdigest()


@dataclass(frozen=True)
class Anchored:
    """An anchor that was made: what the sink answered, and the receipt that says so."""

    receipt_hash: str
    seq: int
    kind: str
    checkpoint: Signed
    evidence: bytes

    def as_json(self) -> dict[str, Any]:
        return {
            "receipt_hash": self.receipt_hash,
            "kind": self.kind,
            "checkpoint": self.checkpoint.sha256,
            "evidence": base64.b64encode(self.evidence).decode("ascii"),
        }


class Log(Ledger):
    """One organization's chain with its log."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.checkpoints: list[Signed] = []
        self.anchors: list[Anchored] = []

    @property
    def leaves(self) -> list[bytes]:
        """The leaf of each receipt."""
        return [merkle.leaf_hash(bytes.fromhex(one)) for one in self.hashes]

    @property
    def now(self) -> datetime:
        """The time that the next receipt is issued at."""
        return START + timedelta(seconds=len(self.hashes))

    def checkpoint(self, *, root: bytes | None = None, size: int | None = None, key: SigningKey = LOG_KEY) -> Signed:
        """Sign the present head, or what a forger says it is."""
        leaves = self.leaves
        found, count = root or merkle.root_of(leaves), size or len(leaves)
        note = notes.sign_note(notes.checkpoint_text(self.origin, count, found), self.origin, key)
        signed = Signed(count, found, note, tuple(self.release_heads(len(leaves))))
        self.checkpoints.append(signed)
        return signed

    def release_heads(self, size: int) -> list[Head]:
        """The newest receipt of each release among the first `size`."""
        found = {}
        for envelope, one in zip(self.envelopes[:size], self.hashes[:size], strict=True):
            predicate = payload_of(envelope)["predicate"]
            if manifest := predicate["release"]["manifest_sha256"]:
                found[manifest] = Head(manifest, predicate["chain"]["release_seq"], one)
        return sorted(found.values())

    def answer(self, kind: str, checkpoint: Signed, at: datetime) -> bytes:
        """What an honest sink of this kind gives for the checkpoint."""
        body = checkpoint.note.encode()
        if kind == "rfc3161":
            return TSA.stamp(body, at)
        if kind == "witness":
            text = notes.parse_note(checkpoint.note).text
            return notes.cosign(text, WITNESS, WITNESS_KEY, int(at.timestamp())).encode()
        said = {"at": timestamp(at), "sha256": sha256(body).hexdigest(), "path": f"{checkpoint.size}.txt"}
        return json.dumps(said).encode()

    def anchor(
        self,
        kind: str,
        checkpoint: Signed | None = None,
        *,
        at: datetime | None = None,
        evidence: bytes | None = None,
        change: Change | None = None,
    ) -> Anchored:
        """Have a checkpoint anchored and write `anchor.made`. `at`: the time that the sink attests."""
        given, moment = checkpoint or self.checkpoint(), at or self.now
        found = self.answer(kind, given, moment) if evidence is None else evidence
        decision = Decision("made", inputs=anchor_inputs(given, kind, found))
        subject = Subject("anchor", f"anc_{len(self.hashes)}", {"kind": kind})
        receipt = self.write(
            Event.ANCHOR_MADE,
            subject,
            decision=decision,
            weights=NoWeights(),
            occurred=moment,
            change=change,
            actor=SYSTEM,
        )
        made = Anchored(receipt, len(self.hashes), kind, given, found)
        self.anchors.append(made)
        return made


def anchor_inputs(checkpoint: Signed, kind: str, evidence: bytes) -> list[DecisionInput]:
    """What `anchor.made` signs in clear."""
    heads, note = release_heads.root(checkpoint.heads).hex(), checkpoint.sha256
    return [
        DecisionInput("log", "recorded", n=checkpoint.size, evidence_sha256=checkpoint.root.hex()),
        DecisionInput("checkpoint", "recorded", evidence_sha256=note),
        DecisionInput("release_heads", "recorded", n=len(checkpoint.heads), evidence_sha256=heads),
        DecisionInput(
            "anchor", "made", slice=f"{kind} sink", evidence=kind, evidence_sha256=sha256(evidence).hexdigest()
        ),
    ]
