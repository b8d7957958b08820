"""Rows of panels: a campaign in which experts grade answers, blind to the release and to each other."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Identifier, Organization, Person

SHA256 = 64


class Panel(models.Model):
    """A campaign. `scale` is [1, 5] or [0, 100]; each answer gets `raters_per_answer` raters, in an order by `seed`.

    While it is open nobody sees a grade of another; when it is closed, grades of a suite's answers become ratings of
    that suite. `source` says where the answers come from: the suite's own graded answers, the answers of a gate run
    (`run`), or live traces, whose texts stay sealed under their subjects' keys.
    """

    class Source(models.TextChoices):
        SUITE = "suite", "Answers of a suite"
        RUN = "run", "Answers of a gate run"
        TRACES = "traces", "Live traces"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    id = Identifier("pan")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    rubric = models.TextField()
    source = models.CharField(max_length=8, choices=Source.choices)
    suite = models.ForeignKey("gates.Suite", models.PROTECT, null=True, related_name="panels")
    run = models.ForeignKey("gates.GateRun", models.PROTECT, null=True, related_name="panels")
    scale = models.JSONField()
    raters_per_answer = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_by = models.CharField(max_length=40)
    created_by_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    closed_by_label = models.CharField(max_length=254, blank=True)
    closed_at = models.DateTimeField(null=True)
    receipt_hash = models.CharField(max_length=SHA256, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="panel_name_once")]
        indexes: ClassVar = [models.Index(fields=["organization", "-id"], name="panel_newest")]

    def __str__(self) -> str:
        return self.name


class PanelItem(models.Model):
    """One answer to be graded. An answer of a suite or a run has its `case`; a trace's texts are `sealed`.

    `judge_score` is what the answers of a run were stratified by; raters never see it. `trace_id` and
    `trace_started_at` say which trace it is, `subject` under whose key it is sealed. `finding` is an adjudicator's.
    """

    id = models.BigAutoField(primary_key=True)
    panel = models.ForeignKey(Panel, models.PROTECT, related_name="items")
    slice = models.ForeignKey("gates.Slice", models.PROTECT, null=True, related_name="+")
    case = models.ForeignKey("gates.SuiteCase", models.PROTECT, null=True, related_name="+")
    answer_id = models.CharField(max_length=200)
    output = models.TextField(blank=True)
    judge_score = models.FloatField(null=True)
    trace_id = models.CharField(max_length=200, blank=True)
    trace_started_at = models.DateTimeField(null=True)
    subject = models.BinaryField(null=True)
    sealed = models.BinaryField(null=True)
    finding = models.CharField(max_length=12, blank=True)
    finding_reason = models.TextField(blank=True)
    finding_by_label = models.CharField(max_length=254, blank=True)
    finding_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["panel", "case", "answer_id"], name="panel_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.panel}: {self.answer_id}"


class PanelTask(models.Model):
    """One answer that one rater is asked to grade; `place` is its place in the rater's own order.

    Raters are people of the organization (`person`) or, where grades were imported, names alone. `set_aside` grades are
    kept and do not count: an adjudicator said why.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RATED = "rated", "Rated"
        SKIPPED = "skipped", "Skipped"

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(PanelItem, models.PROTECT, related_name="tasks")
    panel = models.ForeignKey(Panel, models.PROTECT, related_name="tasks")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    rater = models.CharField(max_length=200)
    place = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    grade = models.FloatField(null=True)
    reason = models.TextField(blank=True)
    set_aside = models.BooleanField(default=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "rater"], name="panel_task_once"),
            models.CheckConstraint(
                condition=models.Q(state="rated", grade__isnull=False)
                | (~models.Q(state="rated") & models.Q(grade__isnull=True)),
                name="panel_task_rated_has_grade",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["panel", "rater", "state", "place"], name="panel_task_next")]

    def __str__(self) -> str:
        return f"{self.rater}: {self.state}"
