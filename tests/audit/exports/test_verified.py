"""What the product exports is what the auditor's verifier accepts: every scope, as JSON and as ZIP."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from audit import verify
from audit.anchors.sinks import add_sink
from audit.anchors.ticking import tick_log
from audit.exporting.exports import content_of
from audit.models import Export, ExportPart, Receipt
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests import factories
from tests.audit.anchors.authority import authority
from tests.audit.anchors.factory import folder_sink, receipts, worked
from tests.audit.anchors.loopback import loopback
from tests.audit.evidence import attestations
from tests.audit.exports.anchored import anchor, checkpoint, exported
from tests.audit.exports.test_evidence import MANIFEST, OTHER, release, statement

pytestmark = pytest.mark.django_db

SCOPES: tuple[dict[str, Any], ...] = (
    {"scope": {"organization": True}},
    {"scope": {"organization": True}, "opens": "nothing"},
    {"scope": {"application": "one"}},
    {"scope": {"application": "other"}, "opens": "impersonal"},
    {"scope": {"release": MANIFEST}},
    {"scope": {"person": "command"}},
)


@pytest.fixture
def lively(northgate: Organization) -> Organization:
    """With releases before and after its newest anchors."""
    release(northgate, OTHER, "other")
    release(northgate, MANIFEST)
    newest = checkpoint(northgate)
    anchor(newest)
    anchor(newest, "witness")
    release(northgate, MANIFEST)
    return northgate


def verified(export: Export) -> verify.Report:
    """The report, the same for the JSON and for the ZIP."""
    trust = trust_document(export.organization)
    document, bundle = (b"".join(content_of(export, kind)) for kind in (ExportPart.Kind.JSON, ExportPart.Kind.ZIP))
    report = verify.verify_document(document, trust)
    assert verify.verify_file(bundle, trust).as_dict() == report.as_dict()
    return report


def outcomes(report: verify.Report) -> dict[str, str]:
    """Check → outcome."""
    return {verdict.check: verdict.outcome for verdict in report.verdicts}


@pytest.mark.parametrize("asked", SCOPES, ids=str)
def test_every_scope_verifies_with_the_trust_file(lively: Organization, asked: dict[str, Any]) -> None:
    report = verified(exported(lively, **asked))
    assert not report.failures
    found = outcomes(report)
    assert found["INTEGRITY"] == found["AUTHENTICITY"] == found["WEIGHTS"] == "holds"


@pytest.mark.parametrize(("first", "last"), [(1, 8), (3, 6), (5, 12), (9, None), (None, 6), (None, 3)])
def test_every_stretch_of_the_chain_verifies(lively: Organization, first: int | None, last: int | None) -> None:
    rows = Receipt.objects.filter(organization=lively)

    def moment(seq: int | None) -> datetime | None:
        return rows.get(seq=seq).issued_at if seq else None

    report = verified(exported(lively, start=moment(first), end=moment(last)))
    assert not report.failures


def test_what_a_time_stamp_covers_holds_in_time(northgate: Organization) -> None:
    anchor(checkpoint(northgate))
    report = verified(exported(northgate, scope={"application": "other"}))
    assert outcomes(report)["TIME"] == "holds"


def test_a_release_whose_head_a_witness_saw_told_is_complete_up_to_there(lively: Organization) -> None:
    before = verified(exported(lively, scope={"release": OTHER}))
    assert outcomes(before)["COMPLETENESS"] == "not checked"
    later = checkpoint(lively)
    anchor(later)
    anchor(later, "witness")
    report = verified(exported(lively, scope={"release": OTHER}))
    assert outcomes(report)["COMPLETENESS"] == "holds"


def test_what_the_product_anchored_by_itself_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    owner, tsa = factories.organization(), authority(tmp_path / "tsa")
    receipts(owner, 2, manifest=MANIFEST)
    with loopback(lambda asked: (200, tsa.stamp(asked.body))) as server:
        settings = {"url": server.url, "roots": [tsa.root], "policy": None}
        add_sink(actor=command_actor(owner), name="a TSA", kind="rfc3161", settings=settings)
        folder_sink(owner, tmp_path)
        of = tick_log(owner, now())
        assert of is not None
        assert {anchor.state for anchor in worked(of)} == {"done"}
    for asked in ({"scope": {"organization": True}}, {"scope": {"release": MANIFEST}}):
        export = exported(owner, **asked)
        found = outcomes(verified(export))
        assert found["INTEGRITY"] == found["AUTHENTICITY"] == found["TIME"] == "holds"
        assert len(json.loads(b"".join(content_of(export)))["anchors"]) == 2


def test_a_statement_about_weights_is_verified_with_the_receipts_that_claim_it(northgate: Organization) -> None:
    predicate = attestations.predicate()
    weights = attestations.weights_sha256(predicate)
    release(northgate, MANIFEST, weights=weights)
    made = statement(northgate, weights)
    made.bundle = attestations.bundle(predicate)
    made.save()
    trust = trust_document(northgate)
    bundle = b"".join(content_of(exported(northgate), ExportPart.Kind.ZIP))
    proves = next(one for one in verify.verify_file(bundle, trust).verdicts if one.check == "WEIGHTS")
    assert proves.outcome == "holds"
    assert "1 attestation of weight files" in proves.proves
    made.bundle["dsseEnvelope"]["signatures"][0]["sig"] = attestations.bundle(predicate, attestations.STRANGER)[
        "dsseEnvelope"
    ]["signatures"][0]["sig"]
    made.save()
    forged = b"".join(content_of(exported(northgate), ExportPart.Kind.ZIP))
    with pytest.raises(verify.VerificationError):
        verify.verify_file(forged, trust)
