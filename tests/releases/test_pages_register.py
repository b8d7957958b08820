"""The registration form: the same service as the API, errors beside their fields (issue 2 item 4)."""

from typing import Any

import pytest
from django.test import Client

from releases.models import Release
from tests.releases.page_visitors import visitor
from tests.releases.scene import MODEL, OTHER_MODEL, OTHER_PROMPT, PREPROCESSING, PROMPT, SUITE, Scene, stable

NEW = "/o/northgate/releases/new"


@pytest.fixture
def manager(northgate: Scene) -> Client:
    return visitor(northgate.organization, "release-manager")


def _filled(northgate: Scene, **changes: Any) -> dict[str, Any]:
    route = northgate.application.routes.get()
    full = {"route": route.pk, "model_ref": MODEL, "prompt_template_ref": PROMPT, "dataset_version": SUITE}
    return full | changes


def test_a_form_registers_what_the_api_would(northgate: Scene, manager: Client) -> None:
    form = _filled(northgate, temperature="0.20", max_tokens="300", stop="END\r\nSTOP", preprocessing_ref=PREPROCESSING)
    answer = manager.post(NEW, form)
    made = Release.objects.get()
    assert answer.headers["Location"] == f"/o/northgate/releases/{made.pk}"
    again = northgate.register(
        preprocessing_ref=PREPROCESSING, generation={"temperature": 0.2, "max_tokens": 300, "stop": ["END", "STOP"]}
    )
    assert (again.status_code, again.json()["manifest_sha256"]) == (200, made.manifest_sha256)


def test_the_same_again_leads_to_the_release_that_is_there(northgate: Scene, manager: Client) -> None:
    manager.post(NEW, _filled(northgate))
    before = northgate.written()
    page = manager.post(NEW, _filled(northgate), follow=True)
    assert "Exactly this is registered already, as legal-assistant r1. Nothing was written." in page.text
    assert northgate.written() == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"model_ref": "no such thing"}, "model_ref"),
        ({"prompt_template_ref": "templates/legal-qa@v99"}, "prompt_template_ref"),
        ({"preprocessing_ref": PROMPT}, "preprocessing_ref"),
        ({"dataset_version": "nothing"}, "dataset_version"),
        ({"temperature": "warm"}, "temperature"),
        ({"max_tokens": "-1"}, "max_tokens"),
        ({"weights_sha256": "x"}, "weights_sha256"),
        ({"previous_release": "rel_nothing"}, "previous_release"),
        ({"model_ref": ""}, "model_ref"),
        ({"route": "rte_of_somebody_else"}, "route"),
        ({"model_ref": "\0"}, "model_ref"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_is_written(
    northgate: Scene, manager: Client, wrong: dict[str, str], field: str
) -> None:
    before = northgate.written()
    page = manager.post(NEW, _filled(northgate, **wrong))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert northgate.written() == before


def test_three_changes_at_once_are_refused_naming_each_and_offered_as_boxes(northgate: Scene, manager: Client) -> None:
    stable(northgate.registered()["release_id"])
    form = _filled(northgate, model_ref=OTHER_MODEL, prompt_template_ref=OTHER_PROMPT, temperature="0.7")
    page = manager.post(NEW, form)
    assert page.status_code == 422
    assert page.context["form"].asks_for == ["model", "prompt_template", "generation"]
    assert page.text.count('name="acknowledged_changes"') == 3
    assert "checked" not in page.text
    assert Release.objects.count() == 1


def test_ticked_changes_and_a_named_baseline_are_accepted(northgate: Scene, manager: Client) -> None:
    first = northgate.registered()
    ticked = {"acknowledged_changes": ["model", "prompt_template"], "previous_release": first["release_id"]}
    manager.post(NEW, _filled(northgate, model_ref=OTHER_MODEL, prompt_template_ref=OTHER_PROMPT, **ticked))
    assert [change["component"] for change in Release.objects.get(number=2).changes] == ["model", "prompt_template"]


def test_after_several_changes_no_boxes_help(northgate: Scene, manager: Client) -> None:
    test_ticked_changes_and_a_named_baseline_are_accepted(northgate, manager)
    second = Release.objects.get(number=2)
    form = _filled(northgate, temperature="0.7", previous_release=second.pk)
    page = manager.post(NEW, form)
    assert page.status_code == 422
    assert "this one may change only one" in page.text
    assert 'name="acknowledged_changes"' not in page.text


def test_boxes_are_not_there_before_the_server_has_said_what_changed(northgate: Scene, manager: Client) -> None:
    assert 'name="acknowledged_changes"' not in manager.get(NEW).text


def test_a_form_from_a_release_changes_only_what_is_changed(northgate: Scene, manager: Client) -> None:
    components = {"index": "faiss-7", "git_commit": "abcdef1"}
    first = northgate.registered(
        components=components,
        weights_sha256="a" * 64,
        preprocessing_ref=PREPROCESSING,
        generation={"stop": ["END"], "temperature": "0.3"},
    )
    stable(first["release_id"])
    page = manager.get(NEW, {"from": first["release_id"], "prompt": OTHER_PROMPT})
    assert "git commit and index" in page.text
    bound = page.context["form"]
    manager.post(NEW, {field.name: field.value() or "" for field in bound if field.name != "acknowledged_changes"})
    made = Release.objects.get(number=2)
    assert [change["component"] for change in made.changes] == ["prompt_template"]


def test_a_form_from_a_release_that_does_not_serve_names_it_as_the_previous_one(
    northgate: Scene, manager: Client
) -> None:
    first = northgate.registered()
    page = manager.get(NEW, {"from": first["release_id"]})
    assert page.context["form"]["previous_release"].value() == first["release_id"]


def test_a_viewer_reads_why_she_may_not_and_cannot_post(northgate: Scene) -> None:
    viewer = visitor(northgate.organization, "viewer", "domain-owner")
    page = viewer.get(NEW)
    assert "To register releases one must be release manager" in page.text
    assert '<button class="btn btn-primary' not in page.text
    assert viewer.post(NEW, _filled(northgate)).status_code == 403
    assert not Release.objects.exists()


def test_an_outsider_and_who_is_signed_out_register_nothing(northgate: Scene, eastgate: Scene) -> None:
    outsider = visitor(eastgate.organization, "release-manager")
    assert outsider.post(NEW, _filled(northgate)).status_code == 404
    assert outsider.post("/o/eastgate/releases/new", _filled(northgate)).status_code == 422
    assert Client().post(NEW, _filled(northgate)).headers["Location"].startswith("/sign-in")
    assert not Release.objects.exists()


def test_a_base_of_another_organization_is_not_found(northgate: Scene, eastgate: Scene, manager: Client) -> None:
    foreign = eastgate.registered()["release_id"]
    assert manager.get(NEW, {"from": foreign}).status_code == 404
    assert manager.post(NEW, _filled(northgate, base=foreign)).status_code == 404


def test_script_tags_come_back_as_text(northgate: Scene, manager: Client) -> None:
    tag = "<script>alert(1)</script>"
    fields = ("model_ref", "prompt_template_ref", "dataset_version", "stop", "temperature", "previous_release")
    page = manager.post(NEW, _filled(northgate, **dict.fromkeys(fields, tag))).text
    assert "<script>alert" not in page
