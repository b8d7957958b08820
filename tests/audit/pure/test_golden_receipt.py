"""One receipt, byte for byte: whatever changes these bytes changes every hash that anybody wrote down."""

import json
from pathlib import Path

from audit import verify
from audit.chain import leaf_hash, next_link, receipt_hash
from audit.envelope import sign_envelope
from audit.events import Event
from audit.statement import (
    Actor,
    AttestedWeights,
    Build,
    Delivery,
    Disclosure,
    ReleaseRef,
    Retention,
    build_statement,
    payload_bytes,
)
from tests.audit.pure.chains import MANIFEST, ORIGIN, RECEIPT_KEY, SALT, trust

FIXTURES = Path(__file__).parent / "fixtures"
RECEIPT_HASH = "955a3db5b75d10a39ee34f4f0722f3def4751217e242ec4eb1f65dee71fa86f6"
LEAF_HASH = "6a3df89c71d45b8f72e934a7f43ec7832d73336a14b111b8a1209efcb33489a9"


def read(name: str) -> bytes:
    """A fixture without the line end that editors want at the end of a file."""
    return (FIXTURES / name).read_bytes().removesuffix(b"\n")


def golden_payload() -> bytes:
    statement = build_statement(
        event=Event.RELEASE_REGISTERED,
        event_id="rcp_01jd3v0000000000000000000b",
        issued_at="2026-03-15T14:03:00.000001Z",
        occurred_at="2026-03-15T14:02:59.999999Z",
        origin=ORIGIN,
        link=next_link(origin=ORIGIN, head=None, has_release=True),
        signer_keyid=RECEIPT_KEY.keyid,
        actor=Actor("person", "per_1", "session", "ses_1", "registered"),
        about=ReleaseRef(MANIFEST, "rel_one", "rte_légal"),
        build=Build("0.1.0", "abc123"),
        weights=AttestedWeights(),
        delivery=Delivery(None, "registered"),
        disclosures=[Disclosure("actor.name", "Ada Lovelace", SALT)],
        retention=Retention("standard", "2036-03-15T00:00:00.000000Z"),
    )
    return payload_bytes(statement)


def test_the_payload_has_the_golden_bytes() -> None:
    assert golden_payload() == read("golden_payload.json")


def test_the_envelope_has_the_golden_signature() -> None:
    expected = json.loads(read("golden_envelope.json"))
    assert sign_envelope(golden_payload(), RECEIPT_KEY) == expected


def test_the_golden_hashes_are_the_ones_written_here() -> None:
    payload = read("golden_payload.json")
    assert receipt_hash(payload) == RECEIPT_HASH
    assert leaf_hash(RECEIPT_HASH) == LEAF_HASH


def test_the_golden_envelope_verifies_alone() -> None:
    envelope = json.loads(read("golden_envelope.json"))
    assert verify.verify_envelope(envelope, trust()).receipt_hash == RECEIPT_HASH
