"""What forgers do in the tests: changes of statements and envelopes, with and without the right keys."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from audit import verify
from audit.chain import timestamp
from audit.envelope import wrap
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.pure.chains import (
    RECEIPT_KEY,
    START,
    Ledger,
    document,
    payload_of,
)

Statement = dict[str, Any]
SECOND = timestamp(START + timedelta(seconds=1))


def with_payload(envelope: dict[str, Any], change: Callable[[Statement], None]) -> dict[str, Any]:
    """The envelope with a changed payload under its old signature."""
    statement = payload_of(envelope)
    change(statement)
    return {**envelope, "payload": base64.b64encode(canonical_bytes(statement)).decode()}


def signed(
    payload: bytes, key: Any = RECEIPT_KEY, payload_type: str = verify.PAYLOAD_TYPES["receipts"]
) -> dict[str, Any]:
    return wrap(payload, payload_type, keyid=key.keyid, signature=key.sign(verify.pae(payload_type, payload)))


def export_with(ledger: Ledger, index: int, envelope: dict[str, Any]) -> bytes:
    """A rightly signed export in which one receipt was replaced."""
    return document([*ledger.envelopes[:index], envelope, *ledger.envelopes[index + 1 :]])


def set_outcome(statement: Statement) -> None:
    statement["predicate"]["decision"]["outcome"] = "failed"


def claim_attestation(statement: Statement) -> None:
    statement["predicate"]["weights"] = {
        "provenance": "attested",
        "assurance": "declared",
        "manifest_sha256": None,
        "oms_root_sha256": None,
        "observed_manifest_sha256": None,
        "observed_at": None,
        "observer_keyid": None,
    }


def set_application(statement: Statement) -> None:
    statement["predicate"]["application"] = "medical"


def drop_application(statement: Statement) -> None:
    del statement["predicate"]["application"]


def set_customer(statement: Statement) -> None:
    statement["predicate"]["chain"]["customer"] = "relcontrol.test/other"
