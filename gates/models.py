"""Rows of quality: slices with their revisions, suites with graded answers and ratings, judges, gate policies."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import SLUG, Application, Identifier, Organization, Person
from relcontrol.jobs.models import LeasedJob

SHA256 = 64


class Slice(models.Model):
    """A node of the slice tree as it is now; `SliceRevision` keeps what it was.

    A slice without an application is judged in every application's gate runs.
    """

    class Policy(models.TextChoices):
        POINT = "point", "Point"
        GUARDED = "guarded", "Guarded"
        CONFIDENT = "confident", "Confident"

    id = Identifier("sli")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    slug = models.CharField(max_length=63, validators=[SLUG])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    judge = models.CharField(max_length=200, blank=True)
    threshold = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    quality_floor = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    policy = models.CharField(max_length=12, choices=Policy.choices, default=Policy.POINT)
    n_min = models.PositiveIntegerField(default=20)
    match = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "slug"], name="slice_slug_once"),
            models.CheckConstraint(
                condition=models.Q(threshold__isnull=True) | models.Q(threshold__gt=0, threshold__lte="0.95"),
                name="slice_threshold_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(quality_floor__isnull=True) | models.Q(quality_floor__gte=0, quality_floor__lte=1),
                name="slice_floor_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SliceRevision(models.Model):
    """What a slice's definition was from one revision on; gate runs pin it."""

    id = models.BigAutoField(primary_key=True)
    slice = models.ForeignKey(Slice, models.PROTECT, related_name="revisions")
    revision = models.PositiveIntegerField()
    definition = models.JSONField()
    sha256 = models.CharField(max_length=SHA256)
    changed_by = models.CharField(max_length=40)
    changed_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slice", "revision"], name="slice_revision_once")]

    def __str__(self) -> str:
        return f"{self.slice} revision {self.revision}"


class Suite(models.Model):
    """A scored-QA set, named by people and addressed by the digest of its cases."""

    id = Identifier("sui")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=7 + SHA256)
    case_count = models.PositiveIntegerField()
    graded_answer_count = models.PositiveIntegerField()
    slice_counts = models.JSONField()
    grade_scale = models.JSONField(null=True)
    imported_by = models.CharField(max_length=40)
    imported_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="suite_name_once")]
        indexes: ClassVar = [models.Index(fields=["organization", "sha256"], name="suite_digest")]

    def __str__(self) -> str:
        return self.name


class SuiteCase(models.Model):
    """One question of a suite. What a file left out is null, as in the digest, and not the empty text."""

    id = models.BigAutoField(primary_key=True)
    suite = models.ForeignKey(Suite, models.CASCADE, related_name="cases")
    case_id = models.CharField(max_length=200)
    slice = models.ForeignKey(Slice, models.PROTECT, related_name="+")
    input = models.TextField()
    reference = models.TextField(null=True)
    cluster_id = models.CharField(max_length=200, null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["suite", "case_id"], name="suite_case_once")]

    def __str__(self) -> str:
        return self.case_id


class GradedAnswer(models.Model):
    """An answer that experts graded. A grade belongs to an answer, never to a case."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(SuiteCase, models.CASCADE, related_name="graded_answers")
    answer_id = models.CharField(max_length=200)
    output = models.TextField(null=True)
    system = models.CharField(max_length=200, null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "answer_id"], name="graded_answer_once")]

    def __str__(self) -> str:
        return self.answer_id


class Rating(models.Model):
    """The grade that one rater gave to one answer."""

    id = models.BigAutoField(primary_key=True)
    answer = models.ForeignKey(GradedAnswer, models.CASCADE, related_name="ratings")
    rater = models.CharField(max_length=200)
    grade = models.FloatField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["answer", "rater"], name="rating_once")]

    def __str__(self) -> str:
        return f"{self.rater}: {self.grade:g}"


class SuiteImport(LeasedJob):
    """A suite file on its way in: kept whole until its cases are, so that a killed process loses nothing.

    `body` is compressed and `size` its length before that. `requested_with` is how the requester was known (kind,
    auth, session), for the receipt. `made_suite` tells a new suite from one that was there with the same content.
    """

    id = Identifier("imp")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    file_format = models.CharField(max_length=10)
    grade_scale = models.JSONField(null=True)
    body = models.BinaryField(null=True)
    size = models.PositiveIntegerField()
    suite = models.ForeignKey(Suite, models.PROTECT, null=True, related_name="imports")
    made_suite = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=40)
    requested_by_label = models.CharField(max_length=254)
    requested_with = models.JSONField()

    class Meta(LeasedJob.Meta):
        pass

    def __str__(self) -> str:
        return self.name


class Judge(models.Model):
    """What scores an answer, addressed by the digest of what makes it (contracts.md "judge"); it never changes.

    `prompt` is the value whose digest the definition of an LLM judge names; other judges have none.
    """

    id = Identifier("jdg")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    definition = models.JSONField()
    prompt = models.JSONField(null=True)
    sha256 = models.CharField(max_length=SHA256)
    created_by = models.CharField(max_length=40)
    created_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="judge_name_once")]

    def __str__(self) -> str:
        return self.name


class GatePolicy(models.Model):
    """The numbers beside the slices, of an application or, without one, of the whole organization."""

    id = Identifier("pol")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, null=True, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    definition = models.JSONField()
    sha256 = models.CharField(max_length=SHA256)
    changed_by_label = models.CharField(max_length=254)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "application"], nulls_distinct=False, name="gate_policy_once"
            )
        ]

    def __str__(self) -> str:
        return f"gate policy of {self.application or self.organization}"


# Django looks for models here only; the rows of gate runs, of judges at work and of panels stand beside.
from gates import judge_models as _judge_models  # noqa: E402, F401 - registers them
from gates import panel_models as _panel_models  # noqa: E402, F401 - registers them
from gates import run_models as _run_models  # noqa: E402, F401 - registers them
