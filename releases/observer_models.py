"""Rows of the observer: what watches a serving release, its quality windows, the answers that it had scored, alarms."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Application, Identifier, Organization, Route
from relcontrol.jobs.models import LeasedJob

SHA256 = 64


class Observer(models.Model):
    """What watches one release while it serves one route, from its `Serving` on until that ends.

    `settings` are pinned at its start: budget, floors with their sources, policies. Traces of transactions below
    `folded_to` (a PostgreSQL xid8) have been looked at. What watches a single slice is an `ObservedSlice`.
    """

    id = Identifier("obs")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, related_name="observers")
    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="observers")
    serving = models.OneToOneField("releases.Serving", models.PROTECT, related_name="observer")
    settings = models.JSONField()
    folded_to = models.PositiveBigIntegerField()
    folded_at = models.DateTimeField()
    policies = models.JSONField(default=list)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["route"], condition=models.Q(ended_at__isnull=True), name="observer_one_per_route"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "-id"], name="observer_newest")]

    def __str__(self) -> str:
        return f"{self.route_id}: {self.release_id}"


class ObservedSlice(models.Model):
    """One slice under an observer: its floor, whether automatic rollback is armed there and why (not), its streak.

    `rho_floor` is the lowest agreement where human grades are mixed in. `spread` is the sd of single scores,
    `correlation` that of neighbouring windows; both are of the slice's own history, or priors. `detector` is R17's.
    `next_from` is where the next window begins.
    """

    id = models.BigAutoField(primary_key=True)
    observer = models.ForeignKey(Observer, models.PROTECT, related_name="slices")
    slice = models.CharField(max_length=63)
    judge = models.CharField(max_length=200)
    judge_sha256 = models.CharField(max_length=SHA256)
    floor = models.FloatField(null=True)
    floor_source = models.CharField(max_length=20, blank=True)
    rho_floor = models.FloatField(null=True)
    healthy_mean = models.FloatField(null=True)
    spread = models.FloatField()
    correlation = models.FloatField(default=0.0)
    windows_known = models.PositiveIntegerField(default=0)
    n_min = models.PositiveIntegerField()
    armed = models.BooleanField(default=False)
    why = models.TextField(blank=True)
    false_rollbacks_per_month = models.FloatField(null=True)
    armed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    receipt_hash = models.CharField(max_length=SHA256, blank=True)
    next_from = models.DateTimeField()
    streak = models.PositiveSmallIntegerField(default=0)
    clear_streak = models.PositiveSmallIntegerField(default=0)
    empty_streak = models.PositiveSmallIntegerField(default=0)
    breached_since = models.DateTimeField(null=True)
    paged_at = models.DateTimeField(null=True)
    detector = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["observer", "slice"], name="observed_slice_once")]

    def __str__(self) -> str:
        return f"{self.observer_id} {self.slice}"


class QualityWindow(models.Model):
    """One closed window of a slice (statistics.md R16). Once written it stays; what comes later is counted in `late`.

    `requests` is the slice's traffic in it, `asked` how many answers were sampled, `n` how many got a score.
    """

    class Verdict(models.TextChoices):
        ABOVE = "above", "At or above the floor"
        BELOW = "below", "Below the floor"
        NO_DATA = "no_data", "No data"

    id = models.BigAutoField(primary_key=True)
    observed = models.ForeignKey(ObservedSlice, models.PROTECT, related_name="windows")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    n = models.PositiveIntegerField(default=0)
    n_min = models.PositiveIntegerField()
    mean = models.FloatField(null=True)
    sd = models.FloatField(null=True)
    floor = models.FloatField(null=True)
    agreement = models.FloatField(null=True)
    agreement_n = models.PositiveIntegerField(default=0)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    streak = models.PositiveSmallIntegerField(default=0)
    late = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["observed", "started_at"], name="quality_window_once")]
        indexes: ClassVar = [models.Index(fields=["observed", "-started_at"], name="quality_window_newest")]

    def __str__(self) -> str:
        return f"{self.observed_id} {self.started_at:%H:%M} {self.verdict}"


class ObservedAnswer(models.Model):
    """One answer that the observer has scored: a served one (as stored, or replayed), or an anchor with its grade.

    `score` lies on [0, 1] by the map that the gate used, `raw` on the judge's scale; None is missing, `problem` says
    why. `sealed` is `{"reason", "output"?}` under the key of `subject`; an anchor is of a suite and has no subject.
    """

    class Kind(models.TextChoices):
        SERVED = "served", "Served answer"
        REPLAYED = "replayed", "Replayed answer"
        ANCHOR = "anchor", "Graded answer of a suite"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for its score"
        SCORED = "scored", "Scored"
        MISSING = "missing", "Could not be scored"

    id = Identifier("oba")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    observed = models.ForeignKey(ObservedSlice, models.PROTECT, related_name="answers")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField()
    request_id = models.CharField(max_length=100, blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    trace_started_at = models.DateTimeField(null=True)
    subject = models.BinaryField(max_length=16, null=True)
    anchor = models.ForeignKey("gates.GradedAnswer", models.PROTECT, null=True, related_name="+")
    grade = models.FloatField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    raw = models.FloatField(null=True)
    score = models.FloatField(null=True)
    sealed = models.BinaryField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    late = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    scored_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["observed", "trace_id", "trace_started_at"],
                condition=models.Q(anchor__isnull=True),
                name="observed_answer_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["observed", "at"], name="observed_answer_at"),
            models.Index(fields=["organization", "request_id"], name="observed_answer_request"),
            models.Index(fields=["organization", "subject"], name="observed_answer_subject"),
            models.Index(fields=["observed"], condition=models.Q(state="queued"), name="observed_answer_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.observed_id} {self.kind} {self.state}"


class ObserverJob(LeasedJob):
    """The job that has an observer's sampled answers scored; `spent` is as `Spent.as_json` writes it."""

    id = Identifier("obj")
    observer = models.ForeignKey(Observer, models.PROTECT, related_name="jobs")
    spent = models.JSONField(default=dict)

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["observer"], condition=models.Q(state__in=["queued", "running"]), name="observer_job_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"scores for {self.observer_id}"


class DriftAlarm(models.Model):
    """A matter of a serving release that a person must look at; until she decides, no rollout starts on the route.

    `kind` is `drift` (R17) or `policy` (a further policy that pauses for review).
    """

    class Kind(models.TextChoices):
        DRIFT = "drift", "Quality drifts"
        POLICY = "policy", "A policy is violated"

    id = Identifier("drf")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, related_name="drift_alarms")
    observer = models.ForeignKey(Observer, models.PROTECT, related_name="alarms")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject = models.CharField(max_length=200)
    facts = models.JSONField()
    reason = models.TextField()
    raised_at = models.DateTimeField()
    receipt_hash = models.CharField(max_length=SHA256)
    decision = models.CharField(max_length=20, blank=True)
    comment = models.TextField(blank=True)
    decided_by = models.CharField(max_length=40, blank=True)
    decided_by_label = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_receipt_hash = models.CharField(max_length=SHA256, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["observer", "kind", "subject"],
                condition=models.Q(decided_at__isnull=True),
                name="drift_alarm_one_open",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["route"], condition=models.Q(decided_at__isnull=True), name="drift_alarm_open"),
            models.Index(fields=["organization", "-id"], name="drift_alarm_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.route_id} {self.kind} {self.subject}"


class WorstAnswers(LeasedJob):
    """The job that finds the worst answers of a halt, a rollback or a drift alarm, and has the other release answer.

    `left` is the release that was stopped or doubted, `kept` the one it is compared with; None where there is none.
    """

    class Kind(models.TextChoices):
        HALT = "halt", "Halted rollout"
        ROLLBACK = "rollback", "Rollback"
        DRIFT = "drift", "Drift"

    id = Identifier("wor")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    route = models.ForeignKey(Route, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    rollout = models.OneToOneField("releases.Rollout", models.PROTECT, null=True, related_name="worst")
    rollback = models.OneToOneField("releases.Rollback", models.PROTECT, null=True, related_name="worst")
    alarm = models.OneToOneField(DriftAlarm, models.PROTECT, null=True, related_name="worst")
    left = models.ForeignKey("releases.Release", models.PROTECT, related_name="+")
    kept = models.ForeignKey("releases.Release", models.PROTECT, null=True, related_name="+")
    event_receipt = models.CharField(max_length=SHA256)

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(
                    models.Q(kind="halt", rollout__isnull=False)
                    | models.Q(kind="rollback", rollback__isnull=False)
                    | models.Q(kind="drift", alarm__isnull=False)
                ),
                name="worst_answers_of_one_event",
            )
        ]

    def __str__(self) -> str:
        return f"worst answers of {self.kind} {self.left_id}"


class WorstAnswer(models.Model):
    """One of them, `place` from 1, the worst first. `sealed`: `{"input", "before", "after", "reason_before", …}`.

    `after` is what the stopped release answered, `before` what the kept one answers; scores lie on [0, 1].
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    worst = models.ForeignKey(WorstAnswers, models.CASCADE, related_name="answers")
    place = models.PositiveSmallIntegerField()
    slice = models.CharField(max_length=63)
    request_id = models.CharField(max_length=100)
    trace_id = models.CharField(max_length=32)
    trace_started_at = models.DateTimeField()
    subject = models.BinaryField(max_length=16)
    sealed = models.BinaryField(null=True)
    score_before = models.FloatField(null=True)
    score_after = models.FloatField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["worst", "place"], name="worst_answer_place_once")]
        indexes: ClassVar = [models.Index(fields=["organization", "subject"], name="worst_answer_subject")]

    def __str__(self) -> str:
        return f"{self.worst_id} {self.place}"
