"""Applications, their routes, and the endpoints that serve models."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from audit.administration.rules import checked_name, checked_slug
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Endpoint, Route
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.manifest import normalise_routing
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, invalid

MAX_URL = 500
MAX_CREDENTIAL = 100


@transaction.atomic
def create_application(*, actor: Actor, slug: str, name: str = "") -> Application:
    """Make an application in the actor's organization."""
    actor.require(ADMINISTER)
    application = Application(
        organization=actor.organization, slug=checked_slug(slug), name=checked_name(name or slug), created_at=now()
    )
    _insert(application, f"There is an application {slug} already.")
    state = {"id": application.pk, "slug": slug, "name": application.name}
    append(
        actor,
        Record(
            event=Event.APPLICATION_CHANGED,
            outcome="created",
            kind="application",
            name=slug,
            application=slug,
            state=state,
        ),
    )
    return application


@transaction.atomic
def rename_application(*, actor: Actor, application: Application, name: str) -> Application:
    """Give an application another name for people; its slug never changes."""
    actor.require(ADMINISTER)
    rows = Application.objects.filter(organization=actor.organization).select_for_update(of=("self",), no_key=True)
    row = found(rows, "application", pk=application.pk)
    wanted = checked_name(name)
    if wanted == row.name:
        return row
    row.name = wanted
    row.save(update_fields=["name"])
    state = {"id": row.pk, "slug": row.slug, "name": row.name}
    append(
        actor,
        Record(
            event=Event.APPLICATION_CHANGED,
            outcome="renamed",
            kind="application",
            name=row.slug,
            application=row.slug,
            state=state,
        ),
    )
    return row


@transaction.atomic
def create_route(
    *, actor: Actor, application: Application, routing: Mapping[str, Any], name: str = "", is_default: bool = False
) -> Route:
    """Make a route of an application. The first one is its default."""
    actor.require(ADMINISTER)
    checked = checked_routing(routing)
    first = not Route.objects.filter(application=application).exists()
    route = Route(
        organization=actor.organization,
        application=application,
        routing=checked,
        name=checked_name(name or ", ".join(f"{key} {value}" for key, value in checked.items()) or "default"),
        is_default=is_default or first,
        created_at=now(),
    )
    _insert(route, f"{application.slug} has a route {checked} or a default route already.")
    state = {"id": route.pk, "name": route.name, "routing": checked, "is_default": route.is_default}
    append(
        actor,
        Record(
            event=Event.ROUTE_CHANGED,
            outcome="created",
            kind="route",
            name=route.pk,
            application=application.slug,
            state=state,
        ),
    )
    return route


@transaction.atomic
def create_endpoint(
    *,
    actor: Actor,
    name: str,
    base_url: str,
    credential: str = "",
    input_price: Decimal | None = None,
    output_price: Decimal | None = None,
) -> Endpoint:
    """Make an endpoint. `credential` is the name of a secret; prices are per token, in the customer's currency."""
    actor.require(ADMINISTER)
    endpoint = Endpoint(
        organization=actor.organization,
        name=checked_slug(name, "name"),
        base_url=checked_url(base_url),
        credential=_checked_credential(credential),
        input_price=input_price,
        output_price=output_price,
        created_at=now(),
    )
    _insert(endpoint, f"There is an endpoint {name} already.")
    _append_endpoint(actor, endpoint, "created")
    return endpoint


@transaction.atomic
def change_endpoint(
    *,
    actor: Actor,
    endpoint: Endpoint,
    base_url: str,
    credential: str = "",
    input_price: Decimal | None = None,
    output_price: Decimal | None = None,
) -> Endpoint:
    """Give an endpoint another address, credential or price; its name never changes, because manifests use it."""
    actor.require(ADMINISTER)
    rows = Endpoint.objects.filter(organization=actor.organization).select_for_update(of=("self",), no_key=True)
    row = found(rows, "endpoint", pk=endpoint.pk)
    before = _endpoint_state(row)
    row.base_url, row.credential = checked_url(base_url), _checked_credential(credential)
    row.input_price, row.output_price = input_price, output_price
    if _endpoint_state(row) == before:
        return row
    row.save(update_fields=["base_url", "credential", "input_price", "output_price"])
    _append_endpoint(actor, row, "changed")
    return row


def _append_endpoint(actor: Actor, row: Endpoint, outcome: str) -> None:
    record = Record(
        event=Event.ENDPOINT_CHANGED, outcome=outcome, kind="endpoint", name=row.name, state=_endpoint_state(row)
    )
    append(actor, record)


def _endpoint_state(row: Endpoint) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "base_url": row.base_url,
        "protocol": str(row.protocol),
        "credential": row.credential,
        "input_price": decimal_text(row.input_price),
        "output_price": decimal_text(row.output_price),
    }


def checked_routing(routing: Mapping[str, Any]) -> dict[str, str]:
    """Routing by the rule of manifests, so that each route can have releases."""
    if not routing:
        raise invalid("routing", 'Say which traffic the route takes, such as {"domain": "legal"}.')
    try:
        return normalise_routing(dict(routing))
    except BundleError as error:
        problems = [FieldError(problem.field, problem.message) for problem in error.problems]
        raise Invalid(problems[0].message, errors=problems) from error


def checked_url(base_url: str) -> str:
    """An http or https address without a user, password, query or fragment in it."""
    try:
        parts = urlsplit(base_url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise invalid("base_url", f"This is no address: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host or len(base_url) > MAX_URL:
        raise invalid("base_url", "Use an http or https address such as http://127.0.0.1:11434/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise invalid("base_url", "Leave user, password, query and fragment out; name the secret in `credential`.")
    return base_url.strip().rstrip("/")


def _checked_credential(credential: str) -> str:
    text = credential.strip()
    if len(text) > MAX_CREDENTIAL or not all(character.isalnum() or character in "_-." for character in text):
        raise invalid("credential", "Give the name of a secret: up to 100 letters, digits, '_', '-' and '.'.")
    return text


def decimal_text(value: Decimal | None) -> str | None:
    """A price as people and receipts write it: without exponent and trailing zeros."""
    return None if value is None else format(value.normalize(), "f")


def _insert(row: Application | Route | Endpoint, conflict: str) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(conflict, code="exists_already") from error
