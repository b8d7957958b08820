"""Rows of the log and its anchors: nodes of the tree, signed heads, who anchors them, when, and what came back."""

from typing import Any, ClassVar

from django.db import models

from audit.models import SHA256, Receipt
from relcontrol.accounts.models import Identifier, Organization
from relcontrol.jobs.models import LeasedJob


class LogNode(models.Model):
    """The root of one complete subtree of an organization's log (RFC 6962): 2^level leaves from index × 2^level on.

    Leaves (level 0) are not stored: they follow from the receipts. Append-only in the database, as receipts are.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "level", "index"], name="log_node_once"),
            models.CheckConstraint(condition=models.Q(level__gte=1), name="log_node_above_leaves"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}, {self.index}"


class Checkpoint(models.Model):
    """A signed head of the log that was given to anchors: `note` is a C2SP signed note with the log's signature alone.

    `release_heads` is the RFC 6962 root over the heads of all releases at this size, `releases` how many there are.
    """

    class Reason(models.TextChoices):
        RECEIPTS = "receipts", "So many receipts"
        TIME = "time", "So much time"
        PROMOTED = "promoted", "A promotion"
        ROLLED_BACK = "rolled_back", "A rollback"
        ASKED = "asked", "Asked for, or a sink is new"

    id = Identifier("chk")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=SHA256)
    note = models.TextField()
    release_heads = models.CharField(max_length=SHA256)
    releases = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=12, choices=Reason.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "size"], name="checkpoint_of_size_once"),
            models.CheckConstraint(condition=models.Q(size__gte=1), name="checkpoint_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.size}"


class AnchorSchedule(models.Model):
    """When an organization's log is anchored. A null period never comes; `overdue_minutes` is when the alarm sounds."""

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="anchor_schedule")
    revision = models.PositiveIntegerField(default=1)
    every_receipts = models.PositiveIntegerField(null=True)
    every_minutes = models.PositiveIntegerField(null=True)
    on_promotion = models.BooleanField(default=True)
    on_rollback = models.BooleanField(default=True)
    overdue_minutes = models.PositiveIntegerField(default=180)

    def __str__(self) -> str:
        return f"revision {self.revision}"


class AnchorSink(models.Model):
    """Somebody outside who is given the heads of the log. `settings` by kind; secrets by name only, never here."""

    class Kind(models.TextChoices):
        RFC3161 = "rfc3161", "Time stamp (RFC 3161)"
        WITNESS = "witness", "Witness"
        WEBHOOK = "webhook", "Webhook"
        FILE = "file", "File"

    id = Identifier("ank")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="anchor_sinks")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    settings = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="anchor_sink_once")]

    def __str__(self) -> str:
        return self.name


class AnchorTrust(models.Model):
    """The settings of a sink as anchors were verified with them: evidence outlives a new key, root or address.

    One row for all anchors of a sink with the same settings; `sha256` is over their RFC 8785 bytes. Never changed.
    """

    id = models.BigAutoField(primary_key=True)
    sink = models.ForeignKey(AnchorSink, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=SHA256)
    settings = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["sink", "sha256"], name="anchor_trust_once")]

    def __str__(self) -> str:
        return f"{self.sink}, {self.sha256[:12]}"


class Anchor(LeasedJob):
    """One checkpoint given to one sink: a job that is tried until it is made, or overtaken by a later checkpoint.

    `evidence` is what the sink answered, verified before it was stored with the settings in `trust`; `proved_at` the
    time that it attests.
    """

    id = Identifier("anc")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="anchors")
    sink = models.ForeignKey(AnchorSink, models.PROTECT, related_name="anchors")
    next_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    last_problem = models.CharField(max_length=500, blank=True)
    evidence = models.BinaryField(null=True)
    evidence_sha256 = models.CharField(max_length=SHA256, blank=True)
    proved_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    trust = models.ForeignKey(AnchorTrust, models.PROTECT, null=True, related_name="+")
    receipt = models.ForeignKey(Receipt, models.PROTECT, null=True, related_name="+")

    class Meta(LeasedJob.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["checkpoint", "sink"], name="anchor_once")]

    def __str__(self) -> str:
        return f"{self.checkpoint} by {self.sink}"

    @property
    def settings(self) -> dict[str, Any]:
        """What its evidence was verified with, whatever the sink's settings are now; those before it is made."""
        settings: dict[str, Any] = self.trust.settings if self.trust else self.sink.settings
        return settings
