"""What belongs to a scope beside its receipts: anchors, asides, proofs, heads of releases, statements, the keyring."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from audit.anchor_models import Checkpoint
from audit.anchors import release_heads
from audit.events import Event
from audit.evidence_models import SignedKeyring, WeightsStatement
from audit.exporting.evidence import evidence_of
from audit.exporting.exports import content_of, make_export, request_export
from audit.log import merkle, notes
from audit.models import Export, Receipt
from audit.receipts import Record, append
from audit.statement import AttestedWeights, Delivery, ReleaseRef
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization, Person
from relcontrol.clock import now
from relcontrol.errors import Invalid
from relcontrol.jobs.running import run
from tests.audit.exports.anchored import anchor, checkpoint, exported

pytestmark = pytest.mark.django_db
WEIGHTS, MANIFEST, OTHER = "5a" * 32, "ab" * 32, "cd" * 32


def document(owner: Organization, **asked: Any) -> dict[str, Any]:
    """The JSON of an export."""
    read: dict[str, Any] = json.loads(b"".join(content_of(exported(owner, **asked))))
    return read


def seqs(envelopes: list[dict[str, Any]]) -> list[int]:
    """The numbers of receipts."""
    return [json.loads(base64.b64decode(one["payload"]))["predicate"]["chain"]["seq"] for one in envelopes]


def sizes(found: dict[str, Any]) -> list[int]:
    """What the checkpoints cover."""
    return [int(entry["note"].split("\n")[1]) for entry in found["checkpoints"]]


def release(owner: Organization, manifest: str, application: str = "one", weights: str = WEIGHTS) -> Receipt:
    """A receipt about a release with open weights."""
    record = Record(
        event=Event.RELEASE_REGISTERED,
        outcome="registered",
        kind="release",
        name="r1",
        application=application,
        release=ReleaseRef(manifest),
        delivery=Delivery(None, "registered"),
        weights=AttestedWeights("declared", weights if manifest == MANIFEST else None),
        state={"release": "r1"},
    )
    return append(command_actor(owner), record)


def proven(found: dict[str, Any]) -> dict[int, int]:
    """Each proof verified against the checkpoint that it ends with: number of the receipt → size."""
    notes_here = {entry["note"] for entry in found["checkpoints"]}
    shown = {}
    for entry in found["proofs"]:
        head, _, note = entry["proof"].partition("\n\n")
        first, index, *hashes = head.split("\n")
        assert first == "c2sp.org/tlog-proof@v1"
        assert note in notes_here
        log = notes.parse_checkpoint(notes.parse_note(note).text)
        number = int(index.removeprefix("index "))
        leaf = merkle.leaf_hash(bytes.fromhex(entry["receipt_hash"]))
        merkle.verify_inclusion(leaf, number, log.size, [base64.b64decode(one) for one in hashes], log.root)
        assert number + 1 not in shown
        shown[number + 1] = log.size
    return shown


def test_the_whole_chain_has_every_anchor_and_needs_no_proof(northgate: Organization) -> None:
    found = document(northgate)
    assert sizes(found) == [3, 6]
    assert [entry["kind"] for entry in found["anchors"]].count("rfc3161") == 1
    assert len(found["anchors"]) == 3
    assert found["asides"] == found["proofs"] == found["heads"] == []


def test_anchors_name_their_receipt_and_the_digest_of_the_note(northgate: Organization) -> None:
    found = document(northgate)
    digests = [hashlib.sha256(entry["note"].encode()).hexdigest() for entry in found["checkpoints"]]
    assert [entry["checkpoint"] for entry in found["anchors"]] == [digests[0], digests[1], digests[1]]
    later = [entry["receipt_hash"] for entry in found["anchors"][1:]]
    assert later == sorted(later)
    made = Receipt.objects.filter(organization=northgate, event="anchor.made")
    assert {entry["receipt_hash"] for entry in found["anchors"]} == set(made.values_list("receipt_hash", flat=True))


def test_an_application_has_the_anchors_around_it_as_asides_with_proofs_of_all(northgate: Organization) -> None:
    found = document(northgate, scope={"application": "other"})
    assert seqs(found["receipts"]) == [5, 6]
    assert seqs(found["asides"]) == [4, 7, 8]
    assert sizes(found) == [3, 6]
    assert proven(found) == {4: 6, 5: 6, 6: 6}


def test_what_is_proven_by_a_time_stamp_is_proven_against_the_first(northgate: Organization) -> None:
    anchor(checkpoint(northgate))
    found = document(northgate, scope={"application": "one"})
    assert proven(found) == {2: 3, 3: 3, 4: 9, 7: 9, 8: 9}
    assert sizes(found) == [3, 6, 9]


def test_a_person_is_found_by_name_and_has_what_she_did(northgate: Organization) -> None:
    mara = Person.objects.get(name="Mara")
    with pytest.raises(Invalid, match="No receipt is by Mara"):
        exported(northgate, scope={"person": "Mara"})
    found = document(northgate, scope={"person": "command"})
    assert found["manifest"]
    assert seqs(found["receipts"]) == [1, 2, 3, 5, 6, 9]
    assert proven(found) == {1: 3, 2: 3, 3: 3, 4: 6, 5: 6, 6: 6}
    assert mara.pk not in json.dumps(json.loads(base64.b64decode(found["manifest"]["payload"]))["scope"])


def test_nobody_and_several_people_are_no_scope(northgate: Organization) -> None:
    with pytest.raises(Invalid, match="nobody named Zoe"):
        exported(northgate, scope={"person": "Zoe"})


def test_a_stretch_of_the_chain_shows_the_last_receipt_that_each_checkpoint_covers(northgate: Organization) -> None:
    rows = Receipt.objects.filter(organization=northgate)
    start, end = rows.get(seq=3).issued_at, rows.get(seq=6).issued_at
    found = document(northgate, start=start, end=end)
    assert seqs(found["receipts"]) == [3, 4, 5]
    assert proven(found) | {7: 0, 8: 0} == {3: 3, 5: 6, 7: 0, 8: 0}


def test_a_release_has_its_place_among_the_heads_of_the_newest_checkpoint(northgate: Organization) -> None:
    release(northgate, OTHER)
    release(northgate, MANIFEST)
    newest = checkpoint(northgate)
    anchor(newest, "witness")
    release(northgate, MANIFEST)
    found = document(northgate, scope={"release": MANIFEST})
    (head,) = found["heads"]
    assert head["checkpoint"] == hashlib.sha256(newest.note.encode()).hexdigest()
    assert (head["manifest_sha256"], head["release_seq"], head["index"], head["count"]) == (MANIFEST, 1, 0, 2)
    leaf = release_heads.Head(MANIFEST, 1, head["receipt_hash"]).leaf()
    proof = [base64.b64decode(one) for one in head["proof"]]
    merkle.verify_inclusion(leaf, 0, 2, proof, bytes.fromhex(newest.release_heads))


def test_an_application_has_the_heads_of_its_own_releases_only(northgate: Organization) -> None:
    release(northgate, MANIFEST, "one")
    release(northgate, OTHER, "other")
    anchor(checkpoint(northgate))
    found = document(northgate, scope={"application": "other"})
    assert [head["manifest_sha256"] for head in found["heads"]] == [OTHER]


def test_anchors_that_are_made_after_the_asking_are_left_out(northgate: Organization) -> None:
    before = document(northgate)
    export = Export.objects.get()
    anchor(checkpoint(northgate))
    again = evidence_of(export)
    assert list(again["anchors"]()) == before["anchors"]
    assert again["checkpoints"] == before["checkpoints"]
    assert Checkpoint.objects.count() == 3


def test_two_exports_of_one_moment_differ_by_id_and_time_only(northgate: Organization) -> None:
    asked = [
        request_export(actor=command_actor(northgate), scope={"organization": True}, with_report=False)
        for _ in range(2)
    ]
    manifests = []
    for export in asked:
        assert run(Export.objects.filter(pk=export.pk), make_export)
        manifest = json.loads(b"".join(content_of(export)))["manifest"]
        manifests.append(json.loads(base64.b64decode(manifest["payload"])))
    for name in ("export_id", "created_at"):
        assert manifests[0].pop(name) != manifests[1].pop(name)
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("opens", "fields"), [("all", {"state", "personal"}), ("impersonal", {"state"}), ("nothing", set())]
)
def test_what_an_auditor_may_open_is_in_the_manifest_and_nothing_else_is_there(
    northgate: Organization, opens: str, fields: set[str]
) -> None:
    found = document(northgate, opens=opens)
    assert {entry["field"].partition(".")[0] for entry in found["openings"]} == fields
    assert json.loads(base64.b64decode(found["manifest"]["payload"]))["opens"] == opens
    assert ("mara@northgate.example" in json.dumps(found)) == (opens == "all")


def test_another_word_opens_nothing_and_is_refused(northgate: Organization) -> None:
    with pytest.raises(Invalid, match="all, impersonal, nothing"):
        exported(northgate, opens="some")


def statement(owner: Organization, weights: str, keyid: str = "k1") -> WeightsStatement:
    """A statement about weight files."""
    return WeightsStatement.objects.create(
        organization=owner,
        weights_sha256=weights,
        root_sha256="e" * 64,
        bundle={"signed by": keyid},
        keyid=keyid,
        model="open",
        files=1,
        bytes=1,
        created_at=now(),
    )


def test_only_statements_that_a_receipt_claims_are_there_and_of_two_the_first(northgate: Organization) -> None:
    release(northgate, MANIFEST)
    statement(northgate, WEIGHTS)
    statement(northgate, WEIGHTS, "k2")
    statement(northgate, "6b" * 32)
    found = document(northgate)
    assert found["attestations"] == [{"weights_sha256": WEIGHTS, "bundle": {"signed by": "k1"}}]
    assert document(northgate, scope={"application": "other"})["attestations"] == []


def test_the_keyring_that_the_root_signed_last_is_there(northgate: Organization) -> None:
    assert document(northgate)["keyring"] is None
    for sequence, age in ((1, 2), (2, 1), (3, -1)):
        SignedKeyring.objects.create(
            sequence=sequence,
            envelope={"sequence": sequence},
            root_keyid="f" * 64,
            root_public_key=bytes(32),
            issued_at=now(),
            imported_at=now() - timedelta(days=age),
        )
    assert document(northgate)["keyring"] == {"sequence": 2}
