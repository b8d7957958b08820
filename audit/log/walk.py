"""The log grown again beside a walk over the receipts, to compare what is stored with what follows from them."""

from audit.chain import leaf_of
from audit.log.merkle import Frontier, Node
from audit.log.nodes import MissingNodeError, frontier_at, stored_nodes
from relcontrol.accounts.models import Organization

BATCH = 500


class LogError(Exception):
    """The stored log is not that of the receipts; the message says where, `expected` and `got` are in hex."""

    def __init__(self, detail: str, expected: str, got: str) -> None:
        super().__init__(detail)
        self.detail, self.expected, self.got = detail, expected, got


class LogWalk:
    """A log from one size on, receipt by receipt. What came before that size is taken from the stored nodes."""

    def __init__(self, organization: Organization, size: int) -> None:
        """Raises `LogError` where the nodes of that size are not all there."""
        self.organization = organization
        self._made: dict[Node, bytes] = {}
        try:
            self.frontier = frontier_at(organization, size)
        except MissingNodeError as error:
            raise LogError(str(error), "a node", "none") from error

    def add(self, receipt_hash: str) -> None:
        """The next receipt. Raises `LogError` as soon as a stored node is seen to be another one."""
        self.frontier, made = self.frontier.append(leaf_of(receipt_hash))
        self._made |= {(level, index): node for level, index, node in made}
        if len(self._made) >= BATCH:
            self.compare()

    def compare(self) -> None:
        """The nodes that became complete since the last comparison with those that are stored."""
        stored = stored_nodes(self.organization, self._made)
        for (level, index), node in self._made.items():
            found = stored.get((level, index))
            if found != node:
                detail = f"node {index} of level {level} of the log does not follow from the receipts"
                raise LogError(detail, node.hex(), found.hex() if found else "no node")
        self._made = {}

    def end(self, stored: bytes) -> None:
        """Compare with what the chain's head stores, from which the log will go on."""
        if stored != self.frontier.joined():
            root = self.frontier.root().hex()
            raise LogError("the head of the log does not follow from the receipts", root, self._root_of(stored))

    def _root_of(self, stored: bytes) -> str:
        try:
            return Frontier.of(self.frontier.size, stored).root().hex()
        except ValueError as error:
            return str(error)
