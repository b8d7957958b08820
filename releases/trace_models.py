"""Rows of traces, the keys that their bodies are encrypted with, and feedback on requests.

`Trace` is partitioned by day and made in SQL (migration 0003_traces); Django only reads it.
"""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Identifier, Organization

SHA256 = 64


class SubjectKey(models.Model):
    """The key of one subject's bodies, wrapped by a key of the organization that is not in the database.

    `subject` is a keyed HMAC of what the client called the subject. Erasing somebody destroys `wrapped_key`.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    subject = models.BinaryField(max_length=16)
    wrapped_key = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "subject"], name="subject_key_once")]

    def __str__(self) -> str:
        return f"{self.organization_id} {bytes(self.subject).hex()}"


class Trace(models.Model):
    """One request as a gateway or an OTLP exporter told of it (api.md `POST /v1/traces`).

    `body` is `{"input", "output", "metadata"}`, encrypted. `xact` is the transaction that wrote the row: monitors fold
    in what is below the oldest running one, so that nothing is counted twice or missed.
    """

    pk = models.CompositePrimaryKey("organization_id", "trace_id", "started_at")
    organization = models.ForeignKey(Organization, models.DO_NOTHING, related_name="+")
    trace_id = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()
    xact = models.PositiveBigIntegerField()
    request_id = models.CharField(max_length=100)
    release = models.CharField(max_length=SHA256, null=True)
    route_id = models.CharField(max_length=40, null=True)
    rollout_id = models.CharField(max_length=40, null=True)
    arm = models.CharField(max_length=10, null=True)
    generation = models.PositiveBigIntegerField(null=True)
    subject = models.BinaryField(max_length=16)
    slice = models.CharField(max_length=63, null=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, null=True)
    ttft_ms = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    fingerprint = models.CharField(max_length=SHA256, null=True)
    model = models.CharField(max_length=300, null=True)
    replica = models.CharField(max_length=100, null=True)
    body = models.BinaryField(null=True)

    class Meta:
        managed = False
        db_table = "releases_trace"

    def __str__(self) -> str:
        return f"{self.trace_id} {self.started_at:%Y-%m-%d %H:%M:%S}"


class Feedback(models.Model):
    """What somebody said of one answer: a thumb, an outcome, a label, a named score. The newest of a name counts."""

    class Kind(models.TextChoices):
        THUMB = "thumb", "Thumb"
        OUTCOME = "outcome", "Task outcome"
        LABEL = "label", "Human label"
        SCORE = "score", "Named score"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    request_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=100, blank=True)
    value = models.FloatField(null=True)
    label = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "request_id"], name="feedback_request"),
            models.Index(fields=["organization", "name", "-created_at"], name="feedback_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.kind} {self.name}"


class Erasure(models.Model):
    """The erasure of a subject: who asked, when, and how many copies of what went. The subject stays a keyed HMAC."""

    id = Identifier("ers")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    subject = models.BinaryField(max_length=16)
    reason = models.TextField(blank=True)
    gone = models.JSONField()
    erased_by = models.CharField(max_length=40)
    erased_by_label = models.CharField(max_length=254)
    erased_at = models.DateTimeField()
    receipt_hash = models.CharField(max_length=SHA256)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "-id"], name="erasure_newest")]

    def __str__(self) -> str:
        return f"{self.organization_id} {bytes(self.subject).hex()}"
