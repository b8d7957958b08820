"""Rows of the REST plumbing: stored answers of idempotent commands, and request counts per token and minute."""

from typing import ClassVar

from django.db import models

from relcontrol.accounts.models import Token


class IdempotencyRecord(models.Model):
    """The answer that a command with this key got, kept for a day (api.md "Idempotency-Key")."""

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(Token, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key


class RateWindow(models.Model):
    """How many requests a token made in a minute. The table is unlogged: a crash may forget it."""

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(Token, models.CASCADE, related_name="+", db_constraint=False)
    minute = models.BigIntegerField()
    requests = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "minute"], name="rate_window_once")]

    def __str__(self) -> str:
        return f"{self.requests} in minute {self.minute}"
