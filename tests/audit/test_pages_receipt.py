"""The receipt page: its address, its checks made here and now, and what it shows when something is wrong."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import verify
from audit.events import Event
from audit.models import Opening, Receipt
from audit.pages.receipts import verdict_of
from audit.receipts import Record, append
from audit.statement import ClosedApiWeights, DecisionInput, Policy, ReleaseRef
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests import factories
from tests.audit.test_chain_checks import tamper

pytestmark = pytest.mark.django_db
RECEIPTS = "/o/northgate/audit/receipts/"
MANIFEST = "cd" * 32
QUERIES = 24


@pytest.fixture
def northgate() -> Organization:
    """Receipts 1 to 6; the last two are gates of one release."""
    made = factories.organization()
    factories.application(made)
    factories.person(made, "auditor")
    for outcome, event in (("fail", Event.GATE_FAILED), ("pass", Event.GATE_PASSED)):
        record = Record(
            event=event,
            outcome=outcome,
            kind="release",
            name="r1",
            application="legal-assistant",
            release=ReleaseRef(MANIFEST),
            weights=ClosedApiWeights("openai", "gpt-5"),
            policy=Policy("ip-licensing", 7, "ef" * 32),
            inputs=[DecisionInput("agreement", "fail", "ip-licensing", "0.41", "0.65", ">=", "proven", 84)],
            state={"answer": "<script>alert(1)</script>"},
        )
        append(command_actor(made), record)
    return made


@pytest.fixture
def auditor(northgate: Organization) -> Client:
    """The auditor's browser."""
    client = Client()
    client.force_login(northgate.memberships.get(roles=["auditor"]).person)
    return client


def outcomes(auditor: Client, seq: int) -> dict[str, str]:
    """Check → outcome on the page of this number."""
    answer = auditor.get(f"{RECEIPTS}{seq}/", follow=True)
    assert answer.status_code == 200
    return {verdict.check: verdict.outcome for verdict in answer.context["examination"].verdicts}


def test_number_id_and_prefix_lead_to_the_permalink_by_hash(auditor: Client, northgate: Organization) -> None:
    row = Receipt.objects.get(organization=northgate, seq=5)
    for name in ("5", row.pk, row.receipt_hash[:12]):
        assert auditor.get(f"{RECEIPTS}{name}/")["Location"] == f"{RECEIPTS}{row.receipt_hash}/"
    assert auditor.get(f"{RECEIPTS}{row.receipt_hash}/").status_code == 200


@pytest.mark.parametrize("name", ["77", "rcp_nothing", "f" * 64, "abc", "%00"])
def test_what_is_no_receipt_here_is_not_found(auditor: Client, name: str) -> None:
    assert auditor.get(f"{RECEIPTS}{name}/").status_code == 404


def test_a_receipt_of_another_organization_is_not_found(auditor: Client) -> None:
    foreign = Receipt.objects.get(organization=factories.organization("southgate"))
    assert auditor.get(f"{RECEIPTS}{foreign.receipt_hash}/").status_code == 404
    assert auditor.get(f"{RECEIPTS}{foreign.receipt_hash}/envelope.json").status_code == 404


@pytest.mark.parametrize("seq", [1, 3, 5, 6])
def test_an_honest_receipt_holds_in_four_and_says_what_is_not_checked(auditor: Client, seq: int) -> None:
    assert outcomes(auditor, seq) == {
        "INTEGRITY": "holds",
        "AUTHENTICITY": "holds",
        "TIME": "not checked",
        "COMPLETENESS": "not checked",
        "WEIGHTS": "holds",
        "COVERAGE": "holds",
    }


def test_the_page_tells_decision_policy_inputs_and_weights(auditor: Client) -> None:
    shown = auditor.get(f"{RECEIPTS}5/", follow=True).content.decode()
    for words in (
        "Receipt 5: legal-assistant r1 failed its gate.",
        "policy ip-licensing, revision 7",
        "0.41",
        "proven",
        "behind the closed API of openai",
        "would end with code 3",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [
        ("pass", ("pass", "Pass")),
        ("ok", ("pass", "OK")),
        ("breach", ("fail", "Breach")),
        ("hold", ("hold", "Hold")),
        ("not_measured", ("skip", "Not measured")),
        ("dry:breach", ("skip", "Dry: breach")),
        ("of a later version", ("hold", "Of a later version")),
    ],
)
def test_each_verdict_of_an_input_has_its_shape(verdict: str, shown: tuple[str, str]) -> None:
    assert verdict_of({"verdict": verdict}) == shown


def test_long_evidence_stands_below_its_row(auditor: Client, northgate: Organization) -> None:
    evidence = "Within the limit of 1.20, and proven to be so. " * 5
    monitor = DecisionInput("errors", "ok", None, "1.1", "1.2", "<=", evidence, 1500)
    record = Record(event=Event.POLICY_CHANGED, outcome="changed", kind="slice", name="x", inputs=[monitor], state={})
    row = append(command_actor(northgate), record)
    shown = auditor.get(f"{RECEIPTS}{row.receipt_hash}/").text
    assert f'colspan="6">{evidence}</td>' in shown
    assert f"<td>{evidence}</td>" not in shown


def test_an_erased_opening_leaves_coverage_unchecked_and_the_receipt_whole(auditor: Client) -> None:
    Opening.objects.filter(receipt__seq=5).delete()
    found = outcomes(auditor, 5)
    assert (found["COVERAGE"], found["INTEGRITY"]) == ("not checked", "holds")


def test_personal_details_are_opened_beside_the_state(auditor: Client) -> None:
    shown = auditor.get(f"{RECEIPTS}4/", follow=True).content.decode()
    assert "personal.email" in shown
    assert "auditor@northgate.example" in shown
    assert "added auditor as auditor" in shown
    assert outcomes(auditor, 4)["COVERAGE"] == "holds"


def test_a_personal_detail_that_was_erased_is_counted_as_closed(auditor: Client) -> None:
    Opening.objects.filter(receipt__seq=4, field="personal.email").delete()
    answer = auditor.get(f"{RECEIPTS}4/", follow=True)
    assert "cannot be compared: personal.email" in answer.content.decode()
    assert [opening.field for opening, _ in answer.context["openings"]] == ["personal.name", "state"]


def test_an_opening_that_was_changed_fails_coverage(auditor: Client) -> None:
    Opening.objects.filter(receipt__seq=5).update(value={"answer": "another"})
    assert outcomes(auditor, 5)["COVERAGE"] == "fails"


def test_a_flipped_byte_fails_integrity_and_authenticity_and_shows_expected_and_got(auditor: Client) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 5")
    found = outcomes(auditor, 5)
    assert (found["INTEGRITY"], found["AUTHENTICITY"], found["WEIGHTS"]) == ("fails", "fails", "not checked")
    shown = auditor.get(f"{RECEIPTS}5/", follow=True).content.decode()
    assert "Receipt 5 does not verify." in shown
    assert "the bytes have another hash" in shown


def test_bytes_that_are_no_statement_are_not_shown_as_one(auditor: Client) -> None:
    tamper("UPDATE audit_receipt SET payload = '\\xff00'::bytea WHERE seq = 5")
    shown = auditor.get(f"{RECEIPTS}5/", follow=True).content.decode()
    assert "no statement that can be read" in shown


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE audit_receipt SET outcome = 'pass' WHERE seq = 5",
        "UPDATE audit_receipt SET application = 'medical' WHERE seq = 5",
        "UPDATE audit_receipt SET application = '' WHERE seq = 5",
    ],
)
def test_a_row_that_does_not_say_what_was_signed_is_caught(auditor: Client, edit: str) -> None:
    tamper(edit)
    assert outcomes(auditor, 5)["INTEGRITY"] == "fails"


def test_a_missing_neighbour_fails_completeness_and_breaks_the_strip(auditor: Client) -> None:
    tamper("DELETE FROM audit_opening")
    tamper("DELETE FROM audit_receipt WHERE seq = 4")
    assert outcomes(auditor, 5)["COMPLETENESS"] == "fails"
    assert "Link broken" in auditor.get(f"{RECEIPTS}5/", follow=True).content.decode()


def test_a_cut_tail_fails_completeness_of_the_one_before_it(auditor: Client) -> None:
    tamper("DELETE FROM audit_opening")
    tamper("DELETE FROM audit_receipt WHERE seq = 6")
    assert outcomes(auditor, 5)["COMPLETENESS"] == "fails"


def test_a_broken_receipt_breaks_the_strip_of_its_neighbour(auditor: Client, northgate: Organization) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 3")
    answer = auditor.get(f"{RECEIPTS}5/", follow=True)
    assert answer.context["examination"].broken == {4}
    assert outcomes(auditor, 4)["INTEGRITY"] == "fails"
    assert outcomes(auditor, 4)["AUTHENTICITY"] == "holds"


def test_an_honest_receipt_before_a_broken_one_holds_while_its_strip_is_marked(auditor: Client) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 3")
    answer = auditor.get(f"{RECEIPTS}2/", follow=True)
    assert answer.context["examination"].broken == {3, 4}
    assert answer.context["examination"].failures == ()
    assert "another on this strip is not" in answer.content.decode()


def test_a_changed_receipt_breaks_the_chain_of_its_release(auditor: Client) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 5")
    assert outcomes(auditor, 6)["INTEGRITY"] == "fails"


def test_the_downloaded_envelope_verifies_alone(auditor: Client, northgate: Organization) -> None:
    row = Receipt.objects.get(organization=northgate, seq=5)
    answer = auditor.get(f"{RECEIPTS}{row.receipt_hash}/envelope.json")
    assert "attachment" in answer["Content-Disposition"]
    envelope = json.loads(answer.content)
    assert verify.verify_envelope(envelope, trust_document(northgate)).receipt_hash == row.receipt_hash


def test_scripts_in_an_opening_are_escaped(auditor: Client) -> None:
    shown = auditor.get(f"{RECEIPTS}5/", follow=True).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_a_receipt_page_costs_the_same_anywhere_in_the_chain(auditor: Client, northgate: Organization) -> None:
    row = Receipt.objects.get(organization=northgate, seq=6)
    with CaptureQueriesContext(connection) as captured:
        auditor.get(f"{RECEIPTS}{row.receipt_hash}/")
    assert len(captured) <= QUERIES
