"""POST /v1/releases: what a registration makes, and what makes it again."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from audit.chain_checks import check_chain
from audit.models import ChainCheck, Receipt
from audit.verify import read_json
from relcontrol.accounts.models import Application
from relcontrol.clock import now
from releases.models import Artifact, ArtifactVersion, Release
from releases.registry.order import Order
from releases.registry.registration import register
from tests.factories import api, route, service_token
from tests.releases.scene import MODEL, OTHER_MODEL, OTHER_PROMPT, PREPROCESSING, PROMPT_VALUE, Scene, body, stable

GOLDEN = "e85deed581cfc2aca1b2a83b8cde7b57c785cc438472e7d798ca109f7270c98c"
GOLDEN_BUNDLE = "f3a11ec7b8c5c0da98581ac60232c8272222ebd932d3be4a25f17a61a366e7bb"
GENERATION = {"temperature": 0.20, "max_tokens": 800}


def test_the_golden_manifest_comes_out_of_the_api_byte_for_byte(northgate: Scene) -> None:
    made = northgate.registered(preprocessing_ref=PREPROCESSING, generation=GENERATION)
    manifest = northgate.ci.get(f"releases/{made['release_id']}/manifest")
    assert (made["manifest_sha256"], made["bundle_sha256"]) == (GOLDEN, GOLDEN_BUNDLE)
    assert manifest["ETag"] == f'"{GOLDEN}"'
    assert manifest["Content-Type"] == "application/json"
    assert json.loads(manifest.content)["generation"] == {"temperature": "0.2", "max_tokens": 800}


def test_the_shared_vectors_agree(northgate: Scene) -> None:
    shared = Path(os.environ.get("RELCONTROL_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
    file = shared / "vectors" / "digests.json"
    if not file.exists():
        pytest.skip(f"no shared vectors at {file}")
    vectors = json.loads(file.read_text(encoding="utf-8"))
    made = northgate.registered(preprocessing_ref=PREPROCESSING, generation=GENERATION)
    content = northgate.ci.get(f"releases/{made['release_id']}/manifest").content.decode()
    assert content == vectors["manifest"]["canonical"]
    assert made["bundle_sha256"] == vectors["bundle"]["sha256"]


def test_a_first_release_is_a_cold_start_named_r1(northgate: Scene) -> None:
    made = northgate.registered()
    assert (made["name"], made["cold_start"], made["changes"], made["previous_release"]) == ("r1", True, [], None)
    assert (made["standing"], made["delivery"], made["deployable"]) == ("none", "registered", False)
    assert made["why_not"]


def test_the_original_curl_call_works_without_a_content_type(northgate: Scene) -> None:
    first = northgate.registered()
    call = body(model_ref="Divinci-AI/gemma-4-e2b@a7c91f", previous_release=first["release_id"])
    call["prompt_template_ref"] = OTHER_PROMPT
    answer = northgate.ci.client.post(
        "/v1/releases", json.dumps(call), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 201
    assert [change["component"] for change in answer.json()["changes"]] == ["prompt_template"]


def test_the_same_manifest_again_is_the_same_release_and_writes_nothing(northgate: Scene) -> None:
    first = northgate.registered(generation={"temperature": 0.2})
    before = northgate.written()
    again = northgate.register(generation={"temperature": "0.20"})
    assert again.status_code == 200
    assert again.json() == first
    assert northgate.written() == before


def test_an_idempotency_key_repeats_the_answer(northgate: Scene) -> None:
    first = northgate.ci.post("releases", body(), Idempotency_Key="k1")
    second = northgate.ci.post("releases", body(), Idempotency_Key="k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


def test_a_registration_leaves_a_receipt_in_the_releases_own_chain(northgate: Scene) -> None:
    made = northgate.registered()
    receipt = Receipt.objects.get(event="release.registered")
    predicate = read_json(bytes(receipt.payload))["predicate"]
    assert predicate["release"] == {
        "manifest_sha256": made["manifest_sha256"],
        "id": made["release_id"],
        "route": made["route"],
    }
    assert predicate["delivery"] == {"from": None, "to": "registered"}
    assert predicate["chain"]["release_seq"] == 1


@pytest.mark.parametrize(
    ("fields", "claim"),
    [
        (
            {"model_ref": MODEL, "weights_sha256": "ab" * 32},
            {"provenance": "attested", "assurance": "declared", "manifest_sha256": "ab" * 32},
        ),
        (
            {"model_ref": MODEL},
            {"provenance": "not-claimed", "reason": "no-weights-digest", "assurance": "none"},
        ),
        (
            {"model_ref": "openai:gpt-5.1"},
            {"provenance": "not-claimed", "reason": "closed-api", "provider": "openai", "model": "gpt-5.1"},
        ),
    ],
)
def test_a_receipt_claims_no_more_of_the_weights_than_was_said(
    northgate: Scene, fields: dict[str, Any], claim: dict[str, Any]
) -> None:
    northgate.registered(**fields)
    receipt = Receipt.objects.get(event="release.registered")
    weights = read_json(bytes(receipt.payload))["predicate"]["weights"]
    assert claim.items() <= weights.items()


def test_the_receipts_of_a_registration_verify(northgate: Scene) -> None:
    northgate.registered(weights_sha256="ab" * 32)
    northgate.registered(model_ref="openai:gpt-5.1")
    check = check_chain(ChainCheck.objects.get(organization=northgate.organization), now())
    assert (check.problem, check.seq) == ("", Receipt.objects.filter(organization=northgate.organization).count())


def test_enclosed_artifacts_are_made_in_the_same_transaction_with_their_receipts(northgate: Scene) -> None:
    enclosed = [{"ref": "templates/new@v1", "value": PROMPT_VALUE | {"system": "Be brief."}}]
    made = northgate.registered(artifacts=enclosed, prompt_template_ref="templates/new@v1")
    assert made["refs"]["prompt_template"] == "templates/new@v1"
    events = list(Receipt.objects.order_by("seq").values_list("event", flat=True))[-2:]
    assert events == ["artifact.created", "release.registered"]


def test_a_refused_registration_leaves_no_enclosed_artifact(northgate: Scene) -> None:
    enclosed = [{"ref": "templates/new@v1", "value": PROMPT_VALUE | {"system": "Be brief."}}]
    before = northgate.written(), Artifact.objects.count(), ArtifactVersion.objects.count()
    answer = northgate.register(artifacts=enclosed, prompt_template_ref="templates/new@v1", dataset_version="none")
    assert answer.status_code == 422
    assert (northgate.written(), Artifact.objects.count(), ArtifactVersion.objects.count()) == before


def test_every_problem_of_enclosed_artifacts_is_named_with_its_place(northgate: Scene) -> None:
    enclosed = [{"ref": "../up@v1", "value": {"kind": "prompt_template"}}, {"ref": "a@v1", "value": {"kind": "x"}}]
    answer = northgate.register(artifacts=enclosed)
    fields = {error["field"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert fields == {"artifacts[0].ref", "artifacts[0].value.system", "artifacts[1].value.kind"}


def test_the_preprocessing_left_out_is_the_identity(northgate: Scene) -> None:
    made = northgate.registered()
    manifest = json.loads(northgate.ci.get(f"releases/{made['release_id']}/manifest").content)
    identity = northgate.ci.get(f"artifacts/{manifest['preprocessing']}").json()
    assert identity["value"] == {"kind": "preprocessing", "steps": []}


def test_unknown_refs_are_refused_together_with_the_names_near_them(northgate: Scene) -> None:
    before = northgate.written()
    answer = northgate.register(prompt_template_ref="templates/legal-qa@v41", dataset_version="scored-qa-legal-v4")
    messages = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert "templates/legal-qa@v14" in messages["prompt_template_ref"]
    assert "scored-qa-legal-v3" in messages["dataset_version"]
    assert northgate.written() == before


def test_an_artifact_of_another_kind_is_refused(northgate: Scene) -> None:
    answer = northgate.register(prompt_template_ref=PREPROCESSING)
    [error] = answer.json()["errors"]
    assert answer.status_code == 422
    assert error["field"] == "prompt_template_ref"
    assert "kind prompt_template is needed" in error["message"]


def test_a_ref_of_another_organization_is_unknown_here(northgate: Scene, eastgate: Scene) -> None:
    eastgate.ci.post("artifacts", {"ref": "templates/theirs@v1", "value": PROMPT_VALUE | {"system": "Theirs."}})
    answer = northgate.register(prompt_template_ref="templates/theirs@v1")
    assert answer.status_code == 422
    assert "theirs" not in answer.json()["errors"][0]["message"].replace("templates/theirs@v1", "")


def test_an_unknown_endpoint_of_a_model_is_refused(northgate: Scene) -> None:
    answer = northgate.register(model_ref="endpoint:vllm/gemma")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "model_ref")


def test_an_unknown_route_is_refused_with_the_routes_that_exist(northgate: Scene) -> None:
    answer = northgate.register(routing={"domain": "medical"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_route")
    assert '{"domain": "legal"}' in answer.json()["detail"]


def test_a_template_with_logic_is_stopped_by_the_fast_gate(northgate: Scene) -> None:
    enclosed = [{"ref": "templates/logic@v1", "value": PROMPT_VALUE | {"system": "{% if x %}Hi{% endif %}"}}]
    answer = northgate.register(artifacts=enclosed, prompt_template_ref="templates/logic@v1")
    assert (answer.status_code, answer.json()["code"]) == (422, "fast_gate")
    assert {error["field"] for error in answer.json()["errors"]} == {"prompt_template.system"}


def test_warnings_of_the_fast_gate_are_kept_with_the_release(northgate: Scene) -> None:
    enclosed = [{"ref": "templates/empty@v1", "value": PROMPT_VALUE | {"system": ""}}]
    made = northgate.registered(artifacts=enclosed, prompt_template_ref="templates/empty@v1")
    assert "empty_system" in [finding["code"] for finding in made["fast_gate"]["findings"]]


def test_a_bundle_that_serves_already_under_another_release_is_remarked(northgate: Scene) -> None:
    first = northgate.registered()
    made = northgate.registered(components={"git_commit": "a7c91f0"})
    remarks = [finding for finding in made["fast_gate"]["findings"] if finding["code"] == "same_bundle"]
    assert len(remarks) == 1
    assert first["manifest_sha256"][:12] in remarks[0]["message"]


def test_a_prompt_known_under_another_name_is_remarked(northgate: Scene) -> None:
    northgate.ci.post("artifacts", {"ref": "templates/copy@v1", "value": PROMPT_VALUE})
    made = northgate.registered(prompt_template_ref="templates/copy@v1")
    [remark] = [finding for finding in made["fast_gate"]["findings"] if finding["code"] == "same_content"]
    assert "templates/legal-qa@v14" in remark["message"]


def test_an_expected_manifest_that_is_right_registers(northgate: Scene) -> None:
    fields = {"preprocessing_ref": PREPROCESSING, "generation": GENERATION}
    assert northgate.registered(**fields, expected_manifest_sha256=GOLDEN)["manifest_sha256"] == GOLDEN


def test_an_expected_manifest_of_a_known_release_shows_the_difference(northgate: Scene) -> None:
    first = northgate.registered()
    before = northgate.written()
    answer = northgate.register(model_ref=OTHER_MODEL, expected_manifest_sha256=first["manifest_sha256"])
    assert (answer.status_code, answer.json()["code"]) == (409, "manifest_differs")
    assert answer.json()["state"]["difference"] == [
        {"field": "/model/ref", "expected": f"hf:{MODEL}", "got": f"hf:{OTHER_MODEL}"}
    ]
    assert northgate.written() == before


def test_an_unknown_expected_manifest_shows_the_one_that_would_be(northgate: Scene) -> None:
    answer = northgate.register(expected_manifest_sha256="0" * 64)
    assert answer.status_code == 409
    assert answer.json()["state"]["manifest"]["model"]["ref"] == f"hf:{MODEL}"


def test_the_default_baseline_is_what_the_route_serves(northgate: Scene) -> None:
    first = northgate.registered()
    stable(first["release_id"])
    made = northgate.registered(prompt_template_ref=OTHER_PROMPT)
    assert made["previous_release"] == first["manifest_sha256"]
    assert made["cold_start"] is False


def test_what_the_route_serves_registered_again_is_that_release(northgate: Scene) -> None:
    first = northgate.registered()
    second = northgate.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"])
    stable(second["release_id"])
    before = northgate.written()
    again = northgate.register(prompt_template_ref=OTHER_PROMPT)
    assert (again.status_code, again.json()["release_id"]) == (200, second["release_id"])
    assert northgate.written() == before


def test_a_previous_release_is_named_by_id_sha_or_prefix_alike(northgate: Scene) -> None:
    first = northgate.registered()
    sha = first["manifest_sha256"]
    ids = {
        northgate.register(prompt_template_ref=OTHER_PROMPT, previous_release=name).json()["release_id"]
        for name in (first["release_id"], sha, sha[:12], sha.upper())
    }
    assert len(ids) == 1


def test_a_previous_release_of_another_organization_is_not_known(northgate: Scene, eastgate: Scene) -> None:
    theirs = eastgate.registered(model_ref=OTHER_MODEL)
    for name in (theirs["release_id"], theirs["manifest_sha256"]):
        answer = northgate.register(previous_release=name)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "previous_release")


def test_releases_of_an_application_are_numbered_across_its_routes(northgate: Scene) -> None:
    route(northgate.application, domain="medical")
    names = [
        northgate.registered()["name"],
        northgate.registered(routing={"domain": "medical"})["name"],
        northgate.registered(model_ref=OTHER_MODEL)["name"],
    ]
    assert names == ["r1", "r2", "r3"]


def test_a_refused_registration_uses_up_no_number(northgate: Scene) -> None:
    northgate.registered()
    northgate.register(dataset_version="none")
    assert northgate.registered(model_ref=OTHER_MODEL)["name"] == "r2"
    assert Application.objects.get(pk=northgate.application.pk).release_count == 2


def test_another_scope_may_not_register(northgate: Scene) -> None:
    answer = api(service_token(northgate.organization, "gates:write")).post("releases", body())
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert Release.objects.count() == 0


def test_pages_can_register_through_the_same_service(northgate: Scene) -> None:
    done = register(actor=northgate.actor, order=Order(**body()))
    assert done.created
    assert done.release.name == "r1"
