"""The anchors on the page of a receipt: a real time stamp and a real cosignature, checked when the page is shown."""

import base64
import html
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit import verify
from audit.anchor_models import Anchor, AnchorSink, AnchorTrust, Checkpoint
from audit.anchors.checkpoints import open_checkpoint
from audit.anchors.sending import Answer
from audit.anchors.sinks import change_sink
from audit.anchors.working import make_anchor
from audit.exporting.exports import content_of
from audit.keys.signing import LOG, load_signing_key, new_private_pem
from audit.log.notes import COSIGNATURE, cosign, parse_note, vkey
from audit.models import ExportPart, KeyringEntry, Receipt
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.running import run
from tests import factories
from tests.audit.anchors.authority import Authority, authority
from tests.audit.exports.anchored import exported
from tests.audit.test_chain_checks import tamper

pytestmark = pytest.mark.django_db
RECEIPTS = "/o/northgate/audit/receipts/"
NAME = "witness.example/w1"
WITNESS = load_signing_key(new_private_pem(), purpose=LOG)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def northgate(tsa: Authority, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """Some receipts, anchored by both, and those of the two anchors after."""
    made = factories.organization()
    factories.person(made, "auditor")
    factories.application(made)
    stamps = {"url": "http://tsa.example", "roots": [tsa.root], "policy": None}
    public = base64.b64encode(WITNESS.public).decode()
    witness = {"url": "http://witness.example", "name": NAME, "public_key": public}
    for name, kind, settings in (("stamps", "rfc3161", stamps), ("witness", "witness", witness)):
        AnchorSink.objects.create(organization=made, name=name, kind=kind, settings=settings, created_at=now())
    monkeypatch.setattr("audit.anchors.rfc3161.posted", lambda _url, body, _type: Answer(200, tsa.stamp(body)))
    monkeypatch.setattr("audit.anchors.witness.posted", _cosigned)
    open_checkpoint(organization=made, reason="asked", at=now())
    for row in Anchor.objects.order_by("sink__kind"):
        assert run(Anchor.objects.filter(pk=row.pk), make_anchor)
    return made


def _cosigned(_url: str, body: bytes, _type: str, **_more: float) -> Answer:
    note = body.partition(b"\n\n")[2].decode()
    return Answer(200, cosign(parse_note(note).text, NAME, WITNESS, int(time.time())).encode())


@pytest.fixture
def auditor(northgate: Organization) -> Client:
    client = Client()
    client.force_login(northgate.memberships.get(roles=["auditor"]).person)
    return client


def made_at() -> list[int]:
    """Numbers of the receipts of the anchors."""
    return list(Receipt.objects.filter(event="anchor.made").order_by("seq").values_list("seq", flat=True))


def outcomes(auditor: Client, seq: int) -> dict[str, tuple[str, str]]:
    """Check → outcome and what it proves, on the page of this number."""
    answer = auditor.get(f"{RECEIPTS}{seq}/", follow=True)
    return {one.check: (one.outcome, one.proves) for one in answer.context["examination"].verdicts}


def test_an_anchored_receipt_holds_in_time_and_is_complete(auditor: Client) -> None:
    found = outcomes(auditor, 2)
    seqs = made_at()
    assert found["TIME"][0] == "holds"
    assert f"Before #{seqs[0]}" in found["TIME"][1]
    seen = f"One witness has seen the log at {seqs[0] - 1} receipts; none is missing before."
    assert found["COMPLETENESS"] == ("holds", seen)
    shown = auditor.get(f"{RECEIPTS}2/", follow=True).content.decode()
    assert "and older than the anchor that covers it" in shown
    assert "Nobody can back-date one, not even with our key." in shown
    assert "All six checks hold." in shown


def test_a_receipt_after_an_anchor_names_it_and_waits_for_the_next(auditor: Client, northgate: Organization) -> None:
    factories.application(northgate, "later")
    newest = Receipt.objects.filter(organization=northgate).latest("seq")
    found = outcomes(auditor, newest.seq)
    assert found["TIME"][0] == "not checked"
    assert f"After anchor #{made_at()[-1]}" in found["TIME"][1]
    assert found["COMPLETENESS"][0] == "not checked"
    shown = auditor.get(f"{RECEIPTS}{newest.seq}/", follow=True).content.decode()
    assert "the next checkpoint will cover it" in shown


def test_a_receipt_that_is_not_the_anchored_one_fails(auditor: Client) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 2")
    answer = auditor.get(f"{RECEIPTS}2/", follow=True)
    said = [str(failure) for failure in answer.context["examination"].failures]
    assert any("does not hold this receipt" in each for each in said)
    assert outcomes(auditor, 2)["TIME"][0] == "not checked"
    assert outcomes(auditor, 3)["TIME"][0] == "holds"


def test_a_checkpoint_by_a_key_that_was_revoked_before_proves_nothing(auditor: Client, northgate: Organization) -> None:
    made_at_moment = Checkpoint.objects.get().created_at
    key = KeyringEntry.objects.filter(purpose=LOG)
    key.update(revoked_at=made_at_moment + timedelta(seconds=1))
    assert outcomes(auditor, 2)["TIME"][0] == "holds"
    key.update(revoked_at=made_at_moment - timedelta(seconds=1))
    found = outcomes(auditor, 2)
    assert [found[check][0] for check in ("INTEGRITY", "TIME", "COMPLETENESS")] == [
        "holds",
        "not checked",
        "not checked",
    ]
    answer = auditor.get(f"{RECEIPTS}2/", follow=True)
    assert "no key of the log that was good then" in answer.content.decode()


def test_evidence_that_was_swapped_proves_nothing_and_says_so(auditor: Client, other: Authority) -> None:
    with_another = {"url": "", "roots": [other.root], "policy": None}
    AnchorTrust.objects.filter(sink__kind="rfc3161").update(settings=with_another)
    assert outcomes(auditor, 2)["TIME"][0] == "not checked"
    assert "does not verify" in auditor.get(f"{RECEIPTS}2/", follow=True).content.decode()


def changed_and_switched_off(owner: Organization, root: str) -> None:
    """Both sinks have another root or key, and no sink is enabled any more."""
    stamps, witness = AnchorSink.objects.filter(organization=owner).order_by("kind")
    public = base64.b64encode(load_signing_key(new_private_pem(), purpose=LOG).public).decode()
    elsewhere: dict[AnchorSink, dict[str, Any]] = {
        stamps: {"url": "http://another.example", "roots": [root], "policy": "1.2.3.4.5"},
        witness: {"url": "http://another.example", "name": "another.example/w", "public_key": public},
    }
    for sink, settings in elsewhere.items():
        change_sink(actor=command_actor(owner), sink=sink, settings=settings, enabled=False)


def test_what_was_anchored_holds_after_its_sinks_were_changed_and_switched_off(
    auditor: Client, northgate: Organization, other: Authority
) -> None:
    before = outcomes(auditor, 2)
    changed_and_switched_off(northgate, other.root)
    assert outcomes(auditor, 2) == before
    assert (before["TIME"][0], before["COMPLETENESS"][0]) == ("holds", "holds")


def test_it_is_checked_by_hand_with_the_root_and_the_key_of_then(
    auditor: Client, northgate: Organization, tsa: Authority, other: Authority
) -> None:
    changed_and_switched_off(northgate, other.root)
    stamp, witness = Anchor.objects.order_by("sink__kind")
    page = f"/o/northgate/audit/anchors/{stamp.checkpoint_id}/"
    assert auditor.get(f"{page}{stamp.pk}/roots.pem").content.decode() == tsa.root
    assert witness.checkpoint_id == stamp.checkpoint_id
    assert vkey(NAME, WITNESS.public, COSIGNATURE) in html.unescape(auditor.get(page).text)


def test_the_trust_file_of_after_verifies_an_export_of_before(northgate: Organization, other: Authority) -> None:
    document = b"".join(content_of(exported(northgate), ExportPart.Kind.JSON))
    changed_and_switched_off(northgate, other.root)
    report = verify.verify_document(document, trust_document(northgate))
    verdicts = {one.check: one for one in report.verdicts}
    assert not report.failures
    assert verdicts["COMPLETENESS"].outcome == "holds"
    assert f"{NAME} saw" in verdicts["COMPLETENESS"].proves


def test_a_time_stamp_older_than_the_receipt_that_it_covers_fails_time(auditor: Client) -> None:
    late = now() + timedelta(hours=1)
    tamper("UPDATE audit_receipt SET issued_at = %s WHERE seq = 2", late.isoformat())
    answer = auditor.get(f"{RECEIPTS}2/", follow=True)
    said = [str(failure) for failure in answer.context["examination"].failures]
    assert any("dated after a time stamp that covers it" in each for each in said)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority whose root nobody here trusts."""
    return authority(tmp_path_factory.mktemp("other"))
