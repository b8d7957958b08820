"""Observers and what they sign, for tests of those who take it in."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from audit.chain import timestamp
from audit.evidence_models import WeightsObserver
from audit.weights.observations import LOAD, SAMPLE, Observation, sign_observation
from audit.weights.observer_keys import ObserverKey, load_observer_key, new_observer_pem
from audit.weights.observers import register_observer
from audit.weights.oms import SignedStatement, Statement, sign_statement
from audit.weights.predicates import Predicate
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now

PREDICATE = Predicate({"config.json": "1" * 64, "model.safetensors": "2" * 64})
OTHER = Predicate({"config.json": "1" * 64, "model.safetensors": "3" * 64})
WEIGHTS, OTHER_WEIGHTS = PREDICATE.weights_sha256, OTHER.weights_sha256


def key(name: str = "gpu-1") -> ObserverKey:
    """The key of one agent."""
    return _made_once(name)


@cache
def _made_once(name: str) -> ObserverKey:
    return load_observer_key(new_observer_pem())


def observer(owner: Organization, name: str = "gpu-1") -> WeightsObserver:
    """That agent, registered."""
    return register_observer(actor=command_actor(owner), name=name, public_key=key(name).public.pem.decode())


def observation(origin: str, name: str = "gpu-1", **changed: Any) -> Observation:
    """What an agent saw just now: all registered files."""
    seen: Predicate = changed.pop("seen", PREDICATE)
    full: dict[str, Any] = {
        "origin": origin,
        "expected_sha256": WEIGHTS,
        "observed_sha256": seen.weights_sha256,
        "oms_root_sha256": seen.root_sha256,
        "depth": LOAD,
        "files": len(seen.files),
        "bytes": 1_000,
        "seed": None,
        "observed_at": timestamp(now()),
        "keyid": key(name).public.keyid,
    }
    return Observation(**full | changed)


def envelope(
    owner: Organization, name: str = "gpu-1", *, ago: timedelta = timedelta(), **changed: Any
) -> dict[str, Any]:
    """The same, signed; `sample=True` for a sample."""
    at: datetime = now() - ago
    depth = {"depth": SAMPLE, "seed": 7} if changed.pop("sample", False) else {}
    origin = changed.pop("origin", owner.origin)
    return signed_observation(origin, name, observed_at=timestamp(at), **depth | changed)


def signed_observation(origin: str, name: str = "gpu-1", **changed: Any) -> dict[str, Any]:
    """The same for an organization that is only known by its origin."""
    return sign_observation(observation(origin, name, **changed), key(name))


def statement(predicate: Predicate = PREDICATE, name: str = "gpu-1") -> SignedStatement:
    """A statement about these files by an agent."""
    return sign_statement(Statement("legal-llm", predicate), key(name))
