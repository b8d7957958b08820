"""Prompts: the list, the versions, the editor that changes nothing live (ten-failures.md 2)."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from relcontrol.web.word_differences import MAX_TOKENS, word_differences
from releases.artifacts import create_artifact
from releases.forms import lines_as_in
from releases.models import Artifact, ArtifactVersion, Release
from tests.factories import api, organization, service_token
from tests.releases.page_visitors import visitor
from tests.releases.scene import OTHER_PROMPT, PROMPT, PROMPT_VALUE, Scene, stable

PROMPTS = "/o/northgate/prompts/"
QA = f"{PROMPTS}templates/legal-qa/"
EDIT = f"{PROMPTS}templates/legal-qa/edit?from=v14"
PREVIEW = f"{PROMPTS}templates/legal-qa/preview?from=v14"
CEILING = 15


@pytest.fixture
def manager(northgate: Scene) -> Client:
    return visitor(northgate.organization, "release-manager")


def _form(**changes: str) -> dict[str, str]:
    full = {"version": "v16", "system": PROMPT_VALUE["system"], "user": "{{ input }}", "client_system": "append"}
    return full | changes


def test_the_list_shows_the_newest_version_and_where_the_prompt_serves(northgate: Scene, manager: Client) -> None:
    stable(northgate.registered()["release_id"])
    northgate.registered(prompt_template_ref=OTHER_PROMPT)
    [(row, count, serving)] = manager.get(PROMPTS).context["rows"]
    assert (row.ref, count, serving) == (OTHER_PROMPT, 1, ["domain legal serves v14"])


def test_the_first_use_shows_a_curl_that_works_as_it_stands(db: None) -> None:
    owner = organization("westgate")
    page = visitor(owner, "viewer").get("/o/westgate/prompts/")
    assert 'data-empty="first-use"' in page.text
    body = page.context["first_command"].partition("-d '")[2].removesuffix("'")
    assert api(service_token(owner, "releases:write")).post("artifacts", json.loads(body)).status_code == 201


def test_the_page_of_a_prompt_compares_two_versions(northgate: Scene, manager: Client) -> None:
    page = manager.get(QA)
    assert (page.context["shown"].version, page.context["against"].version) == ("v15", "v14")
    assert "<del>You answer legal questions.</del>" in page.text
    first = manager.get(QA, {"version": "v14"})
    assert first.context["against"] is None
    assert "You answer legal questions." in first.text


def test_a_prompt_whose_name_ends_like_an_address_has_its_page(northgate: Scene, manager: Client) -> None:
    create_artifact(actor=northgate.actor, ref="templates/edit@v1", value=PROMPT_VALUE)
    assert manager.get(f"{PROMPTS}templates/edit/").context["name"] == "templates/edit"
    assert manager.get(f"{PROMPTS}templates/edit/edit").context["name"] == "templates/edit"


@pytest.mark.parametrize("name", ["nothing", "preprocessing/tidy", "%00", "..%2f..", "a//b"])
def test_what_is_no_prompt_is_not_found(northgate: Scene, manager: Client, name: str) -> None:
    assert manager.get(f"{PROMPTS}{name}/").status_code == 404
    assert manager.get(f"{PROMPTS}{name}/edit").status_code == 404
    assert manager.post(f"{PROMPTS}{name}/preview", _form()).status_code == 404


def test_the_editor_proposes_the_next_version(northgate: Scene, manager: Client) -> None:
    form = manager.get(EDIT).context["form"]
    assert (form["version"].value(), form["system"].value()) == ("v16", PROMPT_VALUE["system"])


def test_saving_makes_a_new_version_and_leaves_the_old_and_the_route_as_they_were(
    northgate: Scene, manager: Client
) -> None:
    live = stable(northgate.registered()["release_id"])
    old = Artifact.objects.get(versions__version="v14").value
    page = manager.post(EDIT, _form(system="You answer questions."), follow=True)
    made = ArtifactVersion.objects.select_related("artifact").get(version="v16")
    assert made.artifact.value["system"] == "You answer questions."
    assert Artifact.objects.get(versions__version="v14").value == old
    assert Release.objects.get().manifest == live.manifest
    assert f"Nothing live changed: domain legal still serves {PROMPT} in r1." in page.text
    assert "<del>You answer legal questions.</del>" in page.text
    assert f"/o/northgate/releases/new?from={live.pk}&amp;prompt=templates/legal-qa%40v16" in page.text


def test_saving_leaves_a_receipt(northgate: Scene, manager: Client) -> None:
    _, before = northgate.written()
    manager.post(EDIT, _form(system="You answer questions."))
    assert northgate.written() == (0, before + 1)


def test_what_was_not_changed_is_not_saved(northgate: Scene, manager: Client) -> None:
    before = ArtifactVersion.objects.count()
    page = manager.post(EDIT, _form())
    assert page.status_code == 422
    assert "This is v14, character for character." in page.text
    assert ArtifactVersion.objects.count() == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"version": "v15", "system": "Other."}, "__all__"),
        ({"version": "not a version"}, "version"),
        ({"version": ""}, "version"),
        ({"client_system": "shout"}, "client_system"),
        ({"system": "\0"}, "system"),
        ({"system": "x" * 200_001}, "system"),
    ],
)
def test_what_cannot_be_saved_says_why_beside_its_field(
    northgate: Scene, manager: Client, wrong: dict[str, str], field: str
) -> None:
    before = northgate.written()
    page = manager.post(EDIT, _form(**wrong))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert northgate.written() == before


def test_line_ends_of_the_browser_do_not_change_a_text(northgate: Scene, manager: Client) -> None:
    value: dict[str, Any] = {"kind": "prompt_template", "system": "One.\nTwo.\n"}
    create_artifact(actor=northgate.actor, ref="lines@v1", value=value)
    page = manager.post(f"{PROMPTS}lines/edit", _form(version="v2", system="One.\r\nTwo.\r\n", user=""))
    assert "There is nothing to save" in page.text
    manager.post(f"{PROMPTS}lines/edit", _form(version="v2", system="One.\r\nThree.\r\n", user=""))
    assert ArtifactVersion.objects.get(name="lines", version="v2").artifact.value["system"] == "One.\nThree.\n"


def test_line_ends_follow_the_version_that_was_edited() -> None:
    assert lines_as_in("a\r\nb", "x\r\ny") == "a\r\nb"
    assert lines_as_in("a\r\nb", "x\ny") == "a\nb"
    assert lines_as_in("a\r\nb", "x\r\ny\nz") == "a\nb"
    assert lines_as_in("a\r\nb", "") == "a\nb"


def test_the_preview_finds_what_the_fast_gate_would_and_stores_nothing(northgate: Scene, manager: Client) -> None:
    before = northgate.written()
    page = manager.post(PREVIEW, _form(system="Answer {% if %}", version="")).text
    assert "is template logic" in page
    assert "12 characters shorter than v14" in page
    assert "<html" not in page
    assert northgate.written() == before


def test_the_preview_of_what_cannot_be_read_says_so(northgate: Scene, manager: Client) -> None:
    assert "Null characters are not allowed" in manager.post(PREVIEW, _form(system="\0")).text


def test_only_release_managers_edit(northgate: Scene) -> None:
    viewer = visitor(northgate.organization, "viewer", "auditor", "admin", "domain-owner")
    assert "To register releases one must be release manager" in viewer.get(EDIT).text
    assert "<textarea" not in viewer.get(EDIT).text
    assert "/edit?from=" not in viewer.get(QA).text
    assert viewer.post(EDIT, _form(system="Other.")).status_code == 403
    assert viewer.post(PREVIEW, _form()).status_code == 403
    assert not ArtifactVersion.objects.filter(version="v16").exists()


def test_an_outsider_and_who_is_signed_out_see_nothing(northgate: Scene, eastgate: Scene) -> None:
    outsider = visitor(eastgate.organization, "release-manager")
    assert {outsider.get(path).status_code for path in (PROMPTS, QA, EDIT)} == {404}
    assert {outsider.post(path, _form(system="x")).status_code for path in (EDIT, PREVIEW)} == {404}
    assert {Client().get(path).status_code for path in (PROMPTS, QA, EDIT)} == {302}
    assert not ArtifactVersion.objects.filter(version="v16").exists()


def test_script_tags_are_text(northgate: Scene, manager: Client) -> None:
    tag = "</textarea><script>alert(1)</script>"
    create_artifact(actor=northgate.actor, ref="evil@v1", value=PROMPT_VALUE | {"system": tag})
    pages = [f"{PROMPTS}evil/", f"{PROMPTS}evil/edit", f"{QA}?version={tag}"]
    texts = [manager.get(path).text for path in pages] + [manager.post(PREVIEW, _form(system=tag, user=tag)).text]
    assert not [text for text in texts if "<script>alert" in text]


@pytest.mark.parametrize("rows", [3, 30])
def test_lists_cost_the_same_at_any_length(northgate: Scene, manager: Client, rows: int) -> None:
    for number in range(rows):
        value = PROMPT_VALUE | {"system": str(number)}
        create_artifact(actor=northgate.actor, ref=f"p{number}@v1", value=value)
        create_artifact(actor=northgate.actor, ref=f"templates/legal-qa@n{number}", value=value)
    for path in (PROMPTS, QA):
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(path).status_code == 200
        assert len(captured) <= CEILING, path


def test_word_differences_keep_every_character_of_both_texts() -> None:
    before, after = "You may answer.\nNever guess.", "You must answer.\nNever ever guess!"
    runs = word_differences(before, after)
    assert runs is not None
    assert "".join(run.text for run in runs if run.kind != "new") == before
    assert "".join(run.text for run in runs if run.kind != "gone") == after


def test_texts_too_long_for_words_are_not_compared_by_them() -> None:
    assert word_differences("word " * MAX_TOKENS, "word") is None
