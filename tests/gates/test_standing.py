"""The standing of a manifest, derived from its newest run that decided, sign-offs and overrides (contracts.md)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.models import Suite
from gates.run_models import GateRun, Override, SignOff
from gates.standing import standing_of, standings_of
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests.factories import organization
from tests.gates.runs.factory import MANIFEST, gate_run, legal

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Organization:
    made = organization()
    legal(made)
    return made


def overridden(run: GateRun, **changes: Any) -> Override:
    """An active override of a run; `changes` are columns."""
    at = now()
    columns: dict[str, Any] = {
        "state": "active",
        "slices": ["ip-licensing"],
        "accepted_levels": {"ip-licensing": None},
        "reason": "The drafting team answers these questions by hand.",
        "requested_by_label": "Mara",
        "requested_at": at,
        "expires_at": at + timedelta(hours=24),
    }
    return Override.objects.create(
        organization=run.organization, run=run, manifest_sha256=run.manifest_sha256, **columns | changes
    )


def verdict(run_verdict: str) -> dict[str, Any]:
    """A document with one review, and this verdict."""
    limit = {"metric": "tokens", "value": 1.0, "limit": 1.0, "previous": 1.0, "verdict": "review", "reasons": ["More."]}
    return {"verdict": run_verdict, "reasons": ["…"], "slices": [], "floors": [], "limits": [limit], "aggregate": {}}


def test_nothing_is_said_of_a_manifest_that_nobody_judged(owner: Organization) -> None:
    assert standing_of(owner, MANIFEST) == "none"


def test_a_first_run_that_is_under_way_is_running_and_a_later_one_changes_nothing(owner: Organization) -> None:
    gate_run(owner, state="queued")
    assert standing_of(owner, MANIFEST) == "running"
    gate_run(owner)
    gate_run(owner, state="running")
    assert standing_of(owner, MANIFEST) == "fail"


@pytest.mark.parametrize(("found", "standing"), [("gate_pass", "pass"), ("gate_hold", "hold"), ("gate_fail", "fail")])
def test_the_newest_run_that_decided_holds(owner: Organization, found: str, standing: str) -> None:
    gate_run(owner)
    gate_run(owner, verdict(found))
    gate_run(owner, verdict("gate_pass"), dry_run=True)
    for state in ("error", "cancelled"):
        gate_run(owner, state=state)
    assert standing_of(owner, MANIFEST) == standing


@pytest.mark.parametrize("state", ["active", "used"])
def test_an_override_of_the_newest_run_lifts_it(owner: Organization, state: str) -> None:
    overridden(gate_run(owner), state=state)
    assert standing_of(owner, MANIFEST) == "overridden"
    gate_run(owner)
    assert standing_of(owner, MANIFEST) == "fail"


def test_an_override_that_waits_lapsed_or_was_refused_lifts_nothing(owner: Organization) -> None:
    run = gate_run(owner)
    overridden(run, expires_at=now() - timedelta(seconds=1))
    for state in ("rejected", "withdrawn", "expired"):
        overridden(run, state=state)
    assert standing_of(owner, MANIFEST) == "fail"


def test_a_used_override_lifts_after_its_time_too(owner: Organization) -> None:
    overridden(gate_run(owner), state="used", expires_at=now() - timedelta(days=3))
    assert standing_of(owner, MANIFEST) == "overridden"


def test_a_hold_counts_as_passed_once_every_review_is_signed(owner: Organization) -> None:
    run = gate_run(owner, verdict("gate_hold"))
    assert standing_of(owner, MANIFEST) == "hold"
    SignOff.objects.create(run=run, items=["limit:tokens"], reason="…", signed_by_label="Mara", signed_at=now())
    assert standing_of(owner, MANIFEST) == "pass"


def test_another_organizations_runs_say_nothing(owner: Organization) -> None:
    gate_run(owner)
    other = organization("southgate")
    legal(other)
    assert Suite.objects.filter(organization=other).exists()
    assert standing_of(other, MANIFEST) == "none"


@pytest.mark.parametrize("count", [2, 20])
def test_many_standings_cost_as_many_queries_as_few_and_read_no_document(owner: Organization, count: int) -> None:
    manifests = [f"{number:064x}" for number in range(count)]
    for manifest in manifests:
        overridden(gate_run(owner, manifest_sha256=manifest))
    with CaptureQueriesContext(connection) as captured:
        found = standings_of(owner, manifests)
    assert set(found.values()) == {"overridden"}
    assert len(captured) <= 4
    assert not any('"document"' in query["sql"] for query in captured.captured_queries)
