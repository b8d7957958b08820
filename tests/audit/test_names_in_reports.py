"""What a report calls a release: each application counts its own anew, so the name alone may mean several."""

import pytest

from audit.events import Event
from audit.receipts import Record, append
from audit.report.content import Report, report_of
from audit.report.reading import Export
from audit.report.verdicts import verified
from audit.statement import Delivery, ReleaseRef
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests.audit.reported import WEIGHTS, document_of, reported

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    """Two applications with a release r128."""
    made = reported()
    other = Record(
        event=Event.RELEASE_REGISTERED,
        outcome="registered",
        kind="release",
        name="r128",
        application="contract-desk",
        release=ReleaseRef("ef" * 32),
        delivery=Delivery(None, "registered"),
        weights=WEIGHTS,
        state={"id": "rel_other", "name": "r128"},
    )
    append(command_actor(made), other)
    return made


def report(document: bytes) -> Report:
    """The report of this JSON, without a trust file."""
    return report_of(Export(document), verified(document, None))


def test_with_several_applications_each_release_is_told_with_its_own(organization: Organization) -> None:
    told = report(document_of(organization))
    run = told.runs[-1][0]
    assert run.title == "legal-assistant r128, gate run 41"
    assert (
        run.sentence == "legal-assistant r128 failed its gate: IP licensing and Statutory interpretation did not pass."
    )
    assert told.overrides[0].title == "Override of the gate of legal-assistant r128"
    assert {"contract-desk r128", "legal-assistant r128"} <= {claim.release for claim in told.weights}
    assert "contract-desk contract-desk" not in told.timeline[-1][-1].words


def test_with_one_application_its_name_is_not_said_again(organization: Organization) -> None:
    told = report(document_of(organization, {"application": "legal-assistant"}))
    assert told.runs[-1][0].title == "r128, gate run 41"
