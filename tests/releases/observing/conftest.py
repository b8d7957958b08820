"""Fixtures of the observer's tests."""

import pytest

from releases.observing import sampling, starting
from tests.releases.observing.stage import Stage, horizon, stage


@pytest.fixture(autouse=True)
def _visible_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own transaction is open until it ends, so what it wrote would be visible to nobody before."""
    if "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(sampling, "xact_horizon", horizon)
        monkeypatch.setattr(starting, "xact_horizon", horizon)


@pytest.fixture
def northgate_stage(db: None) -> Stage:
    """A route whose release is watched, with automatic rollback armed."""
    return stage()
