"""The list of releases and the page of one (ui.md screens 3 and 4)."""

import json
import re
from hashlib import sha256

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from releases.models import Release
from tests.releases.page_visitors import visitor
from tests.releases.scene import OTHER_MODEL, OTHER_PROMPT, PROMPT_VALUE, Scene, second_route, stable

LIST = "/o/northgate/releases/"
CEILING = 16


def _page(release_id: str, query: str = "") -> str:
    return f"{LIST}{release_id}{query}"


@pytest.fixture
def manager(northgate: Scene) -> Client:
    return visitor(northgate.organization, "release-manager")


def test_the_list_shows_each_release_with_what_it_changed(northgate: Scene, manager: Client) -> None:
    stable(northgate.registered()["release_id"])
    northgate.registered(prompt_template_ref=OTHER_PROMPT)
    page = manager.get(LIST).text
    assert page.index("legal-assistant r2") < page.index("legal-assistant r1")
    assert "prompt template v15" in page
    assert "first on its route" in page
    assert "No gate run" in page


def test_the_first_use_shows_a_curl_that_works_as_it_stands(northgate: Scene, manager: Client) -> None:
    page = manager.get(LIST)
    assert 'data-empty="first-use"' in page.text
    body = re.search(r"-d '(.*)'\Z", page.context["first_command"], re.DOTALL)
    assert body is not None
    assert northgate.ci.post("releases", json.loads(body[1])).status_code == 201


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?model=e4b", {"r2"}),
        ("?delivery=stable", {"r1"}),
        ("?application=legal-assistant", {"r1", "r2"}),
        ("?model=nothing", set()),
        ("?delivery=nonsense", set()),
        ("?model=%00", set()),
    ],
)
def test_filters_stand_in_the_address(northgate: Scene, manager: Client, query: str, shown: set[str]) -> None:
    stable(northgate.registered()["release_id"])
    northgate.registered(model_ref=OTHER_MODEL)
    page = manager.get(LIST + query)
    assert {row.release.name for row in page.context["rows"]} == shown
    assert ('data-empty="no-match"' in page.text) == (not shown)


def test_the_list_of_one_route_leaves_out_the_others(northgate: Scene, manager: Client) -> None:
    second_route(northgate)
    northgate.registered()
    pro = northgate.registered(routing={"domain": "legal", "tier": "pro"})
    page = manager.get(LIST, {"route": pro["route"]})
    assert [row.release.pk for row in page.context["rows"]] == [pro["release_id"]]


def test_the_list_goes_on_where_the_page_before_ended(
    northgate: Scene, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("releases.pages.paths.ROWS_PER_PAGE", 2)
    for seed in range(3):
        northgate.registered(generation={"seed": seed})
    first = manager.get(LIST)
    assert [row.release.name for row in first.context["rows"]] == ["r3", "r2"]
    second = manager.get(LIST, {"cursor": first.context["next_cursor"]})
    assert [row.release.name for row in second.context["rows"]] == ["r1"]
    assert second.context["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["AA", "%ff", "!"])
def test_a_forged_cursor_is_refused_and_never_an_error_of_ours(northgate: Scene, manager: Client, cursor: str) -> None:
    assert manager.get(f"{LIST}?cursor={cursor}").status_code in (200, 400)


def test_the_page_says_standing_delivery_and_the_next_action(northgate: Scene, manager: Client) -> None:
    page = manager.get(_page(northgate.registered()["release_id"]))
    assert page.context["title"] == "legal-assistant r1 is registered; no gate run has judged it yet."
    assert page.context["next_action"].startswith("Next: its gate run.")
    assert [(stage.title, stage.word) for stage in page.context["stages"]] == [
        ("Register", "Done"),
        ("Gate", "No gate run"),
        ("Roll", "Not yet"),
        ("Observe", "Not yet"),
    ]
    assert "a cold start" in page.text


def test_a_release_is_found_by_each_of_its_names(northgate: Scene, manager: Client) -> None:
    made = northgate.registered()
    digest = made["manifest_sha256"]
    for name in (made["release_id"], digest, digest[:12], "r1", "r1?application=legal-assistant"):
        page = manager.get(_page(name))
        assert (page.status_code, page.context["release"].pk) == (200, made["release_id"])


@pytest.mark.parametrize("name", ["r9", "r1?application=other", "rel_nothing", "0" * 64, "abc", "%00", "r1%00", "<b>"])
def test_what_is_no_release_is_not_found(northgate: Scene, manager: Client, name: str) -> None:
    northgate.registered()
    assert manager.get(_page(name)).status_code == 404


def test_the_difference_is_shown_by_lines_by_words_and_as_pointers(northgate: Scene, manager: Client) -> None:
    stable(northgate.registered()["release_id"])
    made = northgate.registered(prompt_template_ref=OTHER_PROMPT)["release_id"]
    assert "<ins>You answer law questions.</ins>" in manager.get(_page(made)).text
    words = manager.get(_page(made, "?view=words")).text
    assert "<del>legal</del>" in words
    assert ">law</ins>" in words
    assert "/prompt_template" in manager.get(_page(made, "?view=json")).text


def test_a_release_can_be_compared_with_any_other(northgate: Scene, manager: Client) -> None:
    northgate.registered()
    northgate.registered(model_ref=OTHER_MODEL)
    made = northgate.registered(prompt_template_ref=OTHER_PROMPT)["release_id"]
    page = manager.get(_page(made, "?against=r2"))
    changed = [row.change.component for row in page.context["differences"]]
    assert (page.context["against"].name, changed) == ("r2", ["model", "prompt_template"])


def test_comparing_with_what_is_not_there_says_so_and_shows_the_page(northgate: Scene, manager: Client) -> None:
    page = manager.get(_page(northgate.registered()["release_id"], "?against=r77"))
    assert page.status_code == 200
    assert "legal-assistant has no release r77." in page.text


def test_several_acknowledged_changes_are_said_to_be(northgate: Scene, manager: Client) -> None:
    first = northgate.registered()
    made = northgate.registered(
        model_ref=OTHER_MODEL,
        prompt_template_ref=OTHER_PROMPT,
        previous_release=first["manifest_sha256"],
        acknowledged_changes=["model", "prompt"],
    )
    page = manager.get(_page(made["release_id"]))
    assert page.text.count("the change was acknowledged") == 2
    assert page.context["changed"] == "model and prompt template"


def test_findings_of_the_fast_gate_stand_there_in_words(northgate: Scene, manager: Client) -> None:
    northgate.ci.post("artifacts", {"ref": "blank@v1", "value": PROMPT_VALUE | {"system": ""}})
    made = northgate.registered(prompt_template_ref="blank@v1")
    assert "The system prompt is empty" in manager.get(_page(made["release_id"])).text


def test_the_manifest_is_downloaded_as_the_bytes_that_were_hashed(northgate: Scene, manager: Client) -> None:
    made = northgate.registered()
    answer = manager.get(_page(made["release_id"], "/manifest.json"))
    assert sha256(answer.content).hexdigest() == made["manifest_sha256"]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_receipts_of_the_release_are_listed_with_their_links(northgate: Scene, manager: Client) -> None:
    made = northgate.registered()
    page = manager.get(_page(made["release_id"], "?tab=receipts"))
    [row] = page.context["receipts"]
    assert (row.words, row.by) == ("Release registered", "token ci")
    assert row.url in page.text


def test_a_viewer_sees_why_she_cannot_see_receipts(northgate: Scene) -> None:
    made = northgate.registered()
    viewer = visitor(northgate.organization, "viewer")
    page = viewer.get(_page(made["release_id"], "?tab=receipts"))
    assert "To read and export receipts one must be" in page.text
    assert "receipts" not in page.context
    assert "/audit/receipts/" not in page.text


def test_an_outsider_finds_nothing(northgate: Scene, eastgate: Scene) -> None:
    made = northgate.registered()["release_id"]
    outsider = visitor(eastgate.organization, "release-manager")
    paths = [LIST, _page(made), _page(made, "/manifest.json"), f"/o/eastgate/releases/{made}"]
    assert {outsider.get(path).status_code for path in paths} == {404}


def test_who_is_signed_out_is_sent_to_sign_in(northgate: Scene) -> None:
    made = northgate.registered()["release_id"]
    for path in (LIST, _page(made), _page(made, "/manifest.json")):
        assert Client().get(path).headers["Location"].startswith("/sign-in?next=/o/northgate/releases/")


def test_pages_that_only_show_take_no_post(northgate: Scene, manager: Client) -> None:
    assert manager.post(_page(northgate.registered()["release_id"])).status_code == 405
    assert manager.post(LIST).status_code == 405


def test_script_tags_are_shown_and_not_run(northgate: Scene, manager: Client) -> None:
    tag = "<script>alert(1)</script>"
    for version, system in (("v1", tag), ("v2", f"{tag}!")):
        northgate.ci.post("artifacts", {"ref": f"evil@{version}", "value": PROMPT_VALUE | {"system": system}})
    stable(northgate.registered(prompt_template_ref="evil@v1", components={"index": tag})["release_id"])
    made = northgate.registered(prompt_template_ref="evil@v2", components={"index": tag})["release_id"]
    for query in ("", "?view=words", "?view=json", f"?against={tag}"):
        page = manager.get(_page(made, query)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_and_the_page_cost_the_same_at_any_length(northgate: Scene, manager: Client, rows: int) -> None:
    for seed in range(rows):
        northgate.registered(generation={"seed": seed})
    newest = Release.objects.order_by("-number")[0].pk
    for path in (LIST, _page(newest), _page(newest, "?tab=receipts")):
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(path).status_code == 200
        assert len(captured) <= CEILING, path
