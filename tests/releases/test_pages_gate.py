"""A release's page once its gate has spoken: the Gate and Overrides tabs, stages, and what may be done next."""

from datetime import timedelta

import pytest
from django.test import Client

from gates.run_models import GateRun, Override
from relcontrol.clock import now
from releases.models import Release
from tests.gates.runs.documents import candidate, passing
from tests.gates.runs.factory import gate_run
from tests.releases.page_visitors import visitor
from tests.releases.scene import Scene


@pytest.fixture
def release(northgate: Scene) -> Release:
    return Release.objects.get(pk=northgate.registered()["release_id"])


@pytest.fixture
def manager(northgate: Scene) -> Client:
    return visitor(northgate.organization, "release-manager")


def judged(release: Release, *, passes: bool = False) -> GateRun:
    about = {"manifest_sha256": release.manifest_sha256, "candidate": candidate(name="r1", release_id=release.pk)}
    return gate_run(release.organization, passing() if passes else None, **about)


def page_of(client: Client, release: Release, tab: str = "gate") -> str:
    answer = client.get(f"/o/northgate/releases/{release.pk}?tab={tab}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_run_the_tab_shows_the_call_to_make(release: Release, manager: Client) -> None:
    page = page_of(manager, release)
    assert 'data-empty="first-use"' in page
    assert f"/v1/releases/{release.pk}/gate-runs" in page


def test_a_failed_release_says_where_and_leads_to_the_run(release: Release, manager: Client) -> None:
    run = judged(release)
    page = page_of(manager, release)
    assert "IP licensing fell from 0.68 to 0.41." in page
    assert f"/o/northgate/gate/{run.pk}/" in page
    assert "it failed its gate" in page
    assert "Request an override…" in page
    assert "Roll out…" not in page


def test_a_passed_release_may_be_rolled_out_by_those_who_may(release: Release, manager: Client) -> None:
    judged(release, passes=True)
    assert "Roll out…" in page_of(manager, release)
    viewer = visitor(release.organization, "viewer")
    assert "Roll out…" not in page_of(viewer, release)
    assert "Nothing stands against it." in page_of(viewer, release)


def test_the_gate_is_where_a_failed_release_is_now(release: Release, manager: Client) -> None:
    judged(release)
    answer = manager.get(f"/o/northgate/releases/{release.pk}")
    assert [stage.title for stage in answer.context["stages"] if stage.current] == ["Gate"]
    assert answer.context["next_action"].startswith("Next: register a release that mends what failed")


def test_overrides_are_listed_with_their_reasons(release: Release, manager: Client) -> None:
    assert "No override" in page_of(manager, release, "overrides")
    Override.objects.create(
        organization=release.organization,
        run=judged(release),
        manifest_sha256=release.manifest_sha256,
        gate_override_sha256="7" * 64,
        slices=["ip-licensing"],
        accepted_levels={"ip-licensing": None},
        reason="A client deadline that cannot move, with two lawyers reading along.",
        requested_by="per_x",
        requested_by_label="manager@northgate.example",
        requested_at=now(),
        expires_at=now() + timedelta(hours=24),
    )
    assert "A client deadline that cannot move" in page_of(manager, release, "overrides")
