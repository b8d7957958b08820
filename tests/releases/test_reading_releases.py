"""GET /v1/releases, one release, its canonical bytes, and the difference between two."""

import hashlib
import json

import pytest

from releases.models import Release
from releases.selectors import component_diff, release_named, serving_of
from tests.factories import Api, api, person, person_token, route, service_token
from tests.releases.scene import OTHER_MODEL, OTHER_PROMPT, PREPROCESSING, Scene, stable

PATHS = ("", "/manifest", "/diff")


def test_a_release_is_found_by_id_sha_and_prefix(northgate: Scene) -> None:
    made = northgate.registered()
    sha = made["manifest_sha256"]
    for name in (made["release_id"], sha, sha[:12], sha[:12].upper()):
        assert northgate.ci.get(f"releases/{name}").json() == made


@pytest.mark.parametrize("name", ["rel_unknown", "abc", "0" * 11, "0" * 12, "0" * 65, "r1", "zz" * 32, "rel_%00"])
def test_a_name_that_names_nothing_is_not_found(northgate: Scene, name: str) -> None:
    northgate.registered()
    for path in PATHS:
        assert northgate.ci.get(f"releases/{name}{path}").status_code == 404


def test_a_prefix_of_two_releases_names_neither(northgate: Scene) -> None:
    first, second = northgate.registered(), northgate.registered(model_ref=OTHER_MODEL)
    for number, made in enumerate((first, second)):
        Release.objects.filter(pk=made["release_id"]).update(manifest_sha256="ab" * 31 + f"0{number}")
    answer = northgate.ci.get("releases/" + "ab" * 6)
    assert answer.status_code == 404
    assert "More than one" in answer.json()["detail"]


def test_the_manifest_is_the_bytes_that_were_hashed(northgate: Scene) -> None:
    made = northgate.registered()
    answer = northgate.ci.get(f"releases/{made['release_id']}/manifest")
    assert hashlib.sha256(answer.content).hexdigest() == made["manifest_sha256"]


def test_a_manifest_that_the_client_has_is_not_sent_again(northgate: Scene) -> None:
    made = northgate.registered()
    etag = f'"{made["manifest_sha256"]}"'
    answer = northgate.ci.client.get(f"/v1/releases/{made['release_id']}/manifest", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


def test_releases_are_listed_newest_first_as_they_are_shown_alone(northgate: Scene) -> None:
    first = northgate.registered()
    second = northgate.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"])
    assert northgate.ci.get("releases").json()["results"] == [second, first]


def test_releases_are_filtered(northgate: Scene) -> None:
    medical = route(northgate.application, domain="medical")
    first = northgate.registered()
    second = northgate.registered(model_ref=OTHER_MODEL, routing={"domain": "medical"})
    stable(first["release_id"])
    listed = [
        [row["name"] for row in northgate.ci.get("releases", **wanted).json()["results"]]
        for wanted in (
            {"application": "legal-assistant"},
            {"application": "other"},
            {"application": northgate.application.pk},
            {"route": medical.pk},
            {"delivery": "stable"},
            {"model": "GEMMA-4-e4b"},
        )
    ]
    assert listed == [["r2", "r1"], [], ["r2", "r1"], [second["name"]], ["r1"], ["r2"]]


def test_an_unknown_delivery_is_refused(northgate: Scene) -> None:
    answer = northgate.ci.get("releases", delivery="flying")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "delivery")


def test_pages_of_releases_follow_each_other(northgate: Scene) -> None:
    for number in range(3):
        northgate.registered(generation={"seed": number})
    first = northgate.ci.get("releases", limit="2").json()
    second = northgate.ci.get("releases", limit="2", cursor=first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == ["r3", "r2", "r1"]
    assert second["next"] is None


def test_the_difference_is_against_the_previous_release_or_any_other(northgate: Scene) -> None:
    first = northgate.registered()
    second = northgate.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"])
    third = northgate.registered(
        prompt_template_ref=OTHER_PROMPT, preprocessing_ref=PREPROCESSING, previous_release=second["release_id"]
    )
    own = northgate.ci.get(f"releases/{third['release_id']}/diff").json()
    other = northgate.ci.get(f"releases/{third['release_id']}/diff", against=first["manifest_sha256"][:12]).json()
    assert [change["component"] for change in own["changes"]] == ["preprocessing"]
    assert [change["component"] for change in other["changes"]] == ["prompt_template", "preprocessing"]
    assert other["against"] == first["manifest_sha256"]


def test_a_preprocessing_differs_in_words_too(northgate: Scene) -> None:
    first = northgate.registered()
    second = northgate.registered(preprocessing_ref=PREPROCESSING, previous_release=first["release_id"])
    [change] = northgate.ci.get(f"releases/{second['release_id']}/diff").json()["changes"]
    assert json.loads(change["before_text"])["steps"] == []
    assert "collapse_whitespace" in change["after_text"]


def test_a_cold_start_differs_from_nothing(northgate: Scene) -> None:
    made = northgate.registered()
    answer = northgate.ci.get(f"releases/{made['release_id']}/diff").json()
    assert (answer["against"], answer["changes"]) == (None, [])


def test_a_difference_against_an_unknown_release_is_not_found(northgate: Scene, eastgate: Scene) -> None:
    made, theirs = northgate.registered(), eastgate.registered(model_ref=OTHER_MODEL)
    for other in ("rel_unknown", theirs["release_id"]):
        assert northgate.ci.get(f"releases/{made['release_id']}/diff", against=other).status_code == 404


def test_another_organization_sees_nothing_of_a_release(northgate: Scene, eastgate: Scene) -> None:
    made = northgate.registered(model_ref=OTHER_MODEL)
    for name in (made["release_id"], made["manifest_sha256"]):
        for path in PATHS:
            assert eastgate.ci.get(f"releases/{name}{path}").status_code == 404
    assert eastgate.ci.get("releases").json()["results"] == []


def test_every_member_may_read_and_only_release_managers_may_register(northgate: Scene) -> None:
    made = northgate.registered()
    for role in ("viewer", "domain-owner", "auditor", "admin"):
        client: Api = api(person_token(northgate.organization, person(northgate.organization, role)))
        assert client.get(f"releases/{made['release_id']}").status_code == 200
        assert client.post("releases", {}).status_code == 403
    manager = api(person_token(northgate.organization, person(northgate.organization, "release-manager")))
    assert manager.post("releases", {}).status_code == 422


def test_releases_take_no_other_method(northgate: Scene) -> None:
    made = northgate.registered()
    assert northgate.ci.patch("releases", {}).status_code == 405
    for path in PATHS:
        assert northgate.ci.post(f"releases/{made['release_id']}{path}", {}).status_code == 405


def test_nobody_reads_without_a_token(northgate: Scene) -> None:
    made = northgate.registered()
    for path in ("releases", *(f"releases/{made['release_id']}{path}" for path in PATHS), "artifacts"):
        assert api("rc_nothing").get(path).status_code == 401


def test_what_several_routes_serve_is_one_question(northgate: Scene) -> None:
    medical = route(northgate.application, domain="medical")
    made = stable(northgate.registered()["release_id"])
    found = serving_of([made.route, medical])
    assert {key: row.pk for key, row in found.items()} == {made.route_id: made.pk}


def test_a_page_may_compare_any_two_releases(northgate: Scene) -> None:
    northgate.registered()
    other = northgate.registered(model_ref=OTHER_MODEL)
    first, second = (Release.objects.get(number=number) for number in (1, 2))
    [difference] = component_diff(release_named(northgate.organization, other["release_id"]), first)
    assert (difference.component, difference.title, difference.before_text) == ("model", "model", None)
    assert component_diff(second) == []


def test_an_auditors_scope_reads_releases(northgate: Scene) -> None:
    northgate.registered()
    reader = api(service_token(northgate.organization, "audit:read"))
    assert len(reader.get("releases").json()["results"]) == 1
