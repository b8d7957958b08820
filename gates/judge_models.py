"""Rows of judges at work: calibrations with the scores that they rest on, anchor checks, calls that were answered."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Identifier, Organization
from relcontrol.jobs.models import LeasedJob

SHA256 = 64


class CalibrationRun(LeasedJob):
    """One measurement of a judge against a panel's grades: the job while it works, the record once it is done.

    `order` is what was asked (slices, rescores, budget, why); `body` the scores that were sent for an external judge,
    until they are rows. `spent` is what its calls cost; `injections` how the judge stood the injected answers.
    """

    id = Identifier("cal")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    judge = models.ForeignKey("gates.Judge", models.PROTECT, related_name="calibration_runs")
    suite = models.ForeignKey("gates.Suite", models.PROTECT, related_name="+")
    order = models.JSONField()
    body = models.BinaryField(null=True)
    spent = models.JSONField(default=dict)
    injections = models.JSONField(null=True)
    ratings_sha256 = models.CharField(max_length=7 + SHA256, blank=True)
    receipt_hash = models.CharField(max_length=SHA256, blank=True)
    requested_by = models.CharField(max_length=40)
    requested_by_label = models.CharField(max_length=254)
    requested_with = models.JSONField()

    class Meta(LeasedJob.Meta):
        indexes: ClassVar = [
            *LeasedJob.Meta.indexes,
            models.Index(fields=["organization", "-id"], name="calibration_run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.judge} on {self.suite}"


class Calibration(models.Model):
    """What a calibration run found in one slice: may this judge decide there (statistics.md R10)?

    `panel_sha256` is the digest of the slice's grades: other grades end the calibration, as do another judge digest,
    age (`valid_until`) and an anchor check that found the judge moved (`ended_at`, with the sentence why).
    """

    class Outcome(models.TextChoices):
        PASS = "pass", "Calibrated"
        REVIEW = "review", "Not proven"
        FAIL = "fail", "Disagrees"
        INSUFFICIENT = "insufficient", "Insufficient"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(CalibrationRun, models.PROTECT, related_name="calibrations")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    judge = models.ForeignKey("gates.Judge", models.PROTECT, related_name="calibrations")
    slice = models.ForeignKey("gates.Slice", models.PROTECT, related_name="calibrations")
    judge_sha256 = models.CharField(max_length=SHA256)
    panel_sha256 = models.CharField(max_length=7 + SHA256)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    n = models.PositiveIntegerField()
    rho = models.FloatField(null=True)
    rescore_sd = models.FloatField(null=True)
    document = models.JSONField()
    measured_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "slice"], name="calibration_once")]
        indexes: ClassVar = [
            models.Index(fields=["organization", "slice", "judge_sha256", "-id"], name="calibration_of_judge")
        ]

    def __str__(self) -> str:
        return f"{self.judge} on {self.slice}: {self.outcome}"


class CalibrationScore(models.Model):
    """The score that a judge gave to one graded answer in a calibration; None where it gave none.

    `draws` are the single draws as `gates.scoring` records them; `rescores` further scores of the same answer, for the
    judge's re-score deviation and the nightly anchor check.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(CalibrationRun, models.PROTECT, related_name="scores")
    answer = models.ForeignKey("gates.GradedAnswer", models.PROTECT, related_name="+")
    score = models.FloatField(null=True)
    draws = models.JSONField(null=True)
    rescores = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "answer"], name="calibration_score_once")]

    def __str__(self) -> str:
        return f"{self.answer}: {self.score}"


class AnchorCheck(LeasedJob):
    """The nightly second look at a calibrated judge: its anchor answers scored again, compared pair by pair."""

    id = Identifier("anc")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    calibration = models.ForeignKey(Calibration, models.PROTECT, related_name="checks")
    spent = models.JSONField(default=dict)
    document = models.JSONField(null=True)
    outcome = models.CharField(max_length=12, blank=True)

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["calibration"],
                condition=models.Q(state__in=["queued", "running"]),
                name="anchor_check_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.calibration} checked"


class KnownCall(models.Model):
    """A model server's answer, kept by the digest of everything that made it, so that it is not paid for twice."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    key_sha256 = models.CharField(max_length=SHA256)
    document = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "key_sha256"], name="known_call_once")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="known_call_age")]

    def __str__(self) -> str:
        return self.key_sha256[:12]
