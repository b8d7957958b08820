"""Judges over REST: of a model, of rules, composed of both, or working elsewhere; made once, with a receipt."""

from typing import Any

import pytest

from audit.administration.applications import create_endpoint
from gates.judges import DEFAULT_RULES, children_of, judge_for, judge_named
from gates.models import Judge
from gates.rule_judge.definition import DEFAULT, Rules
from gates.rule_judges import rules_for
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.errors import Invalid
from tests.gates.scene import Scene

PROMPT = {"system": "You are strict.", "user": "Question: {{ input }}\nAnswer: {{ answer }}"}
MODEL = {"name": "llm:rubric@1", "endpoint": "judges", "model": "judge-1", "prompt": PROMPT, "draws": 3}
STRICT = {"name": "rules:strict@1", "rules": {"max_chars": 2000}}
BOTH = {"name": "composition:both@1", "children": ["llm:rubric@1", "rules:strict@1"]}
ELSEWHERE = {"name": "external:legal-judge@9", "scale": [1, 5]}


@pytest.fixture
def here(northgate: Scene) -> Scene:
    create_endpoint(actor=northgate.actor, name="judges", base_url="http://127.0.0.1:9/v1", credential="")
    return northgate


def made(at: Scene, *bodies: Any) -> Any:
    """The last one, after the others."""
    answers = [at.ci.post("judges", body) for body in bodies]
    assert {answer.status_code for answer in answers} == {201}, [answer.content for answer in answers]
    return answers[-1].json()


def refused(at: Scene, body: Any, status: int = 422) -> dict[str, str]:
    """The fields that a refusal names, and that nothing was made."""
    before = Judge.objects.count()
    answer = at.ci.post("judges", body)
    assert (answer.status_code, Judge.objects.count()) == (status, before), answer.content
    return {error["field"]: error["message"] for error in answer.json().get("errors", [])}


def test_a_judge_that_is_a_model_is_made_with_its_prompt_and_the_digest_of_it(here: Scene) -> None:
    judge = made(here, MODEL)
    assert (judge["name"], judge["kind"], judge["scale"], judge["prompt"]) == (
        "llm:rubric@1",
        "llm",
        [1.0, 5.0],
        PROMPT,
    )
    definition = judge["definition"]
    assert definition["prompt"] == sha256_ref({"kind": "judge_prompt"} | PROMPT)
    assert (definition["endpoint"], definition["model"], definition["draws"]) == ("judges", "judge-1", 3)
    assert here.reader.get("judges/llm:rubric@1").json() == judge
    assert here.reader.get(f"judges/{judge['judge_id']}").json() == judge


def test_the_list_has_no_prompts(here: Scene) -> None:
    made(here, MODEL)
    [judge] = here.reader.get("judges").json()["results"]
    assert judge["name"] == "llm:rubric@1"
    assert "prompt" not in judge


@pytest.mark.parametrize("body", [MODEL, STRICT, ELSEWHERE], ids=["llm", "rules", "external"])
def test_every_new_judge_leaves_a_receipt_and_the_same_one_again_none(here: Scene, body: Any) -> None:
    judge = made(here, body)
    predicate = here.last_statement()
    assert predicate["event"] == "policy.changed"
    assert predicate["decision"]["policy"]["sha256"] == judge["sha256"]
    receipts = len(here.receipts())
    again = here.ci.post("judges", body)
    assert (again.status_code, again.json()) == (200, judge)
    assert (len(here.receipts()), Judge.objects.count()) == (receipts, 1)


@pytest.mark.parametrize(
    ("body", "other"),
    [
        (MODEL, MODEL | {"draws": 4}),
        (MODEL, MODEL | {"prompt": PROMPT | {"system": ""}}),
        (ELSEWHERE, ELSEWHERE | {"scale": [0, 1]}),
    ],
    ids=["draws", "prompt", "scale"],
)
def test_a_judge_never_changes(here: Scene, body: Any, other: Any) -> None:
    made(here, body)
    answer = here.ci.post("judges", other)
    assert (answer.status_code, answer.json()["code"]) == (409, "exists_already")
    assert "Take another version" in answer.json()["detail"]
    assert Judge.objects.count() == 1


def test_a_composition_is_made_of_the_digests_of_its_judges_rules_first(here: Scene) -> None:
    judge = made(here, MODEL, STRICT, BOTH)
    model, strict = (judge_named(here.organization, name) for name in ("llm:rubric@1", "rules:strict@1"))
    definition = judge["definition"]
    assert definition["children"] == [strict.sha256, model.sha256]
    assert (definition["aggregation"], definition["scale"], definition["draws"]) == ("veto", ["1", "5"], 3)
    assert judge["children"] == ["rules:strict@1", "llm:rubric@1"]
    again = here.ci.post("judges", BOTH | {"name": "composition:again@1", "children": BOTH["children"][::-1]})
    assert again.json()["sha256"] == judge["sha256"]


def test_the_default_rules_may_veto_although_nobody_made_them(here: Scene) -> None:
    judge = made(here, MODEL, BOTH | {"children": [DEFAULT_RULES, "llm:rubric@1"]})
    assert judge["children"] == [DEFAULT_RULES, "llm:rubric@1"]
    assert [child.name for child in children_of(Judge.objects.get(pk=judge["judge_id"]))] == judge["children"]


def test_a_composition_of_rules_alone_has_their_scale(here: Scene) -> None:
    judge = made(here, STRICT, BOTH | {"children": [DEFAULT_RULES, "rules:strict@1"]})
    assert judge["scale"] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("children", "field", "says"),
    [
        (["llm:rubric@1"], "children", "at least one judge of rules"),
        (["rules:strict@1", "rules:strict@1"], "children", "at least one judge of rules"),
        (["llm:rubric@1", "llm:other@1", "rules:strict@1"], "children", "one judge that is a model"),
        (["external:legal-judge@9", "rules:strict@1"], "children", "external cannot be part"),
        (["rules:nobody@1", "rules:strict@1"], "children[0]", "There is no judge rules:nobody@1"),
        (["rules:strict@1", 7], "children[1]", "string"),
        ("rules:strict@1", "children", "list"),
        (None, "children", "null"),
        (["rules:strict@1"] * 11, "children", "at most 10"),
    ],
    ids=str,
)
def test_a_composition_that_breaks_a_rule_is_refused(here: Scene, children: Any, field: str, says: str) -> None:
    made(here, MODEL, MODEL | {"name": "llm:other@1", "model": "judge-2"}, STRICT, ELSEWHERE)
    found = refused(here, BOTH | {"children": children})
    assert says in found[field]


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (MODEL | {"endpoint": "nowhere"}, "endpoint", "There is no endpoint nowhere. Known: judges."),
        (MODEL | {"draws": 0}, "draws", "from 1 to 15"),
        (MODEL | {"prompt": {"user": "{{ answer }}"}}, "prompt.user", "{{ input }} is missing"),
        (MODEL | {"prompt": {"user": 7}}, "prompt.user", "string"),
        (MODEL | {"scale": [5, 1]}, "scale", "lowest"),
        (MODEL | {"parameters": {"temperature": 9}}, "parameters.temperature", "from 0 to 2"),
        (MODEL | {"rules": {}}, "rules", "Unknown field"),
        (MODEL | {"rubric": "…"}, "rubric", "not known here"),
        (STRICT | {"endpoint": "judges"}, "endpoint", "Unknown field"),
        (ELSEWHERE | {"draws": 3}, "draws", "Unknown field"),
        (ELSEWHERE | {"scale": [1]}, "scale", "lowest"),
        (MODEL | {"name": "llm:rubric"}, "name", "KIND:NAME@VERSION"),
        (MODEL | {"name": "panel:rubric@1"}, "name", "KIND:NAME@VERSION"),
        (MODEL | {"name": "llm"}, "name", "KIND:NAME@VERSION"),
        (MODEL | {"name": "jdg_00000000000000000000000000"}, "name", "KIND:NAME@VERSION"),
    ],
    ids=str,
)
def test_a_judge_that_breaks_a_rule_is_refused_and_not_made(here: Scene, body: Any, field: str, says: str) -> None:
    receipts = len(here.receipts())
    found = refused(here, body)
    assert list(found) == [field]
    assert says in found[field]
    assert len(here.receipts()) == receipts


def test_viewers_and_tokens_without_the_scope_make_none(here: Scene) -> None:
    assert here.reader.post("judges", MODEL).status_code == 403
    assert here.person("viewer").post("judges", MODEL).status_code == 403
    assert not Judge.objects.exists()


def test_another_organizations_judge_endpoint_and_children_are_not_found(here: Scene, eastgate: Scene) -> None:
    judge = made(here, MODEL)
    assert eastgate.reader.get("judges/llm:rubric@1").status_code == 404
    assert eastgate.reader.get(f"judges/{judge['judge_id']}").status_code == 404
    assert "There is no endpoint judges. Nobody has made one yet." in refused(eastgate, MODEL)["endpoint"]
    assert set(refused(eastgate, BOTH)) == {"children[0]", "children[1]"}


@pytest.mark.parametrize("path", ["judges", "judges/llm:rubric@1"])
def test_judges_take_no_other_method(here: Scene, path: str) -> None:
    assert here.ci.patch(path, MODEL).status_code == 405


@pytest.mark.parametrize("name", ["llm:nobody@1", "composition:nobody@1", "rules:nobody@1"])
def test_a_run_that_names_a_judge_that_nobody_made_is_told_what_to_do(here: Scene, name: str) -> None:
    with pytest.raises(Invalid, match=f"There is no judge {name} here. Make it with POST /v1/judges"):
        judge_for(actor=here.actor, name=name, scale=None)
    assert not Judge.objects.exists()


def test_a_run_may_name_it(here: Scene) -> None:
    key = made(here, MODEL)["judge_id"]
    assert judge_for(actor=here.actor, name="llm:rubric@1", scale=None).pk == key


def test_an_external_judge_that_was_made_is_the_one_that_a_run_names(here: Scene) -> None:
    key = made(here, ELSEWHERE)["judge_id"]
    assert judge_for(actor=here.actor, name="external:legal-judge@9", scale=(1.0, 5.0)).pk == key


@pytest.mark.parametrize("name", ["llm:rubric@1", "composition:both@1"])
def test_a_slice_may_name_it(here: Scene, name: str) -> None:
    made(here, MODEL, STRICT, BOTH)
    assert here.ci.patch("slices/ip-licensing", {"judge": name}).json()["judge"] == name


def test_live_answers_are_scored_by_the_one_set_of_rules_of_a_composition(here: Scene) -> None:
    made(here, MODEL, STRICT, BOTH, BOTH | {"name": "composition:two@1", "children": [DEFAULT_RULES, "rules:strict@1"]})
    of = here.organization
    assert rules_for(of, "composition:both@1").rules == Rules(max_chars=2000)
    assert {rules_for(of, name).rules for name in ("llm:rubric@1", "composition:two@1")} == {DEFAULT}
