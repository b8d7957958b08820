"""Rows of the evidence: receipts and their heads, openings of commitments, signing keys, chain checks, exports.

Receipts are append-only in the database: triggers that even a replica role meets, and an application role without
UPDATE and DELETE (migration 0002). Private keys are never here (audit/keys/keyring.py).
"""

from typing import ClassVar

from django.contrib.postgres.indexes import OpClass
from django.db import models

from relcontrol.accounts.models import Identifier, Organization
from relcontrol.jobs.models import LeasedJob

SHA256 = 64


class KeyringEntry(models.Model):
    """The public half of a key and the time in which it may sign."""

    class Purpose(models.TextChoices):
        RECEIPTS = "receipts", "Receipts"
        EXPORT = "export", "Exports"
        LOG = "log", "Log checkpoints"
        ROUTING = "routing", "Routing"

    keyid = models.CharField(max_length=SHA256, primary_key=True)
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    algorithm = models.CharField(max_length=20, default="ed25519")
    public_key = models.BinaryField(max_length=32)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revocation_reason = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.keyid[:12]}"


class ChainHead(models.Model):
    """The end of an organization's chain: the row that every append locks, last of all locks.

    `keyid` is the key that signs the next receipt, `last_anchor` the hash of the newest `anchor.made`. `frontier` holds
    the roots of the log's complete subtrees, 32 bytes each, the largest first (audit/log/merkle.py).
    """

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="chain_head")
    seq = models.PositiveBigIntegerField(default=0)
    receipt_hash = models.CharField(max_length=SHA256)
    keyid = models.CharField(max_length=SHA256, blank=True)
    issued_at = models.DateTimeField(null=True)
    frontier = models.BinaryField(default=b"")
    last_anchor = models.CharField(max_length=SHA256, null=True)

    def __str__(self) -> str:
        return f"#{self.seq}"


class ReleaseHead(models.Model):
    """The end of the chain of one release's receipts."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    manifest_sha256 = models.CharField(max_length=SHA256)
    seq = models.PositiveBigIntegerField(default=0)
    receipt_hash = models.CharField(max_length=SHA256, null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "manifest_sha256"], name="release_head_once")
        ]

    def __str__(self) -> str:
        return f"{self.manifest_sha256[:12]} #{self.seq}"


class Receipt(models.Model):
    """One signed decision. `payload` holds the canonical bytes that were signed; the rest is an index into it."""

    id = Identifier("rcp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField()
    receipt_hash = models.CharField(max_length=SHA256, unique=True)
    prev = models.CharField(max_length=SHA256)
    manifest_sha256 = models.CharField(max_length=SHA256, null=True)
    release_seq = models.PositiveBigIntegerField(null=True)
    release_prev = models.CharField(max_length=SHA256, null=True)
    release = models.CharField(max_length=30, blank=True)
    application = models.CharField(max_length=63, blank=True)
    event = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)
    outcome = models.CharField(max_length=200)
    actor = models.CharField(max_length=40)
    issued_at = models.DateTimeField()
    payload = models.BinaryField()
    signature = models.BinaryField(max_length=64)
    keyid = models.CharField(max_length=SHA256)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "seq"], name="receipt_seq_once"),
            models.UniqueConstraint(fields=["organization", "prev"], name="receipt_no_fork"),
            models.UniqueConstraint(
                fields=["organization", "manifest_sha256", "release_seq"], name="receipt_release_seq_once"
            ),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="receipt_seq_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "event", "seq"], name="receipt_event"),
            models.Index(fields=["organization", "actor", "seq"], name="receipt_actor"),
            models.Index(fields=["organization", "application", "seq"], name="receipt_application"),
            models.Index(fields=["organization", "release"], name="receipt_release"),
            models.Index(
                "organization", OpClass("manifest_sha256", "varchar_pattern_ops"), name="receipt_manifest_prefix"
            ),
            models.Index(fields=["organization", "issued_at"], name="receipt_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.seq} {self.event}"


class Opening(models.Model):
    """What opens one commitment of a receipt. It may be erased; the receipt stays and still verifies."""

    id = models.BigAutoField(primary_key=True)
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="openings")
    field = models.CharField(max_length=100)
    salt = models.CharField(max_length=SHA256)
    value = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["receipt", "field"], name="opening_once")]

    def __str__(self) -> str:
        return self.field


class ChainCheck(models.Model):
    """How far the ticker has verified an organization's chain, since when from its beginning, and whether it held."""

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="chain_check")
    seq = models.PositiveBigIntegerField(default=0)
    receipt_hash = models.CharField(max_length=SHA256, blank=True)
    checked_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return self.problem or f"intact to #{self.seq}"


class Export(LeasedJob):
    """A signed set of receipts for an auditor, made in the background: its JSON first, then the report of that.

    `sha256` is there as soon as the JSON is whole. Without a report, `report_problem` says in words why not. The ZIP
    comes last and holds both.
    """

    class Opens(models.TextChoices):
        """Which commitments this auditor may open."""

        ALL = "all", "Everything"
        IMPERSONAL = "impersonal", "All but what is personal"
        NOTHING = "nothing", "Nothing"

    id = Identifier("exp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    scope = models.JSONField()
    upto = models.PositiveBigIntegerField()
    requested_by = models.CharField(max_length=40)
    requested_by_label = models.CharField(max_length=254)
    sha256 = models.CharField(max_length=SHA256, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    receipts = models.PositiveBigIntegerField(default=0)
    with_report = models.BooleanField(default=True)
    report_sha256 = models.CharField(max_length=SHA256, blank=True)
    report_size = models.PositiveBigIntegerField(default=0)
    report_pages = models.PositiveIntegerField(default=0)
    report_problem = models.CharField(max_length=500, blank=True)
    opens = models.CharField(max_length=10, choices=Opens.choices, default=Opens.ALL)
    zip_sha256 = models.CharField(max_length=SHA256, blank=True)
    zip_size = models.PositiveBigIntegerField(default=0)

    class Meta(LeasedJob.Meta):
        pass

    def __str__(self) -> str:
        return self.pk

    @property
    def is_reporting(self) -> bool:
        """Its JSON is whole; what goes on are the pages of the report."""
        return bool(self.sha256) and not self.is_over


class ExportPart(models.Model):
    """A piece of one of an export's files, in order."""

    class Kind(models.TextChoices):
        JSON = "json", "JSON"
        PDF = "pdf", "PDF"
        ZIP = "zip", "ZIP"

    id = models.BigAutoField(primary_key=True)
    export = models.ForeignKey(Export, models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.JSON)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["export", "kind", "number"], name="export_part_once")]

    def __str__(self) -> str:
        return f"{self.export_id} {self.kind} part {self.number}"


from audit import anchor_models as _anchor_models  # noqa: E402, F401 - registers them
from audit import evidence_models as _evidence_models  # noqa: E402, F401
