"""Django app of releases."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Delivery: the registry and what serves."""

    name = "releases"
