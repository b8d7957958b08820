"""Anchors of an organization's log as rows, made as the services leave them, for exports to gather."""

import base64
import hashlib
from datetime import datetime

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.anchors import release_heads
from audit.events import Event
from audit.exporting.exports import make_export, request_export
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.log import merkle, notes
from audit.models import ChainHead, Export, Receipt
from audit.receipts import Record, append
from audit.statement import DecisionInput
from relcontrol.accounts.actors import command_actor, system_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from tests.audit.evidence.authority import TSA
from tests.audit.evidence.logs import WITNESS, WITNESS_KEY

SETTINGS = {
    "rfc3161": {"url": "http://127.0.0.1:9/tsr", "roots": [TSA.root_pem], "policy": None},
    "witness": {
        "url": "http://127.0.0.1:9/add-checkpoint",
        "name": WITNESS,
        "public_key": base64.b64encode(WITNESS_KEY.public).decode("ascii"),
    },
    "file": {"folder": "/nowhere"},
}


def checkpoint(owner: Organization) -> Checkpoint:
    """The present head of the log, signed."""
    head = ChainHead.objects.get(organization=owner)
    root = merkle.Frontier.of(head.seq, bytes(head.frontier)).root()
    note = notes.sign_note(notes.checkpoint_text(owner.origin, head.seq, root), owner.origin, signer(LOG))
    heads = release_heads.heads_at(owner, head.seq)
    return Checkpoint.objects.create(
        organization=owner,
        size=head.seq,
        root=root.hex(),
        note=note,
        release_heads=release_heads.root(heads).hex(),
        releases=len(heads),
        reason=Checkpoint.Reason.ASKED,
        created_at=now(),
    )


def sink(owner: Organization, kind: str) -> AnchorSink:
    """The organization's one sink of this kind."""
    made, _ = AnchorSink.objects.get_or_create(
        organization=owner, name=f"our {kind}", kind=kind, defaults={"settings": SETTINGS[kind], "created_at": now()}
    )
    return made


def anchor(of: Checkpoint, kind: str = "rfc3161") -> Receipt:
    """An anchor of this checkpoint that was made just now, with real evidence; its receipt."""
    at, by = now(), sink(of.organization, kind)
    evidence = _evidence(of, kind, at)
    digest = hashlib.sha256(evidence).hexdigest()
    receipt = append(
        system_actor(of.organization),
        Record(
            event=Event.ANCHOR_MADE,
            outcome="made",
            kind="anchor",
            name=by.pk,
            state={"sink": by.name},
            inputs=[
                DecisionInput("log", "recorded", n=of.size, evidence_sha256=of.root),
                DecisionInput("checkpoint", "recorded", evidence_sha256=hashlib.sha256(of.note.encode()).hexdigest()),
                DecisionInput("release_heads", "recorded", n=of.releases, evidence_sha256=of.release_heads),
                DecisionInput("anchor", "made", slice=by.name, evidence=kind, evidence_sha256=digest),
            ],
            occurred_at=at,
        ),
    )
    Anchor.objects.create(
        organization=of.organization,
        checkpoint=of,
        sink=by,
        state=LeasedJob.State.DONE,
        created_at=at,
        next_at=at,
        evidence=evidence,
        evidence_sha256=digest,
        proved_at=at,
        made_at=at,
        receipt=receipt,
    )
    return receipt


def _evidence(of: Checkpoint, kind: str, at: datetime) -> bytes:
    if kind == "rfc3161":
        return TSA.stamp(of.note.encode(), at)
    if kind == "witness":
        text = notes.parse_note(of.note).text
        return notes.cosign(text, WITNESS, WITNESS_KEY, int(at.timestamp())).encode()
    return b'{"path":"/nowhere/1.txt"}'


def exported(owner: Organization, **asked: object) -> Export:
    """A finished export without its report."""
    given = {"scope": {"organization": True}, "with_report": False} | asked
    export = request_export(actor=command_actor(owner), **given)  # type: ignore[arg-type]  # as the test gives them
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.problem
    return export
