"""One receipt without an export, as the receipt page verifies it; unusable trust files.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from audit import verify
from audit.verify import AUTHENTICITY
from tests.audit.pure.chains import (
    Ledger,
    trust,
)
from tests.audit.pure.forgeries import (
    SECOND,
    set_outcome,
    with_payload,
)


def test_one_receipt_is_verified_alone(ledger: Ledger) -> None:
    statement = verify.verify_envelope(ledger.envelopes[3], trust())
    assert (statement.seq, statement.receipt_hash) == (4, ledger.hashes[3])


def test_one_changed_receipt_is_refused_alone(ledger: Ledger) -> None:
    with pytest.raises(verify.VerificationError) as caught:
        verify.verify_envelope(with_payload(ledger.envelopes[3], set_outcome), trust())
    assert caught.value.check == AUTHENTICITY


def test_neighbours_are_checked_as_neighbours(ledger: Ledger) -> None:
    first, second, third = (verify.verify_envelope(envelope, trust()) for envelope in ledger.envelopes[:3])
    verify.check_link(first, second)
    verify.check_link(first, third)
    with pytest.raises(verify.VerificationError, match="out of order"):
        verify.check_link(third, second)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.pop("origin"),
        lambda found: found.update(extra=1),
        lambda found: found["keys"][0].update(keyid="0" * 64),
        lambda found: found["keys"][0].update(alg="ecdsa"),
        lambda found: found["keys"][0].update(revokedAt=SECOND),
        lambda found: found["keys"][0].update(public_key=base64.b64encode(b"\x01" + bytes(31)).decode()),
        lambda found: found["keys"].append(found["keys"][0]),
    ],
)
def test_a_broken_trust_file_is_no_verdict_but_a_usage_error(
    ledger: Ledger, change: Callable[[dict[str, Any]], None]
) -> None:
    found = trust()
    change(found)
    with pytest.raises(verify.TrustError, match="trust file"):
        verify.verify_document(ledger.export(), found)
