"""An organization whose keys lie in a folder of its own."""

from pathlib import Path
from typing import Any

import pytest

from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from tests import factories


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The folder of private keys, empty at first."""
    settings.KEY_DIR = tmp_path / "keys"
    return tmp_path / "keys"


@pytest.fixture
def organization(db: None, folder: Path) -> Organization:
    """With one receipt, by a key that was made for it."""
    return factories.organization()


@pytest.fixture
def actor(organization: Organization) -> Actor:
    """Whoever has a shell on the machine."""
    return command_actor(organization)
