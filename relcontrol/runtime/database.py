"""Which database the processes use, and as whom (standard library only; settings import this first).

Two roles (architecture.md, "One database, one dialect"): the owner migrates, `rc_app` does everything else and cannot
change a receipt. DATABASE_URL names the owner of an own server; without it the embedded one is used.
"""

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Literal

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database_url import DatabaseAddress, parse_database_url
from relcontrol.runtime.folders import data_folder, ensure_data_folder
from relcontrol.runtime.private_files import write_private

Role = Literal["app", "owner"]

APP_ROLE = "rc_app"
OWNER_ROLE = "rc_owner"
EMBEDDED_DATABASE = "relcontrol"
EMBEDDED_PORT = "5432"


def django_database(role: Role) -> dict[str, object]:
    """The entry of DATABASES for this role."""
    address = database_address(role)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "OPTIONS": dict(address.options),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def database_address(role: Role) -> DatabaseAddress:
    """DATABASE_URL and DATABASE_APP_URL where they are set, else the embedded server."""
    if not (url := database_url()):
        return _embedded(role)
    owner = parse_database_url("DATABASE_URL", url)
    if role == "owner":
        return owner
    if app_url := os.environ.get("DATABASE_APP_URL", "").strip():
        return parse_database_url("DATABASE_APP_URL", app_url)
    return replace(owner, user=APP_ROLE, password=app_password())


def database_url() -> str:
    """The own server's URL, or "" where the embedded one is used."""
    return os.environ.get("DATABASE_URL", "").strip()


def credentials_file() -> Path:
    """Passwords and socket folder of the embedded server."""
    return data_folder() / "postgres" / "credentials.json"


def app_password_file() -> Path:
    """The password that `migrate` gave the role rc_app on an own server."""
    return data_folder() / "database-app-password"


def app_password() -> str:
    """The password of rc_app on an own server, or "" before the first `migrate`."""
    try:
        return app_password_file().read_text().strip()
    except FileNotFoundError:
        return ""


def ensure_app_password() -> str:
    """The password of rc_app, made once and kept with mode 0600."""
    if password := app_password():
        return password
    ensure_data_folder()
    password = secrets.token_urlsafe(32)
    write_private(app_password_file(), password)
    return password


def _embedded(role: Role) -> DatabaseAddress:
    """The embedded server's address. Before its first start there is no password yet, and a connection is refused."""
    user = OWNER_ROLE if role == "owner" else APP_ROLE
    file = credentials_file()
    address = DatabaseAddress(EMBEDDED_DATABASE, user=user, host=str(file.parent), port=EMBEDDED_PORT)
    try:
        credentials = json.loads(file.read_text())
        return replace(address, password=credentials["passwords"][user], host=credentials["socket_folder"])
    except FileNotFoundError:
        return address
    except (ValueError, KeyError, TypeError) as error:
        raise MisconfiguredError(f"{file} is damaged ({error!r}). Put it back from a backup.") from error
