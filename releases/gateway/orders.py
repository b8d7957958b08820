"""What is decided about a request before it is forwarded: subject, arm and release (gateway.md, steps 3 and 4)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from releases.bucketing import BUCKETS, Arm, arm_of, bucket, subject_of
from releases.gateway.choosing import nothing_serves
from releases.gateway.control.snapshot import ApplicationEntry, CandidateEntry, ReleaseEntry, RouteEntry, Snapshot
from releases.gateway.errors import GatewayError

LONGEST_SUBJECT: Final = 1024


@dataclass(frozen=True, slots=True)
class Order:
    """A request on its way to one release. It keeps its snapshot: a swap does not change what was decided."""

    snapshot: Snapshot
    application: ApplicationEntry
    route: RouteEntry
    release: ReleaseEntry
    arm: Arm
    subject: str
    request_id: str
    body: Mapping[str, Any]
    size: int
    chat: bool  # a request for embeddings takes a release's model server and nothing else of it

    @property
    def rollout(self) -> str | None:
        """The rollout under which it is answered, None where none is running."""
        return self.route.candidate.rollout if self.route.candidate else None


def subject_for(*, header: str | None, body: Mapping[str, Any], key: str, request_id: str) -> str:
    """Whose request it is; 400 where that is too long to be a name."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    subject = subject_of(header=header, body=body, key_digest=digest, request_id=request_id)
    if len(subject.value) > LONGEST_SUBJECT:
        message = f"The subject ({subject.source}) is longer than {LONGEST_SUBJECT:,} characters; send a shorter one."
        raise GatewayError(400, message, code="subject_too_long")
    return subject.value


def assignment(snapshot: Snapshot, route: RouteEntry, subject: str) -> tuple[ReleaseEntry, Arm]:
    """The release that answers this subject, and as which arm; 503 where there is none."""
    candidate = route.candidate
    arm = Arm.STABLE
    if candidate is not None:
        arm = arm_of(salt=candidate.salt, subject=subject, basis_points=candidate.basis_points)
    sha = candidate.release if candidate is not None and arm is Arm.CANDIDATE else route.stable
    if sha is None:
        raise nothing_serves(route)
    return snapshot.release(sha), arm


def shadow_of(order: Order) -> Order | None:
    """The same request for the shadow candidate where its request id falls into the sample, else None.

    An order that nothing serves yet is a shadow already.
    """
    candidate = order.route.candidate
    if candidate is None or order.arm is Arm.CANDIDATE or not _sampled(candidate, order.request_id):
        return None
    return replace(order, release=order.snapshot.release(candidate.release), arm=Arm.SHADOW)


def _sampled(candidate: CandidateEntry, request_id: str) -> bool:
    share = min(candidate.shadow_basis_points, BUCKETS)
    return share > 0 and bucket(candidate.salt, request_id) < share
