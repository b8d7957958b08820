"""What the pure audit tests share: one ledger, and the switch to the verifier's own Ed25519."""

import pytest

from audit import verify
from tests.audit.pure.chains import Ledger
from tests.audit.pure.chains import ledger as new_ledger


@pytest.fixture
def ledger() -> Ledger:
    return new_ledger()


@pytest.fixture
def own_ed25519(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the `cryptography` package."""
    monkeypatch.setattr(verify, "_accelerated", lambda: None)
