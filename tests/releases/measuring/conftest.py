"""Fixtures of the measuring's tests."""

import pytest

from releases.measuring import folding
from releases.rollout_models import Rollout
from tests.releases.measuring.rows import new_rollout
from tests.releases.scene import Scene


class Horizon:
    """The horizon of transactions, moved by hand: a test writes its traces as transactions below it."""

    def __init__(self) -> None:
        self.at = 1_000

    def __call__(self) -> int:
        return self.at

    def next(self) -> int:
        """The next transaction, finished at once."""
        self.at += 1
        return self.at - 1


@pytest.fixture
def horizon(monkeypatch: pytest.MonkeyPatch) -> Horizon:
    """Folding sees this horizon and not the server's, which other sessions hold back."""
    moved = Horizon()
    monkeypatch.setattr(folding, "xact_horizon", moved)
    return moved


@pytest.fixture
def rollout(northgate: Scene) -> Rollout:
    """A rollout at its first checkpoint."""
    return new_rollout(northgate)
