"""The export as one streamed document."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785

from audit import verify
from audit.exporting.document import ExportChangedError, Opening, Scope, build
from tests.audit.pure.chains import EXPORT_ID, EXPORT_KEY, LONG_AGO, MANIFEST, ORIGIN, RECEIPT_KEY, SALT, Ledger, public
from tests.audit.pure.expectations import report_of


def manifest_of(text: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(base64.b64decode(json.loads(text)["manifest"]["payload"]))
    return manifest


def test_the_pieces_together_are_canonical_json(ledger: Ledger) -> None:
    text = ledger.export()
    assert rfc8785.dumps(json.loads(text)) == text


def test_the_manifest_names_the_digest_and_count_of_every_part(ledger: Ledger) -> None:
    document, manifest = json.loads(ledger.export()), manifest_of(ledger.export())
    assert sorted([*manifest["parts"], "manifest"]) == list(document)
    for name, digest in manifest["parts"].items():
        assert digest == hashlib.sha256(rfc8785.dumps(document[name])).hexdigest()
        assert manifest["counts"][name] == len(document[name] or [])
    assert (manifest["schema"], manifest["opens"]) == ("relcontrol/export/v2", "all")


def test_the_same_export_is_made_of_the_same_bytes(ledger: Ledger) -> None:
    assert ledger.export() == ledger.export()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(organization=True), {"organization": True, "from": None, "to": None}),
        (Scope(application="legal"), {"application": "legal", "from": None, "to": None}),
        (Scope(release=MANIFEST, start=LONG_AGO), {"release": MANIFEST, "from": LONG_AGO, "to": None}),
        (Scope(person="prn_1"), {"person": "prn_1", "from": None, "to": None}),
    ],
)
def test_the_scope_is_written_as_it_was_asked_for(scope: Scope, expected: dict[str, Any]) -> None:
    assert scope.as_json() == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"organization": True, "application": "a"},
        {"release": MANIFEST, "person": "prn_1"},
        {"organization": True, "start": "2", "end": "1"},
    ],
)
def test_a_scope_is_one_thing_and_ends_after_it_starts(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="export"):
        Scope(**wrong)


def export(receipts: Any, key: Any = EXPORT_KEY, **more: Any) -> Iterator[bytes]:
    return build(
        export_id=EXPORT_ID,
        scope=Scope(organization=True),
        created_at=LONG_AGO,
        origin=ORIGIN,
        keys=[public(RECEIPT_KEY)],
        receipts=receipts,
        key=key,
        **more,
    )


EVIDENCE: dict[str, list[Any]] = {
    "anchors": [{"kind": "rfc3161"}],
    "asides": [{"payload": ""}],
    "attestations": [{"weights_sha256": ""}, {"weights_sha256": "1"}],
    "checkpoints": [{"note": "a"}],
    "heads": [{"index": 0}],
    "proofs": [{"proof": "b"}],
}


def test_evidence_beside_the_receipts_is_written_as_it_is_given() -> None:
    text = b"".join(export(list, opens="nothing", keyring={"payload": "k"}, **EVIDENCE))
    document, manifest = json.loads(text), manifest_of(text)
    assert {name: document[name] for name in EVIDENCE} == EVIDENCE
    assert document["keyring"] == {"payload": "k"}
    assert manifest["counts"] | {"keys": 1} == {name: len(value) for name, value in EVIDENCE.items()} | {
        "keyring": 1,
        "keys": 1,
        "openings": 0,
        "receipts": 0,
    }
    assert manifest["opens"] == "nothing"
    assert rfc8785.dumps(document) == text


def test_without_a_keyring_its_place_holds_null_and_its_digest_is_over_that() -> None:
    text = b"".join(export(list))
    assert json.loads(text)["keyring"] is None
    assert manifest_of(text)["parts"]["keyring"] == hashlib.sha256(b"null").hexdigest()
    assert manifest_of(text)["counts"]["keyring"] == 0


def test_what_an_export_opens_is_one_of_three_words() -> None:
    with pytest.raises(ValueError, match="opens all, impersonal, nothing"):
        export(list, opens="some")


def test_a_receipts_key_cannot_sign_an_export() -> None:
    with pytest.raises(ValueError, match="purpose export"):
        export(list, RECEIPT_KEY)


def test_receipts_that_change_between_the_passes_are_noticed(ledger: Ledger) -> None:
    passes = iter([ledger.envelopes[:2], ledger.envelopes[:3]])
    with pytest.raises(ExportChangedError, match="receipts changed"):
        list(export(lambda: next(passes)))


def test_one_receipt_is_held_at_a_time(ledger: Ledger) -> None:
    alive: list[int] = []

    def counted() -> Iterator[dict[str, Any]]:
        for index, envelope in enumerate(ledger.envelopes):
            alive.append(index)
            yield envelope

    pieces = export(counted)
    alive.clear()
    text = b""
    while not text.endswith(rfc8785.dumps(ledger.envelopes[0])):
        text += next(pieces)
    assert alive == [0]


def test_proofs_are_held_one_at_a_time_where_they_are_given_as_passes() -> None:
    passes: list[int] = []

    def proofs() -> Iterator[dict[str, Any]]:
        passes.append(1)
        yield from ({"proof": str(number)} for number in range(3))

    text = b"".join(export(list, proofs=proofs))
    assert [entry["proof"] for entry in json.loads(text)["proofs"]] == ["0", "1", "2"]
    assert len(passes) == 2


def test_an_export_of_nothing_verifies() -> None:
    assert report_of(Ledger().export()).receipts == 0


def test_an_opening_shows_what_the_receipt_committed_to() -> None:
    opening = Opening("0" * 64, "actor.name", SALT, {"first": "Ada"})
    assert opening.as_json()["value"] == {"first": "Ada"}


def test_a_sound_export_is_reported_with_its_head(ledger: Ledger) -> None:
    report = report_of(ledger.export())
    assert report.head == verify.Head(5, ledger.hashes[-1])
    assert (report.export_id, report.origin, report.receipts) == (EXPORT_ID, ORIGIN, 5)
