"""The edge as the server imports it: the ASGI process for what is frequent and small (architecture.md "Processes")."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relcontrol.settings")

import django

django.setup()

from releases.edge.paths import application  # noqa: E402 - needs the settings

app = application()
