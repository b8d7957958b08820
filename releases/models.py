"""Rows of the registry: artifacts by content, their names, and releases by manifest."""

from typing import ClassVar

from django.contrib.postgres.indexes import OpClass
from django.db import models

from relcontrol.accounts.models import Application, Identifier, Organization, Route

SHA256 = 64


class Artifact(models.Model):
    """Content that a manifest can name: a prompt, preprocessing, tools, … It is its digest; it never changes."""

    id = Identifier("art")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    digest = models.CharField(max_length=7 + SHA256)
    kind = models.CharField(max_length=40)
    value = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "digest"], name="artifact_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:19]}"


class ArtifactVersion(models.Model):
    """A name and version (`templates/legal-qa@v14`) that people give to an artifact. It is never pointed elsewhere."""

    id = Identifier("arv")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=100)
    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="versions")
    created_by = models.CharField(max_length=40)
    created_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name", "version"], name="artifact_version_once")
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


class Release(models.Model):
    """An immutable manifest, known by its SHA-256. Only its delivery ever changes (contracts.md "States").

    `staged_at` is when gateways were last told to have it ready, before it answers anything.
    """

    class Delivery(models.TextChoices):
        REGISTERED = "registered", "Registered"
        ROLLING = "rolling", "Rolling"
        STABLE = "stable", "Stable"
        SUPERSEDED = "superseded", "Superseded"
        HALTED = "halted", "Halted"
        ROLLED_BACK = "rolled_back", "Rolled back"
        ARCHIVED = "archived", "Archived"

    id = Identifier("rel")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="releases")
    route = models.ForeignKey(Route, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    manifest = models.BinaryField()
    manifest_sha256 = models.CharField(max_length=SHA256)
    bundle_sha256 = models.CharField(max_length=SHA256)
    model_ref = models.CharField(max_length=300)
    refs = models.JSONField()
    previous_release = models.ForeignKey("self", models.PROTECT, null=True, related_name="next_releases")
    changes = models.JSONField()
    findings = models.JSONField()
    delivery = models.CharField(max_length=12, choices=Delivery.choices, default=Delivery.REGISTERED)
    staged_at = models.DateTimeField(null=True)
    registered_by = models.CharField(max_length=40)
    registered_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "manifest_sha256"], name="release_manifest_once"),
            models.UniqueConstraint(fields=["application", "number"], name="release_number_once"),
            models.UniqueConstraint(
                fields=["route"], condition=models.Q(delivery="stable"), name="release_one_stable_per_route"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["route", "bundle_sha256"], name="release_bundle"),
            models.Index(fields=["organization", "id"], name="release_newest"),
            models.Index(fields=["route", "-number"], name="release_newest_of_route"),
            models.Index(
                "organization", OpClass("manifest_sha256", "varchar_pattern_ops"), name="release_manifest_prefix"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.name}"

    @property
    def name(self) -> str:
        """`r128`: a name for people, never a key."""
        return f"r{self.number}"


from releases import observer_models as _observer_models  # noqa: E402, F401 - registers them
from releases import replica_models as _replica_models  # noqa: E402, F401
from releases import rollout_models as _rollout_models  # noqa: E402, F401
from releases import trace_models as _trace_models  # noqa: E402, F401
