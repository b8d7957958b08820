"""Pages of rollout policies: everybody reads them, an administrator who has lately signed in changes them."""

import html
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import Receipt
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_presets import PRESETS
from releases.measuring.policy_services import create_policy
from releases.rollout_models import RoutePolicy
from tests.factories import organization, route
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.conftest import proved
from tests.releases.scene import Scene, scene

LIST = "/o/northgate/settings/rollout-policies/"
GROUNDED = Definition("Groundedness", "score:groundedness", None, 0.8, 900, 30, "pause_for_review")
LIST_CEILING = 12


@pytest.fixture
def northgate(db: None) -> Scene:
    return scene("northgate")


@pytest.fixture
def admin(northgate: Scene) -> Client:
    return proved(visitor(northgate.organization, "admin"))


def filled(northgate: Scene, **other: Any) -> dict[str, Any]:
    return {
        "where": northgate.application.pk,
        "name": "Long answers",
        "metric": "output_tokens_mean",
        "maximum": "800",
        "window_seconds": "600",
        "n_min": "100",
        "action": "rollback",
    } | other


def made(northgate: Scene, name: str = "Groundedness") -> RoutePolicy:
    definition = replace(GROUNDED, name=name)
    return create_policy(actor=northgate.actor, application=northgate.application, definition=definition)


def url(row: RoutePolicy, end: str = "") -> str:
    return f"{LIST}{row.pk}/{end}"


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def untouched() -> tuple[int, list[int]]:
    return Receipt.objects.count(), list(RoutePolicy.objects.values_list("revision", flat=True))


def test_without_a_policy_the_page_says_what_is_watched_anyway(admin: Client) -> None:
    text = text_of(admin.get(LIST))
    assert "No rollout policy yet" in text
    assert "Quality, errors and latency are watched without one." in text


def test_the_list_says_in_words_what_each_demands(northgate: Scene) -> None:
    made(northgate)
    text = text_of(visitor(northgate.organization, "viewer").get(LIST))
    for shown in ("Groundedness", "all routes", "mean score groundedness", "at least 0.8", "Pause for review"):
        assert shown in text


@pytest.mark.parametrize("page", ["/o/northgate/settings/", "/o/northgate/rollouts/"])
def test_settings_and_rollouts_lead_to_the_policies(northgate: Scene, page: str) -> None:
    assert LIST in text_of(visitor(northgate.organization, "viewer").get(page))


def test_a_policy_is_made_of_the_form_with_its_receipt(northgate: Scene, admin: Client) -> None:
    answer = admin.post(LIST, filled(northgate))
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    row = RoutePolicy.objects.get()
    assert (row.metric, row.maximum, row.minimum, row.n_min) == ("output_tokens_mean", 800.0, None, 100)
    assert (row.route, row.action, row.dry) == (None, "rollback", False)
    assert Receipt.objects.latest("seq").event == "policy.changed"


def test_a_policy_may_be_for_one_route_only(northgate: Scene, admin: Client) -> None:
    other = route(northgate.application, tier="pro")
    admin.post(LIST, filled(northgate, where=other.pk))
    assert RoutePolicy.objects.get().route == other


def test_a_named_score_is_named(northgate: Scene, admin: Client) -> None:
    score = {"metric": "score", "score": "toxicity", "maximum": "0.05", "dry": "on"}
    admin.post(LIST, filled(northgate, **score))
    row = RoutePolicy.objects.get()
    assert (row.metric, row.dry) == ("score:toxicity", True)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_in_a_form_that_can_be_sent_as_it_is(northgate: Scene, admin: Client, preset: str) -> None:
    form = admin.get(LIST, {"preset": preset}).context["form"]
    values = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    assert admin.post(LIST, sent | {"where": northgate.application.pk}).status_code == 302
    wanted, row = PRESETS[preset], RoutePolicy.objects.get()
    assert (row.name, row.metric, row.maximum, row.minimum) == (
        wanted.name,
        wanted.metric,
        wanted.maximum,
        wanted.minimum,
    )
    assert (row.window_seconds, row.n_min, row.action) == (wanted.window_seconds, wanted.n_min, wanted.action)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"maximum": ""}, "Give either `maximum` or `minimum`"),
        ({"minimum": "1"}, "Give either `maximum` or `minimum`"),
        ({"maximum": "many"}, "Enter a number"),
        ({"metric": "refusal_rate", "maximum": "20"}, "use 0 to 1"),
        ({"metric": "score"}, "Name the score."),
        ({"metric": "score", "score": "Not A Name"}, "for the mean of a named score"),
        ({"score": "toxicity"}, "Leave it out, or choose"),
        ({"window_seconds": "59"}, "greater than or equal to 60"),
        ({"where": "app_of_others"}, "is not one of the available choices"),
        ({"name": " "}, "This field is required"),
    ],
)
def test_a_form_that_breaks_a_rule_comes_back_with_the_reason(
    northgate: Scene, admin: Client, wrong: dict[str, str], says: str
) -> None:
    before = untouched()
    answer = admin.post(LIST, filled(northgate, **wrong))
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert untouched() == before


def test_a_name_is_taken_once_in_an_application(northgate: Scene, admin: Client) -> None:
    made(northgate, "Long answers")
    answer = admin.post(LIST, filled(northgate))
    assert answer.status_code == 422
    assert "already" in text_of(answer)


def test_a_policy_is_changed_on_its_page(northgate: Scene, admin: Client) -> None:
    row = made(northgate)
    form = admin.get(url(row)).context["form"]
    sent = {name: value for name in form.fields if (value := form[name].value()) not in (None, False)}
    answer = admin.post(url(row), sent | {"minimum": "0.75", "seen": "1"})
    assert (answer.status_code, answer["Location"]) == (302, url(row))
    row.refresh_from_db()
    assert (row.minimum, row.metric, row.revision) == (0.75, "score:groundedness", 2)


def test_a_change_of_what_somebody_else_has_changed_meanwhile_is_refused(northgate: Scene, admin: Client) -> None:
    row = made(northgate)
    before = untouched()
    answer = admin.post(url(row), filled(northgate, seen="7"))
    assert answer.status_code == 422
    assert "is at revision 1, not 7" in text_of(answer)
    assert untouched() == before


def test_a_policy_is_removed(northgate: Scene, admin: Client) -> None:
    row = made(northgate)
    answer = admin.post(url(row, "remove"), {"seen": "1"}, follow=True)
    assert "Groundedness is removed. Rollouts that run keep it." in text_of(answer)
    assert not RoutePolicy.objects.exists()
    assert Receipt.objects.latest("seq").event == "policy.changed"


def test_a_removal_of_another_revision_is_refused(northgate: Scene, admin: Client) -> None:
    row = made(northgate)
    answer = admin.post(url(row, "remove"), {"seen": "7"}, follow=True)
    assert "is at revision 1, not 7" in text_of(answer)
    assert RoutePolicy.objects.exists()


def test_a_change_waits_for_a_fresh_proof_and_keeps_what_was_entered(northgate: Scene) -> None:
    client = visitor(northgate.organization, "admin")
    answer = client.post(LIST, filled(northgate, maximum="812"))
    assert (answer.status_code, answer["Location"]) == (302, "/step-up")
    assert not RoutePolicy.objects.exists()
    assert 'value="812"' in text_of(client.get(LIST))


@pytest.mark.parametrize("role", ["viewer", "release-manager"])
def test_who_may_not_change_it_reads_it_in_words_and_why(northgate: Scene, role: str) -> None:
    row, client = made(northgate), visitor(northgate.organization, role)
    before = untouched()
    page = text_of(client.get(url(row)))
    assert "at least 0.8" in page
    assert "To administer this organization one must be" in page
    assert "Save the policy" not in page
    sent = [client.post(path, filled(northgate)).status_code for path in (LIST, url(row), url(row, "remove"))]
    assert sent == [403, 403, 403]
    assert untouched() == before


def test_others_find_nothing(northgate: Scene) -> None:
    row, outsider = made(northgate), proved(visitor(organization("southgate"), "admin"))
    pages = [outsider.get(LIST), outsider.get(url(row)), outsider.post(url(row, "remove"))]
    own = outsider.get(url(row).replace("northgate", "southgate"))
    assert [each.status_code for each in (*pages, own)] == [404, 404, 404, 404]
    assert RoutePolicy.objects.exists()


def test_a_removal_is_sent_and_not_read(northgate: Scene, admin: Client) -> None:
    assert admin.get(url(made(northgate), "remove")).status_code == 405


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_costs_the_same_at_any_length(northgate: Scene, admin: Client, rows: int) -> None:
    for number in range(rows):
        made(northgate, f"Policy {number}")
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(LIST).status_code == 200
    assert len(captured) <= LIST_CEILING
