"""Exports on the pages: asked for, waited for, downloaded; and what is said when there is none."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import verify
from audit.events import Event
from audit.exporting.exports import make_export, request_export
from audit.models import Export
from audit.receipts import Record, append
from audit.statement import ClosedApiWeights, Delivery, ReleaseRef
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.leases import claim
from relcontrol.jobs.running import run
from tests import factories

pytestmark = pytest.mark.django_db
EXPORTS = "/o/northgate/audit/exports/"
MANIFEST = "ab" * 32
QUERIES = 8


@pytest.fixture
def northgate() -> Organization:
    """With an application."""
    made = factories.organization()
    factories.application(made)
    return made


@pytest.fixture
def auditor(northgate: Organization) -> Client:
    """The auditor's browser."""
    client = Client()
    client.force_login(factories.person(northgate, "auditor"))
    return client


@pytest.fixture
def waiting(northgate: Organization) -> Export:
    """An export that nobody has begun."""
    return request_export(actor=command_actor(northgate), scope={"organization": True})


def made(export: Export) -> Export:
    """The same, finished."""
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    return export


def test_without_exports_the_list_shows_the_curl(auditor: Client) -> None:
    shown = auditor.get(EXPORTS).content.decode()
    assert 'data-empty="first-use"' in shown
    assert "curl -X POST http://testserver/v1/exports" in shown


def test_an_export_of_the_organization_is_asked_for_and_leads_to_its_page(auditor: Client) -> None:
    answer = auditor.post(EXPORTS, {"scope": "organization"})
    export = Export.objects.get()
    assert answer["Location"] == f"{EXPORTS}{export.pk}/"
    assert export.scope == {"organization": True, "from": None, "to": None}


def test_an_export_of_an_application_in_a_time_range_is_asked_for(auditor: Client) -> None:
    form = {"scope": "application", "application": "legal-assistant", "start": "2026-01-01T00:00", "release": "x"}
    auditor.post(EXPORTS, form)
    scope = Export.objects.get().scope
    assert scope["application"] == "legal-assistant"
    assert scope["from"].startswith("2026-01-01T00:00:00")


def test_an_export_of_a_release_is_asked_for_by_its_manifest(auditor: Client, northgate: Organization) -> None:
    record = Record(
        event=Event.RELEASE_REGISTERED,
        outcome="registered",
        kind="release",
        name="r1",
        application="legal-assistant",
        release=ReleaseRef(MANIFEST),
        delivery=Delivery(None, "registered"),
        weights=ClosedApiWeights("openai", "gpt-5"),
        state={},
    )
    append(command_actor(northgate), record)
    auditor.post(EXPORTS, {"scope": "release", "release": MANIFEST[:12]})
    assert Export.objects.get().scope["release"] == MANIFEST


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"scope": "everything"},
        {"scope": "application"},
        {"scope": "application", "application": "foreign"},
        {"scope": "release"},
        {"scope": "release", "release": "<script>alert(1)</script>"},
        {"scope": "release", "release": "f" * 64},
        {"scope": "organization", "start": "2026-02-02T00:00", "end": "2026-01-01T00:00"},
        {"scope": "organization", "end": "soon"},
    ],
)
def test_a_form_that_cannot_be_used_says_why_and_asks_for_nothing(auditor: Client, form: dict[str, str]) -> None:
    answer = auditor.post(EXPORTS, form)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "field-error" in shown or "error-note" in shown
    assert "<script>alert" not in shown
    assert not Export.objects.exists()


@pytest.mark.parametrize(("kind", "text"), [("release", "f" * 64), ("release", "r1"), ("person", "Zoe")])
def test_what_the_service_refuses_stands_at_the_field_that_names_it(auditor: Client, kind: str, text: str) -> None:
    form = auditor.post(EXPORTS, {"scope": kind, kind: text}).context["form"]
    assert (list(form.errors), form[kind].value()) == ([kind], text)
    assert "scope." not in str(form.errors)


def test_what_another_scope_would_need_is_not_asked_for(auditor: Client) -> None:
    sent = {"scope": "organization", "release": "f" * 300, "application": "foreign"}
    assert auditor.post(EXPORTS, sent).status_code == 302


def test_a_link_fills_in_the_release(auditor: Client) -> None:
    form = auditor.get(EXPORTS, {"release": MANIFEST}).context["form"]
    assert (form["scope"].value(), form["release"].value()) == ("release", MANIFEST)


def test_a_viewer_asks_for_nothing(northgate: Organization) -> None:
    viewer = Client()
    viewer.force_login(factories.person(northgate, "viewer"))
    assert viewer.post(EXPORTS, {"scope": "organization"}).status_code == 403
    assert not Export.objects.exists()


def test_an_export_of_another_organization_is_not_found(waiting: Export) -> None:
    outsider = Client()
    outsider.force_login(factories.person(factories.organization("southgate"), "auditor"))
    for path in ("", "file.json"):
        assert outsider.get(f"{EXPORTS}{waiting.pk}/{path}").status_code == 404
        assert outsider.get(f"/o/southgate/audit/exports/{waiting.pk}/{path}").status_code == 404


def test_a_waiting_export_polls_and_its_file_is_not_ready(auditor: Client, waiting: Export) -> None:
    shown = auditor.get(f"{EXPORTS}{waiting.pk}/").content.decode()
    assert "data-poll" in shown
    assert "0 of" in shown
    assert auditor.get(f"{EXPORTS}{waiting.pk}/file.json").status_code == 409


def test_polling_answers_only_what_is_new_and_ends_with_the_download(auditor: Client, waiting: Export) -> None:
    address = f"{EXPORTS}{waiting.pk}/"
    seq = auditor.get(address).context["seq"]
    assert auditor.get(address, {"seq": seq}, headers={"HX-Request": "true"}).status_code == 204
    export = made(waiting)
    final = auditor.get(address, {"seq": seq}, headers={"HX-Request": "true"}).content.decode()
    assert "data-poll" not in final
    assert export.sha256 in final
    assert f"python3 verify.py {export.pk}.zip --trust trust.json" in final
    assert export.zip_sha256 in final


def test_the_downloaded_files_verify_together(auditor: Client, waiting: Export) -> None:
    export = made(waiting)
    file = auditor.get(f"{EXPORTS}{export.pk}/file.json").getvalue()
    trust = auditor.get("/o/northgate/audit/trust.json")
    assert verify.verify_document(file, trust.json()).exit_code == 3
    assert auditor.get("/o/northgate/audit/verify.py").content.startswith(b"#!/usr/bin/env python3")


def test_the_page_warns_of_trust_on_first_use_with_fingerprints(auditor: Client, waiting: Export) -> None:
    shown = auditor.get(f"{EXPORTS}{waiting.pk}/").content.decode()
    assert "trust on first use" in shown
    for key in auditor.get("/o/northgate/audit/trust.json").json()["keys"]:
        assert key["keyid"] in shown


def test_an_export_that_was_not_made_says_because_of_what(auditor: Client, waiting: Export) -> None:
    problem = {"detail": "The <b>key</b> is gone."}
    Export.objects.update(state=Export.State.ERROR, problem=problem, finished_at=now())
    shown = auditor.get(f"{EXPORTS}{waiting.pk}/").content.decode()
    assert "not made, because: The &lt;b&gt;key&lt;/b&gt; is gone." in shown
    assert "data-poll" not in shown


def test_a_cancelled_export_says_so(auditor: Client, waiting: Export) -> None:
    Export.objects.update(state=Export.State.CANCELLED, finished_at=now())
    shown = auditor.get(f"{EXPORTS}{waiting.pk}/").content.decode()
    assert "was cancelled" in shown
    assert "data-poll" not in shown


def test_an_export_whose_worker_was_killed_says_so_until_another_takes_over(auditor: Client, waiting: Export) -> None:
    address = f"{EXPORTS}{waiting.pk}/"
    claim(Export.objects.filter(pk=waiting.pk), "dead", now())
    seq = auditor.get(address).context["seq"]
    Export.objects.update(lease_until=now() - timedelta(seconds=1))
    left = auditor.get(address, {"seq": seq}, headers={"HX-Request": "true"})
    assert "was stopped" in left.content.decode()
    made(waiting)
    assert "was stopped" not in auditor.get(address).content.decode()


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_of_exports_costs_the_same_at_any_length(auditor: Client, northgate: Organization, rows: int) -> None:
    for _ in range(rows):
        request_export(actor=command_actor(northgate), scope={"organization": True})
    with CaptureQueriesContext(connection) as captured:
        assert len(auditor.get(EXPORTS).context["exports"]) == rows
    assert len(captured) <= QUERIES


def test_older_exports_follow_by_cursor(auditor: Client, northgate: Organization) -> None:
    asked = [request_export(actor=command_actor(northgate), scope={"organization": True}).pk for _ in range(51)]
    first = auditor.get(EXPORTS)
    second = auditor.get(EXPORTS, {"cursor": first.context["next_cursor"]})
    assert [row[0].pk for page in (first, second) for row in page.context["exports"]] == sorted(asked, reverse=True)
