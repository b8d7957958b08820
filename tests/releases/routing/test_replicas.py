"""Who is there, who has the newest routing, and what is still in flight."""

from datetime import datetime, timedelta

import pytest

from audit.administration.routing import next_epoch
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.replica_models import Replica
from releases.routing.replicas import acknowledged, draining, fingerprints_of_live, replicas_of, tidy_replicas
from tests.factories import organization
from tests.releases.routing.scene import bump

NOW = now()
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> Organization:
    """An organization at generation 3."""
    made = organization()
    bump(made)
    bump(made)
    return made


def replica(owner: Organization, name: str, seconds: float = 1, generation: int = 3, **changes: object) -> Replica:
    at: datetime = NOW - timedelta(seconds=seconds)
    values: dict[str, object] = {
        "organization": owner,
        "name": name,
        "epoch": 1,
        "generation": generation,
        "first_seen_at": at,
        "seen_at": at,
    }
    return Replica.objects.create(**values | changes)


def test_a_replica_is_in_step_or_behind_then_silent_then_lost(owner: Organization) -> None:
    replica(owner, "a", seconds=15)
    replica(owner, "b", seconds=1, generation=2)
    replica(owner, "c", seconds=16)
    replica(owner, "d", seconds=30)
    replica(owner, "0", seconds=31)
    states = [(view.name, view.state, view.live) for view in replicas_of(owner, NOW)]
    assert states == [
        ("a", "in step", True),
        ("b", "behind", True),
        ("c", "silent", False),
        ("d", "silent", False),
        ("0", "lost", False),
    ]


def test_a_replica_of_an_older_epoch_is_behind_whatever_its_generation(owner: Organization) -> None:
    next_epoch(owner)
    replica(owner, "old", generation=99)
    replica(owner, "new", generation=4, epoch=2)
    assert [(view.name, view.state) for view in replicas_of(owner, NOW)] == [("new", "in step"), ("old", "behind")]
    assert acknowledged(owner, 4, NOW) == (1, 2)


def test_live_replicas_count_where_acknowledgements_are_counted(owner: Organization) -> None:
    replica(owner, "a")
    replica(owner, "b", generation=2)
    replica(owner, "lost", seconds=60)
    assert acknowledged(owner, 3, NOW) == (1, 2)
    assert acknowledged(owner, 2, NOW) == (2, 2)


def test_what_is_in_flight_counts_until_its_replica_is_lost(owner: Organization) -> None:
    replica(owner, "a", in_flight={"sha": 2, "other": 9})
    replica(owner, "silent", seconds=29, in_flight={"sha": 3})
    replica(owner, "lost", seconds=31, in_flight={"sha": 100})
    assert draining(owner, "sha", NOW) == 5
    assert draining(owner, "nothing", NOW) == 0


def test_the_fingerprints_are_those_of_live_replicas(owner: Organization) -> None:
    replica(owner, "a", fingerprints=["f1", "f2"])
    replica(owner, "silent", seconds=20, fingerprints=["f3"])
    assert fingerprints_of_live(owner, NOW) == {"a": {"f1", "f2"}}


def test_replicas_of_another_organization_are_never_counted(owner: Organization) -> None:
    other = organization("eastgate")
    replica(other, "a", in_flight={"sha": 1}, fingerprints=["f"])
    assert replicas_of(owner, NOW) == []
    assert acknowledged(owner, 1, NOW) == (0, 0)
    assert draining(owner, "sha", NOW) == 0
    assert fingerprints_of_live(owner, NOW) == {}


def test_a_clock_that_is_behind_makes_nobody_come_from_the_future(owner: Organization) -> None:
    replica(owner, "a", seconds=-5)
    assert replicas_of(owner, NOW)[0].seen_ago == timedelta(0)


def test_a_replica_is_forgotten_after_a_week_of_silence(owner: Organization) -> None:
    replica(owner, "old", seconds=7 * 86_400 + 1)
    replica(owner, "kept", seconds=7 * 86_400 - 60)
    assert tidy_replicas(NOW) == 1
    assert [view.name for view in replicas_of(owner, NOW)] == ["kept"]
