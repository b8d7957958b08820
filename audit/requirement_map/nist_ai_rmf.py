"""NIST AI Risk Management Framework 1.0 (NIST AI 100-1): outcomes of its four functions that apply. Pure."""

from typing import Final

from audit.events import Event
from audit.requirement_map.requirement import Requirement

FRAME: Final = "NIST AI RMF 1.0 (NIST AI 100-1), voluntary"

REQUIREMENTS: Final = (
    Requirement(
        id="nist-govern",
        frame=FRAME,
        clause="GOVERN 1.4 and 2.1: policies and roles",
        asks="Risk is managed by policies and controls that people can see, with roles that are written down.",
        events=(Event.POLICY_CHANGED, Event.MEMBER_CHANGED, Event.CASE_ALLOWLISTED),
        fields=(
            "predicate.decision.policy.id",
            "predicate.decision.policy.revision",
            "predicate.decision.policy.sha256",
        ),
        pages=(("Gate policies", "gate-policies"), ("People", "settings-people")),
        shows="Which revision of which policy decided each case, who changed a threshold when, and who held which "
        "role.",
        not_shown="That the policies fit the risks of the organization, or that anybody read them.",
    ),
    Requirement(
        id="nist-map-oversight",
        frame=FRAME,
        clause="MAP 3.5: human oversight",
        asks="How people oversee the system is defined, assessed and documented.",
        events=(
            Event.GATE_SIGNED_OFF,
            Event.OVERRIDE_REQUESTED,
            Event.GATE_OVERRIDDEN,
            Event.CHECKPOINT_WAITING_REVIEW,
        ),
        fields=("predicate.actor.signature_meaning", "predicate.decision.override.reason"),
        pages=(("Gates", "gate"), ("Panels", "panels")),
        shows="Where a person had to look, what she decided and why, and that nobody approved her own request.",
        not_shown="How carefully she looked.",
    ),
    Requirement(
        id="nist-map-components",
        frame=FRAME,
        clause="MAP 4.1: components of third parties",
        asks="Risks of the system's components are mapped, models and data of third parties among them.",
        events=(Event.RELEASE_REGISTERED, Event.ARTIFACT_CREATED, Event.WEIGHTS_OBSERVED, Event.WEIGHTS_DRIFTED),
        fields=("predicate.release.manifest_sha256", "predicate.weights"),
        pages=(("Releases", "releases"), ("Prompts", "prompts")),
        shows="Each component of a release by its digest. Open weights: what was declared, and what an observer saw "
        "mounted. A closed API: in words, that nobody can see its weights.",
        not_shown="The risks themselves, licences, and what a provider behind a closed API changed.",
    ),
    Requirement(
        id="nist-measure-tests",
        frame=FRAME,
        clause="MEASURE 2.1 and 2.3: tests and criteria",
        asks="Test sets, metrics and tools are documented, and performance is measured against criteria.",
        events=(
            Event.SUITE_IMPORTED,
            Event.RATINGS_ADDED,
            Event.JUDGE_CALIBRATED,
            Event.GATE_PASSED,
            Event.GATE_FAILED,
            Event.GATE_HELD,
        ),
        fields=(
            "predicate.decision.inputs.metric",
            "predicate.decision.inputs.value",
            "predicate.decision.inputs.threshold",
            "predicate.decision.inputs.n",
        ),
        pages=(("Suites", "suites"), ("Slices", "slices"), ("Judges", "judges"), ("Gates", "gate")),
        shows="Which cases by digest, which judge and how well it agrees with people, each measured value beside its "
        "limit, in the receipt of the gate.",
        not_shown="That the cases are those that matter in use, or that the people who graded were right.",
    ),
    Requirement(
        id="nist-measure-production",
        frame=FRAME,
        clause="MEASURE 2.4: monitoring in production",
        asks="What the system and its components do is monitored while it is in use.",
        events=(Event.OBSERVER_ARMED, Event.DRIFT_ALARMED, Event.CHECKPOINT_HELD, Event.WEIGHTS_DRIFTED),
        fields=("predicate.decision.inputs", "predicate.delivery.to"),
        pages=(("Observe", "observe"), ("Traces", "traces")),
        shows="What was watched for each release, and each alarm with its numbers.",
        not_shown="Windows without an alarm leave no receipt; they are on the page of Observe while they are kept.",
    ),
    Requirement(
        id="nist-manage-go",
        frame=FRAME,
        clause="MANAGE 1.1: whether to go on",
        asks="Somebody decides whether the system does what it is for and whether it should be deployed.",
        events=(Event.GATE_PASSED, Event.GATE_OVERRIDDEN, Event.ROLLOUT_STARTED, Event.CHECKPOINT_PROMOTED),
        fields=("predicate.decision.outcome", "predicate.actor.id", "predicate.delivery.to"),
        pages=(("Releases", "releases"), ("Rollouts", "roll")),
        shows="The decision for each release and each step of its rollout, by whom or by which policy, on what "
        "numbers.",
        not_shown="Decisions that were made elsewhere and only carried out here.",
    ),
    Requirement(
        id="nist-manage-off",
        frame=FRAME,
        clause="MANAGE 2.4: switching off",
        asks="There are means, and people who answer for them, to supersede or switch off a system that does not do as "
        "intended.",
        events=(Event.ROLLBACK_REHEARSED, Event.ROLLBACK_AUTO, Event.ROLLBACK_MANUAL, Event.ROLLOUT_HALTED),
        fields=("predicate.delivery.from", "predicate.delivery.to", "predicate.occurred_at"),
        pages=(("Rollouts", "roll"), ("Observe", "observe")),
        shows="Rehearsed and real rollbacks, what set them off, and when they were decided.",
        not_shown="That every gateway had followed: that is in their reports, on the page of the rollout.",
    ),
    Requirement(
        id="nist-manage-after",
        frame=FRAME,
        clause="MANAGE 3.2 and 4.1: pre-trained models, and plans after deployment",
        asks="Pre-trained models are monitored, and plans for monitoring, incidents and changes are carried out.",
        events=(Event.WEIGHTS_OBSERVED, Event.WEIGHTS_DRIFTED, Event.DRIFT_ALARMED, Event.DESIRED_STATE_RECONCILED),
        fields=("predicate.weights.assurance", "predicate.weights.observed_at"),
        pages=(("Observe", "observe"), ("Health", "settings-health")),
        shows="When which weight files were seen by whom, and how far a claim about them goes; alarms and what "
        "followed.",
        not_shown="Anything about weights behind a closed API, and what users or others reported outside of "
        "relcontrol.",
    ),
)
