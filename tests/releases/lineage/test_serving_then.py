"""What served at a time is answered from receipts alone: the same as the rows say, and still when they are changed."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from audit.models import Opening, Receipt
from relcontrol.clock import now
from releases.lineage.citing import as_stored, decided_at
from releases.lineage.serving_then import served_at
from releases.rollout_models import Serving
from tests.factories import route as another_route
from tests.releases.lineage.walked import MOMENT, WHY, Walked, moments_around


def by_rows(route: Walked, at: datetime) -> str | None:
    rows = Serving.objects.filter(route=route.canary.route, since__lte=at).exclude(receipt_hash="a" * 64)
    row = rows.order_by("-since").first()
    return row.release.manifest_sha256 if row and (row.until is None or row.until > at) else None


def test_at_every_moment_receipts_and_rows_say_the_same(route: Walked) -> None:
    route.back()
    rows = route.servings
    assert len(rows) == 3
    for at in moments_around(rows):
        then = served_at(route.canary.route, at)
        assert (then.manifest if then else None) == by_rows(route, at), at


def test_it_says_since_when_until_when_why_and_by_which_generation(route: Walked) -> None:
    second, third = route.servings
    then = served_at(route.canary.route, second.since)
    assert then
    assert (then.since, then.until) == (second.since, third.since)
    assert (then.generation, then.reason) == (second.generation, second.reason)
    assert then.decision.receipt.receipt_hash == second.receipt_hash
    assert then.problems == ()
    last = served_at(route.canary.route, third.since)
    assert last
    assert last.until is None


def test_a_rollback_is_found_with_its_reason_and_who_ordered_it(route: Walked) -> None:
    row = route.back()
    then = served_at(route.canary.route, row.decided_at)
    assert then
    assert then.manifest == route.canary.candidate.manifest_sha256
    assert (then.reason, then.generation) == (WHY, row.generation)
    assert then.approvals[-1].words == "rolled the route back to it"
    assert then.approvals[-1].actor == route.canary.manager.id


def test_a_rehearsal_changes_nothing(route: Walked) -> None:
    row = route.back(rehearse=True)
    then = served_at(route.canary.route, row.decided_at + timedelta(hours=1))
    assert then
    assert then.manifest == route.third.manifest_sha256


def test_who_approved_it_are_those_who_let_it_through_and_started_it(route: Walked) -> None:
    then = served_at(route.canary.route, route.servings[-1].since)
    assert then
    assert [(each.words, each.actor, each.kind) for each in then.approvals] == [
        ("started its rollout", route.canary.manager.id, "person")
    ]
    assert [each.receipt.event for each in then.cited][:2] == ["release.registered", "rollout.started"]


def test_rows_that_were_changed_change_no_answer(route: Walked) -> None:
    second, third = route.servings
    Serving.objects.filter(pk=second.pk).update(release=third.release, since=now() - timedelta(days=9))
    Serving.objects.filter(pk=third.pk).delete()
    then = served_at(route.canary.route, second.since)
    assert then
    assert then.manifest == second.release.manifest_sha256
    assert then.until == third.since


def test_an_opening_that_was_changed_is_not_believed(route: Walked) -> None:
    row = route.back()
    opening = Opening.objects.get(receipt__receipt_hash=row.receipt_hash, field="state")
    Opening.objects.filter(pk=opening.pk).update(value=opening.value | {"target": route.third.manifest_sha256})
    then = served_at(route.canary.route, row.decided_at)
    assert then
    assert then.manifest is None
    assert any("is not what it committed to" in problem for problem in then.problems)


def test_where_the_opening_is_gone_it_says_that_it_is_not_disclosed(route: Walked) -> None:
    row = route.back()
    Opening.objects.filter(receipt__receipt_hash=row.receipt_hash).delete()
    then = served_at(route.canary.route, row.decided_at)
    assert then
    assert (then.manifest, then.undisclosed) == (None, True)
    assert any("does not disclose any more" in problem for problem in then.problems)


def test_a_receipt_whose_bytes_were_changed_is_named(route: Walked) -> None:
    _, third = route.servings
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET ROLE NONE")  # the owner; the end of the test's transaction takes it back
        cursor.execute("ALTER TABLE audit_receipt DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE audit_receipt SET signature = decode(repeat('00', 64), 'hex') WHERE receipt_hash = %s",
            [third.receipt_hash],
        )
    then = served_at(route.canary.route, third.since)
    assert then
    number = Receipt.objects.get(receipt_hash=third.receipt_hash).seq
    assert [problem for problem in then.problems if f"#{number}" in problem]


def test_while_a_candidate_rolls_it_is_named_with_its_share(route: Walked) -> None:
    second, third = route.servings
    moves = Receipt.objects.filter(
        manifest_sha256=route.third.manifest_sha256, event__in=["rollout.started", "checkpoint.promoted"]
    ).order_by("seq")
    shares = []
    for row in moves:
        at = served_at(route.canary.route, route_time(row))
        assert at
        assert at.beside
        assert at.manifest == second.release.manifest_sha256
        shares.append(at.beside.percent)
    assert shares == [5, 25, 100]
    done = served_at(route.canary.route, third.since)
    assert done
    assert done.beside is None


def route_time(row: Receipt) -> datetime:
    return decided_at(row, as_stored(row))


def test_before_the_first_decision_and_on_another_route_nothing_served(route: Walked) -> None:
    first = route.servings[0]
    assert served_at(route.canary.route, first.since - MOMENT) is None
    other = another_route(route.canary.scene.application, domain="medical")
    assert served_at(other, first.since) is None


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_any_time_that_can_be_written_has_an_answer(route: Walked, at: str) -> None:
    answer = route.canary.client("viewer").get(f"routes/{route.canary.route.pk}/serving", at=at)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["serving"] is None) == at.startswith("0001")


def test_the_call_names_who_approved_it_and_every_receipt(route: Walked) -> None:
    third = route.servings[-1]
    answer = route.canary.client("viewer").get(f"routes/{route.canary.route.pk}/serving", at=third.since.isoformat())
    said = answer.json()
    assert said["serving"]["release"] == third.release.name
    assert said["serving"]["receipt"] == third.receipt_hash
    assert said["approved_by"][0]["name"] == "release-manager"
    assert said["receipts"][-1]["receipt"] == third.receipt_hash
    assert (said["verified"], said["problems"]) == (True, [])
    assert all(each["verified"] for each in said["receipts"])
