"""Django app of long work."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Leases, the reconciler and process heartbeats."""

    name = "relcontrol.jobs"
    label = "jobs"
