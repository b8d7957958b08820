"""Browsers of people of one organization, signed in through the form."""

from collections.abc import Callable

import pytest
from django.test import Client

from relcontrol.accounts.models import Organization, Person
from tests import factories

SignIn = Callable[..., Client]


@pytest.fixture
def northgate(db: None) -> Organization:
    """An organization with one application and an administrator."""
    made = factories.organization()
    factories.application(made)
    factories.person(made, "admin", email="admin@northgate.example")
    return made


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A browser in which this person has just signed in."""

    def signed_in(person: Person) -> Client:
        client = Client()
        answer = client.post("/sign-in", {"email": person.email, "password": factories.PASSWORD})
        assert answer.status_code == 302
        return client

    return signed_in


@pytest.fixture
def admin(northgate: Organization, sign_in: SignIn) -> Client:
    """The administrator's browser."""
    return sign_in(Person.objects.get(email="admin@northgate.example"))


@pytest.fixture
def viewer(northgate: Organization, sign_in: SignIn) -> Client:
    """The browser of somebody who may only look."""
    return sign_in(factories.person(northgate, "viewer"))
