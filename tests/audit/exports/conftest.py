"""One organization with an anchored log, for the tests of what belongs to an export."""

import pytest

from audit.administration.people import add_person
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests import factories
from tests.audit.exports.anchored import anchor, checkpoint


@pytest.fixture
def northgate() -> Organization:
    """Its log:

    1 to 3  the organization, the application "one" and its route
    4       anchored: 3 time-stamped
    5, 6    the application "other" and its route
    7, 8    anchored: 6 witnessed, and in a file
    9       a person joined
    """
    made = factories.organization()
    factories.application(made, "one")
    anchor(checkpoint(made))
    factories.application(made, "other")
    second = checkpoint(made)
    anchor(second, "witness")
    anchor(second, "file")
    add_person(actor=command_actor(made), email="mara@northgate.example", name="Mara", roles=["auditor"])
    return made
