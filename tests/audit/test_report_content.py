"""What the report makes of an export: hostile text, erased openings, bounds; from the JSON alone."""

from typing import Any

import pytest

from audit.administration.applications import create_application
from audit.events import Event
from audit.exporting.exports import content_of
from audit.models import Opening, Receipt
from audit.report import content
from audit.report.charts import figures
from audit.report.content import Report, report_of
from audit.report.reading import Export, ReportError
from audit.report.rendering import render_report
from audit.report.verdicts import verified
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests import factories
from tests.audit.reported import (
    MANIFEST,
    REASON,
    append_override,
    append_run,
    document_of,
    exported,
    named_actor,
    reported,
    run_state,
)

pytestmark = pytest.mark.django_db
HOSTILE = "<script>1</script> {{ x }} \u202egnp.exe \x07\u2028\u200bZALGO" + "\u0301" * 40 + "\U0001f4a5" + "W" * 900

OF_ANY_FORM: tuple[dict[str, Any], ...] = (
    {},
    {"slices": "none", "reasons": 5, "aggregate": [], "judges": [1], "number": {"a": 1}},
    {"slices": [None, 3, {}, {"agreement": {"rho": "1e999", "ci90": ["x"]}}], "floors": [7], "limits": {}},
    {"slices": [{"name": None, "verdict": [], "quality": {"mean": True, "ci90": None, "reasons": "no"}}]},
)


@pytest.fixture
def organization() -> Organization:
    """With gate runs and an override."""
    return reported()


def told(organization: Organization) -> Report:
    """The report of everything."""
    return report_on(document_of(organization))


def report_on(document: bytes) -> Report:
    """The report of this JSON, without a trust file."""
    return report_of(Export(document), verified(document, None))


def test_gate_runs_are_told_with_their_slices_worst_first(organization: Organization) -> None:
    run = told(organization).runs[-1][0]
    assert (run.title, run.word) == ("r128, gate run 41", "Gate failed")
    assert run.slices[0].agreement.interval == "0.24 to 0.56"
    assert run.slices[0].change.shown == "−0.27"
    assert run.reasons == ("IP licensing: Agreement: 0.41 is 0.24 below the threshold of 0.65.",)


def test_the_chart_draws_a_failing_slice_left_of_its_threshold(organization: Organization) -> None:
    [figure] = figures(told(organization).runs[-1][0])
    mark = figure.rows[0].marks[0]
    assert mark.kind == "fail"
    assert float(mark.high) < float(mark.limit)


def test_an_override_names_who_asked_who_let_it_pass_and_why(organization: Organization) -> None:
    [override] = told(organization).overrides
    assert override.reason == REASON
    assert (override.requested_by, override.requested_id[:4]) == ("Mara Lindqvist", "prn_")
    assert (override.approved_by, override.approved_id[:4]) == ("John Okafor", "prn_")
    assert override.levels == (("ip-licensing", "0.66"),)
    assert [step.word for step in override.steps] == ["Requested", "Approved"]


def test_names_beside_an_override_serve_where_no_member_is_in_scope(organization: Organization) -> None:
    actor = named_actor(organization, "Ines Duarte", "release-manager")
    append_override(actor, Event.OVERRIDE_REQUESTED, actor, requested_by=actor.id, requested_by_name="Ines Duarte")
    [override] = report_on(document_of(organization, {"release": MANIFEST})).overrides
    assert override.requested_by == "Ines Duarte"


def test_without_openings_everything_is_told_as_erased(organization: Organization) -> None:
    Opening.objects.filter(receipt__organization=organization).delete()
    report = told(organization)
    run = report.runs[-1][0]
    assert run.is_erased
    assert run.inputs[0][:3] == ("agreement", "ip-licensing", "0.41")
    assert run.sentence == "the release 2b237c2ec910 failed its gate: ip-licensing did not pass."
    assert report.overrides[0].reason == REASON
    assert "erased" in report.timeline[0][0].note


def test_a_report_without_openings_is_still_printed(organization: Organization) -> None:
    Opening.objects.filter(receipt__organization=organization).delete()
    assert render_report(document_of(organization)).pages > 3


def test_hostile_text_is_printed_and_obeyed_by_nothing(organization: Organization, tmp_path: Any) -> None:
    actor = command_actor(organization)
    state = run_state(42, release=HOSTILE, previous=HOSTILE, reasons=[HOSTILE] * 50, suite=HOSTILE)
    state["slices"][0] |= {"name": HOSTILE, "evidence": HOSTILE}
    append_run(actor, Event.GATE_FAILED, state)
    append_override(actor, Event.OVERRIDE_REJECTED, actor, reason=HOSTILE, comment=HOSTILE)
    document = document_of(organization)
    report = report_on(document)
    shown = report.runs[-1][0].reasons[0]
    assert "[U+202E]" in shown
    assert "[U+1F4A5]" in shown
    assert "[U+0007]" in shown
    assert "more characters in the embedded JSON" in shown
    assert len(report.runs[-1][0].reasons) == 12
    assert render_report(document).pages > 3


def test_openings_of_any_form_are_no_reason_to_fall_over() -> None:
    made = factories.organization()
    for state in OF_ANY_FORM:
        append_run(command_actor(made), Event.GATE_HELD, state)
    document = document_of(made)
    assert len(report_on(document).runs) == len(OF_ANY_FORM)
    assert render_report(document).pages > 2


def test_a_long_chain_goes_on_in_the_json_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    made = factories.organization()
    for number in range(8):
        create_application(actor=command_actor(made), slug=f"app-{number}")
    monkeypatch.setattr(content, "MOST_RECEIPTS", 5)
    report = told(made)
    assert (report.count, report.timeline_left, report.timeline_shown) == (9, 4, 5)
    assert report.timeline[0][0].seq == 5


def test_an_organization_with_one_receipt_has_a_report() -> None:
    made = factories.organization()
    assert told(made).period.count("UTC") == 2


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"checkpoints":[],"keys":[', b"null"])
def test_bytes_that_are_no_export_are_refused(text: bytes) -> None:
    with pytest.raises(ReportError):
        Export(text)


def test_every_receipt_is_read_with_what_opens_it(organization: Organization) -> None:
    export = exported(organization, with_report=False)
    read = list(Export(b"".join(content_of(export))).receipts())
    rows = Receipt.objects.filter(organization=organization, seq__lte=export.upto).order_by("seq")
    for row, receipt in zip(rows, read, strict=True):
        assert receipt.receipt_hash == row.receipt_hash
        assert receipt.fields == {opening.field: opening.value for opening in row.openings.all()}
