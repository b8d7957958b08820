"""Long work as a row: state, progress and a lease with a fence (contracts.md "Long work").

A worker that wants to work takes the lease: it writes its name, a time until when, and a fence one higher than before.
Each result is written only where the fence still holds, so that a worker that was thought dead and comes back can
change nothing. A process that is killed loses its lease by time and another takes over where the row says.
"""

from typing import ClassVar

from django.db import models


class LeasedJob(models.Model):
    """Base of every job row. The domain's own row is the job; there is no second table to keep in step."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        ERROR = "error", "Error"
        CANCELLED = "cancelled", "Cancelled"

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_of = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    problem = models.JSONField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        indexes: ClassVar = [
            models.Index(
                fields=["state", "lease_until"],
                name="%(app_label)s_%(class)s_open",
                condition=models.Q(state__in=["queued", "running"]),
            )
        ]

    @property
    def is_over(self) -> bool:
        """Nothing more will change."""
        return self.state in {self.State.DONE, self.State.ERROR, self.State.CANCELLED}


class ProcessHeartbeat(models.Model):
    """When a process was last seen doing its work; `/readyz` and the health page read it."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
