"""Rows of what gateways report, and of whether the releases behind them answer."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from relcontrol.accounts.models import Organization


class Replica(models.Model):
    """One gateway process as it last reported: what it serves by, what is in flight, what it had to drop."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=60, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    generation = models.PositiveBigIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True)
    fingerprints = ArrayField(models.CharField(max_length=64), default=list)
    in_flight = models.JSONField(default=dict)
    queued = models.PositiveBigIntegerField(default=0)
    dropped = models.PositiveBigIntegerField(default=0)
    version = models.CharField(max_length=40, blank=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="replica_once")]

    def __str__(self) -> str:
        return self.name


class Warmth(models.Model):
    """Whether a release answers, as its last probe found: a rollback target must be warm (domain.md "Roll")."""

    release = models.OneToOneField("releases.Release", models.PROTECT, primary_key=True, related_name="warmth")
    warm = models.BooleanField()
    detail = models.CharField(max_length=300, blank=True)
    latency_ms = models.FloatField(null=True)
    probed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.release_id} {'warm' if self.warm else 'cold'}"
