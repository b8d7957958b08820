"""The observer beside a model server: it reads the mounted files, signs what it saw, and sends that.

Pure but for the files that it reads: the time, the key and the way to the control plane are given in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from audit.chain import timestamp
from audit.weights.hashing import Progress
from audit.weights.journal import Journal
from audit.weights.observations import LOAD, SAMPLE, Observation, sign_observation
from audit.weights.observer_keys import ObserverKey
from audit.weights.oms import LONGEST_NAME, SignedStatement, Statement, sign_statement
from audit.weights.predicates import Listing, Predicate
from audit.weights.reading import Read, differences, read_all, read_sample, sample_of

LOAD_AGAIN: Final = timedelta(hours=12)  # half of what an observation of all files counts for


class Plane(Protocol):
    """Where observations go: `audit.weights.control.Control`."""

    def origin(self) -> str: ...
    def statement(self, weights_sha256: str) -> SignedStatement | None: ...
    def send(self, envelope: dict[str, Any], statement: dict[str, Any] | None) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What to read and how; `journal` is where a reading of all files leaves off."""

    folder: Path
    listing: Listing
    workers: int
    journal: Path
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """One look: what was read, of which depth, what differs in words, and what the control plane answered."""

    read: Read
    depth: str
    expected_sha256: str
    differences: list[str]
    answer: dict[str, Any]

    @property
    def drifted(self) -> bool:
        """Other files than expected."""
        return self.read.predicate.weights_sha256 != self.expected_sha256


def load(job: Job) -> Read:
    """Read every file, going on where an interrupted reading left off."""
    journal = Journal(job.journal, job.folder)
    return read_all(job.folder, job.listing, workers=job.workers, progress=job.progress, journal=journal)


def signed(job: Job, predicate: Predicate, key: ObserverKey) -> SignedStatement:
    """The statement about what was read, named after the folder."""
    name = "".join(each for each in job.folder.resolve().name if each.isprintable())[:LONGEST_NAME]
    return sign_statement(Statement(name or "weights", predicate), key)


class Observer:
    """Looks at one folder for one expected digest, again and again; remembers what it has read."""

    def __init__(
        self, *, job: Job, key: ObserverKey, expected: str, plane: Plane, clock: Callable[[], datetime]
    ) -> None:
        self._key, self._expected, self._plane, self._clock = key, expected, plane, clock
        known = plane.statement(expected)
        self._known = known.statement.predicate if known else None
        self._job = replace(job, listing=self._known.listing) if self._known else job
        self._origin = plane.origin()
        self._loaded_at: datetime | None = None

    def look_at_all(self) -> Looked:
        """Every file; the statement about them goes along."""
        read = load(self._job)
        found = read.predicate.weights_sha256
        if found == self._expected:
            self._known, self._loaded_at = read.predicate, self._clock()
        bundle = signed(self._job, read.predicate, self._key).bundle
        differing = differences(self._known, read.predicate) if self._known else []
        return Looked(read, LOAD, self._expected, differing, self._send(read, LOAD, None, bundle))

    def look_at_sample(self, fraction: float, seed: int) -> Looked:
        """A random part of the files; where one differs, or nobody knows how they should be, all of them."""
        if self._known is None:
            return self.look_at_all()
        names = sample_of(self._known, fraction, seed)
        job = self._job
        read = read_sample(job.folder, self._known, names, workers=job.workers, progress=job.progress)
        if read is None:
            return self.look_at_all()
        return Looked(read, SAMPLE, self._expected, [], self._send(read, SAMPLE, seed, None))

    def is_load_due(self) -> bool:
        """All files have not been read for so long that a sample alone would soon prove nothing."""
        return self._loaded_at is None or self._clock() - self._loaded_at >= LOAD_AGAIN

    def _send(self, read: Read, depth: str, seed: int | None, bundle: dict[str, Any] | None) -> dict[str, Any]:
        observation = Observation(
            origin=self._origin,
            expected_sha256=self._expected,
            observed_sha256=read.predicate.weights_sha256,
            oms_root_sha256=read.predicate.root_sha256,
            depth=depth,
            files=read.files,
            bytes=read.bytes,
            seed=seed,
            observed_at=timestamp(self._clock()),
            keyid=self._key.public.keyid,
        )
        return self._plane.send(sign_observation(observation, self._key), bundle)
