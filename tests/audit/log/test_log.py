"""The log's signed head and its proofs, as services give them and over the API."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.chain import leaf_of
from audit.keys.keyring import signer
from audit.keys.signing import LOG, SigningKey, load_signing_key, new_private_pem
from audit.log import merkle, notes
from audit.log.heads import Head, consistency, proof_of, root_at, signed_head
from audit.log.nodes import MissingNodeError
from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests import factories
from tests.audit.log.scene import grown, leaves_of, organization_with, tamper

pytestmark = pytest.mark.django_db
SIZE = 11
WITNESS = "witness.example/w1"


@pytest.fixture
def organization() -> Organization:
    return organization_with(SIZE)


@pytest.fixture
def auditor(organization: Organization) -> factories.Api:
    return factories.api(factories.person_token(organization, factories.person(organization, "auditor")))


def receipt(organization: Organization, seq: int) -> Receipt:
    return Receipt.objects.select_related("organization").get(organization=organization, seq=seq)


def checkpoint_of(organization: Organization, state: str = "done", kind: str = "rfc3161", line: str = "") -> Checkpoint:
    """The present head with one anchor in this state."""
    head = signed_head(organization)
    checkpoint, _ = Checkpoint.objects.get_or_create(
        organization=organization,
        size=head.size,
        defaults={"root": head.root.hex(), "note": head.note, "releases": 0, "created_at": now()},
    )
    sink = AnchorSink.objects.create(
        organization=organization, name=f"sink {AnchorSink.objects.count()}", kind=kind, created_at=now()
    )
    row: dict[str, Any] = {"state": state, "created_at": now(), "next_at": now() + timedelta(hours=1)}
    Anchor.objects.create(
        organization=organization, checkpoint=checkpoint, sink=sink, evidence=line.encode() if line else None, **row
    )
    return checkpoint


def opened(text: str) -> tuple[int, list[bytes], str]:
    """Index, hashes and note of a proof file."""
    top, _, note = text.partition("\n\n")
    first, index, *hashes = top.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    assert index.startswith("index ")
    return int(index.removeprefix("index ")), [base64.b64decode(one, validate=True) for one in hashes], note


def verified(text: str, receipt: Receipt) -> notes.Checkpoint:
    """The checkpoint that a proof leads to; log, receipt and signature must be the ones of this receipt."""
    index, hashes, note = opened(text)
    parsed = notes.parse_note(note)
    notes.verify_note(parsed, receipt.organization.origin, signer(LOG).public)
    checkpoint = notes.parse_checkpoint(parsed.text)
    assert (checkpoint.origin, checkpoint.extensions) == (receipt.organization.origin, ())
    leaf = leaf_of(receipt.receipt_hash)
    assert index == receipt.seq - 1
    merkle.verify_inclusion(leaf, index, checkpoint.size, hashes, checkpoint.root)
    return checkpoint


def test_the_head_is_signed_by_the_logs_key_and_is_that_of_all_receipts(organization: Organization) -> None:
    head = signed_head(organization)
    parsed = notes.parse_note(head.note)
    notes.verify_note(parsed, organization.origin, signer(LOG).public)
    said = notes.Checkpoint(organization.origin, SIZE, merkle.root_of(leaves_of(organization)))
    assert notes.parse_checkpoint(parsed.text) == said
    assert (head.size, head.root) == (said.size, said.root)


def test_every_receipt_is_proved_to_be_in_the_present_log(organization: Organization) -> None:
    sizes = {verified(proof_of(one), one).size for one in Receipt.objects.select_related("organization")}
    assert sizes == {SIZE}


def test_a_proof_of_one_receipt_does_not_hold_for_another(organization: Organization) -> None:
    index, hashes, note = opened(proof_of(receipt(organization, 3)))
    root = notes.parse_checkpoint(notes.parse_note(note).text).root
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(leaves_of(organization)[index + 1], index, SIZE, hashes, root)


def test_the_nodes_of_a_proof_come_in_one_query(organization: Organization) -> None:
    head, wanted = signed_head(organization), receipt(organization, 2)
    checkpoint = Checkpoint(organization=organization, size=head.size, root=head.root.hex(), note=head.note)
    with CaptureQueriesContext(connection) as counted:
        verified(proof_of(wanted, checkpoint), wanted)
    asked = [query["sql"] for query in counted.captured_queries if "audit_lognode" in query["sql"]]
    assert len(asked) == 1


def test_roots_and_consistency_are_those_of_every_earlier_log(organization: Organization) -> None:
    leaves = leaves_of(organization)
    roots = [root_at(organization, size) for size in range(SIZE + 1)]
    assert roots == [merkle.root_of(leaves[:size]) for size in range(SIZE + 1)]
    for new in range(SIZE + 1):
        for old in range(new + 1):
            merkle.verify_consistency(old, roots[old], new, roots[new], consistency(organization, old, new))


def test_a_root_beyond_the_head_is_not_made_up(organization: Organization) -> None:
    with pytest.raises(MissingNodeError, match=rf"the log of {organization.slug} has no node"):
        root_at(organization, SIZE + 1)


def test_a_proof_leads_to_the_newest_anchored_checkpoint_that_covers_the_receipt(organization: Organization) -> None:
    checkpoint_of(organization)
    middle = checkpoint_of(grown(organization, 14))
    checkpoint_of(grown(organization, 16), state="queued")
    grown(organization, 17)
    assert verified(proof_of(one := receipt(organization, 3)), one).size == 14
    assert opened(proof_of(one))[2] == middle.note
    assert verified(proof_of(one := receipt(organization, 14)), one).size == 14
    assert verified(proof_of(one := receipt(organization, 15)), one).size == 17
    assert verified(
        proof_of(receipt(organization, 3), Checkpoint.objects.get(size=SIZE)), receipt(organization, 3)
    ).size


def test_a_proof_carries_the_lines_of_each_witness_once(organization: Organization) -> None:
    key: SigningKey = load_signing_key(new_private_pem(), purpose=LOG)
    head: Head = signed_head(organization)
    text = notes.parse_note(head.note).text
    line = notes.cosign(text, WITNESS, key, 1_700_000_000)
    later = notes.cosign(text, WITNESS, key, 1_700_000_009)
    for state, evidence in (("done", line), ("done", later), ("error", "bad\n")):
        checkpoint_of(organization, state, "witness", evidence)
    checkpoint_of(organization, "done", "file", "{}\n")
    proof = proof_of(one := receipt(organization, 2))
    assert verified(proof, one).size == SIZE
    _, _, note = opened(proof)
    assert note == head.note + line
    assert notes.verify_cosignature(notes.parse_note(note), WITNESS, key.public) == 1_700_000_000


def test_the_api_gives_head_and_proof_as_text(organization: Organization, auditor: factories.Api) -> None:
    wanted = receipt(organization, 5)
    answer = auditor.get(f"receipts/{wanted.receipt_hash}/proof")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer["Content-Disposition"] == 'attachment; filename="5.tlog-proof"'
    size = verified(answer.content.decode(), wanted).size
    head = auditor.get("log/head")
    assert (head.status_code, head["Content-Type"]) == (200, "text/plain; charset=utf-8")
    parsed = notes.parse_note(head.content.decode())
    notes.verify_note(parsed, organization.origin, signer(LOG).public)
    assert notes.parse_checkpoint(parsed.text).size == size > SIZE


def test_the_api_proves_that_the_log_only_grew(organization: Organization, auditor: factories.Api) -> None:
    answer = auditor.get("log/consistency", **{"from": "3", "to": "9"})
    proof = [base64.b64decode(line, validate=True) for line in answer.content.decode().splitlines()]
    assert proof == consistency(organization, 3, 9)
    merkle.verify_consistency(3, root_at(organization, 3), 9, root_at(organization, 9), proof)
    assert auditor.get("log/consistency", **{"from": "0", "to": "9"}).content == b""


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "from"),
        ({"from": "-1", "to": "3"}, "from"),
        ({"from": "1", "to": "x"}, "to"),
        ({"from": "1", "to": "99999"}, "to"),
        ({"from": "1", "to": "9" * 40}, "to"),
        ({"from": "5", "to": "3"}, "from"),
    ],
)
def test_the_api_says_which_size_is_wrong(auditor: factories.Api, query: dict[str, str], field: str) -> None:
    answer = auditor.get("log/consistency", **query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("damage", "refused"),
    [
        ('DELETE FROM audit_lognode WHERE level = 1 AND "index" = 3', ["proof", "consistency"]),
        ("UPDATE audit_lognode SET hash = sha256(hash) WHERE level = 2", ["proof"]),
        ("UPDATE audit_chainhead SET frontier = 'x'", ["head"]),
    ],
)
def test_the_api_gives_no_false_proof_from_a_damaged_log_and_says_what_to_do(
    organization: Organization, auditor: factories.Api, damage: str, refused: list[str]
) -> None:
    calls = {
        "proof": lambda: auditor.get(f"receipts/{receipt(organization, 5).receipt_hash}/proof"),
        "head": lambda: auditor.get("log/head"),
        "consistency": lambda: auditor.get("log/consistency", **{"from": "6", "to": "9"}),
    }
    tamper(damage)
    for name in refused:
        answer = calls[name]()
        assert (answer.status_code, answer.json()["code"]) == (409, "log_damaged"), name
        assert "Compare the log with a head that you or a witness kept" in answer.json()["detail"]


def test_the_api_knows_no_proof_of_another_organizations_receipt(auditor: factories.Api) -> None:
    other = receipt(organization_with(2, "eastgate"), 2)
    assert auditor.get(f"receipts/{other.receipt_hash}/proof").status_code == 404


def test_only_those_who_read_receipts_get_proofs_of_them(organization: Organization) -> None:
    client = factories.api(factories.service_token(organization, "traces:write"))
    assert client.get(f"receipts/{receipt(organization, 2).receipt_hash}/proof").status_code == 403
