"""The report's six verdicts, its anchors and what they do not cover, and its appendix; from the JSON alone."""

import base64
import json
from threading import Event
from typing import Any

import pytest

from audit.report import rendering
from audit.report.anchoring import NOTHING
from audit.report.content import Report, report_of
from audit.report.reading import Export
from audit.report.verdicts import Verified, verified
from audit.requirements import requirements
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence import bundles
from tests.audit.pure.chains import ledger


def told(bundle: bundles.Bundle, trust: dict[str, Any] | None = None) -> Report:
    """The report of this export, with its own trust file unless another is given."""
    document = bundle.document()
    return report_of(Export(document), verified(document, bundle.trust if trust is None else trust))


@pytest.fixture(scope="module")
def whole() -> Report:
    """Of a chain of twelve: time stamps over 3 and 7, a witness and a file over 7."""
    return told(bundles.whole())


def test_the_verdicts_are_those_of_the_verifier(whole: Report) -> None:
    found = {verdict.name: verdict.word for verdict in whole.verified.verdicts}
    assert found["INTEGRITY"] == found["AUTHENTICITY"] == "Holds"
    assert found["TIME"] == "Not checked"
    assert len(found) == 6
    assert "genesis" in next(one.proves for one in whole.verified.verdicts if one.name == "COMPLETENESS")
    assert len(whole.verified.trust_sha256) == 64


def test_without_a_trust_file_nothing_is_said_to_be_authentic() -> None:
    document = bundles.whole().document()
    found = verified(document, None)
    assert found.trust_sha256 == ""
    assert next(one.word for one in found.verdicts if one.name == "AUTHENTICITY") == "Not checked"


def test_a_chain_that_does_not_hold_is_reported_as_such_with_its_failures() -> None:
    bundle = bundles.whole()
    bundle.receipts.pop(5)
    report = told(bundle)
    assert "Fails" in {verdict.word for verdict in report.verified.verdicts}
    assert len(report.verified.failures) <= 5
    assert "seq" in report.verified.failures[0]


def test_anchors_are_told_with_sink_time_and_what_they_cover(whole: Report) -> None:
    anchors = whole.anchoring.anchors
    assert [(one.kind, one.size, one.seq) for one in anchors] == [
        ("rfc3161", 3, 4),
        ("rfc3161", 7, 8),
        ("witness", 7, 9),
        ("file", 7, 10),
    ]
    assert all(one.at.endswith("UTC") and one.sink for one in anchors)
    assert [kind.title for kind in whole.anchoring.kinds] == ["Time stamp, RFC 3161", "Witness", "A copy in a folder"]


def test_what_is_not_anchored_is_told_in_words(whole: Report) -> None:
    stamped, seen = whole.anchoring.tail
    assert "The newest 5 receipts, from #8 on, are not covered by a time stamp yet" in stamped
    assert "The newest 5 receipts, from #8 on, are newer than what a witness has seen" in seen


def test_a_part_that_is_covered_says_so() -> None:
    stamped, seen = told(bundles.release()).anchoring.tail
    assert stamped == "A time stamp covers every receipt here."
    assert seen == "A witness has seen the log with every receipt here."


def test_receipts_that_tell_of_the_last_anchors_do_not_count_as_not_anchored() -> None:
    stamped, seen = told(bundles.whole(10)).anchoring.tail
    assert stamped == "A time stamp covers every receipt here but those that tell of the last anchors."
    assert seen.endswith("but those that tell of the last anchors.")


def test_without_anchors_the_report_says_that_nobody_outside_saw_the_log() -> None:
    document = ledger().export()
    report = report_of(Export(document), verified(document, None))
    assert report.anchoring.tail == [NOTHING]
    assert report.anchoring.anchors == []


def test_an_anchor_of_any_form_is_no_reason_to_fall_over() -> None:
    document = json.loads(bundles.whole().document())
    for entry in document["anchors"]:
        entry |= {"kind": "<b>", "receipt_hash": None, "checkpoint": "x"}
    document["checkpoints"] = [{"note": "none"}, {}]
    report = report_of(Export(canonical_bytes(document)), verified(bundles.whole().document(), None))
    assert {(one.title, one.size, one.seq) for one in report.anchoring.anchors} == {("<b>", 0, 0)}


def test_an_export_of_the_first_form_is_still_read() -> None:
    document = json.loads(ledger().export())
    first = {name: document[name] for name in ("checkpoints", "keys", "manifest", "openings", "receipts")}
    export = Export(canonical_bytes(first))
    assert len(list(export.receipts())) == 5
    assert list(export.entries("anchors")) == list(export.asides()) == []


def test_the_scope_of_a_person_and_what_is_opened_are_told() -> None:
    report = told(bundles.person(opens="nothing"))
    assert report.scope.startswith("What ")
    assert "closed to this reader" in report.opens
    assert (
        json.loads(base64.b64decode(json.loads(bundles.person().document())["manifest"]["payload"]))["opens"] == "all"
    )


def test_the_appendix_counts_the_receipts_that_bear_on_each_requirement(whole: Report) -> None:
    rows = [row for _, frame in whole.appendix for row in frame]
    assert len(rows) == len(requirements())
    assert any(row.here.endswith("receipts") for row in rows)
    assert any(row.here == "none" for row in rows)


def test_whoever_waits_for_the_verifier_of_a_large_export_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told_of, said = Event(), verified(ledger().export(), None)

    def slow(_document: bytes, _trust: object) -> Verified:
        assert told_of.wait(30)
        return said

    monkeypatch.setattr(rendering, "SAYING_SECONDS", 0.01)
    monkeypatch.setattr(rendering, "verified", slow)
    assert rendering._verified(b"", None, lambda _pages: told_of.set()) is said
