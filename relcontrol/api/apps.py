"""Django app of the REST plumbing."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Idempotency records and rate windows."""

    name = "relcontrol.api"
    label = "api"
