"""Mutations of fields and forms (receipts.md), each caught at its place.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from audit import verify
from audit.verify import AUTHENTICITY, INTEGRITY, NOT_CHECKED
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.pure.chains import (
    EXPORT_KEY,
    Ledger,
    payload_of,
    rewrite,
)
from tests.audit.pure.expectations import refused, report_of
from tests.audit.pure.forgeries import (
    Statement,
    claim_attestation,
    drop_application,
    export_with,
    set_application,
    set_customer,
    set_outcome,
    signed,
    with_payload,
)

CHANGES = [set_outcome, claim_attestation, set_customer, set_application, drop_application]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_field_breaks_the_signature_of_its_receipt(
    ledger: Ledger, change: Callable[[Statement], None]
) -> None:
    [failure] = refused(export_with(ledger, 1, with_payload(ledger.envelopes[1], change)), AUTHENTICITY, seq=2)
    assert "signature" in failure.detail
    assert failure.receipt_hash is not None


def test_a_changed_field_is_caught_without_a_trust_file(ledger: Ledger) -> None:
    text = export_with(ledger, 1, with_payload(ledger.envelopes[1], set_outcome))
    with pytest.raises(verify.VerificationError, match="signature"):
        verify.verify_document(text, None)


def test_a_receipt_changed_by_an_outsider_also_breaks_the_part(ledger: Ledger) -> None:
    text = rewrite(
        ledger.export(), lambda value: value["receipts"].__setitem__(1, with_payload(ledger.envelopes[1], set_outcome))
    )
    refused(text, INTEGRITY)
    refused(text, AUTHENTICITY, seq=2)


SPELLINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("white space", lambda payload: payload.replace(b":", b": ", 1)),
    ("key order", lambda payload: json.dumps(dict(reversed(json.loads(payload).items()))).encode()),
    ("duplicate key", lambda payload: payload[:-1] + b',"subject":[]}'),
    ("NaN", lambda payload: payload.replace(b'"seq":2', b'"seq":NaN')),
    ("float", lambda payload: payload.replace(b'"seq":2', b'"seq":2.0')),
    ("huge integer", lambda payload: payload.replace(b'"seq":2', b'"seq":' + b"2" * 4400)),
    ("integer over 2^53-1", lambda payload: payload.replace(b'"seq":2', b'"seq":9007199254740992')),
    ("depth bomb", lambda payload: payload.replace(b'"seq":2', b'"seq":' + b"[" * 60_000 + b"]" * 60_000)),
    ("thirty-three levels", lambda payload: payload.replace(b'"seq":2', b'"seq":' + b"[" * 30 + b"]" * 30)),
    ("unknown field", lambda payload: payload.replace(b'"seq":2', b'"seq":2,"seq2":2')),
    ("unknown field outside", lambda payload: payload[:-1] + b',"z":0}'),
    ("spec downgrade", lambda payload: payload.replace(b"relcontrol/receipt/v1", b"relcontrol/receipt/v0")),
    ("another statement", lambda payload: payload.replace(b"in-toto.io/Statement/v1", b"in-toto.io/Statement/v0.1")),
    ("another predicate", lambda payload: payload.replace(b"release-receipt/v1", b"release-receipt/v2")),
    ("application without a slug", lambda payload: payload.replace(b'"application":"legal"', b'"application":"Legal"')),
    ("application left out", lambda payload: payload.replace(b'"application":"legal"', b'"application":null')),
    ("unknown event", lambda payload: payload.replace(b'"gate.passed"', b'"gate.waved"')),
    ("over 256 KiB", lambda payload: payload.replace(b'"ses_1"', b'"' + b"s" * 262_144 + b'"')),
    ("not JSON", lambda payload: payload[:-1]),
    ("not UTF-8", lambda payload: payload.replace(b"ses_1", b"ses_\xff")),
    ("lone surrogate", lambda payload: payload.replace(b"ses_1", b"\\ud800")),
]


@pytest.mark.parametrize(("name", "spell"), SPELLINGS, ids=[name for name, _ in SPELLINGS])
def test_a_payload_outside_the_one_form_is_refused_even_if_rightly_signed(
    ledger: Ledger, name: str, spell: Callable[[bytes], bytes]
) -> None:
    payload = base64.b64decode(ledger.envelopes[1]["payload"])
    assert spell(payload) != payload
    [failure] = refused(export_with(ledger, 1, signed(spell(payload))), INTEGRITY, seq=2)
    assert failure.receipt_hash is not None


def test_a_receipt_over_256_kib_is_refused_although_its_fields_are_in_order(ledger: Ledger) -> None:
    statement = payload_of(ledger.envelopes[1])
    measured = {"metric": "quality", "slice": None, "value": None, "threshold": None, "op": None, "verdict": "pass"}
    evidence = {"evidence": "x" * 4000, "n": None, "evidence_sha256": None}
    statement["predicate"]["decision"]["inputs"] = [measured | evidence] * 70
    [failure] = refused(export_with(ledger, 1, signed(canonical_bytes(statement))), INTEGRITY, seq=2)
    assert failure.expected == "at most 262144 bytes"


def test_a_wrong_payload_type_is_refused(ledger: Ledger) -> None:
    payload = base64.b64decode(ledger.envelopes[1]["payload"])
    [failure] = refused(export_with(ledger, 1, signed(payload, payload_type="application/json")), INTEGRITY, seq=2)
    assert failure.expected == "application/vnd.in-toto+json"


def test_base64_in_another_spelling_is_refused(ledger: Ledger) -> None:
    envelope = copy.deepcopy(ledger.envelopes[1])
    envelope["payload"] += "\n"
    refused(export_with(ledger, 1, envelope), INTEGRITY, seq=2)


DOCUMENT_FORMS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("white space", lambda text: text + b"\n"),
    ("duplicate key", lambda text: text[:-1] + b',"receipts":[]}'),
    ("unknown field", lambda text: text[:-1] + b',"zzz":[]}'),
    ("missing part", lambda text: text.replace(b'"checkpoints":[],', b"", 1)),
    ("unknown checkpoint", lambda text: text.replace(b'"checkpoints":[]', b'"checkpoints":[0]', 1)),
    ("truncated", lambda text: text[: len(text) // 2]),
    ("empty", lambda text: b""),
    ("a list", lambda text: b"[" + text + b"]"),
    ("depth bomb", lambda text: b"[" * 10_000_000),
    ("NaN", lambda text: text.replace(b'"checkpoints":[]', b'"checkpoints":NaN', 1)),
]


@pytest.mark.parametrize(("name", "spell"), DOCUMENT_FORMS, ids=[name for name, _ in DOCUMENT_FORMS])
def test_a_document_outside_the_one_form_is_refused(ledger: Ledger, name: str, spell: Callable[[bytes], bytes]) -> None:
    refused(spell(ledger.export()), INTEGRITY)


def test_what_could_not_be_read_is_not_said_to_hold() -> None:
    with pytest.raises(verify.VerificationError) as caught:
        report_of(b"{")
    assert caught.value.report is not None
    outcomes = {one.check: one.outcome for one in caught.value.report.verdicts}
    assert set(outcomes.values()) == {verify.FAILS, NOT_CHECKED}


PARTS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("tail cut", lambda value: value["receipts"].pop()),
    ("key removed", lambda value: value["keys"].pop()),
    ("key prolonged", lambda value: value["keys"][0].update({"from": "2000-01-01T00:00:00.000000Z"})),
    ("opening removed", lambda value: value["openings"].pop()),
]


@pytest.mark.parametrize(("name", "change"), PARTS, ids=[name for name, _ in PARTS])
def test_a_part_that_is_not_the_exported_one_is_refused(
    ledger: Ledger, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    refused(rewrite(ledger.export(), change), INTEGRITY)


def manifest_with(ledger: Ledger, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A document whose manifest was changed and signed again by the export key."""

    def resign(value: dict[str, Any]) -> None:
        manifest = payload_of(value["manifest"])
        change(manifest)
        value["manifest"] = signed(canonical_bytes(manifest), EXPORT_KEY, verify.PAYLOAD_TYPES["export"])

    return rewrite(ledger.export(), resign)


MANIFESTS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("count", lambda manifest: manifest["counts"].update(receipts=4)),
    ("schema", lambda manifest: manifest.update(schema="relcontrol/export/v0")),
    ("unknown field", lambda manifest: manifest.update(note="")),
    ("two scopes", lambda manifest: manifest["scope"].update(application="legal")),
    ("no scope", lambda manifest: manifest.update(scope={})),
    ("half an organization", lambda manifest: manifest["scope"].update(organization=False)),
    ("scope of another kind", lambda manifest: manifest.update(scope=["organization"])),
    ("part left out", lambda manifest: manifest["parts"].pop("openings")),
]


@pytest.mark.parametrize(("name", "change"), MANIFESTS, ids=[name for name, _ in MANIFESTS])
def test_a_manifest_outside_its_schema_is_refused_even_if_rightly_signed(
    ledger: Ledger, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    refused(manifest_with(ledger, change), INTEGRITY)


def test_a_manifest_naming_another_signer_is_refused(ledger: Ledger) -> None:
    refused(manifest_with(ledger, lambda manifest: manifest["signer"].update(keyid="0" * 64)), AUTHENTICITY)
