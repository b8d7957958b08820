"""From any name of an answer to everything that made it."""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from releases.artifacts import create_artifact
from releases.lineage.finding import of_conversation, of_request, of_trace
from releases.lineage.served_tuple import last_good
from releases.measuring.feedback import record
from releases.models import Release
from releases.trace_models import SubjectKey
from tests.factories import Api, organization
from tests.releases.canary import Canary, canary
from tests.releases.lineage.answers import told
from tests.releases.lineage.walked import Walked
from tests.releases.traces.samples import stored, trace_row

VIEW = {"kind": "feature_view", "max_age_seconds": 60, "features": []}


@pytest.fixture
def reader(route: Walked) -> Api:
    """A pipeline that may read the audit."""
    return route.canary.service("audit:read")


def test_an_answer_leads_to_everything_that_made_it(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third, now())
    answer = reader.get("lineage/req-1")
    assert answer.status_code == 200, answer.content
    said = answer.json()
    served = said["served"]
    parts = {part["component"]: part for part in served["components"]}
    assert served["release"] == route.third.name
    assert parts["prompt_template"]["ref"] == "templates/legal-qa@v15"
    assert parts["preprocessing"]["digest"].startswith("sha256:")
    assert parts["model"]["value"]["ref"] == route.third.model_ref
    assert served["weights"].startswith("not claimed")
    assert served["gate_run"]["verdict"] == "gate_pass"
    assert served["suite"]["sha256"]
    assert [row["did"] for row in said["approved_by"]] == ["started its rollout"]
    assert said["approved_by"][0]["name"] == "release-manager"
    assert [row["event"] for row in said["receipts"]] == ["release.registered", "rollout.started", "rollout.completed"]
    assert all(row["verified"] for row in said["receipts"])
    assert said["problems"] == []


def test_it_is_compared_with_the_last_good_release(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third)
    good = reader.get("lineage/req-1").json()["last_known_good"]
    assert good["release"] == route.canary.candidate.name
    assert [change["component"] for change in good["changes"]] == ["model"]


def test_a_release_that_was_marked_bad_is_not_good(route: Walked) -> None:
    row = route.back()
    back = row.target
    assert back
    good = last_good(route.canary.route, back, row.decided_at + timedelta(hours=1))
    assert good
    assert good.pk == route.canary.stable.pk  # r3 was rolled back, r2 is what serves


def test_what_was_judged_is_compared_with_what_answered(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third, fingerprint="c" * 64)
    found = reader.get("lineage/req-1").json()["fingerprints"]
    assert (found["verdict"], found["offline"]) == ("other", route.third.bundle_sha256)


def test_feature_values_are_judged_by_the_view_that_the_release_names(here: Canary) -> None:
    create_artifact(actor=here.scene.actor, ref="views/user@v2", value=VIEW)
    made = here.scene.registered(
        components={"feature_view": "views/user@v2", "feature_snapshot": "s1"},
        generation={"seed": 5},
        previous_release=here.stable.pk,
        acknowledged_changes=["features", "generation"],
    )
    row = Release.objects.get(pk=made["release_id"])
    at = now() - timedelta(seconds=1)
    features = [
        {"name": "plan", "as_of": (at - timedelta(seconds=59)).isoformat()},
        {"name": "balance", "as_of": (at - timedelta(hours=2)).isoformat(), "value": 3},
        {"name": "next_bill", "as_of": (at + timedelta(hours=2)).isoformat()},
    ]
    told(here, 1, row, at, metadata={"features": features})
    said = here.service("audit:read").get("lineage/req-1").json()["features"]
    verdicts = {each["name"]: each["verdict"] for each in said}
    assert verdicts == {"plan": "in_time", "balance": "stale", "next_bill": "future"}


def test_what_was_said_of_it_stands_beside_it(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third)
    record(actor=route.canary.manager, request_id="req-1", kind="thumb", value=-1)
    record(actor=route.canary.manager, request_id="req-1", kind="label", name="grade_5", value=2)
    said = reader.get("lineage/req-1").json()
    assert [(row["kind"], row["value"]) for row in said["feedback"]] == [("label", 2.0), ("thumb", -1.0)]
    assert [row["grade"] for row in said["ratings"]] == [0.25]


def test_an_erased_body_leaves_the_rest(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third, metadata={"features": [{"name": "plan"}]})
    SubjectKey.objects.update(wrapped_key=None)
    said = reader.get("lineage/req-1").json()
    assert said["features"] is None
    assert said["served"]["release"] == route.third.name


def test_a_release_that_is_not_registered_here_is_known_by_its_digest_only(here: Canary) -> None:
    stored(here.organization, trace_row(1, started_at=now().isoformat()), now=now())
    said = here.service("audit:read").get("lineage/req-1").json()
    assert said["served"]["release"] is None
    assert said["last_known_good"] is None
    assert "only its digest is known" in said["problems"][0]


def test_an_answer_that_names_no_release_says_so(here: Canary) -> None:
    stored(here.organization, trace_row(1, started_at=now().isoformat(), release=None, fingerprint=None), now=now())
    said = here.service("audit:read").get("lineage/req-1").json()
    assert said["served"] is None
    assert said["fingerprints"]["verdict"] == "not_reported"


def test_a_manifest_that_was_changed_is_named(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third)
    Release.objects.filter(pk=route.third.pk).update(manifest=bytes(route.canary.stable.manifest))
    assert "is not the one that was registered" in reader.get("lineage/req-1").json()["problems"][0]


def test_of_several_answers_to_one_request_the_served_one_comes_first(route: Walked, reader: Api) -> None:
    told(route.canary, 1, route.third, now() - timedelta(seconds=9))
    told(route.canary, 2, route.canary.candidate, request_id="req-1", arm="shadow")
    said = reader.get("lineage/req-1").json()
    assert said["trace"]["trace_id"] == f"{1:032x}"
    assert [row["arm"] for row in said["other_traces"]] == ["shadow"]
    other = reader.get("lineage/req-1", trace_id=f"{2:032x}").json()
    assert other["served"]["release"] == route.canary.candidate.name
    assert reader.get("lineage/req-1", trace_id="f" * 32).status_code == 404


def test_a_trace_is_found_as_tools_write_its_id(here: Canary) -> None:
    told(here, 171, here.stable)
    key = f"{171:032X}"
    dashed = "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))
    for text in (key, key.lower(), dashed):
        assert [row.request_id for row in of_trace(here.organization, text)] == ["req-171"], text
    assert of_trace(here.organization, "171") == []


def test_a_conversation_is_found_by_what_the_client_calls_it_newest_first(here: Canary) -> None:
    told(here, 1, here.stable, now() - timedelta(seconds=9), subject="conversation-7")
    told(here, 2, here.stable, subject="conversation-7")
    told(here, 3, here.stable, subject="conversation-8")
    rows = of_conversation(here.organization, "conversation-7")
    assert [row.request_id for row in rows] == ["req-2", "req-1"]
    assert not of_conversation(organization("southgate"), "conversation-7").exists()


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["request_id"] for row in answer.json()["results"]]


def test_the_list_takes_exactly_one_way(here: Canary) -> None:
    reader, at = here.service("audit:read"), now()
    told(here, 1, here.stable, at - timedelta(minutes=9), subject="conversation-7")
    told(here, 2, here.stable, at - timedelta(minutes=11), subject="conversation-7")
    assert ids(reader.get("lineage", request_id="req-1")) == ["req-1"]
    assert ids(reader.get("lineage", trace_id=f"{2:032x}")) == ["req-2"]
    assert ids(reader.get("lineage", conversation="conversation-7")) == ["req-1", "req-2"]
    assert ids(reader.get("lineage", route=here.route.pk, at=at.isoformat())) == ["req-1"]
    first = reader.get("lineage", conversation="conversation-7", limit="1").json()
    rest = reader.get("lineage", conversation="conversation-7", limit="1", cursor=first["next"]).json()
    assert [rest["results"][0]["request_id"], rest["next"]] == ["req-2", None]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"trace_id": "1", "request_id": "1"}, 422),
        ({"route": "rte_none", "at": "2026-01-01T00:00:00Z"}, 404),
        ({"route": "{route}"}, 422),
        ({"route": "{route}", "at": "yesterday"}, 400),
        ({"conversation": "a", "cursor": "x"}, 400),
        ({"route": "{route}", "at": "0001-01-01T00:00:00Z"}, 200),
    ],
)
def test_what_cannot_be_looked_up_is_refused(here: Canary, query: dict[str, str], status: int) -> None:
    given = {name: value.format(route=here.route.pk) for name, value in query.items()}
    assert here.service("audit:read").get("lineage", **given).status_code == status


def test_another_organizations_answer_is_not_there_and_a_viewer_is_refused(here: Canary) -> None:
    told(here, 1, here.stable)
    assert canary("eastgate").service("audit:read").get("lineage/req-1").status_code == 404
    assert here.client("viewer").get("lineage/req-1").status_code == 403
    assert of_request(here.organization, "req-2") == []
