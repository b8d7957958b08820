"""Slices over REST: every field kept, every change a revision with its receipt, nothing for outsiders."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.models import Judge, Slice, SliceRevision
from gates.slices.rules import in_tree_order
from gates.slices.services import create_slice, judged_slices, slice_set_digest, slice_tree
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from tests.factories import application, person
from tests.gates.scene import Scene

FULL = {
    "slug": "belgian-french",
    "name": "Belgian French",
    "description": "Questions in the French of Belgium.",
    "parent": "ip-licensing",
    "threshold": 0.65,
    "quality_floor": "0.7",
    "policy": "guarded",
    "n_min": 30,
    "judge": "external:legal-judge@9",
    "match": {"locale": "fr-BE"},
}


def refused_fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.json()
    return {error["field"] for error in answer.json()["errors"]}


def test_a_slice_keeps_every_field_of_the_contract(northgate: Scene) -> None:
    owner = person(northgate.organization, "domain-owner")
    answer = northgate.ci.post("slices", FULL | {"owner": owner.email.upper()})
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made == made | FULL | {"owner": owner.email, "quality_floor": 0.7, "revision": 1}
    assert northgate.reader.get(f"slices/{made['slice_id']}").json() == made
    assert northgate.reader.get("slices/belgian-french").json() == made


def test_what_is_left_out_gets_the_defaults_of_the_design(northgate: Scene) -> None:
    made = northgate.ci.post("slices", {"slug": "plain"}).json()
    assert (made["name"], made["policy"], made["n_min"]) == ("plain", "point", 20)
    assert [made[name] for name in ("threshold", "quality_floor", "judge", "match", "parent", "owner")] == [None] * 6


def test_a_new_slice_leaves_a_receipt_with_its_definition_as_the_policy(northgate: Scene) -> None:
    made = northgate.ci.post("slices", FULL).json()
    predicate = northgate.last_statement()
    assert predicate["event"] == "policy.changed"
    assert predicate["decision"]["policy"] == {"id": "belgian-french", "revision": 1, "sha256": made["sha256"]}


def test_the_definitions_digest_holds_decimals_as_strings(northgate: Scene) -> None:
    made = northgate.ci.post("slices", FULL).json()
    revision = SliceRevision.objects.get(slice_id=made["slice_id"])
    assert revision.definition["threshold"] == "0.65"
    assert revision.sha256 == made["sha256"] == sha256_hex({"schema": "relcontrol/slice/v1", **revision.definition})


def test_a_change_makes_a_revision_and_a_receipt_and_keeps_the_rest(northgate: Scene) -> None:
    before = northgate.ci.post("slices", FULL).json()
    answer = northgate.ci.patch("slices/belgian-french", {"threshold": 0.7, "match": None, "expected_version": 1})
    assert answer.status_code == 200, answer.json()
    after = answer.json()
    assert after == before | {"threshold": 0.7, "match": None, "revision": 2, "sha256": after["sha256"]}
    assert northgate.last_statement()["decision"]["policy"]["revision"] == 2
    assert list(SliceRevision.objects.filter(slice_id=before["slice_id"]).values_list("revision", flat=True)) == [1, 2]


def test_a_change_that_changes_nothing_makes_no_revision(northgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    receipts = len(northgate.receipts())
    answer = northgate.ci.patch("slices/belgian-french", {"threshold": "0.6500", "name": "Belgian French"})
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert len(northgate.receipts()) == receipts


def test_a_change_on_an_old_revision_is_a_conflict_with_the_present_one(northgate: Scene) -> None:
    northgate.ci.patch("slices/ip-licensing", {"n_min": 21})
    answer = northgate.ci.patch("slices/ip-licensing", {"n_min": 22, "expected_version": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert answer.json()["state"]["revision"] == 2
    assert Slice.objects.get(organization=northgate.organization, slug="ip-licensing").n_min == 21


def test_a_slug_is_taken_once(northgate: Scene) -> None:
    answer = northgate.ci.post("slices", {"slug": "ip-licensing"})
    assert (answer.status_code, answer.json()["code"]) == (409, "exists_already")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "<script>alert(1)</script>"}, "slug"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 0.96}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": "NaN"}, "threshold"),
        ({"threshold": 0.65001}, "threshold"),
        ({"quality_floor": 1.01}, "quality_floor"),
        ({"quality_floor": -0.1}, "quality_floor"),
        ({"policy": "lenient"}, "policy"),
        ({"n_min": 0}, "n_min"),
        ({"n_min": 100_001}, "n_min"),
        ({"n_min": "20"}, "n_min"),
        ({"judge": "legal-judge"}, "judge"),
        ({"judge": "external:legal-judge"}, "judge"),
        ({"parent": "nowhere"}, "parent"),
        ({"owner": "nobody@example.com"}, "owner"),
        ({"name": "two\nlines"}, "name"),
        ({"name": ""}, "name"),
        ({"weight": 3}, "weight"),
        ({"match": []}, "match"),
        ({"match": {}}, "match"),
        ({"match": {"locale": "fr", "pattern": "x"}}, "match"),
        ({"match": {"topic": "ip"}}, "match.topic"),
        ({"match": {"metadata": {}}}, "match.metadata"),
        ({"match": {"metadata": {"topic": None}}}, "match.metadata.topic"),
        ({"match": {"metadata": {"share": 0.5}}}, "match.metadata.share"),
        ({"match": {"locale": "not a locale"}}, "match.locale"),
        ({"match": {"pattern": "(a"}}, "match.pattern"),
        ({"match": {"judge": "x"}}, "match.judge"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_and_nothing_is_made(
    northgate: Scene, changes: dict[str, Any], field: str
) -> None:
    receipts = len(northgate.receipts())
    assert field in refused_fields(northgate.ci.post("slices", FULL | changes))
    assert Slice.objects.filter(organization=northgate.organization).count() == 2
    assert len(northgate.receipts()) == receipts


def test_every_wrong_field_is_told_at_once(northgate: Scene) -> None:
    answer = northgate.ci.post("slices", FULL | {"judge": "x", "parent": "nowhere", "match": {"locale": "!"}})
    assert refused_fields(answer) == {"judge", "parent", "match.locale"}


def test_a_slice_cannot_be_hung_below_its_own_child(northgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    assert refused_fields(northgate.ci.patch("slices/ip-licensing", {"parent": "belgian-french"})) == {"parent"}
    assert refused_fields(northgate.ci.patch("slices/ip-licensing", {"parent": "ip-licensing"})) == {"parent"}
    assert Slice.objects.get(organization=northgate.organization, slug="ip-licensing").parent is None


def test_a_parent_of_another_organization_is_unknown(northgate: Scene, eastgate: Scene) -> None:
    eastgate.ci.post("slices", {"slug": "theirs"})
    assert refused_fields(northgate.ci.post("slices", FULL | {"parent": "theirs"})) == {"parent"}


def test_a_slug_cannot_be_changed(northgate: Scene) -> None:
    assert refused_fields(northgate.ci.patch("slices/ip-licensing", {"slug": "other"})) == {"slug"}


def test_the_list_shows_this_organization_only_newest_first(northgate: Scene, eastgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    listed = northgate.reader.get("slices").json()
    assert [row["slug"] for row in listed["results"]] == ["belgian-french", "contract-drafting", "ip-licensing"]


def test_another_organizations_slice_is_not_found(northgate: Scene, eastgate: Scene) -> None:
    theirs = eastgate.ci.post("slices", FULL).json()["slice_id"]
    assert northgate.ci.get(f"slices/{theirs}").status_code == 404
    assert northgate.ci.patch(f"slices/{theirs}", {"n_min": 5}).status_code == 404
    assert Slice.objects.get(pk=theirs).n_min == 30


def test_viewers_and_tokens_without_the_scope_may_only_read(northgate: Scene) -> None:
    viewer = northgate.person("viewer")
    for client in (viewer, northgate.reader):
        assert client.get("slices").status_code == 200
        assert client.post("slices", FULL).status_code == 403
        assert client.patch("slices/ip-licensing", {"n_min": 5}).status_code == 403
    assert northgate.person("domain-owner").post("slices", FULL).status_code == 201


def test_other_methods_are_not_allowed(northgate: Scene) -> None:
    assert northgate.ci.patch("slices", {}).status_code == 405
    assert northgate.ci.post("slices/ip-licensing", {}).status_code == 405


def test_the_digest_of_all_slices_changes_with_any_of_them(northgate: Scene) -> None:
    before = slice_set_digest(northgate.organization)
    assert slice_set_digest(northgate.organization) == before
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.5})
    assert slice_set_digest(northgate.organization) != before


def test_the_tree_has_children_below_their_parent(northgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    tree = [(row.slug, depth) for row, depth in slice_tree(northgate.organization)]
    assert tree == [("contract-drafting", 0), ("ip-licensing", 0), ("belgian-french", 1)]


def test_brothers_stand_by_slug_whatever_order_they_come_in() -> None:
    assert in_tree_order({"b": None, "b2": "b", "b1": "b", "a": None}) == [("a", 0), ("b", 0), ("b1", 1), ("b2", 1)]


def queries_of_list(northgate: Scene) -> int:
    northgate.reader.get("slices")  # once a minute the use of a token is noted
    with CaptureQueriesContext(
        connection,
    ) as counted:
        assert northgate.reader.get("slices").status_code == 200
    return len(counted)


def test_the_list_takes_the_same_queries_for_thirty_slices_as_for_three(northgate: Scene) -> None:
    create_slice(actor=northgate.actor, slug="third", parent="ip-licensing")
    few = queries_of_list(northgate)
    for number in range(27):
        create_slice(actor=northgate.actor, slug=f"more-{number}", parent="third")
    assert queries_of_list(northgate) == few <= 4


# ---- applications, what is judged, and the digests of judges


def test_a_slice_of_one_application_is_judged_in_its_gate_runs_only(northgate: Scene) -> None:
    legal, medical = (application(northgate.organization, slug) for slug in ("legal-assistant", "medical"))
    made = northgate.ci.post("slices", FULL | {"application": "legal-assistant"}).json()
    assert made["application"] == "legal-assistant"
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.5})
    assert [row.slug for row in judged_slices(northgate.organization, legal)] == ["ip-licensing", "belgian-french"]
    assert [row.slug for row in judged_slices(northgate.organization, medical)] == ["ip-licensing"]


def test_an_application_of_another_organization_is_unknown(northgate: Scene, eastgate: Scene) -> None:
    application(eastgate.organization, "theirs")
    assert refused_fields(northgate.ci.post("slices", FULL | {"application": "theirs"})) == {"application"}


def test_the_digest_for_an_application_leaves_out_what_does_not_apply(northgate: Scene) -> None:
    legal, medical = (application(northgate.organization, slug) for slug in ("legal-assistant", "medical"))
    before = slice_set_digest(northgate.organization, medical)
    northgate.ci.post("slices", FULL | {"application": "legal-assistant"})
    assert slice_set_digest(northgate.organization, medical) == before
    assert slice_set_digest(northgate.organization, legal) != before
    assert slice_set_digest(northgate.organization) == slice_set_digest(northgate.organization, legal)


def test_the_digest_of_all_slices_holds_the_judges_digest_where_it_is_known(northgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    before = slice_set_digest(northgate.organization)
    Judge.objects.create(
        organization=northgate.organization,
        name="external:legal-judge@9",
        definition={},
        sha256="a" * 64,
        created_by="x",
        created_by_label="x",
        created_at=now(),
    )
    assert slice_set_digest(northgate.organization) != before


@pytest.mark.parametrize("slug", ["new", "import", "export", "preview"])
def test_a_slug_that_is_an_address_of_its_own_is_refused(northgate: Scene, slug: str) -> None:
    assert refused_fields(northgate.ci.post("slices", {"slug": slug})) == {"slug"}


# ---- many at once


def test_the_export_is_what_the_import_takes(northgate: Scene, eastgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    exported = northgate.reader.get("slices/export").json()
    assert [row["slug"] for row in exported] == ["contract-drafting", "ip-licensing", "belgian-french"]
    assert exported[2] == FULL | {"quality_floor": 0.7, "application": None, "owner": None}
    answer = eastgate.ci.post("slices/import", {"slices": exported})
    assert answer.status_code == 200, answer.json()
    assert {name: answer.json()[name] for name in ("new", "changed", "same")} == {"new": 1, "changed": 0, "same": 2}
    assert eastgate.reader.get("slices/export").json() == exported
    assert eastgate.last_statement()["decision"]["policy"]["id"] == "belgian-french"


def test_a_dry_run_says_what_would_change_and_changes_nothing(northgate: Scene) -> None:
    receipts = len(northgate.receipts())
    body = {"slices": [{"slug": "ip-licensing", "threshold": 0.7}], "dry_run": True}
    answer = northgate.ci.post("slices/import", body).json()
    assert answer["slices"] == [
        {
            "slug": "ip-licensing",
            "action": "changed",
            "revision": 1,
            "differences": ["Agreement at least: not set → 0.7"],
        }
    ]
    assert len(northgate.receipts()) == receipts


def test_an_import_with_one_wrong_row_changes_nothing(northgate: Scene) -> None:
    receipts = len(northgate.receipts())
    rows = [{"slug": "ip-licensing", "threshold": 0.7}, {"slug": "fresh", "threshold": 2}]
    assert refused_fields(northgate.ci.post("slices/import", {"slices": rows})) == {"row 2"}
    assert len(northgate.receipts()) == receipts


def test_an_import_cannot_close_a_circle(northgate: Scene) -> None:
    rows = [
        {"slug": "ip-licensing", "parent": "contract-drafting"},
        {"slug": "contract-drafting", "parent": "ip-licensing"},
    ]
    assert refused_fields(northgate.ci.post("slices/import", {"slices": rows})) == {"row 1", "row 2"}


def test_an_import_can_turn_a_branch_round(northgate: Scene) -> None:
    northgate.ci.post("slices", FULL)
    rows = [{"slug": "belgian-french", "parent": None}, {"slug": "ip-licensing", "parent": "belgian-french"}]
    assert northgate.ci.post("slices/import", {"slices": rows}).status_code == 200
    tree = [(row.slug, depth) for row, depth in slice_tree(northgate.organization)]
    assert tree == [("belgian-french", 0), ("ip-licensing", 1), ("contract-drafting", 0)]


def test_import_and_export_take_no_other_method_and_ask_for_the_scope(northgate: Scene) -> None:
    assert northgate.ci.post("slices/export", {}).status_code == 405
    assert northgate.ci.get("slices/import").status_code == 405
    assert northgate.reader.post("slices/import", {"slices": [{"slug": "x"}]}).status_code == 403
    assert northgate.person("viewer").post("slices/import", {"slices": [{"slug": "x"}]}).status_code == 403
