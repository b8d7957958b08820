"""EU AI Act (Regulation (EU) 2024/1689): record-keeping, logs, and what deployers of high-risk systems do. Pure."""

from typing import Final

from audit.events import Event
from audit.requirement_map.requirement import Requirement

FRAME: Final = "EU AI Act, Regulation (EU) 2024/1689"

REQUIREMENTS: Final = (
    Requirement(
        id="eu-ai-act-12",
        frame=FRAME,
        clause="Article 12: record-keeping",
        asks="A high-risk system records events by itself over its lifetime, so that risks and substantial changes can "
        "be found, and its operation be monitored after it is on the market.",
        events=(
            Event.RELEASE_REGISTERED,
            Event.GATE_PASSED,
            Event.GATE_FAILED,
            Event.GATE_OVERRIDDEN,
            Event.ROLLOUT_STARTED,
            Event.CHECKPOINT_PROMOTED,
            Event.ROLLOUT_COMPLETED,
            Event.ROLLBACK_AUTO,
            Event.ROLLBACK_MANUAL,
            Event.DRIFT_ALARMED,
            Event.WEIGHTS_OBSERVED,
            Event.WEIGHTS_DRIFTED,
        ),
        fields=(
            "predicate.event",
            "predicate.issued_at",
            "predicate.release.manifest_sha256",
            "predicate.decision.inputs",
            "predicate.chain.prev",
        ),
        pages=(("Audit", "audit"), ("Lineage", "lineage"), ("Releases", "releases")),
        shows="Each change of what serves is a signed receipt in one chain: which model, prompt and settings, measured "
        "how, let through by whom, since when. Lineage leads from an answer to them. An altered receipt breaks the "
        "chain; a chain that was written anew shows where an anchor or a head is known outside.",
        not_shown="What the answers said: traces of requests are kept for a limited time, by default 30 days, and are "
        "not part of the chain. The logs that Article 12(3) lists for remote biometric identification are not made.",
    ),
    Requirement(
        id="eu-ai-act-19",
        frame=FRAME,
        clause="Article 19: automatically generated logs",
        asks="A provider keeps the logs of Article 12 that are under its control for as long as fits the purpose, at "
        "least six months.",
        events=(Event.ANCHOR_MADE, Event.RETENTION_EXPIRED, Event.EXPORT_ISSUED, Event.KEY_ROTATED, Event.KEY_REVOKED),
        fields=("predicate.retention.until", "predicate.chain.seq", "predicate.chain.last_anchor"),
        pages=(("Anchors", "anchors"), ("Exports", "exports"), ("Keys", "settings-keys")),
        shows="Receipts are never deleted: the database refuses it, and a missing one breaks the chain. Time stamps "
        "show that they were there by a certain time, a witness that none was taken away since.",
        not_shown="That there is a backup, or that the machine will be there in six months. Traces go after the days "
        "that RELCONTROL_TRACE_RETENTION_DAYS names: set at least 184 where they are among the logs that you must "
        "keep.",
    ),
    Requirement(
        id="eu-ai-act-26-oversight",
        frame=FRAME,
        clause="Article 26(2): human oversight by the deployer",
        asks="Oversight is given to people with the competence, training and authority for it.",
        events=(
            Event.GATE_SIGNED_OFF,
            Event.OVERRIDE_REQUESTED,
            Event.GATE_OVERRIDDEN,
            Event.OVERRIDE_REJECTED,
            Event.ROLLOUT_PAUSED,
            Event.ROLLOUT_ABORTED,
            Event.ROLLBACK_MANUAL,
            Event.MEMBER_CHANGED,
        ),
        fields=(
            "predicate.actor.id",
            "predicate.actor.signature_meaning",
            "predicate.decision.override.reason",
            "predicate.decision.override.approved_by",
        ),
        pages=(("People", "settings-people"), ("Gates", "gate"), ("Rollouts", "roll")),
        shows="Who held which role when, who signed off or overrode a gate with which reason, that a second person "
        "approved it, and who stopped a rollout or took a release back.",
        not_shown="Whether these people were trained, had time to look, or understood what they signed.",
    ),
    Requirement(
        id="eu-ai-act-26-monitoring",
        frame=FRAME,
        clause="Article 26(5): monitoring by the deployer",
        asks="The operation is monitored; where it presents a risk, its use is suspended and others are told.",
        events=(
            Event.OBSERVER_ARMED,
            Event.OBSERVER_REFUSED,
            Event.DRIFT_ALARMED,
            Event.ROLLOUT_HALTED,
            Event.ROLLBACK_AUTO,
            Event.ROLLBACK_REHEARSED,
        ),
        fields=("predicate.decision.inputs", "predicate.decision.policy.sha256", "predicate.occurred_at"),
        pages=(("Observe", "observe"), ("Rollouts", "roll")),
        shows="That a watch was set with which limits, what it measured when it alarmed, and how the release was taken "
        "back; a rehearsal shows that this worked before it was needed.",
        not_shown="That the limits were the right ones, or that provider, distributor and authority were told.",
    ),
    Requirement(
        id="eu-ai-act-26-logs",
        frame=FRAME,
        clause="Article 26(6): logs kept by the deployer",
        asks="A deployer keeps the logs that the system makes by itself and that are under its control, at least six "
        "months.",
        events=(Event.RETENTION_EXPIRED, Event.EXPORT_ISSUED),
        fields=("predicate.retention.class", "predicate.retention.until"),
        pages=(("Exports", "exports"), ("Verify", "verify")),
        shows="The same as for Article 19; an export gives a copy that verifies without this server.",
        not_shown="Logs of systems that are not behind this gateway, and traces older than their retention.",
    ),
)
