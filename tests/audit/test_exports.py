"""Exports: asked for, made by a worker, verified by the auditor's file."""

import json
from typing import Any

import pytest

from audit import verify
from audit.administration.applications import create_application
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export, ExportPart, Receipt
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Forbidden, Invalid
from relcontrol.jobs.leases import claim
from relcontrol.jobs.running import run
from tests import factories

pytestmark = pytest.mark.django_db


def exported(organization: Organization, scope: dict[str, Any]) -> Export:
    """A finished export; of its report, tests/audit/test_report_job.py."""
    export = request_export(actor=command_actor(organization), scope=scope, with_report=False)
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    return export


def document_of(export: Export) -> bytes:
    """Its file."""
    return b"".join(content_of(export))


def verdicts(report: verify.Report) -> dict[str, str]:
    """Check → outcome."""
    return {verdict.check: verdict.outcome for verdict in report.verdicts}


def test_an_export_of_the_organization_verifies_and_says_what_was_not_checked() -> None:
    organization = factories.organization()
    factories.application(organization)
    export = exported(organization, {"organization": True})
    report = verify.verify_document(document_of(export), trust_document(organization))
    assert report.exit_code == 3
    outcome = verdicts(report)
    assert outcome["INTEGRITY"] == outcome["AUTHENTICITY"] == "holds"
    assert outcome["TIME"] == outcome["COMPLETENESS"] == "not checked"


def test_the_finished_export_is_receipted_by_digest() -> None:
    organization = factories.organization()
    export = exported(organization, {"organization": True})
    receipt = Receipt.objects.filter(organization=organization).latest("seq")
    assert receipt.event == "export.issued"
    assert receipt.openings.get().value["sha256"] == export.sha256


def test_what_is_decided_after_the_request_is_not_in_the_export() -> None:
    organization = factories.organization()
    export = request_export(actor=command_actor(organization), scope={"organization": True}, with_report=False)
    create_application(actor=command_actor(organization), slug="later")
    run(Export.objects.filter(pk=export.pk), make_export)
    assert len(json.loads(document_of(export))["receipts"]) == 1


def test_an_export_of_one_application_leaves_the_others_out() -> None:
    organization = factories.organization()
    factories.application(organization, "one")
    factories.application(organization, "other")
    document = json.loads(document_of(exported(organization, {"application": "one"})))
    assert len(document["receipts"]) == 2
    assert {opening["value"].get("slug", "route") for opening in document["openings"]} == {"one", "route"}


def test_an_export_of_one_application_verifies_and_says_what_it_cannot_show() -> None:
    organization = factories.organization()
    factories.application(organization, "one")
    factories.application(organization, "other")
    report = verify.verify_document(
        document_of(exported(organization, {"application": "one"})), trust_document(organization)
    )
    assert (report.exit_code, report.receipts) == (3, 2)
    completeness = next(one for one in report.verdicts if one.check == verify.COMPLETENESS)
    assert "Only an export of the organization" in completeness.does_not_prove


def test_a_killed_worker_is_followed_by_another_that_leaves_one_whole_file() -> None:
    organization = factories.organization()
    export = request_export(actor=command_actor(organization), scope={"organization": True}, with_report=False)
    dead = claim(Export.objects.filter(pk=export.pk), "dead", now())
    assert dead is not None
    ExportPart.objects.create(export=export, number=0, content=b"half a")
    Export.objects.filter(pk=export.pk).update(lease_until=now())
    assert run(Export.objects.filter(pk=export.pk), make_export)
    report = verify.verify_document(document_of(export), trust_document(organization))
    assert verdicts(report)["INTEGRITY"] == "holds"


def test_a_worker_that_comes_back_late_changes_nothing() -> None:
    organization = factories.organization()
    export = request_export(actor=command_actor(organization), scope={"organization": True}, with_report=False)
    late = claim(Export.objects.filter(pk=export.pk), "late", now())
    assert late is not None
    Export.objects.filter(pk=export.pk).update(lease_until=now())
    run(Export.objects.filter(pk=export.pk), make_export)
    before, receipts = document_of(export), Receipt.objects.count()
    with pytest.raises(Exception, match="no longer ours"):
        make_export(late)
    assert (document_of(export), Receipt.objects.count()) == (before, receipts)


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"organization": False},
        {"organization": True, "application": "a"},
        {"application": 5},
        {"release": "nothing"},
    ],
)
def test_an_unclear_scope_is_refused_in_words(scope: dict[str, Any]) -> None:
    organization = factories.organization()
    with pytest.raises(Invalid):
        request_export(actor=command_actor(organization), scope=scope)
    assert not Export.objects.exists()


def test_a_viewer_may_not_export() -> None:
    actor = factories.person_actor(factories.organization(), "viewer")
    with pytest.raises(Forbidden, match="auditor"):
        request_export(actor=actor, scope={"organization": True})


def test_export_by_the_api_from_request_to_file() -> None:
    organization = factories.organization()
    api = factories.api(factories.service_token(organization, "audit:read"))
    asked = api.post("exports", {"scope": {"organization": True}})
    assert asked.status_code == 202, asked.content
    export_id = asked.json()["export_id"]
    assert api.get(f"exports/{export_id}.json").status_code == 409
    run(Export.objects.filter(pk=export_id), make_export)
    file = api.get(f"exports/{export_id}.json")
    content = b"".join(file.streaming_content)
    assert verify.verify_document(content, api.get("trust").json()).exit_code == 3
