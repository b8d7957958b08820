"""Applications, their routes, and the endpoints that serve models.

What gateways are told of them makes the next generation of the routing, in the same transaction (gateway.md).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from audit.administration.routing import next_generation
from audit.administration.rules import checked_name, checked_slug
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Endpoint, Route
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.generation import DECIMAL_RANGES, INTEGER_RANGES, LIMITS
from relcontrol.bundle.manifest import normalise_routing
from relcontrol.bundle.refs import ModelRef, parse_model_ref
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, invalid

MAX_URL = 500
MAX_CREDENTIAL = 100
MAX_SERVES = 50
SETTINGS = tuple(sorted({*DECIMAL_RANGES, *INTEGER_RANGES, "stop"} - set(LIMITS[1:])))  # which go by the first name


@transaction.atomic
def create_application(*, actor: Actor, slug: str, name: str = "") -> Application:
    """Make an application in the actor's organization."""
    actor.require(ADMINISTER)
    application = Application(
        organization=actor.organization, slug=checked_slug(slug), name=checked_name(name or slug), created_at=now()
    )
    _insert(application, f"There is an application {slug} already.")
    next_generation(actor.organization)
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
def set_client_settings(*, actor: Actor, application: Application, names: Sequence[str]) -> Application:
    """Say in which generation settings a client's own value stands against the manifest's."""
    actor.require(ADMINISTER)
    rows = Application.objects.filter(organization=actor.organization).select_for_update(of=("self",), no_key=True)
    row = found(rows, "application", pk=application.pk)
    wanted = checked_settings(names)
    if wanted == row.client_settings:
        return row
    row.client_settings = wanted
    row.save(update_fields=["client_settings"])
    next_generation(actor.organization)
    append(
        actor,
        Record(
            event=Event.APPLICATION_CHANGED,
            outcome="changed",
            kind="application",
            name=row.slug,
            application=row.slug,
            state={"id": row.pk, "slug": row.slug, "name": row.name, "client_settings": wanted},
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
    next_generation(actor.organization)
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
    serves: Sequence[str] = (),
) -> Endpoint:
    """Make an endpoint. `credential` is the name of a secret; prices are per token, in the customer's currency.

    `serves` lists the models that it answers for, as manifests name them, with or without a revision.
    """
    actor.require(ADMINISTER)
    endpoint = Endpoint(
        organization=actor.organization,
        name=checked_slug(name, "name"),
        base_url=checked_url(base_url),
        credential=_checked_credential(credential),
        input_price=input_price,
        output_price=output_price,
        serves=checked_serves(serves),
        created_at=now(),
    )
    _insert(endpoint, f"There is an endpoint {name} already.")
    next_generation(actor.organization)
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
    serves: Sequence[str] | None = None,
) -> Endpoint:
    """Give an endpoint another address, credential or price; its name never changes, because manifests use it.

    The models that it serves stay as they are where `serves` is None.
    """
    actor.require(ADMINISTER)
    rows = Endpoint.objects.filter(organization=actor.organization).select_for_update(of=("self",), no_key=True)
    row = found(rows, "endpoint", pk=endpoint.pk)
    before = _endpoint_state(row)
    row.base_url, row.credential = checked_url(base_url), _checked_credential(credential)
    row.input_price, row.output_price = input_price, output_price
    row.serves = row.serves if serves is None else checked_serves(serves)
    if _endpoint_state(row) == before:
        return row
    row.save(update_fields=["base_url", "credential", "input_price", "output_price", "serves"])
    next_generation(actor.organization)
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
        "serves": row.serves,
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
        raise invalid("base_url", "Leave user, password, query and fragment out; name the secret as the credential.")
    return base_url.strip().rstrip("/")


def _checked_credential(credential: str) -> str:
    text = credential.strip()
    if len(text) > MAX_CREDENTIAL or not all(character.isalnum() or character in "_-." for character in text):
        raise invalid("credential", "Give the name of a secret: up to 100 letters, digits, '_', '-' and '.'.")
    return text


def checked_serves(serves: Sequence[str]) -> list[str]:
    """Model references in their one spelling, each once, in order: `hf:org/repo[@rev]` or `openai:name`."""
    if len(serves) > MAX_SERVES:
        raise invalid("serves", f"An endpoint lists up to {MAX_SERVES} models; these are {len(serves)}.")
    return sorted({_checked_model(text.strip()) for text in serves})


def _checked_model(text: str) -> str:
    without_revision = "@" not in text and not text.startswith("openai:")
    try:
        ref = parse_model_ref(f"{text}@any" if without_revision else text, "serves")
    except BundleError as error:
        raise _no_model(text) from error
    if ref.scheme == "endpoint":
        raise _no_model(text)
    return str(ModelRef(ref.scheme, ref.name) if without_revision else ref)


def _no_model(text: str) -> Invalid:
    return invalid("serves", f"{text[:100]!r} is no model: write hf:org/repo, hf:org/repo@rev or openai:name.")


def checked_settings(names: Sequence[str]) -> list[str]:
    """Names of generation settings, each once, in order."""
    if unknown := sorted(set(names) - set(SETTINGS)):
        raise invalid("client_settings", f"Unknown: {', '.join(unknown)[:200]}. Known: {', '.join(SETTINGS)}.")
    return sorted(set(names))


def decimal_text(value: Decimal | None) -> str | None:
    """A price as people and receipts write it: without exponent and trailing zeros."""
    return None if value is None else format(value.normalize(), "f")


def _insert(row: Application | Route | Endpoint, conflict: str) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(conflict, code="exists_already") from error
