"""Commands find the database that they need, and explain themselves."""

import pytest
from django.core.management import get_commands, load_command_class

from relcontrol.runtime.commands import needs_database

OURS = sorted(name for name, app in get_commands().items() if app == "relcontrol")


@pytest.mark.parametrize("command", ["organization", "migrate", "edge", "shell", "createsuperuser"])
def test_commands_that_work_on_rows_get_a_database(command: str) -> None:
    assert needs_database(command, [])


@pytest.mark.parametrize(
    ("command", "options"),
    [("", []), ("--help", []), ("token", ["--help"]), ("up", []), ("demo-models", []), ("test", [])],
)
def test_help_and_what_starts_its_own_get_none(command: str, options: list[str]) -> None:
    assert not needs_database(command, options)


@pytest.mark.parametrize("name", OURS)
def test_the_help_of_every_command_has_an_example(name: str) -> None:
    text = load_command_class("relcontrol", name).create_parser("manage.py", name).format_help().lower()
    assert f"manage.py {name}" in text.split("example:", 1)[1]
