"""The generator's organizations are as true as any other."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit import verify
from audit.chain_checks import check_chain
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import ChainCheck, Export, Receipt
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.bench.generator import Size, generate
from relcontrol.bundle.artifacts import artifact_digest
from relcontrol.bundle.manifest import bundle_sha256, manifest_sha256
from relcontrol.jobs.running import run
from releases.artifacts import create_artifact
from releases.models import Artifact, Release

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIZE = Size(releases=20, receipts=150)


@pytest.fixture
def organization() -> Organization:
    return generate(slug="large", size=SIZE, now=NOW)


def exported(organization: Organization) -> bytes:
    export = request_export(actor=command_actor(organization), scope={"organization": True}, with_report=False)
    run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    assert export.state == "done", export.problem
    return b"".join(content_of(export))


def test_there_are_as_many_as_were_asked_for(organization: Organization) -> None:
    assert Release.objects.filter(organization=organization).count() == SIZE.releases
    assert Receipt.objects.filter(organization=organization).count() == SIZE.receipts


def test_the_chain_holds_to_its_head(organization: Organization) -> None:
    check = check_chain(ChainCheck.objects.get(organization=organization), NOW)

    assert (check.problem, check.seq) == ("", SIZE.receipts)


def test_an_export_verifies_with_every_opening(organization: Organization) -> None:
    document = exported(organization)
    report = verify.verify_document(document, trust_document(organization))

    assert not report.failures
    assert len(json.loads(document)["openings"]) == SIZE.receipts


def test_services_go_on_from_its_head(organization: Organization) -> None:
    create_artifact(
        actor=command_actor(organization),
        ref="templates/later@v1",
        value={"kind": "prompt_template", "system": "Answer."},
    )
    check = check_chain(ChainCheck.objects.get(organization=organization), NOW)

    assert (check.problem, check.seq) == ("", SIZE.receipts + 1)


def test_the_digests_of_releases_and_prompts_are_the_true_ones(organization: Organization) -> None:
    for release in Release.objects.filter(organization=organization):
        manifest: dict[str, Any] = json.loads(bytes(release.manifest))
        assert hashlib.sha256(bytes(release.manifest)).hexdigest() == release.manifest_sha256
        assert manifest_sha256(manifest) == release.manifest_sha256
        assert bundle_sha256(manifest) == release.bundle_sha256
        prompt = Artifact.objects.get(organization=organization, digest=manifest["prompt_template"])
        assert artifact_digest(prompt.value) == prompt.digest


def test_numbers_of_releases_go_on_without_a_gap(organization: Organization) -> None:
    for application in Application.objects.filter(organization=organization):
        numbers = application.releases.order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, application.release_count + 1))


def test_its_history_ends_before_the_present(organization: Organization) -> None:
    moments = Receipt.objects.filter(organization=organization).order_by("seq").values_list("issued_at", flat=True)

    assert list(moments) == sorted(moments)
    assert NOW - timedelta(days=3) < list(moments)[-1] < NOW


def test_two_organizations_stand_side_by_side(organization: Organization) -> None:
    other = generate(slug="other", size=Size(releases=3, receipts=12), now=NOW)

    assert check_chain(ChainCheck.objects.get(organization=other), NOW).problem == ""
    assert Receipt.objects.filter(organization=organization).count() == SIZE.receipts


def test_fewer_receipts_than_releases_bring_are_refused() -> None:
    with pytest.raises(ValueError, match="two receipts"):
        Size(releases=10, receipts=19)
