"""An organization whose receipts a report can tell: gate runs, an override with both persons, and much text by others.

The receipts are appended as the gate's services write them (their openings are the contract of the run service).
"""

from typing import Any

from audit.administration.people import add_person
from audit.events import Event
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export
from audit.receipts import Record, append
from audit.statement import ClosedApiWeights, DecisionInput, Delivery, Override, Policy, ReleaseRef
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.jobs.running import run
from tests import factories

MANIFEST, PREVIOUS = "2b237c2ec910" + "ab" * 26, "cd" * 32
REASON = (
    "The regulator's deadline is Monday. Two counsel read all nineteen answers that lost points; none of them "
    "changes advice that a client would act on.\nWe take the prompt back in v16."
)
COMMENT = "I read the nineteen answers too."
WEIGHTS = ClosedApiWeights("openai", "gpt-5")
POLICY = Policy("default", 3, "9f" * 32)
SLICES = (
    ("ip-licensing", "IP licensing", "fail", 84, 0.41, 0.24, 0.56, 0.65, 0.68),
    ("jurisdictional", "Jurisdictional analysis", "pass", 96, 0.62, 0.49, 0.72, 0.60, 0.61),
    ("regulatory", "Regulatory compliance", "pass", 141, 0.66, 0.56, 0.74, 0.65, 0.67),
    ("summaries", "Case summarization", "pass", 188, 0.69, 0.61, 0.75, 0.65, 0.68),
    ("drafting", "Contract drafting", "pass", 212, 0.71, 0.64, 0.77, 0.65, 0.70),
    ("statutes", "Statutory interpretation", "review", 160, 0.74, 0.67, 0.80, 0.65, 0.73),
)


def named_actor(owner: Organization, name: str, *roles: str) -> Actor:
    """A member of this name."""
    email = f"{name.partition(' ')[0].lower()}@{owner.slug}.example"
    member = add_person(actor=command_actor(owner), email=email, name=name, roles=roles).person
    return Actor(organization=owner, kind="person", auth="session", person=member, roles=roles)


def slice_of(slug: str, name: str, verdict: str, n: float, *numbers: float) -> dict[str, Any]:
    """One slice of an opening, with decimals as text."""
    rho, low, high, threshold, before = (f"{number:.2f}" for number in numbers)
    change = f"{float(rho) - float(before):.2f}"
    said = "below" if verdict == "fail" else "which meets"
    return {
        "slice": slug,
        "name": name,
        "judge": "external:legal-judge@9",
        "verdict": verdict,
        "evidence": "proven" if verdict == "fail" else "unproven",
        "cases": n,
        "reasons": [],
        "agreement": {
            "source": "own",
            "n": n,
            "rho": rho,
            "ci90": [low, high],
            "threshold": threshold,
            "previous_rho": before,
            "verdict": verdict,
            "reasons": [f"Agreement of judge and experts is {rho}, {said} the threshold of {threshold}."],
        },
        "quality": {
            "n": n,
            "mean": "0.71",
            "ci90": ["0.66", "0.76"],
            "floor": "0.63",
            "calibrated": True,
            "verdict": "pass",
            "reasons": ["Quality is 0.71, which meets the floor of 0.63."],
        },
        "change": {
            "n": n,
            "mean_difference": change,
            "ci90": [f"{float(change) - 0.03:.2f}", f"{float(change) + 0.03:.2f}"],
            "verdict": "pass",
            "reasons": ["No change is proven."],
        },
    }


def run_state(number: int = 41, **changes: Any) -> dict[str, Any]:
    """What opens a receipt of a gate run."""
    return {
        "run": f"grn_{number}",
        "number": number,
        "release": "r128",
        "previous": "r127",
        "suite": "scored-qa-legal-v3",
        "gate_run_sha256": "a4" * 32,
        "results_sha256": "b5" * 32,
        "ratings_sha256": f"sha256:{'c6' * 32}",
        "slice_set_sha256": "d7" * 32,
        "parity": "match",
        "verdict": "gate_fail",
        "reasons": ["IP licensing: Agreement: 0.41 is 0.24 below the threshold of 0.65."],
        "slices": [slice_of(*row) for row in SLICES],
        "floors": [
            {
                "metric": "ragas",
                "value": "0.8",
                "floor": "0.78",
                "n": 881,
                "verdict": "pass",
                "reasons": ["0.8 meets 0.78."],
            }
        ],
        "limits": [
            {
                "metric": "latency_p95",
                "value": "1430",
                "limit": "1800",
                "verdict": "pass",
                "reasons": ["Within 1.2 times."],
            }
        ],
        "aggregate": {"n": 881, "mean_of_slices": "0.64"},
        "judges": {"external:legal-judge@9": "e8" * 32},
        **changes,
    }


def append_run(actor: Actor, event: Event = Event.GATE_FAILED, state: dict[str, Any] | None = None) -> None:
    """The receipt of a gate run."""
    inputs = [DecisionInput("agreement", "fail", "ip-licensing", "0.41", "0.65", ">=", "proven", 84)]
    append(
        actor,
        Record(
            event=event,
            outcome=event.value.partition(".")[2],
            kind="gate_run",
            name="grn_41",
            application="legal-assistant",
            release=ReleaseRef(MANIFEST),
            policy=POLICY,
            inputs=inputs,
            weights=WEIGHTS,
            state=run_state() if state is None else state,
        ),
    )


def append_override(actor: Actor, event: Event, requester: Actor, *, reason: str = REASON, **state: Any) -> None:
    """One step of the override, by `actor`."""
    approved = actor.id if event is Event.GATE_OVERRIDDEN else None
    claim = Override(
        gate_override_sha256="f9" * 32,
        slices=["ip-licensing"],
        accepted_levels={"ip-licensing": "0.66"},
        reason=reason,
        requested_by=requester.id,
        approved_by=approved,
        expires_at="2026-11-22T13:00:00.000000Z",
    )
    append(
        actor,
        Record(
            event=event,
            outcome="overridden" if approved else "requested",
            kind="override",
            name="ovr_1",
            application="legal-assistant",
            release=ReleaseRef(MANIFEST),
            override=claim,
            weights=WEIGHTS,
            state={"id": "ovr_1", **state},
        ),
    )


def append_release(actor: Actor, name: str = "r128", manifest: str = MANIFEST) -> None:
    """The registration of the release."""
    append(
        actor,
        Record(
            event=Event.RELEASE_REGISTERED,
            outcome="registered",
            kind="release",
            name=name,
            application="legal-assistant",
            release=ReleaseRef(manifest),
            delivery=Delivery(None, "registered"),
            weights=WEIGHTS,
            state={"id": f"rel_{name}", "name": name},
        ),
    )


def reported(slug: str = "northgate") -> Organization:
    """The organization: two releases, a run that passed, one that failed, and an approved override."""
    made = factories.organization(slug)
    factories.application(made)
    mara = named_actor(made, "Mara Lindqvist", "release-manager")
    john = named_actor(made, "John Okafor", "release-manager")
    append_release(mara, "r127", PREVIOUS)
    append_release(mara)
    passed = [slice_of(slug, name, "pass", *rest) for slug, name, _, *rest in SLICES[1:]]
    append_run(mara, Event.GATE_PASSED, run_state(40, reasons=[], slices=passed))
    append_run(mara)
    append_override(mara, Event.OVERRIDE_REQUESTED, mara)
    append_override(john, Event.GATE_OVERRIDDEN, mara, comment=COMMENT)
    return made


def exported(organization: Organization, scope: dict[str, Any] | None = None, *, with_report: bool = True) -> Export:
    """A finished export, with its report unless that is not looked at."""
    export = request_export(
        actor=command_actor(organization), scope=scope or {"organization": True}, with_report=with_report
    )
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    return export


def document_of(organization: Organization, scope: dict[str, Any] | None = None) -> bytes:
    """The JSON of an export."""
    return b"".join(content_of(exported(organization, scope, with_report=False)))
