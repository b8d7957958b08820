"""The base of every API call: authenticate, count, authorize, read the body within its limit, run once.

A call names the permission of each of its methods; one that names none cannot be reached, and a test walks the URL
configuration so that none is forgotten.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import Permission
from relcontrol.api import rates
from relcontrol.api.idempotency import once
from relcontrol.api.inputs import Input, read
from relcontrol.api.problems import too_large
from relcontrol.clock import now
from relcontrol.errors import Malformed, NotFound, Unauthenticated


class Call(APIView):
    """One path of the API. `permissions` maps each method to what it takes."""

    permissions: ClassVar[Mapping[str, Permission]] = {}
    body_limit: ClassVar[int] = settings.BODY_LIMIT
    actor: Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that comes before the method itself."""
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in self.permissions and method != "OPTIONS":
            raise MethodNotAllowed(method)
        actor: object = request.user
        if not isinstance(actor, Actor):
            raise Unauthenticated("Send `Authorization: Bearer rc_<public>.<secret>`.")
        self.actor = actor
        rates.count(self.token, now())
        if method in self.permissions:
            self.actor.require(self.permissions[method])
        self._refuse_nul(request, kwargs)
        self._read_body(request)

    @property
    def token(self) -> Token:
        """The token of this call."""
        token = self.request.auth
        if not isinstance(token, Token):
            raise TypeError("an API call without a token")
        return token

    def read(self, shape: type[Input]) -> dict[str, Any]:
        """The body, checked against its shape. No body is not an empty object: most likely it was forgotten."""
        if not self.request._request.body:
            raise Malformed('The body is empty. Send a JSON object, such as {"name": "…"}.')
        return read(shape, self.request.data)

    def _refuse_nul(self, request: Request, kwargs: dict[str, Any]) -> None:
        if any("\x00" in str(value) for value in kwargs.values()):
            raise NotFound("There is nothing here. Check the path and the id.")
        for name, values in request.query_params.lists():
            if "\x00" in name or any("\x00" in value for value in values):
                raise Malformed("The query contains a NUL character.")

    def _read_body(self, request: Request) -> None:
        """Read the body now, within the limit, so that its bytes can be compared for idempotence."""
        if request.headers.get("Transfer-Encoding"):
            raise Malformed("Send the body with a Content-Length; chunked bodies are not read.")
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > self.body_limit:
            raise too_large(self.body_limit)
        try:
            _ = request._request.body
        except RequestDataTooBig as error:
            raise too_large(self.body_limit) from error


class CommandCall(Call):
    """A call whose POST changes something: `command` runs at most once for an Idempotency-Key."""

    def post(self, request: Request, **kwargs: str) -> Response:
        """Run the command, or answer what it answered before."""
        return once(request, self.token, now(), lambda: self.command(request, **kwargs))

    def command(self, request: Request, **kwargs: str) -> Response:
        """What the POST does."""
        raise MethodNotAllowed("POST")
