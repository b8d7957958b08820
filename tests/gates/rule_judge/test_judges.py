"""Judges of rules over REST: made once with a receipt, addressed by content, the default there for everybody."""

from typing import Any

import pytest

from gates.judges import DEFAULT_RULES, judge_digest, judge_for, rules_definition
from gates.models import Judge
from gates.rule_judge.definition import DEFAULT, Rules
from gates.rule_judges import rules_for
from relcontrol.errors import Invalid, NotFound
from tests.gates.scene import Scene

STRICT = {"name": "rules:strict@1", "rules": {"must_not_match": ["guarantee"], "max_chars": 2000}}


def made(here: Scene, body: Any = STRICT) -> Any:
    return here.ci.post("judges", body)


def test_a_judge_of_rules_is_made_with_its_digest(northgate: Scene) -> None:
    answer = made(northgate)
    assert answer.status_code == 201, answer.content
    judge = answer.json()
    definition = rules_definition(Rules(must_not_match=("guarantee",), max_chars=2000))
    assert (judge["name"], judge["kind"], judge["scale"]) == ("rules:strict@1", "rules", [0.0, 1.0])
    assert (judge["definition"], judge["sha256"]) == (definition, judge_digest(definition))
    assert northgate.reader.get("judges/rules:strict@1").json() == judge


def test_a_new_judge_leaves_a_receipt_with_the_digest_that_holds(northgate: Scene) -> None:
    judge = made(northgate).json()
    predicate = northgate.last_statement()
    assert predicate["event"] == "policy.changed"
    assert predicate["decision"]["policy"] == {"id": judge["judge_id"], "revision": 1, "sha256": judge["sha256"]}


def test_the_digest_is_that_of_the_rules_and_not_of_the_name(northgate: Scene) -> None:
    first, second = made(northgate).json(), made(northgate, STRICT | {"name": "rules:other@1"}).json()
    assert first["sha256"] == second["sha256"]
    assert made(northgate, {"name": "rules:third@1", "rules": {}}).json()["sha256"] != first["sha256"]


def test_the_same_judge_again_is_no_second_one(northgate: Scene) -> None:
    first = made(northgate).json()
    receipts = len(northgate.receipts())
    answer = made(northgate)
    assert (answer.status_code, answer.json()) == (200, first)
    assert len(northgate.receipts()) == receipts


def test_a_judge_never_changes(northgate: Scene) -> None:
    made(northgate)
    answer = made(northgate, STRICT | {"rules": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "exists_already")
    assert Judge.objects.get().definition["parameters"]["rules"]["max_chars"] == 2000


def test_the_default_rules_are_there_and_cannot_be_others(northgate: Scene) -> None:
    shown = northgate.reader.get(f"judges/{DEFAULT_RULES}").json()
    assert shown["definition"]["parameters"]["rules"] == DEFAULT.as_json()
    assert made(northgate, {"name": DEFAULT_RULES, "rules": {"refusal": False}}).status_code == 409
    assert made(northgate, {"name": DEFAULT_RULES, "rules": {}}).status_code == 200
    assert not Judge.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (STRICT | {"name": "external:strict@1"}, "rules"),
        (STRICT | {"name": "jdg_00000000000000000000000000"}, "name"),
        (STRICT | {"name": "rules:strict"}, "name"),
        (STRICT | {"rules": {"must_match": ["("]}}, "rules.must_match[0]"),
        (STRICT | {"rules": []}, "rules"),
        (STRICT | {"scale": [0, 1]}, "scale"),
        ({"name": "rules:strict@1"}, "rules"),
    ],
    ids=str,
)
def test_a_judge_that_breaks_a_rule_is_refused_and_not_made(northgate: Scene, body: Any, field: str) -> None:
    answer = made(northgate, body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Judge.objects.exists()


def test_viewers_and_tokens_without_the_scope_make_none(northgate: Scene) -> None:
    assert northgate.reader.post("judges", STRICT).status_code == 403
    assert northgate.person("viewer").post("judges", STRICT).status_code == 403
    assert not Judge.objects.exists()


def test_another_organizations_judge_is_not_found(northgate: Scene, eastgate: Scene) -> None:
    made(northgate)
    assert eastgate.reader.get("judges/rules:strict@1").status_code == 404


def test_judges_take_no_other_method(northgate: Scene) -> None:
    assert northgate.ci.patch("judges", STRICT).status_code == 405


@pytest.mark.parametrize("name", ["rules:strict@1", DEFAULT_RULES, "external:not-heard-of-yet@1"])
def test_a_slice_may_name_a_judge_that_can_score(northgate: Scene, name: str) -> None:
    made(northgate)
    answer = northgate.ci.patch("slices/ip-licensing", {"judge": name})
    assert (answer.status_code, answer.json()["judge"]) == (200, name)


def test_a_slice_may_name_a_judge_by_its_id(northgate: Scene) -> None:
    key = made(northgate).json()["judge_id"]
    assert northgate.ci.patch("slices/ip-licensing", {"judge": key}).json()["judge"] == key


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"judge": "rules:nobody@1"}, "judge"), ({"match": {"judge": "rules:nobody@1"}}, "match.judge")],
)
def test_a_slice_names_no_judge_that_nobody_made(northgate: Scene, fields: dict[str, Any], field: str) -> None:
    before = northgate.reader.get("slices/ip-licensing").json()
    answer = northgate.ci.patch("slices/ip-licensing", fields)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["field"], "POST /v1/judges" in error["message"]) == (field, True)
    assert northgate.reader.get("slices/ip-licensing").json() == before


def test_a_judge_of_another_organization_is_none_here(northgate: Scene, eastgate: Scene) -> None:
    made(northgate)
    assert eastgate.ci.patch("slices/ip-licensing", {"judge": "rules:strict@1"}).status_code == 422


def test_a_gate_run_can_name_the_default_rules_and_none_that_nobody_made(northgate: Scene) -> None:
    assert judge_for(actor=northgate.actor, name=DEFAULT_RULES, scale=None).name == DEFAULT_RULES
    with pytest.raises(Invalid, match="There is no judge rules:nobody@1"):
        judge_for(actor=northgate.actor, name="rules:nobody@1", scale=None)


def test_a_slice_is_scored_by_its_own_rules_else_by_the_default(northgate: Scene) -> None:
    judge = made(northgate).json()
    judge_for(actor=northgate.actor, name="external:legal-judge@9", scale=None)
    external = Judge.objects.get(name="external:legal-judge@9")
    of = northgate.organization
    assert {rules_for(of, name).name for name in ("", "external:a@1", external.pk)} == {DEFAULT_RULES}
    assert {rules_for(of, name).name for name in ("rules:strict@1", judge["judge_id"])} == {"rules:strict@1"}
    assert rules_for(of, "rules:strict@1").rules == Rules(must_not_match=("guarantee",), max_chars=2000)
    with pytest.raises(NotFound):
        rules_for(of, "rules:nobody@1")
