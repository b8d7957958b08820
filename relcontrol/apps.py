"""Django app of the top: commands that compose several apps."""

from django.apps import AppConfig


class RelcontrolConfig(AppConfig):
    """Holds management commands only."""

    name = "relcontrol"
    label = "relcontrol"
