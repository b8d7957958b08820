"""People with browsers: a client that is signed in as somebody with these roles."""

from django.test import Client

from relcontrol.accounts.models import Organization
from tests.factories import person


def visitor(owner: Organization, *roles: str, email: str = "") -> Client:
    """A browser of somebody with these roles."""
    client = Client(raise_request_exception=False)
    client.force_login(person(owner, *roles, email=email))
    return client
