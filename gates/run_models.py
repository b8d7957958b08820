"""Rows of gate runs: the run, its evaluation and results, what it found, and what people decided on it."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Application, Identifier, Organization
from relcontrol.jobs.models import LeasedJob

SHA256 = 64


class GateRun(LeasedJob):
    """One judgment of a manifest on a suite: the job while it works, the decision once it is done.

    `candidate` is what the registry says of the manifest, `order` what was asked, `policy` and `slices` the rules as
    they were when it was asked; `body` the results as they came, until they are rows. `document` is the verdict with
    every number (api.md "Shapes"). A dry run is computed and has no effect.

    A run without sent results has an `evaluation`: relcontrol answers and scores the cases itself (`EvaluatedCase`),
    and `body` is what came of it. `baseline` is then the run of the previous release on the same cases.
    """

    class Verdict(models.TextChoices):
        PASS = "gate_pass", "Passed"
        HOLD = "gate_hold", "Held"
        FAIL = "gate_fail", "Failed"

    id = Identifier("grn")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    manifest_sha256 = models.CharField(max_length=SHA256)
    previous_manifest_sha256 = models.CharField(max_length=SHA256, null=True)
    candidate = models.JSONField()
    order = models.JSONField()
    policy = models.JSONField()
    slices = models.JSONField()
    slice_set_sha256 = models.CharField(max_length=SHA256)
    judges = models.JSONField()
    suite = models.ForeignKey("gates.Suite", models.PROTECT, related_name="gate_runs")
    previous_run = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    carried_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    baseline = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    evaluation = models.JSONField(null=True)
    dry_run = models.BooleanField(default=False)
    parity = models.CharField(max_length=12)
    body = models.BinaryField(null=True)
    body_sha256 = models.CharField(max_length=SHA256)
    results_sha256 = models.CharField(max_length=SHA256, blank=True)
    ratings_sha256 = models.CharField(max_length=7 + SHA256, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    gate_run_sha256 = models.CharField(max_length=SHA256, blank=True)
    receipt_hash = models.CharField(max_length=SHA256, blank=True)
    document = models.JSONField(null=True)
    requested_by = models.CharField(max_length=40)
    requested_by_label = models.CharField(max_length=254)
    requested_with = models.JSONField()

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "number"], name="gate_run_number_once"),
        ]
        indexes: ClassVar = [
            *LeasedJob.Meta.indexes,
            models.Index(fields=["organization", "manifest_sha256", "-id"], name="gate_run_of_manifest"),
            models.Index(fields=["organization", "-id"], name="gate_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.release_name} gate run {self.number}"

    @property
    def release_name(self) -> str:
        """What people call the release that is judged: r128."""
        return str(self.candidate["name"])

    @property
    def previous_name(self) -> str | None:
        """What people call the release that it is compared with."""
        name: str | None = self.candidate["previous_name"]
        return name


class CaseResult(models.Model):
    """One answer of a candidate to a case of the suite, with its score: None where the judge gave none."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(GateRun, models.PROTECT, related_name="results")
    case = models.ForeignKey("gates.SuiteCase", models.PROTECT, related_name="+")
    answer_id = models.CharField(max_length=200)
    output = models.TextField(null=True)
    score = models.FloatField(null=True)
    scores = models.JSONField(null=True)
    rescores = models.JSONField(null=True)
    previous_rescores = models.JSONField(null=True)
    reason = models.TextField(null=True)
    latency_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    error = models.TextField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "case", "answer_id"], name="case_result_once"),
        ]

    def __str__(self) -> str:
        return self.answer_id


class EvaluatedCase(models.Model):
    """One case of a run that relcontrol evaluates itself: the answer that was generated, and how the judge scored it.

    Each step is written once, under the run's fence; `sample` counts several answers to one case. `cost` and tokens are
    those of the answer; `judge_spent` those of its scores. `problem` says why there is no answer, or no score.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for an answer"
        ANSWERED = "answered", "Waiting for a score"
        SCORED = "scored", "Scored"
        FAILED = "failed", "Failed"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(GateRun, models.CASCADE, related_name="evaluated")
    case = models.ForeignKey("gates.SuiteCase", models.PROTECT, related_name="+")
    sample = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    output = models.TextField(null=True)
    latency_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    score = models.FloatField(null=True)
    draws = models.JSONField(null=True)
    rescores = models.JSONField(null=True)
    previous_rescores = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    problem = models.TextField(blank=True)
    spent = models.JSONField(default=dict)
    judge_spent = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "case", "sample"], name="evaluated_case_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["run", "state"], name="evaluated_case_state")]

    def __str__(self) -> str:
        return f"{self.case}: {self.state}"


class SliceResult(models.Model):
    """What a run found in one slice: the columns that histories draw, and `document` with every number."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(GateRun, models.PROTECT, related_name="slice_results")
    slice = models.ForeignKey("gates.Slice", models.PROTECT, related_name="results")
    verdict = models.CharField(max_length=12)
    n = models.PositiveIntegerField()
    rho = models.FloatField(null=True)
    threshold = models.FloatField()
    quality = models.FloatField(null=True)
    document = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "slice"], name="slice_result_once")]

    def __str__(self) -> str:
        return f"{self.slice}: {self.verdict}"


class CaseDrop(models.Model):
    """A case whose score fell since the previous release, in points of 100; `state` is rule R9's, or `within_limit`."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(GateRun, models.PROTECT, related_name="drops")
    case = models.ForeignKey("gates.SuiteCase", models.PROTECT, related_name="+")
    slice = models.ForeignKey("gates.Slice", models.PROTECT, related_name="+")
    score = models.FloatField()
    previous_score = models.FloatField()
    drop = models.FloatField()
    state = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "case"], name="case_drop_once")]

    def __str__(self) -> str:
        return f"{self.case}: {self.drop:g}"


class SignOff(models.Model):
    """A person's decision on what a run left for review."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(GateRun, models.PROTECT, related_name="sign_offs")
    items = models.JSONField()
    reason = models.TextField()
    signed_by = models.CharField(max_length=40)
    signed_by_label = models.CharField(max_length=254)
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.run} signed off by {self.signed_by_label}"


class AllowlistEntry(models.Model):
    """A case that may drop further than the limit: proposed by one person, in force once another has reviewed it."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACTIVE = "active", "Active"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = Identifier("alw")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    case = models.ForeignKey("gates.SuiteCase", models.PROTECT, related_name="+")
    justification = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    until = models.DateTimeField(null=True)
    proposed_by = models.CharField(max_length=40)
    proposed_by_label = models.CharField(max_length=254)
    proposed_at = models.DateTimeField()
    reviewed_by = models.CharField(max_length=40, blank=True)
    reviewed_by_label = models.CharField(max_length=254, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(state__in=["proposed", "active"]), name="allowlist_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.state}"


class Override(models.Model):
    """The written decision to release against a gate (domain.md "Override"), digested when it is asked for."""

    class State(models.TextChoices):
        PENDING = "pending_approval", "Waiting for approval"
        ACTIVE = "active", "Active"
        USED = "used", "Used"
        EXPIRED = "expired", "Expired"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = Identifier("ovr")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    run = models.ForeignKey(GateRun, models.PROTECT, related_name="overrides")
    manifest_sha256 = models.CharField(max_length=SHA256)
    gate_override_sha256 = models.CharField(max_length=SHA256)
    slices = models.JSONField()
    accepted_levels = models.JSONField()
    reason = models.TextField()
    cold_start = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=State.choices, default=State.PENDING)
    requested_by = models.CharField(max_length=40)
    requested_by_label = models.CharField(max_length=254)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True)
    decided_by_label = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run"],
                condition=models.Q(state__in=["pending_approval", "active"]),
                name="override_open_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "state"], name="override_state")]

    def __str__(self) -> str:
        return f"{self.run} override {self.state}"
