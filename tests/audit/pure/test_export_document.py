"""The export as one streamed document."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785

from audit import verify
from audit.export_document import ExportChangedError, Opening, Scope, build
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
    for name in ("checkpoints", "keys", "openings", "receipts"):
        assert manifest["parts"][name] == hashlib.sha256(rfc8785.dumps(document[name])).hexdigest()
        assert manifest["counts"][name] == len(document[name])


def test_the_same_export_is_made_of_the_same_bytes(ledger: Ledger) -> None:
    assert ledger.export() == ledger.export()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(organization=True), {"organization": True, "from": None, "to": None}),
        (Scope(application="legal"), {"application": "legal", "from": None, "to": None}),
        (Scope(release=MANIFEST, start=LONG_AGO), {"release": MANIFEST, "from": LONG_AGO, "to": None}),
    ],
)
def test_the_scope_is_written_as_it_was_asked_for(scope: Scope, expected: dict[str, Any]) -> None:
    assert scope.as_json() == expected


@pytest.mark.parametrize(
    "wrong", [{}, {"organization": True, "application": "a"}, {"organization": True, "start": "2", "end": "1"}]
)
def test_a_scope_is_one_thing_and_ends_after_it_starts(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="export"):
        Scope(**wrong)


def export(receipts: Any, key: Any = EXPORT_KEY) -> Iterator[bytes]:
    return build(
        export_id=EXPORT_ID,
        scope=Scope(organization=True),
        created_at=LONG_AGO,
        origin=ORIGIN,
        keys=[public(RECEIPT_KEY)],
        receipts=receipts,
        key=key,
    )


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


def test_an_export_of_nothing_verifies() -> None:
    assert report_of(Ledger().export()).receipts == 0


def test_an_opening_shows_what_the_receipt_committed_to() -> None:
    opening = Opening("0" * 64, "actor.name", SALT, {"first": "Ada"})
    assert opening.as_json()["value"] == {"first": "Ada"}


def test_a_sound_export_is_reported_with_its_head(ledger: Ledger) -> None:
    report = report_of(ledger.export())
    assert report.head == verify.Head(5, ledger.hashes[-1])
    assert (report.export_id, report.origin, report.receipts) == (EXPORT_ID, ORIGIN, 5)
