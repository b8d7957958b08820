"""Sign-off and allowlist over REST: who may, what is answered, and nothing for outsiders."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.reviews.allowlist import propose
from gates.run_models import AllowlistEntry, SignOff
from tests.factories import Api
from tests.gates.reviews.scene import REASON, TWO_REVIEWS, Reviews, held_run, missing_entry

WHY = "The old answer was graded too high; the panel agreed on this on 3 November."
PROPOSAL = {"suite": "legal-v3", "case_id": "c1", "justification": WHY}
COMMENT = {"comment": "Read both answers; the new one is right."}


@pytest.fixture
def owner(here: Reviews) -> Api:
    return here.scene.person("domain-owner")


def entry_of(here: Reviews) -> AllowlistEntry:
    return propose(actor=here.scene.actor, suite=here.suite, case_id="c1", justification=WHY)


def test_a_sign_off_answers_what_is_left_and_what_it_does_not_lift(here: Reviews, owner: Api) -> None:
    run = held_run(here, *TWO_REVIEWS, missing_entry("tax"))
    answer = owner.post(f"gate-runs/{run.pk}/sign-off", {"reason": REASON, "items": ["limit:tokens"]})
    assert answer.status_code == 201, answer.json()
    signed = answer.json()
    assert (signed["signed"], signed["open"]) == (["limit:tokens"], ["slice:ip-licensing:agreement"])
    assert (signed["not_lifted"], signed["passes"]) == (["slice:tax"], False)


def test_a_run_is_signed_off_by_its_digest_too(here: Reviews, owner: Api) -> None:
    run = held_run(here)
    answer = owner.post(f"gate-runs/{run.gate_run_sha256}/sign-off", {"reason": REASON})
    assert (answer.status_code, answer.json()["passes"]) == (201, True)


def test_the_same_key_signs_once(here: Reviews, owner: Api) -> None:
    path = f"gate-runs/{held_run(here).pk}/sign-off"
    answers = [owner.post(path, {"reason": REASON}, Idempotency_Key="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert SignOff.objects.count() == 1


def test_a_second_sign_off_is_a_conflict_with_the_present_state(here: Reviews, owner: Api) -> None:
    run = held_run(here)
    owner.post(f"gate-runs/{run.pk}/sign-off", {"reason": REASON})
    answer = owner.post(f"gate-runs/{run.pk}/sign-off", {"reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_sign_off")
    assert answer.json()["state"] == {"gate_run_id": run.pk, "state": "done", "verdict": "gate_hold", "open": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "short"}, "reason"),
        ({"reason": 1}, "reason"),
        ({"reason": REASON, "items": []}, "items"),
        ({"reason": REASON, "items": ["slice:nowhere:quality"]}, "items"),
        ({"reason": REASON, "force": True}, "force"),
    ],
)
def test_an_invalid_sign_off_changes_nothing(here: Reviews, owner: Api, body: dict[str, Any], field: str) -> None:
    receipts = len(here.scene.receipts())
    answer = owner.post(f"gate-runs/{held_run(here).pk}/sign-off", body)
    assert answer.status_code == 422, answer.json()
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not SignOff.objects.exists()
    assert len(here.scene.receipts()) == receipts


def test_services_and_other_roles_may_not_sign_off(here: Reviews) -> None:
    run = held_run(here)
    for client in (here.scene.ci, here.scene.person("admin"), here.scene.person("auditor")):
        assert client.post(f"gate-runs/{run.pk}/sign-off", {"reason": REASON}).status_code == 403
    assert not SignOff.objects.exists()


def test_nothing_of_another_organization_is_found(here: Reviews, there: Reviews) -> None:
    run, entry = held_run(here), entry_of(here)
    stranger = there.scene.person("release-manager")
    assert stranger.post(f"gate-runs/{run.pk}/sign-off", {"reason": REASON}).status_code == 404
    for act in ("approve", "reject", "withdraw"):
        assert stranger.post(f"allowlist/{entry.pk}/{act}", COMMENT).status_code == 404
    assert stranger.post("allowlist", PROPOSAL | {"suite": here.suite.pk}).status_code == 404
    assert stranger.get("allowlist").json()["results"] == []


@pytest.mark.parametrize(
    "path", ["gate-runs/x/sign-off", "allowlist/x/approve", "allowlist/x/reject", "allowlist/x/withdraw"]
)
def test_a_decision_is_posted_and_nothing_else(here: Reviews, owner: Api, path: str) -> None:
    assert owner.get(path).status_code == 405
    assert owner.patch(path).status_code == 405
    assert owner.post(path, COMMENT | {"reason": REASON}).status_code == 404


def test_a_case_is_proposed_by_a_service_and_approved_by_a_person(here: Reviews, owner: Api) -> None:
    made = here.scene.ci.post("allowlist", PROPOSAL | {"until": "2036-01-01T00:00:00Z"})
    assert made.status_code == 201, made.json()
    entry = made.json()
    assert (entry["state"], entry["slice"], entry["proposed_by"]) == ("proposed", "ip-licensing", "ci")
    answer = owner.post(f"allowlist/{entry['allowlist_id']}/approve", COMMENT)
    assert answer.status_code == 200, answer.json()
    approved = answer.json()
    expected = entry | {"state": "active", "comment": COMMENT["comment"]}
    expected |= {name: approved[name] for name in ("reviewed_by", "reviewed_at")}
    assert approved == expected
    assert here.scene.reader.get("allowlist").json()["results"] == [approved]


@pytest.mark.parametrize(("act", "state"), [("reject", "rejected"), ("withdraw", "withdrawn")])
def test_an_entry_is_rejected_or_withdrawn(here: Reviews, owner: Api, act: str, state: str) -> None:
    answer = owner.post(f"allowlist/{entry_of(here).pk}/{act}", COMMENT)
    assert (answer.status_code, answer.json()["state"]) == (200, state)


def test_a_service_withdraws_and_never_reviews(here: Reviews) -> None:
    entry = entry_of(here)
    for act in ("approve", "reject"):
        assert here.scene.ci.post(f"allowlist/{entry.pk}/{act}", COMMENT).status_code == 403
    assert here.scene.ci.post(f"allowlist/{entry.pk}/withdraw", {}).status_code == 200


def test_other_roles_only_read_the_allowlist(here: Reviews) -> None:
    entry = entry_of(here)
    for client in (here.scene.person("viewer"), here.scene.reader):
        assert client.get("allowlist").status_code == 200
        assert client.post("allowlist", PROPOSAL | {"case_id": "c2"}).status_code == 403
        for act in ("approve", "reject", "withdraw"):
            assert client.post(f"allowlist/{entry.pk}/{act}", COMMENT).status_code == 403
    assert AllowlistEntry.objects.get().state == "proposed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"case_id": "c9"}, "case_id"),
        ({"justification": "short"}, "justification"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"limit": 3}, "limit"),
    ],
)
def test_an_invalid_proposal_changes_nothing(here: Reviews, owner: Api, change: dict[str, Any], field: str) -> None:
    answer = owner.post("allowlist", PROPOSAL | change)
    assert answer.status_code == 422, answer.json()
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not AllowlistEntry.objects.exists()


def queries_of(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert act().status_code == 200
    return len(counted)


def test_the_list_takes_the_same_queries_for_many_entries_as_for_one(here: Reviews) -> None:
    entry_of(here)
    here.scene.reader.get("allowlist")
    few = queries_of(lambda: here.scene.reader.get("allowlist"))
    for _ in range(9):
        AllowlistEntry.objects.update(state="rejected")
        entry_of(here)
    assert queries_of(lambda: here.scene.reader.get("allowlist")) == few <= 5
