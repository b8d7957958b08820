"""Answers that a route has given, as gateways tell of them."""

from datetime import datetime, timedelta
from typing import Any

from relcontrol.clock import now
from releases.models import Release
from releases.trace_models import Trace
from tests.releases.canary import Canary
from tests.releases.traces.samples import stored, trace_row


def told(here: Canary, number: int, of: Release, at: datetime | None = None, **changes: Any) -> Trace:
    """One answer of a release on the route, by default a second ago."""
    started = at or now() - timedelta(seconds=1)
    fields = {
        "started_at": started.isoformat(),
        "release": of.manifest_sha256,
        "route": here.route.pk,
        "rollout": None,
        "arm": "stable",
        "fingerprint": of.bundle_sha256,
        **changes,
    }
    assert stored(here.organization, trace_row(number, **fields), now=max(started, now())).accepted == 1
    return Trace.objects.select_related("organization").get(
        organization=here.organization, trace_id=f"{number:032x}", started_at=started
    )
