"""The base of every page of an organization: who looks, and may she? No view can forget to ask.

A page of an organization that one is no member of is a 404, the same as one that does not exist.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Person
from relcontrol.accounts.permissions import Denied, Permission
from relcontrol.errors import Forbidden, NotFound

Rest = ParamSpec("Rest")


class PageRequest(HttpRequest):
    """A request whose person is a member of the organization in its path."""

    actor: Actor
    membership: Membership


PageView = Callable[Concatenate[PageRequest, Rest], HttpResponseBase]


def page(permission: Permission) -> Callable[[PageView[Rest]], Callable[..., HttpResponseBase]]:
    """Make a view a page of `/o/<organization>/…` for those who hold `permission`.

    The view gets the request with its actor, and the path's other parts. `NotFound` and `Forbidden` of a service
    become the error pages; other domain errors are the view's to show in its form.
    """

    def decorate(view: PageView[Rest]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @never_cache
        def guarded(request: Any, organization: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            request.membership = _membership(request.user, organization)
            request.actor = actor_of(request, request.membership)
            answer = request.actor.may(permission)
            if isinstance(answer, Denied):
                raise PermissionDenied(answer.reason)
            try:
                return view(request, *args, **kwargs)
            except NotFound as error:
                raise Http404(error.detail) from error
            except Forbidden as error:
                raise PermissionDenied(error.detail) from error

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the permission matrix test
        return guarded

    return decorate


def _membership(person: Person, slug: str) -> Membership:
    rows = Membership.objects.select_related("organization", "person")
    row = rows.filter(person=person, organization__slug=slug).first()
    if row is None:
        raise Http404("There is no such organization, or you are not a member of it.")
    return row


def actor_of(request: HttpRequest, membership: Membership) -> Actor:
    """The person in this browser session."""
    session_key = request.session.session_key or ""
    stepped_up_at = request.session.get("stepped_up_at")
    return Actor(
        organization=membership.organization,
        kind="person",
        auth="session",
        person=membership.person,
        roles=membership.roles,
        session=hashlib.sha256(session_key.encode()).hexdigest()[:16],
        proved_at=datetime.fromtimestamp(stepped_up_at, UTC) if stepped_up_at else None,
    )
