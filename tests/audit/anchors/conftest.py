"""What tests of anchors share: one authority for all, and orders of a small log."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit.anchors.orders import Order
from audit.keys.signing import LOG, SigningKey, load_signing_key, new_private_pem
from audit.log import merkle
from audit.log.notes import checkpoint_text, sign_note
from tests.audit.anchors.authority import Authority, authority

ORIGIN = "relcontrol.local/northgate"
AT = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that stamps with one certificate."""
    return authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="session")
def other_tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One of somebody else, with another policy, which sends its chain along."""
    return authority(tmp_path_factory.mktemp("other-tsa"), policy="1.2.3.4.99", chain=True)


class Log:
    """A log in memory, and its orders."""

    def __init__(self, name: bytes = b"") -> None:
        self.leaves = [merkle.leaf_hash(name + bytes([number])) for number in range(30)]
        self.key: SigningKey = load_signing_key(new_private_pem(), purpose=LOG)

    def note(self, size: int) -> str:
        """The signed head at this size."""
        text = checkpoint_text(ORIGIN, size, merkle.root_of(self.leaves[:size]))
        return sign_note(text, ORIGIN, self.key)

    def proof(self, old: int, size: int) -> list[bytes]:
        """That the log only grew."""
        return merkle.consistency_proof(old, size, merkle.nodes_over(self.leaves[:size]))

    def order(self, size: int, seen: int = 0) -> Order:
        """The order to anchor it."""
        consistency: Callable[[int], list[bytes]] = lambda old: self.proof(old, size)  # noqa: E731
        return Order("anc_1", ORIGIN, size, self.note(size).encode(), AT, seen, consistency)


@pytest.fixture(scope="session")
def log() -> Log:
    """One log for all tests that change nothing of it."""
    return Log()
