"""Django app of audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Evidence: receipts, chains, exports."""

    name = "audit"
