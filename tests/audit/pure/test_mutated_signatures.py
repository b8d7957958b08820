"""Mutations of signatures and keys (receipts.md), each caught at its place.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

import base64
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit import verify
from audit.chain import timestamp
from audit.verify import AUTHENTICITY, INTEGRITY, NOT_CHECKED
from tests.audit.pure.chains import (
    EXPORT_KEY,
    FOREIGN_EXPORT_KEY,
    FOREIGN_KEY,
    RECEIPT_KEY,
    START,
    Ledger,
    document,
    public,
    rewrite,
    trust,
)
from tests.audit.pure.expectations import refused, report_of, verdict
from tests.audit.pure.forgeries import (
    SECOND,
    export_with,
    signed,
)


def resigned_by_foreign_key(ledger: Ledger, keyid: str) -> dict[str, Any]:
    payload = base64.b64decode(ledger.envelopes[1]["payload"])
    envelope = signed(payload, FOREIGN_KEY)
    envelope["signatures"][0]["keyid"] = keyid
    return envelope


@pytest.mark.parametrize("keyid", [RECEIPT_KEY.keyid, FOREIGN_KEY.keyid], ids=["kept", "replaced"])
def test_a_receipt_signed_by_a_foreign_key_is_refused(ledger: Ledger, keyid: str) -> None:
    [failure] = refused(export_with(ledger, 1, resigned_by_foreign_key(ledger, keyid)), AUTHENTICITY, seq=2)
    assert RECEIPT_KEY.keyid in failure.expected or failure.got == FOREIGN_KEY.keyid


def test_a_foreign_key_that_travels_inside_the_export_is_not_trusted(ledger: Ledger) -> None:
    forged = resigned_by_foreign_key(ledger, FOREIGN_KEY.keyid)
    keys = (RECEIPT_KEY, EXPORT_KEY, FOREIGN_KEY)
    text = document([ledger.envelopes[0], forged, *ledger.envelopes[2:]], keys=keys)
    refused(text, AUTHENTICITY, seq=2)


def test_a_whole_forged_export_is_at_most_self_consistent() -> None:
    forged = Ledger()
    forged.register(key=FOREIGN_KEY)
    text = document(forged.envelopes, key=FOREIGN_EXPORT_KEY, keys=(FOREIGN_KEY, FOREIGN_EXPORT_KEY))
    assert verdict(verify.verify_document(text, None), AUTHENTICITY) == NOT_CHECKED
    refused(text, AUTHENTICITY)


def strip(envelope: dict[str, Any]) -> None:
    envelope["signatures"] = []


def empty(envelope: dict[str, Any]) -> None:
    envelope["signatures"][0]["sig"] = ""


def second_signature(envelope: dict[str, Any]) -> None:
    envelope["signatures"] *= 2


def negotiate(envelope: dict[str, Any]) -> None:
    envelope["signatures"][0]["alg"] = "none"


@pytest.mark.parametrize("change", [strip, empty, second_signature, negotiate])
def test_an_envelope_without_exactly_one_plain_signature_is_refused(
    ledger: Ledger, change: Callable[[dict[str, Any]], None]
) -> None:
    envelope = copy.deepcopy(ledger.envelopes[1])
    change(envelope)
    refused(export_with(ledger, 1, envelope), INTEGRITY, seq=2)


def test_a_malleated_signature_is_refused(ledger: Ledger) -> None:
    envelope = copy.deepcopy(ledger.envelopes[1])
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    s = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    envelope["signatures"][0]["sig"] = base64.b64encode(signature[:32] + s.to_bytes(32, "little")).decode()
    refused(export_with(ledger, 1, envelope), AUTHENTICITY, seq=2)


def test_the_key_named_inside_must_be_the_key_that_signed(ledger: Ledger) -> None:
    payload = base64.b64decode(ledger.envelopes[1]["payload"])
    both = trust(public(RECEIPT_KEY), public(EXPORT_KEY), public(FOREIGN_KEY))
    [failure] = refused(export_with(ledger, 1, signed(payload, FOREIGN_KEY)), AUTHENTICITY, seq=2, trust=both)
    assert "signer inside" in failure.detail


def test_an_export_key_cannot_sign_receipts(ledger: Ledger) -> None:
    payload = base64.b64decode(ledger.envelopes[1]["payload"])
    [failure] = refused(export_with(ledger, 1, signed(payload, EXPORT_KEY)), AUTHENTICITY, seq=2)
    assert "another purpose" in failure.detail


def test_a_receipts_key_cannot_sign_exports(ledger: Ledger) -> None:
    def resign(value: dict[str, Any]) -> None:
        manifest = base64.b64decode(value["manifest"]["payload"])
        value["manifest"] = signed(manifest, RECEIPT_KEY, verify.PAYLOAD_TYPES["export"])

    refused(rewrite(ledger.export(), resign), AUTHENTICITY)


AFTER = timestamp(START + timedelta(seconds=1, microseconds=1))
BEFORE = timestamp(START + timedelta(microseconds=999_999))


@pytest.mark.parametrize(
    ("period", "good"),
    [
        ({"end": BEFORE}, False),
        ({"end": SECOND}, True),
        ({"start": AFTER}, False),
        ({"start": SECOND}, True),
        ({"revoked_at": SECOND}, False),
        ({"revoked_at": AFTER}, True),
    ],
    ids=str,
)
def test_a_key_signs_only_in_its_period_and_before_its_revocation(period: dict[str, str], good: bool) -> None:
    chain = Ledger()
    chain.settle(at=START + timedelta(seconds=1))
    found = trust(public(RECEIPT_KEY, **period), public(EXPORT_KEY))
    if good:
        assert report_of(chain.export(), found).exit_code == 3
    else:
        refused(chain.export(), AUTHENTICITY, seq=1, trust=found)


def test_receipts_of_a_key_revoked_later_are_counted_as_possibly_back_dated(ledger: Ledger) -> None:
    found = trust(public(RECEIPT_KEY, revoked_at=timestamp(START + timedelta(days=2))), public(EXPORT_KEY))
    report = report_of(ledger.export(), found)
    sentence = next(one.does_not_prove for one in report.verdicts if one.check == AUTHENTICITY)
    assert "5 rely on a key revoked later" in sentence
