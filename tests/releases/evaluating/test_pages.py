"""The pages of an evaluation: the form on the release, what it shows while it works, and cancelling it."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from gates.run_models import GateRun
from relcontrol.ticks import work
from releases.models import Release
from tests.factories import person
from tests.releases.evaluating.servers import ModelServer, model_server
from tests.releases.evaluating.stage import Evaluated, by_rule, evaluated

pytestmark = pytest.mark.django_db
FIELDS = {"suite": "", "samples": "1", "concurrency": "8"}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(by_rule(lambda number, slug, version: number / 50)) as found:
        yield found


@pytest.fixture
def here(db: None, server: ModelServer) -> Evaluated:
    return evaluated(server)


@pytest.fixture
def release(here: Evaluated) -> Release:
    return here.register()


@pytest.fixture
def manager(here: Evaluated) -> Client:
    return browser(here, "release-manager")


def browser(here: Evaluated, role: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person(here.stage.organization, role))
    return client


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:3000]
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def form(release: Release) -> str:
    return f"/o/northgate/releases/{release.pk}/evaluate/"


def test_the_gate_tab_offers_it_to_those_who_may(here: Evaluated, release: Release, manager: Client) -> None:
    tab = f"/o/northgate/releases/{release.pk}?tab=gate"
    assert form(release) in text_of(manager.get(tab))
    assert form(release) not in text_of(browser(here, "viewer").get(tab))


def test_the_form_asks_for_a_run_with_its_budget_and_leads_to_it(release: Release, manager: Client) -> None:
    assert text_of(manager.get(form(release)))
    sent = {**FIELDS, "tokens": "9000", "cost": "2.5", "cases": "3", "fresh": "on", "dry_run": "on"}
    answer = manager.post(form(release), sent)
    run = GateRun.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/o/northgate/gate/{run.pk}/")
    told = run.evaluation or {}
    assert told["budget"] == {"cases": 3, "tokens": 9000, "cost": "2.5"}
    assert (told["fresh"], run.dry_run, run.state) == (True, True, "queued")


def test_what_cannot_be_asked_is_said_in_the_form(here: Evaluated, manager: Client) -> None:
    here.stage.ci.patch("slices/ip-licensing", {"judge": "external:legal-judge@9"})
    release = here.register()
    assert "relcontrol" in text_of(manager.post(form(release), FIELDS), 422)
    assert manager.post(form(release), FIELDS).context["form"].non_field_errors()
    assert not GateRun.objects.exists()


def test_who_may_not_reads_why_and_cannot(here: Evaluated, release: Release) -> None:
    client = browser(here, "viewer")
    assert "one must be" in text_of(client.get(form(release)))
    assert client.post(form(release), FIELDS).status_code == 403
    assert not GateRun.objects.exists()


def test_a_run_that_works_shows_its_phase_what_is_done_and_what_it_has_spent(
    here: Evaluated, release: Release, manager: Client
) -> None:
    run = here.asked(release)
    spent = {"calls": 3, "cached": 2, "input_tokens": 100, "output_tokens": 20, "cost": "0.3", "unpriced": 0}
    told = (run.evaluation or {}) | {"phase": "scoring", "done": 1, "of": 4}
    told["spent"] = told["spent"] | {"answers": spent}
    address = f"/o/northgate/gate/{run.pk}/"
    before = manager.get(address).context["seq"]
    GateRun.objects.filter(pk=run.pk).update(state="running", evaluation=told, progress_done=5)
    page = manager.get(address)
    assert "The judges score the answers" in text_of(page)
    assert "1 of 4 scores" in text_of(page)
    assert "3 calls, 2 known from before, 120 tokens, 0.3 in money." in text_of(page)
    assert page.context["seq"] > before
    assert manager.post(f"{address}cancel").status_code == 302
    assert "Cancelled" in text_of(manager.get(address))


def test_while_the_release_before_is_evaluated_first_the_page_says_so(
    here: Evaluated, release: Release, manager: Client
) -> None:
    run = here.asked(here.register())
    assert run.baseline
    page = text_of(manager.get(f"/o/northgate/gate/{run.pk}/"))
    assert f"First {release.name}, the release before, is answered and scored on the same cases" in page
    assert f"/o/northgate/gate/{run.baseline.pk}/" in page


def test_a_run_that_is_done_shows_its_verdict_what_it_cost_and_what_was_left_out(
    here: Evaluated, release: Release, manager: Client
) -> None:
    run = here.asked(release, budget={"cases": 3})
    work("gate-run", run.pk)
    run.refresh_from_db()
    page = manager.get(f"/o/northgate/gate/{run.pk}/")
    assert page.context["told"].finding
    assert "relcontrol answered and scored it itself: " in text_of(page)
    assert run.evaluation
    assert run.evaluation["stopped"] in text_of(page)
