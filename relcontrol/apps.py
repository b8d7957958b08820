"""Django app of the top: commands that compose several apps."""

import importlib

from django.apps import AppConfig


class RelcontrolConfig(AppConfig):
    """Holds management commands, and gives every process the broker's configuration."""

    name = "relcontrol"
    label = "relcontrol"

    def ready(self) -> None:
        """Load the Celery application: without it `wake` in a web process would ask a broker that nobody named."""
        importlib.import_module("relcontrol.celery")
