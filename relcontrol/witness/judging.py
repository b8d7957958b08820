"""Whether a witness cosigns a checkpoint: only if the log signed it, and only if it merely grew. Pure.

The order of the checks and their HTTP answers are those of C2SP's tlog-witness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from audit.log.merkle import EMPTY, ProofError, verify_consistency
from audit.log.notes import Note, NoteError, verify_note
from relcontrol.witness.requests import AddCheckpoint

Logs = Mapping[str, Sequence[bytes]]  # by origin, the public keys that may sign its checkpoints


@dataclass(frozen=True, slots=True)
class Seen:
    """The latest checkpoint that was cosigned for an origin; size 0 for none."""

    size: int = 0
    root: bytes = EMPTY


class RefusedError(Exception):
    """A checkpoint that is not cosigned: the HTTP status, and why. For a conflict `size` is what was seen."""

    def __init__(self, status: HTTPStatus, why: str, size: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.size = size


def require_signed(request: AddCheckpoint, logs: Logs) -> None:
    """Raise `RefusedError` unless a known key of this origin signed the checkpoint."""
    origin = request.checkpoint.origin
    if origin not in logs:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"the log {origin[:200]} is not known here")
    if not any(_signed(request.note, origin, public) for public in logs[origin]):
        raise RefusedError(HTTPStatus.FORBIDDEN, f"no key of the log {origin} has signed this checkpoint")


def require_grown(request: AddCheckpoint, seen: Seen) -> None:
    """Raise `RefusedError` unless this checkpoint goes on from what was seen."""
    checkpoint = request.checkpoint
    if request.old > checkpoint.size:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint")
    if request.old != seen.size:
        raise RefusedError(HTTPStatus.CONFLICT, f"the latest checkpoint seen has size {seen.size}", size=seen.size)
    if checkpoint.size == 0 and checkpoint.root != EMPTY:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "an empty log has another root")
    if request.old == 0 and checkpoint.size > 0:
        if request.proof:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "from nothing there is nothing to prove")
        return
    try:
        verify_consistency(seen.size, seen.root, checkpoint.size, checkpoint.root, request.proof)
    except ProofError as error:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def _signed(note: Note, origin: str, public: bytes) -> bool:
    try:
        verify_note(note, origin, public)
    except NoteError:
        return False
    return True
