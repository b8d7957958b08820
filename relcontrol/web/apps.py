"""Django app of the web plumbing."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Template tags and parts."""

    name = "relcontrol.web"
    label = "web"
