"""What orders the worst answers: a halt and a rollback, in their own transaction, and nothing else."""

import pytest

from releases.observer_models import WorstAnswers
from releases.rolling import rolling_back
from releases.rolling.commands import command
from releases.rolling.rolling_back import roll_back
from tests.releases.canary import Canary, canary
from tests.releases.page_visitors import visitor
from tests.releases.rolling.readings import Readings, readings, walked
from tests.releases.rolling.watched import observer_of, rolled_back

__all__ = ["readings"]
WHY = "Answers on IP licensing are wrong."


@pytest.fixture
def here(db: None) -> Canary:
    """A stable release, and a candidate that may roll."""
    return canary()


def test_a_halt_has_its_worst_answers_looked_for(here: Canary) -> None:
    row = here.start()
    command(actor=here.manager, rollout_id=row.pk, name="halt", reason=WHY)
    job = WorstAnswers.objects.get()
    assert (job.kind, job.rollout_id, job.left_id, job.kept_id) == ("halt", row.pk, here.candidate.pk, here.stable.pk)
    assert job.event_receipt == row.steps.get(act="halted").receipt_hash


def test_promotions_and_pauses_have_none(here: Canary, readings: Readings) -> None:
    row = here.start()
    command(actor=here.manager, rollout_id=row.pk, name="pause", reason=WHY)
    command(actor=here.manager, rollout_id=row.pk, name="resume", reason=WHY)
    walked(row, 3)
    assert not WorstAnswers.objects.exists()


def test_an_automatic_rollback_has_its_worst_answers_looked_for(here: Canary, readings: Readings) -> None:
    walked(here.start(), 3)
    row = rolled_back(observer_of(here.route))
    assert row is not None
    job = WorstAnswers.objects.get(rollback=row)
    assert (job.kind, job.left_id, job.kept_id) == ("rollback", here.candidate.pk, here.stable.pk)
    assert job.event_receipt == row.receipt_hash


def test_a_persons_rollback_has_its_worst_answers_looked_for(here: Canary, readings: Readings) -> None:
    walked(here.start(), 3)
    row = roll_back(actor=here.manager, route=here.route, reason=WHY)
    assert WorstAnswers.objects.get().rollback_id == row.pk


def test_the_receipt_of_the_event_leads_to_them_and_no_other_does(here: Canary) -> None:
    row = here.start()
    command(actor=here.manager, rollout_id=row.pk, name="halt", reason=WHY)
    job = WorstAnswers.objects.get()
    auditor = visitor(here.organization, "auditor")
    link = f"/o/northgate/observe/worst/{job.pk}/"
    receipts = "/o/northgate/audit/receipts/"
    assert link in auditor.get(f"{receipts}{job.event_receipt}/").text
    assert link not in auditor.get(f"{receipts}{row.steps.get(act='started').receipt_hash}/").text


def test_the_pages_of_a_halted_rollout_and_of_a_route_that_was_rolled_back_lead_to_them(
    here: Canary, readings: Readings
) -> None:
    row, reader = here.start(), visitor(here.organization, "auditor")
    assert "observe/worst/" not in reader.get(f"/o/northgate/rollouts/{row.pk}/").text
    command(actor=here.manager, rollout_id=row.pk, name="halt", reason=WHY)
    job = WorstAnswers.objects.get()
    assert f"/o/northgate/observe/worst/{job.pk}/" in reader.get(f"/o/northgate/rollouts/{row.pk}/").text
    roll_back(actor=here.manager, route=here.route, reason=WHY)
    back = WorstAnswers.objects.get(kind="rollback")
    assert f"/o/northgate/observe/worst/{back.pk}/" in reader.get(f"/o/northgate/routes/{here.route.pk}/").text


def test_a_rehearsal_has_none(here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_back, "ensure_warm", lambda *_: None)
    walked(here.start(), 3)
    roll_back(actor=here.manager, route=here.route, reason=WHY, rehearse=True)
    assert not WorstAnswers.objects.exists()
