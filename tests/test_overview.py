"""The overview: whom what needs, the last releases, the line about the chain; and the way there from the start."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from audit.chain_checks import check_all_chains
from audit.exporting.exports import request_export
from audit.models import ChainCheck, Export
from gates.suites import carry_out, request_import
from relcontrol import overview
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import beat
from tests import factories
from tests.releases import scene as registry

pytestmark = pytest.mark.django_db
URL = "/o/northgate/"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def scene() -> registry.Scene:
    """An organization that can register, with every process at work."""
    made = registry.scene()
    beat("ticker", now())
    beat("worker", now())
    beat("replayer", now())
    return made


def browser_of(organization: Organization, *roles: str) -> Client:
    client = Client()
    client.force_login(factories.person(organization, *roles))
    return client


def refused_import(organization: Organization, name: str = "broken", body: bytes = b'{"case_id": 1}') -> None:
    carry_out(request_import(actor=command_actor(organization), name=name, body=body, file_format="jsonl"))


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (0, "Nothing needs you."),
        (1, "One thing needs you."),
        (2, "Two things need you."),
        (9, "Nine things need you."),
        (12, "12 things need you."),
    ],
)
def test_the_title_counts_in_words(count: int, title: str) -> None:
    assert overview.title_of(count) == title


def test_where_all_is_well_nothing_needs_an_administrator(scene: registry.Scene) -> None:
    assert "Nothing needs you." in browser_of(scene.organization, "admin").get(URL).text


def test_a_process_that_is_not_seen_needs_administrators_only(scene: registry.Scene, monkeypatch: Any) -> None:
    later = now() + timedelta(minutes=5)
    admin, viewer = browser_of(scene.organization, "admin"), browser_of(scene.organization, "viewer")
    monkeypatch.setattr(overview, "now", lambda: later)
    text = admin.get(URL).text
    assert "Three things need you." in text
    assert "The worker was last seen 300 s ago" in text
    assert "Nothing needs you." in viewer.get(URL).text


def test_a_refused_suite_needs_who_may_mend_it_until_it_is_sent_again(scene: registry.Scene) -> None:
    refused_import(scene.organization)
    owner, auditor = browser_of(scene.organization, "domain-owner"), browser_of(scene.organization, "auditor")
    assert "Mend the suite file broken" in owner.get(URL).text
    assert "Nothing needs you." in auditor.get(URL).text
    refused_import(scene.organization, body=b'{"case_id": "c", "slice": "ip-licensing", "input": "?"}')
    assert "Nothing needs you." in owner.get(URL).text


def test_a_refused_suite_is_not_brought_up_for_ever(scene: registry.Scene, monkeypatch: Any) -> None:
    refused_import(scene.organization)
    later = now() + timedelta(days=8)
    owner = browser_of(scene.organization, "domain-owner")
    monkeypatch.setattr(overview, "now", lambda: later)
    assert "Nothing needs you." in owner.get(URL).text


def test_an_export_that_was_not_made_needs_an_auditor_until_it_is_asked_for_again(scene: registry.Scene) -> None:
    export = request_export(actor=scene.actor, scope={"organization": True})
    Export.objects.filter(pk=export.pk).update(state="error", problem={"detail": "The disk was full."})
    auditor, viewer = browser_of(scene.organization, "auditor"), browser_of(scene.organization, "viewer")
    assert "The disk was full." in auditor.get(URL).text
    assert "The disk was full." not in viewer.get(URL).text
    request_export(actor=scene.actor, scope={"organization": True})
    assert "Nothing needs you." in auditor.get(URL).text


def test_the_chain_line_says_how_far_it_holds(scene: registry.Scene) -> None:
    viewer = browser_of(scene.organization, "viewer")
    assert "was not checked yet" in viewer.get(URL).text
    check_all_chains(now())
    seq = ChainCheck.objects.get().seq
    assert "Chain intact to" in viewer.get(URL).text
    assert f"#{seq}" in viewer.get(URL).text


def test_a_broken_chain_is_said_first_and_to_everybody(scene: registry.Scene) -> None:
    refused_import(scene.organization)
    ChainCheck.objects.update(problem=f"seq 3 {SCRIPT}", checked_at=now())
    both = browser_of(scene.organization, "domain-owner").get(URL).text
    assert both.index("why the receipt chain does not verify") < both.index("Mend the suite file")
    viewer = browser_of(scene.organization, "viewer").get(URL).text
    assert "The chain does not verify" in viewer
    assert SCRIPT not in viewer
    assert escape(SCRIPT) in viewer


def test_recent_releases_say_what_changed_and_how_they_stand(scene: registry.Scene) -> None:
    first = scene.registered()
    scene.registered(prompt_template_ref=registry.OTHER_PROMPT, previous_release=first["release_id"])
    text = browser_of(scene.organization, "viewer").get(URL).text
    assert "cold start" in text
    assert "prompt template" in text
    assert "No gate run" in text
    assert first["manifest_sha256"] in text
    assert "no route serves one yet" in text


def test_before_the_first_release_stands_the_command(scene: registry.Scene) -> None:
    text = browser_of(scene.organization, "viewer").get(URL).text
    assert "No release yet" in text
    assert "curl -X POST http://testserver/v1/releases" in text


def test_who_is_no_member_finds_nothing(scene: registry.Scene) -> None:
    outsider = browser_of(factories.organization("southgate"), "admin")
    assert outsider.get(URL).status_code == 404


def test_who_is_not_signed_in_is_sent_there(scene: registry.Scene, client: Client) -> None:
    assert client.get(URL).headers["Location"] == "/sign-in?next=/o/northgate/"


def test_more_releases_cost_no_more_queries(scene: registry.Scene, django_assert_max_num_queries: Any) -> None:
    viewer = browser_of(scene.organization, "viewer")
    for number in range(3):
        scene.registered(generation={"max_tokens": number + 1})
    with django_assert_max_num_queries(20) as few:
        viewer.get(URL)
    ceiling = len(few)  # the log begins anew with the next request
    for number in range(3, 30):
        scene.registered(generation={"max_tokens": number + 1})
    with django_assert_max_num_queries(ceiling):
        viewer.get(URL)


def test_the_start_leads_to_the_only_organization(scene: registry.Scene) -> None:
    assert browser_of(scene.organization, "viewer").get("/").headers["Location"] == URL
