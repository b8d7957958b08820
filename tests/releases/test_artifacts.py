"""/v1/artifacts: content under its digest, names that never point elsewhere."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Receipt
from releases.artifact_selectors import newest_of_each_name, versions_of
from releases.artifacts import checked_artifact, next_version, store_artifacts
from releases.models import Artifact, ArtifactVersion
from tests.factories import api, service_token
from tests.releases.scene import PROMPT, PROMPT_VALUE, TIDY_VALUE, Scene

GOLDEN_PROMPT = "sha256:eacb95c6dfb3db9404ef2f7e4a37a2db4d90922a488c2a8d73d829cd603a7b7f"
GOLDEN_TIDY = "sha256:690b35b85a537ab2b6a64c14d52d17210dbcae08fdb609180657657364bfa3f2"
IDENTITY = "sha256:b8f39519f2b2b54efc2dff3f70afe845b49711d59da59ab9fdfe4a4ddba9f927"
FRESH = {"ref": "templates/fresh@v1", "value": {"kind": "prompt_template", "system": "Fresh."}}


def test_a_content_gets_its_golden_digest_and_defaults(northgate: Scene) -> None:
    answer = northgate.ci.post("artifacts", {"ref": "templates/golden@v1", "value": PROMPT_VALUE})
    assert (answer.status_code, answer.json()["sha256"]) == (201, GOLDEN_PROMPT)
    assert answer.json()["value"]["client_system"] == "append"


def test_the_same_again_is_the_same_and_writes_nothing(northgate: Scene) -> None:
    first = northgate.ci.post("artifacts", FRESH)
    receipts = Receipt.objects.count()
    second = northgate.ci.post("artifacts", FRESH)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Receipt.objects.count() == receipts


def test_a_name_is_never_given_to_other_content(northgate: Scene) -> None:
    northgate.ci.post("artifacts", FRESH)
    before = Artifact.objects.count(), ArtifactVersion.objects.count(), Receipt.objects.count()
    answer = northgate.ci.post("artifacts", FRESH | {"value": TIDY_VALUE | {"steps": []}})
    assert (answer.status_code, answer.json()["code"]) == (409, "artifact_exists")
    assert "templates/fresh@v2" in answer.json()["detail"]
    assert (Artifact.objects.count(), ArtifactVersion.objects.count(), Receipt.objects.count()) == before


def test_a_new_name_leaves_a_receipt(northgate: Scene) -> None:
    northgate.ci.post("artifacts", FRESH)
    receipt = Receipt.objects.order_by("-seq")[0]
    assert (receipt.event, receipt.subject) == ("artifact.created", "artifact:templates/fresh@v1")


def test_one_content_may_have_several_names(northgate: Scene) -> None:
    northgate.ci.post("artifacts", {"ref": "templates/again@v1", "value": PROMPT_VALUE})
    refs = northgate.ci.get(f"artifacts/{GOLDEN_PROMPT}").json()["refs"]
    assert refs == ["templates/again@v1", PROMPT]


@pytest.mark.parametrize("name", [PROMPT, GOLDEN_PROMPT, GOLDEN_PROMPT.removeprefix("sha256:")])
def test_an_artifact_is_found_by_ref_and_by_digest(northgate: Scene, name: str) -> None:
    found = northgate.ci.get(f"artifacts/{name}").json()
    assert (found["sha256"], found["value"]["system"]) == (GOLDEN_PROMPT, PROMPT_VALUE["system"])


def test_the_identity_preprocessing_is_there_without_being_made(northgate: Scene) -> None:
    found = northgate.ci.get(f"artifacts/{IDENTITY}")
    assert (found.status_code, found.json()["refs"]) == (200, [])


def test_artifacts_are_listed_newest_first_by_kind_and_name(northgate: Scene) -> None:
    prompts = northgate.ci.get("artifacts", kind="prompt_template").json()["results"]
    named = northgate.ci.get("artifacts", name="preprocessing/tidy").json()["results"]
    assert [row["ref"] for row in prompts] == ["templates/legal-qa@v15", PROMPT]
    assert [row["sha256"] for row in named] == [GOLDEN_TIDY]


def test_pages_of_artifacts_follow_each_other(northgate: Scene) -> None:
    first = northgate.ci.get("artifacts", limit="2").json()
    second = northgate.ci.get("artifacts", limit="2", cursor=first["next"]).json()
    refs = [row["ref"] for row in first["results"] + second["results"]]
    assert (len(refs), len(set(refs)), second["next"]) == (3, 3, None)


def test_artifacts_take_no_other_method(northgate: Scene) -> None:
    assert northgate.ci.patch("artifacts", FRESH).status_code == 405
    assert northgate.ci.post(f"artifacts/{PROMPT}", FRESH).status_code == 405


def test_another_organization_sees_none_of_them(northgate: Scene, eastgate: Scene) -> None:
    northgate.ci.post("artifacts", FRESH)
    digest = Artifact.objects.get(value__system="Fresh.").digest
    listed = eastgate.ci.get("artifacts").json()["results"]
    assert eastgate.ci.get("artifacts/templates/fresh@v1").status_code == 404
    assert eastgate.ci.get(f"artifacts/{digest}").status_code == 404
    assert "templates/fresh@v1" not in [row["ref"] for row in listed]


def test_another_scope_may_read_and_not_write(northgate: Scene) -> None:
    reader = api(service_token(northgate.organization, "audit:read"))
    before = ArtifactVersion.objects.count()
    assert reader.get(f"artifacts/{PROMPT}").status_code == 200
    assert reader.post("artifacts", FRESH).status_code == 403
    assert ArtifactVersion.objects.count() == before


@pytest.mark.parametrize(
    "ref",
    [
        "../etc/passwd@v1",
        "/a@v1",
        "a//b@v1",
        "a@",
        "@v1",
        "a",
        "a@v1@v2",
        "a/../b@v1",
        "a\u202eb@v1",
        "x" * 250 + "@v1",
    ],
)
def test_a_hostile_ref_is_refused_and_changes_nothing(northgate: Scene, ref: str) -> None:
    before = ArtifactVersion.objects.count(), Artifact.objects.count(), Receipt.objects.count()
    answer = northgate.ci.post("artifacts", FRESH | {"ref": ref})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "ref")
    assert (ArtifactVersion.objects.count(), Artifact.objects.count(), Receipt.objects.count()) == before


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a@v1/../b", "sha256:12", "sha256:" + "g" * 64, "a%00b@v1", "é@v1"]
)
def test_a_hostile_name_is_not_found(northgate: Scene, name: str) -> None:
    assert northgate.ci.get(f"artifacts/{name}").status_code == 404


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"kind": "prompt_template"}, "value.system"),
        ({"kind": "prompt_template", "system": "x", "extra": 1}, "value.extra"),
        ({"kind": "preprocessing", "steps": [{"op": "explode"}]}, "value.steps[0].op"),
        ({"kind": "few_shot"}, "value"),
        ({"system": "x"}, "value.kind"),
    ],
)
def test_a_content_that_breaks_its_rules_is_refused_by_field(northgate: Scene, value: Any, field: str) -> None:
    answer = northgate.ci.post("artifacts", {"ref": "a@v1", "value": value})
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_script_tags_are_kept_as_the_text_that_they_are(northgate: Scene) -> None:
    text = "<script>alert(1)</script>"
    value = {"kind": "prompt_template", "system": text}
    northgate.ci.post("artifacts", {"ref": "templates/tags@v1", "value": value})
    answer = northgate.ci.get("artifacts/templates/tags@v1")
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json()["value"]["system"] == text


@pytest.mark.parametrize(
    ("versions", "following"),
    [([], "v1"), (["v9", "v10"], "v11"), (["2"], "3"), (["rc1", "v3"], "v4"), (["beta"], "v1")],
)
def test_the_next_version_follows_the_highest_number(northgate: Scene, versions: list[str], following: str) -> None:
    for number, version in enumerate(versions):
        value = {"kind": "prompt_template", "system": f"n{number}"}
        northgate.ci.post("artifacts", {"ref": f"templates/n@{version}", "value": value})
    assert next_version(organization=northgate.organization, name="templates/n") == following


def test_the_list_of_prompts_shows_the_newest_of_each_name(northgate: Scene) -> None:
    northgate.ci.post("artifacts", FRESH)
    rows = newest_of_each_name(northgate.organization)
    assert [row.ref for row in rows] == ["templates/fresh@v1", "templates/legal-qa@v15"]
    assert [row.version for row in versions_of(northgate.organization, "templates/legal-qa")] == ["v15", "v14"]


def test_contents_and_names_are_written_in_one_order_whatever_order_they_were_sent_in(northgate: Scene) -> None:
    """Two requests that share several would lock each other out if each wrote them in its own order."""
    sent = [checked_artifact(f"templates/{name}@v1", {"kind": "prompt_template", "system": name}) for name in "fbdaec"]
    assert [named.digest for named in sent] != sorted(named.digest for named in sent)
    with CaptureQueriesContext(connection) as captured:
        store_artifacts(northgate.actor, sent)
    contents, names = [query["sql"] for query in captured if query["sql"].startswith("INSERT")]
    digests = [contents.index(digest) for digest in sorted(named.digest for named in sent)]
    places = [names.index(f"templates/{name}") for name in "abcdef"]
    assert (digests, places) == (sorted(digests), sorted(places))
