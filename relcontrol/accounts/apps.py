"""Django app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, people and what they own."""

    name = "relcontrol.accounts"
    label = "accounts"
