"""Gate policies over REST: which holds, each change a revision with its receipt, administrators only."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.models import GatePolicy
from gates.policies.definition import Definition
from gates.policies.selectors import policy_for
from gates.policies.services import remove_policy, set_policy
from relcontrol.accounts.models import Application
from relcontrol.errors import Conflict, Forbidden, NotFound
from tests.factories import Api, application, person_actor
from tests.gates.scene import Scene, scene


@pytest.fixture
def legal(northgate: Scene) -> Application:
    return application(northgate.organization)


@pytest.fixture
def admin(northgate: Scene) -> Api:
    return northgate.person("admin")


def held(client: Api) -> dict[str | None, dict[str, Any]]:
    return {row["application"]: row for row in client.get("policies").json()["results"]}


def state_of(northgate: Scene) -> Any:
    return northgate.receipts()[-1].openings.get().value


def test_before_anybody_sets_one_the_products_defaults_hold(northgate: Scene, legal: Application) -> None:
    rows = held(northgate.reader)
    assert set(rows) == {None, "legal-assistant"}
    for row in rows.values():
        assert (row["policy_id"], row["revision"], row["source"]) == ("gate-policy", 0, "product")
        assert (row["max_per_case_regression"], row["parity_not_claimed"], row["override_hours"]) == (3, "hold", 24)
        assert row["sha256"] == Definition().sha256()


def test_a_policy_of_the_organization_holds_for_every_application(
    northgate: Scene, legal: Application, admin: Api
) -> None:
    answer = admin.post("policies", {"kind": "gate", "max_per_case_regression": "2.5", "floors": {"ragas": 0.78}})
    assert answer.status_code == 200, answer.json()
    assert answer.json() | {"source": "organization", "revision": 1, "floors": {"ragas": 0.78}} == answer.json()
    rows = held(northgate.reader)
    assert [row["max_per_case_regression"] for row in rows.values()] == [2.5, 2.5]
    assert rows["legal-assistant"]["policy_id"] == rows[None]["policy_id"]


def test_an_applications_own_policy_takes_no_field_of_the_organizations(
    northgate: Scene, legal: Application, admin: Api
) -> None:
    admin.post("policies", {"kind": "gate", "max_per_case_regression": 2, "override_hours": 4})
    own = admin.post("policies", {"kind": "gate", "application": "legal-assistant", "override_hours": 8}).json()
    assert (own["source"], own["override_hours"], own["max_per_case_regression"]) == ("application", 8, 3)
    assert held(northgate.reader)[None]["override_hours"] == 4


def test_what_is_left_out_of_a_change_stays(northgate: Scene, admin: Api) -> None:
    admin.post("policies", {"kind": "gate", "second_person": False, "tokens_fail_percent": None})
    after = admin.post("policies", {"kind": "gate", "override_hours": 12}).json()
    assert (after["second_person"], after["tokens_fail_percent"], after["revision"]) == (False, None, 2)


def test_a_change_leaves_a_receipt_with_the_whole_policy(northgate: Scene, legal: Application, admin: Api) -> None:
    made = admin.post("policies", {"kind": "gate", "application": "legal-assistant", "override_hours": 8}).json()
    predicate = northgate.last_statement()
    assert predicate["event"] == "policy.changed"
    assert predicate["decision"]["outcome"] == "created"
    assert predicate["decision"]["policy"] == {"id": made["policy_id"], "revision": 1, "sha256": made["sha256"]}
    receipt = northgate.receipts()[-1]
    assert (receipt.subject, receipt.application) == ("gate-policy:legal-assistant", "legal-assistant")
    assert state_of(northgate) | Definition(override_hours=8).as_json() == state_of(northgate)


def test_a_change_that_changes_nothing_writes_nothing(northgate: Scene, admin: Api) -> None:
    admin.post("policies", {"kind": "gate", "max_per_case_regression": 2})
    receipts = len(northgate.receipts())
    assert admin.post("policies", {"kind": "gate", "max_per_case_regression": "2.00"}).json()["revision"] == 1
    assert len(northgate.receipts()) == receipts


def test_a_change_on_an_old_revision_is_a_conflict_with_the_present_one(northgate: Scene, admin: Api) -> None:
    assert admin.post("policies", {"kind": "gate", "override_hours": 2, "expected_version": 0}).status_code == 200
    answer = admin.post("policies", {"kind": "gate", "override_hours": 3, "expected_version": 0})
    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "stale", {"revision": 1})
    assert GatePolicy.objects.get().definition["override_hours"] == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "rollout"}, "kind"),
        ({"max_per_case_regression": 0}, "max_per_case_regression"),
        ({"max_per_case_regression": "1e400"}, "max_per_case_regression"),
        ({"tokens_review_percent": 20}, "tokens_review_percent"),
        ({"floors": {"ragas": "NaN"}}, "floors.ragas"),
        ({"floors": {"Not a name": 1}}, "floors"),
        ({"override_hours": 200}, "override_hours"),
        ({"second_person": "yes"}, "second_person"),
        ({"threshold": 1}, "threshold"),
    ],
)
def test_an_invalid_field_is_named_and_nothing_is_written(
    northgate: Scene, admin: Api, wrong: dict[str, Any], field: str
) -> None:
    receipts = len(northgate.receipts())
    answer = admin.post("policies", {"kind": "gate", **wrong})
    assert answer.status_code == 422, answer.json()
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not GatePolicy.objects.exists()
    assert len(northgate.receipts()) == receipts


def test_only_an_administrator_sets_a_policy_and_everybody_reads_it(northgate: Scene) -> None:
    for client in (northgate.ci, northgate.person("release-manager"), northgate.person("domain-owner")):
        assert client.post("policies", {"kind": "gate", "override_hours": 2}).status_code == 403
        assert client.get("policies").status_code == 200
    assert not GatePolicy.objects.exists()


def test_another_organizations_application_is_not_found_and_its_policy_not_seen(
    northgate: Scene, eastgate: Scene, legal: Application
) -> None:
    theirs = eastgate.person("admin")
    answer = theirs.post("policies", {"kind": "gate", "application": legal.pk, "override_hours": 2})
    assert answer.status_code == 404
    northgate.person("admin").post("policies", {"kind": "gate", "override_hours": 2})
    assert held(theirs)[None]["source"] == "product"


def test_other_methods_are_not_allowed(northgate: Scene, admin: Api) -> None:
    assert admin.patch("policies", {}).status_code == 405


def test_a_removed_policy_gives_way_to_the_organizations_with_a_receipt(northgate: Scene, legal: Application) -> None:
    actor = person_actor(northgate.organization, "admin")
    whole = set_policy(actor=actor, application=None, override_hours=4)
    own = set_policy(actor=actor, application=legal, override_hours=8)
    assert policy_for(northgate.organization, legal).as_json() == own.as_json()
    assert remove_policy(actor=actor, application=legal).as_json() == whole.as_json()
    assert policy_for(northgate.organization, legal).as_json() == whole.as_json()
    decision = northgate.last_statement()["decision"]
    assert (decision["outcome"], decision["policy"]["id"]) == ("removed", whole.id)
    assert state_of(northgate)["removed"] == {"id": own.id, "revision": 1}


def test_the_organizations_policy_gives_way_to_the_products_defaults(northgate: Scene) -> None:
    actor = person_actor(northgate.organization, "admin")
    set_policy(actor=actor, application=None, override_hours=4)
    assert remove_policy(actor=actor, application=None).source == "product"
    with pytest.raises(NotFound):
        remove_policy(actor=actor, application=None)


def test_removing_takes_an_administrator_too(northgate: Scene) -> None:
    set_policy(actor=person_actor(northgate.organization, "admin"), application=None, override_hours=4)
    with pytest.raises(Forbidden):
        remove_policy(actor=person_actor(northgate.organization, "release-manager"), application=None)


def test_the_list_takes_the_same_queries_for_ten_applications_as_for_one(northgate: Scene, legal: Application) -> None:
    northgate.reader.get("policies")
    few = queries_of(northgate)
    for number in range(9):
        application(northgate.organization, f"more-{number}")
    assert queries_of(northgate) == few <= 5


def queries_of(northgate: Scene) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert northgate.reader.get("policies").status_code == 200
    return len(counted)


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_at_once_one_sets_the_policy_and_the_other_is_told() -> None:
    here = scene("together")
    actors = [person_actor(here.organization, *roles) for roles in (["admin"], ["admin", "viewer"])]
    both, outcomes = threading.Barrier(2), []

    def act(hours: int) -> None:
        try:
            both.wait(timeout=10)
            done = set_policy(actor=actors[hours], application=None, expected_revision=0, override_hours=hours + 1)
            outcomes.append(str(done.revision))
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["1", "stale"]
    assert GatePolicy.objects.filter(organization=here.organization).count() == 1
