"""One receipt, byte for byte: whatever changes these bytes changes every hash that anybody wrote down.

They changed once, before the first release: the receipt names the application that it is about, signed, so that an
export of one application can be checked. The receipt from before is kept beside it, and must verify for ever.
"""

import json
from pathlib import Path

from audit import verify
from audit.chain import leaf_of, next_link, receipt_hash
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
from tests.audit.pure.chains import APPLICATION, MANIFEST, ORIGIN, RECEIPT_KEY, SALT, trust

FIXTURES = Path(__file__).parent / "fixtures"
HASH_WITHOUT_APPLICATION = "955a3db5b75d10a39ee34f4f0722f3def4751217e242ec4eb1f65dee71fa86f6"
RECEIPT_HASH = "4878bc39efacd5f652c26b1b0b92d708fa7bb29f2369d7d9db262d5ed67999f7"
LEAF_HASH = "19465a2807e8051af1f11e1604a80508147796b81272cd373adfe8728eb2b183"


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
        application=APPLICATION,
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
    assert leaf_of(RECEIPT_HASH).hex() == LEAF_HASH


def test_the_golden_envelope_verifies_alone() -> None:
    envelope = json.loads(read("golden_envelope.json"))
    assert verify.verify_envelope(envelope, trust()).receipt_hash == RECEIPT_HASH


def test_a_receipt_from_before_applications_were_signed_verifies_for_ever() -> None:
    envelope = json.loads(read("envelope_without_application.json"))
    assert verify.verify_envelope(envelope, trust()).receipt_hash == HASH_WITHOUT_APPLICATION
