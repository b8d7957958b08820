"""The generation of an organization's routing: every change of what gateways must know makes the next one.

The row is locked after routes, releases and rollouts and before the chain head (contracts.md "Lock order"). Edges hear
of the new generation when the transaction commits; a notification that is lost is made up for by polling.
"""

from typing import Final

from django.db import connection

from relcontrol.accounts.models import Organization, RoutingState
from relcontrol.clock import now

CHANNEL: Final = "relcontrol_routing"


def next_generation(organization: Organization) -> RoutingState:
    """Count the routing one further, in the transaction of what changes it, and tell the edges on commit."""
    state = _locked(organization)
    state.generation, state.changed_at = state.generation + 1, max(now(), state.changed_at)
    state.save(update_fields=["generation", "changed_at"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, organization.pk])
    return state


def next_epoch(organization: Organization) -> RoutingState:
    """Begin a new epoch: what a database that was restored from a copy needs, as its generations have gone back."""
    state = _locked(organization)
    state.epoch += 1
    state.save(update_fields=["epoch"])
    return next_generation(organization)


def _locked(organization: Organization) -> RoutingState:
    first = RoutingState(organization=organization, changed_at=now())
    RoutingState.objects.bulk_create([first], ignore_conflicts=True)
    return RoutingState.objects.select_for_update(no_key=True).get(organization=organization)
