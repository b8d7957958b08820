"""relctl's rollouts against the product itself: start, status, orders and a rehearsal, by the token of a pipeline."""

from collections.abc import Callable
from typing import Any

import pytest

from relcontrol.relctl import main
from releases.replica_models import Replica
from releases.rollout_models import Rollout
from tests import factories
from tests.releases.canary import Canary, canary, replica

WHY = "I read fifty answers."

Run = Callable[..., int]


@pytest.fixture
def here(transactional_db: None, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Canary:
    """A release that may roll, and the address and token for relctl."""
    made = canary()
    monkeypatch.setenv("RELCONTROL_URL", live_server.url)
    monkeypatch.setenv("RELCONTROL_TOKEN", factories.service_token(made.organization, "rollouts:write"))
    monkeypatch.setenv("no_proxy", "*")
    return made


@pytest.fixture
def relctl(here: Canary) -> Run:
    """Runs relctl; while it waits, gateways report that they have both releases."""
    bundles = [here.stable.bundle_sha256, here.candidate.bundle_sha256]

    def gateways_report(seconds: float) -> None:
        replica(here.organization, fingerprints=bundles)

    return lambda *words: main(words, pause=gateways_report)


def test_a_rollout_is_started_looked_at_held_and_halted(
    here: Canary, relctl: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert relctl("roll", here.candidate.manifest_sha256, "--dwell-5", "60", "--dry-run") == 0
    assert relctl("roll", here.candidate.manifest_sha256, "--dwell-5", "60", "--reason", "Prompt v15") == 0
    key = Rollout.objects.get().pk
    assert f"Rollout {key}" in capfd.readouterr().out
    assert relctl("status", key) == 0
    assert "requests are missing" in capfd.readouterr().out
    assert relctl("pause", key, "--reason", WHY, "--expected-version", "1") == 0
    assert relctl("promote", key, "--reason", WHY) == 1
    assert "takes a person" in capfd.readouterr().err
    assert relctl("halt", key, "--reason", WHY) == 0
    assert relctl("pause", key, "--reason", WHY) == 1
    assert "now state: halted" in capfd.readouterr().err


def test_a_gateway_that_is_late_is_waited_for(here: Canary, relctl: Run, capfd: pytest.CaptureFixture[str]) -> None:
    Replica.objects.all().delete()
    assert relctl("roll", here.candidate.manifest_sha256) == 0
    assert "No gateway has reported" in capfd.readouterr().err
    assert Rollout.objects.get().release_id == here.candidate.pk


def test_a_rollout_that_is_followed_ends_by_what_becomes_of_it(
    here: Canary, relctl: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    def halted_meanwhile(_: float) -> None:
        row = Rollout.objects.get()
        main(["halt", row.pk, "--reason", WHY])

    assert main(["roll", here.candidate.manifest_sha256, "--wait"], pause=halted_meanwhile) == 1
    assert f"Rollout {Rollout.objects.get().pk}: halted" in capfd.readouterr().out


def test_a_rehearsal_says_what_stands_in_the_way_and_a_rollback_goes(
    here: Canary, relctl: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert relctl("rollback", here.route.pk, "--reason", WHY, "--rehearse") == 1
    assert "There is no release to go back to" in capfd.readouterr().out
    assert relctl("rollback", here.route.pk, "--reason", WHY) == 0
    assert "answers 503" in capfd.readouterr().out
    assert here.fresh(here.stable).delivery == "rolled_back"
