"""Rows of rollouts: the rollout, what its checkpoints measured, the pairs that were replayed, what serves a route."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from relcontrol.accounts.models import Application, Identifier, Organization, Route
from relcontrol.jobs.models import LeasedJob

SHA256 = 64
OVER = ("completed", "halted", "aborted")


class Rollout(models.Model):
    """One rollout of a release on a route; its state is that of `releases.rollouts.states.Rollout`, column by column.

    Its id is the salt of the assignment. `settings` are the limits, tolerances and dry monitors as they were at its
    start (`releases.rolling.settings`), `override` what its start used, `look` the newest readings as pages show them.
    """

    class State(models.TextChoices):
        SHADOWING = "shadowing", "Answering in shadow"
        CHECKPOINT = "checkpoint", "Canary running"
        PAUSED = "paused", "Paused"
        WAITING_REVIEW = "waiting_review", "Waiting for a review"
        COMPLETED = "completed", "Completed"
        HALTED = "halted", "Halted"
        ABORTED = "aborted", "Aborted"

    id = Identifier("rol")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, related_name="rollouts")
    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="rollouts")
    previous = models.ForeignKey("releases.Release", models.PROTECT, null=True, related_name="+")
    plan = models.JSONField()
    shadow = models.JSONField(null=True)
    settings = models.JSONField()
    override = models.JSONField(null=True)
    state = models.CharField(max_length=16, choices=State.choices)
    checkpoint = models.PositiveSmallIntegerField()
    entered_at = models.DateTimeField()
    entered_generation = models.PositiveBigIntegerField()
    due = models.DurationField()
    judged = models.BooleanField(default=False)
    extensions = models.PositiveSmallIntegerField(default=0)
    frozen = models.DurationField()
    stopped_at = models.DateTimeField(null=True)
    first_held_at = models.DateTimeField(null=True)
    reviewed = ArrayField(models.CharField(max_length=100), default=list)
    reasons = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    look = models.JSONField(null=True)
    looked_at = models.DateTimeField(null=True)
    started_by = models.CharField(max_length=40)
    started_by_label = models.CharField(max_length=254)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["route"], condition=~models.Q(state__in=OVER), name="rollout_one_per_route"
            ),
            models.UniqueConstraint(
                fields=["release"], condition=~models.Q(state__in=OVER), name="rollout_one_per_release"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-id"], name="rollout_newest"),
            models.Index(fields=["id"], condition=~models.Q(state__in=OVER), name="rollout_open"),
        ]

    def __str__(self) -> str:
        return f"{self.release} {self.state}"

    @property
    def is_over(self) -> bool:
        """Nothing changes it any more."""
        return self.state in OVER


class RolloutStep(models.Model):
    """One move of a rollout, as its timeline shows it: from where, to where, when, why, and the receipt."""

    id = models.BigAutoField(primary_key=True)
    rollout = models.ForeignKey(Rollout, models.PROTECT, related_name="steps")
    version = models.PositiveIntegerField()
    act = models.CharField(max_length=20)
    state = models.CharField(max_length=16)
    checkpoint = models.PositiveSmallIntegerField()
    percent = models.PositiveSmallIntegerField()
    reasons = models.JSONField()
    actor = models.CharField(max_length=40)
    actor_label = models.CharField(max_length=254)
    receipt_hash = models.CharField(max_length=SHA256)
    receipt_seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["rollout", "version"], name="rollout_step_once")]

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.version} {self.act}"


class Measurement(models.Model):
    """What was counted at one checkpoint since it was entered (statistics.md R11-R15); one row per checkpoint.

    Traces are folded in once each, in the order in which their transactions became visible: everything of transactions
    below `folded_to` (a PostgreSQL xid8) is in the sums. `sums` are those of `releases.monitors`, `history` the points
    of the page's charts.
    """

    id = models.BigAutoField(primary_key=True)
    rollout = models.ForeignKey(Rollout, models.PROTECT, related_name="measurements")
    checkpoint = models.PositiveSmallIntegerField()
    entered_at = models.DateTimeField()
    generation = models.PositiveBigIntegerField()
    folded_to = models.PositiveBigIntegerField()
    folded_at = models.DateTimeField()
    candidate_requests = models.PositiveBigIntegerField(default=0)
    stable_requests = models.PositiveBigIntegerField(default=0)
    candidate_subjects = models.PositiveBigIntegerField(default=0)
    stable_subjects = models.PositiveBigIntegerField(default=0)
    sums = models.JSONField(default=dict)
    history = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rollout", "checkpoint"], name="measurement_once_per_checkpoint")
        ]

    def __str__(self) -> str:
        return f"{self.rollout_id} at {self.checkpoint}"


class MeasuredSubject(models.Model):
    """A subject that was seen on an arm at a checkpoint: sample ratio and evidence count subjects, not requests."""

    id = models.BigAutoField(primary_key=True)
    measurement = models.ForeignKey(Measurement, models.CASCADE, related_name="subjects")
    arm = models.CharField(max_length=10)
    subject = models.BinaryField(max_length=16)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["measurement", "arm", "subject"], name="measured_subject_once")
        ]

    def __str__(self) -> str:
        return f"{self.measurement_id} {self.arm}"


class ReplayJob(LeasedJob):
    """The job that answers a checkpoint's sampled prompts by the other arm and scores both answers."""

    id = Identifier("rpl")
    rollout = models.ForeignKey(Rollout, models.PROTECT, related_name="replay_jobs")
    checkpoint = models.PositiveSmallIntegerField()

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rollout"], condition=models.Q(state__in=["queued", "running"]), name="replay_job_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"replays of {self.rollout_id} at {self.checkpoint}"


class ReplayPair(models.Model):
    """One prompt of a live trace, answered by both arms (statistics.md R15). Scores lie on [0, 1], None is missing.

    `served` names the arm that answered in life, the other one's answer is the replay. `answers` is encrypted like the
    trace: `{"candidate": …, "stable": …}`. `source` says what scored both: `rules`, or an external judge's name.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for its replay"
        ANSWERED = "answered", "Answered by both, not scored yet"
        SCORED = "scored", "Scored"
        UNUSABLE = "unusable", "Could not be replayed or scored"

    id = Identifier("rpp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    rollout = models.ForeignKey(Rollout, models.PROTECT, related_name="pairs")
    checkpoint = models.PositiveSmallIntegerField()
    slice = models.CharField(max_length=63)
    request_id = models.CharField(max_length=100)
    trace_id = models.CharField(max_length=32)
    trace_started_at = models.DateTimeField()
    subject = models.BinaryField(max_length=16)
    served = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    answers = models.BinaryField(null=True)
    candidate_score = models.FloatField(null=True)
    stable_score = models.FloatField(null=True)
    source = models.CharField(max_length=200, blank=True)
    findings = models.JSONField(default=list)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    scored_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rollout", "checkpoint", "trace_id", "trace_started_at"], name="replay_pair_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["rollout", "checkpoint", "slice", "state"], name="replay_pair_state")]

    def __str__(self) -> str:
        return f"{self.rollout_id} {self.slice} {self.state}"


class RoutePolicy(models.Model):
    """A further policy of canaries: a metric of traces or feedback over a window, and what its violation does."""

    class Action(models.TextChoices):
        ROLLBACK = "rollback", "Roll back"
        PAUSE = "pause_for_review", "Pause for review"

    id = Identifier("pol")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=100)
    metric = models.CharField(max_length=100)
    maximum = models.FloatField(null=True)
    minimum = models.FloatField(null=True)
    window_seconds = models.PositiveIntegerField()
    n_min = models.PositiveIntegerField(default=30)
    action = models.CharField(max_length=20, choices=Action.choices)
    dry = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    changed_by_label = models.CharField(max_length=254)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "name"], name="route_policy_name_once"),
            models.CheckConstraint(
                condition=models.Q(maximum__isnull=False) ^ models.Q(minimum__isnull=False),
                name="route_policy_one_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Serving(models.Model):
    """What a route served from when until when, by whose decision; at most one release at a time."""

    id = models.BigAutoField(primary_key=True)
    route = models.ForeignKey(Route, models.PROTECT, related_name="servings")
    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="servings")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    generation = models.PositiveBigIntegerField()
    event = models.CharField(max_length=40)
    reason = models.TextField(blank=True)
    decided_by = models.CharField(max_length=40)
    decided_by_label = models.CharField(max_length=254)
    receipt_hash = models.CharField(max_length=SHA256)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["route"], condition=models.Q(until__isnull=True), name="serving_one_per_route"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["route", "-since"], name="serving_newest")]

    def __str__(self) -> str:
        return f"{self.route_id}: {self.release_id}"


class Rollback(models.Model):
    """One rollback of a route, or its rehearsal: what it left, where it went, by which generation, and how it went.

    `trigger` says what asked for it: a person, the observer's windows or a policy; `facts` are what they had found, and
    `triggered_at` is when the first of them was: the start of the first breached window. `progress` is how far it has
    come: replicas as they acknowledge, what still drains.
    """

    class Trigger(models.TextChoices):
        PERSON = "person", "A person"
        WINDOWS = "windows", "Quality below its floor"
        POLICY = "policy", "A policy"

    id = Identifier("rbk")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, related_name="rollbacks")
    left = models.ForeignKey("releases.Release", models.PROTECT, related_name="+")
    target = models.ForeignKey("releases.Release", models.PROTECT, null=True, related_name="+")
    rehearsed = models.BooleanField(default=False)
    trigger = models.CharField(max_length=8, choices=Trigger.choices, default=Trigger.PERSON)
    observer = models.OneToOneField("releases.Observer", models.PROTECT, null=True, related_name="rollback")
    facts = models.JSONField(default=dict)
    triggered_at = models.DateTimeField(null=True)
    reason = models.TextField()
    generation = models.PositiveBigIntegerField()
    decided_by = models.CharField(max_length=40)
    decided_by_label = models.CharField(max_length=254)
    decided_at = models.DateTimeField()
    cool_down_until = models.DateTimeField(null=True)
    receipt_hash = models.CharField(max_length=SHA256)
    progress = models.JSONField(default=dict)
    acknowledged_at = models.DateTimeField(null=True)
    drained_at = models.DateTimeField(null=True)
    followed_until = models.DateTimeField(null=True)
    reconciled_receipt_hash = models.CharField(max_length=SHA256, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["route", "-id"], name="rollback_newest"),
            models.Index(
                fields=["id"],
                condition=models.Q(rehearsed=False, reconciled_receipt_hash=""),
                name="rollback_unreconciled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route_id}: {self.left_id} to {self.target_id}"
