"""Whether a release may be rolled out, and in plain words why not (api.md: `deployable`).

Deployable is a standing of pass or overridden together with a delivery of registered. A release that was halted or
rolled back needs a pass or override *newer* than that; its old standing does not count. An override covers one
rollout: once used, the standing stays overridden and nothing more may start. A registered release whose gate has failed
is `archived`: that is derived and stored nowhere, and an active override lifts it (contracts.md "States").
Pure: what gateways and the rollback target have to say is asked when a rollout starts.
"""

from dataclasses import dataclass

DEPLOYABLE_STANDINGS = frozenset({"pass", "overridden"})
STOPPED = frozenset({"halted", "rolled_back"})

_STANDING_SAYS = {
    "none": "No gate run has judged this release; a release rolls only after a gate pass or an approved override.",
    "running": "Its gate run is still running; wait for the verdict.",
    "hold": "The gate holds it: evidence is missing or a review is due. It needs a pass or an approved override.",
    "fail": "The gate has failed it, so it is archived: no way of deploying takes it without an approved override.",
}
_DELIVERY_SAYS = {
    "rolling": "It is rolling out already.",
    "stable": "It is what the route serves already.",
    "superseded": "A later release has replaced it; it can come back by a rollback.",
    "halted": "Its rollout was halted; it needs a pass or an override that is newer than the halt.",
    "rolled_back": "It was rolled back; it needs a pass or an override that is newer than the rollback.",
    "archived": "A person has archived it, which is final.",
}
_USED = "Its override has been used; it covers one rollout."


@dataclass(frozen=True, slots=True)
class Deployability:
    """The answer with its reasons; `why_not` is empty exactly where `deployable` holds.

    `delivery` is what people are shown: `archived` for a registered release that failed its gate.
    """

    standing: str
    delivery: str
    why_not: tuple[str, ...]

    @property
    def deployable(self) -> bool:
        """Nothing stands against it."""
        return not self.why_not


def deployability(
    *, standing: str, delivery: str, override_usable: bool = True, renewed: bool = False
) -> Deployability:
    """What a standing and the stored delivery state mean for a rollout.

    `renewed`: the standing was decided after the release was halted or rolled back.
    """
    reasons = []
    if standing not in DEPLOYABLE_STANDINGS:
        reasons.append(_STANDING_SAYS[standing])
    if standing == "overridden" and not override_usable:
        reasons.append(_USED)
    if delivery != "registered" and not (renewed and delivery in STOPPED):
        reasons.append(_DELIVERY_SAYS[delivery])
    return Deployability(standing, _shown_delivery(standing, delivery), tuple(reasons))


def _shown_delivery(standing: str, delivery: str) -> str:
    return "archived" if (standing, delivery) == ("fail", "registered") else delivery
