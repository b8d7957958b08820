"""Whose answers a further policy is judged over: those of a rollout's candidate, or of what serves a route.

Of a candidate only the present checkpoint counts, of what serves everything since it began to serve. A scope tells how
its traces are found (`where` is SQL about a trace with the names in `values()`), whose they are, and which answers
refuse: replayed pairs have been judged for that, served answers are read here, the newest `MOST_READ` of the window.
`read` is what these are called in sentences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from gates.rule_judge.judging import READ, text_of
from gates.rule_judge.refusals import refusal_in
from relcontrol.accounts.models import Endpoint
from releases.bucketing import Arm
from releases.models import Release
from releases.observer_models import Observer
from releases.replays.pairing import opened_each
from releases.rollout_models import Measurement, ReplayPair, Rollout
from releases.routing.serving import Served, endpoint_still
from releases.traces.selectors import SHADOW, traces_of

REFUSAL: Final = "refusal"  # the rule of gates.rule_judge
MOST_READ: Final = 200
OK: Final = 200
ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True)
class CandidateScope:
    """The candidate at the present checkpoint, or its copies in shadow."""

    row: Rollout
    measurement: Measurement
    where: str = """
        rollout_id = %(rollout)s AND arm = %(arm)s AND (generation >= %(generation)s OR generation IS NULL)
    """
    read: str = "replayed pair"

    @property
    def entered_at(self) -> datetime:
        """When the checkpoint was entered."""
        return self.measurement.entered_at

    @property
    def release(self) -> Release:
        """The candidate."""
        return self.row.release

    def values(self) -> dict[str, Any]:
        """For `where`."""
        return {
            "organization": self.row.organization_id,
            "rollout": self.row.pk,
            "arm": (Arm.CANDIDATE if self.measurement.checkpoint else Arm.SHADOW).value,
            "generation": self.measurement.generation,
            "entered_at": self.entered_at,
        }

    def refusals(self, since: datetime) -> Sequence[bool]:
        """Of each pair whether the rules found that the candidate refused."""
        pairs = ReplayPair.objects.filter(
            rollout=self.row,
            checkpoint=self.measurement.checkpoint,
            state=ReplayPair.State.SCORED,
            scored_at__gte=since,
        )
        return [_refused(findings) for findings in pairs.values_list("findings", flat=True)]


@dataclass(frozen=True, slots=True)
class ServingScope:
    """What a route has served since its release took over; copies for a shadow are not served."""

    observer: Observer
    where: str = "release = %(release)s AND route_id = %(route)s AND arm IS DISTINCT FROM %(shadow)s"
    read: str = ANSWER

    @property
    def entered_at(self) -> datetime:
        """Since when it serves."""
        return self.observer.serving.since

    @property
    def release(self) -> Release:
        """What serves."""
        return self.observer.release

    def values(self) -> dict[str, Any]:
        """For `where`."""
        return {
            "organization": self.observer.organization_id,
            "release": self.release.manifest_sha256,
            "route": self.observer.route_id,
            "shadow": SHADOW,
            "entered_at": self.entered_at,
        }

    def refusals(self, since: datetime) -> Sequence[bool]:
        """Of the newest answers, those that can be opened, whether they refuse."""
        served = traces_of(
            self.observer.organization,
            release=self.release.manifest_sha256,
            route=self.observer.route_id,
            since=max(since, self.entered_at),
        )
        good = served.filter(status=OK, error=None, body__isnull=False).exclude(arm=SHADOW)
        sealed = [
            (bytes(subject), bytes(body or b"")) for subject, body in good.values_list("subject", "body")[:MOST_READ]
        ]
        bodies = opened_each(self.observer.organization_id, sealed)
        said = [body["output"] for body in bodies if isinstance(body, Mapping) and body.get("output")]
        return [refusal_in(text_of(output)[:READ]) is not None or _says_so(output) for output in said]


Scope = CandidateScope | ServingScope


def prices(scope: Scope) -> tuple[Decimal, Decimal] | None:
    """What a token costs at the endpoint of the scope's release, in and out; None where no price is set."""
    release = scope.release
    served = endpoint_still(Endpoint.objects.filter(organization=release.organization_id), release.model_ref)
    if not isinstance(served, Served) or served.endpoint.input_price is None or served.endpoint.output_price is None:
        return None
    return served.endpoint.input_price, served.endpoint.output_price


def _refused(findings: list[dict[str, Any]]) -> bool:
    return any(one.get("rule") == REFUSAL and one.get("side") == Arm.CANDIDATE.value for one in findings)


def _says_so(output: Any) -> bool:
    """The model says itself that it refused."""
    return isinstance(output, Mapping) and bool(output.get("refusal"))
