"""Whether a release answers: each minute its model server is asked for one token, as a rollback target must be warm."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.accounts.models import Endpoint
from relcontrol.model_servers.client import Answer, answer
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from releases.models import Release
from releases.replica_models import Warmth
from releases.rolling.selectors import open_rollouts
from releases.routing.serving import Served, Unserved, endpoint_still

PROBE_EVERY: Final = timedelta(minutes=1)
FRESH: Final = timedelta(seconds=150)  # two probes may be late
TIMEOUT_S: Final = 5.0
ONE_TOKEN: Final[dict[str, Any]] = {"messages": [{"role": "user", "content": "ping"}], "max_tokens": 1}


def probe_all(now: datetime) -> None:
    """Probe what every route serves, and what the rollouts that run would go back to."""
    stable = Release.objects.filter(delivery=Release.Delivery.STABLE).defer("manifest")
    targets = {row.pk: row for row in stable}
    targets |= {row.previous.pk: row.previous for row in open_rollouts() if row.previous}
    _probe(targets.values(), now)


def ensure_warm(release: Release, now: datetime) -> None:
    """Probe a release, unless that was done within the last minute and it answered."""
    row = Warmth.objects.filter(release=release).first()
    if row is None or not row.warm or now - row.probed_at >= PROBE_EVERY:
        _probe([release], now)


def coldness(release: Release, now: datetime) -> str | None:
    """Why a rollback to this release could not be relied on now; None where it is warm."""
    row, what = Warmth.objects.filter(release=release).first(), f"{release.name}, which a rollback would go to,"
    if row is None:
        return f"{what} has not been probed yet; ask again in a minute."
    if not row.warm:
        return f"{what} does not answer: {row.detail}"
    if now - row.probed_at > FRESH:
        return f"{what} was last probed at {row.probed_at:%H:%M:%S} UTC; the ticker does that each minute."
    return None


def _probe(releases: Iterable[Release], now: datetime) -> None:
    rows = list(releases)
    served = [_served(row) for row in rows]
    found = asyncio.run(_answers(served))
    probes = [_warmth(row, each, now) for row, each in zip(rows, found, strict=True)]
    Warmth.objects.bulk_create(
        sorted(probes, key=lambda probe: probe.release_id),
        update_conflicts=True,
        unique_fields=["release"],
        update_fields=["warm", "detail", "latency_ms", "probed_at"],
    )


def _served(release: Release) -> Served | Unserved:
    """What answers for a release in the routing: all that are probed serve, or did (`releases.routing.document`)."""
    return endpoint_still(Endpoint.objects.filter(organization_id=release.organization_id), release.model_ref)


async def _answers(served: list[Served | Unserved]) -> list[Answer | str]:
    return await asyncio.gather(*map(_asked, served))


async def _asked(served: Served | Unserved) -> Answer | str:
    """The answer to one token, or the sentence why nothing could be asked."""
    if isinstance(served, Unserved):
        return served.sentence
    try:
        secret = credential(served.endpoint.credential)
    except MissingCredentialError as error:
        return str(error)
    return await answer(served.endpoint.base_url, secret, {**ONE_TOKEN, "model": served.model}, TIMEOUT_S)


def _warmth(release: Release, found: Answer | str, now: datetime) -> Warmth:
    if isinstance(found, str):
        return Warmth(release=release, warm=False, detail=found[:300], probed_at=now)
    detail = ""
    if found.error is not None:
        detail = f"its model server answers {found.status}." if found.status else f"{found.error.replace('_', ' ')}."
    return Warmth(release=release, warm=found.error is None, detail=detail, latency_ms=found.latency_ms, probed_at=now)
