"""Who rolls releases out in the chaos bench: one candidate after the other, by the API, whatever is killed meanwhile.

A call that was cut off is made again with the same Idempotency-Key, as a pipeline would. Candidates fail and are well
in turn, beginning with one that fails. Where a rollout stands still because an outage lasted longer than its
extensions, the director resumes it as a person.
"""

import http.client
import json
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection

from relcontrol.bench.chaos_cluster import HOST
from relcontrol.bench.chaos_stage import Stage, candidate, passed
from releases.models import Release
from releases.rolling.selectors import open_rollout
from releases.rollout_models import Rollout
from releases.selectors import serving

# The three steps take as long as their requests: at 100 %, 1,000 requests of stable must have been counted before.
PLAN: Final = (
    {"percent": 10, "dwell_seconds": 8, "requests": 110},
    {"percent": 20, "dwell_seconds": 6, "requests": 110},
    {"percent": 100, "dwell_seconds": 5, "requests": 110},
)
# Every start of a process takes the processor from both arms, but not at the same time: that is no release's latency.
DRY: Final = ("latency",)
ANSWER_S: Final = 30.0
LOOK_S: Final = 0.2
SERVER_ERROR: Final = 500
AWAY: Final = (OSError, http.client.HTTPException, OperationalError, InterfaceError)


class NotYetError(Exception):
    """The control plane cannot say, or says that it is not ready: ask again."""


@dataclass(slots=True)
class Planned:
    """A rollout and where its evidence must lead it."""

    number: int
    healthy: bool
    manifest_sha256: str = ""
    rollout: str = ""

    @property
    def end(self) -> str:
        """The state that it must end in."""
        return Rollout.State.COMPLETED.value if self.healthy else Rollout.State.HALTED.value


@dataclass(slots=True)
class Director:
    """Runs in a thread of its own between `start` and `stop`; `starting` is whether it goes on to further releases."""

    stage: Stage
    port: int
    planned: list[Planned] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    starting: bool = True
    resumed: int = 0
    _attempts: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._work, name="director")
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * ANSWER_S)

    @property
    def failing(self) -> set[str]:
        """The manifests whose model fails."""
        return {one.manifest_sha256 for one in self.planned if not one.healthy and one.manifest_sha256}

    def _work(self) -> None:
        try:
            while not self._ended.wait(LOOK_S):
                try:
                    self._step()
                except NotYetError:
                    continue
                except AWAY:
                    connection.close()
        finally:
            connection.close()

    def _step(self) -> None:
        running = open_rollout(self.stage.route)
        if running is not None:
            self._resume(running)
            return
        if not self.planned or self._is_started(self.planned[-1]):
            if not self.starting:
                return
            number = len(self.planned) + 1
            self.planned.append(Planned(number, healthy=number % 2 == 0))
        self._begin(self.planned[-1])

    def _resume(self, row: Rollout) -> None:
        if row.state != Rollout.State.WAITING_REVIEW:
            return
        order = {"reason": "The outage is over.", "expected_version": row.version}
        self._called(f"rollouts/{row.pk}/resume", order, f"resume-{row.pk}-{row.version}-{self._attempts}")
        self.resumed += 1

    def _is_started(self, one: Planned) -> bool:
        return bool(one.rollout)

    def _begin(self, one: Planned) -> None:
        stable = serving(self.stage.route)
        if stable is None:
            raise NotYetError
        registered = self._called("releases", candidate(one.number, stable, healthy=one.healthy), f"new-{one.number}")
        release = Release.objects.select_related("organization", "application", "route").get(
            pk=registered["release_id"]
        )
        one.manifest_sha256 = release.manifest_sha256
        if not Rollout.objects.filter(release=release).exists():
            passed(release)
        order = {"strategy": "canary", "checkpoints": PLAN, "dry_monitors": DRY, "reason": "The bench goes on."}
        key = f"roll-{one.number}-{self._attempts}"
        one.rollout = str(self._called(f"releases/{release.pk}/roll", order, key)["rollout_id"])

    def _called(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        call = http.client.HTTPConnection(HOST, self.port, timeout=ANSWER_S)
        headers = {"Authorization": f"Bearer {self.stage.manager_token}", "Idempotency-Key": key}
        headers["Content-Type"] = "application/json"
        try:
            call.request("POST", f"/v1/{path}", json.dumps(body), headers)
            answer = call.getresponse()
            said = answer.read()
        finally:
            call.close()
        if answer.status >= SERVER_ERROR:
            raise NotYetError(answer.status)
        if answer.status not in (200, 201, 202):
            self._attempts += 1
            self.refusals.append(f"{path}: {answer.status} {said[:300].decode(errors='replace')}")
            raise NotYetError(answer.status)
        members: dict[str, Any] = json.loads(said)
        return members
