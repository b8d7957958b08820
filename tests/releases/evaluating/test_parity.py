"""What is evaluated is what serves: a gateway and an evaluation send a model server the same body for the same case."""

import json
from pathlib import Path
from typing import Any

import pytest

from gates.run_models import CaseResult, GateRun
from relcontrol.ticks import work
from releases.artifacts import create_artifact
from releases.gateway import rendering
from releases.routing.document import routing_document
from tests.gates.runs.stage import Row
from tests.releases.evaluating.servers import At, last_of_user, model_server
from tests.releases.evaluating.stage import SLUG, evaluated
from tests.releases.gateway.control.signed import ORIGIN, envelope
from tests.releases.gateway.control.signed import SLUG as NAME
from tests.releases.gateway.scene import KEY, _key, started
from tests.releases.gateway.upstreams import Upstream, servers
from tests.releases.scene import stable
from tests.waiting import until

TIDY = {"kind": "preprocessing", "steps": [{"op": "collapse_whitespace"}, {"op": "lowercase", "field": "input"}]}
TEMPLATE = {"kind": "prompt_template", "system": "You answer SHORTLY.", "user": "Question: {{ input }}"}
EXAMPLES = {"kind": "few_shot", "examples": [{"input": "May we AUDIT?", "output": "Yes."}]}
SETTINGS = {"temperature": "0.2", "max_tokens": 64, "seed": 7}
CASE: Row = {"case_id": "c1", "slice": SLUG, "input": "  May  AFFILIATES of\nÖkostrom use   the licence?  "}


@pytest.mark.django_db(transaction=True)
def test_the_gateway_and_the_evaluation_send_the_same_body(tmp_path: Path) -> None:
    with servers() as both:
        here = evaluated(At(f"{both.url}/v1"), [CASE])  # type: ignore[arg-type]  # only its address is used
        release = here.register(**_refs(here))
        work("gate-run", here.asked(release).pk)
        stable(release.pk)
        payload = json.loads(routing_document(here.stage.organization).payload)
        for application in payload["applications"]:
            application["keys"] = [_key("apk_1", KEY, None)]
        both.edge.envelope = envelope(payload | {"organization": NAME, "origin": ORIGIN})
        with started(tmp_path, both, workers="1") as gateway:
            until(lambda: _is_ready(gateway), 20, "the gateway is ready")
            assert gateway.chat(said=CASE["input"]).status == 200
        by_evaluation, by_gateway = _answers(both.upstream)
    assert by_gateway == by_evaluation
    assert by_evaluation["messages"][-1]["content"] == "Question:  may affiliates of ökostrom use the licence? "
    assert CaseResult.objects.get().output


@pytest.mark.django_db
def test_a_release_that_lower_cases_is_evaluated_on_the_lower_cased_text() -> None:
    with model_server(lambda body: f"I was asked: {last_of_user(body)}") as server:
        here = evaluated(server, [CASE], slices={SLUG: {"threshold": "0.65", "judge": "rules:default@1"}})
        shown = here.evaluated(here.register(**_refs(here)))
    said = "I was asked: Question:  may affiliates of ökostrom use the licence? "
    assert CaseResult.objects.get(run=shown["gate_run_id"]).output == said
    assert (shown["parity"], GateRun.objects.get().candidate["bundle_sha256"]) == (
        "match",
        here.stage.releases[0].bundle_sha256,
    )


@pytest.mark.django_db
def test_every_body_is_made_by_the_gateways_own_function(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = rendering.rendered

    def noted(*args: Any) -> Any:
        made.append(original(*args))
        return made[-1]

    monkeypatch.setattr("releases.replays.rendering.rendered", noted)
    with model_server(lambda body: "Yes.") as server:
        here = evaluated(server, slices={SLUG: {"threshold": "0.65", "judge": "rules:default@1"}})
        here.evaluated(here.register())
        sent = [{name: value for name, value in one.body.items() if name != "stream"} for one in made]
        assert sorted(map(json.dumps, sent)) == sorted(map(json.dumps, server.asked))
        assert len(sent) == 4


def _refs(here: Any) -> dict[str, Any]:
    values = {"preprocessing/tidy@v1": TIDY, "templates/short@v1": TEMPLATE, "examples/one@v1": EXAMPLES}
    for ref, value in values.items():
        create_artifact(actor=here.stage.actor, ref=ref, value=value)
    refs = {"prompt_template_ref": "templates/short@v1", "preprocessing_ref": "preprocessing/tidy@v1"}
    return refs | {"components": {"few_shot": "examples/one@v1"}, "generation": SETTINGS}


def _answers(upstream: Upstream) -> list[Row]:
    return [body for body in upstream.asked if body["model"] == "answerer"]


def _is_ready(gateway: Any) -> bool:
    try:
        return bool(gateway.ask("/readyz", key="").status == 200)
    except OSError:
        return False
