"""Django app of gates."""

from django.apps import AppConfig


class GatesConfig(AppConfig):
    """Quality: slices, suites, ratings, judges, verdicts."""

    name = "gates"
