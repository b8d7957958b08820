"""A request whose person is known: what views behind the sign-in take."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from relcontrol.accounts.models import Person


class PersonRequest(HttpRequest):
    """Typed as it is after the middleware and `login_required`."""

    user: Person
    htmx: HtmxDetails
