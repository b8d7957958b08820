"""Rows beside the chain: keyrings signed by the offline root, what is known of model weights, saved scopes."""

from typing import ClassVar

from django.db import models

from audit.models import SHA256
from relcontrol.accounts.models import Identifier, Organization


class SignedKeyring(models.Model):
    """A keyring as the offline root signed it (a DSSE envelope, as JSON). The one with the highest sequence counts."""

    sequence = models.PositiveBigIntegerField(primary_key=True)
    envelope = models.JSONField()
    root_keyid = models.CharField(max_length=SHA256)
    root_public_key = models.BinaryField(max_length=32)
    issued_at = models.DateTimeField()
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sequence}"


class WeightsStatement(models.Model):
    """An OpenSSF Model Signing statement about weight files, as it was signed (a Sigstore bundle, as JSON).

    `weights_sha256` is the digest that a manifest's `model.weights` names: over the RFC 8785 bytes of the statement's
    predicate, which binds names as well as contents; `root_sha256` is the statement's own root digest, which does not.
    """

    id = Identifier("wst")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    weights_sha256 = models.CharField(max_length=SHA256)
    root_sha256 = models.CharField(max_length=SHA256)
    bundle = models.JSONField()
    keyid = models.CharField(max_length=SHA256)
    model = models.CharField(max_length=200)
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "weights_sha256", "keyid"], name="weights_statement_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.weights_sha256[:12]}"


class WeightsObserver(models.Model):
    """An agent beside a model server whose signature is believed: its P-256 key as PEM, registered by a person."""

    id = Identifier("wob")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    keyid = models.CharField(max_length=SHA256)
    public_key = models.BinaryField(max_length=200)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "keyid"], name="weights_observer_key_once"),
            models.UniqueConstraint(
                fields=["organization", "name"], condition=models.Q(revoked_at=None), name="weights_observer_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WeightsObservation(models.Model):
    """What an observer saw mounted beside a model server, against what a manifest names. Append-only by use.

    `depth`: all files when they were loaded, or a sample of them since. `expected_sha256` is what was registered.
    """

    class Depth(models.TextChoices):
        LOAD = "load", "All files, when they were loaded"
        SAMPLE = "sample", "A sample of the files, since"

    id = Identifier("wbs")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    observer = models.ForeignKey(WeightsObserver, models.PROTECT, related_name="observations")
    expected_sha256 = models.CharField(max_length=SHA256)
    observed_sha256 = models.CharField(max_length=SHA256)
    depth = models.CharField(max_length=6, choices=Depth.choices)
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    envelope = models.JSONField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "expected_sha256", "observed_at"], name="weights_observation_of"),
            models.Index(
                fields=["organization", "expected_sha256"],
                condition=~models.Q(observed_sha256=models.F("expected_sha256")),
                name="weights_observation_drift",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.observed_sha256[:12]} at {self.observed_at:%Y-%m-%d %H:%M}"

    @property
    def drifted(self) -> bool:
        """What was seen is not what was registered."""
        return self.observed_sha256 != self.expected_sha256


class SavedScope(models.Model):
    """A scope of exports that an auditor named, to ask for it again."""

    id = Identifier("scp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    scope = models.JSONField()
    opens = models.CharField(max_length=10)
    created_by = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="saved_scope_once")]

    def __str__(self) -> str:
        return self.name
