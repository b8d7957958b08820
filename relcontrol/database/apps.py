"""Django app that holds nothing but the first migration."""

from django.apps import AppConfig


class DatabaseConfig(AppConfig):
    """The application role and its default privileges."""

    name = "relcontrol.database"
    label = "database"
